"""Days of 100 visits, planned by the simple planner and by VROOM.

Solomon's instances come from the folder of real data; without it a made-up one, which has no known
best plan, must only be feasible.
"""

import pytest
import real_data
import solomon

from odoo.addons.crm_wholesale.tools import routing
from odoo.addons.crm_wholesale_route.tools import vroom_planner

#: One of each kind, with the gaps in percent that no machine's speed can change: both planners
#: count no seconds, so that they always find the same plan.
GATES = {"C101": (1, 1), "R101": (8, 2), "RC101": (14, 4)}
PLANNERS = (routing.plan, vroom_planner.plan)


def get_names():
    """Return the instances that there are."""
    names = GATES if real_data.is_real(real_data.find_folder()) else ["made_up"]
    return sorted(names)


@pytest.mark.parametrize("name", get_names())
@pytest.mark.parametrize("index", range(len(PLANNERS)), ids=["simple", "vroom"])
def test_day_of_a_hundred_visits(name, index):
    folder = real_data.find_folder()
    instance = solomon.Instance(folder, name)
    problem = instance.get_problem()
    solution = PLANNERS[index](problem)
    assert not routing.find_faults(problem, solution)
    distance = instance.get_distance(solomon.read_orders(problem, solution))
    if name in GATES:
        reference = solomon.read_references(folder)[name]
        assert distance <= reference * (1 + GATES[name][index] / 100)


def test_broken_plans_are_found():
    """The check with real numbers is no rubber stamp."""
    folder = real_data.find_folder()
    instance = solomon.Instance(folder, get_names()[0])
    orders = solomon.read_orders(instance.get_problem(), routing.plan(instance.get_problem()))
    assert instance.get_distance(orders) > 0
    backwards = [order[::-1] for order in orders]
    for broken in (backwards, orders[1:], [[node for order in orders for node in order]]):
        with pytest.raises(AssertionError):
            instance.get_distance(broken)
