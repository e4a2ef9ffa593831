from odoo import api, fields, models


class CrmVisit(models.Model):
    """Measurements that change after somebody relied on them: signed, taken over, or quoted."""

    _inherit = "crm.visit"

    remeasured_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When measurements last changed after the visit was signed or done, or when a place "
        "that a former visit had measured was measured again.",
    )
    version_ids = fields.One2many("crm.visit.line.version", "visit_id", "Former Measurements")
    outdated_order_ids = fields.Many2many(
        "sale.order",
        string="Quoted Before",
        compute="_compute_outdated_order_ids",
        groups="sales_team.group_sale_salesman",
        help="Quotations and orders made from measurements that have changed since.",
    )

    @api.depends("remeasured_at", "lead_id.visit_ids.order_ids.state")
    def _compute_outdated_order_ids(self):
        for visit in self:
            visit.outdated_order_ids = visit._get_orders_before(visit.remeasured_at)

    def action_done(self):
        result = super().action_done()
        self.filtered("line_ids.former_line_id")._note_remeasured()
        return result

    def _get_former_visits(self):
        """Return the last done visit of the same deal before each of these, in a dictionary."""
        done = self.search([("lead_id", "in", self.lead_id.ids), ("state", "=", "done")])
        by_lead = done.grouped("lead_id")
        return {
            visit: by_lead.get(visit.lead_id, done.browse())
            .filtered(lambda other, visit=visit: other._origin.id != visit._origin.id)
            .filtered(
                lambda other, visit=visit: (
                    not visit.start or not other.start or other.start < visit.start
                )
            )[-1:]
            for visit in self
        }

    def _is_measuring_settled(self):
        """Return whether somebody relies on the measurements: signed them or took them over."""
        self.ensure_one()
        return self.state == "done" or bool(self.signed_at)

    def _get_orders_before(self, moment):
        """Return the standing quotations and orders of this deal's visits made before a moment.

        :param moment: in UTC, or False for none
        """
        self.ensure_one()
        visits = self | self.lead_id.visit_ids.filtered(
            lambda visit: visit.start and self.start and visit.start < self.start
        )
        return visits.order_ids.filtered(
            lambda order: order.state != "cancel" and moment and order.create_date < moment
        )

    def _note_remeasured(self):
        """Note that measurements changed, and give whoever quoted the former ones one task."""
        now = fields.Datetime.now()
        for visit_sudo in self.sudo():  # a measurer neither quotes nor reads quotations
            if not visit_sudo._is_measuring_settled():
                continue
            before = visit_sudo._get_orders_before(visit_sudo.remeasured_at)
            visit_sudo.remeasured_at = now
            for order in visit_sudo._get_orders_before(now) - before:
                order._ask_to_compare(visit_sudo)
