from datetime import date, datetime, timedelta

import pytz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..tools import intervals
from ..tools.schedule import Request, Schedule, Stop, Tour, choose_spread, get_starts
from ..tools.territory import Territory
from ..tools.travel import Place, Travel, get_distance
from ..tools.walltime import WallDays, to_datetime

KYIV = "Europe/Kyiv"
CENTRE, STATION = (50.4501, 30.5234), (50.4405, 30.4885)
#: The last Sundays of October and March, when clocks in Kyiv change, and a plain Monday.
DAYS = {"plain": date(2026, 11, 23), "overlap": date(2026, 10, 25), "gap": date(2027, 3, 28)}


def at(day, hour, minute=0, zone=KYIV):
    """Return the moment of a wall time."""
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)
    return int(pytz.timezone(zone).localize(wall).timestamp())


def wall_of(moment, zone=KYIV):
    return datetime.fromtimestamp(moment, pytz.timezone(zone)).replace(tzinfo=None)


class TestIntervals(BaseCase):
    def test_merge(self):
        self.assertEqual(
            intervals.merge([(5, 6), (1, 3), (3, 4), (2, 3), (9, 9)]), [(1, 4), (5, 6)]
        )

    def test_touching_is_no_overlap(self):
        self.assertFalse(intervals.overlaps([(1, 3), (5, 7)], 3, 5))
        self.assertTrue(intervals.overlaps([(1, 3), (5, 7)], 3, 6))
        self.assertTrue(intervals.overlaps([(1, 9)], 3, 4))

    @given(
        *[st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)))] * 2,
        st.integers(0, 30),
        st.integers(1, 10),
    )
    @settings(max_examples=200, deadline=None)
    def test_like_sets_of_points(self, some, others, start, length):
        """Intervals behave like the sets of whole numbers in them."""

        def points(pairs):
            return {point for low, high in pairs for point in range(low, high)}

        merged, holes = intervals.merge(some), intervals.merge(others)
        asked = set(range(start, start + length))
        self.assertEqual(points(merged), points(some))
        self.assertEqual(points(intervals.subtract(merged, holes)), points(some) - points(others))
        self.assertEqual(intervals.covers(merged, start, start + length), asked <= points(some))
        self.assertEqual(
            intervals.overlaps(merged, start, start + length), bool(asked & points(some))
        )


class TestWallDays(BaseCase):
    def _get_days(self, day, zone=KYIV):
        return WallDays(zone, at(day, 12, zone=zone), at(day, 12, zone=zone))

    def test_length_of_days(self):
        for name, hours in {"plain": 24, "overlap": 25, "gap": 23}.items():
            days = self._get_days(DAYS[name])
            self.assertEqual(days.dates[1], DAYS[name])
            self.assertEqual((days.midnights[2] - days.midnights[1]) / 3600, hours, name)

    def test_wall_times_survive_a_change_of_clocks(self):
        for zone in (KYIV, "America/New_York", "Australia/Lord_Howe"):
            for day in (*DAYS.values(), date(2026, 11, 1), date(2026, 10, 4)):
                days = self._get_days(day, zone)
                for hour in (0, 9, 12, 23):
                    moment = days.get_moment(1, hour * 60 + 15)
                    self.assertEqual(
                        wall_of(moment, zone), datetime(*day.timetuple()[:3], hour, 15)
                    )
                    self.assertEqual(days.get_day(moment), 1)
                    self.assertEqual(
                        to_datetime(moment + days.get_offset(moment)), wall_of(moment, zone)
                    )
                self.assertEqual(wall_of(days.noons[1], zone).hour, 12)

    def test_midnight_belongs_to_the_day_that_begins(self):
        days = self._get_days(DAYS["plain"])
        midnight = at(DAYS["plain"], 0)
        self.assertEqual(days.get_day(midnight), 1)
        self.assertEqual(days.get_day(midnight - 1), 0)
        self.assertEqual(days.get_moment(0, 1440), midnight)

    def test_hours_and_quarters_of_a_clock_beside_the_hour(self):
        for zone in (KYIV, "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"):
            for day in DAYS.values():
                days = self._get_days(day, zone)
                self.assertEqual({wall_of(moment, zone).minute for moment in days.hours}, {0})
                self.assertEqual(
                    {wall_of(moment, zone).minute for moment in days.quarters}, {0, 15, 30, 45}
                )

    def test_span_of_whole_days(self):
        days = self._get_days(DAYS["gap"])
        day = DAYS["gap"]
        self.assertEqual(days.get_span(day, day), (at(day, 0), at(day + timedelta(days=1), 0)))
        self.assertEqual(
            days.get_span(date(2020, 1, 1), date(2030, 1, 1)),
            (days.midnights[0], days.midnights[-1]),
        )


