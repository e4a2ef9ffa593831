import hashlib
import json
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms_gateway_http.drivers import (
    Callback,
    CallbackRefused,
    Message,
    Reply,
    Report,
    smsc,
    smsfly,
    turbosms,
)

from .common import NUMBER, GatewayCase, LoopbackGateway

MESSAGE = Message("0123456789abcdef", NUMBER, "Завтра о 14:39", "77")
DIGITS = NUMBER.lstrip("+")


class DriverCase(GatewayCase):
    """A gateway on the loopback plays the documented answers of a commercial one."""

    def make_driver(self, loopback, driver, **values):
        for module, url in [
            (smsc, f"{loopback.root}/sys/"),
            (smsfly, f"{loopback.root}/api/v2/api.php"),
            (turbosms, loopback.root),
        ]:
            self.enterContext(patch.object(module, "URL", url))
        gateway = self.create_gateway(driver, **values)
        return gateway._get_driver(self.company)

    def assert_answers(self, driver, cases, **values):
        """Assert the failure type, the words and the reference of each (status, answer)."""
        loopback = LoopbackGateway()
        with loopback.running():
            driver = self.make_driver(loopback, driver, **{"url": loopback.url, **values})
            for status, answer, failure_type, reason, reference in cases:
                with self.subTest(status=status, answer=answer):
                    loopback.status, loopback.answer = status, answer
                    result = driver.send(MESSAGE)
                    self.assertEqual(
                        (result.failure_type, result.reference), (failure_type, reference)
                    )
                    self.assertIn(reason, result.reason)
                    self.assertEqual(bool(result.reason), bool(failure_type))
                    self.assertNotIn("s3cret", result.reason)
        return loopback.requests

    def assert_states(self, driver, make_answer, states):
        """Assert what a driver that asks makes of each state that the gateway answers."""
        loopback = LoopbackGateway()
        with loopback.running():
            driver = self.make_driver(loopback, driver)
            for state, expected in states.items():
                with self.subTest(state=state):
                    loopback.answer = make_answer(state)
                    report = driver.ask(MESSAGE)
                    self.assertEqual(report and (report.state, report.failure_type), expected)
                    self.assertEqual(bool(report and report.reason), bool(expected and expected[1]))
            for answer in (b"", b"<html>", [], {"error": "?"}, None):
                loopback.answer = answer
                self.assertIsNone(driver.ask(MESSAGE))
            loopback.status, loopback.answer = 500, make_answer(next(iter(states)))
            self.assertIsNone(driver.ask(MESSAGE))
        self.assertIsNone(driver.ask(MESSAGE), "nobody there")
        return loopback.requests

    def assert_balance(self, driver, answer, balance):
        loopback = LoopbackGateway()
        loopback.answer = answer
        with loopback.running():
            driver = self.make_driver(loopback, driver)
            self.assertEqual(driver.get_balance(), balance)
            loopback.answer = b"?"
            self.assertIsNone(driver.get_balance())
        return loopback.requests

    def make_callback(self, values=None, content=b"", reference="", **headers):
        return Callback(values or {}, content, "", headers, reference)


