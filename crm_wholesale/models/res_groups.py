from odoo import models


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        """Send the visits of those back to the queue who lose the role of a measurer."""
        if "user_ids" not in vals:
            return super().write(vals)
        with self.env["crm.visit"]._reopening_broken(self.all_user_ids._get_measurers()):
            return super(ResGroups, self.with_context(crm_visit_watched=True)).write(vals)
