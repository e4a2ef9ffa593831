from odoo import api, models


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        """Send visits back to the queue in whose time the measurer is off."""
        resource_ids = [vals.get("resource_id") for vals in vals_list]
        with self.env["crm.visit"]._reopening_broken(self._get_measurers(resource_ids)):
            return super().create(vals_list)

    def write(self, vals):
        """Send visits back to the queue in whose time the measurer is off now."""
        if not vals.keys() & {"date_from", "date_to", "resource_id", "calendar_id", "time_type"}:
            return super().write(vals)
        resource_ids = self.resource_id.ids
        if "resource_id" in vals or not all(leave.resource_id for leave in self):
            resource_ids.append(vals.get("resource_id"))
        with self.env["crm.visit"]._reopening_broken(self._get_measurers(resource_ids)):
            return super().write(vals)

    @api.model
    def _get_measurers(self, resource_ids):
        """Return the measurers whom leaves of these resources concern, with sudo.

        :param list resource_ids: with an empty one for a leave that is everybody's
        """
        measurers_sudo = self.env["crm.measurer"].sudo()
        if all(resource_ids):
            return measurers_sudo.search([("resource_id", "in", resource_ids)])
        return measurers_sudo.search([("active", "=", True)])