@tagged("post_install", "-at_install")
class TestKannel(DriverCase):
    """The answers and callbacks are those that Kannel 1.4.5 was seen to give."""

    def test_answers(self):
        requests = self.assert_answers(
            "kannel",
            [
                (202, b"0: Accepted for delivery", "", "", ""),
                (202, b"3: Queued for later delivery", "", "", ""),
                (403, b"Authorization failed for sendsms", "sms_acc", "login", ""),
                (400, b"Missing receiver number, rejected", "gateway_refused", "receiver", ""),
                (200, b"Sent.", "gateway_unknown", "does not say", ""),
                (202, b"<html>", "gateway_unknown", "does not say", ""),
                (503, b"Temporal failure, try again later.", "gateway_unknown", "later", ""),
            ],
        )
        path, headers, text = requests[0]
        self.assertEqual((path, text), ("/messages", MESSAGE.text))
        self.assertEqual(headers["Content-Type"], "text/plain; charset=UTF-8")
        for name, value in {
            "Username": "odoo",
            "Password": "s3cret",
            "From": "Wholesale",
            "To": NUMBER,
            "Coding": "2",
            "DLR-Mask": "31",
        }.items():
            self.assertEqual(headers[f"X-Kannel-{name}"], value)
        self.assertRegex(
            headers["X-Kannel-DLR-Url"],
            r"/sms_gateway_http/\d+/[0-9a-f]{64}\?ref=77&type=%d&answer=%A$",
        )

    def test_latin_text_and_bad_number(self):
        with LoopbackGateway().running() as loopback:
            driver = self.make_driver(loopback, "kannel", url=loopback.url)
            driver.send(MESSAGE._replace(text="At 14:39"))
            self.assertNotIn("X-Kannel-Coding", loopback.requests[0][1])
            for number in ("номер", "1\r\nX-Kannel-To: 2"):
                result = driver.send(MESSAGE._replace(number=number))
                self.assertEqual(result.failure_type, "sms_number_format")
        self.assertEqual(len(loopback.requests), 1)
        self.assertNotEqual(driver.make_reference(), driver.make_reference())

    def test_reports(self):
        driver = self.create_gateway("kannel", url="http://127.0.0.1/")._get_driver(self.company)
        for code, expected in {
            "1": ("delivered", ""),
            "2": ("failed", "sms_not_delivered"),
            "4": ("accepted", ""),
            "8": ("accepted", ""),
            "16": ("failed", "sms_rejected"),
        }.items():
            [report] = driver.read_callback(self.make_callback({"type": code}, reference="77"))
            self.assertEqual(
                (report.reference, report.state, report.failure_type), ("77", *expected)
            )
        for values in ({}, {"type": "3"}, {"type": ""}):
            with self.assertRaises(CallbackRefused):
                driver.read_callback(self.make_callback(values, reference="77"))

    def test_replies(self):
        driver = self.create_gateway("kannel", url="http://127.0.0.1/")._get_driver(self.company)
        text = "Прийду о 9"
        headers = {"x-kannel-from": NUMBER}
        callback = Callback({}, text.encode(), "UTF-8", headers, "")
        self.assertEqual(driver.read_callback(callback), [Reply(NUMBER, text)])
        callback = Callback({}, text.encode("utf-16-be"), "UTF-16BE", headers, "")
        self.assertEqual(driver.read_callback(callback), [Reply(NUMBER, text)])
        for callback in (
            Callback({}, b"\xff", "UTF-8", headers, ""),
            Callback({}, b"STOP", "none", headers, ""),
            Callback({}, b"STOP", "", {}, ""),
        ):
            with self.assertRaises(CallbackRefused):
                driver.read_callback(callback)


