from datetime import timedelta
from itertools import permutations
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sms_gateway_http.drivers import Reply, Report, Result
from odoo.addons.sms_gateway_http.drivers.smsc import SmscDriver
from odoo.addons.sms_gateway_http.models.sms_sms_event import SmsSms as SmsSmsEvent

from .common import NUMBER, OTHER_NUMBER, GatewayCase

ACCEPTED = Report("77", "accepted")
DELIVERED = Report("77", "delivered")
EXPIRED = Report("77", "failed", "sms_expired", "Too late")
REJECTED = Report("77", "failed", "sms_rejected", "Spam")


@tagged("post_install", "-at_install")
class TestEvents(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.env["sms.gateway"].create({"name": "SMSC", "driver": "smsc"})

    def take_on_partner(self, reference="77"):
        """Return a message on a contact's chatter that was taken, and its notification."""
        sms, notification = self.queue_sms_on_partner()
        sms._gateway_set_sent(sms.sms_tracker_id, to_delete=False)
        sms.write({"gateway_id": self.gateway.id, "gateway_reference": reference})
        return sms, notification

    def test_delivered(self):
        sms, notification = self.take_on_partner()
        event = self.receive(self.gateway, DELIVERED)
        self.assert_sms(sms, "pending")
        self.run_cron()
        self.assert_sms(sms, "sent")
        self.assertTrue(sms.to_delete)
        self.assert_notification(notification, "sent")
        self.assertEqual(event.state, "used")

    def test_not_delivered(self):
        sms, notification = self.take_on_partner()
        self.receive(self.gateway, EXPIRED)
        self.run_cron()
        self.assert_sms(sms, "error", "sms_expired", "Too late")
        self.assertFalse(sms.to_delete, "it can be sent again")
        self.assert_notification(notification, "exception", "sms_expired", "Too late")

    def test_rejected(self):
        """What the platform calls a bounce."""
        sms, notification = self.take_on_partner()
        self.receive(self.gateway, REJECTED)
        self.run_cron()
        self.assert_sms(sms, "error", "sms_rejected")
        self.assert_notification(notification, "bounce", "sms_rejected")

    def test_reports_in_any_order(self):
        """All orders of four reports, each of them three times, lead to the same end."""
        writes = []
        update = SmsSmsEvent._gateway_set_delivered

        def set_delivered(sms, tracker):
            writes.append(sms.id)
            return update(sms, tracker)

        sms = self.env["sms.sms"]
        for number, order in enumerate(permutations([ACCEPTED, EXPIRED, REJECTED, DELIVERED])):
            reference = f"m{number}"
            sms |= self.send_pending(self.gateway, reference)
            self.receive(
                self.gateway, *(report._replace(reference=reference) for report in order * 3)
            )
        with patch.object(SmsSmsEvent, "_gateway_set_delivered", set_delivered):
            self.run_cron()
        self.assertEqual(len(sms), 24)
        self.assertEqual(set(sms.mapped("state")), {"sent"})
        self.assertFalse(any(sms.mapped("failure_type")))
        self.assertEqual(sorted(writes), sms.ids, "written once each")

    def test_late_failure_does_not_undo_delivery(self):
        sms, notification = self.take_on_partner()
        self.receive(self.gateway, DELIVERED)
        self.run_cron()
        event = self.receive(self.gateway, DELIVERED, EXPIRED)[-1]
        self.run_cron()
        self.assert_sms(sms, "sent")
        self.assert_notification(notification, "sent")
        self.assertEqual(event.state, "ignored")

    def test_report_on_unknown_result(self):
        """A report proves that the gateway took what nobody could tell of."""
        for report, state, failure_type in [
            (ACCEPTED, "pending", False),
            (DELIVERED, "sent", False),
            (EXPIRED, "error", "sms_expired"),
            (Report("77", "missing"), "error", "gateway_refused"),
        ]:
            with self.subTest(report=report.state):
                sms, _notification = self.take_on_partner()
                sms.state = "process"
                sms._gateway_mark_unknown("?")
                self.receive(self.gateway, report)
                self.run_cron()
                self.assert_sms(sms, state, failure_type)
                sms.unlink()

    def test_missing_means_nothing_for_what_was_taken(self):
        sms = self.send_pending(self.gateway, "77")
        event = self.receive(self.gateway, Report("77", "missing"))
        self.run_cron()
        self.assert_sms(sms, "pending")
        self.assertEqual(event.state, "ignored")

    def test_report_waits_while_the_message_is_handed_over(self):
        """The worker that has it may be alive: nothing is changed under its hands."""
        sms = self.send_pending(self.gateway, "77")
        sms.write({"state": "process", "gateway_claimed_at": self.env.cr.now()})
        event = self.receive(self.gateway, DELIVERED)
        self.run_cron()
        self.assertEqual((sms.state, event.state), ("process", "new"))
        sms.gateway_claimed_at -= timedelta(minutes=6)
        self.run_cron()
        self.assertEqual((sms.state, event.state), ("sent", "used"))

    def test_report_that_comes_before_its_message_is_known(self):
        event = self.receive(self.gateway, DELIVERED)
        self.run_cron()
        self.assertEqual(event.state, "new")
        sms = self.send_pending(self.gateway, "77")
        self.run_cron()
        self.assertEqual((sms.state, event.state), ("sent", "used"))

    def test_report_by_uuid(self):
        sms = self.send_pending(self.gateway, "77")
        self.receive(self.gateway, DELIVERED._replace(reference=sms.uuid))
        self.run_cron()
        self.assert_sms(sms, "sent")

    def test_another_gateways_message(self):
        sms = self.send_pending(self.gateway, "77")
        event = self.receive(self.gateway.copy(), DELIVERED)
        self.run_cron()
        self.assertEqual((sms.state, event.state), ("pending", "new"))

    def test_sent_again(self):
        """A report on the first attempt says nothing about the second one."""
        sms = self.send_pending(self.gateway, "77")
        self.receive(self.gateway, EXPIRED)
        self.run_cron()
        sms.action_set_outgoing()
        self.assertFalse(sms.gateway_reference)
        self.company.sms_gateway_id = self.gateway
        with patch.object(SmscDriver, "send", return_value=Result()):
            self.run_cron()
        self.assert_sms(sms, "pending")
        self.assertTrue(sms.gateway_reference)
        self.receive(self.gateway, EXPIRED)
        self.run_cron()
        self.assert_sms(sms, "pending")

    def test_same_event_counts_once(self):
        event = Report("77", "delivered", key="e1")
        self.receive(self.gateway, event, event)
        self.receive(self.gateway, event._replace(reference="78"))
        self.receive(self.gateway.copy(), event)
        self.assertEqual(self.env["sms.gateway.event"].search_count([("key", "=", "e1")]), 2)

    def test_broken_record_does_not_stop_the_rest(self):
        broken = self.send_pending(self.gateway, "1")
        other = self.send_pending(self.gateway, "2")
        events = self.receive(
            self.gateway, Report("1", "delivered"), Report("2", "delivered"), Reply("x", "y")
        )
        update = SmsSmsEvent._gateway_set_delivered

        def break_first(sms, tracker):
            if sms == broken:
                raise ValueError
            return update(sms, tracker)

        with (
            patch.object(SmsSmsEvent, "_gateway_set_delivered", break_first),
            mute_logger("odoo.addons.sms_gateway_http.models.sms_sms"),
        ):
            self.run_cron()
        self.assertEqual((broken.state, other.state), ("pending", "sent"))
        self.assertEqual(events.mapped("state"), ["failed", "used", "ignored"])

    def test_more_than_a_batch(self):
        sms = self.env["sms.sms"]
        for number in range(3):
            sms |= self.send_pending(self.gateway, str(number))
            self.receive(self.gateway, Report(str(number), "delivered"))
        with patch("odoo.addons.sms_gateway_http.models.sms_sms_event.FOLD_BATCH_SIZE", 2):
            self.run_cron()
            self.assertEqual(sms.mapped("state").count("sent"), 2)
            trigger = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)], limit=1)
            self.assertTrue(trigger, "the rest comes soon")
            self.run_cron()
        self.assertEqual(set(sms.mapped("state")), {"sent"})

    def test_texts_that_the_database_cannot_keep(self):
        events = self.receive(
            self.gateway, Reply("\0" + NUMBER, "a\0\ud800b"), Reply(NUMBER, "я" * 5000)
        )
        self.assertEqual(events[0].number, NUMBER)
        self.assertEqual(events[0].body, "a?b")
        self.assertEqual(len(events[1].body), 500)

    # ------------------------------------------------------------
    # Replies
    # ------------------------------------------------------------

    def test_stop(self):
        """The word alone, however it is written, puts the number on the blacklist."""
        Blacklist = self.env["phone.blacklist"].with_context(active_test=False)
        for text in ("STOP", "стоп", " Стоп! ", "СТОП.", "Відписка", "отписка", "unsubscribe"):
            with self.subTest(text=text):
                event = self.receive(self.gateway, Reply(NUMBER, text))
                self.run_cron()
                entry = Blacklist.search([("number", "=", NUMBER)])
                self.assertTrue(entry.active)
                self.assertEqual(event.state, "used")
                self.assertIn("Asked for by SMS to SMSC", "".join(entry.message_ids.mapped("body")))
                event.unlink()
                entry.unlink()

    def test_other_replies(self):
        for number, text in [
            (OTHER_NUMBER, "Не стоп"),
            (OTHER_NUMBER, "Stop by at 9"),
            (OTHER_NUMBER, ""),
            ("12", "STOP"),
            ("Bank", "STOP"),
        ]:
            with self.subTest(text=text):
                event = self.receive(self.gateway, Reply(number, text))[-1]
                self.run_cron()
                self.assertEqual(event.state, "ignored")
                event.unlink()
        self.assertFalse(self.env["phone.blacklist"].search([("number", "=", OTHER_NUMBER)]))

    def test_stop_after_a_change_of_mind(self):
        entry = self.env["phone.blacklist"]._add([NUMBER])
        entry._remove([NUMBER])
        self.receive(self.gateway, Reply(NUMBER, "STOP"))
        self.run_cron()
        self.assertTrue(entry.active)

    # ------------------------------------------------------------
    # Keeping and forgetting
    # ------------------------------------------------------------

    def test_old_ones_are_deleted(self):
        events = self.receive(
            self.gateway,
            Report("1", "delivered"),
            Report("2", "delivered"),
            Report("3", "delivered"),
        )
        now = self.env.cr.now()
        for event, days in zip(events, (1, 4, 31), strict=True):
            self.env.cr.execute(
                "UPDATE sms_gateway_event SET create_date = %s WHERE id = %s",
                [now - timedelta(days=days), event.id],
            )
        events.invalidate_recordset()
        self.env["sms.gateway.event"]._gc_events()
        self.assertEqual(events.exists().mapped("state"), ["new", "ignored"])

    def test_messages_are_kept_while_reports_may_come(self):
        sms = self.send_pending(self.gateway, "1") + self.send_pending(self.gateway, "2")
        sms[0].gateway_claimed_at -= timedelta(days=4)
        sms[0]._gc_gateway_pending()
        self.assertEqual(sms.mapped("to_delete"), [True, False])
