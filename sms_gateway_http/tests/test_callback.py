import hashlib
import json
import logging
import random

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.sms_gateway_http.controllers.main import HideCallbacks

from .common import NUMBER, GatewayCase


@tagged("post_install", "-at_install")
class TestCallback(HttpCase, GatewayCase):
    """Over HTTP, as anybody on the Internet may try it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.json_gateway = cls.create_http_gateway(
            cls,
            "https://gateway.example.com/",
            report_id_path="id",
            report_state_path="status",
            report_delivered_values="delivered",
            reply_number_path="from",
            reply_text_path="text",
        )
        cls.kannel = cls.create_gateway(cls, "kannel", url="http://127.0.0.1:13013/")

    def make_path(self, gateway, reference=""):
        url = gateway._get_callback_url_maker()(reference)
        return url.removeprefix(gateway.get_base_url())

    def call(self, path, data=None, **headers):
        """Request `path`, by POST if there is `data`, and return the HTTP status."""
        return self.url_open(path, data=data, headers=headers).status_code

    def call_json(self, path, values):
        return self.call(path, json.dumps(values), **{"Content-Type": "application/json"})

    def get_events(self):
        return self.env["sms.gateway.event"].search([], order="id")

    def test_report(self):
        sms = self.send_pending(self.json_gateway, "77")
        triggers = [("cron_id", "=", self.cron.id)]
        self.env["ir.cron.trigger"].search(triggers).unlink()
        path = self.make_path(self.json_gateway)
        response = self.url_open(
            path,
            data=json.dumps({"id": "77", "status": "delivered"}),
            headers={"Content-Type": "application/json"},
        )
        self.assertEqual((response.status_code, response.text), (200, "OK"))
        self.assertNotIn("session_id", response.cookies)
        self.assert_sms(sms, "pending")
        self.assertTrue(self.env["ir.cron.trigger"].search_count(triggers))
        self.cron.method_direct_trigger()
        self.assert_sms(sms, "sent")

    def test_kannel(self):
        """What Kannel 1.4.5 was seen to send: a report by GET, a reply by POST."""
        sms = self.send_pending(self.kannel, "0a1b2c3d")
        path = self.make_path(self.kannel, "0a1b2c3d")
        self.assertEqual(self.call(f"{path}&type=8&answer=ACK%2F"), 200)
        self.assertEqual(self.call(f"{path}&type=1&answer="), 200)
        self.assertEqual(
            self.call(
                self.make_path(self.kannel),
                "СТОП".encode(),
                **{"Content-Type": 'text/plain; charset="UTF-8"', "X-Kannel-From": NUMBER},
            ),
            200,
        )
        self.cron.method_direct_trigger()
        self.assert_sms(sms, "sent")
        self.assertEqual(self.get_events().mapped("state"), ["ignored", "used", "used"])
        self.assertTrue(self.env["phone.blacklist"].search([("number", "=", NUMBER)]))

    def test_address_of_one_message(self):
        """It is good for reports on this message, and for nothing else."""
        path = self.make_path(self.kannel, "0a1b2c3d")
        headers = {"Content-Type": "text/plain", "X-Kannel-From": NUMBER}
        self.assertEqual(self.call(path, b"STOP", **headers), 400)
        self.assertEqual(self.call(path.replace("0a1b", "0a1c") + "&type=1"), 404)
        self.assertEqual(self.call(path.partition("?")[0], b"STOP", **headers), 404)
        self.assertFalse(self.get_events())

    def test_not_genuine(self):
        """No write, and nothing learnt about what exists."""
        report = {"id": "77", "status": "delivered"}
        path = self.make_path(self.json_gateway)
        stem, _slash, token = path.rpartition("/")
        other = self.make_path(self.json_gateway.copy())
        for bad in (
            f"{stem}/{token[:-1]}",
            f"{stem}/{token[:-1]}{'0' if token[-1] != '0' else '1'}",
            f"{stem}/{'0' * 64}",
            f"{stem}/%D1%8F",
            f"{stem}/%00",
            f"{stem}/",
            stem,
            f"{stem}/{other.rpartition('/')[2]}",
            f"/sms_gateway_http/{self.kannel.id}/{token}",
            f"/sms_gateway_http/{2**31 - 1}/{token}",
            f"/sms_gateway_http/{2**63}/{token}",
            f"/sms_gateway_http/-1/{token}",
            f"{path}?ref=77",
        ):
            with self.subTest(path=bad):
                self.assertEqual(self.call_json(bad, report), 404)
        self.assertFalse(self.get_events())

    def test_kinds_that_do_not_listen(self):
        report = {"id": "77", "status": "delivered"}
        path = self.make_path(self.json_gateway)
        self.json_gateway.driver = "test"
        self.assertEqual(self.call_json(path, report), 404)
        self.assertEqual(self.call_json(self.make_path(self.json_gateway), report), 404)
        self.assertFalse(self.get_events())

    def test_archived_gateway_is_listened_to(self):
        self.json_gateway.active = False
        path = self.make_path(self.json_gateway)
        self.assertEqual(self.call_json(path, {"id": "77", "status": "delivered"}), 200)
        self.assertEqual(len(self.get_events()), 1)

    def test_signature_is_needed_beside_the_address(self):
        smsc = self.create_gateway("smsc", callback_secret="word")
        self.assertEqual(
            self.call(self.make_path(smsc), {"id": "77", "phone": "1", "status": "1"}), 400
        )
        self.assertFalse(self.get_events())

    def test_same_event_again(self):
        """The gateway's id of an event is signed: a request that was listened in on is no use."""
        turbosms = self.create_gateway("turbosms", callback_secret="word")
        event = {
            "id": "e1",
            "signature": hashlib.sha1(b"worde1").hexdigest(),
            "data": {"message_id": "77", "status": "Delivered"},
        }
        path = self.make_path(turbosms)
        self.assertEqual(self.call_json(path, event), 200)
        event["data"]["message_id"] = "78"
        self.assertEqual(self.call_json(path, event), 200)
        self.assertEqual(self.get_events().mapped("reference"), ["77"])

    def test_too_long(self):
        path = self.make_path(self.json_gateway)
        with mute_logger("odoo.http"):
            for size, status in [(2 * 1024 * 1024, 413), (65 * 1024, 413)]:
                report = {"id": "77", "status": "delivered", "more": "x" * size}
                self.assertEqual(self.call_json(path, report), status)
                self.assertEqual(self.call(path, report), status, "as a form")
        self.assertFalse(self.get_events())

    def test_garbage(self):
        """Whatever comes to the right address is taken or refused; nothing breaks."""
        random.seed(1)
        contents = [
            b"",
            b"{",
            b"[]",
            b"null",
            b"[" * 60_000,
            b'{"a":' * 10_000,
            b"9" * 5000,
            b"\xff\xfe",
            b'{"id": "\\u0000", "status": "delivered"}',
            b'{"id": "\\ud800", "status": "delivered"}',
            b'{"id": {"a": [1]}, "status": "delivered"}',
            b'{"from": "\\u0000", "text": "STOP"}',
            *(random.randbytes(50) for _n in range(20)),
        ]
        content_types = [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "text/plain; charset=none",
            "?",
        ]
        for gateway in (self.json_gateway, self.kannel, self.create_gateway("smsc")):
            path = self.make_path(gateway)
            for content_type in content_types:
                for content in contents:
                    with self.subTest(gateway=gateway.name, type=content_type, content=content):
                        status = self.call(
                            path, content, **{"Content-Type": content_type, "X-Kannel-From": "1"}
                        )
                        self.assertIn(status, (200, 400, 413))
        for query in ("?id=%00&status=1", "?id=%FF&status=1", "?mes=%00&phone=%00", "?ref=%00"):
            self.assertIn(self.call(path + query), (200, 400, 404))
        self.cron.method_direct_trigger()
        self.assertNotIn("failed", self.get_events().mapped("state"))

    def test_addresses_are_not_logged(self):
        record = logging.LogRecord("werkzeug", logging.INFO, __file__, 1, '"%s" %s %s', (), None)
        record.args = ("GET /sms_gateway_http/7/0a1b?ref=77&to=%2B380501234567 HTTP/1.1", "200", 2)
        self.assertTrue(HideCallbacks().filter(record))
        self.assertEqual(record.getMessage(), '"GET /sms_gateway_http/7/*** HTTP/1.1" 200 2')
        self.assertTrue(
            any(isinstance(one, HideCallbacks) for one in logging.getLogger("werkzeug").filters)
        )
