import time
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sms.models.sms_sms import SmsSms as PlatformSms
from odoo.addons.sms.tests.common import SMSCase
from odoo.addons.sms_gateway_http.drivers import Result
from odoo.addons.sms_gateway_http.drivers.outbox import OutboxDriver
from odoo.addons.sms_gateway_http.models.sms_tracker import SmsTracker

from .common import NUMBER, GatewayCase, LoopbackGateway, closed_port

LOGGER = "odoo.addons.sms_gateway_http.models.sms_sms"


class Killed(BaseException):
    """The worker dies: nothing of ours may catch this."""


@tagged("post_install", "-at_install")
class TestQueue(GatewayCase):
    def patch_driver(self, send):
        return patch.object(OutboxDriver, "send", autospec=True, side_effect=send)

    def expire_claim(self, sms):
        sms.gateway_claimed_at -= timedelta(minutes=6)

    def run_cron_until_killed(self):
        """Run the queue until it dies. What it committed stays: `assertRaises` would undo it."""
        try:
            self.run_cron()
        except Killed:
            return
        self.fail("It should have died.")

    def test_taken(self):
        sms, notification = self.queue_sms_on_partner()
        self.run_cron()
        self.assertRecordValues(
            self.get_outbox(),
            [
                {
                    "number": NUMBER,
                    "body": "Text",
                    "uuid": sms.uuid,
                    "company_id": self.company.id,
                    "gateway_id": self.outbox_gateway.id,
                }
            ],
        )
        self.assert_sms(sms, "pending")
        self.assertTrue(sms.to_delete)
        self.assertTrue(sms.gateway_claimed_at)
        self.assertEqual(sms.gateway_reference, str(self.get_outbox().id))
        self.assert_notification(notification, "pending")
        self.run_cron()
        self.assertEqual(len(self.get_outbox()), 1)

    def test_taken_over_http(self):
        with LoopbackGateway().running() as loopback:
            self.company.sms_gateway_id = self.create_http_gateway(loopback.url)
            sms, notification = self.queue_sms_on_partner()
            self.run_cron()
            self.run_cron()
        self.assertEqual([request[2]["id"] for request in loopback.requests], [sms.uuid])
        self.assert_sms(sms, "pending")
        self.assertEqual(sms.gateway_reference, "g-1")
        self.assert_notification(notification, "pending")

    def test_refused(self):
        loopback = LoopbackGateway()
        loopback.status, loopback.answer = 400, {"error": {"text": "Stop list"}}
        with loopback.running():
            self.company.sms_gateway_id = self.create_http_gateway(loopback.url)
            sms, notification = self.queue_sms_on_partner()
            self.run_cron()
            self.run_cron()
        self.assertEqual(len(loopback.requests), 1, "not tried again by itself")
        self.assert_sms(sms, "error", "gateway_refused", "Stop list")
        self.assertFalse(sms.to_delete)
        self.assert_notification(notification, "exception", "gateway_refused", "Stop list")
        self.assertEqual(notification.format_failure_reason(), "Refused by the Gateway: Stop list")

    def test_unreached(self):
        url = f"http://127.0.0.1:{closed_port()}/"
        self.company.sms_gateway_id = self.create_http_gateway(url)
        sms, notification = self.queue_sms_on_partner()
        self.run_cron()
        self.assert_sms(sms, "error", "gateway_unreached", "could not be reached")
        self.assert_notification(notification, "exception", "gateway_unreached", "reached")

    def test_garbage_is_unknown_and_never_sent_again(self):
        loopback = LoopbackGateway()
        loopback.answer = b"<html>Welcome</html>"
        with loopback.running():
            self.company.sms_gateway_id = self.create_http_gateway(loopback.url)
            sms, notification = self.queue_sms_on_partner()
            self.run_cron()
            self.expire_claim(sms)
            self.run_cron()
        self.assertEqual(len(loopback.requests), 1)
        self.assert_sms(sms, "process", "gateway_unknown", "does not say")
        self.assert_notification(notification, "exception", "gateway_unknown", "does not say")
        unknown = self.env["sms.sms"].search(self.env["sms.sms"]._gateway_unknown_domain())
        self.assertIn(sms, unknown)

    def test_killed_between_call_and_result(self):
        """The gateway has the message, we do not know it: nobody sends it a second time."""
        first, notification = self.queue_sms_on_partner()
        second = self.queue_sms()
        send = OutboxDriver.send

        def send_and_die(driver, message):
            send(driver, message)
            raise Killed

        with self.patch_driver(send_and_die):
            self.run_cron_until_killed()
        self.assert_sms(first, "process")
        self.assertTrue(first.gateway_claimed_at, "the claim was committed before the call")
        self.assert_sms(second, "outgoing")

        self.run_cron()
        self.assertEqual(self.get_outbox().mapped("uuid"), [first.uuid, second.uuid])
        self.assert_sms(first, "process")
        self.assert_sms(second, "pending")
        self.assertEqual(
            self.env["ir.cron.trigger"]
            .search([("cron_id", "=", self.cron.id)], order="call_at desc", limit=1)
            .call_at,
            first.gateway_claimed_at + timedelta(minutes=5),
            "somebody looks again when the claim expires",
        )

        self.expire_claim(first)
        self.run_cron()
        self.assertEqual(len(self.get_outbox()), 2)
        self.assert_sms(first, "process", "gateway_unknown", "interrupted")
        self.assert_notification(notification, "exception", "gateway_unknown", "interrupted")

    def test_killed_before_claim(self):
        sms = self.queue_sms()
        with patch.object(type(sms), "_gateway_claim", side_effect=Killed):
            self.run_cron_until_killed()
        self.assert_sms(sms, "outgoing")
        self.assertFalse(sms.gateway_claimed_at)
        self.run_cron()
        self.assertEqual(self.get_outbox().uuid, sms.uuid)

    def test_unknown_is_told_once(self):
        sms, _notification = self.queue_sms_on_partner()
        told = []
        mark = SmsTracker._gateway_mark_unknown

        def mark_and_count(tracker, reason):
            told.append(tracker.sms_uuid)
            return mark(tracker, reason)

        with patch.object(SmsTracker, "_gateway_mark_unknown", mark_and_count):
            with self.patch_driver(Killed):
                self.run_cron_until_killed()
            self.expire_claim(sms)
            self.run_cron()
            self.run_cron()
        self.assertEqual(told, [sms.uuid])

    def test_driver_error_is_unknown(self):
        """Only where it happened is logged, not the words: they may hold a number."""
        sms = self.queue_sms()
        other = self.queue_sms()
        send = OutboxDriver.send

        def fail(driver, message):
            if message.uuid == sms.uuid:
                raise ValueError(message.number)
            return send(driver, message)

        with self.patch_driver(fail), self.assertLogs(LOGGER, "ERROR") as logs:
            self.run_cron()
        self.assert_sms(sms, "process", "gateway_unknown", "An error occurred")
        self.assert_sms(other, "pending")
        self.assertIn("ValueError", logs.output[0])
        self.assertNotIn(NUMBER, "".join(logs.output))

    def test_result_survives_a_clash(self):
        """Another transaction came between: the result is written again, the call not repeated."""
        sms, notification = self.queue_sms_on_partner()
        update = SmsTracker._update_sms_notifications
        clashes = [SerializationFailure, SerializationFailure]

        def update_or_clash(tracker, *args, **kwargs):
            if clashes:
                raise clashes.pop()
            return update(tracker, *args, **kwargs)

        with patch.object(SmsTracker, "_update_sms_notifications", update_or_clash):
            self.run_cron()
        self.assertFalse(clashes)
        self.assert_sms(sms, "pending")
        self.assert_notification(notification, "pending")
        self.assertEqual(len(self.get_outbox()), 1)

    def test_broken_record_behind_a_message(self):
        """What hangs on one message breaks: it is left in doubt, the next one goes out."""
        sms, _notification = self.queue_sms_on_partner()
        other = self.queue_sms()
        update = SmsTracker._update_sms_notifications

        def update_or_break(tracker, status, **kwargs):
            if tracker and status == "pending":
                raise ValueError
            return update(tracker, status, **kwargs)

        with (
            patch.object(SmsTracker, "_update_sms_notifications", update_or_break),
            mute_logger(LOGGER),
        ):
            self.run_cron()
        self.assert_sms(sms, "process")
        self.assert_sms(other, "pending")
        self.assertEqual(len(self.get_outbox()), 2)
        self.expire_claim(sms)
        self.run_cron()
        self.assert_sms(sms, "process", "gateway_unknown")
        self.assertEqual(len(self.get_outbox()), 2)

    def test_claim_takes_only_what_is_queued(self):
        """Between the plan and the claim, somebody cancels, sends or deletes the message."""
        driver = self.outbox_gateway._get_driver(self.company)
        for values in ({"state": "canceled"}, {"state": "process"}, {"to_delete": True}):
            with self.subTest(values=values):
                sms = self.queue_sms()
                sms.write(values)
                self.env.flush_all()
                self.assertIsNone(sms._gateway_claim(driver))
        sms = self.queue_sms()
        gone = sms.browse(sms.id)
        sms.unlink()
        self.assertIsNone(gone._gateway_claim(driver))

    def test_missing_number(self):
        sms = self.queue_sms(number=False)
        with self.patch_driver(AssertionError):
            self.run_cron()
        self.assert_sms(sms, "error", "sms_number_missing")

    def test_archived_gateway_fails_with_its_reason(self):
        gateway = self.outbox_gateway.copy({"name": "Old contract", "active": False})
        self.company.sms_gateway_id = gateway
        sms, notification = self.queue_sms_on_partner()
        with self.patch_driver(AssertionError):
            self.run_cron()
        self.assert_sms(sms, "error", "gateway_setup", "Old contract is archived")
        self.assert_notification(notification, "exception", "gateway_setup", "is archived")

    def test_time_is_up(self):
        """When the scheduler's time is over, the rest waits for its next turn, which comes soon."""
        sms = self.queue_sms(3)
        send = OutboxDriver.send

        def send_slowly(driver, message):
            time.sleep(0.2)
            return send(driver, message)

        with (
            patch("odoo.addons.base.models.ir_cron.MIN_TIME_PER_JOB", 0.1),
            self.patch_driver(send_slowly),
            patch.object(type(self.cron), "_trigger") as trigger,
        ):
            self.run_cron()
        self.assertEqual(sms.mapped("state"), ["pending", "outgoing", "outgoing"])
        trigger.assert_called_once_with()
        self.run_cron()
        self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_progress_is_told_early(self):
        """The scheduler gives up on a job that dies three times without any progress."""
        self.queue_sms(3)
        send, taken = OutboxDriver.send, []

        def die_at_the_second(driver, message):
            taken.append(message)
            if len(taken) == 2:
                raise Killed
            return send(driver, message)

        with self.patch_driver(die_at_the_second):
            self.run_cron_until_killed()
        progress = self.env["ir.cron.progress"].search([], order="id desc", limit=1)
        self.assertRecordValues(progress, [{"cron_id": self.cron.id, "done": 1, "remaining": 2}])

    def test_more_than_a_batch(self):
        with patch("odoo.addons.sms_gateway_http.models.sms_sms.QUEUE_BATCH_SIZE", 2):
            sms = self.queue_sms(5)
            self.run_cron()
        self.assertEqual(self.get_outbox().mapped("uuid"), sms.mapped("uuid"), "in their order")

    def test_reason_speaks_the_companys_language(self):
        """The scheduler has no language of its own; the people who read the reason do."""
        self.env["res.lang"]._activate_lang("uk_UA")
        self.company.partner_id.lang = "uk_UA"
        self.company.sms_gateway_id = self.outbox_gateway.copy({"active": False})
        refused = self.queue_sms()
        self.run_cron()
        self.assert_sms(refused, "error", "gateway_setup", "заархівовано")
        interrupted = self.queue_sms()
        interrupted.write({"state": "process", "gateway_claimed_at": "2026-11-01 10:00:00"})
        self.run_cron()
        self.assert_sms(interrupted, "process", "gateway_unknown", "перервано")

    def test_confirm_unknown(self):
        """A person finds out; what hangs on the message hears of it."""
        sent, sent_notification = self.queue_sms_on_partner()
        failed, failed_notification = self.queue_sms_on_partner()
        with self.patch_driver(lambda *args: Result(failure_type="gateway_unknown", reason="?")):
            self.run_cron()
        sent.with_user(self.admin).action_gateway_confirm_sent()
        self.assert_sms(sent, "pending")
        self.assertTrue(sent.to_delete)
        self.assert_notification(sent_notification, "pending")
        failed.with_user(self.admin).action_gateway_confirm_failed()
        self.assert_sms(failed, "error", "unknown", "administrator")
        self.assertEqual(failed_notification.notification_status, "exception")
        failed.with_user(self.admin).action_set_outgoing()
        self.assertFalse(failed.gateway_claimed_at or failed.gateway_id or failed.gateway_reason)
        self.run_cron()
        self.assert_sms(failed, "pending")
        self.assertEqual(self.get_outbox().uuid, failed.uuid)

    def test_queries_per_message(self):
        """Two queries for each message handed over: its claim and its result.

        Three more where the chatter shows it: its tracker, and its notification read and written.
        Another addon that follows results through the tracker may add one.
        """

        def count(queue, size):
            queue(size)
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.run_cron()
            return self.cr.sql_log_count - before

        def queue_on_partners(size):
            for _n in range(size):
                self.queue_sms_on_partner()

        taken = self.patch_driver(lambda *args: Result())
        for queue, limit in [(self.queue_sms, 2), (queue_on_partners, 6)]:
            with self.subTest(limit=limit), taken:
                count(queue, 2)
                difference = count(queue, 42) - count(queue, 2)
                self.assertLessEqual(difference / 40, limit)


