import hashlib
import secrets
from urllib.parse import urlencode

from odoo.tools import consteq

from .base import CallbackRefused, Reply, Report, Result
from .http_driver import HttpDriver, parse_json, text_at, to_e164

HOSTS = ["smsc.ua", "smsc.ru", "smsc.kz"]
URL = "https://{host}/sys/"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

CAUSES = {
    "2": "account",
    "3": "credit",
    "4": "blocked",
    "6": "text",
    "7": "number",
    "8": "unreachable",
    "9": "often",
}

MISSING = "-3"
REPORT_STATES = {"-1": "accepted", "0": "accepted", "1": "delivered", "2": "delivered"}
REPORT_CAUSES = {
    "-2": "rejected",
    "3": "expired",
    "20": "undelivered",
    "22": "unreachable",
    "23": "rejected",
    "24": "credit",
    "25": "unreachable",
}


class SmscDriver(HttpDriver):
    """SMSC, the "SMS centre" of smsc.ua, smsc.ru and smsc.kz.

    The id of a message is ours, so that it can be asked about even if no answer came.
    """

    reports = True
    asks = True
    asks_unknown = True
    tells_balance = True
    listens = True

    def __init__(self, gateway, company):
        super().__init__(gateway, company)
        self.url = URL.format(host=gateway.smsc_host)
        self.sender = gateway.sender
        self.account = {
            "login": gateway.login or "",
            "psw": gateway.secret or "",
            "fmt": "3",  # JSON
            "charset": "utf-8",
        }
        self.secrets = (gateway.secret,)
        self.callback_secret = gateway.callback_secret

    @classmethod
    def get_label(cls, env):
        return "SMSC"

    def make_reference(self):
        return str(secrets.randbelow(2**31 - 1) + 1)

    def _prepare_request(self, message):
        values = {
            **self.account,
            "id": message.reference,
            "phones": message.number,
            "mes": message.text,
        }
        if self.sender:
            values["sender"] = self.sender
        return f"{self.url}send.php", HEADERS, urlencode(values).encode()

    def _read_answer(self, status, content):
        answer = parse_json(content)
        if code := text_at(answer, "error_code"):
            return self._refuse(CAUSES.get(code), code, text_at(answer, "error"))
        if result := self._read_status(status):
            return result
        return (
            Result() if text_at(answer, "id") and text_at(answer, "cnt") else self._make_unclear()
        )

    def ask(self, message):
        values = {**self.account, "phone": message.number, "id": message.reference}
        answer = self._ask_json(f"{self.url}status.php", HEADERS, urlencode(values).encode())
        return self._read_state(message.reference, text_at(answer, "status"))

    def get_balance(self):
        values = {**self.account, "cur": "1"}
        answer = self._ask_json(f"{self.url}balance.php", HEADERS, urlencode(values).encode())
        amount = text_at(answer, "balance")
        return amount and " ".join(filter(None, [amount, text_at(answer, "currency")]))

    def read_callback(self, callback):
        values = callback.values
        if "mes" in values:
            self._check_signature(values, "phone", "mes", "to")
            if not values.get("phone"):
                raise CallbackRefused
            return [Reply(to_e164(values["phone"]), values["mes"])]
        if not (values.get("id") and values.get("status")):
            raise CallbackRefused
        self._check_signature(values, "id", "phone", "status")
        report = self._read_state(values["id"], values["status"])
        return [report] if report and report.state != "missing" else []

    def _check_signature(self, values, *names):
        """Raise unless the values of these names are signed, if a secret was agreed on."""
        if not self.callback_secret:
            return
        words = ":".join([*(values.get(name, "") for name in names), self.callback_secret])
        # SHA-1 or MD5 are what the gateway signs with.
        for algorithm in ("sha1", "md5"):
            if given := values.get(algorithm):
                expected = hashlib.new(algorithm, words.encode(errors="replace")).hexdigest()
                if consteq(expected.encode(), given.lower().encode(errors="replace")):
                    return
        raise CallbackRefused

    def _read_state(self, reference, code):
        if code == MISSING:
            return Report(reference, "missing")
        if state := REPORT_STATES.get(code):
            return Report(reference, state)
        if cause := REPORT_CAUSES.get(code):
            return self._report_failure(reference, cause, code)
        return None
