from odoo import api, fields, models
from odoo.fields import Domain


class CrmTeam(models.Model):
    _inherit = "crm.team"

    own_stages_only = fields.Boolean(
        help="The pipeline of this team shows its own stages and leaves out the stages that are "
        "shared by all teams. It has no effect until the team has a stage of its own.",
    )
    stage_ids = fields.Many2many("crm.stage", string="Own Stages")

    @api.model
    def _get_board_teams(self):
        """Return the teams whose stages the context asks a pipeline to show."""
        teams = self.browse(self.env.context.get("default_team_id") or ())
        if self.env.context.get("show_user_team_stages"):
            teams |= self.env.user.crm_team_ids
        return teams

    def _ignores_shared_stages(self):
        """Tell whether none of these teams uses stages without a team; False for no team."""
        # The team may belong to a company that the user does not see.
        return bool(self) and all(team.own_stages_only and team.stage_ids for team in self.sudo())

    def _get_stage_domain(self):
        """Return the domain of the stages that deals of these teams may stand on.

        Deals without a team, the empty recordset, use the shared stages.
        """
        own = Domain("team_ids", "in", self.ids)
        return own if self._ignores_shared_stages() else own | Domain("team_ids", "=", False)
