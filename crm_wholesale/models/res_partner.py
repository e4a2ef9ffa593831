from odoo import api, fields, models
from odoo.exceptions import UserError

from .crm_visit import OPEN_STATES
from .crm_visit_no_show import MEASURER_ABSENT
from .crm_visit_site import PARTNER_SITE_FIELDS


class ResPartner(models.Model):
    _inherit = "res.partner"

    visit_ids = fields.One2many(
        "crm.visit", "partner_id", "Visits", groups="sales_team.group_sale_salesman"
    )
    visit_count = fields.Integer(
        compute="_compute_visit_count", groups="sales_team.group_sale_salesman"
    )
    visit_no_show_count = fields.Integer(
        "No-Shows",
        compute="_compute_visit_count",
        groups="sales_team.group_sale_salesman",
        help="How many of the visits met nobody.",
    )

    @api.depends("visit_ids.state", "visit_ids.no_show_reason")
    def _compute_visit_count(self):
        visits = self.env["crm.visit"]
        domain = [("partner_id", "in", self.ids)]
        counts = dict(visits._read_group(domain, ["partner_id"], ["__count"]))
        domain += [("state", "=", "no_show"), ("no_show_reason", "!=", MEASURER_ABSENT)]
        no_shows = dict(visits._read_group(domain, ["partner_id"], ["__count"]))
        for partner in self:
            partner.visit_count = counts.get(partner, 0)
            partner.visit_no_show_count = no_shows.get(partner, 0)

    def write(self, vals):
        """Keep whom a measurer is to visit; let the visits follow a new address or telephone."""
        if vals.get("active") is False:
            self._check_no_open_visits()
        if not vals.keys() & PARTNER_SITE_FIELDS:
            return super().write(vals)
        visits = self.env["crm.visit"]
        copies = visits._find_copies("partner_id", self)
        result = super().write(vals)
        visits._follow_copies("partner_id", copies)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_open_visits(self):
        self._check_no_open_visits()

    def action_schedule_visit(self):
        """Open the booking screen for a visit without a deal, such as a service call."""
        self.ensure_one()
        booking = self.env["crm.visit.booking"]
        return booking._open(self.env._("Book a Visit"), default_partner_id=self.id)

    def action_view_visits(self):
        """Open the visits to this customer."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        return {**action, "domain": [("partner_id", "=", self.id)], "context": {}}

    def _check_no_open_visits(self):
        """Raise when somebody is still to come to one of these customers.

        :raise UserError: naming the visits
        """
        visits_sudo = (  # whoever archives a customer need not read the visits
            self.env["crm.visit"]
            .sudo()
            .search([("partner_id", "in", self.ids), ("state", "in", OPEN_STATES)], limit=5)
        )
        if visits_sudo:
            raise UserError(
                self.env._(
                    "A measurer is still to come to this customer: %(visits)s. "
                    "Finish or cancel the visit first.",
                    visits=", ".join(visits_sudo.mapped("name")),
                )
            )
