"""The planner of the core's day problems by VROOM, an engine for vehicle routing."""

import logging

import vroom

from odoo.addons.crm_wholesale.tools import routing

_logger = logging.getLogger(__name__)

PROFILE = "car"
#: VROOM's most thorough search.
EXPLORATION = 5
THREADS = 4
VROOM_ERRORS = (
    vroom._vroom.VroomInputException,
    vroom._vroom.VroomInternalException,
)


def plan(problem):
    """Return VROOM's solution of a problem, looked over by the core; None when it is of no use.

    VROOM says who does what in which order. The times are the core's earliest ones, and a
    solution that breaks any rule is logged and thrown away.

    :param problem: a :class:`routing.Problem`; times are not negative, priorities at most 100
    :rtype: routing.Solution | None
    """
    if not problem.jobs or not problem.workers:
        return None
    try:
        orders = _read_orders(problem, _make_input(problem).solve(EXPLORATION, THREADS))
    except VROOM_ERRORS as error:
        _logger.warning("VROOM refused the day: %s", error)
        return None
    routes = []
    for worker, jobs in enumerate(orders):
        starts = routing.schedule(problem, worker, jobs)
        if starts is None:
            _logger.warning("VROOM's order of %s jobs of worker %s cannot be", len(jobs), worker)
            return None
        routes.append(tuple(zip(jobs, starts, strict=True)))
    placed = {job for jobs in orders for job in jobs}
    unplaced = tuple(job for job in range(len(problem.jobs)) if job not in placed)
    solution = routing.Solution(tuple(routes), unplaced)
    if faults := routing.find_faults(problem, solution):
        _logger.warning("VROOM's solution breaks rules: %s", faults)
        return None
    return solution


def _read_orders(problem, solution):
    """Return the indexes of each worker's jobs in VROOM's order."""
    orders = [[] for _worker in problem.workers]
    for step in solution.routes.to_dict("records"):
        if step["type"] == "job":
            orders[int(step["vehicle_id"])].append(int(step["id"]))
    return orders


def _make_input(problem):
    """Return the problem in VROOM's words, in which only the costs are the true travel."""
    instance = vroom.Input()
    instance.set_costs_matrix(PROFILE, problem.travel)
    instance.set_durations_matrix(PROFILE, _get_times(problem))
    limits = _get_limits(problem)
    for number, worker in enumerate(problem.workers):
        instance.add_vehicle(_make_vehicle(problem, number, worker, limits))
    for number, job in enumerate(problem.jobs):
        instance.add_job(_make_job(problem, number, job, limits))
    return instance


def _get_times(problem):
    """Return how long the legs take when each ends at a multiple of the problem's step.

    VROOM knows no such steps. It keeps them when all else does, but for a pause that ends beside
    them, and for work that begins there.
    """
    times = [list(row) for row in problem.times or problem.travel]
    for job in problem.jobs:
        start = job.windows[0][0] if _is_fixed(job) else 0
        ended = (start + job.duration) % problem.step
        row = (problem.times or problem.travel)[job.node]
        times[job.node] = [_round_up(ended + time, problem.step) - ended for time in row]
    return times


def _make_vehicle(problem, number, worker, limits):
    breaks = []
    for start, stop in worker.pauses:
        first = max(worker.begin, start)
        length = min(worker.end, _round_up(stop, problem.step)) - first
        if length > 0:
            window = vroom.TimeWindow(first, first)
            breaks.append(vroom.Break(len(breaks), [window], service=length))
    unlimited = sum(job.load for job in problem.jobs)
    loads = {limit[:2] + limit[3:]: limit.load for limit in worker.limits}
    return vroom.Vehicle(
        number,
        start=worker.home,
        end=worker.back,
        profile=PROFILE,
        capacity=[loads.get(limit, unlimited) for limit in limits],
        skills={
            index
            for index, job in enumerate(problem.jobs)
            if number in job.workers and len(job.workers) < len(problem.workers)
        },
        time_window=vroom.TimeWindow(worker.begin, worker.end),
        breaks=breaks,
    )


def _make_job(problem, number, job, limits):
    windows = job.windows
    if not _is_fixed(job):
        windows = [(_round_up(first, problem.step), last) for first, last in windows]
        windows = [(first, last) for first, last in windows if first <= last] or job.windows
    return vroom.Job(
        number,
        location=job.node,
        default_service=job.duration,
        # A limit of a part of the day counts the jobs that cannot but start in it.
        pickup=[
            job.load
            * (kind in (None, job.kind))
            * (first <= job.windows[0][0] and job.windows[-1][1] < last)
            for first, last, kind in limits
        ],
        skills={number} if len(job.workers) < len(problem.workers) else set(),
        priority=job.priority,
        time_windows=[vroom.TimeWindow(*window) for window in windows],
    )


def _is_fixed(job):
    return job.windows[0][0] == job.windows[-1][1]


def _get_limits(problem):
    """Return the different things that any worker's limits are about."""
    limits = {limit[:2] + limit[3:] for worker in problem.workers for limit in worker.limits}
    return sorted(limits, key=lambda limit: (*limit[:2], limit[2] or ""))


def _round_up(moment, step):
    return -(-moment // step) * step
