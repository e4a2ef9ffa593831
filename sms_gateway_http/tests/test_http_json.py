import socket
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.sms_gateway_http.drivers import Message, http
from odoo.addons.sms_gateway_http.drivers.http_driver import text_at
from odoo.addons.sms_gateway_http.drivers.http_json import fill

from .common import NUMBER, GatewayCase, LoopbackGateway, closed_port

MESSAGE = Message(uuid="0123456789abcdef", number=NUMBER, text="Завтра о 14:39")


@tagged("post_install", "-at_install")
class TestHttpJson(GatewayCase):
    def send(self, loopback, message=MESSAGE, **values):
        gateway = self.create_http_gateway(loopback.url, **values)
        return gateway._get_driver(self.company).send(message)

    def test_request(self):
        with LoopbackGateway().running() as loopback:
            result = self.send(loopback)
        self.assertEqual(result, ("g-1", "", ""))
        [(path, headers, content)] = loopback.requests
        self.assertEqual(path, "/messages")
        self.assertEqual(headers["Authorization"], "Bearer s3cret")
        self.assertEqual(headers["Idempotency-Key"], MESSAGE.uuid)
        self.assertEqual(
            content,
            {"to": NUMBER, "from": "Wholesale", "text": MESSAGE.text, "id": MESSAGE.uuid},
        )
        self.assertEqual(self.last_timeout, (5, 15))

    def test_text_cannot_break_out(self):
        """Quotes, braces and placeholders in a text stay what they are."""
        text = '"}, {uuid} \\ {number}\n%s'
        with LoopbackGateway().running() as loopback:
            self.send(loopback, MESSAGE._replace(text=text))
        self.assertEqual(loopback.requests[0][2]["text"], text)

    def test_fill(self):
        values = {"digits": "380", "text": "{digits}"}
        template = {"to": ["{digits}"], "n": 1, "flag": True, "text": "<{text}>", "x": "{other}"}
        self.assertEqual(
            fill(template, values),
            {"to": ["380"], "n": 1, "flag": True, "text": "<{digits}>", "x": "{other}"},
        )

    def test_text_at(self):
        answer = {"a": [{"b": 0}, {"b": None}], "c": True, "d": "да"}
        for path, text in [
            ("a.0.b", "0"),
            ("a.1.b", "null"),
            ("c", "true"),
            ("d", "да"),
            ("a.2.b", None),
            ("a.-1.b", None),
            ("d.0", None),
            ("x", None),
            (False, None),
        ]:
            with self.subTest(path=path):
                self.assertEqual(text_at(answer, path), text)

    def test_answers(self):
        """What each kind of answer means, and what people read."""
        ok, refused, unknown = "", "gateway_refused", "gateway_unknown"
        for status, answer, failure_type, reason in [
            (200, {"status": "ok", "id": 7}, ok, ""),
            (202, {"status": "queued"}, ok, ""),
            (200, {"status": "no", "error": {"text": "Stop list"}}, refused, "Stop list"),
            (200, {"status": "no"}, refused, "The gateway refused: no."),
            (200, {"else": 1}, unknown, "does not say whether it took the message"),
            (200, b"<html>", unknown, "does not say whether it took the message"),
            (200, b"", unknown, "does not say whether it took the message"),
            (400, {"error": {"text": "Bad number"}}, refused, "Bad number"),
            (401, b"", refused, "HTTP 401"),
            (429, b"<html>", refused, "HTTP 429"),
            (500, b"", unknown, "HTTP 500"),
            (503, {"error": {"text": "Later"}}, unknown, "Later"),
        ]:
            with self.subTest(status=status, answer=answer):
                loopback = LoopbackGateway()
                loopback.status, loopback.answer = status, answer
                with loopback.running():
                    result = self.send(loopback)
                self.assertEqual(result.failure_type, failure_type)
                self.assertIn(reason, result.reason)
                self.assertEqual(bool(result.reason), bool(failure_type))

    def test_without_verdict_the_status_is_enough(self):
        loopback = LoopbackGateway()
        loopback.answer = b""
        with loopback.running():
            result = self.send(loopback, answer_accepted_path=False, answer_accepted_values=False)
        self.assertEqual(result, ("", "", ""))

    def test_redirect_is_not_followed(self):
        with LoopbackGateway().running() as target:
            loopback = LoopbackGateway()
            loopback.status, loopback.headers = 307, {"Location": target.url}
            with loopback.running():
                result = self.send(loopback)
        self.assertEqual(result.failure_type, "gateway_refused")
        self.assertIn("HTTP 307", result.reason)
        self.assertEqual((len(loopback.requests), target.requests), (1, []))

    def test_secret_is_not_repeated(self):
        loopback = LoopbackGateway()
        loopback.status = 401
        for words in ("Bearer s3cret is wrong", "s3cret is wrong"):
            loopback.answer = {"error": {"text": words}}
            with self.subTest(words=words), loopback.running():
                result = self.send(loopback)
            self.assertIn("is wrong", result.reason)
            self.assertNotIn("s3cret", result.reason)

    def test_slow_answer_is_unknown(self):
        loopback = LoopbackGateway()
        loopback.delay = 1
        with loopback.running(), patch.object(http, "READ_TIMEOUT", 0.2):
            result = self.send(loopback)
        self.assertEqual(result.failure_type, "gateway_unknown")
        self.assertIn("may have taken the message", result.reason)
        self.assertEqual(len(loopback.requests), 1)

    def test_broken_connection_is_unknown(self):
        """The request was taken, the connection closed without an answer."""
        loopback = LoopbackGateway()
        loopback.cut = True
        with loopback.running():
            result = self.send(loopback)
        self.assertEqual(result.failure_type, "gateway_unknown")
        self.assertEqual(len(loopback.requests), 1)

    def test_not_reached(self):
        for url in (f"http://127.0.0.1:{closed_port()}/", "http://gateway.invalid/"):
            with self.subTest(url=url):
                result = self.create_http_gateway(url)._get_driver(self.company).send(MESSAGE)
                self.assertEqual(result.failure_type, "gateway_unreached")
                self.assertIn("could not be reached", result.reason)

    def test_tls_is_verified(self):
        """A server whose certificate nobody vouches for gets nothing of the request."""
        loopback = LoopbackGateway()
        with loopback.running(certificate=self.make_certificate()):
            result = self.send(loopback)
        self.assertEqual(result.failure_type, "gateway_unreached")
        self.assertIn("certificate was not accepted", result.reason)
        self.assertEqual(loopback.requests, [])

    def test_no_tls_on_the_other_side(self):
        received = []
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer():
                connection, _address = server.accept()
                with connection:
                    received.append(connection.recv(1000))
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            gateway = self.create_http_gateway(f"https://127.0.0.1:{server.getsockname()[1]}/")
            result = gateway._get_driver(self.company).send(MESSAGE)
            thread.join()
        self.assertEqual(result.failure_type, "gateway_unreached")
        self.assertNotIn(b"s3cret", received[0])

    def make_certificate(self):
        """Return the path of a file with a new key and a certificate of 127.0.0.1 signed by it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = Path(folder) / "loopback.pem"
        pem = serialization.Encoding.PEM
        path.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(pem)
        )
        return path

    def test_long_answer_is_cut(self):
        loopback = LoopbackGateway()
        loopback.status, loopback.answer = 400, {"error": {"text": "x" * 1000}}
        with loopback.running():
            self.assertEqual(len(self.send(loopback).reason), 250)
        loopback.answer = b"[" + b" " * http.MAX_ANSWER_SIZE + b"]"
        with loopback.running():
            self.assertIn("HTTP 400", self.send(loopback).reason)

    def test_settings_are_checked(self):
        good = {"url": "https://gateway.example.com/send"}
        self.create_http_gateway(**good)
        for values in (
            {"url": False},
            {"url": "gateway.example.com"},
            {"url": "file:///etc/passwd"},
            {"url": "ftp://gateway.example.com/"},
            {"url": "https:///send"},
            {"url": "https://gateway.example.com:99999/"},
            {"url": "https://gateway.example.com/a b"},
            {"auth_header": "X Key"},
            {"auth_header": "X:Key"},
            {"auth_value": "one\r\nX-Other: two"},
            {"auth_value": "ключ"},
            {"body_template": False},
            {"body_template": '{"to": "{number}", "text": {text}}'},
            {"body_template": '{"to": "{number}"}'},
            {"body_template": '{"text": "{text}"}'},
            {"answer_accepted_values": False},
            {"answer_accepted_path": False},
            {"report_id_path": "id"},
            {"report_id_path": "id", "report_state_path": "status"},
            {"reply_number_path": "from"},
            {"reply_text_path": "text"},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.create_http_gateway(**(good | values))
