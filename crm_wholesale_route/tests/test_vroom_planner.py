from itertools import permutations, product
from unittest.mock import patch

from hypothesis import given, settings

from odoo.tests import BaseCase

from odoo.addons.crm_wholesale.tests.test_routing import problems
from odoo.addons.crm_wholesale.tools import routing
from odoo.addons.crm_wholesale.tools.routing import Job, Limit, Problem, Solution, Worker

from ..tools import vroom_planner

LOGGER = "odoo.addons.crm_wholesale_route.tools.vroom_planner"
HORIZON = 200
#: From each of five places on a square and its middle to each other one.
SQUARE = (
    (0, 10, 14, 10, 7),
    (10, 0, 10, 14, 7),
    (14, 10, 0, 10, 7),
    (10, 14, 10, 0, 7),
    (7, 7, 7, 7, 0),
)


def _make_problem(jobs, workers, **values):
    return Problem(tuple(jobs), tuple(workers), SQUARE, **values)


def _find_best(problem):
    """Return the least travel of a tiny day on which every job has a place, by trying all."""
    best = None
    for owners in product(range(len(problem.workers)), repeat=len(problem.jobs)):
        travel = 0
        for worker in range(len(problem.workers)):
            mine = [job for job, owner in enumerate(owners) if owner == worker]
            ways = [
                routing.get_travel(problem, worker, order)
                for order in permutations(mine)
                if routing.schedule(problem, worker, order) is not None
            ]
            if not ways:
                break
            travel += min(ways)
        else:
            best = travel if best is None else min(best, travel)
    return best


class TestVroomPlanner(BaseCase):
    @given(problems())
    @settings(max_examples=40, deadline=None, derandomize=True)
    def test_no_infeasible_route_ever(self, problem):
        with patch(f"{LOGGER}._logger"):
            solution = vroom_planner.plan(problem)
            self.assertEqual(vroom_planner.plan(problem), solution, "the same day, the same plan")
        if solution:
            self.assertEqual(routing.find_faults(problem, solution), [])

    def test_best_of_all(self):
        """On tiny days nothing is shorter than what VROOM finds."""
        everybody = frozenset({0, 1})
        worker = Worker(0, HORIZON, 4, 4)
        job = Job(0, 10, ((0, HORIZON),), everybody)
        cases = {
            "free": ([job._replace(node=node) for node in range(4)], [worker] * 2),
            "windows": (
                [
                    job._replace(node=0, windows=((90, 95),)),
                    job._replace(node=1, windows=((7, 10), (120, 130))),
                    job._replace(node=2, windows=((90, 95),)),
                    job._replace(node=3),
                ],
                [worker] * 2,
            ),
            "skills": (
                [job._replace(node=node, workers=frozenset({node % 2})) for node in range(4)],
                [worker] * 2,
            ),
            "breaks": (
                [job._replace(node=node, duration=30) for node in range(4)],
                [worker._replace(pauses=((50, 80),)), worker._replace(begin=60)],
            ),
            "capacity": (
                [job._replace(node=node) for node in range(4)],
                [worker._replace(limits=(Limit(0, 999, 2),))] * 2,
            ),
            "homes": (
                [job._replace(node=node) for node in range(4)],
                [worker._replace(home=0, back=None), worker._replace(home=None, back=2)],
            ),
            "fixed": (
                [
                    job._replace(node=0, windows=((40, 40),), workers=frozenset({1}), priority=100),
                    *(job._replace(node=node) for node in (1, 2, 3)),
                ],
                [worker] * 2,
            ),
        }
        for name, (jobs, workers) in cases.items():
            with self.subTest(name):
                problem = _make_problem(jobs, workers)
                solution = vroom_planner.plan(problem)
                self.assertEqual(solution.unplaced, ())
                travel = sum(
                    routing.get_travel(problem, worker, [job for job, _start in route])
                    for worker, route in enumerate(solution.routes)
                )
                self.assertEqual(travel, _find_best(problem))

    def test_on_the_grid(self):
        jobs = [Job(node, 10, ((3, HORIZON),), frozenset({0})) for node in range(3)]
        jobs.append(Job(3, 10, ((52, 52),), frozenset({0}), priority=100))
        problem = _make_problem(jobs, [Worker(0, HORIZON, 4, 4, ((70, 83),))], step=15)
        solution = vroom_planner.plan(problem)
        self.assertEqual(solution.unplaced, ())
        starts = dict(solution.routes[0])
        self.assertEqual(starts.pop(3), 52)
        self.assertTrue(all(start % 15 == 0 for start in starts.values()))

    def test_priority(self):
        jobs = [Job(node, 60, ((0, 90),), frozenset({0}), priority=node) for node in range(3)]
        solution = vroom_planner.plan(_make_problem(jobs, [Worker(0, 100, 4, 4)]))
        self.assertEqual(solution.unplaced, (0, 1))

    def test_rule_that_vroom_does_not_know(self):
        """Of two that may come before and after noon only one may come before it."""
        jobs = [Job(node, 10, ((0, 150),), frozenset({0})) for node in range(2)]
        limits = (Limit(0, 999, 5), Limit(0, 100, 1), Limit(100, 999, 5))
        problem = _make_problem(jobs, [Worker(0, HORIZON, 4, 4, (), limits)])
        with self.assertLogs(LOGGER, "WARNING") as logs:
            self.assertIsNone(vroom_planner.plan(problem))
        self.assertIn("cannot be", logs.output[0])

    def test_what_breaks_a_rule_is_thrown_away(self):
        problem = _make_problem([Job(0, 10, ((0, 99),), frozenset({0}))], [Worker(0, 100, 4, 4)])
        late = Solution((((0, 150),),), ())
        with (
            patch.object(routing, "schedule", return_value=[150]),
            self.assertLogs(LOGGER, "WARNING") as logs,
        ):
            self.assertIsNone(vroom_planner.plan(problem))
        self.assertIn(str(routing.find_faults(problem, late)), logs.output[0])

    def test_refused_input(self):
        job = Job(0, 10, ((0, 99),), frozenset({0}), priority=101)
        problem = _make_problem([job], [Worker(0, 100, 4, 4)])
        with self.assertLogs(LOGGER, "WARNING") as logs:
            self.assertIsNone(vroom_planner.plan(problem))
        self.assertIn("refused", logs.output[0])

    def test_nothing_to_do(self):
        self.assertIsNone(vroom_planner.plan(_make_problem([], [Worker(0, 9, 0, 0)])))
