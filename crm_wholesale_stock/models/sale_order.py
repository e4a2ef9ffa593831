from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_cancel(self):
        # The order is still confirmed while its open deliveries are cancelled with it.
        return super(SaleOrder, self.with_context(cancelled_with_order=True))._action_cancel()
