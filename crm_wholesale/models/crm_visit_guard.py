from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

import pytz

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .crm_visit import OCCUPYING_STATES


class CrmVisit(models.Model):
    """What must be true of a measurer's day before a visit is booked into it."""

    _inherit = "crm.visit"

    def _check_slots(self, held_days=None):
        """Raise unless every visit can take place at its time, and hold the measurers' days.

        The check reads; the counter that is raised afterwards makes a concurrent booking of the
        same measurer fail with a serialization error, so that the platform repeats it and this
        check sees the committed visit.

        :param dict held_days: of each visit that moves, the measurer and the day that it had
        :raise UserError: for a time in the past, a measurer who cannot go, a taken slot, or a
            full day
        """
        now = fields.Datetime.now()
        for visit in self:
            if visit.start <= now:
                raise UserError(
                    self.env._(
                        "%(time)s is already past. Choose a time in the future.",
                        time=visit.local_start,
                    )
                )
            if not visit.measurer_id:
                raise UserError(self.env._("Choose the measurer who goes."))
        self.measurer_id._check_can_go()
        others_sudo = self._find_visits_around()
        self._check_overlaps(others_sudo)
        self._check_capacity(others_sudo, held_days or {})
        self.measurer_id._raise_booking_counter()

    def _check_overlaps(self, others_sudo):
        """Raise when one of these visits overlaps another one of its measurer.

        :param others_sudo: see :meth:`_find_visits_around`
        :raise UserError: naming measurer, other visit and its time
        """
        days = defaultdict(list)
        for visit in self.sudo() | others_sudo:
            days[visit.measurer_id].append(visit)
        for measurer, visits in days.items():
            visits.sort(key=lambda visit: (visit.start, visit.stop))
            for before, after in pairwise(visits):
                if after.start < before.stop:
                    taken = before if before in others_sudo else after
                    asked = after if taken == before else before
                    refusal = self.env._(
                        "%(measurer)s already has visit %(visit)s from %(start)s to %(stop)s. "
                        "Choose another time or another measurer.",
                        measurer=measurer.name,
                        visit=taken.name,
                        start=taken.local_start,
                        stop=taken._format_local(taken.stop, time_only=True),
                    )
                    raise UserError(asked._add_next_slots(refusal))

    def _check_capacity(self, others_sudo, held_days):
        """Raise when a measurer would get more visits in a day than he can make.

        A manager who was shown that and books all the same does so with the context key
        ``crm_visit_over_capacity``. Half-days and the urgent reserve bind the search for slots
        only.

        :param others_sudo: see :meth:`_find_visits_around`
        :param dict held_days: see :meth:`_check_slots`; a visit may stay in a day that is full
        :raise UserError: naming the measurer, the day and its number of visits
        """
        if self.env.context.get("crm_visit_over_capacity"):
            return
        arriving = self.sudo().filtered(
            lambda visit: visit._get_measurer_day() != held_days.get(visit)
        )
        if not arriving:
            return
        staying_sudo = others_sudo | (self.sudo() - arriving)
        counts = Counter(visit._get_measurer_day() for visit in staying_sudo)
        for visit in arriving:
            measurer, day = visit._get_measurer_day()
            counts[measurer, day] += 1
            if counts[measurer, day] > measurer.visits_per_day:
                refusal = self.env._(
                    "%(measurer)s can make no more visits on %(day)s (most in a day: %(count)s). "
                    "Choose another day or another measurer.",
                    measurer=measurer.name,
                    count=measurer.visits_per_day,
                    day=format_date(self.env, day),
                )
                raise UserError(visit._add_next_slots(refusal))

    def _find_visits_around(self):
        """Return the other visits of these measurers from a day before to a day after these.

        With sudo: they may be colleagues', of which only their time is told.
        """
        day = timedelta(days=1)
        return self.sudo().search(
            [
                ("id", "not in", self.ids),
                ("measurer_id", "in", self.measurer_id.ids),
                ("state", "in", OCCUPYING_STATES),
                ("start", "<", max(self.mapped("stop")) + day),
                ("stop", ">", min(self.mapped("start")) - day),
            ]
        )

    def _get_measurer_day(self):
        """Return the measurer and the date in his zone on which the visit begins."""
        self.ensure_one()
        measurer = self.measurer_id.sudo()
        zone = pytz.timezone(measurer.tz or self.tz)
        return measurer, pytz.utc.localize(self.start).astimezone(zone).date()

    def _add_next_slots(self, refusal):
        """Return a refusal with the next free slots of all measurers within a week."""
        self.ensure_one()
        visit = self.with_env(self.env)
        values = {**visit._prepare_slot_values(), "id": visit._origin.id}
        values.update(window_start=False, window_stop=False)
        until = visit.start + timedelta(days=7)
        slots = self.env["crm.measurer"]._find_slots(values, visit.start, until, 3)
        if not slots:
            return refusal
        lines = [
            f"{slot['measurer'].sudo().name}: {visit._format_local(slot['start'])}"
            for slot in slots
        ]
        free = self.env._("Free are:")
        return "\n".join([refusal, free, *lines])

    def _defer_overlap_guard(self):
        """Let the database wait with the overlap guard until the moved visits are checked."""
        self.flush_model()
        self.env.cr.execute("SET CONSTRAINTS crm_visit_measurer_overlap DEFERRED")

    def _apply_overlap_guard(self):
        """Let the database check what was moved now, while its error is still translated."""
        self.flush_model()
        self.env.cr.execute("SET CONSTRAINTS crm_visit_measurer_overlap IMMEDIATE")
