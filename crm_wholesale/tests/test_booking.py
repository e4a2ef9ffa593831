from datetime import datetime, timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import LANDLINE, MOBILE, NOW, WholesaleCommon

TOMORROW = datetime(2026, 11, 24, 8, 0)  # 10:00 in Kyiv


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBooking(WholesaleCommon):
    def test_one_click_makes_everything(self):
        visit = self._book(TOMORROW)

        self.assertEqual(visit.state, "scheduled")
        self.assertRegex(visit.name, r"^V\d{5}$")
        self.assertEqual(visit.stop, TOMORROW + timedelta(hours=1))
        self.assertEqual(visit.user_id, self.manager)
        self.assertEqual(visit.phone, MOBILE)
        self.assertEqual(visit.address, "vulytsia Entuziastiv, 11, Kyiv")
        self.assertEqual(visit.tz, "Europe/Kyiv")
        self.assertEqual(self.lead.stage_id.milestone, "measurement")

        event = visit.sudo().event_id
        self.assertEqual(event.name, visit.name)
        self.assertEqual((event.start, event.stop), (visit.start, visit.stop))
        self.assertEqual(event.partner_ids, self.measurer_user.partner_id)
        self.assertEqual(event.attendee_ids.partner_id, self.measurer_user.partner_id)
        self.assertFalse(event.location or event.description or event.alarm_ids)

        task = visit.activity_ids.filtered(lambda a: a.user_id == self.measurer_user)
        self.assertEqual(len(task), 1)
        self.assertEqual(task.due_at, TOMORROW)

        notice = visit.notice_ids
        self.assertEqual(notice.mapped("state"), ["planned"])
        self.assertEqual(notice.due_at, TOMORROW - timedelta(hours=2))
        face = notice.activity_ids
        self.assertEqual((face.notice_id, face.user_id), (notice, self.manager))
        self.assertEqual(face.due_at, notice.due_at)

    def test_sends_one_internal_message_and_no_mail(self):
        messages = self.env["mail.message"].search([], order="id desc", limit=1).id
        mails = self.env["mail.mail"].search_count([])
        visit = self._book(TOMORROW)
        sent = self.env["mail.message"].search(
            [("id", ">", messages), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(sent.notified_partner_ids, self.measurer_user.partner_id)
        self.assertEqual(len(sent), 1)
        emails = self.env["mail.mail"].search([])[: self.env["mail.mail"].search_count([]) - mails]
        self.assertLessEqual(emails.recipient_ids, self.measurer_user.partner_id)
        self.assertNotIn(self.measurer_user.partner_id, visit.message_partner_ids)

    def test_site_is_the_partners_address_where_there_is_one(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Budivelnyk",
                "street": "Khreshchatyk, 1",
                "city": "Kyiv",
                "tz": "Europe/Warsaw",
                "partner_latitude": 50.45,
                "partner_longitude": 30.52,
            }
        )
        self.lead.write({"partner_id": partner.id, "phone": "050 123 45 67"})
        visit = self._book(TOMORROW)
        self.assertEqual(visit.street, "Khreshchatyk, 1")
        self.assertEqual((visit.latitude, visit.longitude), (50.45, 30.52))
        self.assertEqual(visit.tz, "Europe/Warsaw")
        self.assertEqual(visit.phone, MOBILE, "the number is kept in the international format")
        self.assertIn("50.45%2C30.52", visit.map_url)

    def test_number_that_does_not_parse_is_kept_as_typed(self):
        self.lead.phone = "ask for Ivan 12"
        self.assertEqual(self._book(TOMORROW).phone, "ask for Ivan 12")

    def test_wall_time_of_the_site_is_shown(self):
        visit = self._book(TOMORROW)
        for zone, expected in (
            ("Europe/Kyiv", "Tue 24 Nov 2026, 10:00"),
            ("America/New_York", "Tue 24 Nov 2026, 10:00 (Kyiv)"),
        ):
            with self.subTest(zone=zone):
                self.assertEqual(visit.with_context(tz=zone).local_start, expected)

    def test_wall_time_on_both_sides_of_the_clock_change(self):
        before = self._book(datetime(2027, 3, 27, 8, 0))
        after = self._book(datetime(2027, 3, 28, 7, 0))
        self.assertIn("10:00", before.local_start)
        self.assertIn("10:00", after.local_start, "on 28 March 2027 the clock has moved on")

    def test_query_count(self):
        """One booking with the registry's caches warm, and how much each further one adds."""
        self._count_booking_queries(2)
        self.assertLessEqual(self._count_booking_queries(1), 60)
        few, many = self._count_booking_queries(2), self._count_booking_queries(12)
        self.assertLessEqual((many - few) / 10, 5)

    def _count_booking_queries(self, number):
        leads = [self._new_lead() for _index in range(number)]
        day = timedelta(days=self.env["crm.visit"].search_count([]) + 1)
        values = [
            {
                "lead_id": lead.id,
                "type_id": self.visit_type.id,
                "measurer_id": self.measurer.id,
                "start": NOW + day + gap,
            }
            for lead, gap in zip(leads, map(timedelta, range(number)), strict=True)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.env["crm.visit"].with_user(self.manager)._book(values)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_one_message_about_a_batch(self):
        messages = self.env["mail.message"]
        before = messages.search_count([("message_type", "=", "user_notification")])
        values = {"lead_id": self.lead.id, "measurer_id": self.measurer.id}
        starts = [TOMORROW + timedelta(hours=hour) for hour in range(3)]
        visits = (
            self.env["crm.visit"]
            .with_user(self.manager)
            ._book([{**values, "start": start} for start in starts])
        )
        sent = messages.search([("message_type", "=", "user_notification")], order="id desc")
        self.assertEqual(len(sent), before + 1)
        for visit in visits:
            self.assertIn(visit.name, sent[0].body)

    # -- Who may --------------------------------------------------------------------------

    def test_who_may_book(self):
        self._book(TOMORROW, user=self.manager)
        self._book(TOMORROW + timedelta(hours=1), user=self.head)
        for user in (self.measurer_user, self.privacy_officer, self.other_manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._book(TOMORROW + timedelta(hours=3), user=user)

    def test_manager_sees_own_visits_and_head_sees_all(self):
        visit = self._book(TOMORROW)
        Visit = self.env["crm.visit"]
        for user, sees in (
            (self.manager, True),
            (self.head, True),
            (self.measurer_user, True),
            (self.other_manager, False),
        ):
            with self.subTest(user=user.name):
                found = Visit.with_user(user).search([("id", "=", visit.id)])
                self.assertEqual(bool(found), sees)
        with self.assertRaises(AccessError):
            Visit.with_user(self.privacy_officer).search([])

    def test_visit_follows_the_deal_to_a_new_manager(self):
        visit = self._book(TOMORROW)
        self.lead.user_id = self.other_manager
        self.assertEqual(visit.user_id, self.other_manager)
        self.assertTrue(visit.with_user(self.other_manager).has_access("read"))

    def test_state_and_revision_cannot_be_written_by_hand(self):
        visit = self._book(TOMORROW)
        for user in (self.manager, self.head):
            for values in ({"state": "done"}, {"revision": 7}, {"name": "V1"}):
                with self.subTest(user=user.name, values=values), self.assertRaises(AccessError):
                    visit.with_user(user).write(values)

    def test_company_of_another_firm_sees_nothing(self):
        visit = self._book(TOMORROW)
        other = self.env["res.company"].create({"name": "Other"})
        self.head.write({"company_ids": [fields.Command.set(other.ids)], "company_id": other.id})
        self.assertFalse(self.env["crm.visit"].with_user(self.head).search([("id", "=", visit.id)]))

    # -- Bad input ------------------------------------------------------------------------

    def assertRefused(self, words, error=UserError, **values):
        """Assert that a booking is refused in these words and leaves nothing behind."""
        counts = {
            model: self.env[model].search_count([])
            for model in ("crm.visit", "calendar.event", "crm.visit.notice", "mail.activity")
        }
        stage = self.lead.stage_id
        values = {"start": TOMORROW, **values}
        with self.assertRaisesRegex(error, words), self.cr.savepoint():
            self._book(values.pop("start"), **values)
        self.env.invalidate_all()
        for model, count in counts.items():
            self.assertEqual(self.env[model].search_count([]), count, model)
        self.assertEqual(self.lead.stage_id, stage)

    def test_overlapping_visit(self):
        visit = self._book(TOMORROW)
        half_an_hour = timedelta(minutes=30)
        for start in (TOMORROW - half_an_hour, TOMORROW, TOMORROW + half_an_hour):
            with self.subTest(start=start):
                self.assertRefused(f"already has visit {visit.name}", start=start)
        self._book(TOMORROW + timedelta(hours=1))  # back to back is no overlap
        self._book(TOMORROW - timedelta(hours=1))

    def test_overlap_within_one_batch(self):
        values = {
            "lead_id": self.lead.id,
            "measurer_id": self.measurer.id,
            "start": TOMORROW,
        }
        with self.assertRaisesRegex(UserError, "already has visit"):
            self.env["crm.visit"].with_user(self.manager)._book([values, dict(values)])

    def test_database_refuses_overlap_by_itself(self):
        visit = self._book(TOMORROW)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.cr.execute(
                "INSERT INTO crm_visit (name, state, company_id, type_id, tz, measurer_id, start,"
                " stop) SELECT 'X', state, company_id, type_id, tz, measurer_id, start, stop"
                " FROM crm_visit WHERE id = %s",
                [visit.id],
            )
        self.cr.execute(
            "SELECT contype, condeferrable, condeferred FROM pg_constraint"
            " WHERE conname = 'crm_visit_measurer_overlap'"
        )
        self.assertEqual(self.cr.fetchall(), [("x", True, False)])

    def test_in_the_past(self):
        self.assertRefused("already past", start=NOW - timedelta(minutes=1))

    def test_stop_before_start(self):
        self.assertRefused("must end after it starts", stop=TOMORROW - timedelta(hours=1))
        self.assertRefused("must end after it starts", stop=TOMORROW)

    def test_measurer_without_access(self):
        nobody = self._new_measurer(self.other_manager)
        self.assertRefused("no login with the role", measurer_id=nobody.id)
        self.measurer_user.active = False
        self.assertRefused("no login with the role")

    def test_archived_measurer(self):
        self.measurer.active = False
        self.assertRefused("archived")

    def test_without_measurer_or_start(self):
        self.assertRefused("Choose the measurer", measurer_id=False)
        self.assertRefused("Choose when", start=False)

    def test_lead_without_phone_or_address(self):
        self.lead.phone = False
        self.assertRefused("telephone number for Olena Petrenko")
        self.lead.write({"phone": LANDLINE, "street": False, "city": False})
        self.assertRefused("address of Olena Petrenko")
        visit = self._book(TOMORROW, street="Khreshchatyk, 1")
        self.assertEqual(visit.street, "Khreshchatyk, 1", "typed on the booking screen")

    def test_customer_with_open_visits_is_not_archived(self):
        partner = self.env["res.partner"].create({"name": "Budivelnyk", "city": "Kyiv"})
        self.lead.partner_id = partner
        visit = self._book(TOMORROW)
        with self.assertRaisesRegex(UserError, visit.name):
            partner.with_user(self.manager).action_archive()
        with self.assertRaisesRegex(UserError, visit.name):
            partner.unlink()
        visit._cancel("Not needed")
        partner.with_user(self.manager).action_archive()
        self.assertFalse(partner.active)

    def test_merged_customer_keeps_the_visit(self):
        kept, merged = self.env["res.partner"].create(
            [{"name": "Budivelnyk", "city": "Kyiv"}, {"name": "Budivelnik", "city": "Kyiv"}]
        )
        self.lead.partner_id = merged
        visit = self._book(TOMORROW)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((kept | merged).ids, kept)
        self.assertFalse(merged.exists())
        self.assertEqual(visit.partner_id, kept)
        self.assertEqual((visit.state, visit.phone), ("scheduled", MOBILE))
        self.assertEqual(visit.notice_ids.state, "planned")

    def test_merged_deal_brings_its_visits(self):
        other = self._new_lead(name="Windows again")
        visit = self._book(TOMORROW)
        merged = (self.lead | other).merge_opportunity(auto_unlink=True)
        self.assertEqual(visit.lead_id, merged)

    def test_booked_visit_is_not_deleted(self):
        visit = self._book(TOMORROW)
        with self.assertRaisesRegex(UserError, "Cancel them instead"):
            visit.sudo().unlink()
        with self.assertRaises(AccessError):
            visit.with_user(self.manager).unlink()

    def test_zero_or_negative_sizes(self):
        visit = self._book(TOMORROW)
        window = self.env["product.product"].create(
            {"name": "Window", "uom_id": self.env.ref("uom.product_uom_square_meter").id}
        )
        Line = self.env["crm.visit.line"].with_user(self.measurer_user)
        for values, words in (
            ({"width": -1}, "cannot be negative"),
            ({"count": 0}, "at least one"),
            ({"product_id": window.id, "width": 1000}, "quantity would be zero"),
        ):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError) as caught,
                self.cr.savepoint(),
            ):
                Line.create({"visit_id": visit.id, "place": "Kitchen", **values})
                self.env.flush_all()
            self.assertIn(words, Line._sql_error_to_message(caught.exception))
