from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import NOW, WholesaleCommon

TOMORROW = datetime(2026, 11, 24, 8, 0)  # 10:00 in Kyiv
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class LifeCommon(WholesaleCommon):
    """Two measurers, and what is left open around a visit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
        cls.second = cls._new_measurer(cls.second_user)

    def _queue(self, reason="Nobody is free", user=None, **values):
        values = {"lead_id": self.lead.id, "type_id": self.visit_type.id, **values}
        return self.env["crm.visit"].with_user(user or self.manager)._queue([values], reason)

    def _get_calls(self, visit):
        """Return the open call tasks that this visit's manager has."""
        return (visit.sudo().lead_id or visit.sudo()).activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id
                == self.env.ref("crm_wholesale.mail_activity_type_call_customer")
            )
        )

    def _tell(self, visit):
        """Let the customer have been told of the visit."""
        visit.sudo().notice_ids.state = "sent"


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestQueue(LifeCommon):
    def test_queued_visit_does_nothing_yet(self):
        stage = self.lead.stage_id
        visit = self._queue(earliest=TOMORROW, latest=TOMORROW + DAY)
        self.assertEqual((visit.state, visit.queue_reason), ("draft", "Nobody is free"))
        self.assertFalse(visit.event_id or visit.notice_ids or visit.activity_ids)
        self.assertEqual(self.lead.stage_id, stage)
        with self.assertRaisesRegex(UserError, "Choose when"):
            visit._schedule()

    def test_queued_visit_is_scheduled(self):
        visit = self._queue()
        visit.write({"measurer_id": self.measurer.id, "start": TOMORROW, "stop": TOMORROW + HOUR})
        visit._schedule()
        self.assertEqual((visit.state, visit.queue_reason), ("scheduled", False))
        self.assertEqual(visit.event_id.start, TOMORROW)
        self.assertEqual(visit.activity_ids.user_id, self.measurer_user)
        self.assertEqual(visit.notice_ids.mapped("state"), ["planned"])
        self.assertEqual(self.lead.stage_id.milestone, "measurement")
        with self.assertRaisesRegex(UserError, "not possible now"):
            visit._schedule()

    def test_released_visit_waits_again(self):
        visit = self._book(TOMORROW)
        visit.action_confirm()
        event = visit.event_id
        visit._release("Mykola is ill")
        self.assertEqual((visit.state, visit.revision), ("draft", 1))
        self.assertFalse(visit.measurer_id or event.exists() or visit.activity_ids)
        self.assertEqual((visit.start, visit.stop), (TOMORROW, TOMORROW + HOUR), "the wish")
        self.assertEqual(visit.queue_reason, "Mykola is ill")
        self.assertEqual(visit.notice_ids.mapped("state"), ["superseded"])
        call = self._get_calls(visit)
        self.assertEqual((call.user_id, call.due_at), (self.manager, NOW))
        self.assertIn("Mykola is ill", call.note)
        self._book(TOMORROW)  # the measurer is free
        with self.assertRaises(UserError), self.cr.savepoint():
            visit._release("Twice")
        with self.assertRaisesRegex(UserError, "part of the record"):
            visit.sudo().unlink()

    def test_released_visit_that_is_scheduled_again(self):
        """Only a customer who was told something that changed is told, and still called."""
        for told, measurer, start, kinds, called in (
            (True, self.second, TOMORROW, ["moved"], False),
            (True, self.measurer, TOMORROW, [], False),
            (True, self.measurer, TOMORROW + HOUR, ["moved"], True),
            (False, self.second, TOMORROW + HOUR, [], True),
        ):
            with self.subTest(told=told, measurer=measurer.name, start=start):
                visit = self._book(TOMORROW)
                if told:
                    self._tell(visit)
                visit._release("Changed hours")
                visit.write({"measurer_id": measurer.id, "start": start, "stop": start + HOUR})
                visit._schedule()
                notices = visit.notice_ids.filtered(lambda notice: notice.revision == 1)
                self.assertEqual([n.kind for n in notices if n.kind == "moved"], kinds)
                self.assertEqual([n.kind for n in notices if n.kind == "reminder"], ["reminder"])
                self.assertEqual(bool(self._get_calls(visit)), called)
                visit._cancel("Next case")
                self.assertFalse(self._get_calls(visit))

    def test_told_customer_of_a_released_visit_is_told_of_its_end(self):
        visit = self._book(TOMORROW)
        self._tell(visit)
        visit._release("Nobody left")
        visit._cancel("The customer wants it no more")
        self.assertIn("cancelled", visit.notice_ids.mapped("kind"))

    def test_who_may(self):
        queued, booked = self._queue(), self._book(TOMORROW)
        for user in (self.measurer_user, self.other_manager, self.privacy_officer):
            with self.subTest(user=user.name):
                with self.assertRaises(AccessError), self.cr.savepoint():
                    self._queue(user=user)
                with self.assertRaises(AccessError), self.cr.savepoint():
                    queued.with_user(user)._schedule()
        for user in (self.other_manager, self.privacy_officer):
            with self.subTest(user=user.name), self.assertRaises(AccessError), self.cr.savepoint():
                booked.with_user(user)._release("No")
        queued.write({"measurer_id": self.second.id, "start": TOMORROW, "stop": TOMORROW + HOUR})
        queued.with_user(self.head)._schedule()
        booked.with_user(self.head)._release("Planned anew")

    def test_thousand_are_scheduled_with_few_queries_each(self):
        few, many = self._count_queries(2, 0), self._count_queries(12, 2)
        self.assertLessEqual((many - few) / 10, 20)

    def _count_queries(self, number, offset):
        values = {"lead_id": self.lead.id, "type_id": self.visit_type.id}
        visits = self.env["crm.visit"].with_user(self.manager)._queue([values] * number, "Later")
        for index, visit in enumerate(visits, offset):
            start = TOMORROW + index * DAY
            visit.write({"measurer_id": self.measurer.id, "start": start, "stop": start + HOUR})
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        visits._schedule()
        self.env.flush_all()
        return self.cr.sql_log_count - before
