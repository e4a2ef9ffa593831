from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..tools import routing
from ..tools.routing import Job, Limit, Problem, Solution, Worker

#: From each of four places in a row to each other one.
LINE = tuple(tuple(abs(one - other) * 10 for other in range(4)) for one in range(4))
HORIZON = 200


def _make_pauses(draw):
    bounds = sorted(draw(st.lists(st.integers(0, HORIZON), max_size=4, unique=True)))
    return tuple(zip(bounds[::2], bounds[1::2], strict=False))


@st.composite
def problems(draw, max_jobs=8):
    """Return days in which nothing is regular: no triangle holds, pauses and limits lie anyhow."""
    moments = st.integers(0, HORIZON)
    worker_count = draw(st.integers(1, 3))
    job_count = draw(st.integers(0, max_jobs))
    workers = []
    for number in range(worker_count):
        begin = draw(st.integers(0, HORIZON // 2))
        limits = [Limit(0, HORIZON * 2, draw(st.integers(0, 6)))]
        if draw(st.booleans()):
            middle, kind = draw(moments), draw(st.sampled_from([None, "ordinary"]))
            limits.append(Limit(0, middle, draw(st.integers(0, 2)), kind))
        home = draw(st.sampled_from([None, job_count + number]))
        back = draw(st.sampled_from([None, job_count + number]))
        end = draw(st.integers(begin, HORIZON))
        workers.append(Worker(begin, end, home, back, _make_pauses(draw), tuple(limits)))
    jobs = []
    for node in range(job_count):
        windows = []
        for _window in range(draw(st.integers(1, 2))):
            first = windows[-1][1] + 1 if windows else 0
            first += draw(st.integers(0, HORIZON))
            windows.append((first, first + draw(st.integers(0, 80))))
        who = draw(st.sets(st.integers(0, worker_count - 1)))
        kind = draw(st.sampled_from([None, "ordinary"]))
        wish = draw(st.sampled_from([None, 30, 77, 120]))
        length, priority = draw(st.integers(1, 40)), draw(st.sampled_from([0, 50]))
        jobs.append(Job(node, length, tuple(windows), frozenset(who), 1, priority, kind, wish))
    size = job_count + worker_count
    row = st.lists(st.integers(0, 40), min_size=size, max_size=size).map(tuple)
    tables = [tuple(draw(row) for _row in range(size)) for _table in range(2)]
    return Problem(tuple(jobs), tuple(workers), *tables, step=draw(st.sampled_from([1, 5, 15])))


class TestRouting(BaseCase):
    def _get_problem(self, jobs, *workers, **values):
        return Problem(tuple(jobs), workers or (Worker(0, HORIZON, 0, 0),), LINE, **values)

    def _get_job(self, node, duration=10, windows=((0, HORIZON),), workers=(0,), **values):
        return Job(node, duration, windows, frozenset(workers), **values)

    @given(problems())
    @settings(max_examples=150, deadline=None, derandomize=True)
    def test_no_infeasible_route_ever(self, problem):
        solution = routing.plan(problem)
        self.assertEqual(routing.find_faults(problem, solution), [])
        self.assertEqual(routing.plan(problem), solution, "the same day, the same plan")

    @given(problems(max_jobs=4))
    @settings(max_examples=60, deadline=None, derandomize=True)
    def test_what_is_left_out_finds_no_place(self, problem):
        solution = routing.plan(problem)
        for job in solution.unplaced:
            for worker, route in enumerate(solution.routes):
                jobs = [number for number, _start in route]
                for position in range(len(jobs) + 1):
                    tried = [*jobs[:position], job, *jobs[position:]]
                    self.assertIsNone(routing.schedule(problem, worker, tried))

    def test_shortest_way_of_a_small_day(self):
        problem = self._get_problem(self._get_job(node) for node in (3, 1, 2))
        solution = routing.plan(problem)
        jobs = [job for job, _start in solution.routes[0]]
        shortest = min(routing.get_travel(problem, 0, order) for order in permutations(range(3)))
        self.assertEqual(routing.get_travel(problem, 0, jobs), shortest)

    def test_starts(self):
        lunch = Worker(0, HORIZON, 0, 0, pauses=((35, 50),))
        cases = [
            ("earliest", self._get_job(1), Worker(0, HORIZON, 0, 0), 1, 10),
            ("on the grid", self._get_job(1), Worker(0, HORIZON, 0, 0), 15, 15),
            ("after the pause", self._get_job(2, duration=20), lunch, 1, 50),
            (
                "the way is interrupted",
                self._get_job(3, 5),
                Worker(10, 99, 0, 0, ((35, 50),)),
                1,
                55,
            ),
            ("at the wish", self._get_job(1, wish=77), Worker(0, HORIZON, 0, 0), 15, 77),
            ("no wish in a pause", self._get_job(1, wish=40), lunch, 1, 10),
            ("in the second window", self._get_job(3, windows=((0, 9), (60, 70))), lunch, 1, 60),
        ]
        for name, job, worker, step, start in cases:
            with self.subTest(name):
                problem = self._get_problem([job], worker, step=step)
                self.assertEqual(routing.schedule(problem, 0, [0]), [start])
                self.assertEqual(routing.plan(problem).routes, (((0, start),),))

    def test_way_through_a_pause_leaves_no_room(self):
        """Who must set out at 40 to be there at 90 has no time for another job before."""
        worker = Worker(0, HORIZON, 0, 0, ((50, 80),))
        first = self._get_job(1, duration=20, windows=((10, 60),), priority=50)
        second = self._get_job(3, windows=((85, 90),), priority=50)
        extra = self._get_job(1, duration=8, windows=((0, 99),))
        for length, unplaced in ((8, ()), (12, (2,))):
            jobs = [first, second, extra._replace(duration=length, windows=((10, 20),))]
            problem = self._get_problem(jobs, worker)
            solution = routing.plan(problem)
            self.assertEqual(solution.unplaced, unplaced)
            self.assertEqual(routing.find_faults(problem, solution), [])

    def test_no_place(self):
        worker = Worker(0, 100, 0, 0)
        cases = [
            ("nobody may", self._get_job(1, workers=()), worker),
            ("too late", self._get_job(1, windows=((0, 9),)), worker),
            ("too long", self._get_job(1, duration=81), worker),
            ("full", self._get_job(1), worker._replace(limits=(Limit(0, 200, 0),))),
            ("in a pause", self._get_job(1, duration=40), worker._replace(pauses=((40, 60),))),
        ]
        for name, job, who in cases:
            with self.subTest(name):
                self.assertEqual(routing.plan(self._get_problem([job], who)).unplaced, (0,))

    def test_priority(self):
        worker = Worker(0, HORIZON, 0, 0, limits=(Limit(0, 2 * HORIZON, 1),))
        jobs = [self._get_job(1), self._get_job(3, priority=50)]
        self.assertEqual(routing.plan(self._get_problem(jobs, worker)).unplaced, (0,))

    def test_limit_of_a_kind_and_of_a_part_of_the_day(self):
        limits = (Limit(0, 2 * HORIZON, 3), Limit(0, 2 * HORIZON, 1, "ordinary"))
        jobs = [self._get_job(1, kind="ordinary"), self._get_job(2, kind="ordinary")]
        problem = self._get_problem([*jobs, self._get_job(3)], Worker(0, 99, 0, 0, (), limits))
        self.assertEqual(len(routing.plan(problem).unplaced), 1)
        morning = (Limit(0, 100, 1),)
        jobs = [self._get_job(1, windows=((0, 50),)), self._get_job(2, windows=((0, 50),))]
        problem = self._get_problem(jobs, Worker(0, HORIZON, 0, 0, (), morning))
        self.assertEqual(len(routing.plan(problem).unplaced), 1)

    def test_each_fault_is_found(self):
        job = self._get_job(2, windows=((0, 60),))
        worker = Worker(0, 100, 0, 0, ((40, 50),), (Limit(0, 100, 1),))
        problem = self._get_problem([job, self._get_job(1, windows=((0, 99),))], worker)
        cases = [
            ("times", ((0, 20),), ()),
            ("window", ((0, 70),), (1,)),
            ("pause", ((0, 35),), (1,)),
            ("travel", ((0, 19),), (1,)),
            ("travel", ((1, 81),), (0,)),
            ("limit", ((1, 10), (0, 30)), ()),
        ]
        self.assertEqual(routing.find_faults(problem, Solution((((0, 20),),), (1,))), [])
        for code, route, unplaced in cases:
            with self.subTest(code, route=route):
                faults = routing.find_faults(problem, Solution((route,), unplaced))
                self.assertIn(code, [fault[0] for fault in faults])
        stranger = self._get_problem([job._replace(workers=frozenset())], worker)
        self.assertIn("worker", routing.find_faults(stranger, Solution((((0, 20),),), ()))[0])
