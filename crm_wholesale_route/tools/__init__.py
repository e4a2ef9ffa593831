from . import vroom_planner
