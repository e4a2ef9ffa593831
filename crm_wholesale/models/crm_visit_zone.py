from odoo import fields, models


class CrmVisitZone(models.Model):
    _name = "crm.visit.zone"
    _description = "Visit Zone"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True)
    color = fields.Integer(export_string_translation=False)
