from odoo import fields, models


class CrmVisitRepeat(models.TransientModel):
    """Asks for how many weeks a visit is repeated."""

    _name = "crm.visit.repeat"
    _description = "Repeat a Visit Weekly"

    visit_id = fields.Many2one("crm.visit", required=True, readonly=True, ondelete="cascade")
    times = fields.Integer("Weeks", required=True, default=4)

    _times_possible = models.Constraint(
        "CHECK(times BETWEEN 1 AND 52)", "A visit is repeated for 1 to 52 weeks."
    )

    def action_repeat_weekly(self):
        """Book the visits and show them."""
        self.ensure_one()
        visits = self.visit_id._repeat_weekly(self.times)
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        return {**action, "domain": [("id", "in", visits.ids)], "context": {}}
