import hashlib
import json

from odoo.tools import consteq

from .base import CallbackRefused, Report, Result
from .http_driver import HttpDriver, parse_json, text_at

URL = "https://api.turbosms.ua"

TAKEN = {0, 800, 801}
REPEATED = 507  # FAILED_DUPLICATE_REQUEST: what follows is the result of the first request
IN_DOUBT = {500, 501, 999}  # something broke on their side, before or after it was taken

CAUSES = {
    103: "account",
    105: "account",
    106: "blocked",
    200: "sender",
    201: "text",
    202: "number",
    203: "credit",
    301: "account",
    302: "sender",
    304: "text",
    305: "number",
    400: "sender",
    401: "sender",
    404: "stop_list",
    406: "country",
    412: "text",
    413: "text",
    415: "sender",
}

#: The states of the webhook and of `message/status`, in capitals; others are not final.
DELIVERED = {"DELIVERED", "DELIVRD", "READ"}
REPORT_CAUSES = {
    "CANCELLED": "rejected",
    "EXPIRED": "expired",
    "FAILED": "undelivered",
    "REJECTD": "rejected",
    "REJECTED": "rejected",
    "UNDELIV": "undelivered",
    "UNDELIVERED": "undelivered",
}


class TurboSmsDriver(HttpDriver):
    """TurboSMS (turbosms.ua), its HTTP API."""

    reports = True
    asks = True
    tells_balance = True
    listens = True

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.sender = gateway.sender or ""
        self.secrets = (gateway.secret,)
        self.headers = {
            "Authorization": f"Bearer {gateway.secret}",
            "Content-Type": "application/json",
        }
        self.callback_secret = gateway.callback_secret

    @classmethod
    def get_label(cls, env):
        return "TurboSMS"

    def _prepare_request(self, message):
        content = {
            "recipients": [message.number.lstrip("+")],
            "sms": {"sender": self.sender, "text": message.text},
        }
        return f"{URL}/message/send.json", self.headers, json.dumps(content).encode()

    def _read_answer(self, status, content):
        answer = parse_json(content)
        code = answer.get("response_code") if isinstance(answer, dict) else None
        if type(code) is not int:
            return self._read_status(status) or self._make_unclear()
        if code in IN_DOUBT:
            return self._make_unclear()
        # Success of the whole (800 to 803) says nothing about the only recipient.
        results = answer.get("response_result")
        result = results[0] if isinstance(results, list) and results else None
        if isinstance(result, dict) and type(result.get("response_code")) is int:
            if result["response_code"] in TAKEN and result.get("message_id"):
                return Result(reference=str(result["message_id"]))
            if result["response_code"] not in TAKEN:
                code, answer = result["response_code"], result
        if code in TAKEN or code in (802, 803, REPEATED):
            return self._make_unclear()
        words = text_at(answer, "response_status")
        return self._refuse(CAUSES.get(code), code, words)

    def ask(self, message):
        content = json.dumps({"messages": [message.reference]}).encode()
        answer = self._ask_json(f"{URL}/message/status.json", self.headers, content)
        if text_at(answer, "response_result.0.message_id") != message.reference:
            return None
        return self._read_state(message.reference, text_at(answer, "response_result.0.status"))

    def get_balance(self):
        answer = self._ask_json(f"{URL}/user/balance.json", self.headers, b"{}")
        return text_at(answer, "response_result.balance")

    def read_callback(self, callback):
        values = self._read_json_callback(callback)
        key = text_at(values, "id") or ""
        self._check_signature(key, text_at(values, "signature") or "")
        reference, state = text_at(values, "data.message_id"), text_at(values, "data.status")
        report = reference and self._read_state(reference, state, key)
        return [report] if report else []

    def _check_signature(self, key, signature):
        """Raise unless `signature` is made of the agreed secret and the event's id.

        The documentation does not say in which order.
        """
        if not (self.callback_secret and key):
            raise CallbackRefused
        given = signature.lower().encode()
        genuine = False
        for words in (self.callback_secret + key, key + self.callback_secret):
            # SHA-1 is what the gateway signs with.
            expected = hashlib.sha1(words.encode(errors="replace")).hexdigest()
            genuine |= consteq(expected.encode(), given)
        if not genuine:
            raise CallbackRefused

    def _read_state(self, reference, state, key=""):
        code = (state or "").upper()
        if code in DELIVERED:
            return Report(reference, "delivered", key=key)
        if code in REPORT_CAUSES:
            return self._report_failure(reference, REPORT_CAUSES[code], state, key)
        return None
