from odoo import api, fields, models

from .crm_visit_no_show import MEASURER_ABSENT


class CrmMeasurer(models.Model):
    _inherit = "crm.measurer"

    no_show_count = fields.Integer(
        "No-Shows",
        compute="_compute_no_show_count",
        help="To how many visits this measurer did not come.",
    )

    @api.depends("visit_ids.no_show_reason")
    def _compute_no_show_count(self):
        counts = dict(
            self.env["crm.visit"]._read_group(
                [("measurer_id", "in", self.ids), ("no_show_reason", "=", MEASURER_ABSENT)],
                ["measurer_id"],
                ["__count"],
            )
        )
        for measurer in self:
            measurer.no_show_count = counts.get(measurer, 0)

    def action_open_no_shows(self):
        """Open the visits to which this measurer did not come."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        domain = [("measurer_id", "=", self.id), ("no_show_reason", "=", MEASURER_ABSENT)]
        return {**action, "domain": domain, "context": {}}
