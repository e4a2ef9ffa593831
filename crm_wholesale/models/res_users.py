from datetime import datetime

import pytz

from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        """Send the visits of those back to the queue who leave, or lose the role of a measurer."""
        if not vals.keys() & {"active", "group_ids"}:
            return super().write(vals)
        with self.env["crm.visit"]._reopening_broken(self._get_measurers()):
            return super(ResUsers, self.with_context(crm_visit_watched=True)).write(vals)

    def _get_measurers(self):
        """Return the measurers who log in as these users, with sudo."""
        return self.env["crm.measurer"].sudo().search([("user_id", "in", self.ids)])

    @api.model
    def _get_activity_groups(self):
        """Count next steps only: what shows a notice to a customer is left out."""
        next_steps = self.with_context(crm_wholesale_next_steps=True)
        return super(ResUsers, next_steps)._get_activity_groups()

    def _bus_send(self, notification_type, message, /, *, subchannel=None):
        if notification_type == "mail.activity/updated" and self.env.context.get(
            "crm_wholesale_uncounted"
        ):
            return
        super()._bus_send(notification_type, message, subchannel=subchannel)

    def _get_zone(self):
        """Return the time zone of this user; UTC without a user or without a zone."""
        # sudo: everybody may assign to everybody, and the zone stands on the partner
        return pytz.timezone(self.sudo().tz or "UTC")

    def _get_local_day(self, moment):
        """Return the date of ``moment`` (naive, UTC) in the zone of this user, if any."""
        return pytz.utc.localize(moment).astimezone(self._get_zone()).date()

    def _move_to_day(self, moment, day):
        """Return ``moment`` (naive, UTC) moved to the date ``day`` at the same wall time.

        Wall time is that of this user's zone, if any. Where the clock skips the time it is
        moved forward by as much; where the clock strikes it twice, the second one is meant.
        """
        if day == self._get_local_day(moment):
            return moment
        zone = self._get_zone()
        wall_time = pytz.utc.localize(moment).astimezone(zone).time()
        wanted = datetime.combine(day, wall_time)
        moved = max(zone.localize(wanted, is_dst=is_dst) for is_dst in (True, False))
        return moved.astimezone(pytz.utc).replace(tzinfo=None)