@tagged("post_install", "-at_install")
class TestTurboSms(DriverCase):
    def answer(self, code, status, *results):
        return {
            "response_code": code,
            "response_status": status,
            "response_result": [
                {"phone": DIGITS, "response_code": code, "message_id": reference}
                for code, reference in results
            ]
            or None,
        }

    def test_answers(self):
        reference = "f83f8868-5e46-c6cf-e4fb-615e5a293754"
        requests = self.assert_answers(
            "turbosms",
            [
                (200, self.answer(0, "OK", (0, reference)), "", "", reference),
                (200, self.answer(800, "SUCCESS", (0, reference)), "", "", reference),
                (200, self.answer(801, "SUCCESS", (0, reference)), "", "", reference),
                (200, self.answer(802, "PARTIAL", (0, reference)), "", "", reference),
                (200, self.answer(802, "PARTIAL", (404, None)), "sms_not_allowed", "404", ""),
                (200, self.answer(803, "P", (406, None)), "sms_country_not_supported", "406", ""),
                (200, self.answer(0, "OK", (305, None)), "sms_number_format", "305", ""),
                (200, self.answer(507, "REPEATED", (0, reference)), "", "", reference),
                (200, self.answer(507, "REPEATED"), "gateway_unknown", "does not say", ""),
                (200, self.answer(103, "REQUIRED_TOKEN"), "sms_acc", "REQUIRED_TOKEN", ""),
                (401, self.answer(301, "INVALID_TOKEN"), "sms_acc", "301", ""),
                (200, self.answer(106, "REQUIRED_ACTIVE_USER"), "sms_acc", "blocked", ""),
                (200, self.answer(203, "REQUIRED_BALANCE"), "sms_credit", "money", ""),
                (200, self.answer(401, "NOT_ACTIVE"), "gateway_setup", "sender", ""),
                (200, self.answer(503, "FAILED_SMS_SEND"), "gateway_refused", "503", ""),
                (200, self.answer(999, "FATAL_ERROR"), "gateway_unknown", "does not say", ""),
                (200, self.answer(800, "SUCCESS"), "gateway_unknown", "does not say", ""),
                (200, self.answer(800, "OK", (0, None)), "gateway_unknown", "does not say", ""),
                (200, {"response_code": "0"}, "gateway_unknown", "does not say", ""),
                (200, b"<html>", "gateway_unknown", "does not say", ""),
                (404, b"<html>", "gateway_refused", "HTTP 404", ""),
                (502, b"<html>", "gateway_unknown", "HTTP 502", ""),
            ],
        )
        path, headers, content = requests[0]
        self.assertEqual(path, "/message/send.json")
        self.assertEqual(headers["Authorization"], "Bearer s3cret")
        self.assertEqual(
            content, {"recipients": [DIGITS], "sms": {"sender": "Wholesale", "text": MESSAGE.text}}
        )

    def test_ask(self):
        requests = self.assert_states(
            "turbosms",
            lambda state: {"response_result": [{"message_id": "77", "status": state}]},
            {
                "Queued": None,
                "Sent": None,
                "Delivered": ("delivered", ""),
                "DELIVRD": ("delivered", ""),
                "Read": ("delivered", ""),
                "Expired": ("failed", "sms_expired"),
                "Undelivered": ("failed", "sms_not_delivered"),
                "REJECTD": ("failed", "sms_rejected"),
                None: None,
            },
        )
        self.assertEqual(requests[0][::2], ("/message/status.json", {"messages": ["77"]}))

    def test_balance(self):
        answer = {"response_code": 0, "response_result": {"balance": 123.45}}
        [request, *_rest] = self.assert_balance("turbosms", answer, "123.45")
        self.assertEqual(request[0], "/user/balance.json")

    def test_callback(self):
        gateway = self.create_gateway("turbosms", callback_secret="word")
        driver = gateway._get_driver(self.company)

        def call(words, key="e1", state="DELIVRD"):
            signature = hashlib.sha1(words.encode()).hexdigest()
            values = {
                "id": key,
                "signature": signature,
                "data": {"message_id": "77", "status": state},
            }
            return driver.read_callback(self.make_callback(content=json.dumps(values).encode()))

        for words in ("worde1", "e1word"):
            self.assertEqual(call(words), [Report("77", "delivered", key="e1")])
        [report] = call("worde2", "e2", "Expired")
        self.assertEqual((report.state, report.failure_type), ("failed", "sms_expired"))
        self.assertEqual(call("worde3", "e3", "Sent"), [])
        for words, key in [("worde1", "e2"), ("e1", "e1"), ("word", ""), ("badе1", "e1")]:
            with self.subTest(words=words, key=key), self.assertRaises(CallbackRefused):
                call(words, key)
        for content in (b"", b"[]", b"[" * 60000, b'{"id": "e1", "signature": "\xd1\x8f"}'):
            with self.assertRaises(CallbackRefused):
                driver.read_callback(self.make_callback(content=content))
        gateway.callback_secret = False
        driver = gateway._get_driver(self.company)
        with self.assertRaises(CallbackRefused, msg="without a secret nothing is genuine"):
            call("e1")


