from . import test_activity_quiet
