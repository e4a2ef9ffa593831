from odoo import fields, models


class CrmVisitSkill(models.Model):
    _name = "crm.visit.skill"
    _description = "Visit Skill"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    color = fields.Integer(export_string_translation=False)

    _name_unique = models.Constraint("UNIQUE(name)", "This skill already exists.")
