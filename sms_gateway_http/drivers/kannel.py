import secrets

from .base import CallbackRefused, Reply, Report, Result
from .http_driver import MAX_REASON_LENGTH, HttpDriver, to_e164

CONTENT_TYPE = "text/plain; charset=UTF-8"
EVERY_REPORT = "31"  # the sum of all that `dlr-mask` can ask for
UCS2 = "2"

#: What the user guide says about `%d`; those left out say nothing about the end.
REPORT_STATES = {"1": "delivered", "4": "accepted", "8": "accepted"}
REPORT_CAUSES = {"2": "undelivered", "16": "rejected"}


class KannelDriver(HttpDriver):
    """The smsbox of Kannel, an open source gateway that a firm runs by itself.

    It takes the message as a POST, so that neither password nor text stand in an address.
    """

    reports = True
    listens = True

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.url = gateway.url
        self.headers = {
            "Content-Type": CONTENT_TYPE,
            "X-Kannel-Username": gateway.login or "",
            "X-Kannel-Password": gateway.secret or "",
        }
        if gateway.sender:
            self.headers["X-Kannel-From"] = gateway.sender
        self.secrets = (gateway.secret,)
        self.make_callback_url = gateway._get_callback_url_maker()

    @classmethod
    def get_label(cls, env):
        return "Kannel"

    def make_reference(self):
        return secrets.token_hex(8)

    def send(self, message):
        if not (message.number.isascii() and message.number.isprintable()):  # not fit for a header
            return self._refuse("number", message.number)
        return super().send(message)

    def _prepare_request(self, message):
        callback_url = self.make_callback_url(message.reference)
        headers = {
            **self.headers,
            "X-Kannel-To": message.number,
            "X-Kannel-DLR-Mask": EVERY_REPORT,
            "X-Kannel-DLR-Url": f"{callback_url}&type=%d&answer=%A",
        }
        if not message.text.isascii():
            headers["X-Kannel-Coding"] = UCS2
        return self.url, headers, message.text.encode()

    def _read_answer(self, status, content):
        words = content.decode(errors="replace")
        if status == 403:
            return self._refuse("account", status, words)
        if result := self._read_status(status, words):
            return result
        # "0: Accepted for delivery" or "3: Queued for later delivery"
        return Result() if status == 202 and words[:2] in ("0:", "3:") else self._make_unclear()

    def read_callback(self, callback):
        if callback.reference:
            return self._read_report(callback.reference, callback.values)
        number = callback.headers.get("x-kannel-from")
        if not number:
            raise CallbackRefused
        try:
            text = callback.content.decode(callback.charset or "utf-8")
        except (LookupError, ValueError) as error:
            raise CallbackRefused from error
        return [Reply(to_e164(number), text)]

    def _read_report(self, reference, values):
        code = values.get("type")
        if state := REPORT_STATES.get(code):
            return [Report(reference, state)]
        if cause := REPORT_CAUSES.get(code):
            words = (values.get("answer") or "")[:MAX_REASON_LENGTH]
            return [self._report_failure(reference, cause, words or code)]
        raise CallbackRefused
