from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        result = super()._action_done()
        self._advance_deals()
        return result

    def action_cancel(self):
        result = super().action_cancel()
        if not self.env.context.get("cancelled_with_order"):
            self._advance_deals()
        return result

    def _advance_deals(self):
        """Move the deals of these deliveries as far as their orders have come."""
        self.sudo().move_ids.sale_line_id.order_id.opportunity_id._advance_with_orders()
