"""The gateways that messages can be handed to, one small file each.

To add one: subclass `Driver`, and name the class in `DRIVERS`. The key is stored on
`sms.gateway.driver`; never rename it.
"""

from .base import (
    Callback,
    CallbackRefused,
    Driver,
    Message,
    ObstructedDriver,
    Reply,
    Report,
    Result,
)
from .http_json import HttpJsonDriver
from .kannel import KannelDriver
from .outbox import OutboxDriver
from .smsc import SmscDriver
from .smsfly import SmsFlyDriver
from .turbosms import TurboSmsDriver

DRIVERS = {
    "http_json": HttpJsonDriver,
    "kannel": KannelDriver,
    "smsc": SmscDriver,
    "smsfly": SmsFlyDriver,
    "turbosms": TurboSmsDriver,
    "test": OutboxDriver,
}
