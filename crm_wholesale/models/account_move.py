from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        orders_sudo = self.sudo().invoice_line_ids.sale_line_ids.order_id
        orders_sudo.opportunity_id._advance_with_orders()
        return result
