from . import mail_notification
from . import res_company
from . import res_config_settings
from . import sms_gateway
from . import sms_gateway_test_message
from . import sms_sms
from . import sms_tracker
