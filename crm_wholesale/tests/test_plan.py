from datetime import date, datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..tools import routing
from ..wizard.crm_visit_plan import CrmVisitPlan
from .common import NOW, WholesaleCommon

#: A Tuesday; Kyiv is two hours ahead of UTC.
DAY = date(2026, 11, 24)
WEST = {"latitude": 50.45, "longitude": 30.36}
EAST = {"latitude": 50.45, "longitude": 30.64}
MIDDLE = {"latitude": 50.45, "longitude": 30.50}


def _at(hour, minute=0):
    """Return a time of the day in Kyiv, in UTC."""
    return datetime(2026, 11, 24) + timedelta(hours=hour - 2, minutes=minute)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPlan(WholesaleCommon):
    #: Which planner the tests are about, whatever else is installed.
    planner = "simple"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = cls._new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
        cls.second = cls._new_measurer(user)
        cls.measurer.start_address_id, cls.second.start_address_id = cls.env["res.partner"].create(
            [
                {"name": name, "partner_latitude": at["latitude"], "partner_longitude": longitude}
                for name, at in (("West", WEST), ("East", EAST))
                for longitude in [at["longitude"]]
            ]
        )

    def setUp(self):
        super().setUp()
        if self.planner == "simple":
            self._patch_planner(CrmVisitPlan._plan_day)

    def _patch_planner(self, plan_day):
        self.patch(self.env.registry["crm.visit.plan"], "_plan_day", plan_day)

    def _plan(self, user=None, **values):
        plan = (
            self.env["crm.visit.plan"].with_user(user or self.head).create({"day": DAY, **values})
        )
        plan.action_plan()
        return plan

    def _distribute(self, start, **values):
        """Book a visit as the distribution does: nobody has told the customer a time."""
        visit = self._book(start, **values)
        visit.sudo().assignment_reason = "The least travel"
        return visit

    def _book_crosswise(self, book=None):
        """Book two visits at one time, each at the other measurer's door."""
        book = book or self._distribute
        west = book(_at(10), measurer_id=self.second.id, **WEST)
        east = book(_at(10), measurer_id=self.measurer.id, **EAST)
        return west, east

    def _tell(self, visit):
        """Have the customer reminded by SMS."""
        notice = visit.sudo().notice_ids.filtered(lambda notice: notice.state == "planned")
        notice.write({"state": "sent", "phone": visit.phone})

    def _get_line(self, plan, visit):
        return plan.line_ids.filtered(lambda line: line.visit_id == visit)

    def test_who_may(self):
        self._book_crosswise()
        self._plan().action_apply()
        for user in (self.manager, self.measurer_user):
            with self.subTest(user.name), self.assertRaises(AccessError):
                self._plan(user)

    def test_proposes_only(self):
        west, east = self._book_crosswise()
        revisions = (west | east).mapped("revision")
        plan = self._plan()
        self.assertEqual(west.measurer_id, self.second)
        self.assertEqual((west | east).mapped("revision"), revisions)
        self.assertEqual(plan.planner, self.planner)
        self.assertGreater(plan.travel_before, 60)
        self.assertEqual(plan.travel_after, 0)
        self.assertEqual(plan.change_count, 2)
        self.assertEqual(plan.tell_count, 0)
        line = self._get_line(plan, west)
        self.assertEqual((line.before_measurer_id, line.measurer_id), (self.second, self.measurer))
        self.assertEqual((line.before_time, line.time, line.change), ("10:00", "10:00", "measurer"))
        for word in (west.name, "Other measurer", "min on the way", self.second.name):
            self.assertIn(word, plan.comparison)

    def test_apply_swaps_at_once(self):
        west, east = self._book_crosswise()
        plan = self._plan()
        revision = west.revision
        plan.action_apply()
        self.assertEqual((west.measurer_id, east.measurer_id), (self.measurer, self.second))
        self.assertEqual((west.start, east.start), (_at(10), _at(10)))
        self.assertEqual(west.revision, revision + 1)
        self.assertEqual(west.event_id.partner_ids, self.measurer_user.partner_id)

    def test_day_that_is_too_full_is_planned(self):
        west, east = self._book_crosswise()
        for measurer in (self.measurer, self.second):
            self._distribute(_at(15), measurer_id=measurer.id, **MIDDLE)
            measurer.write({"visits_per_day": 1, "urgent_reserve": 1})
        self._plan().action_apply()
        self.assertEqual((west.measurer_id, east.measurer_id), (self.measurer, self.second))

    def test_all_or_nothing(self):
        west, east = self._book_crosswise()
        plan = self._plan()
        visits = self.env.registry["crm.visit"]
        with (
            patch.object(visits, "_apply_overlap_guard", side_effect=UserError("Taken")),
            self.assertRaises(UserError),
            self.env.cr.savepoint(),
        ):
            plan.action_apply()
        self.env.invalidate_all()
        self.assertEqual((west.measurer_id, east.measurer_id), (self.second, self.measurer))

    def test_told_times_are_kept(self):
        self.measurer.visits_per_day = self.second.visits_per_day = 1
        visits = self._book(_at(10), measurer_id=self.second.id, **WEST)
        visits |= self._book(_at(14), measurer_id=self.measurer.id, **EAST)
        for name, prepare in (
            ("agreed on the telephone", lambda: None),
            ("told by SMS", lambda: [self._tell(visit) for visit in visits]),
            ("confirmed", lambda: visits.action_confirm()),
        ):
            with self.subTest(name):
                prepare()
                plan = self._plan()
                self.assertEqual(plan.line_ids.mapped("is_promised"), [True, True])
                self.assertEqual(self._get_line(plan, visits[0]).start, _at(10))
                self.assertEqual(self._get_line(plan, visits[1]).start, _at(14))
                self.assertEqual(set(plan.line_ids.mapped("change")), {"measurer"})

    def test_arrival_window_is_kept(self):
        window = {"window_start": _at(13), "window_stop": _at(14)}
        late = self._distribute(_at(14), **MIDDLE, **window)
        near = self._distribute(_at(15, 30), **MIDDLE)
        far = self._distribute(_at(11), **WEST)
        self.second.active = False
        plan = self._plan()
        self.assertTrue(_at(13) <= self._get_line(plan, late).start <= _at(14))
        plan.action_apply()
        self.assertEqual(late.window_start, _at(13))
        self.assertFalse(self._has_notice(late | near | far, "moved"))

    def _has_notice(self, visits, kind):
        return kind in visits.sudo().notice_ids.mapped("kind")

    def test_may_change_told_times(self):
        """Two homes, three visits in a zigzag: only another order makes the way shorter."""
        self.second.active = False
        first = self._book(_at(9), **EAST)
        second = self._book(_at(12), **WEST)
        third = self._book(_at(15), **EAST)
        self._tell(first)
        plan = self._plan()
        self.assertEqual(plan.change_count, 0)
        plan.may_change_told = True
        self.assertFalse(plan.line_ids, "other options, another plan")
        plan.action_plan()
        self.assertLess(plan.travel_after, plan.travel_before)
        self.assertGreaterEqual(plan.tell_count, 1)
        told = plan.line_ids.filtered("is_told").visit_id
        starts = {line.visit_id: line.start for line in plan.line_ids}
        plan.action_apply()
        for visit in first | second | third:
            self.assertEqual(visit.start, starts[visit])
            self.assertEqual(self._has_notice(visit, "moved"), visit in told, visit.name)

    def test_waiting_visits_are_booked(self):
        values = {
            "lead_id": self.lead.id,
            "type_id": self.visit_type.id,
            **WEST,
        }
        visits = self.env["crm.visit"].with_user(self.manager)
        wanted = visits._queue([{**values, "latest": _at(12), "earliest": _at(9)}], "Nobody free")
        later = visits._queue([{**values, "earliest": _at(9) + timedelta(days=1)}], "Nobody free")
        self._distribute(_at(15), **WEST)
        plan = self._plan(include_waiting=False)
        self.assertNotIn(wanted, plan.line_ids.visit_id)
        plan = self._plan()
        self.assertNotIn(later, plan.line_ids.visit_id)
        line = self._get_line(plan, wanted)
        self.assertEqual((line.change, line.measurer_id), ("new", self.measurer))
        self.assertEqual(wanted.state, "draft")
        plan.action_apply()
        self.assertEqual((wanted.state, wanted.measurer_id), ("scheduled", self.measurer))
        self.assertTrue(_at(9) <= wanted.start and wanted.stop <= _at(12))
        self.assertTrue(wanted.event_id)
        self.assertIn(self.head.name, wanted.assignment_reason)

    def test_stale_proposal_is_refused(self):
        def book(_visit):
            self._book(_at(11), measurer_id=self.measurer.id, **EAST)

        changes = [
            ("moved", lambda visit: visit._reschedule(_at(15)), "changed since"),
            ("cancelled", lambda visit: visit._cancel("Ill"), "changed since"),
            ("leave", lambda _visit: self._new_leave(self.measurer), "changed since"),
            ("zone", lambda _visit: self._narrow_zone(), "has changed"),
            ("another visit", book, "has changed"),
        ]
        for name, change, words in changes:
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                west, _east = self._book_crosswise()
                plan = self._plan()
                change(west)
                with self.assertRaisesRegex(UserError, words):
                    plan.action_apply()
                savepoint.rollback()
                self.env.invalidate_all()

    def _narrow_zone(self):
        self.measurer.zone_ids = self.env["crm.visit.zone"].create(
            {"name": "Lviv", "cities": "Lviv"}
        )

    def _new_leave(self, measurer, **values):
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "Dentist",
                "resource_id": measurer.resource_id.id,
                "date_from": _at(0),
                "date_to": _at(24),
                **values,
            }
        )

    def test_rules_of_the_day(self):
        """Lunch, days off, skills, zones and capacity bind the plan as they bind a booking."""
        skill = self.env["crm.visit.skill"].create({"name": "Facades"})
        zone = self.env["crm.visit.zone"].create({"name": "Lviv", "cities": "Lviv"})
        cases = [
            ("leave", lambda: self._new_leave(self.measurer)),
            ("skill", lambda: self._need_skill(skill)),
            ("zone", lambda: self.measurer.write({"zone_ids": [(6, 0, zone.ids)]})),
            ("capacity", lambda: self.measurer.write({"visits_per_day": 1})),
        ]
        for name, restrict in cases:
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                taken = self._distribute(_at(16), measurer_id=self.measurer.id, **WEST)
                west = self._distribute(_at(10), measurer_id=self.second.id, **WEST)
                self.assertEqual(self._get_line(self._plan(), west).measurer_id, self.measurer)
                restrict()
                plan = self._plan()
                self.assertEqual(self._get_line(plan, west).measurer_id, self.second)
                self.assertTrue(taken)
                savepoint.rollback()
                self.env.invalidate_all()

    def _need_skill(self, skill):
        self.visit_type.skill_ids = skill
        self.second.skill_ids = skill

    def test_lunch_is_kept_free(self):
        """What is proposed could be booked by hand: nothing speaks against any place."""
        bounds = {"earliest": _at(9), "latest": _at(18)}
        values = {"lead_id": self.lead.id, "type_id": self.visit_type.id, **WEST, **bounds}
        self.env["crm.visit"].with_user(self.manager)._queue([values] * 12, "Nobody free")
        self.measurer.visits_per_day = 9
        plan = self._plan(measurer_ids=[(6, 0, self.measurer.ids)])
        placed = plan.line_ids.filtered("measurer_id").sorted("start")
        self.assertGreater(len(placed), 3)
        self.assertGreater(plan.waiting_count, 0)
        days = self.measurer._load_days(self.company, _at(0), _at(24))
        for line in placed:
            visit, stop = line.visit_id, line.start + line.visit_id._get_plan_length()
            slot = visit._prepare_slot_values()
            self.assertIsNone(days.explain(slot, self.measurer, line.start, stop))
            days.insert(slot, self.measurer, line.start)

    def test_visit_under_way_stays(self):
        with freeze_time(_at(9, 50)):
            west, east = self._book_crosswise()
            west.with_user(self.second.user_id).action_on_my_way()
            plan = self._plan()
            line = self._get_line(plan, west)
            self.assertTrue(line.is_fixed)
            self.assertEqual((line.measurer_id, line.start), (self.second, _at(10)))
            self.assertIn(east, plan.line_ids.visit_id)

    def test_no_lost_visit(self):
        """A visit booked against the rules stays where it is, and the others go around it."""
        odd = self._distribute(datetime(2026, 11, 24, 4, 7), measurer_id=self.second.id, **WEST)
        other = self._distribute(_at(10), measurer_id=self.second.id, **EAST)
        self.measurer.active = False
        self.visit_type.skill_ids = self.env["crm.visit.skill"].create({"name": "Facades"})
        plan = self._plan()
        self.assertEqual(plan.change_count, 0)
        self.assertEqual(self._get_line(plan, odd).start, odd.start)
        self.assertEqual(self._get_line(plan, other).start, _at(10))

    def test_two_zones(self):
        """A measurer's day is that of the measurer's clock, a visit's time that of its site."""
        tokyo = "Asia/Tokyo"
        self.second.tz = tokyo
        night = datetime(2026, 11, 24, 1)  # 10:00 in Tokyo, 3:00 in Kyiv
        there = self._distribute(night, measurer_id=self.second.id, tz=tokyo, **MIDDLE)
        eve = datetime(2026, 11, 24, 23)  # 8:00 on Wednesday in Tokyo
        beyond = self._distribute(eve, measurer_id=self.second.id, tz=tokyo, **MIDDLE)
        plan = self._plan(measurer_ids=[(6, 0, self.second.ids)])
        self.assertIn(there, plan.line_ids.visit_id)
        self.assertNotIn(beyond, plan.line_ids.visit_id)
        self.assertEqual(self._get_line(plan, there).before_time, "10:00")

    def test_day_of_the_clock_change(self):
        """On 28 March 2027 Kyiv goes from UTC+2 to UTC+3 at three in the morning."""
        sunday = date(2027, 3, 28)
        self.visit_type.horizon_days = 365
        for attendance in self.company.resource_calendar_id.attendance_ids.filtered(
            lambda attendance: attendance.dayofweek == "0"
        ):
            attendance.copy({"dayofweek": "6"})
        values = {"lead_id": self.lead.id, "type_id": self.visit_type.id, **WEST}
        midnight = datetime(2027, 3, 27, 22)
        bounds = {"earliest": midnight, "latest": midnight + timedelta(hours=23)}
        visit = self.env["crm.visit"].with_user(self.manager)._queue([{**values, **bounds}], "-")
        plan = self._plan(day=sunday)
        line = self._get_line(plan, visit)
        hours = self.company.resource_calendar_id.attendance_ids.mapped("hour_from")
        self.assertEqual(line.start, datetime(2027, 3, 28, int(min(hours)) - 3))
        plan.action_apply()
        self.assertIn(f"{int(min(hours)):02}:00", visit.local_start)

    def test_nothing_to_plan(self):
        with self.assertRaisesRegex(UserError, "nothing to plan"):
            self._plan()
        with self.assertRaisesRegex(UserError, "is over"):
            self._plan(day=NOW.date() - timedelta(days=1))
        plan = self.env["crm.visit.plan"].with_user(self.head).create({"day": DAY})
        with self.assertRaisesRegex(UserError, "Plan the day first"):
            plan.action_apply()

    def test_default_day_is_tomorrow(self):
        with Form(self.env["crm.visit.plan"].with_user(self.head)) as form:
            self.assertEqual(form.day, DAY)

    def test_no_place_for_anything(self):
        """A planner that finds no places changes nothing."""
        self._book_crosswise()
        self._patch_planner(
            lambda _plan, problem: (
                "simple",
                routing.Solution(((),) * len(problem.workers), tuple(range(len(problem.jobs)))),
            )
        )
        plan = self._plan()
        self.assertEqual(plan.change_count, 0)
        self.assertEqual(plan.travel_after, plan.travel_before)
