from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import NOW, WholesaleCommon

TOMORROW = datetime(2026, 11, 24, 8, 0)  # 10:00 in Kyiv
HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBookingScreen(WholesaleCommon):
    """What the manager sees and does on the booking screen, as that manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls._new_measurer(
            cls._new_user("colleague", "crm_wholesale.crm_wholesale_group_measurer")
        )

    def _open(self, user=None, **defaults):
        """Return the screen as it opens, for the deal unless something else is given."""
        defaults = defaults or {"lead_id": self.lead.id}
        context = {f"default_{name}": value for name, value in defaults.items()}
        return Form(
            self.env["crm.visit.booking"].with_user(user or self.manager).with_context(**context)
        )

    def _ask(self, user=None, method="get_slots", screen=None, **question):
        """Return what the server answers to the widget on the screen of the deal."""
        bookings = self.env["crm.visit.booking"].with_user(user or self.manager)
        values = {
            "lead_id": self.lead.id,
            "company_id": self.company.id,
            "type_id": self.visit_type.id,
            "duration": 1.0,
            "city": "Kyiv",
            "tz": "Europe/Kyiv",
            **(screen or {}),
        }
        return getattr(bookings, method)(values, **question)

    def _list_slots(self, **question):
        """Return all slots of the days in the answer."""
        days = self._ask(**question)["days"]
        return [slot for day in days for part in day["parts"].values() for slot in part]

    def _take_day_off(self, measurers, start=NOW, days=7):
        """Let measurers be away from a moment on."""
        self.env["resource.calendar.leaves"].create(
            [
                {
                    "name": "Honeymoon",
                    "resource_id": measurer.resource_id.id,
                    "date_from": start,
                    "date_to": start + timedelta(days=days),
                }
                for measurer in measurers
            ]
        )

    # -- Slots ----------------------------------------------------------------------------

    def test_slots_stand_by_day_and_part_of_day(self):
        answer = self._ask()
        self.assertEqual(answer["range"], "Mon 23 Nov – Sun 29 Nov")
        self.assertEqual(len(answer["days"]), 7)
        monday, *_days, saturday, sunday = answer["days"]
        self.assertEqual(monday["label"], "Mon 23 Nov")
        self.assertFalse(any(saturday["parts"].values()) or any(sunday["parts"].values()))
        for part, hours in (("morning", range(12)), ("afternoon", range(12, 17))):
            slots = [slot for day in answer["days"] for slot in day["parts"][part]]
            self.assertTrue(slots)
            for slot in slots:
                self.assertIn(int(slot["time"][:2]), hours)
        self.assertFalse(answer["nearest"])

    def test_three_suggestions_lie_in_different_parts_of_days(self):
        suggestions = self._ask()["suggestions"]
        self.assertEqual(len(suggestions), 3)
        self.assertEqual(len({(slot["day"], slot["part"]) for slot in suggestions}), 3)
        starts = [slot["start"] for slot in suggestions]
        self.assertEqual(starts, sorted(starts))
        for slot in suggestions:
            self.assertIn("min", slot["reason"])

    def test_filters(self):
        def get_slots(answer):
            return [
                slot for day in answer["days"] for part in day["parts"].values() for slot in part
            ]

        mornings = self._list_slots(part="morning")
        self.assertEqual({slot["part"] for slot in mornings}, {"morning"})
        his = self._list_slots(measurer_id=self.colleague.id)
        self.assertEqual({slot["measurer"]["id"] for slot in his}, {self.colleague.id})
        later = self._ask(week=1)
        self.assertEqual(later["range"], "Mon 30 Nov – Sun 6 Dec")

    def test_wish_bounds_the_slots(self):
        latest = datetime(2026, 11, 25, 10, 0)  # noon in Kyiv
        screen = {
            "earliest": fields.Datetime.to_string(TOMORROW),
            "latest": fields.Datetime.to_string(latest),
        }
        answer = self._ask(screen=screen)
        slots = [s for day in answer["days"] for part in day["parts"].values() for s in part]
        starts = [fields.Datetime.to_datetime(slot["start"]) for slot in slots]
        self.assertGreaterEqual(min(starts), TOMORROW)
        self.assertLessEqual(max(starts) + HOUR, latest)
        self.assertFalse(answer["has_next"])

    def test_arrival_window_is_part_of_the_time(self):
        slot = self._ask(screen={"window_hours": "2"})["suggestions"][0]
        first, last = slot["time"].split("–")
        self.assertEqual(int(last[:2]) - int(first[:2]), 2)

    def test_clock_is_the_sites(self):
        for zone, city in (("Europe/Kyiv", ""), ("America/New_York", "Kyiv")):
            with self.subTest(zone=zone):
                manager = self.manager.with_context(tz=zone)
                bookings = self.env["crm.visit.booking"].with_user(manager).with_context(tz=zone)
                answer = bookings.get_slots(
                    {
                        "company_id": self.company.id,
                        "type_id": self.visit_type.id,
                        "duration": 1.0,
                        "tz": "Europe/Kyiv",
                    }
                )
                self.assertEqual(answer["city"], city)
                times = [slot["time"] for slot in answer["days"][1]["parts"]["morning"]]
                self.assertGreaterEqual(min(times), "08:00")
                self.assertLess(max(times), "12:00")

    def test_reasons_name_no_day_off(self):
        self._take_day_off(self.colleague)
        answer = self._ask(method="get_reasons", start=fields.Datetime.to_string(TOMORROW))
        self.assertIn("10:00", answer["time"])
        (reason,) = answer["reasons"]
        self.assertIn("Colleague", reason)
        self.assertNotIn("Honeymoon", reason)

    def test_who_may_ask(self):
        for user, allowed in (
            (self.manager, True),
            (self.head, True),
            (self.measurer_user, False),
            (self.other_manager, False),  # the deal is another's
            (self.privacy_officer, False),
        ):
            for method in ("get_slots", "get_reasons"):
                with self.subTest(user=user.name, method=method):
                    if allowed:
                        self.assertTrue(self._ask(user=user, method=method))
                    else:
                        with self.assertRaises(AccessError):
                            self._ask(user=user, method=method)

    # -- Booking --------------------------------------------------------------------------

    def test_slot_is_booked(self):
        slot = self._ask(screen={"window_hours": "2"})["suggestions"][0]
        form = self._open()
        form.window_hours = "2"
        booking = form.save()
        booking.write({"measurer_id": slot["measurer"]["id"], "start": slot["start"]})
        self.assertFalse(booking.conflict)
        message = booking.action_book()["params"]["message"]
        visit = self.lead.visit_ids
        self.assertEqual(fields.Datetime.to_string(visit.start), slot["start"])
        self.assertEqual(visit.window_stop, visit.start + 2 * HOUR)
        self.assertIn(visit.name, message)
        self.assertEqual(self.lead.stage_id.milestone, "measurement")

    def test_choice_by_hand_names_the_conflict(self):
        visit = self._book(TOMORROW)
        form = self._open()
        self.assertEqual(form.phone, self.lead.phone)
        self.assertEqual(form.street, self.lead.street)
        form.measurer_id = self.measurer
        form.site_day = "2026-11-24"
        form.site_time = 10.5
        self.assertIn("10:30", form.local_start)
        self.assertIn(visit.name, form.conflict)
        form.site_time = 21
        self.assertIn("does not work", form.conflict)
        form.save().action_book()  # the manager has agreed on it with the measurer
        self.assertEqual(self.lead.visit_ids[-1].start, datetime(2026, 11, 24, 19, 0))

    def test_refusal_tells_the_next_free_slots(self):
        self._book(TOMORROW)
        form = self._open()
        form.measurer_id = self.measurer
        form.site_day = "2026-11-24"
        form.site_time = 10
        booking = form.save()
        refused = self.assertRaisesRegex(UserError, r"already has visit[^\0]*Free are:\n.*24 Nov")
        with refused, self.cr.savepoint():
            booking.action_book()
        self.assertEqual(len(self.lead.visit_ids), 1)

    def test_full_day_is_booked_when_the_manager_says_so(self):
        self.measurer.visits_per_day = 1
        self._book(TOMORROW)
        form = self._open()
        form.measurer_id = self.measurer
        form.site_day = "2026-11-24"
        form.site_time = 14
        self.assertEqual(form.conflict_code, "capacity")
        booking = form.save()
        with self.assertRaisesRegex(UserError, "can make no more"), self.cr.savepoint():
            booking.action_book()
        booking.over_capacity = True
        booking.action_book()
        self.assertEqual(len(self.lead.visit_ids), 2)

    def test_nothing_chosen(self):
        booking = self._open().save()
        with self.assertRaisesRegex(UserError, "Choose one of the slots"):
            booking.action_book()

    def test_hour_that_comes_twice_must_be_chosen(self):
        form = self._open()
        form.measurer_id = self.measurer
        form.site_day = "2027-10-31"
        form.site_time = 3.5
        self.assertTrue(form.is_time_twice)
        self.assertFalse(form.start)
        self.assertIn("03:30 twice", form.conflict)
        with self.assertRaisesRegex(UserError, "03:30 twice"):
            form.save().action_book()
        for fold, start in (
            ("0", datetime(2027, 10, 31, 0, 30)),
            ("1", datetime(2027, 10, 31, 1, 30)),
        ):
            with self.subTest(fold=fold):
                form.site_fold = fold
                self.assertEqual(form.start, start)

    def test_skipped_hour_is_refused(self):
        form = self._open()
        form.measurer_id = self.measurer
        form.site_day = "2027-03-28"
        form.site_time = 3.5
        self.assertFalse(form.start)
        self.assertIn("skips 03:30", form.conflict)
        with self.assertRaisesRegex(UserError, "skips 03:30"):
            form.save().action_book()
        form.site_time = 4.5
        self.assertEqual(form.start, datetime(2027, 3, 28, 1, 30))

    def test_wall_time_is_kept_when_the_zone_is_corrected(self):
        form = self._open()
        form.site_day = "2026-11-24"
        form.site_time = 10
        form.tz = "Europe/Warsaw"
        self.assertEqual(form.start, datetime(2026, 11, 24, 9, 0))

    def test_service_call_without_a_deal(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Kalyna",
                "street": "Khreshchatyk, 1",
                "city": "Kyiv",
                "phone": self.lead.phone,
            }
        )
        form = self._open(partner_id=partner.id)
        self.assertEqual(form.street, "Khreshchatyk, 1")
        form.measurer_id = self.measurer
        form.site_day = "2026-11-24"
        form.site_time = 10
        form.save().action_book()
        visit = self.env["crm.visit"].search([("partner_id", "=", partner.id)])
        self.assertRecordValues(
            visit,
            [{"state": "scheduled", "lead_id": False, "user_id": self.manager.id}],
        )

    # -- Moving ---------------------------------------------------------------------------

    def test_visit_is_moved(self):
        visit = self._book(TOMORROW)
        answer = self._ask(screen={"visit_id": visit.id}, measurer_id=self.measurer.id)
        starts = {s["start"] for d in answer["days"] for p in d["parts"].values() for s in p}
        self.assertIn(fields.Datetime.to_string(TOMORROW), starts, "its own place counts as free")
        form = self._open(visit_id=visit.id)
        self.assertIn("10:00", form.visit_summary)
        form.measurer_id = self.colleague
        form.site_day = "2026-11-25"
        form.site_time = 12
        form.save().action_book()
        self.assertRecordValues(
            visit,
            [
                {
                    "measurer_id": self.colleague.id,
                    "start": datetime(2026, 11, 25, 10, 0),
                    "revision": 1,
                    "state": "scheduled",
                }
            ],
        )

    def test_moving_moves_the_arrival_window(self):
        visit = self._book(TOMORROW, window_start=TOMORROW, window_stop=TOMORROW + 2 * HOUR)
        form = self._open(visit_id=visit.id)
        self.assertEqual(form.window_hours, "2")
        form.measurer_id = self.measurer
        form.site_day = "2026-11-25"
        form.site_time = 12
        form.save().action_book()
        self.assertEqual(visit.window_start, datetime(2026, 11, 25, 10, 0))
        self.assertEqual(visit.window_stop, datetime(2026, 11, 25, 12, 0))

    def test_who_may_move(self):
        visit = self._book(TOMORROW)
        for user in (self.other_manager, self.measurer_user, self.privacy_officer):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._open(user=user, visit_id=visit.id)

    # -- Nobody free ----------------------------------------------------------------------

    def test_visits_row_nobody_free(self):
        """The request goes to the queue, three nearest slots are shown, the stage stays."""
        stage = self.lead.stage_id
        self._take_day_off(self.measurer | self.colleague, days=10)
        answer = self._ask()
        self.assertFalse(answer["suggestions"])
        self.assertEqual(len(answer["nearest"]), 3)
        for slot in answer["nearest"]:
            self.assertGreaterEqual(slot["start"], "2026-12-03 08:00:00")

        message = self._open().save().action_queue()["params"]["message"]
        visit = self.lead.visit_ids
        self.assertIn(visit.name, message)
        self.assertRecordValues(
            visit, [{"state": "draft", "measurer_id": False, "start": False, "event_id": False}]
        )
        self.assertIn("Nobody is free: Mon 23 Nov – Sun 29 Nov", visit.queue_reason)
        self.assertIn("Colleague is away", visit.queue_reason)
        self.assertFalse(visit.notice_ids)
        self.assertEqual(self.lead.stage_id, stage)

    def test_waiting_visit_gets_a_slot(self):
        self._open().save().action_queue()
        visit = self.lead.visit_ids
        self.assertIn("Put in the queue by Manager", visit.queue_reason)
        context = visit.with_user(self.manager).action_find_slot()["context"]
        form = Form(self.env["crm.visit.booking"].with_user(self.manager).with_context(**context))
        form.measurer_id = self.measurer
        form.site_day = "2026-11-24"
        form.site_time = 10
        form.save().action_book()
        self.assertRecordValues(visit, [{"state": "scheduled", "start": TOMORROW}])
        self.assertTrue(visit.event_id)
        self.assertEqual(self.lead.stage_id.milestone, "measurement")

    def test_query_count_does_not_grow(self):
        def count_queries():
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._ask()
            return self.cr.sql_log_count - before

        count_queries()
        few = count_queries()
        for number in range(3):
            user = self._new_user(f"more{number}", "crm_wholesale.crm_wholesale_group_measurer")
            self._new_measurer(user)
            self._book(TOMORROW + number * HOUR)
        count_queries()
        self.assertLessEqual(count_queries(), few)