class TestTravel(BaseCase):
    def _get_travel(self, zones=()):
        return Travel(lambda one, two: get_distance(one, two) * 3, lambda _p: set(zones), 20, 45)

    def test_distance(self):
        self.assertEqual(get_distance(CENTRE, CENTRE), 0)
        self.assertAlmostEqual(get_distance((50, 30), (51, 30)), 111.2, 1)
        self.assertAlmostEqual(get_distance((0, 179.5), (0, -179.5)), 111.2, 1)
        self.assertAlmostEqual(get_distance(CENTRE, STATION), get_distance(STATION, CENTRE))

    def test_minutes(self):
        site, station = Place(*CENTRE), Place(*STATION)
        travel = self._get_travel()
        self.assertEqual(travel.get_minutes(site, station), 9)
        self.assertEqual(travel.get_minutes(site, site), 0)

    def test_without_coordinates(self):
        travel = self._get_travel()
        kyiv, lviv = Place(city="Kyiv "), Place(city="Lviv")
        self.assertEqual(travel.get_minutes(kyiv, Place(city="kyiv")), 20)
        self.assertEqual(travel.get_minutes(Place(0, 0, "010 01"), Place(0, 0, "01001")), 20)
        self.assertEqual(travel.get_minutes(kyiv, lviv), 45)
        self.assertEqual(travel.get_minutes(kyiv, Place(*CENTRE)), 45)
        self.assertEqual(self._get_travel({1}).get_minutes(kyiv, lviv), 20)
        self.assertEqual(travel.get_minutes(None, kyiv), 20)
        self.assertEqual(travel.get_minutes(Place(), Place()), 45, "two unknown places")


