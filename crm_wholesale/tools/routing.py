"""Who goes where in which order on one day: vehicle routing with time windows in pure Python.

The simple planner of the core: jobs are inserted by regret, then taken out and inserted anew, one
by one and with their neighbours, as long as that saves travel. Times and travel are whole numbers
of one unit of the caller's choice, which makes the arithmetic exact. The same problem always has
the same solution.
"""

from itertools import pairwise
from typing import NamedTuple

#: How many neighbouring jobs are taken out at once, round by round.
SIZES = (1, 5, 10, 15)


class Job(NamedTuple):
    """Something to be done at one place, by one worker."""

    #: Row and column of its place in the tables of travel.
    node: int
    duration: int
    #: Pairs (earliest, latest) in rising order; the job starts within one of them.
    windows: tuple
    #: Indexes of the workers who may do it.
    workers: frozenset
    #: How much of the workers' limits it takes.
    load: int = 1
    #: Jobs of a higher priority are placed first; from 0 to 100.
    priority: int = 0
    #: What a limit of its own may count, beside those that count everything.
    kind: str | None = None
    #: The start that is chosen where it costs no travel.
    wish: int | None = None


class Limit(NamedTuple):
    """The jobs that start from ``begin`` until before ``end`` take at most ``load`` together."""

    begin: int
    end: int
    load: int
    #: Only jobs of this kind count; None for all.
    kind: str | None = None


class Worker(NamedTuple):
    """Someone with a day of their own."""

    #: The day's first and last moment for travel and work.
    begin: int
    end: int
    #: Nodes where the day starts and ends; None where that costs no travel.
    home: int | None = None
    back: int | None = None
    #: Pairs (begin, end) in rising order, disjoint: neither travel nor work.
    pauses: tuple = ()
    limits: tuple = ()


class Problem(NamedTuple):
    """Jobs, workers, and the travel from each node to each other one."""

    jobs: tuple
    workers: tuple
    #: What is to be little: a table of rows, one for each node.
    travel: tuple
    #: How long each leg takes, if that is not the same.
    times: tuple | None = None
    #: Jobs start at multiples of this, at the beginning of a window or at their wish.
    step: int = 1


class Solution(NamedTuple):
    """For each worker the pairs (job, start) in order, and the jobs that found no place."""

    routes: tuple
    unplaced: tuple


def plan(problem):
    """Return a feasible solution with little travel; see the module.

    :rtype: Solution
    """
    return _Planner(problem).solve()


def schedule(problem, worker, jobs):
    """Return the starts of a worker's jobs in this order: each at its wish, else the earliest.

    :param int worker: index of the worker
    :param jobs: indexes of the jobs
    :return: list of starts, or None when the worker cannot do them all in this order
    """
    route = _Route(problem, *_get_tables(problem), worker)
    return route.get_starts() if route.set_jobs(list(jobs)) else None


def get_travel(problem, worker, jobs):
    """Return the travel time of a worker's day with these jobs in this order.

    Without jobs nobody sets out.
    """
    if not jobs:
        return 0
    home, back = problem.workers[worker].home, problem.workers[worker].back
    nodes = [problem.jobs[job].node for job in jobs]
    nodes = [home, *nodes, back]
    return sum(
        problem.travel[one][other]
        for one, other in pairwise(nodes)
        if one is not None and other is not None
    )


def find_faults(problem, solution):
    """Return what is wrong with a solution, whoever made it; an empty list when nothing is.

    Shares no code with the planner: it looks at times, pauses, limits and travel one by one.

    :return: list of tuples (code, worker, job); code is one of ``times``, ``worker``, ``window``,
        ``pause``, ``travel``, ``limit``
    """
    faults = []
    placed = [job for route in solution.routes for job, _start in route]
    if sorted([*placed, *solution.unplaced]) != list(range(len(problem.jobs))):
        faults.append(("times", None, None))
    for index, (worker, route) in enumerate(zip(problem.workers, solution.routes, strict=True)):
        node, free = worker.home, worker.begin
        for number, start in route:
            job = problem.jobs[number]
            stop = start + job.duration
            if index not in job.workers:
                faults.append(("worker", index, number))
            if not any(earliest <= start <= latest for earliest, latest in job.windows):
                faults.append(("window", index, number))
            if any(start < end and begin < stop for begin, end in worker.pauses):
                faults.append(("pause", index, number))
            if not _can_travel(problem, worker, node, job.node, free, start):
                faults.append(("travel", index, number))
            node, free = job.node, stop
        if route and not _can_travel(problem, worker, node, worker.back, free, worker.end):
            faults.append(("travel", index, None))
        for limit in worker.limits:
            loads = [
                problem.jobs[job].load
                for job, start in route
                if limit.begin <= start < limit.end and limit.kind in (None, problem.jobs[job].kind)
            ]
            if sum(loads) > limit.load:
                faults.append(("limit", index, None))
    return faults


