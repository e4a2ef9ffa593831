from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def write(self, vals):
        result = super().write(vals)
        if "qty_delivered" in vals or "product_uom_qty" in vals:
            orders_sudo = self.sudo().order_id.filtered(lambda order: order.state == "sale")
            orders_sudo.opportunity_id._advance_with_orders()
        return result

    def _filter_goods(self):
        """Return those of these lines that a customer waits for, services included.

        Sections, notes, discounts, rewards and carriage are left out.
        """
        return self.filtered(lambda line: not line.display_type and line._can_be_invoiced_alone())

    def _is_delivered(self):
        """Tell whether at least the ordered quantity has been delivered."""
        self.ensure_one()
        return self.product_uom_id.compare(self.qty_delivered, self.product_uom_qty) >= 0
