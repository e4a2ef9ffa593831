"""How good the plans of a day are: Solomon's 100 visits, and a day in Kyiv.

    ./dev bench routing [NAME...]

Each instance (all that the folder in REAL_DATA holds, or those named) is planned three times in
turn: by the peer, a dispatcher who always sends the vehicle on to the customer who can be served
soonest; by the core's simple planner; by VROOM. Distances are compared with the
least known ones, and every plan is looked over with real numbers. The gates are those of
PERFORMANCE: VROOM at most 1.7 % above them on average and 6 s, the simple planner 12 % and 1 s,
each in the median, nothing infeasible. Then 50 visits to places in Kyiv: minutes on the way as
they were booked one by one, and as planned. A gate that is missed makes the exit code 1.
"""

import argparse
import os
import random
import statistics
import sys
import time
from datetime import date, datetime
from pathlib import Path

from odoo.tools import config

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
config.parse_config(["--log-level=error"])

# The modules of our addons are found once the settings have been read.
import real_data  # noqa: E402
import solomon  # noqa: E402

from odoo.addons.crm_wholesale.tools import day_problem, routing  # noqa: E402
from odoo.addons.crm_wholesale.tools.schedule import Request, Schedule, Tour  # noqa: E402
from odoo.addons.crm_wholesale.tools.travel import Place, Travel, get_distance  # noqa: E402
from odoo.addons.crm_wholesale.tools.walltime import WallDays, to_moment  # noqa: E402
from odoo.addons.crm_wholesale_route.tools import vroom_planner  # noqa: E402

#: Mean gap in percent, median seconds.
GATES = {"simple": (12.0, 1.0), "VROOM": (1.7, 6.0)}
KYIV = 50.4501, 30.5234
TUESDAY = date(2026, 11, 24)
MEASURERS, VISITS, HOUR = 12, 50, 3600


def send_on(problem):
    """Plan as a dispatcher with a map does: on to the customer who can be served soonest."""
    waiting = set(range(len(problem.jobs)))
    routes = []
    for worker in problem.workers:
        route, node, free = [], worker.home, worker.begin
        load = worker.limits[0].load
        while waiting:
            best = None
            for number in waiting:
                job = problem.jobs[number]
                way, ((ready, due),) = problem.travel[node][job.node], job.windows
                start = max(free + way, ready)
                stop = start + job.duration
                if start > due or stop + problem.travel[job.node][worker.back] > worker.end:
                    continue
                if job.load <= load and (best is None or (start, way, number) < best):
                    best = start, way, number
            if best is None:
                break
            start, _way, number = best
            waiting.remove(number)
            route.append((number, start))
            job = problem.jobs[number]
            node, free, load = job.node, start + job.duration, load - job.load
        routes.append(tuple(route))
    return routing.Solution(tuple(routes), tuple(sorted(waiting)))


PLANNERS = {"soonest": send_on, "simple": routing.plan, "VROOM": vroom_planner.plan}


def compare(folder, names):
    """Plan Solomon's instances; print a table, return whether a gate was missed."""
    references = solomon.read_references(folder)
    gaps = {planner: [] for planner in PLANNERS}
    seconds = {planner: [] for planner in PLANNERS}
    infeasible = dict.fromkeys(PLANNERS, 0)
    print("instance  " + "".join(f"{planner:>9} %       s" for planner in PLANNERS))
    for name in names:
        instance = solomon.Instance(folder, name)
        problem = instance.get_problem()
        cells = []
        for planner, plan in PLANNERS.items():
            began = time.perf_counter()
            solution = plan(problem)
            seconds[planner].append(time.perf_counter() - began)
            try:
                distance = instance.get_distance(solomon.read_orders(problem, solution))
            except (AssertionError, AttributeError):
                infeasible[planner] += 1
                cells.append(" infeasible       ")
                continue
            gaps[planner].append(100 * (distance / references[name] - 1))
            cells.append(f"{gaps[planner][-1]:10.1f} {seconds[planner][-1]:8.2f}")
        print(f"{name:10}" + "".join(cells), flush=True)
    missed = False
    print(f"\n{len(names)} instances, {os.cpu_count()} cores")
    print("planner   mean gap %   worst %   median s   worst s   infeasible")
    for planner in PLANNERS:
        mean, median = statistics.mean(gaps[planner]), statistics.median(seconds[planner])
        gap, limit = GATES.get(planner, (float("inf"),) * 2)
        bad = planner in GATES and (mean > gap or median > limit or infeasible[planner] > 0)
        missed |= bad
        print(
            f"{planner:10}{mean:10.2f}{max(gaps[planner]):10.1f}{median:11.2f}"
            f"{max(seconds[planner]):10.2f}{infeasible[planner]:13}{'   MISSED' if bad else ''}"
        )
    return missed


