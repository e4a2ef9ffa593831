from odoo import api, fields, models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    visit_ids = fields.One2many("crm.visit", "lead_id", "Visits")
    visit_count = fields.Integer(compute="_compute_visit_count")

    @api.depends("visit_ids")
    def _compute_visit_count(self):
        counts = dict(
            self.env["crm.visit"]._read_group(
                [("lead_id", "in", self.ids)], ["lead_id"], ["__count"]
            )
        )
        for lead in self:
            lead.visit_count = counts.get(lead, 0)

    def action_schedule_visit(self):
        """Open the booking screen."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Book a Visit"),
            "res_model": "crm.visit.booking",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_lead_id": self.id},
        }

    def action_view_visits(self):
        """Open the visits of this deal."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        return {**action, "domain": [("lead_id", "=", self.id)], "context": {}}

    def _merge_dependences(self, opportunities):
        """Bring the visits of the merged deals along."""
        result = super()._merge_dependences(opportunities)
        opportunities.sudo().visit_ids.lead_id = self  # also those that the user may not change
        return result
