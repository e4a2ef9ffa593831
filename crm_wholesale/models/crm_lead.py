from itertools import takewhile

from odoo import api, fields, models
from odoo.fields import Domain

from .crm_stage import MILESTONE_RANK, MILESTONES


class CrmLead(models.Model):
    _inherit = "crm.lead"

    stage_id = fields.Many2one(domain="[('for_team_id', '=', team_id)]")
    milestone_noted = fields.Selection(
        MILESTONES,
        readonly=True,
        copy=False,
        help="The furthest milestone that the deal reached without moving to a stage, "
        "as the chatter says.",
    )

    # -- Stages of the deal's team ---------------------------------------------------------

    @api.depends("team_id", "type")
    def _compute_stage_id(self):
        super()._compute_stage_id()
        self._leave_shared_stages()

    def _leave_shared_stages(self):
        """Take these deals off shared stages where their team leaves those out.

        A won deal goes to a won stage of its team, or stays where it is.
        """
        for lead in self:
            stage = lead.stage_id
            if not stage or not lead.team_id._ignores_shared_stages() or not stage._is_shared():
                continue
            wanted = Domain("is_won", "=", True) if stage.is_won else Domain("fold", "=", False)
            lead.stage_id = lead._stage_find(domain=wanted) or stage

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        columns = super()._read_group_stage_ids(stages, domain)
        if self.env["crm.team"]._get_board_teams()._ignores_shared_stages():
            return columns.filtered(lambda stage: stage in stages or not stage._is_shared())
        return columns

    def _stage_find(self, team_id=False, domain=None, order="sequence, id", limit=1):
        teams = self.env["crm.team"].browse(team_id or ()) | self.team_id
        if teams._ignores_shared_stages():
            domain = [*(domain or ()), ("team_ids", "!=", False)]
        return super()._stage_find(team_id=team_id, domain=domain, order=order, limit=limit)

    def _merge_opportunity(self, user_id=False, team_id=False, auto_unlink=True, max_length=5):
        merged = super()._merge_opportunity(
            user_id=user_id, team_id=team_id, auto_unlink=auto_unlink, max_length=max_length
        )
        merged._leave_shared_stages()
        return merged

    # -- Milestones ------------------------------------------------------------------------

    def _advance_to(self, milestone):
        """Move these deals forward to the stage that stands for ``milestone``.

        Forward is by the order of ``MILESTONES``: a deal that is there already, or further, is
        left alone. A deal that is won, lost or archived, or whose team has no stage for the
        milestone, stays where it is and its chatter says so, once per milestone.

        The user needs no right on the deals.

        :param str milestone: a value of ``crm.stage.milestone``
        :return: those of the deals that now stand at the milestone or further
        """
        rank = MILESTONE_RANK[milestone]
        if not self:
            return self
        # Documents are often written with tracking disabled. The deal's way through its stages
        # is tracked all the same: the days spent in each are computed from it.
        leads_sudo = self.sudo().with_context(tracking_disable=False, mail_notrack=False)
        stages_sudo = self.env["crm.stage"].sudo().search(Domain.TRUE)
        arrived_sudo = leads_sudo.browse()
        leads_by_stage, reason_by_lead = {}, {}
        for lead in leads_sudo:
            stage = stages_sudo._find_milestone(milestone, lead.team_id)
            if lead._get_milestone_rank(stages_sudo) >= rank:
                arrived_sudo |= lead
            elif reason := lead._get_reason_to_stay(stage):
                reason_by_lead[lead] = reason
            else:
                leads_by_stage[stage] = leads_by_stage.get(stage, lead) | lead
        for stage, leads in leads_by_stage.items():
            leads.write({"stage_id": stage.id})
            arrived_sudo |= leads
        leads_sudo._note_milestone(milestone, reason_by_lead)
        return self.browse(arrived_sudo.ids)

    def _get_milestone_rank(self, stages):
        """Return the rank of the milestone that this deal has reached, -1 for none.

        A stage without a milestone counts as the nearest earlier one of the team that has one.

        :param stages: all stages, in order
        """
        self.ensure_one()
        if not self.stage_id:
            return -1
        milestone = self.stage_id.milestone
        if not milestone:
            for stage in takewhile(lambda stage: stage != self.stage_id, stages):
                if stage.milestone and stage._is_usable_by(self.team_id):
                    milestone = stage.milestone
        return MILESTONE_RANK.get(milestone, -1)

    def _get_reason_to_stay(self, stage):
        """Return why this deal does not move to ``stage``, a sentence, or None if it does."""
        self.ensure_one()
        if self.won_status == "won":
            return self.env._("The deal stays in its stage because it is already won.")
        if self.won_status == "lost":
            return self.env._("The deal stays in its stage because it is lost.")
        if not self.active:
            return self.env._("The deal stays in its stage because it is archived.")
        if not stage:
            return self.env._(
                "The deal stays in its stage because no stage of its team stands for this."
            )
        return None

    def _note_milestone(self, milestone, reason_by_lead):
        """Say once in the chatter that deals reached ``milestone`` and why they stay.

        :param dict reason_by_lead: a sentence for each deal that stays
        """
        rank = MILESTONE_RANK[milestone]
        news = self.filtered(
            lambda lead: (
                lead in reason_by_lead and MILESTONE_RANK.get(lead.milestone_noted, -1) < rank
            )
        )
        if not news:
            return
        news.milestone_noted = milestone
        label = self.env["crm.stage"]._get_milestone_label(milestone)
        reached = self.env._("Milestone “%(milestone)s” reached.", milestone=label)
        news._message_log_batch({lead.id: f"{reached} {reason_by_lead[lead]}" for lead in news})

    def _advance_with_orders(self):
        """Move these deals as far as the payment and delivery of their confirmed orders allow.

        All confirmed orders paid: ``payment``; all delivered: ``shipment``; both: ``won``.
        """
        orders = self.sudo().order_ids.filtered(lambda order: order.state == "sale")
        paid_orders, delivered_orders = orders._filter_paid(), orders._filter_delivered()
        paid = delivered = self.browse()
        for lead_sudo, lead_orders in orders.grouped("opportunity_id").items():
            lead = self.browse(lead_sudo.id)
            if lead_orders <= paid_orders:
                paid |= lead
            if lead_orders <= delivered_orders:
                delivered |= lead
        won = (paid & delivered)._advance_to("won")
        (paid - won)._advance_to("payment")
        (delivered - won)._advance_to("shipment")
