from odoo import fields, models


class CrmVisitCancel(models.TransientModel):
    """Asks why a visit is cancelled."""

    _name = "crm.visit.cancel"
    _description = "Cancel a Visit"

    visit_id = fields.Many2one("crm.visit", required=True, readonly=True, ondelete="cascade")
    reason = fields.Char(required=True)

    def action_cancel_visit(self):
        """Cancel the visit for this reason."""
        self.ensure_one()
        self.visit_id._cancel(self.reason)
        return {"type": "ir.actions.act_window_close"}
