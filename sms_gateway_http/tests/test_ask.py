from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms_gateway_http.drivers import Report, Result, http_driver
from odoo.addons.sms_gateway_http.drivers.smsc import SmscDriver
from odoo.addons.sms_gateway_http.drivers.turbosms import TurboSmsDriver

from .common import GatewayCase, LoopbackGateway

UNKNOWN = Result(failure_type="gateway_unknown", reason="No answer")


@tagged("post_install", "-at_install")
class TestAsk(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.env["sms.gateway"].create({"name": "SMSC", "driver": "smsc"})
        cls.company.sms_gateway_id = cls.gateway
        cls.ask_cron = cls.env.ref("sms_gateway_http.sms_gateway_cron_ask")

    def run_ask_cron(self):
        with self.enter_registry_test_mode():
            self.ask_cron.method_direct_trigger()

    def patch_driver(self, driver=SmscDriver, **answers):
        """Let the driver's methods return these answers, or fail the test for `AssertionError`."""

        def make_method(answer):
            def method(*args):
                if answer is AssertionError:
                    self.fail("The gateway was called.")
                return answer

            return method

        methods = {name: make_method(answer) for name, answer in answers.items()}
        return patch.multiple(driver, **methods)

    def lose_answer(self):
        """Return a message that was handed over without an answer, its claim expired."""
        sms, notification = self.queue_sms_on_partner()
        with self.patch_driver(send=UNKNOWN):
            self.run_cron()
        self.assert_sms(sms, "process", reason="No answer")
        self.assertTrue(sms.gateway_reference, "by which it can be asked about")
        self.assert_notification(notification, "ready")
        trigger = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.cron.id)], order="call_at desc", limit=1
        )
        self.assertGreaterEqual(trigger.call_at, sms.gateway_claimed_at + timedelta(minutes=5))
        sms.gateway_claimed_at -= timedelta(minutes=6)
        return sms, notification

    def test_unknown_is_asked_about(self):
        """Nobody is told before the gateway has said what it knows."""
        for state, sms_state, failure_type, status in [
            ("accepted", "pending", False, "pending"),
            ("delivered", "sent", False, "sent"),
            ("missing", "error", "gateway_refused", "exception"),
        ]:
            with self.subTest(state=state):
                sms, notification = self.lose_answer()
                report = Report(sms.gateway_reference, state)
                with self.patch_driver(ask=report, send=AssertionError):
                    self.run_cron()
                    self.run_cron()
                self.assert_sms(sms, sms_state, failure_type)
                self.assert_notification(
                    notification, status, failure_type, "did not get" if failure_type else None
                )

    def test_unknown_goes_to_a_person_where_the_gateway_cannot_tell(self):
        sms, notification = self.lose_answer()
        with self.patch_driver(ask=None, send=AssertionError):
            self.run_cron()
        self.assert_sms(sms, "process", "gateway_unknown", "No answer")
        self.assert_notification(notification, "exception", "gateway_unknown", "No answer")

    def test_unknown_over_http(self):
        """The whole way: the answer is cut off, the gateway is asked by the id that we gave it."""
        loopback = LoopbackGateway()
        loopback.cut = True
        with (
            loopback.running(),
            patch("odoo.addons.sms_gateway_http.drivers.smsc.URL", f"{loopback.root}/"),
        ):
            sms = self.queue_sms()
            self.run_cron()
            loopback.cut, loopback.answer = False, {"status": 1}
            sms.gateway_claimed_at -= timedelta(minutes=6)
            self.run_cron()
        paths = [path for path, _headers, _content in loopback.requests]
        self.assertEqual(paths, ["/send.php", "/status.php"])
        [first, second] = [content for _path, _headers, content in loopback.requests]
        self.assertEqual(first["id"], second["id"])
        self.assert_sms(sms, "sent")

    def test_deliveries(self):
        """It is asked again after as much time as the message is old, until it knows the end."""
        sms, _notification = self.queue_sms_on_partner()
        with self.patch_driver(send=Result()):
            self.run_cron()
        self.assert_sms(sms, "pending")
        self.assertFalse(sms.to_delete, "its report is waited for")
        sms.gateway_claimed_at -= timedelta(hours=1)
        self.env.flush_all()
        asked = []

        def ask(driver, message):
            asked.append(message.reference)
            return Report(message.reference, "accepted")

        with patch.object(SmscDriver, "ask", ask), self.patch_driver(get_balance=None):
            self.run_ask_cron()
            self.run_ask_cron()
        self.assertEqual(asked, [sms.gateway_reference])
        sms.invalidate_recordset()
        self.assertAlmostEqual(
            sms.gateway_ask_at, self.env.cr.now() + timedelta(hours=1), delta=timedelta(minutes=1)
        )
        sms.gateway_ask_at = self.env.cr.now()
        report = Report(sms.gateway_reference, "delivered")
        with self.patch_driver(ask=report, get_balance=None):
            self.run_ask_cron()
        self.assert_sms(sms, "pending")
        self.run_cron()
        self.assert_sms(sms, "sent")
        self.assertFalse(sms.gateway_ask_at)

    def test_own_reference_of_the_gateway(self):
        self.company.sms_gateway_id = self.create_gateway("turbosms")
        sms = self.queue_sms()
        with self.patch_driver(TurboSmsDriver, send=Result("t-1")):
            self.run_cron()
        self.assertEqual(sms.gateway_reference, "t-1")
        with self.patch_driver(TurboSmsDriver, ask=Report("t-1", "delivered"), get_balance="1"):
            self.run_ask_cron()
        self.run_cron()
        self.assert_sms(sms, "sent")

    def test_error_while_asking(self):
        """It is logged without its words, and nothing else suffers."""
        sms = self.send_pending(self.gateway, "77")

        def fail(*args):
            raise ValueError("s3cret")

        with (
            patch.object(SmscDriver, "ask", fail),
            patch.object(SmscDriver, "get_balance", fail),
            self.assertLogs("odoo.addons.sms_gateway_http.models.sms_gateway_ask") as logs,
        ):
            self.run_ask_cron()
        self.assertNotIn("s3cret", "".join(logs.output))
        self.assert_sms(sms, "pending")

    def test_balance(self):
        """The button only wakes the scheduler, which also asks by itself once a day."""
        self.gateway.with_user(self.admin).action_ask_balance()
        self.assertTrue(self.gateway.balance_wanted)
        self.assertTrue(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.ask_cron.id)])
        )
        with self.patch_driver(get_balance="100 UAH"):
            self.run_ask_cron()
        self.assertEqual(self.gateway.balance, "100 UAH")
        self.assertTrue(self.gateway.balance_date)
        self.assertFalse(self.gateway.balance_wanted)
        with self.patch_driver(get_balance="90 UAH"):
            self.run_ask_cron()
            self.assertEqual(self.gateway.balance, "100 UAH", "asked for today already")
            self.gateway.balance_date -= timedelta(hours=25)
            self.run_ask_cron()
        self.assertEqual(self.gateway.balance, "90 UAH")

    def test_nobody_asks_an_archived_gateway(self):
        self.gateway.write({"active": False, "balance_wanted": True})
        self.send_pending(self.gateway, "77")
        with self.patch_driver(ask=AssertionError, get_balance=AssertionError):
            self.run_ask_cron()
        self.assertFalse(self.gateway.balance)

    def test_no_call_inside_a_request(self):
        """Of all the buttons, none calls a gateway."""
        gateway = self.gateway.with_user(self.admin)
        with patch.object(http_driver, "http_post") as call:
            gateway.action_ask_balance()
            gateway.action_send_test_sms()
            gateway.action_open_inbox()
        call.assert_not_called()