@tagged("post_install", "-at_install")
class TestSmsc(DriverCase):
    def test_answers(self):
        def error(code):
            return {"error": "words", "error_code": code}

        requests = self.assert_answers(
            "smsc",
            [
                (200, {"id": 77, "cnt": 1}, "", "", ""),
                (200, error(1), "gateway_refused", "1 words", ""),
                (200, error(2), "sms_acc", "login", ""),
                (200, error(3), "sms_credit", "money", ""),
                (200, error(4), "sms_acc", "blocked", ""),
                (200, error(6), "gateway_refused", "text", ""),
                (200, error(7), "sms_number_format", "number", ""),
                (200, error(8), "sms_invalid_destination", "does not exist", ""),
                (200, error(9), "gateway_refused", "too often", ""),
                (200, {"id": 77}, "gateway_unknown", "does not say", ""),
                (200, b"", "gateway_unknown", "does not say", ""),
                (403, b"<html>", "gateway_refused", "HTTP 403", ""),
            ],
            smsc_host="smsc.kz",
        )
        path, _headers, content = requests[0]
        self.assertEqual(path, "/sys/send.php")
        self.assertEqual(
            content,
            {
                "login": "odoo",
                "psw": "s3cret",
                "phones": NUMBER,
                "mes": MESSAGE.text,
                "id": "77",
                "sender": "Wholesale",
                "charset": "utf-8",
                "fmt": "3",
            },
        )

    def test_hosts(self):
        for host in smsc.HOSTS:
            gateway = self.create_gateway("smsc", smsc_host=host)
            url, _headers, _content = gateway._get_driver(self.company)._prepare_request(MESSAGE)
            self.assertEqual(url, f"https://{host}/sys/send.php")

    def test_reference(self):
        driver = self.create_gateway("smsc")._get_driver(self.company)
        references = {int(driver.make_reference()) for _n in range(100)}
        self.assertGreater(len(references), 90)
        self.assertTrue(all(0 < reference < 2**31 for reference in references))

    def test_ask(self):
        requests = self.assert_states(
            "smsc",
            lambda state: {"status": state, "last_date": "24.11.2026 10:00:00"},
            {
                -3: ("missing", ""),
                -2: ("failed", "sms_rejected"),
                -1: ("accepted", ""),
                0: ("accepted", ""),
                1: ("delivered", ""),
                2: ("delivered", ""),
                3: ("failed", "sms_expired"),
                20: ("failed", "sms_not_delivered"),
                22: ("failed", "sms_invalid_destination"),
                23: ("failed", "sms_rejected"),
                24: ("failed", "sms_credit"),
                25: ("failed", "sms_invalid_destination"),
                99: None,
            },
        )
        path, _headers, content = requests[0]
        self.assertEqual(path, "/sys/status.php")
        self.assertEqual((content["phone"], content["id"]), (NUMBER, "77"))

    def test_balance(self):
        answer = {"balance": "100.21", "currency": "UAH"}
        [request, *_rest] = self.assert_balance("smsc", answer, "100.21 UAH")
        self.assertEqual(request[0], "/sys/balance.php")

    def test_callback(self):
        gateway = self.create_gateway("smsc", callback_secret="word")
        driver = gateway._get_driver(self.company)
        report = {"id": "77", "phone": DIGITS, "status": "1"}
        reply = {"phone": DIGITS, "mes": "СТОП", "to": "1234"}

        def sign(algorithm, values):
            words = ":".join([*values.values(), "word"])
            return {**values, algorithm: hashlib.new(algorithm, words.encode()).hexdigest()}

        for algorithm in ("md5", "sha1"):
            callback = self.make_callback(sign(algorithm, report))
            self.assertEqual(driver.read_callback(callback), [Report("77", "delivered")])
            callback = self.make_callback(sign(algorithm, reply))
            self.assertEqual(driver.read_callback(callback), [Reply(NUMBER, "СТОП")])
        for values in (
            report,
            reply,
            {**report, "sha1": "0" * 40},
            {**report, "sha1": "я"},
            {**sign("sha1", report), "status": "20"},
            {**sign("sha1", report), "id": "78"},
            {**sign("md5", reply), "mes": "Так"},
            {},
        ):
            with self.subTest(values=values), self.assertRaises(CallbackRefused):
                driver.read_callback(self.make_callback(values))
        gateway.callback_secret = False
        driver = gateway._get_driver(self.company)
        self.assertTrue(driver.read_callback(self.make_callback(report)), "the address is enough")
        report["status"] = "-3"
        self.assertEqual(driver.read_callback(self.make_callback(report)), [])


