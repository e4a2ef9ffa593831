from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from .common import NOW
from .test_life import DAY, HOUR, TOMORROW, LifeCommon

#: Tuesday after the visit of tomorrow, 16:00 in Kyiv.
AFTERNOON = datetime(2026, 11, 24, 14, 0)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBroken(LifeCommon, CronMixinCase):
    """Later changes send back to the queue what they break, and nothing else."""

    def setUp(self):
        super().setUp()
        self.visit = self._book(TOMORROW)
        self.other = self._book(TOMORROW, measurer_id=self.second.id)

    def _take_leave(self, start, stop, measurer=None, **values):
        values = {"date_from": start, "date_to": stop, **values}
        if measurer:
            values["resource_id"] = measurer.resource_id.id
        return self.env["resource.calendar.leaves"].create(values)

    def assertReopened(self, visits, words):
        for visit in visits:
            self.assertEqual(visit.state, "draft")
            self.assertFalse(visit.measurer_id)
            self.assertIn(words, visit.queue_reason)
            self.assertIn(words, visit.queue_activity_id.note)
            self.assertEqual(visit.queue_activity_id.user_id, self.manager)

    def assertStands(self, visits):
        self.assertEqual(set(visits.mapped("state")), {"scheduled"})
        self.assertTrue(all(visit.measurer_id for visit in visits))

    def test_visits_row_leave_later(self):
        """A day off entered over a booked visit opens this visit again, told or not."""
        calls = self._get_calls(self.visit)
        leave = (
            self.env["resource.calendar.leaves"]
            .with_user(self.head)
            .create(
                {
                    "name": "Dentist",
                    "resource_id": self.measurer.resource_id.id,
                    "calendar_id": self.measurer.resource_calendar_id.id,
                    "date_from": TOMORROW + timedelta(minutes=59),
                    "date_to": TOMORROW + 4 * HOUR,
                }
            )
        )
        self.assertReopened(self.visit, "off at that time")
        self.assertNotIn(leave.name, self.visit.queue_reason)
        self.assertEqual(self.visit.start, TOMORROW, "the time stays as the wish")
        self.assertStands(self.other)
        self.assertEqual(len(self._get_calls(self.visit) - calls), 1)

    def test_leave_that_only_touches(self):
        self._take_leave(TOMORROW - 2 * HOUR, TOMORROW, self.measurer)
        self._take_leave(TOMORROW + HOUR, TOMORROW + 2 * HOUR, self.measurer)
        self.assertStands(self.visit)

    def test_own_leave_of_a_measurer_without_a_sales_role(self):
        self.env["resource.calendar.leaves"].with_user(self.measurer_user).create(
            {
                "resource_id": self.measurer.resource_id.id,
                "calendar_id": self.measurer.resource_calendar_id.id,
                "date_from": TOMORROW,
                "date_to": TOMORROW + DAY,
            }
        )
        self.assertReopened(self.visit, "off at that time")

    def test_leave_that_is_moved_onto_a_visit(self):
        leave = self._take_leave(TOMORROW + 7 * DAY, TOMORROW + 8 * DAY, self.measurer)
        leave.name = "Another reason"
        self.assertStands(self.visit)
        leave.date_from = TOMORROW
        self.assertReopened(self.visit, "off at that time")
        self.assertStands(self.other)

    def test_leave_that_is_given_to_another_measurer(self):
        leave = self._take_leave(TOMORROW, TOMORROW + DAY, self.second)
        self.assertReopened(self.other, "off at that time")
        leave.resource_id = self.measurer.resource_id
        self.assertReopened(self.visit, "off at that time")

    def test_training_is_no_leave(self):
        self._take_leave(TOMORROW, TOMORROW + DAY, self.measurer, time_type="other")
        self.assertStands(self.visit)

    def test_public_holiday(self):
        calendar = self.company.resource_calendar_id
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self._take_leave(TOMORROW, TOMORROW + DAY, calendar_id=elsewhere.resource_calendar_id.id)
        self.assertStands(self.visit | self.other)
        self._take_leave(TOMORROW, TOMORROW + DAY, calendar_id=calendar.id)
        self.assertReopened(self.visit | self.other, "off at that time")

    def test_public_holiday_costs_the_same_for_few_and_many(self):
        """What is broken is found with as many queries for one visit as for many."""
        booked = [self._book(TOMORROW + day * DAY) for day in range(1, 12)]
        queries = []
        for visits in (booked[:1], booked[:1], booked):
            visits = self.env["crm.visit"].concat(*visits).sudo()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            visits._find_obstacles()
            queries.append(self.cr.sql_log_count - before)
        self.assertEqual(*queries[1:])

    def test_measurer_is_archived(self):
        self.measurer.with_user(self.head).active = False
        self.assertReopened(self.visit, "does not go to customers any more")
        self.assertStands(self.other)

    def test_measurer_is_dismissed(self):
        role = self.env.ref("crm_wholesale.crm_wholesale_group_measurer")
        third_user = self._new_user("third", "crm_wholesale.crm_wholesale_group_measurer")
        third = self._book(TOMORROW, measurer_id=self._new_measurer(third_user).id)
        self.measurer_user.active = False
        self.assertReopened(self.visit, "does not go to customers any more")
        self.second_user.group_ids = [Command.unlink(role.id)]
        self.assertReopened(self.other, "does not go to customers any more")
        self.assertStands(third)
        role.user_ids -= third_user
        self.assertReopened(third, "does not go to customers any more")

    def test_working_hours_are_changed(self):
        calendar = self.measurer.resource_calendar_id
        tuesdays = calendar.attendance_ids.filtered(lambda line: line.dayofweek == "1")
        mornings = tuesdays.filtered(lambda line: line.day_period == "morning")
        afternoon = self._book(AFTERNOON)
        calendar.with_user(self.head).attendance_ids = [
            Command.update(mornings.id, {"hour_from": 11}),
        ]
        self.assertReopened(self.visit | self.other, "does not work at that time any more")
        self.assertStands(afternoon)
        (tuesdays - mornings).unlink()
        self.assertReopened(afternoon, "does not work at that time any more")

    def test_lines_of_the_hours_are_replaced_by_the_same(self):
        calendar = self.measurer.resource_calendar_id
        lines = [Command.create(line._copy_attendance_vals()) for line in calendar.attendance_ids]
        calendar.attendance_ids = [Command.clear(), *lines]
        self.assertStands(self.visit | self.other)

    def test_another_calendar(self):
        calendar = self.company.resource_calendar_id.copy({"name": "Half a week"})
        calendar.attendance_ids.filtered(lambda line: line.dayofweek in "01").unlink()
        self.measurer.with_user(self.head).resource_calendar_id = calendar
        self.assertReopened(self.visit, "does not work at that time any more")
        self.assertStands(self.other)

    def test_another_zone(self):
        """10:00 in Kyiv is 3:00 in New York, where the hours are now."""
        self.measurer.tz = "America/New_York"
        self.assertReopened(self.visit, "does not work at that time any more")

    def test_hours_on_both_sides_of_the_clock_change(self):
        """8:00 is 6:00 UTC in winter and 5:00 UTC in summer; both lie within the hours."""
        visits = self._book(datetime(2027, 3, 26, 6, 0)) | self._book(datetime(2027, 3, 29, 5, 0))
        calendar = self.measurer.resource_calendar_id
        mornings = calendar.attendance_ids.filtered(lambda line: line.day_period == "morning")
        mornings.write({"hour_to": 11})
        self.assertStands(visits)
        mornings.write({"hour_from": 8.5})
        self.assertReopened(visits, "does not work at that time any more")

    def test_booked_by_hand_outside_the_hours(self):
        night = self._book(datetime(2026, 11, 24, 20, 0))
        calendar = self.measurer.resource_calendar_id
        calendar.attendance_ids.filtered(lambda line: line.dayofweek == "1").unlink()
        self.assertReopened(self.visit, "does not work at that time any more")
        self.assertStands(night)
        self._take_leave(TOMORROW, TOMORROW + DAY, self.measurer)
        self.assertReopened(night, "off at that time")

    def test_what_has_begun_stays_and_its_manager_is_told(self):
        self.visit.with_user(self.measurer_user).action_on_my_way()
        calls = self._get_calls(self.visit)
        self.measurer.active = False
        self.assertEqual(self.visit.state, "en_route")
        call = self._get_calls(self.visit) - calls
        self.assertIn(self.visit.name, call.summary)
        self.assertIn("does not go to customers any more", call.note)

    def test_what_is_over_stays(self):
        with freeze_time(TOMORROW + HOUR):
            self.measurer.active = False
        self.assertStands(self.visit)

    def test_longer_visit_upstream(self):
        """What a longer visit overlaps or puts out of reach waits; what was too near stays."""
        overlapped = self._book(TOMORROW + 2 * HOUR)
        unreachable = self._book(TOMORROW + 4 * HOUR)
        reachable = self._book(TOMORROW + 6 * HOUR)
        calls = self._get_calls(overlapped)
        self.visit.with_user(self.manager).duration = 3.75
        self.assertEqual(self.visit.stop, TOMORROW + 3.75 * HOUR)
        self.assertReopened(overlapped | unreachable, f"{self.visit.name} takes longer")
        self.assertStands(self.visit | reachable | self.other)
        self.assertEqual(len(self._get_calls(overlapped) - calls), 2)

    def test_longer_visit_before_one_that_was_too_near_already(self):
        near = self._book(TOMORROW + HOUR)
        self.visit.with_user(self.manager).stop -= timedelta(minutes=5)
        self.visit.with_user(self.manager).stop += timedelta(minutes=5)
        self.assertStands(self.visit | near)

    def test_moved_visit_pushes_nobody_aside(self):
        later = self._book(TOMORROW + 3 * HOUR)
        with self.assertRaisesRegex(UserError, later.name), self.cr.savepoint():
            self.visit.with_user(self.manager)._reschedule(TOMORROW + 2.5 * HOUR)
        self.assertStands(self.visit | later)

    def test_longer_visit_and_another_day(self):
        """A way over night counts for nothing."""
        tuesday = self._book(datetime(2026, 11, 25, 7, 0))
        self.visit.with_user(self.manager).duration = 6
        self.assertStands(self.visit | tuesday)

    def test_measurer_may_not_make_a_visit_longer(self):
        later = self._book(TOMORROW + HOUR)
        with self.assertRaises(AccessError), self.cr.savepoint():
            self.visit.with_user(self.measurer_user).duration = 2
        self.assertStands(self.visit | later)

    def test_queue_is_distributed_soon(self):
        cron = self.env.ref("crm_wholesale.ir_cron_distribute_visits")
        with self.capture_triggers(cron.id) as triggers:
            self.measurer.active = False
        self.assertEqual(len(triggers.records), 1)
