from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    visit_id = fields.Many2one("crm.visit", index="btree_not_null", copy=False, check_company=True)
    is_measured_again = fields.Boolean(
        compute="_compute_is_measured_again",
        help="Measurements have changed since this quotation was made from them.",
    )

    @api.depends("visit_id.lead_id.visit_ids.remeasured_at", "state")
    def _compute_is_measured_again(self):
        for order in self:
            visits_sudo = (order.visit_id | order.visit_id.lead_id.visit_ids).sudo()
            order.is_measured_again = order in visits_sudo.outdated_order_ids._origin

    def write(self, vals):
        newly_sent = self.browse()
        if vals.get("state") == "sent":
            newly_sent = self.filtered(lambda order: order.state != "sent")
        result = super().write(vals)
        newly_sent.sudo().opportunity_id._advance_to("quotation")
        return result

    def _action_confirm(self):
        result = super()._action_confirm()
        self.sudo().opportunity_id._advance_to("contract")
        return result

    def _action_cancel(self):
        confirmed_sudo = self.sudo().filtered(lambda o: o.state == "sale" and o.opportunity_id)
        result = super()._action_cancel()
        confirmed_sudo._ask_owner_about_cancellation()
        # What is left may be all paid or all delivered.
        confirmed_sudo.opportunity_id._advance_with_orders()
        return result

    def _ask_owner_about_cancellation(self):
        """Give the owner of each deal that is not lost a task: its orders were cancelled."""
        for lead, orders in self.grouped("opportunity_id").items():
            owner = lead.user_id or lead.team_id.user_id or orders.user_id[:1]
            if lead.won_status == "lost" or not owner:
                continue
            env = self.with_context(lang=owner.lang).env
            lead._activity_schedule_quietly(
                "mail.mail_activity_data_todo",
                user_id=owner.id,
                summary=env._(
                    "Order cancelled: %(orders)s. The deal stays in its stage.",
                    orders=", ".join(orders.mapped("name")),
                ),
            )

    def _ask_to_compare(self, visit):
        """Give the salesperson a task: what this order was quoted from has been measured anew.

        :param visit: the visit on which it was measured
        """
        self.ensure_one()
        user = self.user_id or visit.user_id
        env = self.with_context(lang=user.lang).env
        self._activity_schedule_quietly(
            "mail.mail_activity_data_todo",
            user_id=user.id,
            summary=env._("Measured again on %(visit)s: compare this quotation", visit=visit.name),
        )

    def _filter_paid(self):
        """Return those of these orders that are wholly invoiced, with every invoice paid."""
        return self.filtered(
            lambda order: (
                order.invoice_status in ("invoiced", "upselling") and order._are_invoices_paid()
            )
        )

    def _are_invoices_paid(self):
        """Tell whether no invoice of this order is left to pay.

        A reversed invoice pays for nothing: what it charged must stand on a paid one as well.
        """
        self.ensure_one()
        invoices = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        )
        paid = invoices.filtered(lambda move: move.payment_state in ("in_payment", "paid"))
        rest = invoices - paid
        if not rest or any(move.payment_state != "reversed" for move in rest):
            return not rest
        charged_lines = self.order_line & rest.invoice_line_ids.sale_line_ids
        return charged_lines <= paid.invoice_line_ids.sale_line_ids

    def _filter_delivered(self):
        """Return those of these orders that are wholly delivered."""
        goods = self.order_line._filter_goods()
        return self - goods.filtered(lambda line: not line._is_delivered()).order_id
