from datetime import datetime, timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.sql_db import BaseCursor
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.sms.models.sms_sms import SmsSms
from odoo.addons.sms.tests.common import SMSCase
from odoo.addons.sms.tools.sms_api import SmsApi

from .common import LANDLINE, MOBILE, NOW, WholesaleCommon

TOMORROW = datetime(2026, 11, 24, 8, 0)  # 10:00 in Kyiv
OTHER_MOBILE = "+48512345678"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class NoticeCommon(WholesaleCommon):
    """The firm sends through the platform's own provider, whatever else is installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.notices = cls.env["crm.visit.notice"]
        if "sms_gateway_id" in cls.company:
            cls.company.sms_gateway_id = False

    def _run(self, at=None):
        """Run the dispatcher as the scheduler does, at a moment (UTC)."""
        cron = self.env.ref("crm_wholesale.ir_cron_dispatch_notices")
        with freeze_time(at or datetime.now()), self.enter_registry_test_mode():
            self.assertEqual(cron.method_direct_trigger(), True)

    def _run_queue(self, answers=None):
        """Run the platform's SMS queue with a provider that answers "success", or as told.

        :param dict answers: the provider's answer by number
        :return: the messages that the provider got, as (number, text)
        """
        sent = []

        def contact(api, endpoint, params, timeout=15):
            results = []
            for message in params["messages"]:
                for number in message["numbers"]:
                    sent.append((number["number"], message["content"]))
                    state = (answers or {}).get(number["number"], "success")
                    results.append({"uuid": number["uuid"], "state": state, "credit": 1})
            return results

        with patch.object(SmsApi, "_contact_iap", contact):
            self.env["sms.sms"].search([("state", "=", "outgoing")])._send(unlink_sent=False)
        return sent

    def _get_sms(self, notice):
        return self.env["sms.sms"].search([("uuid", "in", notice.mapped("uuid"))])

    def _get_calls(self, notice):
        """Return the open call tasks about the notice's visit, on its deal or itself."""
        visit = notice.visit_id
        call_type = self.env.ref("crm_wholesale.mail_activity_type_call_customer")
        return (visit.lead_id.activity_ids | visit.activity_ids).filtered(
            lambda activity: activity.activity_type_id == call_type
        )

    def assert_notice(self, notice, state, reason=False):
        self.assertEqual((notice.state, notice.reason), (state, reason))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPlanning(NoticeCommon):
    def test_each_lead_time_is_a_row(self):
        self.visit_type.reminder_minutes = "1440, 120"
        visit = self._book(TOMORROW + 48 * HOUR)
        self.assertEqual(
            [(n.lead_minutes, n.due_at, n.useful_until, n.state) for n in visit.notice_ids],
            [
                (1440, visit.start - 24 * HOUR, visit.start, "planned"),
                (120, visit.start - 2 * HOUR, visit.start, "planned"),
            ],
        )
        self.assertEqual(visit.notice_ids.mapped("revision"), [visit.revision] * 2)
        self.assertEqual(visit.notice_ids.company_id, visit.company_id)

    def test_reminder_anchors_to_the_arrival_window(self):
        visit = self._book(TOMORROW + HOUR, window_start=TOMORROW, window_stop=TOMORROW + 2 * HOUR)
        self.assertEqual(visit.notice_ids.due_at, TOMORROW - 2 * HOUR)

    def test_booked_inside_the_window(self):
        for minutes, due, state in ((31, NOW, "planned"), (29, NOW, "failed")):
            with self.subTest(minutes=minutes):
                notice = self._book(NOW + minutes * MINUTE).notice_ids
                self.assertEqual((notice.due_at, notice.state), (due, state))
                notice.visit_id._cancel("Next case")

    def test_too_late_for_an_sms_is_a_call_now(self):
        visit = self._book(NOW + 29 * MINUTE)
        notice = visit.notice_ids
        self.assert_notice(notice, "failed", "too_late")
        self.assertFalse(notice.activity_ids)
        call = self._get_calls(notice)
        self.assertEqual(len(call), 1)
        self.assertEqual((call.user_id, call.due_at), (self.manager, NOW))
        self.assertEqual((call.res_model, call.res_id), ("crm.lead", self.lead.id))
        self.assertFalse(call.notice_id)
        for words in ("too late", MOBILE, visit.name, visit.customer_time):
            self.assertIn(words, call.note)

    def test_of_several_past_lead_times_only_the_nearest_is_sent(self):
        self.visit_type.reminder_minutes = "4320, 1440, 120"
        visit = self._book(NOW + 5 * HOUR)
        self.assertEqual(
            {n.lead_minutes: n.due_at for n in visit.notice_ids},
            {1440: NOW, 120: visit.start - 2 * HOUR},
        )

    def test_planning_twice_changes_nothing(self):
        visit = self._book(TOMORROW)
        self.assertFalse(self.notices._plan_reminders(visit.sudo()))
        self.assertEqual(len(visit.notice_ids), 1)

    def test_the_database_refuses_a_second_row(self):
        notice = self._book(TOMORROW).notice_ids.sudo()
        notice.copy({"manual": True})
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            notice.copy()

    def test_queries_do_not_grow_with_visits(self):
        visits = self.env["crm.visit"].create(
            [
                {
                    "type_id": self.visit_type.id,
                    "lead_id": self._new_lead(name=str(hour)).id,
                    "measurer_id": self.measurer.id,
                    "start": TOMORROW + hour * HOUR,
                    "stop": TOMORROW + (hour + 1) * HOUR,
                }
                for hour in range(11)
            ]
        )
        counts = []
        for some in (visits[:1], visits[1:]):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.notices._plan_reminders(some)), len(some))
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1] - counts[0], 4, counts)

    # -- Moving and cancelling ---------------------------------------------------------------

    def test_moved_before_being_told(self):
        visit = self._book(TOMORROW)
        first = visit.notice_ids
        visit._reschedule(TOMORROW + 24 * HOUR)
        self.assert_notice(first, "superseded", "visit_changed")
        self.assertFalse(first.activity_ids)
        second = visit.notice_ids - first
        self.assertEqual((second.kind, second.state), ("reminder", "planned"))
        self.assertEqual(second.due_at, TOMORROW + 22 * HOUR)

    def test_moved_after_being_told(self):
        visit = self._book(TOMORROW)
        self._run(at=TOMORROW - 2 * HOUR)
        self._run_queue()
        with freeze_time(TOMORROW - HOUR):
            visit._reschedule(TOMORROW + 24 * HOUR)
        moved = visit.notice_ids.filtered(lambda n: n.kind == "moved")
        self.assertEqual((moved.state, moved.due_at), ("planned", TOMORROW - HOUR))
        self.assertEqual(visit.notice_ids.mapped("kind").count("reminder"), 2)
        self._run(at=TOMORROW - HOUR)
        self.assert_notice(moved, "queued")
        self.assertIn("Wednesday, 25 November at 10:00", moved.body)

    def test_moved_while_the_message_was_waiting(self):
        visit = self._book(TOMORROW)
        self._run(at=TOMORROW - 2 * HOUR)
        with freeze_time(TOMORROW - HOUR):
            visit._reschedule(TOMORROW + 24 * HOUR)
        self.assertEqual(visit.notice_ids.mapped("kind"), ["reminder", "reminder"])
        self.assertEqual(self._run_queue(), [])

    def test_moved_again_before_the_first_move_was_told(self):
        visit = self._book(TOMORROW)
        self._run(at=TOMORROW - 2 * HOUR)
        self._run_queue()
        with freeze_time(TOMORROW - HOUR):
            visit._reschedule(TOMORROW + 24 * HOUR)
            visit._reschedule(TOMORROW + 48 * HOUR)
        moved = visit.notice_ids.filtered(lambda n: n.kind == "moved")
        self.assertEqual(sorted(moved.mapped("state")), ["planned", "superseded"])

    def test_moved_into_the_window_is_told_once(self):
        visit = self._book(TOMORROW)
        self._run(at=TOMORROW - 2 * HOUR)
        self._run_queue()
        with freeze_time(TOMORROW - HOUR):
            visit._reschedule(TOMORROW + MINUTE)
        current = visit.notice_ids.filtered(lambda n: n.revision == visit.revision)
        self.assertEqual([(n.kind, n.state) for n in current], [("moved", "planned")])

    def test_what_a_person_told_counts(self):
        visit = self._book(TOMORROW)
        face = visit.notice_ids.activity_ids
        face.with_user(self.manager).action_done()
        visit._reschedule(TOMORROW + 24 * HOUR)
        self.assertIn("moved", visit.notice_ids.mapped("kind"))

    def test_a_call_that_was_made_counts(self):
        visit = self._book(NOW + 29 * MINUTE)
        visit._reschedule(NOW + 28 * MINUTE)
        self.assertNotIn("moved", visit.notice_ids.mapped("kind"))
        calls = self._get_calls(visit.notice_ids)
        self.assertEqual(len(calls), 1, "The call about the old time must go")
        calls.with_user(self.manager).action_done()
        visit._reschedule(TOMORROW)
        self.assertIn("moved", visit.notice_ids.mapped("kind"))

    def test_cancelled(self):
        untold = self._book(TOMORROW)
        untold._cancel("Not needed")
        self.assert_notice(untold.notice_ids, "superseded", "visit_changed")

        told = self._book(TOMORROW)
        self._run(at=TOMORROW - 2 * HOUR)
        self._run_queue()
        with freeze_time(TOMORROW - HOUR):
            told._cancel("Not needed")
        notice = told.notice_ids.filtered(lambda n: n.kind == "cancelled")
        self.assertEqual((notice.state, notice.useful_until), ("planned", told.stop))
        self._run(at=TOMORROW - HOUR)
        self.assert_notice(notice, "queued")
        self.assertIn("is cancelled", notice.body)

    def test_nothing_is_pending_after_the_visit(self):
        visit = self._book(TOMORROW)
        visit.action_on_my_way()
        visit.action_no_show()
        for notice in visit.notice_ids:
            self.assert_notice(notice, "superseded", "visit_begun")


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDispatch(NoticeCommon):
    def test_goes_out_at_its_minute_and_once(self):
        notice = self._book(TOMORROW).notice_ids
        self._run(at=notice.due_at - timedelta(seconds=1))
        self.assert_notice(notice, "planned")
        self.assertFalse(self._get_sms(notice))

        self._run(at=notice.due_at)
        self.assert_notice(notice, "queued")
        sms = self._get_sms(notice)
        self.assertEqual((sms.number, sms.body, sms.state), (MOBILE, notice.body, "outgoing"))
        self.assertEqual((notice.phone, notice.attempts), (MOBILE, 1))
        self.assertEqual(notice.queued_at, notice.due_at)
        self.assertFalse(notice.activity_ids)

        self._run(at=notice.due_at + MINUTE)
        self.assertEqual(len(self._get_sms(notice)), 1)
        self.assertEqual(notice.attempts, 1)

    def test_due_is_judged_by_the_clock_of_the_database(self):
        notice = self._book(TOMORROW).notice_ids
        minute_before = notice.due_at - MINUTE
        with patch.object(BaseCursor, "now", lambda cr: minute_before), freeze_time(TOMORROW):
            self.assertFalse(self.notices.search(self.notices._get_due_domain()))

    def test_the_text(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.company.write({"name": "Vikna", "phone": "+380441234567"})
        for start, tz, language, words in (
            (TOMORROW, "Europe/Kyiv", "en_US", "Tuesday, 24 November at 10:00 to vul"),
            (TOMORROW, "America/New_York", "en_US", "Tuesday, 24 November at 03:00 to"),
            (TOMORROW, "Europe/Kyiv", "uk_UA", "вівторок, 24 листопада"),
            # Either side of midnight at the site
            (datetime(2026, 11, 24, 21, 59), "Europe/Kyiv", "en_US", "24 November at 23:59"),
            (datetime(2026, 11, 24, 22, 0), "Europe/Kyiv", "en_US", "25 November at 00:00"),
            # Daylight saving: 03:30 comes twice, 03:30 does not come at all
            (datetime(2026, 10, 25, 0, 30), "Europe/Kyiv", "en_US", "25 October at 03:30"),
            (datetime(2026, 10, 25, 1, 30), "Europe/Kyiv", "en_US", "25 October at 03:30"),
            (datetime(2026, 10, 25, 2, 30), "Europe/Kyiv", "en_US", "25 October at 04:30"),
            (datetime(2027, 3, 28, 0, 59), "Europe/Kyiv", "en_US", "28 March at 02:59"),
            (datetime(2027, 3, 28, 1, 0), "Europe/Kyiv", "en_US", "28 March at 04:00"),
        ):
            with self.subTest(start=start, tz=tz), freeze_time(start - 24 * HOUR):
                self.lead.partner_id = self.env["res.partner"].create(
                    {"name": "Olena", "lang": language, "phone": MOBILE}
                )
                visit = self._book(start, tz=tz, street="vulytsia Entuziastiv, 11", city="Kyiv")
                notice = visit.notice_ids
                self.assertIn(words, notice.preview)
                self._run(at=notice.due_at)
                self.assertIn(words, notice.body)
                self.assertIn("Measurer", notice.body)
                self.assertIn("vulytsia Entuziastiv, 11", notice.body)
                self.assertIn("Vikna, +380441234567", notice.body)
                self.assertTrue(notice.body.endswith(visit.customer_url), notice.body)
                visit._cancel("Next case")

    def test_the_text_names_the_arrival_window(self):
        visit = self._book(TOMORROW, window_start=TOMORROW, window_stop=TOMORROW + 3 * HOUR)
        self.assertIn("at 10:00-13:00 to", visit.notice_ids.preview)

    def test_the_customers_language_is_found(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.env["res.lang"]._activate_lang("ru_RU")
        visit = self._book(TOMORROW)
        self.company.partner_id.lang = "uk_UA"
        self.assertEqual(visit._get_customer_lang(), "uk_UA")
        self.lead.lang_id = self.env.ref("base.lang_ru")
        self.assertEqual(visit._get_customer_lang(), "ru_RU")
        visit.sudo().partner_id = self.env["res.partner"].create({"name": "A", "lang": "en_US"})
        self.assertEqual(visit._get_customer_lang(), "en_US")

    def test_whose_number(self):
        firm = self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "phone": "+48512345678"}
        )
        contact = self.env["res.partner"].create(
            {"name": "Olena", "parent_id": firm.id, "phone": "050 123 45 67"}
        )
        visit = self._book(TOMORROW)
        visit.sudo().write({"phone": "+420601123456", "partner_id": contact.id})
        notice = visit.notice_ids.sudo()
        self.assertEqual(notice._get_recipient()[1], "+420601123456")
        visit.sudo().phone = False
        self.assertEqual(notice._get_recipient()[1], MOBILE)
        contact.phone = False
        self.assertEqual(notice._get_recipient()[1], "+48512345678")
        firm.phone = False
        self.assertEqual(notice._get_recipient(), (False, False))

    def assert_becomes_call(self, notice, reason, at=None):
        """Assert that the notice, when it is due, turns into one call task with its reason."""
        for moment in (at or notice.due_at, TOMORROW + HOUR):
            self._run(at=moment)
            self.assert_notice(notice, "failed", reason)
            self.assertFalse(self._get_sms(notice))
            self.assertFalse(notice.activity_ids)
            call = self._get_calls(notice)
            self.assertEqual(len(call), 1)
            self.assertEqual((call, call.user_id), (notice.call_activity_id, self.manager))
            self.assertIn(notice.explanation, call.note)
        self.assertEqual(call.due_at, at or notice.due_at)

    def test_no_number(self):
        notice = self._book(TOMORROW).notice_ids
        notice.visit_id.sudo().phone = False
        self.assert_becomes_call(notice, "no_phone")

    def test_bad_number(self):
        notice = self._book(TOMORROW).notice_ids
        notice.visit_id.sudo().phone = "050"
        self.assert_becomes_call(notice, "bad_phone")
        self.assertEqual(notice.recipient, "050")

    def test_landline(self):
        notice = self._book(TOMORROW).notice_ids
        notice.visit_id.sudo().phone = LANDLINE
        self.assert_becomes_call(notice, "no_sms_phone")

    def test_objected_between_planning_and_sending(self):
        notice = self._book(TOMORROW).notice_ids
        self.env["phone.blacklist"].create({"number": MOBILE})
        self.assert_becomes_call(notice, "blacklisted")

    def test_purpose_needs_consent_now(self):
        notice = self._book(TOMORROW).notice_ids
        self.env.ref("crm_wholesale.personal_data_purpose_visit_service").basis = "consent"
        self.assert_becomes_call(notice, "no_consent")

    def test_server_was_down_until_too_late(self):
        notice = self._book(TOMORROW).notice_ids
        self.assert_becomes_call(notice, "too_late", at=TOMORROW)

    def test_server_was_down_but_not_too_long(self):
        notice = self._book(TOMORROW).notice_ids
        self._run(at=TOMORROW - MINUTE)
        self.assert_notice(notice, "queued")

    @mute_logger("odoo.addons.crm_wholesale.models.crm_visit_notice")
    def test_no_template(self):
        notice = self._book(TOMORROW).notice_ids
        self.env.ref("crm_wholesale.sms_template_visit_reminder").unlink()
        self.assert_becomes_call(notice, "broken")

    def test_call_of_a_visit_without_deal_is_on_the_visit(self):
        notice = self._book(TOMORROW).notice_ids
        notice.visit_id.sudo().write({"lead_id": False, "phone": LANDLINE})
        self._run(at=notice.due_at)
        self.assertEqual(notice.call_activity_id.res_model, "crm.visit")
        self.assertEqual(notice.call_activity_id.user_id, self.manager)

    @mute_logger("odoo.addons.crm_wholesale.models.crm_visit_notice")
    def test_one_bad_text_costs_one_message(self):
        notices = self._plan_many(7)
        bad = notices[3]
        template = self.env.ref("crm_wholesale.sms_template_visit_reminder")
        template.body = f"{{{{ 1 / (object.id - {bad.visit_id.id}) }}}}"
        self._run(at=TOMORROW + 7 * HOUR)
        self.assert_notice(bad, "failed", "broken")
        self.assertEqual(len(self._get_calls(bad)), 1)
        self.assertEqual(set((notices - bad).mapped("state")), {"queued"})
        self.assertEqual(len(self._get_sms(notices)), 6)

    def test_changed_behind_its_back(self):
        for change, reason in (
            ({"revision": 7}, "visit_changed"),
            ({"state": "cancelled"}, "visit_over"),
            ({"state": "in_progress"}, "visit_begun"),
        ):
            with self.subTest(change=change):
                visit = self._book(TOMORROW)
                self.env.flush_all()
                column, value = next(iter(change.items()))
                self.env.cr.execute(
                    f"UPDATE crm_visit SET {column} = %s WHERE id = %s", [value, visit.id]
                )
                self.env.invalidate_all()
                self._run(at=visit.notice_ids.due_at)
                self.assert_notice(visit.notice_ids, "superseded", reason)
                self.assertFalse(self._get_sms(visit.notice_ids))
                self.assertFalse(self._get_calls(visit.notice_ids))
                self.env.cr.execute(
                    "UPDATE crm_visit SET state = 'cancelled' WHERE id = %s", [visit.id]
                )
                self.env.invalidate_all()

    def test_two_visits_of_one_customer_are_both_told(self):
        visits = self._book(TOMORROW) | self._book(TOMORROW + HOUR)
        self._run(at=TOMORROW - HOUR)
        sent = self._run_queue()
        self.assertEqual([number for number, _text in sent], [MOBILE] * 2)
        self.assertEqual(visits.notice_ids.mapped("state"), ["sent"] * 2)

    def test_more_than_one_batch(self):
        notices = self._plan_many(7)
        with freeze_time(TOMORROW + 7 * HOUR), self.enter_registry_test_mode():
            server_action = self.env.ref("crm_wholesale.ir_cron_dispatch_notices")
            server_action.code = "model._dispatch_due(limit=3)"
            self.assertEqual(server_action.method_direct_trigger(), True)
        self.assertEqual(notices.mapped("state"), ["queued"] * 7)

    def test_at_most_half_a_query_per_row(self):
        counts = []
        for notices in (self._plan_many(10), self._plan_many(100)):
            with freeze_time(max(notices.mapped("due_at"))):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                notices._dispatch()
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(notices.mapped("state")), {"queued"})
        self.assertLessEqual(counts[1] - counts[0], 45, counts)

    def _plan_many(self, count):
        """Return the notices of as many visits, an hour apart, each of another customer."""
        start = self.env["crm.visit"].search([], order="stop DESC", limit=1).stop or TOMORROW
        leads = [
            self._new_lead(
                name=str(hour),
                partner_id=self.env["res.partner"].create({"name": f"Customer {hour}"}).id,
            )
            for hour in range(count)
        ]
        visits = self.env["crm.visit"].create(
            [
                {
                    "type_id": self.visit_type.id,
                    "lead_id": lead.id,
                    "partner_id": lead.partner_id.id,
                    "measurer_id": self.measurer.id,
                    "start": start + hour * HOUR,
                    "stop": start + (hour + 1) * HOUR,
                    "phone": MOBILE,
                    "street": "vulytsia Entuziastiv, 11",
                }
                for hour, lead in enumerate(leads, 1)
            ]
        )
        visits._write_scheduled()
        notices = self.notices._plan_reminders(visits)
        notices.useful_until = max(visits.mapped("stop"))
        return notices


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestResults(NoticeCommon):
    def setUp(self):
        super().setUp()
        self.notice = self._book(TOMORROW).notice_ids
        self._run(at=self.notice.due_at)
        self.sms = self._get_sms(self.notice)
        self.tracker = self.sms.sms_tracker_id

    def test_sent_and_delivered(self):
        with freeze_time(TOMORROW - HOUR):
            self.assertEqual(self._run_queue(), [(MOBILE, self.notice.body)])
        self.assert_notice(self.notice, "sent")
        self.assertEqual(self.notice.sent_at, TOMORROW - HOUR)
        with freeze_time(TOMORROW - HOUR + MINUTE):
            self.tracker._action_update_from_sms_state("sent")
        self.assert_notice(self.notice, "delivered")
        self.assertEqual(self.notice.delivered_at, TOMORROW - HOUR + MINUTE)
        self.assertEqual(self._run_queue(), [])

    def test_refused_becomes_a_call(self):
        self._run_queue({MOBILE: "insufficient_credit"})
        self.assert_notice(self.notice, "failed", "refused")
        self.assertEqual(self.notice.detail, "Insufficient Credit")
        self._run(at=self.notice.due_at + MINUTE)
        call = self._get_calls(self.notice)
        self.assertEqual(len(call), 1)
        self.assertIn("Insufficient Credit", call.note)
        self._run(at=self.notice.due_at + 2 * MINUTE)
        self.assertEqual(len(self._get_calls(self.notice)), 1)

    def test_gateway_could_not_be_reached(self):
        with patch.object(SmsApi, "_contact_iap", side_effect=AccessError("No network")):
            self.sms._send()
        self.assert_notice(self.notice, "failed", "refused")
        self.assertEqual(self.notice.detail, "Server Error")

    def test_results_in_any_order_never_go_backwards(self):
        for results, state in (
            (["pending", "sent", "pending"], "delivered"),
            (["sent", "pending"], "delivered"),
            (["pending", "error"], "failed"),
            (["error", "pending"], "failed"),
            (["error", "sent"], "delivered"),
            (["sent", "error"], "delivered"),
            (["pending", "canceled"], "sent"),
            (["canceled", "pending"], "cancelled"),
            (["process", "outgoing"], "queued"),
        ):
            with self.subTest(results=results):
                self.notice.sudo().write({"state": "queued", "reason": False})
                for result in results:
                    failure = result == "error" and "sms_server"
                    self.tracker._action_update_from_sms_state(result, failure_type=failure)
                self.assertEqual(self.notice.state, state)

    def test_provider_error_of_a_report(self):
        self._run_queue()
        self.tracker._action_update_from_provider_error("not_delivered")
        self.assert_notice(self.notice, "failed", "refused")
        self.assertTrue(self.notice.call_due)

    def test_no_result_is_unknown(self):
        self.sms.state = "process"
        self.env.flush_all()
        self._run(at=NOW + 9 * MINUTE)
        self.assert_notice(self.notice, "queued")
        self._run(at=NOW + 11 * MINUTE)
        self.assert_notice(self.notice, "unknown", "no_result")
        call = self._get_calls(self.notice)
        self.assertEqual(len(call), 1)
        self.assertIn("We do not know", call.summary)
        self.assertEqual(self.sms.state, "process", "An unknown message is never sent again")
        # The result comes after all: nobody need call.
        self.tracker._action_update_from_sms_state("pending")
        self.assert_notice(self.notice, "sent")
        self.assertFalse(self._get_calls(self.notice))

    def test_provider_without_hope_of_a_result(self):
        self.sms.write({"state": "process", "failure_type": "unknown"})
        self._run(at=NOW + MINUTE)
        self.assert_notice(self.notice, "unknown", "no_result")

    def test_sms_is_gone(self):
        self.sms.unlink()
        self._run(at=self.notice.due_at + MINUTE)
        self.assert_notice(self.notice, "unknown", "no_result")

    def test_waited_in_the_queue_for_too_long(self):
        self._run(at=TOMORROW - MINUTE)
        self.assert_notice(self.notice, "queued")
        self._run(at=TOMORROW)
        self.assert_notice(self.notice, "failed", "not_sent")
        self.assertEqual(self.sms.state, "canceled")
        self.assertEqual(len(self._get_calls(self.notice)), 1)
        self.assertEqual(self._run_queue(), [])

    def test_result_that_nobody_reported(self):
        self.sms.state = "pending"
        self._run(at=self.notice.due_at + MINUTE)
        self.assert_notice(self.notice, "sent")

    def test_a_claimed_message_counts_as_told(self):
        visit = self.notice.visit_id
        self.assertFalse(self.notices._filter_told(visit))
        self.sms.state = "process"
        self.assertEqual(self.notices._filter_told(visit), visit)
        with freeze_time(TOMORROW - HOUR):
            visit._cancel("Not needed")
        self.assert_notice(self.notice, "queued")
        self.assertEqual(self.sms.state, "process")
        self.assertIn("cancelled", visit.notice_ids.mapped("kind"))

    def test_a_waiting_message_is_taken_back(self):
        self.notice.visit_id._cancel("Not needed")
        self.assert_notice(self.notice, "superseded", "visit_changed")
        self.assertEqual(self.sms.state, "canceled")
        self.assertEqual(self._run_queue(), [])

    def test_messages_of_two_companies_go_out_together(self):
        other = self.env["res.company"].create({"name": "Second firm"})
        messages = self.env["mail.message"].create(
            [{"record_company_id": company.id} for company in (self.company, other)]
        )
        rows = self.env["sms.sms"].create(
            [
                {"number": OTHER_MOBILE, "body": "Other", "mail_message_id": message.id}
                for message in messages
            ]
        )
        self.assertEqual((rows | self.sms)._get_sms_company(), self.company | other)
        self.assertEqual(len(self._run_queue()), 3)
        self.assertEqual((rows | self.sms).mapped("state"), ["pending"] * 3)

    def test_the_company_of_the_message_is_the_visits(self):
        other = self.env["res.company"].create({"name": "Second firm"})
        self.env.cr.execute(
            "UPDATE crm_visit_notice SET company_id = %s, uuid = 'other' WHERE id = %s",
            [other.id, self.notice.id],
        )
        self.env.invalidate_all()
        companies = []
        create = SmsSms.create

        def create_sms(records, vals_list):
            companies.append(records.env.company)
            return create(records, vals_list)

        with patch.object(SmsSms, "create", create_sms):
            self.notice.sudo()._queue_sms()
        self.assertEqual(companies, [other])
        self.assertEqual(self._get_sms(self.notice)._get_sms_company(), other)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTasks(NoticeCommon):
    def setUp(self):
        super().setUp()
        self.notice = self._book(TOMORROW).notice_ids
        self.face = self.notice.activity_ids
        self.restore = self.env.ref("crm_wholesale.ir_cron_restore_notice_tasks")

    def _restore(self):
        with self.enter_registry_test_mode():
            self.assertEqual(self.restore.method_direct_trigger(), True)

    def test_face(self):
        self.assertEqual(self.face.user_id, self.manager)
        self.assertEqual(self.face.due_at, self.notice.due_at)
        self.assertEqual(
            (self.face.res_model, self.face.res_id), ("crm.visit", self.notice.visit_id.id)
        )
        self.assertTrue(self.face.automated)
        self.assertIn(MOBILE, self.face.summary)

    def test_done_means_told_by_hand(self):
        self.face.with_user(self.manager).action_done()
        self.assert_notice(self.notice, "cancelled", "told_by_hand")
        self.assertEqual(self.notice.explanation, "Told by hand: Manager")
        self.assertTrue(self.face.exists())
        self._run(at=self.notice.due_at)
        self.assertFalse(self._get_sms(self.notice))

    def test_deleted_means_cancelled_by_that_person(self):
        self.face.with_user(self.head).unlink()
        self.assert_notice(self.notice, "cancelled", "cancelled_by_hand")
        self.assertEqual(self.notice.detail, "Head")
        self.assertFalse(self.notice.told_by_hand)
        self._restore()
        self.assertFalse(self.notice.activity_ids)

    def test_face_is_no_clock(self):
        with self.assertRaisesRegex(UserError, "Move the visit"):
            self.face.with_user(self.manager).due_at = TOMORROW
        with self.assertRaisesRegex(UserError, "Move the visit"):
            self.face.with_user(self.manager).action_reschedule_tomorrow()
        self.face.with_user(self.manager).user_id = self.head
        self.assertEqual((self.face.user_id, self.face.due_at), (self.head, self.notice.due_at))

    def test_nobody_makes_a_face_by_hand(self):
        values = {
            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
            "res_id": self.lead.id,
        }
        activities = self.env["mail.activity"].with_user(self.manager)
        own = activities.create(values)
        with self.assertRaises(AccessError):
            own.notice_id = self.notice
        with self.assertRaises(AccessError):
            activities.create({**values, "notice_id": self.notice.id})
        with self.assertRaises(AccessError):
            activities.with_context(default_notice_id=self.notice.id).create(values)

    def test_face_lost_with_its_user(self):
        self.manager.action_archive()
        self.assertFalse(self.face.exists())
        self.assert_notice(self.notice, "planned")
        self._restore()
        self.assertEqual(len(self.notice.activity_ids), 1)
        self.assertTrue(self.notice.activity_ids.user_id.active)
        self._restore()
        self.assertEqual(len(self.notice.activity_ids), 1)
        self._run(at=self.notice.due_at)
        self.assert_notice(self.notice, "queued")

    def test_who_answers_when_people_have_gone(self):
        visit = self.notice.visit_id.sudo()
        notice = self.notice.sudo()
        self.lead.write({"user_id": self.other_manager.id, "team_id": self.team.id})
        visit.user_id = self.manager
        self.team.user_id = self.head
        for gone in (self.manager, self.other_manager, self.head):
            self.assertEqual(notice._get_responsible(), gone)
            gone.action_archive()
        last = notice._get_responsible()
        self.assertTrue(last.active)
        self.assertTrue(last.has_group("sales_team.group_sale_manager"))

    def test_call_of_nobody_is_somebodys(self):
        self.manager.action_archive()
        self.notice.visit_id.sudo().phone = LANDLINE
        self._run(at=self.notice.due_at)
        call = self._get_calls(self.notice)
        self.assertEqual(len(call), 1)
        self.assertTrue(call.user_id.active)

    @mute_logger("odoo.addons.crm_wholesale.models.crm_visit_notice")
    def test_call_task_that_breaks_is_made_later(self):
        self.notice.visit_id.sudo().phone = LANDLINE
        broken = patch.object(
            type(self.notices), "_prepare_call_values", side_effect=ValueError("Broken")
        )
        with broken:
            self._run(at=self.notice.due_at)
        self.assert_notice(self.notice, "failed", "no_sms_phone")
        self.assertFalse(self._get_calls(self.notice))
        self._run(at=self.notice.due_at + MINUTE)
        self.assertEqual(len(self._get_calls(self.notice)), 1)

    # -- Who may -----------------------------------------------------------------------------

    def test_send_now(self):
        self.notice.with_user(self.manager).action_send_now()
        self.assertEqual((self.notice.due_at, self.face.due_at), (NOW, NOW))
        self.assert_notice(self.notice, "planned")
        self.assertFalse(self._get_sms(self.notice), "Never inside the request")
        self._run(at=NOW)
        self.assert_notice(self.notice, "queued")
        with self.assertRaises(UserError):
            self.notice.with_user(self.manager).action_send_now()

    def test_cancel(self):
        self.notice.with_user(self.manager).action_cancel()
        self.assert_notice(self.notice, "cancelled", "cancelled_by_hand")
        self.assertEqual(self.notice.detail, "Manager")
        self.assertFalse(self.face.exists())

    def test_cancel_what_has_been_handed_over(self):
        self._run(at=self.notice.due_at)
        sms = self._get_sms(self.notice)
        sms.state = "process"
        with self.assertRaisesRegex(UserError, "has left"):
            self.notice.with_user(self.manager).action_cancel()
        sms.state = "outgoing"
        self.notice.with_user(self.manager).action_cancel()
        self.assert_notice(self.notice, "cancelled", "cancelled_by_hand")
        self.assertEqual(self._run_queue(), [])

    def test_who_may(self):
        for user in (self.manager, self.head):
            with self.subTest(user=user.login):
                notice = self.notice.with_user(user)
                self.assertEqual(notice.recipient, MOBILE)
                self.assertIn("vulytsia Entuziastiv", notice.preview)
                with self.assertRaises(AccessError):
                    notice.write({"due_at": NOW})
                with self.assertRaises(AccessError):
                    notice.create({"visit_id": notice.visit_id.id, "kind": "reminder"})
                with self.assertRaises(AccessError):
                    notice.unlink()
        for user in (self.other_manager, self.measurer_user, self.privacy_officer):
            with self.subTest(user=user.login):
                notice = self.notice.with_user(user)
                with self.assertRaises(AccessError):
                    notice.read(["state"])
                with self.assertRaises(AccessError):
                    notice.action_send_now()
                with self.assertRaises(AccessError):
                    notice.action_cancel()

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Second firm"})
        stranger = new_test_user(
            self.env,
            "wholesale_stranger",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertFalse(self.notices.with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            self.notice.with_user(stranger).read(["body"])

    def test_the_ledger_is_kept(self):
        with self.assertRaisesRegex(UserError, "cannot be deleted|not deleted"):
            self.notice.sudo().unlink()


@tagged("post_install", "-at_install")
class TestDelivery(SMSCase, NoticeCommon):
    """From the booking to the provider and back, with the platform's own gateway and routes."""

    def test_from_booking_to_delivery(self):
        with freeze_time(NOW):
            notice = self._book(TOMORROW).notice_ids
        cron = self.env.ref("crm_wholesale.ir_cron_dispatch_notices")
        queue = self.env.ref("sms.ir_cron_sms_scheduler_action")
        with freeze_time(notice.due_at), self.mockSMSGateway(sms_allow_unlink=True):
            self.assertEqual(cron.method_direct_trigger(), True)
            self.assertEqual(queue.method_direct_trigger(), True)
            self.assertEqual([sms["number"] for sms in self._sms], [MOBILE])
            self.assertEqual(self._sms[0]["uuid"], notice.uuid)
            self.assertEqual((notice.state, notice.sent_at), ("sent", notice.due_at))
            for scheduled in (cron, queue):
                self.assertEqual(scheduled.method_direct_trigger(), True)
            self.assertEqual(len(self._sms), 1)
        self.make_jsonrpc_request(
            "/sms/status",
            {"message_statuses": [{"sms_status": "delivered", "uuids": [notice.uuid]}]},
        )
        self.assertEqual(notice.state, "delivered")
        self.assertFalse(self.env["mail.notification"].search([("notification_type", "=", "sms")]))
