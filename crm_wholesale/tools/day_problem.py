"""A day of several measurers as a problem for a planner of routes, and its solution as places.

Moments are seconds since 1970, ways are minutes, as in :mod:`.schedule`.
"""

from itertools import pairwise
from typing import NamedTuple

from .intervals import merge, subtract
from .routing import Job, Limit, Problem, Solution, Worker, find_faults
from .schedule import Request
from .walltime import DAY

PRIORITIES = {"fixed": 100, "booked": 90, "urgent": 50, "waiting": 20}
ORDINARY = "ordinary"
#: Visits start on a quarter of an hour, in seconds.
STEP = 15 * 60


class Visit(NamedTuple):
    """A visit that a plan may place."""

    request: Request
    #: Pairs (first, last) of moments in rising order: the visit starts within one of them.
    windows: tuple
    #: Where it stands now, if it is booked.
    measurer: object = None
    start: int | None = None

    def get_priority(self):
        """Return how much the visit must be placed."""
        if self.measurer:
            return PRIORITIES["booked"]
        return PRIORITIES["urgent" if self.request.urgent else "waiting"]


class DayProblem:
    """Visits to place on a day of the tours of a schedule.

    Stops that the schedule holds already are facts: they stay where they are, even where they
    break a rule, and take time, ways and capacity.

    :param Schedule schedule: the tours, without the visits to place
    :param date date: the day, on each measurer's own clock
    :param visits: :class:`Visit` objects
    """

    def __init__(self, schedule, date, visits):
        self.schedule = schedule
        self.visits = list(visits)
        self.keys = sorted(schedule.tours)
        tours = [schedule.tours[key] for key in self.keys]
        days = [tour.days.dates.index(date) for tour in tours]
        self._bounds = [
            (tour.days.midnights[day], tour.days.noons[day], tour.days.midnights[day + 1])
            for tour, day in zip(tours, days, strict=True)
        ]
        self._zero = min((begin for begin, _noon, _end in self._bounds), default=0) // STEP * STEP
        #: The place where each node is reached, and the place where it is left.
        self._places = [(visit.request.place,) * 2 for visit in self.visits]
        jobs = [self._make_job(number, tours) for number in range(len(self.visits))]
        workers = []
        for number, tour in enumerate(tours):
            worker, fixed = self._make_worker(number, tour)
            workers.append(worker)
            jobs += fixed
        homes = {worker.home for worker in workers}
        get_minutes = schedule.travel.get_minutes
        travel = [
            [get_minutes(left, reached) for reached, _left in self._places]
            for _reached, left in self._places
        ]
        times = [
            [
                # The ways from and to the home lie outside working hours.
                0 if homes & {one, other} else minutes + schedule.buffer
                for other, minutes in enumerate(row)
            ]
            for one, row in enumerate(travel)
        ]
        self.problem = Problem(
            tuple(jobs), tuple(workers), _to_seconds(travel), _to_seconds(times), STEP
        )

    def get_places(self, solution):
        """Return a solution as a dict from visit number to (key of the measurer, start)."""
        return {
            number: (key, start + self._zero)
            for key, route in zip(self.keys, solution.routes, strict=True)
            for number, start in route
            if number < len(self.visits)
        }

    def find_faults(self, places):
        """Return what is wrong with places, as :func:`.routing.find_faults` does.

        :param dict places: what :meth:`get_places` returns
        """
        routes = []
        for worker, key in enumerate(self.keys):
            route = [
                (number, start - self._zero)
                for number, (measurer, start) in places.items()
                if measurer == key
            ]
            route += [
                (number, self.problem.jobs[number].windows[0][0])
                for number in range(len(self.visits), len(self.problem.jobs))
                if worker in self.problem.jobs[number].workers
            ]
            routes.append(tuple(sorted(route, key=lambda stop: (stop[1], stop[0]))))
        unplaced = tuple(number for number in range(len(self.visits)) if number not in places)
        return find_faults(self.problem, Solution(tuple(routes), unplaced))

    def _make_job(self, number, tours):
        visit = self.visits[number]
        bounds = self._zero, max((end for _begin, _noon, end in self._bounds), default=0)
        windows = [(max(first, bounds[0]), min(last, bounds[1])) for first, last in visit.windows]
        windows = [
            (first - self._zero, last - self._zero) for first, last in windows if first <= last
        ]
        workers = {
            worker for worker, tour in enumerate(tours) if not tour.get_refusal(visit.request)
        }
        return Job(
            number,
            visit.request.length,
            tuple(windows) or ((0, 0),),
            frozenset(workers if windows else ()),
            priority=visit.get_priority(),
            kind=None if visit.request.urgent else ORDINARY,
            wish=None if visit.start is None else visit.start - self._zero,
        )

    def _make_worker(self, number, tour):
        """Return a worker, and the jobs that are facts of the day."""
        begin, _noon, end = self._bounds[number]
        taken = [stop for stop in tour.stops if stop.start < end and stop.stop > begin]
        stops = [stop for stop in taken if stop.start >= begin]
        end = max([end, *(stop.stop for stop in stops)])
        work = merge([*tour.work, *((stop.start, stop.stop) for stop in stops)])
        night = [(stop.start, stop.stop) for stop in taken if stop.start < begin]
        free = subtract(subtract([(begin, end)], subtract([(begin, end)], work)), merge(night))
        pauses = [(one[1], other[0]) for one, other in pairwise(free)]
        jobs = [self._make_fixed_job(number, block) for block in self._join(stops, pauses)]
        self._places.append((tour.home, tour.home))
        home = len(self._places) - 1
        first, last = (free[0][0], free[-1][1]) if free else (begin, begin)
        worker = Worker(
            first - self._zero,
            last - self._zero,
            home,
            home,
            tuple((start - self._zero, stop - self._zero) for start, stop in pauses),
            tuple(self._get_limits(number, tour, stops)),
        )
        return worker, jobs

    def _make_fixed_job(self, number, block):
        start = block[0].start - self._zero
        self._places.append((block[0].place, block[-1].place))
        return Job(
            len(self._places) - 1,
            max(stop.stop for stop in block) - block[0].start,
            ((start, start),),
            frozenset([number]),
            load=0,
            priority=PRIORITIES["fixed"],
        )

    def _join(self, stops, pauses):
        """Return stops in order as lists; those too near to one another to be done are one."""
        blocks = []
        for stop in stops:
            if blocks:
                before = blocks[-1][-1]
                minutes = self.schedule.travel.get_minutes(before.place, stop.place)
                free = subtract([(before.stop, stop.start)], pauses)
                time = sum(end - begin for begin, end in free)
                if time < (minutes + self.schedule.buffer) * 60 or before.stop > stop.start:
                    blocks[-1].append(stop)
                    continue
            blocks.append([stop])
        return blocks

    def _get_limits(self, number, tour, stops):
        """Yield what is left of a measurer's capacity beside the facts of the day.

        A day that holds more visits than it should may keep as many.
        """
        begin, noon, end = self._bounds[number]
        end += DAY  # a visit that begins before midnight counts for its day
        parts = [(begin, end, tour.per_day, None)]
        if tour.urgent_reserve:
            parts.append((begin, end, tour.per_day - tour.urgent_reserve, ORDINARY))
        if tour.per_half_day:
            parts.append((begin, noon, tour.per_half_day, None))
            parts.append((noon, end, tour.per_half_day, None))
        for first, last, load, kind in parts:
            taken = sum(first <= stop.start < last and not (kind and stop.urgent) for stop in stops)
            held = sum(
                visit.measurer == tour.key
                and first <= visit.start < last
                and not (kind and visit.request.urgent)
                for visit in self.visits
            )
            yield Limit(first - self._zero, last - self._zero, max(held, load - taken), kind)


