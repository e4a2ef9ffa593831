"""Who can be where, when: insertion of a visit into the days of several measurers.

Moments and lengths are whole seconds (moments since 1970), ways are minutes. Nothing here knows
of a database. A way has to fit into working time: between two visits the measurer does not
travel during a break, an appointment or a day off. The way to the first visit of a day and the
way home after the last one lie outside working hours; they count when places are compared.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import NamedTuple

from .intervals import covers, merge, overlaps, subtract
from .travel import Place
from .walltime import HOUR, WallDays


class Stop(NamedTuple):
    """A visit in a measurer's day; ``key`` identifies it, ``label`` is what people call it."""

    start: int
    stop: int
    key: object
    place: Place
    urgent: bool
    label: str


class Request(NamedTuple):
    """What is to be placed."""

    place: Place
    length: int
    #: wall clock of the site, over the span of the search
    clock: WallDays
    skills: frozenset = frozenset()
    zones: frozenset = frozenset()
    urgent: bool = False
    #: the first and the last moment at which the visit may start by notice period and horizon
    opens: int = 0
    closes: int = 2**62
    label: str = ""
    key: object = None


class Placement(NamedTuple):
    """A feasible place for a visit; sorts by start, then by the way that it adds."""

    start: int
    travel: int
    measurer: int
    stop: int
    #: the stops of the same day between which it lies, where there are any
    before: Stop | None
    after: Stop | None


class Gap(NamedTuple):
    """Between two stops: the moments from ``low`` to ``high`` at which a visit may start."""

    travel: int
    measurer: int
    low: int
    high: int
    before: Stop | None
    after: Stop | None

    def place(self, request, start):
        """Return the :class:`Placement` of a request at this start."""
        stop = start + request.length
        return Placement(start, self.travel, self.measurer, stop, self.before, self.after)


class Verdict(NamedTuple):
    """Why a place is not feasible: a code and what it is about."""

    code: str
    stop: Stop | None = None
    needed: int = 0
    available: int = 0


class Piece(NamedTuple):
    """Free working time of one day between two stops."""

    start: int
    stop: int
    #: a visit starts before this moment; earlier than ``stop`` where work runs past midnight
    limit: int
    day: int
    before: Stop | None
    after: Stop | None
    #: seconds in which to travel: since the stop before, and until the stop after
    since: int
    until: int


