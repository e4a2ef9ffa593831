from datetime import date, datetime, timedelta

import pytz
from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..tools.walltime import to_datetime
from .common import NOW, WholesaleCommon

CENTRE = {"latitude": 50.4501, "longitude": 30.5234}
STATION = {"latitude": 50.4405, "longitude": 30.4885}
HOUR = timedelta(hours=1)
TUESDAY = date(2026, 11, 24)


class SlotCase(WholesaleCommon):
    """Working hours in Kyiv are 8:00 to 12:00 and 13:00 to 17:00, Monday to Friday."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values = {
            "company_id": cls.company.id,
            "type_id": cls.visit_type.id,
            "tz": "Europe/Kyiv",
            "zip": "01001",
            "city": "Kyiv",
            **CENTRE,
        }
        cls.calendar = cls.measurer.resource_calendar_id

    def _at(self, hour, minute=0, day=TUESDAY, zone="Europe/Kyiv"):
        """Return the UTC datetime of a wall time."""
        wall = datetime(day.year, day.month, day.day, hour, minute)
        return pytz.timezone(zone).localize(wall).astimezone(pytz.utc).replace(tzinfo=None)

    def _find(self, day=TUESDAY, measurers=None, limit=None, **values):
        """Return the slots of one day as a manager asks for them."""
        measurers = self.env["crm.measurer"] if measurers is None else measurers
        return measurers.with_user(self.manager)._find_slots(
            {**self.values, **values},
            self._at(0, day=day),
            self._at(0, day=day + timedelta(days=1)),
            limit,
        )

    def _get_walls(self, day=TUESDAY, zone="Europe/Kyiv", **values):
        """Return the starts on one day as the site's clock shows them."""
        starts = [pytz.utc.localize(slot["start"]) for slot in self._find(day, **values)]
        return [f"{start.astimezone(pytz.timezone(zone)):%H:%M}" for start in starts]

    def _explain(self, hour, minute=0, measurers=None, day=TUESDAY, length=HOUR, **values):
        measurers = self.env["crm.measurer"] if measurers is None else measurers
        start = self._at(hour, minute, day)
        return measurers.with_user(self.manager)._explain_unavailable(
            {**self.values, **values}, start, start + length
        )

    def _get_code(self, *args, **kwargs):
        """Return the code against the one measurer, or None where nothing speaks against."""
        reasons = self._explain(*args, measurers=self.measurer, **kwargs)
        return reasons[self.measurer][0] if reasons else None

    def _leave(self, start, stop, **values):
        return self.env["resource.calendar.leaves"].create(
            {"name": "Surgery", "date_from": start, "date_to": stop, **values}
        )

    def _new_colleague(self, login="colleague", **values):
        user = self._new_user(login, "crm_wholesale.crm_wholesale_group_measurer")
        return self._new_measurer(user, **values)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestSlotRows(SlotCase):
    """What VISITS.md lists about who can come when."""

    ALL_DAY = ["08:00", "09:00", "10:00", "11:00", "13:00", "14:00", "15:00", "16:00"]

    def test_working_hours(self):
        self.assertEqual(self._get_walls(), self.ALL_DAY)
        self.assertEqual(self._get_code(12, 30), "hours")
        self.assertIsNone(self._get_code(16))

    def test_visits_row_leave_weekend_holiday(self):
        self.assertEqual(self._get_walls(day=date(2026, 11, 28)), [], "a Saturday")
        leave = self._leave(self._at(9, 30), self._at(14), resource_id=self.measurer.resource_id.id)
        self.assertEqual(self._get_walls(), ["08:00", "14:00", "15:00", "16:00"])
        self.assertEqual(self._get_code(9), "leave", "it overlaps the visit in part only")
        self.assertNotIn("Surgery", str(self._explain(9)))
        leave.unlink()
        self.assertEqual(self._get_walls(), self.ALL_DAY)
        holiday = self._leave(self._at(0), self._at(23, 59), calendar_id=self.calendar.id)
        self.assertEqual(self._get_walls(), [])
        self.assertEqual(self._get_code(9), "leave")
        holiday.calendar_id = self.calendar.copy()
        self.assertEqual(self._get_walls(), self.ALL_DAY, "a holiday of other working hours")
        holiday.calendar_id = False
        self.assertEqual(self._get_walls(), [], "a holiday of the company")

    def test_leave_added_later(self):
        """What was free when the screen opened is refused once a day off was entered."""
        slot = self._find()[0]
        self._leave(self._at(0), self._at(23), resource_id=self.measurer.resource_id.id)
        self.assertNotIn(slot["start"], [slot["start"] for slot in self._find()])

    def test_leave_of_a_colleague_or_as_work_takes_nothing(self):
        colleague = self._new_colleague()
        self._leave(self._at(0), self._at(23), resource_id=colleague.resource_id.id)
        resource_id = self.measurer.resource_id.id
        self._leave(self._at(0), self._at(23), resource_id=resource_id, time_type="other")
        self.assertEqual({slot["measurer"].id for slot in self._find()}, {self.measurer.id})

    def test_visits_row_territory_skill(self):
        skill = self.env["crm.visit.skill"].create({"name": "Stone"})
        self.visit_type.skill_ids = skill
        self.assertEqual(self._get_walls(), [])
        self.assertEqual(self._get_code(9), "skill")
        self.measurer.skill_ids = skill
        self.assertEqual(self._get_walls(), self.ALL_DAY)
        left, right = self.env["crm.visit.zone"].create(
            [{"name": "Left", "zips": "02*"}, {"name": "Right", "zips": "01000-01999, 04*"}]
        )
        self.measurer.zone_ids = left
        self.assertEqual(self._get_walls(), [])
        self.assertEqual(self._get_code(9), "zone")
        self.measurer.zone_ids = left | right
        self.assertEqual(self._get_walls(), self.ALL_DAY)
        self.assertEqual(self._get_walls(zip="99999", city="Elsewhere", latitude=0), [])

    def test_zone_by_city_and_by_radius(self):
        self.measurer.zone_ids = self.env["crm.visit.zone"].create(
            {"name": "Near", "cities": "Brovary", "radius": 3, **STATION}
        )
        self.assertTrue(self._find(), "2.7 km away")
        self.assertTrue(self._find(city="BROVARY", latitude=0, longitude=0))
        self.assertFalse(self._find(latitude=51))
        self.measurer.zone_ids.radius = 2
        self.assertFalse(self._find())

    def test_visits_row_capacity(self):
        self.measurer.visits_per_day = 2
        self._book(self._at(8), **CENTRE)
        self.assertTrue(self._find())
        self._book(self._at(10), **CENTRE)
        self.assertFalse(self._find())
        self.assertTrue(self._find(day=TUESDAY + timedelta(days=1)))
        self.assertEqual(self._get_code(15), "capacity")

    def test_visits_row_capacity_half_day_and_urgent(self):
        self.measurer.write({"visits_per_day": 3, "visits_per_half_day": 1, "urgent_reserve": 2})
        self.assertTrue(self._find())
        self._book(self._at(9), **CENTRE)
        self.assertFalse(self._find(), "the rest is kept free")
        self.assertEqual(self._get_walls(urgent=True), self.ALL_DAY[4:])
        self.assertEqual(self._get_code(11, urgent=True), "capacity")
        self.assertIsNone(self._get_code(13, urgent=True))

    def test_capacity_counts_visits_that_are_over(self):
        self.measurer.visits_per_day = 1
        visit = self._book(self._at(15, day=NOW.date()), **CENTRE)
        self.assertFalse(self._find(day=NOW.date()))
        visit.sudo().write({"state": "no_show"})
        self.assertFalse(self._find(day=NOW.date()))
        visit.sudo().write({"state": "cancelled"})
        self.assertTrue(self._find(day=NOW.date()))

    def test_visits_row_travel(self):
        """2.7 km at 25 km/h, made longer by 1.3, are 9 minutes; 10 are left free beside them."""
        visit = self._book(self._at(10), **STATION)
        self.assertEqual(self._get_walls(), ["08:00", "13:00", "14:00", "15:00", "16:00"])
        code, words = self._explain(11, 15, length=HOUR / 2)[self.measurer]
        self.assertEqual(code, "travel")
        for part in (visit.name, "15 min", "needs 19"):
            self.assertIn(part, words)
        self.assertEqual(self._get_code(8, length=timedelta(minutes=102)), "travel")
        self.assertIsNone(self._get_code(8, length=timedelta(minutes=101)))
        self.company.visit_travel_buffer = 0
        self.assertIsNone(self._get_code(8, length=timedelta(minutes=111)))
        self.company.visit_travel_speed = 5
        self.assertEqual(self._get_code(8, length=timedelta(minutes=90)), "travel")

    def test_travel_without_coordinates(self):
        """Within a city or a zone the short way, elsewhere the long one."""
        self._book(self._at(8), **CENTRE)
        half = {"duration": 0.5}
        self.assertEqual(self._get_walls(**half)[0], "09:15")
        unknown = {**half, "latitude": 0, "longitude": 0}
        self.assertEqual(self._get_walls(**unknown)[0], "09:30")
        far = {**unknown, "city": "Odesa", "zip": "65000"}
        self.assertEqual(self._get_walls(**far)[0], "10:00")
        self.measurer.zone_ids = self.env["crm.visit.zone"].create(
            {"name": "Ukraine", "cities": "Kyiv, Odesa"}
        )
        self.assertEqual(self._get_walls(**far)[0], "09:30")

    def test_routing_service_takes_the_place_of_the_straight_line(self):
        self._book(self._at(8), **STATION)
        measurers = self.env.registry["crm.measurer"]
        self.patch(measurers, "_get_travel_function", lambda *_args: lambda _one, _two: 49)
        self.assertEqual(self._get_walls()[0], "10:00")
        self.assertEqual(self.env["crm.measurer"]._get_travel_minutes((0, 1), (2, 3)), 49)

    def test_added_travel_and_reason(self):
        """A site beside a visit adds less than one across the town, and says so."""
        home = self.env["res.partner"].create(
            {"name": "Home", "partner_latitude": 50.4501, "partner_longitude": 30.5234}
        )
        self.measurer.start_address_id = home
        first = self._book(self._at(9), **STATION)
        last = self._book(self._at(16), **STATION)
        near = self._find(**STATION)[0]
        self.assertEqual(near["start"], self._at(10, 15))
        self.assertEqual(near["travel_minutes"], 0)
        self.assertEqual(
            near["reason"], f"adds 0 min: between {first.name} and {last.name}, 0.0 km away"
        )
        self.assertEqual(self._find()[0]["travel_minutes"], 18)
        alone = self._find(day=TUESDAY + timedelta(days=1), **STATION)[0]
        self.assertEqual(alone["travel_minutes"], 18)
        self.assertEqual(alone["reason"], "adds 18 min: the only visit of the day, 2.7 km away")

    def test_visits_row_arrival_window(self):
        """The start lies in the window; a start that does not is not offered."""
        window = {"window_start": self._at(10), "window_stop": self._at(14)}
        self.assertEqual(self._get_walls(**window), ["10:00", "11:00", "13:00", "14:00"])

    def test_visits_row_daylight_saving(self):
        """The same wall times on both days of the change, in hours and in capacity."""
        attendance = self.calendar.attendance_ids[:1]
        attendance.copy({"dayofweek": "6", "hour_from": 8, "hour_to": 12})
        self.visit_type.horizon_days = 365
        for day in (date(2027, 3, 28), date(2027, 10, 31)):
            self.assertEqual(self._get_walls(day=day), self.ALL_DAY[:4], day)
        visit = self._book(self._at(8, day=date(2027, 3, 28)), **CENTRE)
        self.assertEqual(visit.start, datetime(2027, 3, 28, 5))
        self.measurer.visits_per_day = 1
        self.assertFalse(self._find(day=date(2027, 3, 28)))

    def test_two_zones(self):
        """Hours follow the measurer's clock, full hours the site's, days off the moment."""
        colleague = self._new_colleague(tz="America/New_York", resource_calendar_id=False)
        colleague.resource_calendar_id = self.calendar
        slots = self._find(measurers=colleague, tz="America/New_York")
        self.assertEqual(slots[0]["start"], datetime(2026, 11, 24, 13), "8:00 in New York")
        kathmandu = self._get_walls(zone="Asia/Kathmandu", tz="Asia/Kathmandu")
        self.assertEqual(kathmandu[:3], ["11:45", "13:00", "14:00"])

    def test_midnight_in_two_zones(self):
        """A visit at 1:00 in Kyiv fills that day, not the one that UTC still has."""
        for attendance in self.calendar.attendance_ids:
            attendance.write({"hour_from": 0, "hour_to": 24} if attendance.hour_from == 8 else {})
            if attendance.hour_from:
                attendance.unlink()
        self.measurer.visits_per_day = 1
        self._book(self._at(1), **CENTRE)
        self.assertFalse(self._find())
        self.assertEqual(self._get_walls(day=TUESDAY + timedelta(days=1))[0], "00:00")

    def test_visits_row_nobody_free(self):
        self._leave(self._at(0), self._at(23), resource_id=self.measurer.resource_id.id)
        self.assertEqual(self._find(), [])
        code, words = self._explain(9)[self.measurer]
        self.assertEqual((code, words), ("leave", "Measurer is away at that time."))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestSlots(SlotCase):
    def test_notice_and_horizon(self):
        self.visit_type.write({"notice_hours": 3, "horizon_days": 2})
        today = NOW.date()
        self.assertEqual(self._get_walls(day=today), ["13:00", "14:00", "15:00", "16:00"])
        self.assertEqual(self._get_code(11, day=today), "notice")
        self.assertTrue(self._find(day=today + timedelta(days=1)))
        later = today + timedelta(days=2)
        self.assertEqual(self._get_walls(day=later), ["08:00", "09:00", "10:00"])
        self.assertEqual(self._get_code(11, day=later), "horizon")

    def test_bounds_that_hold_nothing(self):
        """Bounds the wrong way round, or without end: no slot, or those up to the horizon."""
        find = self.env["crm.measurer"]._find_slots
        self.assertEqual(find(self.values, NOW + timedelta(days=9), NOW), [])
        slots = find(self.values, NOW, NOW + timedelta(days=36500))
        self.assertLess(slots[-1]["start"], NOW + timedelta(days=61))

    def test_duration(self):
        self.visit_type.duration = 3.0
        self.assertEqual(self._get_walls(), ["08:00", "09:00", "13:00", "14:00"])
        self.assertEqual(self._get_walls(duration=4.0), ["08:00", "13:00"])

    def test_busy_calendar(self):
        partner = self.measurer_user.partner_id
        event = self.env["calendar.event"].create(
            {
                "name": "Dentist",
                "start": self._at(8),
                "stop": self._at(9, 30),
                "show_as": "busy",
                "partner_ids": [Command.set(partner.ids)],
            }
        )
        self.assertEqual(self._get_walls()[0], "09:30")
        self.assertEqual(self._get_code(9), "event")
        self.assertNotIn("Dentist", str(self._explain(9)))
        event.show_as = "free"
        self.assertEqual(self._get_walls()[0], "08:00")
        event.show_as = "busy"
        event.attendee_ids.state = "declined"
        self.assertEqual(self._get_walls()[0], "08:00")
        event.attendee_ids.state = "tentative"
        event.active = False
        self.assertEqual(self._get_walls()[0], "08:00")

    def test_busy_whole_days(self):
        """An event of whole days takes them on the measurer's clock."""
        for zone in ("Europe/Kyiv", "America/New_York"):
            self.measurer.tz = zone
            self.env["calendar.event"].create(
                {
                    "name": "Fair",
                    "allday": True,
                    "start": "2026-11-25",
                    "stop": "2026-11-26",
                    "start_date": "2026-11-25",
                    "stop_date": "2026-11-26",
                    "partner_ids": [Command.set(self.measurer_user.partner_id.ids)],
                }
            )
            slots = self.measurer.with_user(self.manager)._find_slots(
                self.values, self._at(0), self._at(0, day=date(2026, 11, 28))
            )
            days = {
                pytz.utc.localize(slot["start"]).astimezone(pytz.timezone(zone)).day
                for slot in slots
            }
            self.assertEqual(days, {24, 27}, zone)

    def test_face_of_a_visit_counts_once(self):
        """The calendar event of a visit takes no time of its own, also of one that moves."""
        visit = self._book(self._at(10), **CENTRE)
        self.assertEqual(self._get_code(10), "busy")
        self.assertIn("10:00 to 11:00", self._explain(10)[self.measurer][1])
        self.assertIsNone(self._get_code(10, 15, id=visit.id))
        values = visit._prepare_slot_values()
        self.assertEqual(values["id"], visit.id)
        self.assertIn(self._at(10), [slot["start"] for slot in self._find(**values)])

    def test_flexible_hours_follow_the_company(self):
        flexible = self.calendar.copy({"schedule_type": "flexible", "flexible_hours": True})
        flexible.attendance_ids.unlink()
        for calendar in (flexible, self.env["resource.calendar"]):
            self.measurer.resource_calendar_id = calendar
            self.assertEqual(self._get_walls()[:2], ["08:00", "09:00"])
            self.assertEqual(self._get_walls(day=date(2026, 11, 28)), [])
        self.company.resource_calendar_id = flexible
        self.assertEqual(self._get_walls()[:2], ["09:00", "10:00"])

    def test_two_weeks(self):
        self.calendar.switch_calendar_type()
        weeks = self.calendar.attendance_ids.filtered(lambda a: not a.display_type)
        week_type = weeks.get_week_type(TUESDAY)
        weeks.filtered(lambda a: int(a.week_type) == week_type and a.dayofweek == "1").unlink()
        self.assertEqual(self._get_walls(), [])
        self.assertTrue(self._find(day=TUESDAY + timedelta(days=7)))

    def test_hours_are_those_of_odoo(self):
        """Working time is what Odoo's own calendars say, over both changes of the clocks."""
        self._leave(self._at(9), self._at(15), resource_id=self.measurer.resource_id.id)
        self._leave(self._at(0, day=date(2027, 3, 29)), self._at(13, day=date(2027, 3, 29)))
        measurers = self.measurer | self._new_colleague(tz="America/New_York")
        for start in (self._at(0), self._at(0, day=date(2027, 3, 22))):
            stop = start + timedelta(days=14)
            days = measurers._load_days(self.company, start, stop)
            for measurer in measurers:
                resource = measurer.resource_id
                expected = measurer.resource_calendar_id._work_intervals_batch(
                    pytz.utc.localize(start), pytz.utc.localize(stop), resource
                )[resource.id]
                tour = days.schedule.tours[measurer.id]
                work = [
                    (max(to_datetime(low), start), min(to_datetime(high), stop))
                    for low, high in tour.work
                ]
                self.assertEqual(
                    [span for span in work if span[0] < span[1]],
                    [
                        tuple(bound.astimezone(pytz.utc).replace(tzinfo=None) for bound in span)
                        for span in ((low, high) for low, high, _records in expected)
                    ],
                )

    def test_who_cannot_be_sent(self):
        colleague = self._new_colleague()
        both = self.measurer | colleague
        self.assertEqual({slot["measurer"].id for slot in self._find()}, set(both.ids))
        colleague.user_id.active = False
        self.assertEqual(self._explain(9, measurers=both)[colleague][0], "no_login")
        colleague.active = False
        self.assertEqual(self._explain(9, measurers=both)[colleague][0], "archived")
        self.assertNotIn(colleague, self._explain(9))
        self.assertEqual({slot["measurer"] for slot in self._find()}, {self.measurer})
        self.assertFalse(self._find(measurers=colleague))

    def test_other_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self._new_colleague(company_id=other.id)
        self.assertNotIn(stranger, [slot["measurer"] for slot in self._find()])
        self.assertNotIn(stranger.id, [measurer.id for measurer in self._explain(3)])
        reasons = stranger._explain_unavailable(self.values, self._at(9), self._at(10))
        self.assertEqual(reasons[stranger][0], "company")

    def test_only_those_asked(self):
        colleague = self._new_colleague()
        self.assertEqual(
            {slot["measurer"] for slot in self._find(measurers=colleague)}, {colleague}
        )

    def test_limit_spreads(self):
        slots = self.env["crm.measurer"]._find_slots(
            self.values, self._at(0), self._at(0, day=TUESDAY + timedelta(days=3)), 6
        )
        self.assertEqual(
            [slot["start"] for slot in slots],
            [self._at(hour, day=TUESDAY + timedelta(days=n)) for n in range(3) for hour in (8, 13)],
        )

    def test_order_is_start_then_travel(self):
        colleague = self._new_colleague()
        self._book(self._at(10), **CENTRE)
        slots = self._find()
        self.assertEqual(slots, sorted(slots, key=lambda s: (s["start"], s["travel_minutes"])))
        self.assertEqual(slots[0]["measurer"], self.measurer, "who is near comes first")
        self.assertEqual(slots[1]["measurer"], colleague)

    def test_filling_loaded_days(self):
        """What is inserted takes time, place and capacity at once, without a query."""
        self.measurer.visits_per_day = 2
        days = self.env["crm.measurer"]._load_days(self.company, self._at(0), self._at(23))
        span = self._at(0), self._at(23)
        values = {**self.values, "id": 1}
        slots = days.find_slots(values, *span)
        with self.assertQueryCount(0):
            days.insert(values, self.measurer, slots[0]["start"])
            self.assertEqual(days.find_slots(self.values, *span)[0]["start"], self._at(9, 15))
            self.assertEqual(days.explain(self.values, self.measurer, *span)[0], "hours")
            days.insert({**values, "id": 2}, self.measurer, self._at(14))
            self.assertFalse(days.find_slots(self.values, *span))

    def test_queries_do_not_grow(self):
        """The same number with 1 and with 10 measurers, each with own hours, and visits."""

        def count(limit=None):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._find(limit=limit)
            return self.env.cr.sql_log_count - before

        zone = self.env["crm.visit.zone"].create({"name": "Kyiv", "cities": "Kyiv"})
        skill = self.env["crm.visit.skill"].create({"name": "Stone"})
        self.visit_type.skill_ids = skill
        self.measurer.write({"zone_ids": zone.ids, "skill_ids": skill.ids})
        self.measurer.resource_calendar_id = self.calendar.copy()
        self.measurer.start_address_id = self.env["res.partner"].create({"name": "Home"})
        self._book(self._at(10), **CENTRE)
        count()  # fills the caches that are emptied when users are made
        few = count()
        for number in range(9):
            home = self.env["res.partner"].create({"name": "Home"})
            colleague = self._new_colleague(
                f"colleague_{number}",
                zone_ids=zone.copy({"name": str(number)}).ids,
                skill_ids=skill.ids,
                start_address_id=home.id,
                resource_calendar_id=self.calendar.copy().id,
            )
            self._leave(self._at(8), self._at(9), resource_id=colleague.resource_id.id)
            self._book(self._at(10), measurer_id=colleague.id, **CENTRE)
        count()
        self.assertEqual(count(), few)
        self.assertEqual(count(limit=3), few)
        self.assertEqual(len({slot["measurer"] for slot in self._find()}), 10)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestSlotAccess(SlotCase):
    def test_who_may_ask(self):
        """Whoever asks in code gets the same slots: what they rest on is read with sudo."""
        self._leave(self._at(8), self._at(9), resource_id=self.measurer.resource_id.id)
        expected = [slot["start"] for slot in self._find()]
        public = self.env.ref("base.public_user")
        for user in (self.measurer_user, self.head, public):
            slots = (
                self.env["crm.measurer"]
                .with_user(user)
                ._find_slots(self.values, self._at(0), self._at(23))
            )
            self.assertEqual([slot["start"] for slot in slots], expected)
        with self.assertRaises(AccessError):
            slots[0]["measurer"].check_access("read")

    def test_head_of_sales_sets_up_and_others_read(self):
        zone = self.env["crm.visit.zone"].create({"name": "Kyiv", "cities": "Kyiv"})
        changes = {
            zone: {"zips": "01*"},
            self.measurer: {"visits_per_half_day": 3, "urgent_reserve": 1},
            self.visit_type: {"notice_hours": 4.0, "horizon_days": 30},
        }
        for record, values in changes.items():
            record.with_user(self.head).write(values)
            for user in (self.manager, self.measurer_user):
                record.with_user(user).read(list(values))
                with self.assertRaises(AccessError):
                    record.with_user(user).write(values)

    def test_home_of_a_measurer_is_not_for_everybody(self):
        home = self.env["res.partner"].create({"name": "Home", "partner_latitude": 50.4})
        self.measurer.with_user(self.head).start_address_id = home
        self.measurer.with_user(self.head).latitude = 50.5
        self.assertEqual(home.partner_latitude, 50.5)
        with self.assertRaises(AccessError):
            self.measurer.with_user(self.measurer_user).read(["latitude"])

    def test_what_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "04\\*5"):
            self.env["crm.visit.zone"].create({"name": "Odd", "zips": "01001, 04*5"})
        refused = [
            (self.company, {"visit_travel_speed": 0}),
            (self.company, {"visit_travel_factor": 0.5}),
            (self.company, {"visit_travel_buffer": -1}),
            (self.visit_type, {"notice_hours": -1}),
            (self.visit_type, {"horizon_days": 0}),
            (self.measurer, {"urgent_reserve": 7}),
        ]
        for record, values in refused:
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
            ):
                record.write(values)
                record.flush_recordset()

    def test_zone_form(self):
        with Form(self.env["crm.visit.zone"].with_user(self.head)) as form:
            form.name = "Left bank"
            form.zips = "02*, 03100-03199"
        self.assertTrue(form.record.zips)
