from . import day_problem
from . import distribution
from . import intervals
from . import routing
from . import schedule
from . import territory
from . import travel
from . import walltime
