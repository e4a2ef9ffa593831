from odoo import fields, models


class CrmVisitNotice(models.Model):
    """What the customer of a visit is told: outbox and permanent ledger."""

    _name = "crm.visit.notice"
    _description = "Customer Notice"
    _order = "due_at, id"

    visit_id = fields.Many2one("crm.visit", required=True, index=True, ondelete="restrict")
