from odoo import fields, models


class CrmVisitLine(models.Model):
    """One thing that was measured on a visit."""

    _name = "crm.visit.line"
    _description = "Measurement"
    _order = "sequence, id"

    visit_id = fields.Many2one("crm.visit", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