class TestTerritory(BaseCase):
    def test_postcodes(self):
        territory = Territory("01001, 04*; 03000-03999\nSW1A 1AA, 00-950")
        for code in ("01001", "010 01", "04212", "04", "03000", "03999", "sw1a1aa", "00-950"):
            self.assertTrue(territory.contains(Place(0, 0, code)), code)
        for code in ("01002", "02999", "04000"[:1], "3500", "035001", "", "00"):
            self.assertFalse(territory.contains(Place(0, 0, code)), code)

    def test_what_is_no_postcode(self):
        for text in ("*", "04**", "-", "03999-03000", "01001,?", "04*5"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Territory(text)

    def test_cities(self):
        territory = Territory(cities="Brovary, Біла Церква")
        self.assertTrue(territory.contains(Place(0, 0, "", " біла церква")))
        self.assertFalse(territory.contains(Place(0, 0, "", "Kyiv")))
        self.assertFalse(territory.contains(Place()))

    def test_radius(self):
        distance = get_distance(CENTRE, STATION)
        self.assertTrue(Territory(point=CENTRE, radius=distance + 0.01).contains(Place(*STATION)))
        self.assertFalse(Territory(point=CENTRE, radius=distance - 0.01).contains(Place(*STATION)))
        self.assertFalse(Territory(point=CENTRE, radius=5).contains(Place(city="Kyiv")))
        self.assertFalse(Territory(point=CENTRE).contains(Place(*CENTRE)))

    def test_empty_territory_holds_nothing(self):
        self.assertFalse(Territory().contains(Place(*CENTRE, "01001", "Kyiv")))


class ScheduleCase(BaseCase):
    """One measurer, 9:00 to 12:00 and 13:00 to 18:00 on every day around a date."""

    def _get_clock(self, day, zone=KYIV, length=1):
        return WallDays(zone, at(day, 0, zone=zone), at(day + timedelta(days=length), 0, zone=zone))

    def _get_tour(self, day=DAYS["plain"], hours=((9, 12), (13, 18)), zone=KYIV, **values):
        clock = self._get_clock(day, zone)
        spans = [
            (clock.get_moment(number, low * 60), clock.get_moment(number, high * 60))
            for number in range(len(clock.dates))
            for low, high in hours
        ]
        values.setdefault("home", Place(*CENTRE))
        return Tour(1, clock, spans, **values)

    def _get_schedule(self, tour, buffer=10):
        travel = Travel(lambda one, two: get_distance(one, two) * 3, lambda _p: set(), 20, 45)
        return Schedule([tour], travel, buffer)

    def _get_request(self, tour, minutes=60, **values):
        values.setdefault("place", Place(*CENTRE))
        values.setdefault("clock", tour.days)
        return Request(length=minutes * 60, **values)

    def _get_stop(self, start, minutes=60, point=CENTRE, key=7, urgent=False):
        return Stop(start, start + minutes * 60, key, Place(*point), urgent, f"V{key}")

    def _find(self, schedule, request, day=DAYS["plain"], **values):
        found = schedule.find(request, at(day, 0), at(day + timedelta(days=1), 0), **values)
        return sorted(found)

    def _get_walls(self, placements, zone=KYIV):
        return [f"{wall_of(placement.start, zone):%H:%M}" for placement in placements]


class TestSchedule(ScheduleCase):
    def test_empty_day(self):
        tour = self._get_tour()
        found = self._find(self._get_schedule(tour), self._get_request(tour))
        self.assertEqual(
            self._get_walls(found),
            ["09:00", "10:00", "11:00", "13:00", "14:00", "15:00", "16:00", "17:00"],
        )

    def test_way_between_visits(self):
        """9 minutes and a buffer of 10 on both sides of the visit from 10:00 to 11:00."""
        day = DAYS["plain"]
        tour = self._get_tour()
        tour.add([self._get_stop(at(day, 10), point=STATION)])
        request = self._get_request(tour, minutes=30)
        found = self._find(self._get_schedule(tour), request)
        self.assertEqual(self._get_walls(found)[:3], ["09:00", "11:30", "13:00"])
        verdict = self._get_schedule(tour).get_verdict(1, request, at(day, 11, 15))
        self.assertEqual((verdict.code, verdict.needed, verdict.available), ("travel", 19, 15))
        self.assertIsNone(self._get_schedule(tour).get_verdict(1, request, at(day, 11, 19)))
        self.assertIsNone(self._get_schedule(tour).get_verdict(1, request, at(day, 9, 11)))
        verdict = self._get_schedule(tour).get_verdict(1, request, at(day, 9, 12))
        self.assertEqual(verdict.code, "travel")

    def test_break_is_no_time_to_travel(self):
        day = DAYS["plain"]
        tour = self._get_tour()
        tour.add([self._get_stop(at(day, 11), point=STATION)])
        request = self._get_request(tour)
        self.assertEqual(self._get_walls(self._find(self._get_schedule(tour), request))[1], "13:30")
        self.assertEqual(
            self._get_schedule(tour).get_verdict(1, request, at(day, 13, 15)).code, "travel"
        )

    def test_appointment_is_no_time_to_travel(self):
        day = DAYS["plain"]
        tour = self._get_tour(hours=((9, 18),), events=[(at(day, 11), at(day, 12))])
        tour.add([self._get_stop(at(day, 10), point=STATION)])
        request = self._get_request(tour)
        self.assertEqual(self._get_walls(self._find(self._get_schedule(tour), request))[0], "12:30")
        self.assertEqual(
            self._get_schedule(tour).get_verdict(1, request, at(day, 11, 30)).code, "event"
        )

    def test_way_from_home_is_outside_working_hours(self):
        tour = self._get_tour(home=Place(50, 30))
        request = self._get_request(tour)
        self.assertEqual(self._get_walls(self._find(self._get_schedule(tour), request))[0], "09:00")

    def test_an_estimated_way_never_saves_time(self):
        """An hour home from the only visit; by the estimates 20 minutes there and 20 home."""
        day = DAYS["plain"]
        tour = self._get_tour()
        tour.add([self._get_stop(at(day, 9), point=STATION)])
        schedule = self._get_schedule(tour)
        request = self._get_request(tour, place=Place())
        schedule.travel.get_minutes = lambda one, two: 20 if request.place in (one, two) else 60
        self.assertEqual({p.travel for p in self._find(schedule, request)}, {0})
        self.assertEqual(schedule.place(1, request, at(day, 15)).travel, 0)

    def test_added_way(self):
        """Between two visits at the station, a visit in the centre costs the way and back."""
        day = DAYS["plain"]
        tour = self._get_tour()
        tour.add([self._get_stop(at(day, hour), point=STATION, key=hour) for hour in (9, 15)])
        schedule = self._get_schedule(tour)
        there, home = 9, 9
        for hour, expected in {13: 2 * there, 17: there - home}.items():
            placement = schedule.place(1, self._get_request(tour), at(day, hour))
            self.assertEqual(placement.travel, expected, hour)
        near = schedule.place(1, self._get_request(tour, place=Place(*STATION)), at(day, 13))
        self.assertEqual(near.travel, 0)
        self.assertEqual((near.before.key, near.after.key), (9, 15))

    def test_capacity_last_place(self):
        day = DAYS["plain"]
        tour = self._get_tour(per_day=2)
        schedule, request = self._get_schedule(tour), self._get_request(tour)
        tour.add([self._get_stop(at(day, 9), key=1)])
        self.assertTrue(self._find(schedule, request))
        tour.add([self._get_stop(at(day, 11), key=2)])
        self.assertFalse(self._find(schedule, request))
        verdict = schedule.get_verdict(1, request, at(day, 15))
        self.assertEqual((verdict.code, verdict.available), ("capacity", 2))

    def test_half_days(self):
        day = DAYS["plain"]
        tour = self._get_tour(hours=((9, 18),), per_half_day=1)
        schedule, request = self._get_schedule(tour), self._get_request(tour, minutes=30)
        tour.add([self._get_stop(at(day, 9), key=1)])
        self.assertEqual(self._get_walls(self._find(schedule, request))[0], "12:00")
        self.assertEqual(schedule.get_verdict(1, request, at(day, 11, 59)).code, "capacity")
        tour = self._get_tour(hours=((9, 18),), per_half_day=1)
        tour.add([self._get_stop(at(day, 15), key=2)])
        found = self._find(self._get_schedule(tour), request)
        self.assertEqual(self._get_walls(found)[-1], "11:00")

    def test_urgent_reserve(self):
        day = DAYS["plain"]
        tour = self._get_tour(per_day=3, urgent_reserve=1)
        schedule = self._get_schedule(tour)
        request, urgent = (self._get_request(tour, urgent=urgent) for urgent in (False, True))
        tour.add([self._get_stop(at(day, 9), key=1), self._get_stop(at(day, 13), key=2)])
        self.assertFalse(self._find(schedule, request))
        self.assertTrue(self._find(schedule, urgent))
        tour = self._get_tour(per_day=3, urgent_reserve=1)
        schedule = self._get_schedule(tour)
        stops = [(9, False), (13, True)]
        tour.add([self._get_stop(at(day, hour), key=hour, urgent=urge) for hour, urge in stops])
        self.assertTrue(self._find(schedule, request), "the urgent one takes the reserve")
        tour.add([self._get_stop(at(day, 15), key=4)])
        self.assertFalse(self._find(schedule, urgent))

    def test_skills_and_zones(self):
        tour = self._get_tour(skills=frozenset({1, 2}), zones=frozenset({5}))
        schedule = self._get_schedule(tour)
        cases = {
            (frozenset({1}), frozenset({5, 6})): None,
            (frozenset(), frozenset({5})): None,
            (frozenset({1, 3}), frozenset({5})): "skill",
            (frozenset({1}), frozenset({6})): "zone",
            (frozenset({1}), frozenset()): "zone",
        }
        for (skills, zones), code in cases.items():
            request = self._get_request(tour, skills=skills, zones=zones)
            self.assertEqual(tour.get_refusal(request), code)
            self.assertEqual(bool(self._find(schedule, request)), not code)

    def test_notice_and_horizon(self):
        day = DAYS["plain"]
        tour = self._get_tour()
        request = self._get_request(tour, opens=at(day, 10, 5), closes=at(day, 15))
        schedule = self._get_schedule(tour)
        self.assertEqual(
            self._get_walls(self._find(schedule, request)),
            ["10:15", "11:00", "13:00", "14:00", "15:00"],
        )
        self.assertEqual(schedule.get_verdict(1, request, at(day, 10)).code, "notice")
        self.assertEqual(schedule.get_verdict(1, request, at(day, 15, 1)).code, "horizon")

    def test_arrival_window(self):
        day = DAYS["plain"]
        tour = self._get_tour()
        found = self._find(
            self._get_schedule(tour), self._get_request(tour), starts=(at(day, 10), at(day, 14))
        )
        self.assertEqual(self._get_walls(found), ["10:00", "11:00", "13:00", "14:00"])

    def test_bounds_hold_the_whole_visit(self):
        day = DAYS["plain"]
        tour = self._get_tour()
        found = self._get_schedule(tour).find(
            self._get_request(tour), at(day, 9, 30), at(day, 14, 59)
        )
        self.assertEqual(self._get_walls(found), ["09:30", "10:00", "11:00", "13:00"])

    def test_change_of_clocks(self):
        """Wall times stay on days of 23 and of 25 hours; a night's work is as long as it is."""
        for name, hours in {"plain": 8, "overlap": 9, "gap": 7}.items():
            day = DAYS[name]
            tour = self._get_tour(day)
            found = self._find(self._get_schedule(tour), self._get_request(tour), day)
            self.assertEqual(self._get_walls(found)[0], "09:00", name)
            self.assertEqual(self._get_walls(found)[-1], "17:00", name)
            night = self._get_tour(day, hours=((0, 8),))
            found = self._find(self._get_schedule(night), self._get_request(night), day)
            self.assertEqual(len(found), hours, name)

    def test_past_midnight(self):
        """A visit may run past midnight where work does; it counts for the day of its start."""
        day = DAYS["plain"]
        tour = self._get_tour(hours=((0, 3), (21, 24)), per_day=2)
        schedule = self._get_schedule(tour, buffer=0)
        request = self._get_request(tour, minutes=90)
        next_day = day + timedelta(days=1)
        found = schedule.find(request, at(day, 20), at(next_day, 4))
        self.assertEqual(self._get_walls(found), ["21:00", "22:00", "23:00", "00:00", "01:00"])
        self.assertIsNone(schedule.get_verdict(1, request, at(day, 23)))
        schedule.insert(1, request._replace(key=1), at(day, 23))
        self.assertEqual(tour.get_count(tour.days.get_day(at(day, 23)))[0], 1)
        self.assertEqual(tour.get_count(tour.days.get_day(at(next_day, 1)))[0], 0)
        found = list(schedule.find(request, at(day, 20), at(next_day, 4)))
        self.assertEqual(self._get_walls(found), ["21:00", "00:30", "01:00"])
        self.assertEqual(found[1].before.key, 1, "the way after midnight begins at that visit")

    def test_way_across_midnight(self):
        """In a night's work the visit before midnight is where the next way begins."""
        day = DAYS["plain"]
        tour = self._get_tour(hours=((0, 3), (21, 24)))
        tour.add([self._get_stop(at(day, 22, 50), point=STATION)])
        midnight = at(day + timedelta(days=1), 0)
        schedule, request = self._get_schedule(tour), self._get_request(tour)
        found = list(schedule.find(request, midnight, midnight + 7200))
        self.assertEqual(self._get_walls(found), ["00:15", "01:00"])
        self.assertEqual(schedule.get_verdict(1, request, midnight + 60).code, "travel")

    def test_other_days_are_no_neighbours(self):
        day = DAYS["plain"]
        tour = self._get_tour()
        tour.add([self._get_stop(at(day - timedelta(days=1), 17), point=STATION)])
        placement = self._find(self._get_schedule(tour), self._get_request(tour))[0]
        self.assertIsNone(placement.before)

    def test_human_times(self):
        clock = self._get_clock(DAYS["plain"], "Asia/Kathmandu")
        start = at(DAYS["plain"], 9, 20, "Asia/Kathmandu")
        walls = [
            f"{wall_of(moment, 'Asia/Kathmandu'):%H:%M}"
            for moment in get_starts(clock, start, start + 3 * 3600)
        ]
        self.assertEqual(walls, ["09:30", "10:00", "11:00", "12:00"])
        self.assertEqual(get_starts(clock, start, start + 60), [])
        self.assertEqual(len(get_starts(clock, start, start + 9000, every_hour=False)), 1)

    def test_choice_is_spread(self):
        """Six slots of two empty days: a morning, an afternoon and an evening of each."""
        clock = self._get_clock(DAYS["plain"], length=2)
        tour = self._get_tour(hours=((8, 20),))
        schedule, request = self._get_schedule(tour), self._get_request(tour, clock=clock)
        earliest, latest = at(DAYS["plain"], 0), at(DAYS["plain"] + timedelta(days=2), 0)
        gaps = list(schedule.find_gaps(request, earliest, latest))
        chosen = choose_spread(gaps, request, 6)
        self.assertEqual(self._get_walls(chosen), ["08:00", "12:00", "17:00"] * 2)
        self.assertEqual(len(choose_spread(gaps, request)), 24)
        self.assertEqual(len(choose_spread(gaps, request, 999)), 24)

    def test_choice_prefers_other_starts_to_other_measurers(self):
        tours = [self._get_tour(hours=((9, 11),)) for _number in range(3)]
        for key, tour in enumerate(tours):
            tour.key = key
        schedule = Schedule(tours, self._get_schedule(tours[0]).travel)
        request = self._get_request(tours[0])
        bounds = at(DAYS["plain"], 0), at(DAYS["plain"] + timedelta(days=1), 0)
        gaps = list(schedule.find_gaps(request, *bounds))
        self.assertEqual(self._get_walls(choose_spread(gaps, request, 2)), ["09:00", "10:00"])
        chosen = choose_spread(gaps, request, 5)
        self.assertEqual(self._get_walls(chosen), ["09:00", "09:00", "09:00", "10:00", "10:00"])
        self.assertEqual([placement.measurer for placement in chosen], [0, 1, 2, 0, 1])


class Naive:
    """A second opinion: minute by minute, on its own, whether a visit can be made."""

    def __init__(self, tour, travel, buffer):
        self.tour, self.travel, self.buffer = tour, travel, buffer

    def allows(self, request, start):
        tour, stop = self.tour, start + request.length
        inside = self.is_inside
        taken = [*tour.leaves, *tour.events, *[(s.start, s.stop) for s in tour.stops]]
        for moment in range(start, stop, 60):
            if not inside(tour.hours, moment) or inside(taken, moment):
                return False
        day = wall_of(start).date()
        same_day = [s for s in tour.stops if wall_of(s.start).date() == day]
        if len(same_day) >= tour.per_day:
            return False
        ordinary = [s for s in same_day if not s.urgent]
        if not request.urgent and len(ordinary) >= tour.per_day - tour.urgent_reserve:
            return False
        half = wall_of(start).hour >= 12
        in_half = [s for s in same_day if (wall_of(s.start).hour >= 12) == half]
        if tour.per_half_day and len(in_half) >= tour.per_half_day:
            return False
        earlier = [s for s in tour.stops if s.stop <= start and wall_of(s.stop).date() == day]
        later = [s for s in same_day if s.start >= stop]
        last, following = max(earlier, default=None), min(later, default=None)
        return (not last or self.fits(last.place, request.place, last.stop, start)) and (
            not following or self.fits(request.place, following.place, stop, following.start)
        )

    @staticmethod
    def is_inside(spans, moment):
        return any(low <= moment < high for low, high in spans)

    def fits(self, origin, destination, start, stop):
        """Return whether the way fits between two moments, breaks and appointments left out."""
        day = wall_of(start).date()
        work = [
            moment
            for low, high in self.tour.work
            for moment in range(low, high, 60)
            if wall_of(moment).date() == day
        ]
        first, last = (min(work), max(work)) if work else (stop, stop)
        inside = set(work)
        free = sum(
            moment < first or moment > last or moment in inside for moment in range(start, stop, 60)
        )
        return free >= self.travel.get_minutes(origin, destination) + self.buffer


HALF_HOURS = st.integers(0, 47)
SPANS = st.lists(st.tuples(HALF_HOURS, st.integers(1, 8)), max_size=2)
POINTS = st.sampled_from([CENTRE, STATION, (50.52, 30.60), (0.0, 0.0)])


class TestScheduleProperty(ScheduleCase):
    @given(
        day=st.sampled_from(list(DAYS.values())),
        leaves=SPANS,
        events=SPANS,
        visits=st.lists(st.tuples(HALF_HOURS, POINTS, st.booleans()), max_size=5),
        capacity=st.tuples(st.integers(1, 6), st.integers(0, 3), st.integers(0, 1)),
        asked=st.tuples(st.integers(1, 4), POINTS, st.booleans()),
    )
    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.differing_executors],
    )
    def test_slots_are_what_a_naive_checker_allows(
        self, day, leaves, events, visits, capacity, asked
    ):
        """Every slot is feasible, every half hour refused is not, and both say the same."""
        midnight = at(day, 0)
        per_day, per_half_day, urgent_reserve = capacity
        tour = self._get_tour(
            day,
            leaves=[(midnight + s * 1800, midnight + (s + n) * 1800) for s, n in leaves],
            events=[(midnight + s * 1800, midnight + (s + n) * 1800) for s, n in events],
            per_day=per_day,
            per_half_day=per_half_day,
            urgent_reserve=urgent_reserve,
        )
        free_from = 0
        for key, (half_hour, point, urgent) in enumerate(sorted(visits)):
            if half_hour >= free_from:
                start, free_from = midnight + half_hour * 1800, half_hour + 2
                tour.add([self._get_stop(start, point=point, key=key, urgent=urgent)])
        schedule = self._get_schedule(tour)
        length, point, urgent = asked
        request = self._get_request(tour, minutes=length * 30, place=Place(*point), urgent=urgent)
        naive = Naive(tour, schedule.travel, schedule.buffer)
        found = self._find(schedule, request, day)
        for placement in found:
            self.assertTrue(naive.allows(request, placement.start), wall_of(placement.start))
            self.assertEqual(placement, schedule.place(1, request, placement.start))
        for half_hour in range(44):
            start = midnight + half_hour * 1800
            allowed = naive.allows(request, start)
            verdict = schedule.get_verdict(1, request, start)
            self.assertEqual(verdict is None, allowed, (wall_of(start), verdict))
            if allowed:
                gaps = list(schedule.find_gaps(request, start, start + request.length))
                self.assertTrue(gaps, "a feasible start lies in a gap")
