from . import test_activity_due_at
from . import test_activity_quiet
from . import test_booking
from . import test_js
from . import test_milestone
from . import test_phone_flag
from . import test_visit