def get_facts(schedule, date):
    """Return a dict from measurer's key to the stops that start on a day, in order."""
    facts = {}
    for key, tour in schedule.tours.items():
        day = tour.days.dates.index(date)
        begin, end = tour.days.midnights[day : day + 2]
        facts[key] = [stop for stop in tour.stops if begin <= stop.start < end]
    return facts


def get_ways(schedule, key, places):
    """Return the minutes of each way of a measurer's day: to each place in order, and home.

    Without places nobody sets out.
    """
    if not places:
        return []
    home = schedule.tours[key].home
    return [schedule.travel.get_minutes(*way) for way in pairwise([home, *places, home])]


def plan(schedule, date, visits, solve):
    """Return where the visits of a day go: a dict from visit to (key of the measurer, start).

    A booked visit is never lost: one that finds no legal place stays where it stands, and the
    others are placed around it. Of the rest those are left out that find no place.

    :param solve: function of a :class:`.routing.Problem` that returns its solution
    """
    free, places = list(visits), {}
    while True:
        problem = DayProblem(schedule, date, free)
        found = problem.get_places(solve(problem.problem))
        lost = [
            visit for number, visit in enumerate(free) if visit.measurer and number not in found
        ]
        if not lost:
            return places | {free[number]: place for number, place in found.items()}
        for visit in lost:
            schedule.insert(visit.measurer, visit.request, visit.start)
            places[visit] = visit.measurer, visit.start
            free.remove(visit)


def _to_seconds(table):
    return tuple(tuple(minutes * 60 for minutes in row) for row in table)