def _can_travel(problem, worker, origin, destination, begin, end):
    """Tell whether the free time between two moments is enough for a leg."""
    time = end - begin
    if time < 0:
        return False
    paused = sum(max(0, min(end, stop) - max(begin, start)) for start, stop in worker.pauses)
    if origin is None or destination is None:
        return True
    return (problem.times or problem.travel)[origin][destination] <= time - paused


def _get_tables(problem):
    """Return travel and times with one more node, the last, to and from which there is none."""
    return [
        [[*row, 0] for row in table] + [[0] * (len(table) + 1)]
        for table in (problem.travel, problem.times or problem.travel)
    ]


class _Route:
    """One worker's jobs in order, with each job's earliest start and its latest bearable one."""

    def __init__(self, problem, travel, times, worker):
        self.problem = problem
        self.travel, self.times = travel, times
        self.index = worker
        self.worker = worker = problem.workers[worker]
        nowhere = len(travel) - 1
        self.home = nowhere if worker.home is None else worker.home
        self.back = nowhere if worker.back is None else worker.back
        whole = [
            limit
            for limit in worker.limits
            if limit.begin <= worker.begin and limit.end > worker.end and limit.kind is None
        ]
        self.capacity = min((limit.load for limit in whole), default=None)
        #: Limits that depend on more than the number of jobs.
        self.limits = [limit for limit in worker.limits if limit not in whole]
        self.set_jobs([])

    def set_jobs(self, jobs):
        """Take these jobs in this order; return False, and be unusable, when that cannot be."""
        self.jobs = jobs
        members = [self.problem.jobs[job] for job in jobs]
        self.load = sum(job.load for job in members)
        if self.capacity is not None and self.load > self.capacity:
            return False
        if any(self.index not in job.workers for job in members):
            return False
        self.nodes = [self.home, *(job.node for job in members), self.back]
        self.starts = self._get_earliest(members)
        if self.starts is None:
            return False
        stops = [start + job.duration for start, job in zip(self.starts, members, strict=True)]
        self.departures = [self.worker.begin, *stops]
        self.latest = self._get_latest(members)
        if self.latest is None or self.departures[-1] > self.worker.end:
            return False
        return self._keeps_limits(members, self.starts)

    def get_starts(self):
        """Return the starts of the jobs: the earliest, or the wish where the rest bears it."""
        members = [self.problem.jobs[job] for job in self.jobs]
        starts = self._get_earliest(members, self.latest)
        return starts if self._keeps_limits(members, starts) else self.starts

    def _get_earliest(self, jobs, latest=None):
        """Return the earliest starts of jobs in this order, or None.

        :param latest: where given, a wish that is no later than this is preferred
        """
        starts, node, departure = [], self.home, self.worker.begin
        for position, job in enumerate(jobs):
            arrival = self._go(departure, self.times[node][job.node])
            start = self._fit(job, arrival)
            if start is None:
                return None
            if latest and job.wish is not None and arrival <= job.wish <= latest[position]:
                start = job.wish if self._is_possible(job, job.wish) else start
            starts.append(start)
            node, departure = job.node, start + job.duration
        return starts

    def _get_latest(self, jobs):
        """Return the latest start of each job that the rest bears, and the day's end; or None."""
        latest, following = [self.worker.end], self.back
        for job, start in zip(reversed(jobs), reversed(self.starts), strict=True):
            bound = self._fit_back(job, self._go_back(latest[-1], self.times[job.node][following]))
            if bound is None or bound < start:
                return None
            latest.append(bound)
            following = job.node
        return latest[::-1]

    def find_place(self, number):
        """Return (added travel, position) of the cheapest place for a job, or None."""
        job = self.problem.jobs[number]
        if self.index not in job.workers:
            return None
        if self.capacity is not None and self.load + job.load > self.capacity:
            return None
        travel, times, nodes = self.travel, self.times, self.nodes
        outward, first, last = times[job.node], job.windows[0][0], job.windows[-1][1]
        best = None
        for position, departure in enumerate(self.departures):
            if departure > last:
                break
            before, after = nodes[position], nodes[position + 1]
            added = travel[before][job.node] + travel[job.node][after]
            added -= travel[before][after] if self.jobs else 0
            if best and added >= best[0]:
                continue
            # Most places are out of the question at once, without looking at pauses.
            there, latest = times[before][job.node], self.latest[position]
            if max(departure + there, first) + job.duration + outward[after] > latest:
                continue
            start = self._fit(job, self._go(departure, there))
            if start is None:
                continue
            arrival = self._go(start + job.duration, outward[after])
            if position < len(self.jobs):
                arrival = self._fit(self.problem.jobs[self.jobs[position]], arrival)
            if arrival is None or arrival > latest:
                continue
            if self.limits and not self._would_keep_limits(number, position):
                continue
            best = added, position
        return best

    def get_travel(self):
        """Return the travel time of the route."""
        if not self.jobs:
            return 0
        return sum(self.travel[one][other] for one, other in pairwise(self.nodes))

    def _would_keep_limits(self, number, position):
        jobs = [*self.jobs[:position], number, *self.jobs[position:]]
        members = [self.problem.jobs[job] for job in jobs]
        return self._keeps_limits(members, self._get_earliest(members))

    def _keeps_limits(self, jobs, starts):
        return all(
            sum(
                job.load
                for job, start in zip(jobs, starts, strict=True)
                if limit.begin <= start < limit.end and limit.kind in (None, job.kind)
            )
            <= limit.load
            for limit in self.limits
        )

    def _is_possible(self, job, start):
        """Tell whether a job may start at this moment, as far as windows and pauses go."""
        return any(earliest <= start <= latest for earliest, latest in job.windows) and not any(
            start < end and begin < start + job.duration for begin, end in self.worker.pauses
        )

    def _go(self, moment, travel):
        """Return when a leg is over that is begun at this moment; pauses interrupt it."""
        arrival = moment + travel
        for begin, end in self.worker.pauses:
            if begin >= arrival:
                break
            if end > moment:
                arrival += end - max(begin, moment)
        return arrival

    def _go_back(self, moment, travel):
        """Return when a leg must be begun at the latest to be over at this moment."""
        departure = moment - travel
        for begin, end in reversed(self.worker.pauses):
            if end <= departure:
                break
            if begin < moment:
                departure -= min(end, moment) - begin
        return departure

    def _fit(self, job, moment):
        """Return the first start of a job from this moment on, or None."""
        step = self.problem.step
        for earliest, latest in job.windows:
            if latest < moment:
                continue
            start = earliest if earliest >= moment else -(-moment // step) * step
            for begin, end in self.worker.pauses:
                if start < end and start + job.duration > begin:
                    start = -(-end // step) * step
            if start <= latest:
                return start
        return None

    def _fit_back(self, job, moment):
        """Return the last start of a job that is over at this moment, or None."""
        for earliest, latest in reversed(job.windows):
            start = self._round_down(min(latest, moment - job.duration), earliest)
            for begin, end in reversed(self.worker.pauses):
                if start < end and start + job.duration > begin:
                    start = self._round_down(begin - job.duration, earliest)
            if start >= earliest:
                return start
        return None

    def _round_down(self, moment, earliest):
        """Return the last moment up to this one at which a job may start in its window."""
        rounded = moment // self.problem.step * self.problem.step
        return earliest if rounded < earliest <= moment else rounded


class _Planner:
    """Places the jobs of a problem."""

    def __init__(self, problem):
        self.problem = problem
        tables = _get_tables(problem)
        self.routes = [_Route(problem, *tables, index) for index in range(len(problem.workers))]
        jobs = range(len(problem.jobs))
        #: Workers who differ in nothing; of those without a job only the first is looked at.
        self.twins = [
            (worker, tuple(job for job in jobs if index in problem.jobs[job].workers))
            for index, worker in enumerate(problem.workers)
        ]
        self.unplaced = []

    def solve(self):
        """Return the solution."""
        self._insert_by_priority(range(len(self.problem.jobs)))
        for size in SIZES:
            self._improve(size)
        while self._insert_waiting():
            pass
        return Solution(
            tuple(tuple(zip(route.jobs, route.get_starts(), strict=True)) for route in self.routes),
            tuple(sorted(self.unplaced)),
        )

    def _improve(self, size):
        """Take each job and its nearest neighbours out once and place them anew, if that helps."""
        jobs, travel = self.problem.jobs, self.problem.travel
        for number, job in enumerate(jobs):
            near = sorted(
                range(len(jobs)),
                key=lambda other: (
                    other != number,
                    travel[job.node][jobs[other].node] + travel[jobs[other].node][job.node],
                    other,
                ),
            )
            self._replace(set(near[:size]) | set(self.unplaced))

    def _replace(self, numbers):
        """Take these jobs out and place them anew; undo that when it is no better."""
        kept = [route.jobs for route in self.routes]
        unplaced, cost = self.unplaced, self._get_cost()
        if not self._take_out(numbers) or self._put_back(numbers) >= cost:
            self.unplaced = unplaced
            for route, former in zip(self.routes, kept, strict=True):
                if route.jobs != former:
                    route.set_jobs(former)

    def _take_out(self, numbers):
        """Take jobs out of their routes; return False when that makes one of them impossible."""
        return all(
            route.set_jobs([job for job in route.jobs if job not in numbers])
            for route in self.routes
            if not numbers.isdisjoint(route.jobs)
        )

    def _put_back(self, numbers):
        """Place jobs anew, by priority; return the cost."""
        self.unplaced = []
        self._insert_by_priority(numbers)
        return self._get_cost()

    def _insert_by_priority(self, numbers):
        jobs = self.problem.jobs
        for priority in sorted({jobs[number].priority for number in numbers}, reverse=True):
            self._insert(sorted(n for n in numbers if jobs[n].priority == priority))

    def _insert_waiting(self):
        """Place what has no place yet and finds one by now; return whether there was any."""
        waiting, self.unplaced = self.unplaced, []
        self._insert_by_priority(waiting)
        return len(self.unplaced) < len(waiting)

    def _get_cost(self):
        """Return what counts: jobs without a place by priority, then travel."""
        waiting = sorted((self.problem.jobs[job].priority for job in self.unplaced), reverse=True)
        return waiting, sum(route.get_travel() for route in self.routes)

    def _get_candidates(self):
        """Return the routes worth a look: all but repeated empty ones."""
        seen = set()
        routes = []
        for route, twin in zip(self.routes, self.twins, strict=True):
            if not route.jobs:
                if twin in seen:
                    continue
                seen.add(twin)
            routes.append(route)
        return routes

    def _insert(self, numbers):
        """Place these jobs, first those that would lose most by waiting."""
        places = {number: {} for number in numbers}
        changed = candidates = self._get_candidates()
        while places:
            choice = None
            for number, by_route in places.items():
                for route in changed:
                    by_route[route.index] = route.find_place(number)
                offers = sorted(
                    (*by_route[route.index], route.index)
                    for route in candidates
                    if by_route[route.index]
                )
                if not offers:
                    continue
                regret = offers[1][0] - offers[0][0] if len(offers) > 1 else float("inf")
                key = (-regret, offers[0][0], number)
                if choice is None or key < choice[0]:
                    choice = key, number, offers[0]
            if choice is None:
                self.unplaced += places
                return
            _key, number, (_added, position, index) = choice
            del places[number]
            route = self.routes[index]
            route.set_jobs([*route.jobs[:position], number, *route.jobs[position:]])
            before = {route.index for route in candidates}
            candidates = self._get_candidates()
            changed = [route, *(other for other in candidates if other.index not in before)]
