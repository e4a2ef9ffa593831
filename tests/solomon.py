"""Solomon's days with time windows, from the folder of real data, as problems for our planners."""

import csv
from math import ceil, hypot

from odoo.addons.crm_wholesale.tools.routing import Job, Limit, Problem, Worker

#: Units in one of Solomon's: ways are real numbers there and whole ones here, rounded up, so that
#: what is feasible here is feasible there.
SCALE = 100


class Instance:
    """One instance: customers with demand and windows around one depot, and vehicles for them."""

    def __init__(self, folder, name):
        lines = (folder / f"solomon/instances/{name}.txt").read_text().splitlines()
        self.name = name
        self.vehicles, self.capacity = map(int, lines[4].split())
        self.rows = [tuple(map(int, line.split()[1:])) for line in lines[9:] if line.split()]

    def get_problem(self):
        """Return the instance as a problem; job n is customer n + 1, node 0 is the depot."""
        end = self.rows[0][4] * SCALE
        limit = Limit(0, end + 1, self.capacity)
        everybody = frozenset(range(self.vehicles))
        jobs = [
            Job(
                node,
                length * SCALE,
                ((ready * SCALE, due * SCALE),),
                everybody,
                load=demand,
            )
            for node, (_x, _y, demand, ready, due, length) in enumerate(self.rows)
            if node
        ]
        nodes = range(len(self.rows))
        travel = (tuple(ceil(SCALE * self.get_way(i, j)) for j in nodes) for i in nodes)
        worker = Worker(0, end, 0, 0, (), (limit,))
        return Problem(tuple(jobs), (worker,) * self.vehicles, tuple(travel))

    def get_way(self, one, other):
        """Return the distance between two customers, which is the travel time as well."""
        (x, y, *_rest), (other_x, other_y, *_rest) = self.rows[one], self.rows[other]
        return hypot(x - other_x, y - other_y)

    def get_distance(self, orders):
        """Return the way of all vehicles, each from the depot through its customers and back.

        :raise AssertionError: when that breaks a window, the capacity or the depot's hours, or
            leaves a customer out; judged with real numbers
        """
        assert sorted(node for order in orders for node in order) == [*range(1, len(self.rows))]
        assert sum(map(bool, orders)) <= self.vehicles
        distance = 0
        for order in orders:
            assert sum(self.rows[node][2] for node in order) <= self.capacity
            here, time = 0, 0
            for node in [*order, 0] if order else []:
                way = self.get_way(here, node)
                _x, _y, _demand, ready, due, length = self.rows[node]
                assert time + way <= due, f"{self.name}: late at {node}"
                distance, time, here = distance + way, max(time + way, ready) + length, node
        return distance


def read_orders(problem, solution):
    """Return each vehicle's customers in the order of a solution."""
    return [[problem.jobs[job].node for job, _start in route] for route in solution.routes]


def read_references(folder):
    """Return the least distance known of each instance, by name."""
    with (folder / "solomon/best_known.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        return {row["instance"]: float(row["ref_distance"]) for row in rows if row["ref_distance"]}
