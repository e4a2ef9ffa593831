from odoo import api, fields, models

from ..models.crm_lead_visit import LOST_WITH_DEAL_STATES


class CrmLeadLost(models.TransientModel):
    _inherit = "crm.lead.lost"

    cancelled_visits = fields.Char(
        compute="_compute_cancelled_visits", help="The open visits that end with these deals."
    )

    @api.depends("lead_ids")
    def _compute_cancelled_visits(self):
        for wizard in self:
            visits = wizard.lead_ids.visit_ids.filtered(
                lambda visit: visit.state in LOST_WITH_DEAL_STATES
            )
            wizard.cancelled_visits = ", ".join(
                " ".join(filter(None, [visit.name, visit.local_start])) for visit in visits
            )
