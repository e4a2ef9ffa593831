from datetime import timedelta

from odoo import models

from ..tools.walltime import to_datetime


class CrmVisit(models.Model):
    _inherit = "crm.visit"

    def _get_plan_length(self):
        """Return how long this visit takes, as a timedelta of whole seconds."""
        self.ensure_one()
        return timedelta(seconds=round(self.duration * 3600))

    def _get_plan_fingerprint(self):
        """Return a text that changes with anything of this visit that the plan of a day rests on.

        Override to add to it; call super first.
        """
        self.ensure_one()
        names = (
            *("state", "revision", "start", "stop", "window_start", "window_stop", "earliest"),
            *("latest", "urgent", "latitude", "longitude", "zip", "city"),
        )
        values = [self[name] for name in names]
        return " ".join(map(str, [self.measurer_id.id, self.type_id.id, *values]))

    def _is_retimed_by(self, start):
        """Return whether a start breaks the time that the customer of this visit expects.

        :param int start: seconds since 1970
        """
        self.ensure_one()
        start = to_datetime(start)
        if self.state == "draft":
            return False
        if self.window_start and self.window_stop:
            return not self.window_start <= start <= self.window_stop
        return start != self.start