@tagged("post_install", "-at_install")
class TestSmsFly(DriverCase):
    def test_answers(self):
        def taken(state):
            return {"success": 1, "data": {"messageID": "FAPI1", "sms": {"status": state}}}

        def error(code):
            return {"success": 0, "error": {"code": code, "description": "words"}}

        requests = self.assert_answers(
            "smsfly",
            [
                (200, taken("ACCEPTD"), "", "", "FAPI1"),
                (200, taken("INSUFFICIENTFUNDS"), "sms_credit", "money", ""),
                (200, error("FORBIDDEN"), "sms_acc", "key", ""),
                (200, error("INSUFFICIENTFUNDS"), "sms_credit", "words", ""),
                (200, error("INVSOURCE"), "gateway_setup", "sender", ""),
                (200, error("INVROUTE"), "sms_number_format", "number", ""),
                (200, error("NEW"), "gateway_refused", "NEW words", ""),
                (200, {"success": 1}, "gateway_unknown", "does not say", ""),
                (200, {"success": 0}, "gateway_unknown", "does not say", ""),
                (200, b"<html>", "gateway_unknown", "does not say", ""),
                (500, b"", "gateway_unknown", "HTTP 500", ""),
            ],
        )
        path, _headers, content = requests[0]
        self.assertEqual(path, "/api/v2/api.php")
        self.assertEqual(
            content,
            {
                "auth": {"key": "s3cret"},
                "action": "SENDMESSAGE",
                "data": {
                    "recipient": DIGITS,
                    "channels": ["sms"],
                    "sms": {"source": "Wholesale", "text": MESSAGE.text},
                },
            },
        )

    def test_ask(self):
        requests = self.assert_states(
            "smsfly",
            lambda state: {"success": 1, "data": {"messageID": "77", "sms": {"status": state}}},
            {
                "PENDING": None,
                "SENT": None,
                "DELIVRD": ("delivered", ""),
                "VIEWED": ("delivered", ""),
                "EXPIRED": ("failed", "sms_expired"),
                "UNDELIV": ("failed", "sms_not_delivered"),
                "STOPED": ("failed", "sms_rejected"),
                "ERROR": ("failed", "sms_not_delivered"),
            },
        )
        content = requests[0][2]
        self.assertEqual(content["action"], "GETMESSAGESTATUS")
        self.assertEqual(content["data"], {"messageID": "77"})

    def test_balance(self):
        answer = {"success": 1, "data": {"balance": "55.1"}}
        [request, *_rest] = self.assert_balance("smsfly", answer, "55.1")
        self.assertEqual(request[2]["action"], "GETBALANCE")


@tagged("post_install", "-at_install")
class TestHttpJsonCallback(DriverCase):
    def test_callback(self):
        gateway = self.create_http_gateway(
            "https://gateway.example.com/",
            report_id_path="message.id",
            report_state_path="message.status",
            report_delivered_values="delivered, read",
            report_failed_values="lost",
            reply_number_path="from",
            reply_text_path="text",
        )
        driver = gateway._get_driver(self.company)
        for content, expected in [
            ('{"message": {"id": 77, "status": "read"}}', ("77", "delivered", "")),
            ('{"message": {"id": "77", "status": "lost"}}', ("77", "failed", "sms_not_delivered")),
            ('{"message": {"id": "77", "status": "sent"}}', ("77", "accepted", "")),
        ]:
            [report] = driver.read_callback(self.make_callback(content=content.encode()))
            self.assertEqual((report.reference, report.state, report.failure_type), expected)
        reply = {"from": DIGITS, "text": "Стоп"}
        self.assertEqual(
            driver.read_callback(self.make_callback(reply)), [Reply(NUMBER, "Стоп")], "by a form"
        )
        for content in (b"{}", b"", b"?", b'{"message": {"id": 77}}', b'{"from": "1"}'):
            with self.assertRaises(CallbackRefused):
                driver.read_callback(self.make_callback(content=content))
