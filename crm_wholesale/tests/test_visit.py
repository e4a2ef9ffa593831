from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import NOW, WholesaleCommon

TOMORROW = datetime(2026, 11, 24, 8, 0)  # 10:00 in Kyiv


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestVisit(WholesaleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
        cls.second = cls._new_measurer(cls.second_user)
        cls.window = cls.env["product.product"].create(
            {
                "name": "Window",
                "list_price": 100,
                "uom_id": cls.env.ref("uom.product_uom_square_meter").id,
            }
        )

    def setUp(self):
        super().setUp()
        self.visit = self._book(TOMORROW)
        self.as_measurer = self.visit.with_user(self.measurer_user)

    def _measure(self, **values):
        return self.as_measurer.write(
            {
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "place": "Kitchen",
                            "product_id": self.window.id,
                            "width": 1500,
                            "height": 2000,
                            **values,
                        },
                    )
                ]
            }
        )

    # -- The measurer's way through a visit -------------------------------------------------

    def test_from_on_my_way_to_done(self):
        self.as_measurer.action_on_my_way()
        self.assertEqual(self.visit.state, "en_route")
        with freeze_time(datetime(2026, 11, 24, 8, 5)):
            self.as_measurer.action_arrive()
        self.assertEqual(self.visit.state, "in_progress")
        self.assertEqual(self.visit.arrived_at, datetime(2026, 11, 24, 8, 5))
        self._measure()
        with freeze_time(datetime(2026, 11, 24, 12, 39, 12)):
            self.as_measurer.action_done()
        self.assertEqual(self.visit.state, "done")
        self.assertFalse(self.visit.activity_ids, "the measurer's task and the notice are settled")

        call = self.lead.activity_ids.filtered(lambda a: self.visit.name in (a.summary or ""))
        self.assertEqual(call.user_id, self.manager)
        self.assertEqual(call.due_at, datetime(2026, 11, 26, 12, 39), "in two days at 14:39")
        self.assertEqual(set(self.visit.notice_ids.mapped("state")), {"superseded"})

    def test_call_keeps_its_wall_time_over_the_clock_change(self):
        self.visit._reschedule(datetime(2027, 3, 26, 12, 0))
        with freeze_time(datetime(2027, 3, 26, 12, 39)):
            self.as_measurer.action_arrive()
            self._measure()
            self.as_measurer.action_done()
        call = self.lead.activity_ids.filtered(lambda a: self.visit.name in (a.summary or ""))
        self.assertEqual(call.due_at, datetime(2027, 3, 28, 11, 39), "14:39 in summer time")

    def test_steps_out_of_order_are_refused(self):
        with self.assertRaisesRegex(UserError, "not possible now"):
            self.as_measurer.action_no_show()
        self.as_measurer.action_arrive()
        with self.assertRaisesRegex(UserError, "Enter what was measured"):
            self.as_measurer.action_done()
        self.as_measurer.measurer_note = "The wall is not there yet"
        self.as_measurer.action_done()
        with self.assertRaisesRegex(UserError, "not possible now"):
            self.as_measurer.action_on_my_way()

    def test_nobody_there_makes_a_call_due_now(self):
        self.as_measurer.action_arrive()
        self.as_measurer.action_no_show()
        self.assertEqual(self.visit.state, "no_show")
        call = self.lead.activity_ids.filtered(lambda a: "came to nothing" in (a.summary or ""))
        self.assertEqual((call.user_id, call.due_at), (self.manager, NOW))

    def test_only_the_own_measurer_works_through_a_visit(self):
        other = self.visit.with_user(self.second_user)
        for action in ("action_on_my_way", "action_arrive", "action_no_show", "action_done"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(other, action)()
        self.assertFalse(self.env["crm.visit"].with_user(self.second_user).search([]))
        with self.assertRaises(AccessError):
            other.line_ids.create({"visit_id": self.visit.id, "place": "Hall"})

    def test_measurer_writes_measurements_and_nothing_else(self):
        self._measure()
        self.as_measurer.measurer_note = "Second floor"
        for values in (
            {"phone": "1"},
            {"start": TOMORROW + timedelta(days=1)},
            {"measurer_id": self.second.id},
            {"state": "done"},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                self.as_measurer.write(values)
        with self.assertRaises(AccessError):
            self.env["crm.visit.cancel"].with_user(self.measurer_user).create(
                {"visit_id": self.visit.id, "reason": "No"}
            )

    def test_measurer_reads_the_visit_but_not_the_deal(self):
        data = self.as_measurer.read(["phone", "address", "contact_name", "local_start"])[0]
        self.assertEqual(data["contact_name"], "Olena Petrenko")
        for name in ("lead_id", "partner_id", "order_ids", "notice_ids"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                self.as_measurer.read([name])
        with self.assertRaises(AccessError):
            self.lead.with_user(self.measurer_user).read(["name"])
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(self.measurer_user).search([])

    def test_measurer_reads_colleagues_but_no_customers(self):
        customer = self.env["res.partner"].create({"name": "Budivelnyk"})
        Partner = self.env["res.partner"].with_user(self.measurer_user)
        found = Partner.search([])
        self.assertIn(self.measurer_user.partner_id, found)
        self.assertIn(self.manager.partner_id, found)
        self.assertIn(self.company.partner_id, found)
        self.assertNotIn(customer, found)
        with self.assertRaises(AccessError):
            customer.with_user(self.measurer_user).read(["name"])
        self.measurer_user.write(
            {"group_ids": [(4, self.env.ref("sales_team.group_sale_salesman").id)]}
        )
        customer.with_user(self.measurer_user).read(["name"])

    def test_photos_are_readable_by_the_manager(self):
        photo = (
            self.env["ir.attachment"]
            .with_user(self.measurer_user)
            .create({"name": "wall.png", "raw": b"x", "res_model": "crm.visit.line"})
        )
        self._measure(photo_ids=[(6, 0, photo.ids)])
        self.assertEqual(photo.res_id, self.visit.line_ids.id)
        self.assertEqual(photo.with_user(self.manager).raw, b"x")
        with self.assertRaises(AccessError):
            photo.with_user(self.second_user).read(["raw"])

    # -- Moving and cancelling ---------------------------------------------------------------

    def test_reschedule(self):
        old_notice, event = self.visit.notice_ids, self.visit.event_id
        later = TOMORROW + timedelta(days=1)
        self.visit._reschedule(later, measurer=self.second)
        self.assertEqual((self.visit.start, self.visit.stop), (later, later + timedelta(hours=1)))
        self.assertEqual(self.visit.revision, 1)
        self.assertEqual(old_notice.state, "superseded")
        pending = self.visit.notice_ids - old_notice
        self.assertEqual(pending.mapped("state"), ["planned"], "the old time was never told")
        self.assertEqual((pending.revision, pending.due_at), (1, later - timedelta(hours=2)))
        self.assertEqual(self.visit.event_id, event)
        self.assertEqual(event.start, later)
        self.assertEqual(event.attendee_ids.partner_id, self.second_user.partner_id)
        tasks = self.visit.activity_ids
        self.assertEqual((tasks.user_id, tasks.due_at), (self.second_user, later))

    def test_told_customer_is_told_of_the_move(self):
        self.visit.notice_ids.sudo().state = "sent"
        self.visit._reschedule(TOMORROW + timedelta(days=1))
        moved = self.visit.notice_ids.filtered(lambda notice: notice.kind == "moved")
        self.assertEqual(moved.state, "planned")

    def test_revision_counts_what_was_told_only(self):
        cases = (
            ({"instructions": "Third floor"}, 0),
            ({"phone": "+380501234567"}, 0),
            ({"start": TOMORROW}, 0),
            ({"start": TOMORROW + timedelta(hours=2)}, 1),
            ({"street": "Khreshchatyk, 1"}, 2),
            ({"measurer_id": self.second.id}, 3),
        )
        for values, revision in cases:
            with self.subTest(values=values):
                self.visit.write(values)
                self.assertEqual(self.visit.revision, revision)
        self.visit._cancel("Not needed")
        self.assertEqual(self.visit.revision, 4)

    def test_move_onto_another_visit_is_refused(self):
        other = self._book(TOMORROW + timedelta(hours=2))
        with self.assertRaisesRegex(UserError, other.name), self.cr.savepoint():
            self.visit._reschedule(other.start)
        self.env.invalidate_all()
        self.assertEqual((self.visit.start, self.visit.revision), (TOMORROW, 0))

    def test_move_into_the_past_is_refused(self):
        with self.assertRaisesRegex(UserError, "already past"):
            self.visit._reschedule(NOW - timedelta(hours=1))

    def test_visit_under_way_is_not_moved(self):
        self.as_measurer.action_on_my_way()
        with self.assertRaisesRegex(UserError, "under way"):
            self.visit._reschedule(TOMORROW + timedelta(days=1))

    def test_confirmed_visit_that_moves_must_be_confirmed_again(self):
        self.visit.action_confirm()
        self.visit._reschedule(TOMORROW + timedelta(days=1))
        self.assertEqual(self.visit.state, "scheduled")

    def test_cancel(self):
        event = self.visit.event_id
        self.visit._cancel("The customer is abroad")
        self.assertEqual(self.visit.state, "cancelled")
        self.assertEqual(self.visit.cancel_reason, "The customer is abroad")
        self.assertFalse(event.exists())
        self.assertEqual(self.visit.notice_ids.mapped("state"), ["superseded"])
        self.assertFalse(self.visit.activity_ids)
        self._book(TOMORROW)  # the slot is free again
        with self.assertRaisesRegex(UserError, "not possible now"):
            self.visit._cancel("Twice")

    def test_cancel_asks_for_the_reason(self):
        action = self.visit.action_cancel()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.manager)
            .with_context(**action["context"])
            .create({"reason": "Abroad"})
        )
        wizard.action_cancel_visit()
        self.assertEqual(self.visit.cancel_reason, "Abroad")

    # -- From measurement to quotation -------------------------------------------------------

    def test_quantity_in_the_products_own_unit(self):
        def product(xmlid):
            return self.env["product.product"].create(
                {"name": xmlid, "uom_id": self.env.ref(xmlid).id}
            )

        sizes = {"width": 1500, "height": 2000, "depth": 100, "count": 3}
        for xmlid, expected in (
            ("uom.product_uom_square_meter", 9.0),
            ("uom.product_uom_meter", 4.5),
            ("uom.product_uom_cm", 450.0),
            ("uom.product_uom_cubic_meter", 0.9),
            ("uom.product_uom_unit", 3.0),
            ("uom.product_uom_dozen", 3.0),
        ):
            with self.subTest(unit=xmlid):
                line = self.env["crm.visit.line"].new({"product_id": product(xmlid), **sizes})
                self.assertAlmostEqual(line.quantity, expected, 2)

    def test_quotation_in_one_click(self):
        self.as_measurer.action_arrive()
        self._measure(count=2, note="White")
        self.as_measurer.write({"line_ids": [(0, 0, {"place": "Hall", "width": 900})]})
        self.as_measurer.action_done()
        action = self.visit.with_user(self.manager).action_create_quotation()
        order = self.env["sale.order"].browse(action["res_id"])
        self.assertEqual(order.opportunity_id, self.lead)
        self.assertEqual(order.user_id, self.manager)
        self.assertEqual(order.partner_id, self.lead.partner_id)
        self.assertTrue(order.partner_id, "the customer is made from the deal")
        line, note = order.order_line
        self.assertEqual((line.product_uom_qty, line.product_uom_id), (6.0, self.window.uom_id))
        self.assertEqual(line.price_subtotal, 600.0)
        self.assertIn("Kitchen, 1500 × 2000 mm, 2 pieces, White", line.name)
        self.assertEqual(note.display_type, "line_note")
        self.assertIn("Hall", note.name)
        again = self.visit.with_user(self.manager).action_create_quotation()
        self.assertEqual(again["res_id"], order.id, "a second click opens the same quotation")
        with self.assertRaises(AccessError):
            self.as_measurer.action_create_quotation()

    def test_nothing_measured_nothing_quoted(self):
        with self.assertRaisesRegex(UserError, "Nothing was measured"):
            self.visit.with_user(self.manager).action_create_quotation()


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestCalendarEvent(WholesaleCommon):
    def setUp(self):
        super().setUp()
        self.visit = self._book(TOMORROW)
        self.event = self.visit.event_id
        self.later = TOMORROW + timedelta(days=1)

    def test_event_leads_to_the_visit(self):
        action = self.event.with_user(self.manager).action_open_crm_visit()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.visit", self.visit.id))

    def test_colleagues_open_events_but_no_visits(self):
        colleague = self._new_user("colleague", "base.group_user")
        meeting = self.env["calendar.event"].create(
            {"name": "Meeting", "start": TOMORROW, "stop": TOMORROW + timedelta(hours=1)}
        )
        for event in (meeting, self.event):
            with Form(event.with_user(colleague)) as form:
                self.assertEqual(form.is_crm_visit, event == self.event)
        with self.assertRaises(AccessError):
            self.event.with_user(colleague).crm_visit_ids.read(["name"])

    def test_moved_event_moves_the_visit(self):
        self.event.with_user(self.manager).write(
            {"start": self.later, "stop": self.later + timedelta(hours=2)}
        )
        self.assertEqual(self.visit.start, self.later)
        self.assertEqual(self.visit.stop, self.later + timedelta(hours=2))
        self.assertEqual(self.visit.revision, 1)
        self.assertEqual(self.event.start, self.later)

    def test_moved_event_is_refused_where_the_visit_cannot_go(self):
        other = self._book(self.later)
        with self.assertRaisesRegex(UserError, other.name), self.cr.savepoint():
            self.event.with_user(self.manager).write(
                {"start": self.later, "stop": self.later + timedelta(hours=1)}
            )
        self.env.invalidate_all()
        self.assertEqual((self.event.start, self.visit.start), (TOMORROW, TOMORROW))
        with self.assertRaises(AccessError):
            self.event.with_user(self.measurer_user).write({"start": self.later})

    def test_face_is_changed_through_the_visit_only(self):
        for values in (
            {"name": "Olena"},
            {"location": "Khreshchatyk, 1"},
            {"partner_ids": [(4, self.manager.partner_id.id)]},
            {"active": False},
        ):
            with self.subTest(values=values), self.assertRaisesRegex(UserError, self.visit.name):
                self.event.with_user(self.head).write(values)
        with self.assertRaisesRegex(UserError, "Cancel the visit"):
            self.event.with_user(self.head).unlink()
        self.event.with_user(self.head).write({"name": self.visit.name, "show_as": "free"})
        self.assertEqual(self.event.show_as, "free")

    def test_sync_moves_the_visit_where_it_can(self):
        sync = self.event.with_user(self.measurer_user).with_context(dont_notify=True)
        sync.write(
            {
                "name": "Renamed elsewhere",
                "start": self.later,
                "stop": self.later + timedelta(hours=1),
            }
        )
        self.assertEqual(self.visit.start, self.later)
        self.assertEqual(self.event.name, self.visit.name, "the face is written back")

    def test_sync_that_cannot_be_followed_is_written_back(self):
        self._book(self.later)
        sync = self.event.with_user(self.measurer_user).with_context(dont_notify=True)
        sync.write({"start": self.later, "stop": self.later + timedelta(hours=1)})
        self.assertEqual((self.visit.start, self.event.start), (TOMORROW, TOMORROW))
        task = self.lead.activity_ids.filtered(lambda a: "keeps its time" in (a.summary or ""))
        self.assertEqual(task.user_id, self.manager)

    def test_deletion_by_a_sync_brings_the_event_back(self):
        self.event.with_user(self.measurer_user).with_context(dont_notify=True).unlink()
        self.assertFalse(self.event.exists())
        self.assertEqual(self.visit.event_id.start, TOMORROW)
        self.assertEqual(self.visit.state, "scheduled")
        task = self.lead.activity_ids.filtered(lambda a: "still stands" in (a.summary or ""))
        self.assertEqual(task.user_id, self.manager)

    def test_other_events_are_left_alone(self):
        meeting = (
            self.env["calendar.event"]
            .with_user(self.manager)
            .create({"name": "Meeting", "start": TOMORROW, "stop": self.later})
        )
        (meeting | self.event).with_user(self.head).write({"show_as": "free"})
        meeting.write({"name": "Another", "start": TOMORROW + timedelta(hours=1)})
        self.assertEqual(meeting.name, "Another")
        meeting.unlink()
        self.assertFalse(meeting.exists())


@tagged("post_install", "-at_install")
class TestMeasurer(WholesaleCommon):
    def test_head_of_sales_keeps_measurers_hours_and_days_off(self):
        user = self._new_user("third", "crm_wholesale.crm_wholesale_group_measurer")
        hours = self.env["resource.calendar"].with_user(self.head).create({"name": "Mornings"})
        measurer = (
            self.env["crm.measurer"]
            .with_user(self.head)
            .create({"name": "Third", "user_id": user.id, "resource_calendar_id": hours.id})
        )
        self.assertEqual(measurer.resource_id.user_id, user)
        measurer.write({"name": "Third Measurer", "tz": "Europe/Kyiv"})
        self.assertEqual(measurer.resource_id.name, "Third Measurer")
        leave = (
            self.env["resource.calendar.leaves"]
            .with_user(self.head)
            .create(
                {
                    "name": "Holiday",
                    "resource_id": measurer.resource_id.id,
                    "calendar_id": hours.id,
                    "date_from": datetime(2026, 12, 24),
                    "date_to": datetime(2026, 12, 25),
                }
            )
        )
        self.assertTrue(leave.with_user(user).has_access("write"), "the measurer's own day off")
        measurer.unlink()
        self.assertFalse(leave.exists(), "it must not become everybody's day off")

    def test_measurer_enters_own_days_off_only(self):
        Leave = self.env["resource.calendar.leaves"].with_user(self.measurer_user)
        values = {"date_from": datetime(2026, 12, 24), "date_to": datetime(2026, 12, 25)}
        own = Leave.create({**values, "resource_id": self.measurer.resource_id.id})
        self.assertTrue(own)
        other = self._new_measurer(self.other_manager)
        with self.assertRaises(AccessError):
            Leave.create({**values, "resource_id": other.resource_id.id})

    def test_others_keep_no_measurers(self):
        for user in (self.manager, self.measurer_user, self.privacy_officer):
            with self.subTest(user=user.name):
                self.assertTrue(self.measurer.with_user(user).read(["name"]))
                with self.assertRaises(AccessError):
                    self.measurer.with_user(user).write({"name": "X"})
                with self.assertRaises(AccessError):
                    self.env["crm.measurer"].with_user(user).create({"name": "X"})

    def test_visit_type_with_bad_lead_times_is_refused(self):
        for text in ("two hours", "0", "-5", "120;60"):
            with self.subTest(text=text), self.assertRaisesRegex(UserError, "no list of minutes"):
                self.visit_type.with_user(self.head).reminder_minutes = text
        self.visit_type.reminder_minutes = "120, 1440,120"
        self.assertEqual(self.visit_type._get_reminder_minutes(), [1440, 120])
