from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.crm_wholesale.tests import test_plan as core
from odoo.addons.crm_wholesale.tests.common import NOW

from ..tools import vroom_planner


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPlanWithVroom(core.TestPlan):
    """What holds for the simple planner's proposals holds for VROOM's."""

    allow_inherited_tests_method = True
    planner = "vroom"

    def test_fallback(self):
        self._book_crosswise()
        with patch.object(vroom_planner, "plan", return_value=None):
            plan = self._plan()
        self.assertEqual((plan.planner, plan.change_count), ("simple", 2))
