from datetime import datetime, timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import MOBILE, NOW, WholesaleCommon

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
        visit.write({"start": TOMORROW + DAY, "stop": TOMORROW + DAY + HOUR})
        visit._cancel("The customer wants it no more")
        self.assertIn("cancelled", visit.notice_ids.mapped("kind"))
        self.assertEqual(visit.start, TOMORROW, "the time that the customer knows")

    def test_window_that_does_not_hold_the_new_start_goes(self):
        window = {"window_start": TOMORROW, "window_stop": TOMORROW + 2 * HOUR}
        for start, kept in ((TOMORROW + HOUR, True), (TOMORROW + 3 * HOUR, False)):
            with self.subTest(start=start):
                visit = self._queue(**window)
                values = {"measurer_id": self.measurer.id, "start": start, "stop": start + HOUR}
                visit.write(values)
                visit._schedule()
                self.assertEqual(bool(visit.window_start), kept)

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
        self.assertLessEqual((many - few) / 10, 2)

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


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestGuard(LifeCommon):
    def test_visits_row_double_booking(self):
        """The second booking is refused, names the next free slots, and one of them is free."""
        visit = self._book(TOMORROW)
        with self.assertRaises(UserError) as caught, self.cr.savepoint():
            self._book(TOMORROW)
        refusal = str(caught.exception)
        self.assertIn(f"Measurer already has visit {visit.name}", refusal)
        self.assertIn("Free are:", refusal)
        self.assertEqual(len(refusal.partition("Free are:")[2].strip().splitlines()), 3)
        self.assertIn("Second: Tue 24 Nov 2026, 10:00", refusal)
        self._book(TOMORROW, measurer_id=self.second.id)

    def test_last_place_of_a_day(self):
        self.measurer.visits_per_day = 2
        start = datetime(2026, 11, 23, 22, 0)  # midnight in Kyiv: Monday in UTC, Tuesday there
        first, _second = self._book(start), self._book(TOMORROW)
        with (
            self.assertRaisesRegex(UserError, r"no more visits on 11/24/2026 \(most in a day: 2\)"),
            self.cr.savepoint(),
        ):
            self._book(TOMORROW + 2 * HOUR)
        other_day = self._book(start - HOUR)
        with self.assertRaisesRegex(UserError, "can make no more visits"), self.cr.savepoint():
            other_day._reschedule(TOMORROW + 2 * HOUR)
        self.env.invalidate_all()
        first._reschedule(TOMORROW + 2 * HOUR)  # no visit more
        confirmed = self.env["crm.visit"].with_context(crm_visit_over_capacity=True)
        values = {"lead_id": self.lead.id, "measurer_id": self.measurer.id}
        confirmed.with_user(self.manager)._book([{**values, "start": TOMORROW + 4 * HOUR}])
        first._reschedule(TOMORROW + 5 * HOUR)  # in a day that is too full already
        with self.assertRaisesRegex(UserError, "can make no more visits"), self.cr.savepoint():
            self._book(TOMORROW + 6 * HOUR)

    def test_batch_fills_a_day_and_no_more(self):
        self.measurer.visits_per_day = 3
        values = {"lead_id": self.lead.id, "measurer_id": self.measurer.id}
        batch = [{**values, "start": TOMORROW + hour * HOUR} for hour in range(4)]
        visits = self.env["crm.visit"].with_user(self.manager)
        with self.assertRaisesRegex(UserError, "can make no more visits"), self.cr.savepoint():
            visits._book(batch)
        visits._book(batch[:3])

    def test_two_measurers_swap(self):
        one, other = self._book(TOMORROW), self._book(TOMORROW, measurer_id=self.second.id)
        self._tell(one)
        with self.assertRaisesRegex(UserError, "Choose two"):
            one.action_swap_measurers()
        for user in (self.measurer_user, self.other_manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError), self.cr.savepoint():
                (one | other).with_user(user).action_swap_measurers()
        (one | other).with_user(self.head).action_swap_measurers()
        self.assertEqual((one.measurer_id, other.measurer_id), (self.second, self.measurer))
        self.assertEqual((one.revision, other.revision), (1, 1))
        self.assertEqual(one.event_id.user_id, self.second_user)
        self.assertEqual(one.activity_ids.user_id, self.second_user)
        self.assertIn("moved", one.notice_ids.mapped("kind"))
        self.assertNotIn("moved", other.notice_ids.mapped("kind"))

    def test_two_visits_take_each_others_place_in_one_move(self):
        one, other = self._book(TOMORROW), self._book(TOMORROW + HOUR)
        both = (one | other).with_user(self.head)
        both._move({one: {"start": other.start}, other: {"start": one.start}})
        self.assertEqual((one.start, other.start), (TOMORROW + HOUR, TOMORROW))
        self.assertEqual((one.event_id.start, other.event_id.start), (one.start, other.start))
        half = {"start": TOMORROW + HOUR / 2}
        with self.assertRaisesRegex(UserError, "already has visit"), self.cr.savepoint():
            both._move({one: half, other: {"start": TOMORROW}})


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestWallTime(LifeCommon):
    def test_visits_row_dst(self):
        """An hour that the clock strikes twice must be chosen; one that it skips cannot be."""
        choices = self.env["crm.visit"]._get_local_choices
        for wall, zone, expected in (
            (datetime(2026, 11, 24, 10), "Europe/Kyiv", [datetime(2026, 11, 24, 8)]),
            (
                datetime(2026, 10, 25, 3, 30),
                "Europe/Kyiv",
                [datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 1, 30)],
            ),
            (datetime(2027, 3, 28, 3, 30), "Europe/Kyiv", []),
            (
                datetime(2026, 11, 1, 1, 30),
                "America/New_York",
                [datetime(2026, 11, 1, 5, 30), datetime(2026, 11, 1, 6, 30)],
            ),
            (datetime(2026, 10, 25, 3, 30), "Asia/Kolkata", [datetime(2026, 10, 24, 22)]),
        ):
            with self.subTest(wall=wall, zone=zone):
                self.assertEqual(choices(wall, zone), expected)

    def test_visits_row_time_zone(self):
        """The site's wall time is shown, and its city to who sits elsewhere."""
        visit = self._book(TOMORROW, tz="Europe/Warsaw")
        for zone, expected in (
            ("Europe/Warsaw", "Tue 24 Nov 2026, 09:00"),
            ("Europe/Kyiv", "Tue 24 Nov 2026, 09:00 (Warsaw)"),
        ):
            with self.subTest(zone=zone):
                self.assertEqual(visit.with_context(tz=zone).local_start, expected)
        self.assertEqual(visit.customer_time, "09:00")

    def test_days_later_is_the_same_wall_time(self):
        visit = self._book(TOMORROW)
        for moment, days, expected in (
            (datetime(2027, 3, 21, 8), 7, datetime(2027, 3, 28, 7)),
            (datetime(2027, 10, 24, 7), 7, datetime(2027, 10, 31, 8)),
            (datetime(2027, 3, 21, 1, 30), 7, datetime(2027, 3, 28, 1, 30)),  # 03:30 is skipped
            (datetime(2027, 10, 24, 0, 30), 7, datetime(2027, 10, 31, 0, 30)),  # struck twice
            (datetime(2026, 12, 31, 22, 30), 1, datetime(2027, 1, 1, 22, 30)),
        ):
            with self.subTest(moment=moment):
                self.assertEqual(visit._add_days(moment, days), expected)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestLifeOfVisit(LifeCommon):
    def setUp(self):
        super().setUp()
        self.visit = self._book(TOMORROW)
        self.as_measurer = self.visit.with_user(self.measurer_user)

    # -- No-show and repetition ------------------------------------------------------------

    def test_visits_row_no_show(self):
        self.as_measurer.action_on_my_way()
        with freeze_time(TOMORROW):
            self.as_measurer.action_no_show()
        self.assertEqual(
            (self.visit.state, self.visit.no_show_reason, self.visit.no_show_at),
            ("no_show", "not_home", TOMORROW),
        )
        call = self._get_calls(self.visit)
        self.assertEqual((call.user_id, call.due_at), (self.manager, TOMORROW))
        self.assertIn("Nobody was at home", call.note)
        self.assertFalse(self.visit.activity_ids, "the measurer's task is done")
        self.assertEqual(set(self.visit.notice_ids.mapped("state")), {"superseded"})

    def test_no_shows_count_for_both_sides(self):
        partner = self.env["res.partner"].create({"name": "Budivelnyk", "city": "Kyiv"})
        lead = self._new_lead(partner_id=partner.id)
        met_nobody = self._book(TOMORROW + HOUR, lead_id=lead.id)
        met_nobody.with_user(self.measurer_user).action_on_my_way()
        met_nobody.with_user(self.measurer_user).action_no_show()
        self.assertEqual(partner.with_user(self.manager).visit_no_show_count, 1)
        self.assertEqual(self.visit.customer_no_show_count, 1, "the telephone is the same")
        self.assertEqual(self.measurer.no_show_count, 0)

        forgotten = self._book(TOMORROW + 2 * HOUR, lead_id=lead.id)
        with self.assertRaisesRegex(UserError, "not begun"):
            forgotten.action_measurer_absent()
        with freeze_time(TOMORROW + 3 * HOUR):
            forgotten.invalidate_recordset(["is_due"])
            with self.assertRaises(AccessError):
                forgotten.with_user(self.measurer_user).action_measurer_absent()
            forgotten.action_measurer_absent()
        self.assertEqual(forgotten.state, "no_show")
        self.env.invalidate_all()
        self.assertEqual(partner.with_user(self.manager).visit_no_show_count, 1)
        self.assertEqual(self.visit.customer_no_show_count, 1)
        self.assertEqual(self.measurer.no_show_count, 1)
        action = self.measurer.with_user(self.manager).action_open_no_shows()
        self.assertEqual(self.env["crm.visit"].search(action["domain"]), forgotten)
        self.assertEqual(len(self._get_calls(forgotten)), 2)

    def test_manager_corrects_the_reason_after_the_call(self):
        self.as_measurer.action_on_my_way()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.visit.no_show_reason = "not_home"
            self.visit.flush_recordset()
        self.env.invalidate_all()
        self.as_measurer.action_no_show()
        with self.assertRaises(AccessError):
            self.as_measurer.no_show_reason = "sent_away"
        self.assertEqual((self.visit.customer_no_show_count, self.measurer.no_show_count), (1, 0))
        self.visit.with_user(self.manager).no_show_reason = "measurer_absent"
        self.env.invalidate_all()
        self.assertEqual((self.visit.customer_no_show_count, self.measurer.no_show_count), (0, 1))

    def test_repeat_in_one_click(self):
        with self.assertRaisesRegex(UserError, "still open"):
            self.visit.action_repeat()
        self.visit.write({"instructions": "Third floor", "street2": "Flat 7"})
        self.visit._cancel("Nobody there")
        action = self.visit.action_repeat()
        repeat = self.env["crm.visit"].browse(action["res_id"])
        self.assertEqual((repeat.state, repeat.repeat_of_id), ("draft", self.visit))
        for name in ("lead_id", "user_id", "phone", "address", "instructions", "type_id", "tz"):
            self.assertEqual(repeat[name], self.visit[name], name)
        self.assertFalse(repeat.start or repeat.measurer_id or repeat.event_id)
        for user in (self.measurer_user, self.other_manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.visit.with_user(user).action_repeat()

    def test_repeat_weekly(self):
        """The wall time stays over the clock change; a week that is taken waits in the queue."""
        visit = self._book(datetime(2027, 3, 15, 8))
        self._book(datetime(2027, 3, 22, 8, 30))
        wizard = self.env["crm.visit.repeat"].with_user(self.manager)
        action = wizard.create({"visit_id": visit.id, "times": 3}).action_repeat_weekly()
        weeks = self.env["crm.visit"].search(action["domain"])
        self.assertEqual(
            weeks.mapped("start"),
            [datetime(2027, 3, 22, 8), datetime(2027, 3, 29, 7), datetime(2027, 4, 5, 7)],
        )
        self.assertEqual(weeks.mapped("state"), ["draft", "scheduled", "scheduled"])
        self.assertIn("already has visit", weeks[0].queue_reason)
        self.assertEqual(weeks.repeat_of_id, visit)
        self.assertEqual(weeks[1].measurer_id, self.measurer)
        with self.assertRaises(AccessError):
            wizard.with_user(self.measurer_user).create({"visit_id": visit.id})

    # -- Reschedule and cancel -----------------------------------------------------------------

    def test_visits_row_reschedule(self):
        """The told customer is told once of the new time, and reminded of it alone."""
        self._tell(self.visit)
        self.visit._reschedule(TOMORROW + DAY, measurer=self.second)
        self.visit._reschedule(TOMORROW + 2 * DAY)
        self.assertEqual(self.visit.revision, 2)
        notices = [(n.kind, n.revision, n.state) for n in self.visit.notice_ids]
        self.assertEqual(
            sorted(notices),
            [
                ("moved", 1, "superseded"),
                ("moved", 2, "planned"),
                ("reminder", 0, "sent"),
                ("reminder", 1, "superseded"),
                ("reminder", 2, "planned"),
            ],
        )
        for user in (self.measurer_user, self.other_manager, self.privacy_officer):
            with self.subTest(user=user.name), self.assertRaises(AccessError), self.cr.savepoint():
                self.visit.with_user(user)._reschedule(TOMORROW + 3 * DAY)

    def test_visits_row_cancel(self):
        """The told customer is told; an untold one is not; nobody is reminded any more."""
        untold = self._book(TOMORROW + DAY)
        self._tell(self.visit)
        for visit in (self.visit, untold):
            for user in (self.measurer_user, self.other_manager, self.privacy_officer):
                wizard = self.env["crm.visit.cancel"].with_user(user)
                values = {"visit_id": visit.id, "reason": "No"}
                with (
                    self.subTest(user=user.name),
                    self.assertRaises(AccessError),
                    self.cr.savepoint(),
                ):
                    wizard.create(values).action_cancel_visit()
            wizard = self.env["crm.visit.cancel"].with_user(self.manager)
            wizard.create({"visit_id": visit.id, "reason": "Abroad"}).action_cancel_visit()
            self.assertEqual((visit.state, visit.revision), ("cancelled", 1))
            self.assertFalse(visit.event_id or visit.activity_ids)
        self.assertEqual(sorted(self.visit.notice_ids.mapped("kind")), ["cancelled", "reminder"])
        self.assertEqual(untold.notice_ids.mapped("state"), ["superseded"])

    def test_calendar_of_a_released_visit(self):
        """A sync that lags behind changes nothing; the new event moves the visit again."""
        event = self.visit.event_id
        self.visit._release("Planned anew")
        self.assertFalse(event.exists())
        self.visit.write(
            {"measurer_id": self.second.id, "start": TOMORROW, "stop": TOMORROW + HOUR}
        )
        self.visit._schedule()
        sync = self.visit.event_id.with_user(self.second_user).with_context(dont_notify=True)
        sync.write({"start": TOMORROW + DAY, "stop": TOMORROW + DAY + HOUR})
        self.assertEqual((self.visit.start, self.visit.revision), (TOMORROW + DAY, 2))

    # -- Several visits, none, merged, lost, deleted -----------------------------------------

    def test_visits_row_multi_visit_order(self):
        other = self._book(TOMORROW + DAY)
        self.assertEqual(self.lead.visit_count, 2)
        self.visit._cancel("Only the second one")
        self.assertFalse(self.lead.needs_visit, "the other one is open")
        self.assertEqual(other.notice_ids.mapped("state"), ["planned"], "each has its own")
        other._cancel("None at all")
        self.assertTrue(self.lead.needs_visit)
        self.assertEqual(self.lead.stage_id.milestone, "measurement", "a deal never moves back")

    def test_one_done_and_another_open(self):
        other = self._book(TOMORROW + DAY)
        self.as_measurer.action_arrive()
        self.as_measurer.measurer_note = "One room only"
        self.as_measurer.action_done()
        self.assertEqual(other.state, "scheduled")
        self.assertEqual(other.notice_ids.mapped("state"), ["planned"])
        self.assertIn(other.name, self._get_calls(self.visit).note)

    def test_visit_without_a_deal(self):
        partner = self.env["res.partner"].create(
            {"name": "Olena Petrenko", "phone": MOBILE, "street": "Khreshchatyk, 1", "city": "Kyiv"}
        )
        visit = self._book(TOMORROW + DAY, lead_id=False, partner_id=partner.id)
        self.assertEqual((visit.user_id, visit.street), (self.manager, "Khreshchatyk, 1"))
        self.assertEqual(visit.notice_ids.mapped("state"), ["planned"])
        visit.with_user(self.measurer_user).action_on_my_way()
        visit.with_user(self.measurer_user).action_no_show()
        self.assertEqual(self._get_calls(visit).res_id, visit.id, "the call stands on the visit")
        self.assertEqual(partner.with_user(self.manager).visit_count, 1)
        action = partner.with_user(self.manager).action_schedule_visit()
        self.assertEqual(action["context"]["default_partner_id"], partner.id)
        self.assertFalse(visit.with_user(self.other_manager).has_access("read"))

    def test_visits_row_merge(self):
        """Visits follow into the merged deal; of two reminders for one time one is left."""
        duplicate = self._new_lead()
        same = self._book(TOMORROW, lead_id=duplicate.id, measurer_id=self.second.id)
        later = self._book(TOMORROW + DAY, lead_id=duplicate.id)
        visits = self.visit | same | later
        merged = (self.lead | duplicate).with_user(self.manager).merge_opportunity()
        self.assertEqual(visits.lead_id, merged)
        self.assertEqual(merged.visit_count, 3)
        states = {visit: visit.notice_ids.state for visit in visits}
        self.assertEqual(states, {self.visit: "planned", same: "superseded", later: "planned"})
        self.assertEqual(same.notice_ids.reason, "said_elsewhere")
        call = self._get_calls(self.visit)
        self.assertIn("Several visits", call.summary)
        self.assertIn(same.name, call.note)

    def test_visits_row_deleted_lead(self):
        self.visit._release("Planned anew")
        call = self._get_calls(self.visit)
        second = self._book(TOMORROW + DAY)
        self.lead.unlink()
        self.assertEqual((call.res_model, call.res_id), ("crm.visit", self.visit.id))
        self.assertEqual((second.state, second.user_id), ("scheduled", self.manager))
        self.assertEqual(second.notice_ids.mapped("state"), ["planned"], "the visit owns it")

    def test_lost_deal_cancels_its_open_visits(self):
        begun = self._book(TOMORROW + DAY)
        begun.with_user(self.measurer_user).action_arrive()
        self._tell(self.visit)
        reason = self.env["crm.lost.reason"].create({"name": "Too expensive"})
        wizard = (
            self.env["crm.lead.lost"]
            .with_user(self.manager)
            .create({"lead_ids": self.lead.ids, "lost_reason_id": reason.id})
        )
        self.assertIn(self.visit.name, wizard.cancelled_visits)
        self.assertNotIn(begun.name, wizard.cancelled_visits)
        wizard.action_lost_reason_apply()
        self.assertEqual(self.visit.state, "cancelled")
        self.assertEqual(self.visit.cancel_reason, "The deal was lost: Too expensive")
        self.assertIn("cancelled", self.visit.notice_ids.mapped("kind"))
        self.assertEqual(begun.state, "in_progress")
        self.lead.action_restore()
        self.assertEqual(self.visit.state, "cancelled", "nothing is revived")

    def test_archived_deal_keeps_its_visits(self):
        self.lead.probability = 50
        self.lead.active = False
        self.assertEqual(self.visit.state, "scheduled")
        self.lead.probability = 0
        self.assertEqual(self.visit.state, "cancelled", "now it is lost")

    # -- What follows when customer and deal change ------------------------------------------

    def test_address_of_the_deal_changes(self):
        own = self._book(TOMORROW + DAY, street="Typed at the booking")
        self._tell(self.visit)
        with self.assertRaises(AccessError):
            self.lead.with_user(self.measurer_user).street = "Not mine"
        self.lead.with_user(self.manager).street = "Khreshchatyk, 1"
        self.assertEqual((self.visit.street, self.visit.revision), ("Khreshchatyk, 1", 1))
        self.assertEqual(self.visit.notice_ids.mapped("kind").count("moved"), 1)
        self.assertEqual((own.street, own.revision), ("Typed at the booking", 0))
        message = self.env["mail.message"].search(
            [("model", "=", "crm.visit"), ("message_type", "=", "user_notification")],
            order="id desc",
            limit=1,
        )
        self.assertEqual(message.notified_partner_ids, self.measurer_user.partner_id)
        self.assertIn("Khreshchatyk, 1", message.body)
        self.lead.write({"street": False, "city": False})
        self.assertEqual(self.visit.street, "Khreshchatyk, 1", "what was removed is kept")

    def test_new_address_to_which_the_measurer_does_not_go(self):
        zone = self.env["crm.visit.zone"].create({"name": "Kyiv", "cities": "Kyiv"})
        self.measurer.zone_ids = zone
        self.lead.with_user(self.manager).street = "Khreshchatyk, 1"
        self.assertFalse(self._get_calls(self.visit))
        self.lead.with_user(self.manager).city = "Lviv"
        call = self._get_calls(self.visit)
        self.assertEqual(call.user_id, self.manager)
        self.assertIn("does not go to this address", call.note)
        self.assertEqual(self.visit.measurer_id, self.measurer, "a person decides")

    def test_address_of_the_customer_changes(self):
        partner = self.env["res.partner"].create(
            {"name": "Budivelnyk", "street": "Old, 1", "city": "Kyiv", "phone": MOBILE}
        )
        visit = self._book(TOMORROW + DAY, lead_id=False, partner_id=partner.id)
        visit.write({"latitude": 50.4, "longitude": 30.5})
        begun = self._book(TOMORROW + 2 * DAY, lead_id=False, partner_id=partner.id)
        begun.with_user(self.measurer_user).action_arrive()
        partner.street = "New, 2"
        self.assertEqual((visit.street, visit.revision), ("New, 2", 1))
        self.assertEqual((visit.latitude, visit.longitude), (0.0, 0.0), "those of the old address")
        self.assertEqual((begun.street, begun.revision), ("Old, 1", 0), "the measurer is there")
        partner.write({"partner_latitude": 50.1, "partner_longitude": 30.1})
        self.assertEqual((visit.latitude, visit.revision), (50.1, 1))

    def test_telephone_changes(self):
        face = self.visit.notice_ids.activity_ids
        self.assertIn(MOBILE, face.summary)
        self.lead.with_user(self.manager).phone = "050 123 45 68"
        self.assertEqual((self.visit.phone, self.visit.revision), ("+380501234568", 0))
        self.assertIn("+380501234568", self.visit.notice_ids.activity_ids.summary)

    def test_deal_gets_a_customer(self):
        partner = self.env["res.partner"].create({"name": "Budivelnyk"})
        self.lead.with_user(self.manager).partner_id = partner
        self.assertEqual(self.visit.partner_id, partner)

    def test_tasks_follow_the_deal_to_a_new_manager(self):
        late = self._book(TOMORROW + DAY)
        late._release("Ill")
        self.lead.with_user(self.manager).user_id = self.other_manager
        self.assertEqual(self.visit.notice_ids.activity_ids.user_id, self.other_manager)
        self.assertEqual(late.queue_activity_id.user_id, self.other_manager)

    def test_start_within_the_window_is_nobodys_news(self):
        window = {"window_start": TOMORROW, "window_stop": TOMORROW + 2 * HOUR}
        self.visit.write(window)
        self._tell(self.visit)
        self.visit.action_confirm()
        self.visit._reschedule(TOMORROW + HOUR)
        self.assertEqual(self.visit.state, "confirmed")
        self.assertEqual(self.visit.window_start, TOMORROW)
        self.assertNotIn("moved", self.visit.notice_ids.mapped("kind"))
        self.visit._reschedule(TOMORROW + 5 * HOUR)
        self.assertEqual((self.visit.state, self.visit.window_start), ("scheduled", False))
        self.assertIn("moved", self.visit.notice_ids.mapped("kind"))