class Tour:
    """The days of one measurer: hours, what is taken of them, and the visits in order.

    :param int key: identifies the measurer
    :param WallDays days: the measurer's own days over the span
    :param list hours: merged intervals of working hours, breaks left out
    :param list leaves: merged intervals of days off, own and public
    :param list events: merged intervals of other appointments
    :param home: place where the days begin and end, None where unknown
    :param zones: set of zones the measurer goes to, None for everywhere
    :param str refusal: code of a reason against this measurer at any time
    """

    def __init__(
        self,
        key,
        days,
        hours,
        leaves=(),
        events=(),
        home=None,
        skills=frozenset(),
        zones=None,
        per_day=6,
        per_half_day=0,
        urgent_reserve=0,
        refusal=None,
    ):
        self.key = key
        self.days = days
        self.hours, self.leaves, self.events = merge(hours), merge(leaves), merge(events)
        self.home = home
        self.skills = skills
        self.zones = zones
        self.per_day = per_day
        self.per_half_day = per_half_day
        self.urgent_reserve = urgent_reserve
        self.refusal = refusal
        self.stops = []
        self.work = subtract(self.hours, merge([*self.leaves, *self.events]))
        self._set_breaks()
        self._forget()

    def _set_breaks(self):
        """Note the gaps in each day's work, with the running total of their lengths."""
        self._break_starts, self._breaks, total = [], [], 0
        for (_start, stop), (start, _stop) in zip(self.work, self.work[1:], strict=False):
            if self.days.get_day(stop - 1) == self.days.get_day(start):
                self._break_starts.append(stop)
                self._breaks.append((stop, start, total))
                total += start - stop

    def _forget(self):
        self._pieces = None
        self._counts = None
        self._ways = {}

    def get_travel_time(self, start, stop):
        """Return the seconds between two moments in which the measurer can be on the way."""
        if start == stop:
            return 0
        return stop - start - (self._get_breaks_until(stop) - self._get_breaks_until(start))

    def _get_breaks_until(self, moment):
        index = bisect_right(self._break_starts, moment) - 1
        if index < 0:
            return 0
        start, stop, total = self._breaks[index]
        return total + min(moment, stop) - start

    def add(self, stops):
        """Put stops into the days."""
        self.stops = sorted([*self.stops, *stops], key=lambda stop: (stop.start, stop.stop))
        self._forget()

    # --- Capacity ---

    def get_count(self, day):
        """Return how many visits start on a day: all, not urgent, before noon, after noon."""
        if self._counts is None:
            self._counts = defaultdict(lambda: [0, 0, 0, 0])
            for stop in self.stops:
                number = self.days.get_day(stop.start)
                if not 0 <= number < len(self.days.dates):
                    continue
                counts = self._counts[number]
                counts[0] += 1
                counts[1] += not stop.urgent
                counts[2 if stop.start < self.days.noons[number] else 3] += 1
        return self._counts.get(day, (0, 0, 0, 0))

    def is_day_full(self, day, urgent):
        """Return whether no further visit may start on a day."""
        total, ordinary, _before, _after = self.get_count(day)
        return total >= self.per_day or (
            not urgent and ordinary >= self.per_day - self.urgent_reserve
        )

    def is_half_full(self, day, afternoon):
        """Return whether no further visit may start in a half of a day."""
        return bool(self.per_half_day) and self.get_count(day)[2 + afternoon] >= self.per_half_day

    # --- Places ---

    def get_refusal(self, request):
        """Return the code of a reason against this measurer at any time, or None."""
        if self.refusal:
            return self.refusal
        if not request.skills <= self.skills:
            return "skill"
        if self.zones is not None and self.zones.isdisjoint(request.zones):
            return "zone"
        return None

    def get_neighbours(self, start, stop):
        """Return the stops of the same day before and after a visit at this time, or None each."""
        index = bisect_right(self.stops, start, key=lambda other: other.start)
        return self._filter_neighbours(index, self.days.get_day(start), start, stop)

    def _filter_neighbours(self, index, day, start, stop):
        """Return the stops around ``index`` that belong to the day of a span of work."""
        before = self.stops[index - 1] if index else None
        after = self.stops[index] if index < len(self.stops) else None
        low, high = self.days.midnights[day : day + 2]
        if before and before.stop < low and not covers(self.work, before.stop, start):
            before = None
        if after and after.start >= high and not covers(self.work, stop, after.start):
            after = None
        return before, after

    def get_pieces(self):
        """Return the free working time, cut by stops and days."""
        if self._pieces is None:
            self._pieces = list(self._cut_pieces())
        return self._pieces

    def _cut_pieces(self):
        stops, index = self.stops, 0
        for start, stop in self.work:
            while index < len(stops) and stops[index].stop <= start:
                index += 1
            while start < stop:
                after = stops[index] if index < len(stops) else None
                end = min(stop, after.start) if after else stop
                if start < end:
                    yield from self._cut_days(start, end, index)
                if not after or after.start >= stop:
                    break
                start = max(start, after.stop)
                if start < stop:
                    index += 1

    def _cut_days(self, start, stop, index):
        midnights = self.days.midnights
        day, low = self.days.get_day(start), start
        while low < stop:
            limit = min(stop, midnights[day + 1])
            before, after = self._filter_neighbours(index, day, low, limit)
            since = self.get_travel_time(before.stop, low) if before else 0
            until = self.get_travel_time(stop, after.start) if after else 0
            yield Piece(low, stop, limit, day, before, after, since, until)
            day, low = day + 1, limit

    def get_way(self, travel, before, after):
        """Return the minutes of the way that a visit between two stops replaces."""
        key = (before and before.key, after and after.key)
        if key not in self._ways:
            origin = before.place if before else self.home
            destination = after.place if after else self.home
            known = before or after
            self._ways[key] = travel.get_minutes(origin, destination) if known else 0
        return self._ways[key]


def get_added(way_in, way_on, way):
    """Return the minutes that a visit adds to the way that it replaces.

    Minutes that are estimated for a place without a point could add less than nothing.
    """
    return max(0, way_in + way_on - way)


