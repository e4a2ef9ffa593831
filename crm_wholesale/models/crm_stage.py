from odoo import api, fields, models
from odoo.exceptions import UserError

#: What a stage can stand for, in the order in which a deal moves forward.
MILESTONES = [
    ("request", "Request"),
    ("qualified", "Qualified"),
    ("measurement", "Measurement"),
    ("quotation", "Quotation Sent"),
    ("contract", "Contract"),
    ("payment", "Paid"),
    ("shipment", "Shipped"),
    ("won", "Won"),
]
MILESTONE_RANK = {milestone: rank for rank, (milestone, _label) in enumerate(MILESTONES)}


class CrmStage(models.Model):
    _inherit = "crm.stage"

    milestone = fields.Selection(
        MILESTONES,
        help="What this stage stands for. A deal moves to it by itself when a visit is booked, "
        "a quotation sent, an order confirmed, paid or delivered.",
    )
    for_team_id = fields.Many2one(
        "crm.team", "Usable by Team", store=False, search="_search_for_team_id"
    )

    _milestone_won_is_won = models.Constraint(
        "CHECK(milestone IS DISTINCT FROM 'won' OR is_won IS TRUE)",
        "A stage with the milestone “Won” must be a won stage: tick “Is Won Stage?” as well.",
    )

    @api.model
    def default_get(self, fields):
        """Give a column added on the board of a team with own stages to that team."""
        defaults = super().default_get(fields)
        teams = self.env["crm.team"]._get_board_teams()
        if "team_ids" in fields and "team_ids" not in defaults and teams._ignores_shared_stages():
            defaults["team_ids"] = teams.ids
        return defaults

    @api.ondelete(at_uninstall=False)
    def _unlink_except_milestone(self):
        for stage in self.filtered("milestone"):
            raise UserError(
                self.env._(
                    "The stage “%(stage)s” cannot be deleted: deals move to it when they reach "
                    "the milestone “%(milestone)s”. Give the milestone to another stage, clear "
                    "it here, and delete the stage then.",
                    stage=stage.name,
                    milestone=self._get_milestone_label(stage.milestone),
                )
            )

    def _search_for_team_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        teams = self.env["crm.team"].browse(team_id for team_id in value if team_id)
        return teams._get_stage_domain()

    def _is_shared(self):
        """Tell whether this stage belongs to no team, not even to an archived one."""
        self.ensure_one()
        return not self.sudo().with_context(active_test=False).team_ids

    def _is_usable_by(self, team):
        """Tell whether deals of ``team``, or of no team, may stand on this stage."""
        self.ensure_one()
        if self._is_shared():
            return not team._ignores_shared_stages()
        return team in self.sudo().with_context(active_test=False).team_ids

    def _find_milestone(self, milestone, team):
        """Return the first of these stages that ``team`` may use for ``milestone``.

        The team's own stages come before the shared ones.
        """
        stages = self.filtered(lambda stage: stage.milestone == milestone)
        usable = stages.filtered(lambda stage: stage._is_usable_by(team))
        return usable.sorted(lambda stage: stage._is_shared())[:1]

    @api.model
    def _get_milestone_label(self, milestone):
        """Return the name of ``milestone`` in the user's language."""
        return dict(self._fields["milestone"]._description_selection(self.env))[milestone]
