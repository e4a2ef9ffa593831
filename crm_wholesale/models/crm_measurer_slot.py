from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_time

from ..tools.schedule import Request, Schedule, Tour, choose_spread
from ..tools.travel import Place, Travel, get_distance
from ..tools.walltime import WallDays, to_datetime, to_moment


class CrmMeasurer(models.Model):
    _inherit = "crm.measurer"

    def _find_slots(self, visit_values, earliest, latest, limit=None):
        """Return when these measurers, or any of the visit's company, can make a visit.

        In every gap of every measurer's day: the first start possible on a quarter of an hour of
        the site's clock, and after it every full hour. Hours, days off and other appointments are
        read with sudo and never named. The number of queries is constant.

        :param dict visit_values: by the names of the visit's fields: ``type_id``, ``company_id``,
            ``duration`` (hours; else the type's), ``latitude``, ``longitude``, ``zip``, ``city``,
            ``tz``, ``urgent``, ``window_start`` and ``window_stop`` (the start lies between them),
            ``id`` (a visit whose own present place counts as free)
        :param datetime earliest: the visit starts then or later, in UTC
        :param datetime latest: the visit has ended by then, in UTC
        :param int limit: at most so many, spread over days and parts of day, soonest first
        :return: list of dicts sorted by start, then travel: ``measurer``, ``start`` and ``stop``
            (UTC), ``travel_minutes`` (what the visit adds to the ways of that day) and ``reason``
            (why this place, in words)
        """
        visit_type = self.env["crm.visit.type"].sudo().browse(visit_values.get("type_id"))
        horizon = fields.Datetime.now() + timedelta(days=visit_type.horizon_days + 1)
        days = self._load_days_for(visit_values, earliest, min(latest, horizon))
        return days.find_slots(visit_values, earliest, latest, limit)

    def _explain_unavailable(self, visit_values, start, stop):
        """Return why measurers cannot make a visit at this very time.

        :param dict visit_values: as for :meth:`_find_slots`
        :return: dict from measurer to (code, sentence) for each of these measurers, or of those
            of the visit's company, that cannot; codes are ``archived``, ``no_login``,
            ``company``, ``skill``, ``zone``, ``notice``, ``horizon``, ``hours``, ``leave``,
            ``busy`` (another visit), ``event`` (another appointment), ``travel`` and ``capacity``
        """
        days = self._load_days_for(visit_values, start, stop)
        reasons = {m: days.explain(visit_values, m, start, stop) for m in days.measurers}
        return {measurer: reason for measurer, reason in reasons.items() if reason}

    @api.model
    def _get_travel_function(self, company):
        """Return a function of two (latitude, longitude) pairs that returns minutes of driving.

        Override to ask a routing service. This one takes the great circle, made longer by the
        company's factor, at the company's speed.
        """
        pace = company.visit_travel_factor * 60 / company.visit_travel_speed

        def drive(origin, destination):
            return get_distance(origin, destination) * pace

        return drive

    @api.model
    def _get_travel_minutes(self, origin, destination):
        """Return the minutes of driving between two (latitude, longitude) pairs, as a number."""
        return self._get_travel_function(self.env.company)(origin, destination)

    def _get_start_place(self):
        """Return where this measurer's working day begins, or None where nobody has said."""
        self.ensure_one()
        home_sudo = self.sudo().start_address_id  # a measurer reads few partners
        if not home_sudo:
            return None
        return Place(
            home_sudo.partner_latitude, home_sudo.partner_longitude, home_sudo.zip, home_sudo.city
        )

    def _load_days_for(self, visit_values, earliest, latest):
        """Return the :class:`LoadedDays` for one visit, whose own present place is free."""
        company = self.env["res.company"].browse(visit_values.get("company_id"))
        ignored_ids = [visit_values["id"]] if visit_values.get("id") else []
        return self._load_days(company or self.env.company, earliest, latest, ignored_ids)

    def _load_days(self, company, earliest, latest, ignored_ids=()):
        """Load the days of these measurers, or of all of a company, for any number of questions.

        :param datetime earliest: in UTC, as ``latest``; what is asked later lies between them
        :param ignored_ids: ids of visits whose present places count as free
        :return: :class:`LoadedDays`
        """
        measurers = self
        if not measurers:  # also for somebody who may not read measurers, such as a customer
            domain = [("company_id", "in", (False, company.id))]
            measurers = self.sudo().search(domain).with_env(self.env)
        return LoadedDays(measurers, company, earliest, latest, list(ignored_ids))


