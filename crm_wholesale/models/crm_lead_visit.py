from odoo import api, fields, models

from .crm_visit import OPEN_STATES
from .crm_visit_site import LEAD_SITE_FIELDS

#: States of visits that end when their deal is lost; one that is being done now is done.
LOST_WITH_DEAL_STATES = ("draft", "scheduled", "confirmed", "en_route")
#: Context key: the deal is being lost, and its reason comes next.
LOSING = "crm_wholesale_losing"


class CrmLead(models.Model):
    """The visits of a deal, and what happens to them when the deal changes."""

    _inherit = "crm.lead"

    visit_ids = fields.One2many("crm.visit", "lead_id", "Visits")
    visit_count = fields.Integer(compute="_compute_visit_count")
    needs_visit = fields.Boolean(
        compute="_compute_visit_count", help="Whether no visit is open or done."
    )

    @api.depends("visit_ids.state")
    def _compute_visit_count(self):
        groups = self.env["crm.visit"]._read_group(
            [("lead_id", "in", self.ids)], ["lead_id", "state"], ["__count"]
        )
        counts, wanted = {}, set(self)
        for lead, state, count in groups:
            counts[lead] = counts.get(lead, 0) + count
            if state not in ("no_show", "cancelled"):
                wanted.discard(lead)
        for lead in self:
            lead.visit_count = counts.get(lead, 0)
            lead.needs_visit = lead in wanted

    def write(self, vals):
        """Let the visits follow the deal: manager, customer, address, telephone, and loss."""
        visits = self.env["crm.visit"]
        copies = {}
        if vals.keys() & (LEAD_SITE_FIELDS | {"partner_id"}):
            copies = visits._find_copies("lead_id", self)
        former = {lead: lead.partner_id for lead in self} if "partner_id" in vals else {}
        standing = self.browse()
        if vals.keys() & {"active", "probability"} and not self.env.context.get(LOSING):
            standing = self.filtered(lambda lead: lead.won_status != "lost")
        result = super().write(vals)
        for lead, partner in former.items():
            lead._hand_visits_to_partner(partner)
        visits._follow_copies("lead_id", copies)
        if "user_id" in vals:
            self.sudo().visit_ids._hand_over_tasks()
        standing._cancel_visits_if_lost()
        return result

    def action_set_lost(self, **additional_values):
        # The reason is written after the deal is lost: the visits are cancelled with the reason.
        standing = self.filtered(lambda lead: lead.won_status != "lost")
        losing = self.with_context(**{LOSING: True})
        result = super(CrmLead, losing).action_set_lost(**additional_values)
        standing._cancel_visits_if_lost()
        return result

    def unlink(self):
        """Leave the visits, which stand without their deal, and bring their call tasks along."""
        for visit in self.sudo().visit_ids:
            visit._get_manager_tasks().write(
                {"res_model_id": self.env["ir.model"]._get_id(visit._name), "res_id": visit.id}
            )
        return super().unlink()

    def action_schedule_visit(self):
        """Open the booking screen."""
        self.ensure_one()
        booking = self.env["crm.visit.booking"]
        return booking._open(self.env._("Book a Visit"), default_lead_id=self.id)

    def action_view_visits(self):
        """Open the visits of this deal."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        return {**action, "domain": [("lead_id", "=", self.id)], "context": {}}

    def _cancel_visits_if_lost(self):
        """Cancel the open visits of those of these deals that are lost; told customers are told.

        A visit that is being done now stays. Restoring the deal revives none.
        """
        for lead in self.filtered(lambda lead: lead.won_status == "lost"):
            visits_sudo = lead.sudo().visit_ids.filtered(
                lambda visit: visit.state in LOST_WITH_DEAL_STATES
            )
            if not visits_sudo:
                continue
            reason = self.env._("The deal was lost")
            if lead.lost_reason_id:
                reason = self.env._(
                    "The deal was lost: %(reason)s", reason=lead.lost_reason_id.name
                )
            visits_sudo._cancel(reason)

    def _hand_visits_to_partner(self, former):
        """Let visits that named the deal's former customer, or none, name the present one."""
        self.ensure_one()
        visits_sudo = self.sudo().visit_ids.filtered(lambda visit: visit.partner_id == former)
        if self.partner_id and visits_sudo:
            visits_sudo.partner_id = self.partner_id

    def _merge_dependences(self, opportunities):
        """Bring the visits of the merged deals along; a customer is reminded of them once."""
        result = super()._merge_dependences(opportunities)
        visits_sudo = opportunities.sudo().visit_ids  # also those that the user may not change
        if visits_sudo:
            visits_sudo.lead_id = self
            self.sudo().visit_ids.filtered(lambda v: v.state in OPEN_STATES)._merge_reminders()
        return result
