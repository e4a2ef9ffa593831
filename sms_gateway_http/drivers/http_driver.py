import json

import requests

from .base import CallbackRefused, Driver, Report, Result
from .http import CONNECT_TIMEOUT, READ_TIMEOUT, NoAnswer, NotSent, http_post

MAX_REASON_LENGTH = 250  # characters

#: Why messages fail, and what kind of failure each cause is for the platform.
FAILURE_TYPES = {
    "account": "sms_acc",
    "blocked": "sms_acc",
    "country": "sms_country_not_supported",
    "credit": "sms_credit",
    "expired": "sms_expired",
    "number": "sms_number_format",
    "often": "gateway_refused",
    "rejected": "sms_rejected",
    "sender": "gateway_setup",
    "stop_list": "sms_not_allowed",
    "text": "gateway_refused",
    "undelivered": "sms_not_delivered",
    "unreachable": "sms_invalid_destination",
}


def parse_json(content):
    """Return what JSON in bytes or text stands for, None if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def text_at(answer, path):
    """Return as text what stands at "a.0.b" in parsed JSON, None where there is nothing."""
    if not path:
        return None
    for key in path.split("."):
        if isinstance(answer, dict) and key in answer:
            answer = answer[key]
        elif isinstance(answer, list) and key.isdecimal() and int(key) < len(answer):
            answer = answer[int(key)]
        else:
            return None
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def to_e164(number):
    """Return a number that a gateway gives without its + with it."""
    number = (number or "").strip()
    return f"+{number}" if number.isascii() and number.isdecimal() else number


class HttpDriver(Driver):
    """What all gateways have in common that take one message by one POST."""

    secrets = ()  # what must not be repeated to people

    def send(self, message):
        try:
            status, content = http_post(*self._prepare_request(message))
        except NotSent as error:
            return Result(failure_type="gateway_unreached", reason=self._explain(error.__cause__))
        except NoAnswer:
            reason = self.env._(
                "The gateway did not answer within %(seconds)s seconds or broke the connection; "
                "it may have taken the message.",
                seconds=READ_TIMEOUT,
            )
            return Result(failure_type="gateway_unknown", reason=reason)
        return self._read_answer(status, content)

    def _prepare_request(self, message):
        """Return the URL, the headers and the body of the request that hands `message` over."""
        raise NotImplementedError

    def _read_answer(self, status, content):
        """Return the `Result` that an HTTP status and the bytes of an answer stand for."""
        raise NotImplementedError

    def _read_status(self, status, words=""):
        """Return the `Result` that an HTTP status stands for by itself, None if it is a success.

        `words` are the gateway's own.
        """
        if 200 <= status < 300:
            return None
        reason = self._clean(words)
        if 300 <= status < 400:
            reason = self.env._(
                "The gateway redirects to another address (HTTP %(status)s). Correct its URL.",
                status=status,
            )
            return Result(failure_type="gateway_refused", reason=reason)
        if 400 <= status < 500:
            reason = reason or self.env._("The gateway refused: HTTP %(status)s.", status=status)
            return Result(failure_type="gateway_refused", reason=reason)
        reason = reason or self.env._("The gateway failed: HTTP %(status)s.", status=status)
        return Result(failure_type="gateway_unknown", reason=reason)

    def _ask_json(self, url, headers, content):
        """Return the JSON that a question is answered with, None if there is none."""
        try:
            status, content = http_post(url, headers, content)
        except (NotSent, NoAnswer):
            return None
        return parse_json(content) if status == 200 else None

    def _make_unclear(self):
        """Return the `Result` of an answer that makes no sense."""
        reason = self.env._("The gateway's answer does not say whether it took the message.")
        return Result(failure_type="gateway_unknown", reason=reason)

    def _refuse(self, cause, code, words=""):
        """Return the `Result` of a message that the gateway surely did not take.

        `cause` is a key of `FAILURE_TYPES`, or None for one that is not known; `code` and `words`
        are the gateway's own.
        """
        failure_type = FAILURE_TYPES.get(cause, "gateway_refused")
        reason = self._add_code(self._get_words(cause), code, words)
        return Result(failure_type=failure_type, reason=reason)

    def _report_failure(self, reference, cause, code, key=""):
        """Return the `Report` of a message that could not be delivered, see `_refuse`."""
        reason = self._add_code(self._get_words(cause), code)
        return Report(reference, "failed", FAILURE_TYPES[cause], reason, key)

    def _add_code(self, reason, code, words=""):
        code = self._clean(" ".join(filter(None, [str(code), words])))
        if not reason:
            return self.env._("The gateway refused: %(verdict)s.", verdict=code)
        return self.env._("%(reason)s (%(code)s)", reason=reason, code=code)

    def _get_words(self, cause):
        """Return a sentence for people about a cause of `FAILURE_TYPES`."""
        return {
            "account": self.env._("The gateway does not accept the login, password or key."),
            "blocked": self.env._("The gateway has blocked the account or this server."),
            "country": self.env._("The account does not allow messages to this country."),
            "credit": self.env._("There is not enough money on the account."),
            "expired": self.env._("The telephone could not be reached in time."),
            "number": self.env._("The gateway does not accept the number."),
            "often": self.env._("The gateway was asked too often or twice the same."),
            "rejected": self.env._("The operator rejected the message."),
            "sender": self.env._("The gateway does not accept the sender's name."),
            "stop_list": self.env._("The number is on the gateway's stop list."),
            "text": self.env._("The gateway does not accept the text."),
            "undelivered": self.env._("The message could not be delivered."),
            "unreachable": self.env._("The number does not exist or does not take messages."),
        }.get(cause, "")

    def _explain(self, error):
        """Return in words why the gateway was not reached."""
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return self.env._(
                "The gateway could not be reached within %(seconds)s seconds.",
                seconds=CONNECT_TIMEOUT,
            )
        if isinstance(error, requests.exceptions.SSLError):
            return self.env._("No secure connection: the gateway's certificate was not accepted.")
        return self.env._("The gateway could not be reached: no connection to its address.")

    def _clean(self, text):
        """Return a gateway's words fit to be shown: short, on one line, without the secrets."""
        text = " ".join((text or "").split())
        for secret in filter(None, self.secrets):
            text = text.replace(secret, "***")
        return text[:MAX_REASON_LENGTH]

    def _read_json_callback(self, callback):
        """Return the JSON object that a `Callback` has as its body."""
        values = parse_json(callback.content)
        if not isinstance(values, dict):
            raise CallbackRefused
        return values