@tagged("post_install", "-at_install")
class TestQueueBesidePlatform(SMSCase, GatewayCase):
    """One company has a gateway, the others send as Odoo does."""

    def run_cron(self):
        self.cron.method_direct_trigger()  # an `HttpCase` is in test mode already

    def test_two_companies(self):
        own = self.queue_sms(2)
        rest = self.queue_sms(2, self.other_company, number="+380501234568")
        with self.mockSMSGateway():
            self.run_cron()
        self.assertEqual(self.get_outbox().mapped("uuid"), own.mapped("uuid"))
        self.assertEqual({sms["uuid"] for sms in self._sms}, set(rest.mapped("uuid")))
        self.assertEqual(set((own + rest).mapped("state")), {"pending"})
        self.assertFalse(any(sms.gateway_claimed_at or sms.gateway_id for sms in rest))

    def test_two_companies_with_gateways(self):
        gateway = self.outbox_gateway.copy({"company_id": self.other_company.id})
        self.other_company.sms_gateway_id = gateway
        self.queue_sms()
        self.queue_sms(company=self.other_company)
        with self.mockSMSGateway():
            self.run_cron()
        self.assertEqual(self._sms, [])
        self.assertEqual(
            [(kept.company_id, kept.gateway_id) for kept in self.get_outbox()],
            [(self.company, self.outbox_gateway), (self.other_company, gateway)],
        )

    def test_platform_breaks_on_two_companies(self):
        """The platform's fault, and that neither our messages nor the others suffer from it."""
        third = self.env["res.company"].create({"name": "Third"})
        rest = self.queue_sms(company=self.other_company) + self.queue_sms(company=third)
        with self.assertRaisesRegex(ValueError, "Expected singleton: res.company"):
            PlatformSms._send(rest)
        own = self.queue_sms()
        with self.mockSMSGateway():
            self.run_cron()
        self.assert_sms(own, "pending")
        self.assertEqual({sms["uuid"] for sms in self._sms}, set(rest.mapped("uuid")))

    def test_platform_failure_does_not_stop_us(self):
        own = self.queue_sms()
        self.queue_sms(company=self.other_company)
        with (
            patch.object(PlatformSms, "_process_queue", side_effect=ValueError),
            mute_logger("odoo.addons.base.models.ir_cron"),
        ):
            self.run_cron()
        self.assert_sms(own, "pending")

    def test_company_of_the_message_decides(self):
        """As on the platform: the company of the record, not the sender's."""
        partner = self.env["res.partner"].create(
            {"name": "Customer", "phone": NUMBER, "company_id": self.other_company.id}
        )
        with self.mockSMSGateway():
            partner._message_sms("Text", put_in_queue=True)
            self.run_cron()
            self.assertFalse(self.get_outbox())
            self.assertEqual(len(self._sms), 1)
            self.other_company.sms_gateway_id = self.outbox_gateway
            partner._message_sms("Text", put_in_queue=True)
            self.run_cron()
        self.assertEqual(self.get_outbox().company_id, self.other_company)

    def test_without_gateways_all_is_as_before(self):
        self.company.sms_gateway_id = False
        sms = self.queue_sms(2)
        with self.mockSMSGateway():
            sms[0].send()
            self.assertEqual(len(self._sms), 1, "at once, as the platform does")
            self.run_cron()
        self.assertEqual(len(self._sms), 2)
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertFalse(self.get_outbox())

    def test_company_that_another_addon_knows(self):
        """The queue's domain cannot know it; the message goes its way all the same."""
        sms = self.queue_sms() + self.queue_sms(company=self.other_company)
        companies = {sms[0].id: self.other_company, sms[1].id: self.company}
        with (
            patch.object(type(sms), "_get_sms_company", lambda sms: companies[sms.id]),
            self.mockSMSGateway(),
        ):
            self.run_cron()
        self.assertEqual([one["uuid"] for one in self._sms], [sms[0].uuid])
        self.assertEqual(self.get_outbox().uuid, sms[1].uuid)
        self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_domain_and_method_agree(self):
        """The queue is searched by a domain, routes are decided by a method: same answer."""
        sms = self.queue_sms() + self.queue_sms(company=self.other_company)
        sms += self.queue_sms(record_company_id=False)
        sms += self.queue_sms(company=self.other_company, gateway_id=self.outbox_gateway.id)
        for company in (self.company, self.other_company, self.env["res.company"]):
            message = self.env["mail.message"].create({"record_company_id": company.id})
            sms += self.queue_sms(mail_message_id=message.id)
        sms[1].record_company_id = self.other_company
        self.env.flush_all()
        for company in (self.company, self.other_company):
            env_sms = self.env["sms.sms"].with_company(company)
            found = env_sms.search(env_sms._get_gateway_queue_domain())
            self.assertEqual(
                set(found.ids) & set(sms.ids), set(sms.with_company(company)._filter_gateway().ids)
            )
