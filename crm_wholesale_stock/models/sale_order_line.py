from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _is_delivered(self):
        """Wait for open deliveries and returns, and take a short delivery that is final.

        Final is the delivery of a product invoiced on delivered quantities when nothing more is
        to come: Odoo then calls the line wholly invoiced, too.
        """
        moves = self.move_ids
        if any(move.state not in ("done", "cancel") for move in moves):
            return False
        return super()._is_delivered() or (
            self.product_id.invoice_policy == "delivery"
            and any(move.state == "done" for move in moves)
            and self.qty_delivered > 0
        )
