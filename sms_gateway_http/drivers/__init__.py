"""The gateways that messages can be handed to, one small file each.

To add one: subclass `Driver`, and name the class in `DRIVERS`. The key is stored on
`sms.gateway.driver`; never rename it.
"""

from .base import Driver, Message, ObstructedDriver, Result
from .http_json import HttpJsonDriver
from .outbox import OutboxDriver

DRIVERS = {
    "http_json": HttpJsonDriver,
    "test": OutboxDriver,
}
