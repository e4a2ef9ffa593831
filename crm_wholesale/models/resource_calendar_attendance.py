from odoo import models


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    def write(self, vals):
        """Send visits back to the queue that changed working hours break."""
        with self.env["crm.visit"]._reopening_broken(self.calendar_id._get_measurers()):
            return super().write(vals)

    def unlink(self):
        """Send visits back to the queue in whose time nobody works any more."""
        with self.env["crm.visit"]._reopening_broken(self.calendar_id._get_measurers()):
            return super().unlink()
