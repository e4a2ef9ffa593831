from collections import defaultdict
from datetime import datetime, time, timedelta

import pytz

from odoo import fields, models
from odoo.tools import format_date

#: How many days the screen shows at once.
DAYS_SHOWN = 7
#: How many days beyond the asked range the nearest slots are sought, one after the other.
NEAREST_DAYS = (7, 21, 60)
#: How many slots are read out to the customer.
SUGGESTIONS = 3
#: The minutes of travel that the firm spends to spare the customer a day of waiting.
DAY_OF_WAITING = 15
#: The parts of a day, and the hour of the site's clock at which each begins.
DAY_PARTS = {"morning": 0, "afternoon": 12, "evening": 17}
#: The hours of the site's clock at which measurers are asked why they cannot come that day.
PROBED_HOURS = (10, 15)


class CrmVisitBooking(models.TransientModel):
    """What the booking screen proposes, as plain data for the web client."""

    _inherit = "crm.visit.booking"

    def get_slots(self, values, measurer_id=False, part=False, week=0):
        """Return the free slots for what stands on the screen.

        A slot is a dict: ``start`` (UTC, as text), ``measurer`` (``id`` and ``display_name``),
        ``day``, ``time`` and ``reason`` in words, ``part``, ``travel`` in minutes. Of the slots
        that begin at one moment the one with the least travel is shown.

        :param dict values: the fields of the screen, without those of self that did not change
        :param int measurer_id: only this measurer
        :param str part: only this part of the day, a key of ``DAY_PARTS``
        :param int week: the range of seven days to show, 0 for the first
        :return: a dict: ``suggestions``, the best slots; ``days``, all by day and part of day;
            ``nearest``, slots outside the filters where there is none within; ``range`` in words;
            ``city``, whose clock is shown, where the reader's differs; ``measurers``, to filter by
        :raise AccessError: for a user who may book no visits
        """
        booking = self._from_screen(values)
        earliest, latest = booking._get_range(week)
        measurers = booking._get_measurers()
        slots = booking._find_slots(
            earliest, latest, measurers.filtered(lambda m: m.id == measurer_id), part
        )
        first, last = (booking._to_wall_time(moment).date() for moment in (earliest, latest))
        return {
            "suggestions": booking._describe_slots(booking._get_best(slots)),
            "days": booking._group_by_day(slots, first, last),
            "nearest": []
            if slots
            else booking._describe_slots(booking._find_nearest(earliest, latest)),
            "range": booking._format_range(earliest, latest),
            "city": booking.visit_id._get_clock_city(booking.tz, earliest),
            "measurers": [{"id": m.id, "name": m.name} for m in measurers],
            "has_next": not booking.latest or latest < booking.latest,
        }

    def get_reasons(self, values, start=False, week=0):
        """Return why measurers cannot come, for the screen.

        :param dict values: the fields of the screen, without those of self that did not change
        :param str start: the moment asked about, UTC; without it the range of the week
        :return: a dict: ``time``, the moment or range in words, and ``reasons``, sentences
        :raise AccessError: for a user who may book no visits
        """
        booking = self._from_screen(values)
        if start:
            moment = fields.Datetime.to_datetime(start)
            time_text = booking._as_visit()._format_local(moment)
            reasons = [words for _code, words in booking._explain(moment).values()]
        else:
            earliest, latest = booking._get_range(week)
            time_text = booking._format_range(earliest, latest)
            reasons = booking._explain_range(earliest, latest)
        return {"time": time_text, "reasons": reasons}

    def _from_screen(self, values):
        """Return the record that the web client shows, not saved."""
        self.check_access("create")
        booking = self.new(values, origin=self)
        booking.lead_id.check_access("read")
        booking.visit_id.check_access("write")
        return booking

    # ------------------------------------------------------------------
    # Asking for slots
    # ------------------------------------------------------------------

    def _prepare_slot_values(self):
        """Return the values of the visit for which a place in the measurers' days is sought."""
        self.ensure_one()
        names = "duration latitude longitude zip city tz urgent".split()
        values = {
            **{name: self[name] for name in names},
            "company_id": self.company_id.id,
            "type_id": self.type_id.id,
            "country_id": self.country_id.id,
        }
        return {**values, "id": self.visit_id.id} if self.visit_id else values

    def _get_measurers(self):
        """Return the measurers of the visit's company."""
        return self.env["crm.measurer"].search([("company_id", "in", (False, self.company_id.id))])

    def _find_slots(self, earliest, latest, measurers=None, part=False):
        """Return the free slots within a range, of each moment the one with the least travel."""
        found = (measurers or self.env["crm.measurer"])._find_slots(
            self._prepare_slot_values(), earliest, latest
        )
        slots = {}
        for slot in found:
            if not part or self._get_part(slot["start"]) == part:
                slots.setdefault(slot["start"], slot)
        return list(slots.values())

    def _get_range(self, week):
        """Return the first and last moment (UTC) of a range of seven days at the site.

        The first range begins today, or when the customer can at the earliest.
        """
        now = fields.Datetime.now()
        begin = max(now, self.earliest or now)
        day = self._to_wall_time(begin).date() + timedelta(days=week * DAYS_SHOWN)
        earliest = max(begin, self._get_midnight(day))
        latest = self._get_midnight(day + timedelta(days=DAYS_SHOWN)) - timedelta(seconds=1)
        return earliest, max(earliest, min(latest, self.latest or latest))

    def _find_nearest(self, earliest, latest):
        """Return the free slots nearest to a range, in order, whoever comes."""
        now = fields.Datetime.now()

        def get_distance(slot):
            gap = max(earliest - slot["start"], slot["start"] - latest, timedelta())
            return gap, slot["travel_minutes"], slot["start"]

        for days in NEAREST_DAYS:
            margin = timedelta(days=days)
            slots = self._find_slots(max(now, earliest - margin), latest + margin)
            if len(slots) >= SUGGESTIONS:
                break
        return sorted(sorted(slots, key=get_distance)[:SUGGESTIONS], key=lambda s: s["start"])

    def _get_best(self, slots):
        """Return the slots to read out, in order: little travel and soon, one per part of a day."""
        first = min((slot["start"] for slot in slots), default=None)
        best = {}

        def get_cost(slot):
            return (
                slot["travel_minutes"] + (slot["start"] - first).days * DAY_OF_WAITING,
                slot["start"],
            )

        for slot in sorted(slots, key=get_cost):
            start = slot["start"]
            best.setdefault((self._to_wall_time(start).date(), self._get_part(start)), slot)
        return sorted(list(best.values())[:SUGGESTIONS], key=lambda slot: slot["start"])

    def _explain(self, start, measurers=None):
        """Return code and words for each measurer who cannot take the visit at ``start``."""
        return (measurers or self._get_measurers())._explain_unavailable(
            self._prepare_slot_values(), start, start + timedelta(hours=self.duration)
        )

    def _get_conflict(self):
        """Return why the visit should not take place as chosen: code and words, or empty texts.

        The codes are those of ``crm.measurer._explain_unavailable``, and ``clock`` for a time
        that is no moment.
        """
        self.ensure_one()
        if problem := self._get_time_problem():
            return "clock", problem
        measurer = self.measurer_id._origin
        if not self.start or not measurer or self.duration <= 0:
            return "", ""
        return self._explain(self.start, measurer).get(measurer, ("", ""))

    def _explain_range(self, earliest, latest):
        """Return why the measurers cannot come on the days of a range, a sentence for each.

        Each is asked about the middle of the mornings and afternoons. Of several reasons the most
        frequent is told; not to work at that time is told only where there is no other.
        """
        measurers, values = self._get_measurers(), self._prepare_slot_values()
        days = measurers._load_days(self.company_id, earliest, latest)
        length = timedelta(hours=self.duration)
        first, last = (self._to_wall_time(moment).date() for moment in (earliest, latest))
        moments = [
            self._get_midnight(first + timedelta(days=offset)) + timedelta(hours=hour)
            for offset in range((last - first).days + 1)
            for hour in PROBED_HOURS
        ]
        sentences = []
        for measurer in measurers:
            reasons = defaultdict(list)
            for moment in moments:
                if earliest <= moment <= latest - length:
                    reason = days.explain(values, measurer, moment, moment + length)
                    code, words = reason or ("", "")
                    reasons[code].append(words)
            reasons.pop("", None)
            if reasons:
                code = max(reasons, key=lambda code: (code != "hours", len(reasons[code])))
                sentences.append(reasons[code][0])
        return sentences

    def _get_queue_reason(self):
        """Return why the request waits: who is not free, or that its manager put it there."""
        earliest, latest = self._get_range(0)
        if self._find_slots(earliest, latest):
            return self.env._("Put in the queue by %(user)s.", user=self.env.user.name)
        nobody = self.env._(
            "Nobody is free: %(range)s.", range=self._format_range(earliest, latest)
        )
        return "\n".join([nobody, *self._explain_range(earliest, latest)])

    # ------------------------------------------------------------------
    # Words
    # ------------------------------------------------------------------

    def _group_by_day(self, slots, first, last):
        """Return all days from ``first`` to ``last`` with their slots by part of day."""
        days = {}
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            days[day] = {"label": self._format_day(day), "parts": {part: [] for part in DAY_PARTS}}
        for slot, described in zip(slots, self._describe_slots(slots), strict=True):
            day = self._to_wall_time(slot["start"]).date()
            days[day]["parts"][described["part"]].append(described)
        return list(days.values())

    def _describe_slots(self, slots):
        """Return slots as the screen shows them."""
        return [
            {
                "start": fields.Datetime.to_string(slot["start"]),
                "measurer": {
                    "id": slot["measurer"].id,
                    "display_name": slot["measurer"].name,
                },
                "day": self._format_day(self._to_wall_time(slot["start"]).date()),
                "time": self._format_time(slot["start"]),
                "part": self._get_part(slot["start"]),
                "travel": max(slot["travel_minutes"], 0),
                "reason": slot["reason"],
            }
            for slot in slots
        ]

    def _format_day(self, day):
        """Return the day in the reader's language: "Tue 24 Nov"."""
        return format_date(self.env, day, date_format="EEE d MMM")

    def _format_range(self, earliest, latest):
        """Return the days from one moment to another: "Tue 24 Nov – Mon 30 Nov"."""
        return " – ".join(
            self._format_day(self._to_wall_time(moment).date()) for moment in (earliest, latest)
        )

    def _format_time(self, start):
        """Return the wall time at the site, as the customer is told it: "10:00–12:00"."""
        moments = [start]
        if self.window_hours:
            moments.append(start + timedelta(hours=int(self.window_hours)))
        text = "–".join(f"{self._to_wall_time(moment):%H:%M}" for moment in moments)
        return f"{text} {self._to_wall_time(start):%Z}" if self._is_struck_twice(start) else text

    def _is_struck_twice(self, moment):
        """Return whether the site's clock shows this moment's time a second time that night."""
        wall_time = self._to_wall_time(moment).replace(tzinfo=None)
        return len(self.visit_id._get_local_choices(wall_time, self.tz)) > 1

    def _get_part(self, start):
        """Return the part of the day, a key of ``DAY_PARTS``, in which a moment lies."""
        hour = self._to_wall_time(start).hour
        return [part for part, begin in DAY_PARTS.items() if begin <= hour][-1]

    def _to_wall_time(self, moment):
        """Return a UTC moment on the site's clock."""
        return pytz.utc.localize(moment).astimezone(self._get_zone())

    def _get_midnight(self, day):
        """Return the moment (UTC) at which a day begins at the site."""
        midnight = self._get_zone().localize(datetime.combine(day, time.min))
        return midnight.astimezone(pytz.utc).replace(tzinfo=None)
