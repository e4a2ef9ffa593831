from . import distribution
from . import intervals
from . import schedule
from . import territory
from . import travel
from . import walltime
