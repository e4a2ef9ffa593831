from odoo import models


class CrmMeasurer(models.Model):
    """A measurer who leaves, for a while or for good, and the visits left behind."""

    _inherit = "crm.measurer"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        """Send visits back to the queue that nobody will make any more."""
        if not vals.keys() & {"active", "resource_calendar_id", "tz", "user_id"}:
            return super().write(vals)
        with self.env["crm.visit"]._reopening_broken(self):
            return super(CrmMeasurer, self.with_context(crm_visit_watched=True)).write(vals)
