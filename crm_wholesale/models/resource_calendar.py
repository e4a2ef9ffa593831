from odoo import models


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def write(self, vals):
        """Send visits back to the queue that changed working hours break."""
        with self.env["crm.visit"]._reopening_broken(self._get_measurers()):
            return super(ResourceCalendar, self.with_context(crm_visit_watched=True)).write(vals)

    def _get_measurers(self):
        """Return the measurers who work by these calendars, with sudo."""
        return self.env["crm.measurer"].sudo().search([("resource_calendar_id", "in", self.ids)])
