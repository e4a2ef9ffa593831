from . import test_plan
from . import test_vroom_planner
