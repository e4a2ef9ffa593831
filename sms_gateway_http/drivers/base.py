from typing import NamedTuple


class Message(NamedTuple):
    """One text for one number."""

    uuid: str  # of `sms.sms`: the same for the same message, so it is the idempotency key
    number: str  # E.164, as far as Odoo could tell
    text: str
    reference: str = ""  # see `Driver.make_reference`


class Result(NamedTuple):
    """What is known about a message after the call.

    `failure_type` (a value of `sms.sms.failure_type`) is empty when the gateway accepted the
    message, "gateway_unknown" when nobody can tell, and otherwise says that it was surely not
    accepted. `reason` is for people: a sentence in the driver's language.
    """

    reference: str = ""  # the gateway's own id of the message
    failure_type: str = ""
    reason: str = ""


class Report(NamedTuple):
    """What a gateway says, later on, about a message that it was handed."""

    reference: str  # the message's `Result.reference`, `Message.reference` or `Message.uuid`
    state: str  # "accepted", "delivered", "failed", or "missing": it was never taken
    failure_type: str = ""  # of a failed one, a value of `sms.sms.failure_type`
    reason: str = ""  # for people
    key: str = ""  # the gateway's id of this very event, if it has one: it counts only once


class Reply(NamedTuple):
    """What somebody wrote back."""

    number: str  # E.164 if possible
    text: str
    key: str = ""  # as in `Report`


class Callback(NamedTuple):
    """A request that a gateway sends to us, after its address was found to be genuine."""

    values: dict  # parameters of the address and of a form
    content: bytes  # the body, if it is not a form
    charset: str  # that the body says to have
    headers: dict  # names in lower case
    reference: str  # of the only message that the address is good for, "" if it is for all


class CallbackRefused(Exception):
    """A callback is not signed as it has to be, or does not make sense."""


class Driver:
    """How to talk to one kind of gateway.

    A driver is made from an `sms.gateway` record and reads all it needs when it is made: the
    caller commits between the messages, and must not pay for reading the settings each time.
    """

    reports = False  # whether it is told, or can ask, what became of a message that was taken
    asks = False  # whether it has `ask`
    asks_unknown = False  # whether `ask` also finds a message whose answer got lost
    tells_balance = False  # whether it has `get_balance`
    listens = False  # whether it has `read_callback`

    def __init__(self, gateway, company):
        self.env = gateway.env
        self.gateway_id = gateway.id
        self.company_id = company.id

    @classmethod
    def get_label(cls, env):
        """Return the name of this kind of gateway, in the environment's language."""
        raise NotImplementedError

    def make_reference(self):
        """Return our own id for one attempt to hand a message over, "" if there is no use for it.

        It is committed with the claim, so that the message can be found whatever happens next.
        """
        return ""

    def send(self, message):
        """Hand `message` over and return a `Result`.

        Called outside of any user's request, after the claim on the message was committed. Any
        exception that leaves this method makes the result unknown.
        """
        raise NotImplementedError

    def ask(self, message):
        """Return the gateway's `Report` on `message`, None if it does not say anything new.

        Called outside of any user's request; has no effect on the gateway's side.
        """
        raise NotImplementedError

    def get_balance(self):
        """Return what is left on the account, as text; None if the gateway does not say.

        Called outside of any user's request; has no effect on the gateway's side.
        """
        raise NotImplementedError

    def read_callback(self, callback):
        """Return the list of `Report` and `Reply` that a `Callback` brings.

        :raise CallbackRefused: it is not signed as it has to be, or does not make sense
        """
        raise NotImplementedError


class ObstructedDriver(Driver):
    """Stands in for a driver that cannot be used now: sends nothing, and says why."""

    def __init__(self, gateway, company, reason):
        super().__init__(gateway, company)
        self.reason = reason

    def send(self, message):
        return Result(failure_type="gateway_setup", reason=self.reason)