class LoadedDays:
    """The days of several measurers, loaded once; asking and filling them makes no query.

    Made by ``crm.measurer._load_days``. ``visit_values`` are those of
    ``crm.measurer._find_slots`` everywhere, datetimes are UTC; the type of a visit is read from
    the cache where it is there. Whoever places many visits one after another asks ``schedule``
    itself, in seconds since 1970 and without words::

        days = self.env["crm.measurer"]._load_days(company, earliest, latest)
        for visit in visits:
            request = days.prepare_request(visit._prepare_slot_values())
            placements = days.schedule.find(request, first, last, every_hour=False)
            best = min(placements, key=...)
            days.schedule.insert(best.measurer, request, best.start)
    """

    def __init__(self, measurers, company, earliest, latest, ignored_ids):
        self.env = measurers.env
        self.measurers = measurers
        # Hours, days off and appointments are nobody's to read but everybody's to respect.
        measurers_sudo = measurers.sudo()
        self._company_sudo = company.sudo()
        self._span = to_moment(earliest), to_moment(latest)
        self._clocks = {}
        self._territories = {zone.id: zone._get_territory() for zone in measurers_sudo.zone_ids}
        self._zones = {}
        travel = Travel(
            measurers_sudo._get_travel_function(self._company_sudo),
            self._get_zones,
            self._company_sudo.visit_travel_near,
            self._company_sudo.visit_travel_far,
        )
        tours = self._make_tours(measurers_sudo, ignored_ids)
        self.schedule = Schedule(tours, travel, self._company_sudo.visit_travel_buffer)

    def _make_tours(self, measurers_sudo, ignored_ids):
        clocks = {measurer: self._get_clock(measurer.resource_id.tz) for measurer in measurers_sudo}
        start = min((clock.midnights[0] for clock in clocks.values()), default=0)
        stop = max((clock.midnights[-1] for clock in clocks.values()), default=0)
        refusals = measurers_sudo._load_refusals(self._company_sudo)
        hours = measurers_sudo._load_hours(self._company_sudo, clocks)
        leaves = measurers_sudo._load_leaves(start, stop)
        events = measurers_sudo._load_events(clocks, start, stop)
        stops = measurers_sudo._load_stops(start, stop, ignored_ids)
        tours = []
        for measurer in measurers_sudo:
            tour = Tour(
                measurer.id,
                clocks[measurer],
                hours[measurer.id],
                leaves[measurer.id],
                events[measurer.id],
                home=measurer._get_start_place(),
                skills=frozenset(measurer.skill_ids.ids),
                zones=frozenset(measurer.zone_ids.ids) if measurer.zone_ids else None,
                per_day=measurer.visits_per_day,
                per_half_day=measurer.visits_per_half_day,
                urgent_reserve=measurer.urgent_reserve,
                refusal=refusals.get(measurer.id),
            )
            tour.add(stops[measurer.id])
            tours.append(tour)
        return tours

    def _get_clock(self, name):
        if name not in self._clocks:
            self._clocks[name] = WallDays(name, *self._span)
        return self._clocks[name]

    def _get_zones(self, place):
        """Return the ids of the measurers' zones in which a place lies."""
        key = place.zip, place.city, place.point
        if key not in self._zones:
            self._zones[key] = frozenset(
                zone_id
                for zone_id, territory in self._territories.items()
                if territory.contains(place)
            )
        return self._zones[key]

    # --- Asking ---

    def find_slots(self, visit_values, earliest, latest, limit=None):
        """Return slots as ``crm.measurer._find_slots`` does."""
        request = self.prepare_request(visit_values)
        gaps = self.schedule.find_gaps(request, *self._get_bounds(visit_values, earliest, latest))
        placements = choose_spread(gaps, request, limit)
        return [self._describe(request, placement) for placement in placements]

    def _get_bounds(self, visit_values, earliest, latest):
        """Return first moment, last moment, and the arrival window as a pair or None."""
        window = visit_values.get("window_start"), visit_values.get("window_stop")
        starts = [to_moment(fields.Datetime.to_datetime(moment)) for moment in window if moment]
        return to_moment(earliest), to_moment(latest), starts if len(starts) == 2 else None

    def explain(self, visit_values, measurer, start, stop):
        """Return (code, sentence) of why a measurer cannot come at this time, or None.

        See ``crm.measurer._explain_unavailable`` for the codes.
        """
        request = self.prepare_request(visit_values, stop - start)
        verdict = self.schedule.get_verdict(measurer.id, request, to_moment(start))
        return verdict and (verdict.code, self._get_words(visit_values, measurer, verdict))

    def get_work(self, measurer):
        """Return when a measurer works: pairs of UTC datetimes without breaks, days off, events."""
        tour = self.schedule.tours[measurer.id]
        return [(to_datetime(start), to_datetime(stop)) for start, stop in tour.work]

    def get_travel_minutes(self, visit, other):
        """Return the minutes on the way from one visit to another, without the buffer."""
        places = (Place(v.latitude, v.longitude, v.zip, v.city) for v in (visit, other))
        return self.schedule.travel.get_minutes(*places)

    # --- Filling ---

    def insert(self, visit_values, measurer, start):
        """Put a visit into the measurer's days; what is asked afterwards takes it for booked."""
        self.schedule.insert(measurer.id, self.prepare_request(visit_values), to_moment(start))

    # --- Words ---

    def prepare_request(self, values, length=None):
        """Return the :class:`Request` of a visit's values.

        :param timedelta length: how long it takes, else as the values or the type say
        """
        visit_type = self.env["crm.visit.type"].sudo().browse(values.get("type_id"))
        length = length or timedelta(hours=values.get("duration") or visit_type.duration)
        clock = self._get_clock(values.get("tz") or self._get_default_tz())
        now = fields.Datetime.now()
        place = Place(
            values.get("latitude"), values.get("longitude"), values.get("zip"), values.get("city")
        )
        return Request(
            place,
            round(length.total_seconds()),
            clock,
            skills=frozenset(visit_type.skill_ids.ids),
            zones=self._get_zones(place),
            urgent=bool(values.get("urgent")),
            opens=to_moment(now + timedelta(hours=visit_type.notice_hours)),
            closes=to_moment(now + timedelta(days=visit_type.horizon_days)),
            key=values.get("id"),
            label=values.get("name") or "",
        )

    def _describe(self, request, placement):
        return {
            "measurer": self.measurers.browse(placement.measurer),
            "start": to_datetime(placement.start),
            "stop": to_datetime(placement.stop),
            "travel_minutes": placement.travel,
            "reason": self._get_reason(request, placement),
        }

    def _get_reason(self, request, placement):
        """Return why a placement is good, in words."""
        before, after = placement.before, placement.after
        names = {"before": before and before.label, "after": after and after.label}
        if before and after:
            where = self.env._("between %(before)s and %(after)s", **names)
        elif before:
            where = self.env._("after %(before)s", before=before.label)
        elif after:
            where = self.env._("before %(after)s", after=after.label)
        else:
            where = self.env._("the only visit of the day")
        home = self.schedule.tours[placement.measurer].home
        places = [stop.place for stop in (before, after) if stop] or [home]
        distances = [
            get_distance(place.point, request.place.point)
            for place in places
            if place and place.point and request.place.point
        ]
        if not distances:
            return self.env._(
                "adds %(minutes)s min: %(where)s", minutes=max(placement.travel, 0), where=where
            )
        return self.env._(
            "adds %(minutes)s min: %(where)s, %(distance).1f km away",
            minutes=max(placement.travel, 0),
            where=where,
            distance=min(distances),
        )

    def _get_words(self, values, measurer, verdict):
        """Return a verdict as a sentence; it names no day off and no appointment."""
        name, other = measurer.sudo().name, verdict.stop
        tz = values.get("tz") or self._get_default_tz()
        match verdict.code:
            case "archived":
                return self.env._("%(measurer)s is archived and goes nowhere.", measurer=name)
            case "no_login":
                return self.env._(
                    "%(measurer)s has no login with the role “Measurer”.", measurer=name
                )
            case "company":
                return self.env._("%(measurer)s works for another company.", measurer=name)
            case "skill":
                return self.env._(
                    "%(measurer)s lacks a skill that this visit needs.", measurer=name
                )
            case "zone":
                return self.env._("%(measurer)s does not go to this address.", measurer=name)
            case "notice":
                return self.env._("That is too soon: visits of this type are booked earlier.")
            case "horizon":
                return self.env._("That is too far ahead for visits of this type.")
            case "hours":
                return self.env._("%(measurer)s does not work at that time.", measurer=name)
            case "leave":
                return self.env._("%(measurer)s is away at that time.", measurer=name)
            case "event":
                return self.env._(
                    "%(measurer)s has another appointment at that time.", measurer=name
                )
            case "busy":
                return self.env._(
                    "%(measurer)s has visit %(visit)s from %(start)s to %(stop)s.",
                    measurer=name,
                    visit=other.label,
                    start=self._format_time(other.start, tz),
                    stop=self._format_time(other.stop, tz),
                )
            case "travel":
                return self.env._(
                    "%(measurer)s has %(available)s min for the way from or to %(visit)s "
                    "and needs %(needed)s.",
                    measurer=name,
                    visit=other.label,
                    available=verdict.available,
                    needed=verdict.needed,
                )
            case "capacity":
                return self.env._(
                    "%(measurer)s has no place left for this visit: %(count)s that day already.",
                    measurer=name,
                    count=verdict.available,
                )

    def _format_time(self, moment, tz):
        return format_time(self.env, to_datetime(moment), tz=tz, time_format="HH:mm")

    def _get_default_tz(self):
        return self._company_sudo.resource_calendar_id.tz or "UTC"
