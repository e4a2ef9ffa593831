from datetime import datetime, timezone
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.distribution import Distributor, Wish, get_capacity
from ..tools.schedule import Request, Schedule, Tour
from ..tools.travel import Place, Travel, get_distance
from ..tools.walltime import WallDays

MINUTE, HOUR, DAY = 60, 3600, 86400
BUFFER = 10
#: An ordinary week, and the weeks in which the clocks of Kyiv go back and forward.
WEEKS = (datetime(2026, 11, 23), datetime(2026, 10, 23), datetime(2027, 3, 26))


def drive(origin, destination):
    return get_distance(origin, destination) * 2


@st.composite
def measurers(draw):
    """A measurer: hours on the own clock, break, days off, appointments, place, capacity."""
    first = draw(st.integers(7, 10))
    last = first + draw(st.integers(4, 9))
    return {
        "tz": draw(st.sampled_from(["Europe/Kyiv", "Europe/Kyiv", "America/New_York"])),
        "weekdays": draw(st.sets(st.integers(0, 6), min_size=3)),
        "hours": (first, last),
        "lunch": draw(st.sampled_from([None, (12, 13)])) if last > 13 else None,
        "off": draw(st.lists(st.tuples(st.integers(0, 160), st.integers(1, 30)), max_size=2)),
        "home": draw(st.sampled_from([None, (50.45, 30.52), (50.6, 30.3)])),
        "per_day": draw(st.integers(2, 6)),
        "reserve": draw(st.integers(0, 1)),
        "skills": draw(st.sets(st.sampled_from("ab"))),
    }


@st.composite
def requests(draw):
    """A request; hours count from the beginning of the week."""
    earliest = draw(st.sampled_from([0, 0, 9, 30, 77]))
    return {
        "point": draw(st.sampled_from([None, (50.45, 30.5), (50.5, 30.7), (50.2, 30.4)])),
        "minutes": draw(st.sampled_from([30, 60, 95])),
        "earliest": earliest,
        "latest": earliest + draw(st.sampled_from([10, 24, 48, 100])),
        "told": draw(st.sampled_from([None, None, None, 10, 34, 57])),
        "window": draw(st.sampled_from([None, None, 3])),
        "urgent": draw(st.booleans()),
        "skills": draw(st.sampled_from(["", "", "a"])),
        "measurer": draw(st.sampled_from([None, None, 0])),
    }


