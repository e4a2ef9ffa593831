from odoo import api, fields, models

from ..tools import vroom_planner


class CrmVisitPlan(models.TransientModel):
    _inherit = "crm.visit.plan"

    planner = fields.Selection(selection_add=[("vroom", "VROOM")])

    @api.model
    def _plan_day(self, problem):
        """Let VROOM plan; where its answer is of no use the core's planner does."""
        if solution := vroom_planner.plan(problem):
            return "vroom", solution
        return super()._plan_day(problem)
