import json
import re

import requests

from .base import Driver, Result
from .http import CONNECT_TIMEOUT, READ_TIMEOUT, NoAnswer, NotSent, http_post

PLACEHOLDER = re.compile(r"\{(number|digits|text|uuid|sender)\}")
MAX_REASON_LENGTH = 250  # characters


def fill(template, values):
    """Return a copy of parsed JSON with the placeholders of its strings replaced.

    The values are never looked at again, so a customer's text may contain quotes, braces or
    "{uuid}".
    """
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda match: values[match[1]], template)
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    if isinstance(template, dict):
        return {key: fill(item, values) for key, item in template.items()}
    return template


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


class HttpJsonDriver(Driver):
    """Any gateway that takes a message as JSON over HTTP and answers with JSON."""

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.url = gateway.url
        self.body_template = json.loads(gateway.body_template)
        self.sender = gateway.sender or ""
        self.secret = gateway.auth_value or ""
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if gateway.auth_header and self.secret:
            self.headers[gateway.auth_header] = self.secret
        self.accepted_path = gateway.answer_accepted_path
        self.accepted_values = {
            value.strip() for value in (gateway.answer_accepted_values or "").split(",")
        }
        self.id_path = gateway.answer_id_path
        self.reason_path = gateway.answer_reason_path

    @classmethod
    def get_label(cls, env):
        return env._("HTTP with JSON")

    def send(self, message):
        values = {
            "number": message.number,
            "digits": message.number.lstrip("+"),
            "text": message.text,
            "uuid": message.uuid,
            "sender": self.sender,
        }
        try:
            status, content = http_post(
                self.url,
                {**self.headers, "Idempotency-Key": message.uuid},
                json.dumps(fill(self.body_template, values)).encode(),
            )
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

    def _read_answer(self, status, content):
        """Return the `Result` that an HTTP status and the bytes of an answer stand for."""
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        reason = self._clean(text_at(answer, self.reason_path))
        if 300 <= status < 400:
            reason = self.env._(
                "The gateway redirects to another address (HTTP %(status)s). Correct its URL.",
                status=status,
            )
            return Result(failure_type="gateway_refused", reason=reason)
        if 400 <= status < 500:
            reason = reason or self.env._("The gateway refused: HTTP %(status)s.", status=status)
            return Result(failure_type="gateway_refused", reason=reason)
        if not 200 <= status < 300:
            reason = reason or self.env._("The gateway failed: HTTP %(status)s.", status=status)
            return Result(failure_type="gateway_unknown", reason=reason)
        if self.accepted_path:
            verdict = text_at(answer, self.accepted_path)
            if verdict is None:
                reason = self.env._(
                    "The gateway's answer does not say whether it took the message."
                )
                return Result(failure_type="gateway_unknown", reason=reason)
            if verdict not in self.accepted_values:
                reason = reason or self.env._(
                    "The gateway refused: %(verdict)s.", verdict=self._clean(verdict)
                )
                return Result(failure_type="gateway_refused", reason=reason)
        return Result(reference=self._clean(text_at(answer, self.id_path)))

    def _clean(self, text):
        """Return a gateway's words fit to be shown: short, on one line, without the secret."""
        text = " ".join((text or "").split())
        for secret in {self.secret, self.secret.rpartition(" ")[2]} - {""}:
            text = text.replace(secret, "***")
        return text[:MAX_REASON_LENGTH]