class Week:
    """A random week, made ready for the distribution, and read again by a checker of its own."""

    def __init__(self, monday, members, asked):
        self.start = int(monday.replace(tzinfo=timezone.utc).timestamp())
        self.members, self.asked = members, asked
        clock = WallDays("Europe/Kyiv", self.start, self.start + 8 * DAY)
        travel = Travel(drive, lambda place: frozenset(), 15, 40)
        self.schedule = Schedule([self._make_tour(*m) for m in enumerate(members)], travel, BUFFER)
        self.wishes = [self._make_wish(*request, clock) for request in enumerate(asked)]

    def _make_tour(self, key, member):
        clock = WallDays(member["tz"], self.start, self.start + 8 * DAY)
        hours = []
        for day, date in enumerate(clock.dates):
            if date.weekday() in member["weekdays"]:
                first, last = member["hours"]
                cuts = [first, *(member["lunch"] or ()), last]
                pairs = zip(cuts[::2], cuts[1::2], strict=True)
                hours += [
                    (clock.get_moment(day, a * 60), clock.get_moment(day, b * 60))
                    for a, b in pairs
                    if a < b
                ]
        off = [(self.start + a * HOUR, self.start + (a + b) * HOUR) for a, b in member["off"]]
        home = Place(*member["home"]) if member["home"] else None
        return Tour(
            key,
            clock,
            hours,
            off[:1],
            off[1:],
            home=home,
            skills=frozenset(member["skills"]),
            per_day=member["per_day"],
            urgent_reserve=member["reserve"],
        )

    def _make_wish(self, key, asked, clock):
        told = asked["told"] and self.start + asked["told"] * HOUR
        request = Request(
            Place(*asked["point"]) if asked["point"] else Place(city="Kyiv"),
            asked["minutes"] * MINUTE,
            clock,
            skills=frozenset(asked["skills"]),
            urgent=asked["urgent"],
            opens=self.start,
            key=key,
        )
        earliest = self.start + asked["earliest"] * HOUR
        window = asked["window"] and (earliest, earliest + asked["window"] * HOUR)
        return Wish(
            request,
            earliest=earliest,
            latest=self.start + asked["latest"] * HOUR,
            rank=(not asked["urgent"], asked["latest"], key),
            starts=None if told else window,
            start=told,
            measurer=asked["measurer"],
        )

    def distribute(self, seed=None):
        wishes = list(self.wishes)
        if seed is not None:
            Random(seed).shuffle(wishes)
        capacities = {
            key: get_capacity(tour, self.start, self.start + 8 * DAY)
            for key, tour in self.schedule.tours.items()
        }
        choices = Distributor(self.schedule, {}, capacities).distribute(wishes)
        return {key: choice and choice.best.placement for key, choice in choices.items()}

    # --- The checker: minute by minute, without the schedule's arithmetic ---

    def is_at_work(self, member, moment, outside=False):
        """Return whether a measurer works in a minute; ``outside`` hours counts too, if asked."""
        local = datetime.fromtimestamp(moment, ZoneInfo(member["tz"]))
        clock = local.hour + local.minute / 60
        first, last = member["hours"]
        if member["lunch"] and 12 <= clock < 13:
            return False
        for since, length in member["off"]:
            if since * HOUR <= moment - self.start < (since + length) * HOUR:
                return False
        return outside or (first <= clock < last and local.weekday() in member["weekdays"])

    def find_faults(self, placements):
        """Return in words what is wrong with the days of all measurers."""
        faults = []
        for key, member in enumerate(self.members):
            visits = sorted(
                (placement.start, placement.stop, number)
                for number, placement in placements.items()
                if placement and placement.measurer == key
            )
            days = {}
            for start, stop, number in visits:
                asked, wish = self.asked[number], self.wishes[number]
                if not all(self.is_at_work(member, m) for m in range(start, stop, MINUTE)):
                    faults.append(f"{number}: not at work")
                if stop - start != asked["minutes"] * MINUTE:
                    faults.append(f"{number}: wrong length")
                if not set(asked["skills"]) <= member["skills"]:
                    faults.append(f"{number}: no skill")
                if asked["measurer"] is not None and asked["measurer"] != key:
                    faults.append(f"{number}: another measurer than the chosen one")
                if asked["told"]:
                    if start != self.start + asked["told"] * HOUR:
                        faults.append(f"{number}: another time than the told one")
                elif start < wish.earliest or stop > wish.latest:
                    faults.append(f"{number}: not when the customer can")
                elif wish.starts and not wish.starts[0] <= start <= wish.starts[1]:
                    faults.append(f"{number}: outside the window")
                date = datetime.fromtimestamp(start, ZoneInfo(member["tz"])).date()
                days.setdefault(date, []).append((start, stop, asked))
            faults += self._find_faults_of_days(member, days)
        return faults

    def _find_faults_of_days(self, member, days):
        for date, visits in days.items():
            if len(visits) > member["per_day"]:
                yield f"{date}: too many"
            if sum(not v[2]["urgent"] for v in visits) > member["per_day"] - member["reserve"]:
                yield f"{date}: the urgent reserve is taken"
            for before, after in pairwise(visits):
                points = before[2]["point"], after[2]["point"]
                way = drive(*points) if all(points) else 15 if points == (None, None) else 40
                on_the_way = range(before[1], after[0], MINUTE)
                free = sum(self.is_at_work(member, m, outside=True) for m in on_the_way)
                if free < way + BUFFER:
                    yield f"{date}: {free} min for a way of {way} and a buffer"


@tagged("post_install", "-at_install")
class TestDistributionWeeks(BaseCase):
    """Random weeks: what is distributed can be done, in any order the same, and fairly."""

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(
        monday=st.sampled_from(WEEKS),
        members=st.lists(measurers(), min_size=1, max_size=3),
        asked=st.lists(requests(), min_size=6, max_size=14),
    )
    def test_no_infeasible_day_ever(self, monday, members, asked):
        placements = Week(monday, members, asked).distribute()
        self.assertEqual(Week(monday, members, asked).find_faults(placements), [])
        self.assertEqual(len(placements), len(asked))

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(
        members=st.lists(measurers(), min_size=2, max_size=3),
        asked=st.lists(requests(), min_size=2, max_size=12),
        seed=st.integers(),
    )
    def test_order_of_requests_does_not_matter(self, members, asked, seed):
        results = [Week(WEEKS[0], members, asked).distribute(order) for order in (None, seed)]
        first, second = (
            {key: place and (place.measurer, place.start) for key, place in result.items()}
            for result in results
        )
        self.assertEqual(first, second)

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(capacities=st.lists(st.integers(2, 6), min_size=2, max_size=6), seed=st.integers(0, 99))
    def test_fair_share(self, capacities, seed):
        """Where all places are alike, nobody is more than a visit off the share of capacity."""
        member = {
            "tz": "Europe/Kyiv",
            "weekdays": {0, 1, 2, 3, 4},
            "hours": (8, 20),
            "lunch": None,
            "off": [],
            "home": (50.45, 30.52),
            "reserve": 0,
            "skills": set(),
        }
        asked = {
            "point": (50.45, 30.52),
            "minutes": 30,
            "earliest": 0,
            "latest": 8 * 24,
            "told": None,
            "window": None,
            "urgent": False,
            "skills": "",
            "measurer": None,
        }
        total = sum(capacities)
        number = Random(seed).randint(1, 4 * total)
        week = Week(WEEKS[0], [{**member, "per_day": c} for c in capacities], [asked] * number)
        placements = week.distribute()
        for key, capacity in enumerate(capacities):
            load = sum(placement.measurer == key for placement in placements.values())
            self.assertLessEqual(abs(load - number * capacity / total), 1.0)
