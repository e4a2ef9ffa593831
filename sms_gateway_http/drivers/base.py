from typing import NamedTuple


class Message(NamedTuple):
    """One text for one number."""

    uuid: str  # of `sms.sms`: the same for the same message, so it is the idempotency key
    number: str  # E.164, as far as Odoo could tell
    text: str


class Result(NamedTuple):
    """What is known about a message after the call.

    `failure_type` (a value of `sms.sms.failure_type`) is empty when the gateway accepted the
    message, "gateway_unknown" when nobody can tell, and otherwise says that it was surely not
    accepted. `reason` is for people: a sentence in the driver's language.
    """

    reference: str = ""  # the gateway's own id of the message
    failure_type: str = ""
    reason: str = ""


class Driver:
    """How to talk to one kind of gateway.

    A driver is made from an `sms.gateway` record and reads all it needs when it is made: the
    caller commits between the messages, and must not pay for reading the settings each time.
    """

    def __init__(self, gateway, company):
        self.env = gateway.env
        self.gateway_id = gateway.id
        self.company_id = company.id

    @classmethod
    def get_label(cls, env):
        """Return the name of this kind of gateway, in the environment's language."""
        raise NotImplementedError

    def send(self, message):
        """Hand `message` over and return a `Result`.

        Called outside of any user's request, after the claim on the message was committed. Any
        exception that leaves this method makes the result unknown.
        """
        raise NotImplementedError


class ObstructedDriver(Driver):
    """Stands in for a driver that cannot be used now: sends nothing, and says why."""

    def __init__(self, gateway, company, reason):
        super().__init__(gateway, company)
        self.reason = reason

    def send(self, message):
        return Result(failure_type="gateway_setup", reason=self.reason)
