from . import test_access
from . import test_gateway
from . import test_http_json
from . import test_queue
from . import test_routes