def make_schedule(clock):
    """Return the empty days of the measurers, who all set out from the centre of Kyiv."""

    def drive(origin, destination):
        return get_distance(origin, destination) * 1.3 * 60 / 25

    travel = Travel(drive, lambda _place: frozenset(), near=20, far=45)
    day = clock.dates.index(TUESDAY)
    hours = [
        (clock.get_moment(day, first * 60), clock.get_moment(day, last * 60))
        for first, last in ((9, 13), (14, 18))
    ]
    tours = [
        Tour(key, clock, hours, home=Place(*KYIV), per_day=9) for key in range(1, MEASURERS + 1)
    ]
    return Schedule(tours, travel, buffer=10)


def book_one_by_one(clock, requests):
    """Let customers call one after the other and take the soonest start that suits them.

    :return: the visits that were booked, as :class:`day_problem.Visit`
    """
    schedule = make_schedule(clock)
    visits = []
    for request, window in requests:
        starts = schedule.find(request, window[0], window[1] + HOUR, starts=window)
        if found := min(starts, default=None):
            schedule.insert(found.measurer, request, found.start)
            visits.append(day_problem.Visit(request, (window,), found.measurer, found.start))
    return visits


def count_minutes(schedule, places):
    """Return the minutes on the way of a day: a dict from visit to (measurer, start)."""
    total = 0
    for key in schedule.tours:
        mine = sorted((start, visit) for visit, (owner, start) in places.items() if owner == key)
        total += sum(
            day_problem.get_ways(schedule, key, [visit.request.place for _start, visit in mine])
        )
    return total


def plan_kyiv(folder):
    """Plan a day in Kyiv, and print the minutes on the way before and after."""
    places = real_data.read_places(folder)
    chance = random.Random(1)
    noon = to_moment(datetime.combine(TUESDAY, datetime.min.time().replace(hour=12)))
    clock = WallDays("Europe/Kyiv", noon, noon)
    day = clock.dates.index(TUESDAY)
    requests = []
    for number, place in enumerate(chance.sample(places, min(VISITS, len(places)))):
        first = clock.get_moment(day, 60 * chance.randrange(9, 15))
        site = Place(place["latitude"], place["longitude"])
        request = Request(site, HOUR, clock, key=number, label=str(number))
        requests.append((request, (first, first + 3 * HOUR)))
    visits = book_one_by_one(clock, requests)
    before = {visit: (visit.measurer, visit.start) for visit in visits}
    print(f"\nKyiv: {len(visits)} visits within three hours each, {MEASURERS} measurers")
    print(f"as booked: {count_minutes(make_schedule(clock), before)} minutes on the way")
    for name in ("simple", "VROOM"):
        schedule = make_schedule(clock)
        began = time.perf_counter()
        found = day_problem.plan(schedule, TUESDAY, visits, PLANNERS[name])
        took = time.perf_counter() - began
        schedule = make_schedule(clock)
        minutes = count_minutes(schedule, found)
        changed = sum(found[visit] != place for visit, place in before.items())
        print(f"{name}: {minutes} minutes, {changed} visits changed, {took:.2f} s")


def main():
    """Run the benchmark; return 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="instances; all without")
    options = parser.parse_args()
    folder = real_data.find_folder()
    if not real_data.is_real(folder):
        sys.exit("REAL_DATA must name the folder with Solomon's instances.")
    names = options.names or sorted(read.stem for read in folder.glob("solomon/instances/*.txt"))
    missed = compare(folder, names)
    plan_kyiv(folder)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
