from datetime import datetime
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import NOW
from .test_life import DAY, HOUR, TOMORROW, LifeCommon

MODULE = "odoo.addons.crm_wholesale.models.crm_visit_distribution"


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDistribution(LifeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        others = cls.env["crm.measurer"].search([]) - cls.measurer - cls.second
        others.active = False
        cls.cron = cls.env.ref("crm_wholesale.ir_cron_distribute_visits")

    def _distribute(self, visits, user=None):
        return visits.with_user(user or self.head).action_distribute()

    def _queue_many(self, number, **values):
        leads = [self._new_lead() for _index in range(number)]
        visits = self.env["crm.visit"].with_user(self.manager)
        return visits._queue(
            [{"lead_id": lead.id, "type_id": self.visit_type.id, **values} for lead in leads], "New"
        )

    def test_waiting_visit_is_booked_with_its_reasons(self):
        visit = self._queue(earliest=TOMORROW, latest=TOMORROW + 2 * DAY)
        action = self._distribute(visit)
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(visit.state, "scheduled")
        self.assertIn(visit.measurer_id, self.measurer + self.second)
        self.assertGreaterEqual(visit.start, TOMORROW)
        self.assertLessEqual(visit.stop, TOMORROW + 2 * DAY)
        other = (self.measurer + self.second) - visit.measurer_id
        self.assertRegex(
            visit.assignment_reason,
            rf"^{visit.measurer_id.name}: \d+ min more travel, visit 1 of 6 that day, "
            rf"1 of \d+ since 9 Nov; next best: {other.name}, \d+ min, 1 of \d+$",
        )
        self.assertFalse(visit.queue_reason)

    def test_manager_is_asked_to_tell_a_time_that_the_customer_does_not_know(self):
        visit = self._queue()
        self._distribute(visit)
        self.assertIn("Tell the customer", self._get_calls(visit).summary)
        told = self._queue(start=TOMORROW + HOUR, stop=TOMORROW + 2 * HOUR)
        before = self._get_calls(told)
        self._distribute(told)
        self.assertEqual((told.state, told.start), ("scheduled", TOMORROW + HOUR))
        self.assertEqual(self._get_calls(told), before)

    def test_only_a_head_of_sales_distributes(self):
        visit = self._queue()
        for user in (self.manager, self.measurer_user):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._distribute(visit, user)
        self._distribute(visit)
        with self.assertRaisesRegex(UserError, "None of these visits waits"):
            self._distribute(visit)

    def test_fair_share(self):
        """The same place for everybody: as many visits for the one as for the other."""
        visits = self._queue_many(10)
        self._distribute(visits)
        counts = [
            len(visits.filtered(lambda v, m=m: v.measurer_id == m))
            for m in (self.measurer, self.second)
        ]
        self.assertEqual(counts, [5, 5])

    def test_fair_share_counts_the_last_two_weeks(self):
        past = self._queue_many(3)
        for index, visit in enumerate(past):
            visit.sudo().write(
                {
                    "state": "done",
                    "measurer_id": self.measurer.id,
                    "start": NOW - (index + 3) * DAY,
                    "stop": NOW - (index + 3) * DAY + HOUR,
                }
            )
        measurers = self.measurer + self.second
        self.cr.execute(
            "UPDATE crm_measurer SET create_date = %s WHERE id = ANY(%s)",
            [NOW - 100 * DAY, measurers.ids],
        )
        measurers.invalidate_recordset(["create_date"])
        visits = self._queue_many(3)
        self._distribute(visits)
        self.assertEqual(visits.measurer_id, self.second)

    def test_share_follows_capacity(self):
        self.second.visits_per_day = 3
        visits = self._queue_many(9)
        self._distribute(visits)
        self.assertEqual(len(visits.filtered(lambda v: v.measurer_id == self.second)), 3)

    def test_visits_row_capacity_distribution(self):
        """Nobody gets more visits on a day than the day can hold, urgent ones excepted."""
        (self.measurer + self.second).write({"visits_per_day": 2, "urgent_reserve": 1})
        visits = self._queue_many(3, earliest=TOMORROW - 2 * HOUR, latest=TOMORROW + 10 * HOUR)
        urgent = self._queue_many(
            3, earliest=TOMORROW - 2 * HOUR, latest=TOMORROW + 10 * HOUR, urgent=True
        )
        self._distribute(visits | urgent)
        self.assertEqual(urgent.mapped("state"), ["scheduled"] * 3, "the urgent ones go first")
        self.assertEqual(visits.mapped("state"), ["scheduled", "draft", "draft"])
        self.assertIn("Nobody has a place", visits[1].queue_reason)
        self.assertIn("Have no free time: ", visits[1].queue_reason)
        self.assertRegex(visits[1].queue_reason, r"Free: Wed 25 Nov 2026, .* \((Measurer|Second)\)")

    def test_chosen_measurer_is_kept(self):
        self._book(TOMORROW)
        visits = self._queue_many(3, measurer_id=self.measurer.id)
        self._distribute(visits)
        self.assertEqual(visits.measurer_id, self.measurer)
        self.assertIn("chosen by hand", visits[0].assignment_reason)

        self.measurer.active = False
        left = self._queue(measurer_id=self.measurer.id)
        self._distribute(left)
        self.assertEqual((left.state, left.measurer_id), ("draft", self.measurer))
        self.assertIn("Archived: Measurer", left.queue_reason)

    def test_booked_visits_are_not_touched(self):
        booked = self._book(TOMORROW)
        self._distribute(self._queue_many(3) | booked)
        self.assertEqual((booked.measurer_id, booked.start), (self.measurer, TOMORROW))
        self.assertEqual(booked.revision, 0)

    def test_visits_row_leave_later_distributed(self):
        """Another measurer takes the time that was told; the customer hears the new name."""
        visit = self._book(TOMORROW)
        self._tell(visit)
        self.env["resource.calendar.leaves"].create(
            {
                "resource_id": self.measurer.resource_id.id,
                "date_from": TOMORROW - DAY,
                "date_to": TOMORROW + DAY,
            }
        )
        self.assertEqual(visit.state, "draft")
        self.assertFalse(visit.notice_ids.filtered(lambda n: n.kind == "moved"))
        call = visit.queue_activity_id
        self._distribute(visit)
        self.assertEqual((visit.state, visit.measurer_id), ("scheduled", self.second))
        self.assertEqual(visit.start, TOMORROW)
        self.assertFalse(call.exists(), "the manager need not call any more")
        moved = visit.notice_ids.filtered(lambda notice: notice.kind == "moved")
        self.assertEqual(len(moved), 1)

    def test_untold_customer_hears_nothing_of_another_measurer(self):
        visit = self._book(TOMORROW)
        self.measurer.active = False
        self._distribute(visit)
        self.assertEqual((visit.start, visit.measurer_id), (TOMORROW, self.second))
        self.assertFalse(visit.notice_ids.filtered(lambda notice: notice.kind == "moved"))

    def test_told_time_is_not_changed(self):
        """Where nobody can come at the time that was told, the visit waits with free times."""
        visit = self._book(TOMORROW)
        self._book(TOMORROW, measurer_id=self.second.id)
        self.measurer.active = False
        self._distribute(visit)
        self.assertEqual((visit.state, visit.start), ("draft", TOMORROW))
        self.assertIn("Nobody can come on Tue 24 Nov 2026, 10:00", visit.queue_reason)
        self.assertIn("Have another visit then: Second", visit.queue_reason)
        self.assertIn("Free: ", visit.queue_reason)

    def test_start_moves_within_the_window_that_was_told(self):
        window = {"window_start": TOMORROW, "window_stop": TOMORROW + 3 * HOUR}
        visit = self._book(TOMORROW, **window)
        self._book(TOMORROW, measurer_id=self.second.id)
        self.measurer.active = False
        self._distribute(visit)
        self.assertEqual((visit.state, visit.measurer_id), ("scheduled", self.second))
        self.assertGreaterEqual(visit.start, TOMORROW + HOUR)
        self.assertLessEqual(visit.start, TOMORROW + 3 * HOUR)
        self.assertEqual(visit.window_start, TOMORROW)

    def test_told_time_holds_against_the_notice_period(self):
        visit = self._book(TOMORROW)
        self.visit_type.notice_hours = 72
        self.measurer.active = False
        self._distribute(visit)
        self.assertEqual((visit.state, visit.start), ("scheduled", TOMORROW))

    def test_two_zones(self):
        """A measurer in New York works when it is evening at the site; the day is the site's."""
        self.second.tz = "America/New_York"
        self.measurer.active = False
        visit = self._queue(earliest=TOMORROW, latest=TOMORROW + DAY, tz="Europe/Kyiv")
        self._distribute(visit)
        self.assertEqual(visit.start, datetime(2026, 11, 24, 13, 0))
        self.assertIn("15:00", visit.local_start)

    def test_other_company(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        team = self.env["crm.team"].create({"name": "Elsewhere", "company_id": elsewhere.id})
        lead = self._new_lead(company_id=elsewhere.id, team_id=team.id, user_id=False)
        visit = self.env["crm.visit"]._queue(
            [{"lead_id": lead.id, "type_id": self.visit_type.id}], "New"
        )
        own = self._queue()
        (visit | own)._distribute()
        self.assertEqual((visit.state, own.state), ("draft", "scheduled"))
        self.assertEqual(visit.company_id, elsewhere)

    def test_order_does_not_matter(self):
        visits = self._queue_many(8, latest=TOMORROW + 3 * DAY)
        results = []
        for order in (visits, visits[::-1], visits[3:] + visits[:3]):
            with self.cr.savepoint() as savepoint:
                order._distribute()
                results.append([(visit.measurer_id, visit.start) for visit in visits])
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_deadline_comes_before_age(self):
        self.second.active = False
        limits = {"earliest": TOMORROW - 2 * HOUR, "measurer_id": self.measurer.id}
        self.measurer.visits_per_day = 1
        late = self._queue(latest=TOMORROW + 10 * DAY, **limits)
        soon = self._queue(latest=TOMORROW + 10 * HOUR, **limits)
        self._distribute(late | soon)
        self.assertLess(soon.start, late.start)

    def test_bad_visit_does_not_stop_the_rest(self):
        bad, good = self._queue(), self._queue()
        advance = type(self.env["crm.lead"])._advance_to
        broken_lead = bad.lead_id = self._new_lead()

        def fail(lead, milestone):
            if broken_lead in lead:
                raise ValueError("broken")
            return advance(lead, milestone)

        with (
            patch.object(type(self.env["crm.lead"]), "_advance_to", fail),
            self.assertLogs(MODULE, "ERROR"),
        ):
            (bad | good)._distribute()
        self.assertEqual((bad.state, good.state), ("draft", "scheduled"))
        self.assertFalse(bad.measurer_id or bad.event_id)
        self.assertIn("broken", bad.queue_reason)

    def test_cron(self):
        visits = self._queue_many(3)
        elsewhere = self.env["res.company"].create({"name": "Off", "distribute_visits": False})
        lead = self._new_lead(company_id=elsewhere.id, team_id=False, user_id=False)
        values = {"lead_id": lead.id, "type_id": self.visit_type.id}
        off = self.env["crm.visit"]._queue([values], "Nobody is free")
        with self.enter_registry_test_mode(), patch(f"{MODULE}.BATCH_SIZE", 2):
            self.cron.method_direct_trigger()
        self.assertEqual(visits.mapped("state"), ["scheduled"] * 3)
        self.assertEqual((off.state, off.queue_reason), ("draft", "Nobody is free"))

    def test_cron_leaves_what_somebody_books_meanwhile(self):
        """A lost race costs one batch its turn; the next one, and the next run, go on."""
        first, second = self._queue(urgent=True), self._queue()
        schedule = type(first)._schedule
        races = [SerializationFailure("could not serialize access")]

        def lose(visits):
            if races:
                raise races.pop()
            return schedule(visits)

        with (
            self.enter_registry_test_mode(),
            patch(f"{MODULE}.BATCH_SIZE", 1),
            patch.object(type(first), "_schedule", lose),
        ):
            self.cron.method_direct_trigger()
            self.assertEqual((first.state, second.state), ("draft", "scheduled"))
            self.cron.method_direct_trigger()
        self.assertEqual(first.state, "scheduled")

    def test_one_run_raises_the_booking_counter(self):
        """What makes two runs at once safe: the later one fails, and looks again."""
        before = (self.measurer + self.second).mapped("booking_counter")
        visits = self._queue_many(4)
        self._distribute(visits)
        after = (self.measurer + self.second).mapped("booking_counter")
        self.assertEqual([new - old for old, new in zip(before, after, strict=True)], [1, 1])

    def test_query_count(self):
        """Beyond what booking costs, distribution adds a fixed number of queries."""

        def count(number, book):
            visits = self._queue_many(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            book(visits)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        distribute = type(self.env["crm.visit"])._distribute
        count(2, distribute)
        few, many = count(2, distribute), count(12, distribute)
        self.assertLessEqual((many - few) / 10, 25)
