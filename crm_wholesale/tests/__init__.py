from . import test_activity_due_at
from . import test_activity_quiet
