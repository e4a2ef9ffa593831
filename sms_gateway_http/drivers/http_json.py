import json
import re

from .base import CallbackRefused, Reply, Report, Result
from .http_driver import HttpDriver, parse_json, text_at, to_e164

PLACEHOLDER = re.compile(r"\{(number|digits|text|uuid|sender)\}")


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


def split_values(text):
    """Return the set of the values that stand in "a, b"."""
    return {value.strip() for value in (text or "").split(",")} - {""}


class HttpJsonDriver(HttpDriver):
    """Any gateway that takes a message as JSON over HTTP and answers with JSON."""

    listens = True

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.url = gateway.url
        self.body_template = json.loads(gateway.body_template)
        self.sender = gateway.sender or ""
        secret = gateway.auth_value or ""
        self.secrets = (secret, secret.rpartition(" ")[2])
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if gateway.auth_header and secret:
            self.headers[gateway.auth_header] = secret
        self.accepted_path = gateway.answer_accepted_path
        self.accepted_values = split_values(gateway.answer_accepted_values)
        self.id_path = gateway.answer_id_path
        self.reason_path = gateway.answer_reason_path
        self.reports = bool(gateway.report_id_path)
        self.report_id_path = gateway.report_id_path
        self.report_state_path = gateway.report_state_path
        self.report_states = {
            **dict.fromkeys(split_values(gateway.report_failed_values), "failed"),
            **dict.fromkeys(split_values(gateway.report_delivered_values), "delivered"),
        }
        self.reply_number_path = gateway.reply_number_path
        self.reply_text_path = gateway.reply_text_path

    @classmethod
    def get_label(cls, env):
        return env._("HTTP with JSON")

    def _prepare_request(self, message):
        values = {
            "number": message.number,
            "digits": message.number.lstrip("+"),
            "text": message.text,
            "uuid": message.uuid,
            "sender": self.sender,
        }
        headers = {**self.headers, "Idempotency-Key": message.uuid}
        return self.url, headers, json.dumps(fill(self.body_template, values)).encode()

    def _read_answer(self, status, content):
        answer = parse_json(content)
        reason = self._clean(text_at(answer, self.reason_path))
        if result := self._read_status(status, reason):
            return result
        if self.accepted_path:
            verdict = text_at(answer, self.accepted_path)
            if verdict is None:
                return self._make_unclear()
            if verdict not in self.accepted_values:
                reason = reason or self.env._(
                    "The gateway refused: %(verdict)s.", verdict=self._clean(verdict)
                )
                return Result(failure_type="gateway_refused", reason=reason)
        return Result(reference=self._clean(text_at(answer, self.id_path)))

    def read_callback(self, callback):
        values = self._read_json_callback(callback) if callback.content else callback.values
        reference = text_at(values, self.report_id_path)
        code = text_at(values, self.report_state_path)
        if reference and code:
            state = self.report_states.get(code, "accepted")
            if state == "failed":
                return [self._report_failure(reference, "undelivered", code)]
            return [Report(reference, state)]
        number = text_at(values, self.reply_number_path)
        text = text_at(values, self.reply_text_path)
        if number and text:
            return [Reply(to_e164(number), text)]
        raise CallbackRefused