class Schedule:
    """The tours of several measurers, loaded once and then asked and filled any number of times.

    :param tours: :class:`Tour` objects
    :param Travel travel: the ways
    :param int buffer: minutes left free beside every way between two visits
    """

    def __init__(self, tours, travel, buffer=0):
        self.tours = {tour.key: tour for tour in tours}
        self.travel = travel
        self.buffer = buffer

    def find(self, request, earliest, latest, starts=None, every_hour=True, measurers=None):
        """Yield the feasible :class:`Placement` objects, tour by tour.

        In each gap the first start possible on a quarter of an hour of the site's clock, and
        after it, at least half an hour later, every full hour.

        :param int earliest: the visit starts at this moment or later
        :param int latest: the visit has ended at this moment
        :param starts: first and last moment of the start (an arrival window), if any
        :param bool every_hour: without it only the first start in each gap
        :param measurers: keys of those to consider; without it all
        """
        for gap in self.find_gaps(request, earliest, latest, starts, measurers):
            for start in get_starts(request.clock, gap.low, gap.high, every_hour):
                yield gap.place(request, start)

    def find_gaps(self, request, earliest, latest, starts=None, measurers=None):
        """Yield the :class:`Gap` objects into which a request fits; see :meth:`find`."""
        first, last = max(earliest, request.opens), min(latest - request.length, request.closes)
        if starts:
            first, last = max(first, starts[0]), min(last, starts[1])
        for key in self.tours if measurers is None else measurers:
            tour = self.tours[key]
            if not tour.get_refusal(request):
                yield from self._find_in_tour(tour, request, first, last)

    def _find_in_tour(self, tour, request, first, last):
        length, urgent, place = request.length, request.urgent, request.place
        get_minutes, full = self.travel.get_minutes, {}
        from_home, to_home = get_minutes(tour.home, place), get_minutes(place, tour.home)
        for piece in tour.get_pieces():
            if piece.start > last:
                break
            low, high = max(piece.start, first), min(piece.stop - length, piece.limit - 1, last)
            if low > high:
                continue
            day, before, after = piece.day, piece.before, piece.after
            if day not in full:
                full[day] = tour.is_day_full(day, urgent)
            if full[day]:
                continue
            if tour.per_half_day:
                if tour.is_half_full(day, afternoon=False):
                    low = max(low, tour.days.noons[day])
                if tour.is_half_full(day, afternoon=True):
                    high = min(high, tour.days.noons[day] - 1)
            way_in = get_minutes(before.place, place) if before else from_home
            way_on = get_minutes(place, after.place) if after else to_home
            if before:
                low = max(low, piece.start + (way_in + self.buffer) * 60 - piece.since)
            if after:
                spare = piece.until - (way_on + self.buffer) * 60
                high = min(high, piece.stop - length + min(0, spare))
            if low > high:
                continue
            added = get_added(way_in, way_on, tour.get_way(self.travel, before, after))
            yield Gap(added, tour.key, low, high, before, after)

    def get_verdict(self, key, request, start):
        """Return why a measurer cannot take a request at this start, or None when that is possible.

        The start need not lie on the grid.
        """
        tour = self.tours[key]
        stop = start + request.length
        if refusal := tour.get_refusal(request):
            return Verdict(refusal)
        if start < request.opens:
            return Verdict("notice")
        if start > request.closes:
            return Verdict("horizon")
        if not covers(tour.hours, start, stop):
            return Verdict("hours")
        if overlaps(tour.leaves, start, stop):
            return Verdict("leave")
        for other in tour.stops:
            if other.start < stop and other.stop > start:
                return Verdict("busy", other)
        if overlaps(tour.events, start, stop):
            return Verdict("event")
        return self._get_travel_verdict(tour, request, start) or self._get_capacity_verdict(
            tour, request, start
        )

    def _get_travel_verdict(self, tour, request, start):
        stop = start + request.length
        before, after = tour.get_neighbours(start, stop)
        if before:
            needed = self.travel.get_minutes(before.place, request.place) + self.buffer
            available = tour.get_travel_time(before.stop, start)
            if available < needed * 60:
                return Verdict("travel", before, needed, available // 60)
        if after:
            needed = self.travel.get_minutes(request.place, after.place) + self.buffer
            available = tour.get_travel_time(stop, after.start)
            if available < needed * 60:
                return Verdict("travel", after, needed, available // 60)
        return None

    def _get_capacity_verdict(self, tour, request, start):
        day = tour.days.get_day(start)
        afternoon = start >= tour.days.noons[day]
        if tour.is_day_full(day, request.urgent) or tour.is_half_full(day, afternoon):
            return Verdict("capacity", available=tour.get_count(day)[0])
        return None

    def place(self, key, request, start):
        """Return the :class:`Placement` of a request at this start, feasible or not."""
        tour = self.tours[key]
        stop = start + request.length
        before, after = tour.get_neighbours(start, stop)
        way_in = self.travel.get_minutes(before.place if before else tour.home, request.place)
        way_on = self.travel.get_minutes(request.place, after.place if after else tour.home)
        added = get_added(way_in, way_on, tour.get_way(self.travel, before, after))
        return Placement(start, added, key, stop, before, after)

    def insert(self, key, request, start):
        """Put a request into a measurer's days; what follows takes it for a visit."""
        stop = Stop(
            start,
            start + request.length,
            request.key,
            request.place,
            request.urgent,
            request.label,
        )
        self.tours[key].add([stop])

    def find_out_of_reach(self, key, stop_key, before, after):
        """Return the keys of the stops that are lost when a stop ends later than it did.

        :param key: of the measurer
        :param stop_key: of the stop that ends later
        :param int before: moment at which it ended
        :param int after: moment at which it ends now
        """
        tour = self.tours[key]
        origin = next(stop for stop in tour.stops if stop.key == stop_key)
        lost = []
        for stop in tour.stops:
            if stop.start < before or stop.key == stop_key:
                continue
            if stop.start < after:
                lost.append(stop.key)
                continue
            way = (self.travel.get_minutes(origin.place, stop.place) + self.buffer) * 60
            if (
                tour.get_travel_time(after, stop.start)
                < way
                <= tour.get_travel_time(before, stop.start)
            ):
                lost.append(stop.key)
            break
        return lost


def get_starts(clock, low, high, every_hour=True):
    """Return the starts between two moments that people like to hear on the wall clock.

    The first quarter of an hour, and after it, at least half an hour later, every full hour.
    """
    index = bisect_left(clock.quarters, low)
    if index == len(clock.quarters) or clock.quarters[index] > high:
        return []
    first = clock.quarters[index]
    if not every_hour:
        return [first]
    hours = clock.hours
    return [
        first,
        *hours[bisect_left(hours, first + HOUR // 2) : bisect_right(hours, high)],
    ]


def choose_spread(gaps, request, limit=None):
    """Return the best placements in gaps, at most ``limit``, by start and travel.

    No start comes twice while another one is left out. The starts are spread over the parts of
    the days (before 12, before 17, after): each part in turn, the soonest first, gives the one
    that adds the least travel.
    """
    choices = defaultdict(list)
    for gap in gaps:
        for start in get_starts(request.clock, gap.low, gap.high):
            choices[start].append(gap)
    if limit is None:
        chosen = [(start, gap) for start, members in choices.items() for gap in members]
    elif limit <= len(choices):
        best = {start: min(members, key=_get_gap_order) for start, members in choices.items()}
        chosen = _take_turns(best, request.clock)[:limit]
    else:
        chosen, rank = [], 0
        for members in choices.values():
            members.sort(key=_get_gap_order)
        while len(chosen) < limit and (
            best := {start: m[rank] for start, m in choices.items() if rank < len(m)}
        ):
            chosen += _take_turns(best, request.clock)
            rank += 1
        chosen = chosen[:limit]
    return sorted(
        (gap.place(request, start) for start, gap in chosen),
        key=lambda placement: placement[:3],
    )


def _take_turns(best, clock):
    """Return (start, gap) pairs: of each part of each day the best, then the second best..."""
    parts = defaultdict(list)
    for start, gap in best.items():
        hour = (start + clock.get_offset(start)) // HOUR % 24
        part = clock.get_day(start), (hour >= 12) + (hour >= 17)
        parts[part].append((gap.travel, start, gap.measurer, gap))
    turns = []
    for part, members in parts.items():
        members.sort(key=lambda member: member[:3])
        turns += [(turn, part, member) for turn, member in enumerate(members)]
    turns.sort(key=lambda entry: entry[:2])
    return [(start, gap) for _turn, _part, (_travel, start, _measurer, gap) in turns]


def _get_gap_order(gap):
    return gap.travel, gap.measurer
