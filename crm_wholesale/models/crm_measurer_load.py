from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..tools.intervals import merge
from ..tools.schedule import Stop
from ..tools.travel import Place
from ..tools.walltime import to_datetime, to_moment
from .crm_visit import OCCUPYING_STATES

#: Weekly hours where no calendar says any: Monday to Friday, 9:00 to 18:00, as
#: (weekday, week type or False, first minute of the day, last minute).
DEFAULT_HOURS = [(weekday, False, 9 * 60, 18 * 60) for weekday in range(5)]
#: A visit that takes no time any more still tells where the measurer was, and fills the day.
PAST_STATES = ("done", "no_show")


class CrmMeasurer(models.Model):
    """What takes a measurer's time, read for many at once: each method makes the same number of
    queries whatever the number of measurers and visits. Moments are seconds since 1970.
    """

    _inherit = "crm.measurer"

    def _load_refusals(self, company):
        """Return a dict from the id of each measurer who cannot be sent at all to the code why."""
        group = "crm_wholesale.crm_wholesale_group_measurer"
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(group)
        domain = [("id", "in", self.user_id.ids), ("all_group_ids", "in", [group_id])]
        users = self.env["res.users"].search(domain)
        refusals = {}
        for measurer in self:
            if not measurer.active:
                refusals[measurer.id] = "archived"
            elif measurer.user_id not in users:
                refusals[measurer.id] = "no_login"
            elif measurer.company_id and measurer.company_id != company:
                refusals[measurer.id] = "company"
        return refusals

    def _load_hours(self, company, clocks):
        """Return a dict from measurer id to working hours: pairs of moments, breaks left out.

        Without a calendar, or with a flexible one, a measurer goes when the company works.

        :param dict clocks: :class:`WallDays` of each measurer
        """
        patterns = self._load_patterns(self.resource_calendar_id | company.resource_calendar_id)
        fallback = patterns.get(company.resource_calendar_id.id) or DEFAULT_HOURS
        hours, expanded = {}, {}
        for measurer in self:
            clock = clocks[measurer]
            key = measurer.resource_calendar_id.id, clock
            if key not in expanded:
                expanded[key] = self._expand_pattern(patterns.get(key[0], fallback), clock)
            hours[measurer.id] = expanded[key]
        return hours

    def _load_patterns(self, calendars):
        """Return the weekly hours of calendars that have fixed ones.

        :return: dict from calendar id to a list of (weekday, week type or False, first minute of
            the day, last minute)
        """
        fixed = calendars.filtered(lambda calendar: not calendar.flexible_hours)
        attendances = self.env["resource.calendar.attendance"].search_fetch(
            [
                ("calendar_id", "in", fixed.ids),
                ("display_type", "=", False),
                ("day_period", "!=", "lunch"),
            ],
            ["calendar_id", "dayofweek", "week_type", "hour_from", "hour_to"],
        )
        patterns = {calendar.id: [] for calendar in fixed}
        for attendance in attendances:
            calendar = attendance.calendar_id
            week_type = calendar.two_weeks_calendar and int(attendance.week_type)
            minutes = round(attendance.hour_from * 60), round(attendance.hour_to * 60)
            patterns[calendar.id].append((int(attendance.dayofweek), week_type, *minutes))
        return patterns

    def _expand_pattern(self, pattern, clock):
        """Return the intervals of weekly hours on the days of a :class:`WallDays`."""
        get_week_type = self.env["resource.calendar.attendance"].get_week_type
        intervals = []
        for day, date in enumerate(clock.dates):
            for weekday, week_type, first, last in pattern:
                if weekday != date.weekday():
                    continue
                if week_type is not False and week_type != get_week_type(date):
                    continue
                intervals.append((clock.get_moment(day, first), clock.get_moment(day, last)))
        return merge(intervals)

    def _load_leaves(self, start, stop):
        """Return a dict from measurer id to the days off between two moments, own and public."""
        leaves = self.env["resource.calendar.leaves"].search_fetch(
            [
                ("time_type", "=", "leave"),
                ("resource_id", "in", [False, *self.resource_id.ids]),
                ("date_from", "<", to_datetime(stop)),
                ("date_to", ">", to_datetime(start)),
            ],
            ["resource_id", "calendar_id", "company_id", "date_from", "date_to"],
        )
        own, public = defaultdict(list), defaultdict(list)
        for leave in leaves:
            interval = to_moment(leave.date_from), to_moment(leave.date_to)
            if leave.resource_id:
                own[leave.resource_id.id].append(interval)
            else:
                public[leave.company_id.id, leave.calendar_id.id].append(interval)
        result = {}
        for measurer in self:
            company, calendar = measurer.company_id.id, measurer.resource_calendar_id.id
            general = public[company, False] + (public[company, calendar] if calendar else [])
            result[measurer.id] = own[measurer.resource_id.id] + general
        return result

    def _load_events(self, clocks, start, stop):
        """Return a dict from measurer id to other busy appointments between two moments.

        Declined ones and the calendar's faces of visits are left out. An event of whole days
        takes them on the measurer's clock.
        """
        for model in ("calendar.event", "calendar.attendee", "crm.visit"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT who.res_partner_id, event.allday, event.start_date, event.stop_date,
                       extract(epoch FROM event.start)::bigint,
                       extract(epoch FROM event.stop)::bigint
                  FROM calendar_event event
                  JOIN calendar_event_res_partner_rel who ON who.calendar_event_id = event.id
             LEFT JOIN calendar_attendee attendee
                    ON attendee.event_id = event.id AND attendee.partner_id = who.res_partner_id
                 WHERE event.active AND event.show_as = 'busy'
                   AND event.start < %(stop)s AND event.stop > %(start)s
                   AND who.res_partner_id = ANY(%(partners)s)
                   AND attendee.state IS DISTINCT FROM 'declined'
                   AND NOT EXISTS (SELECT FROM crm_visit visit WHERE visit.event_id = event.id)
                """,
                partners=self.user_id.partner_id.ids,
                start=to_datetime(start) - timedelta(days=1),
                stop=to_datetime(stop) + timedelta(days=1),
            )
        )
        events_by_partner = defaultdict(list)
        for partner_id, *event in rows:
            events_by_partner[partner_id].append(event)
        result = {}
        for measurer in self:
            clock, intervals = clocks[measurer], []
            for whole, first, last, begin, end in events_by_partner[measurer.user_id.partner_id.id]:
                if whole and first and last:
                    begin, end = clock.get_span(first, last)
                intervals.append((begin, end))
            result[measurer.id] = intervals
        return result

    def _load_stops(self, start, stop, ignored_ids):
        """Return a dict from measurer id to the visits between two moments, without some."""
        self.env["crm.visit"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT measurer_id, id, name, coalesce(urgent, false), zip, city,
                       latitude::float8, longitude::float8, extract(epoch FROM start)::bigint,
                       extract(epoch FROM CASE state
                           WHEN 'done' THEN greatest(start, least(stop, done_at))
                           WHEN 'no_show' THEN start
                           ELSE stop END)::bigint
                  FROM crm_visit
                 WHERE measurer_id = ANY(%(measurers)s) AND state = ANY(%(states)s)
                   AND start < %(stop)s AND stop > %(start)s
                   AND id != ALL(%(ignored)s)
                """,
                measurers=self.ids,
                states=[*OCCUPYING_STATES, *PAST_STATES],
                start=to_datetime(start),
                stop=to_datetime(stop),
                ignored=ignored_ids,
            )
        )
        stops = defaultdict(list)
        for measurer_id, key, name, urgent, code, city, latitude, longitude, begin, end in rows:
            place = Place(latitude or 0.0, longitude or 0.0, code, city)
            stops[measurer_id].append(Stop(begin, end, key, place, urgent, name))
        return stops
