import json

from .base import Report, Result
from .http_driver import HttpDriver, parse_json, text_at

URL = "https://sms-fly.ua/api/v2/api.php"
HEADERS = {"Content-Type": "application/json"}

CAUSES = {
    "FORBIDDEN": "account",
    "INSUFFICIENTFUNDS": "credit",
    "INVRECIPIENT": "number",
    "INVROUTE": "number",
    "INVSOURCE": "sender",
}

#: The states of `GETMESSAGESTATUS`; others are not final.
DELIVERED = {"DELIVRD", "VIEWED"}
REPORT_CAUSES = {
    "ERROR": "undelivered",
    "EXPIRED": "expired",
    "INSUFFICIENTFUNDS": "credit",
    "STOPED": "rejected",
    "UNDELIV": "undelivered",
}


class SmsFlyDriver(HttpDriver):
    """SMS-fly (sms-fly.ua), version 2 of its API."""

    reports = True
    asks = True
    tells_balance = True

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.sender = gateway.sender or ""
        self.key = gateway.secret or ""
        self.secrets = (self.key,)

    @classmethod
    def get_label(cls, env):
        return "SMS-fly"

    def _prepare_request(self, message):
        data = {
            "recipient": message.number.lstrip("+"),
            "channels": ["sms"],
            "sms": {"source": self.sender, "text": message.text},
        }
        return URL, HEADERS, self._make_content("SENDMESSAGE", data)

    def _make_content(self, action, data):
        return json.dumps({"auth": {"key": self.key}, "action": action, "data": data}).encode()

    def _read_answer(self, status, content):
        answer = parse_json(content)
        success = text_at(answer, "success")
        if success == "1" and (reference := text_at(answer, "data.messageID")):
            state = text_at(answer, "data.sms.status")
            if state == "INSUFFICIENTFUNDS":
                return self._refuse("credit", state)
            return Result(reference=reference)
        if success == "0" and (code := text_at(answer, "error.code")):
            words = text_at(answer, "error.description")
            return self._refuse(CAUSES.get(code), code, words)
        return self._read_status(status) or self._make_unclear()

    def ask(self, message):
        content = self._make_content("GETMESSAGESTATUS", {"messageID": message.reference})
        state = text_at(self._ask_json(URL, HEADERS, content), "data.sms.status")
        if state in DELIVERED:
            return Report(message.reference, "delivered")
        if state in REPORT_CAUSES:
            return self._report_failure(message.reference, REPORT_CAUSES[state], state)
        return None

    def get_balance(self):
        content = self._make_content("GETBALANCE", {})
        return text_at(self._ask_json(URL, HEADERS, content), "data.balance")
