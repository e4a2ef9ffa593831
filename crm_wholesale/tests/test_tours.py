from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO

import pytz
from PIL import Image

from odoo import Command, fields
from odoo.tests import HttpCase, tagged

from .common import MOBILE, WholesaleCommon

#: 10:00 in Kyiv on the Monday that the manager's tours type; 08:00 is two hours before.
TYPED_START = datetime(2035, 6, 4, 7, 0)
TYPED_REMINDER = TYPED_START - timedelta(hours=2)


class TourCase(WholesaleCommon, HttpCase):
    """What people click, in a real browser, as the users with the least rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visit_type.horizon_days = 9999  # the tours type days that are far away
        cls.window = cls.env["product.product"].create(
            {
                "name": "Window of test",
                "list_price": 4200,
                "is_favorite": True,  # first on the list, however many there are
                "uom_id": cls.env.ref("uom.product_uom_square_meter").id,
            }
        )

    @contextmanager
    def assert_refused(self, words):
        """Assert that Odoo refuses one request in these words, and logs nothing else."""
        with self.assertLogs("odoo.http", "WARNING") as log:
            yield
        self.assertEqual(len(log.output), 1)
        self.assertIn(words, log.output[0])

    def assert_measured(self, visit):
        """Assert that the one window of the measurer's tour stands on the visit."""
        self.assertRecordValues(
            visit.line_ids,
            [
                {
                    "place": "Kitchen",
                    "product_id": self.window.id,
                    "width": 1200,
                    "height": 1450,
                    "count": 2,
                    "quantity": 3.48,
                }
            ],
        )


@tagged("post_install", "-at_install")
class TestManagerTour(TourCase):
    def test_books_and_quotes(self):
        self.start_tour("/odoo", "crm_wholesale_manager_books", login=self.manager.login)
        visit = self.lead.visit_ids
        self.assertRecordValues(
            visit,
            [
                {
                    "state": "scheduled",
                    "measurer_id": self.measurer.id,
                    "user_id": self.manager.id,
                    "start": TYPED_START,
                    "phone": MOBILE,
                    "street": "vulytsia Entuziastiv, 11",
                }
            ],
        )
        self.assertEqual(visit.event_id.start, TYPED_START)
        self.assertEqual(self.lead.stage_id.milestone, "measurement")
        self.assertRecordValues(visit.notice_ids, [{"state": "planned", "due_at": TYPED_REMINDER}])

        measured = visit.with_user(self.measurer_user)
        measured.action_on_my_way()
        measured.action_arrive()
        measured.line_ids = [
            Command.create(
                {
                    "place": "Kitchen",
                    "product_id": self.window.id,
                    "width": 1200,
                    "height": 1450,
                    "count": 2,
                }
            )
        ]
        measured.action_done()

        self.start_tour("/odoo", "crm_wholesale_manager_quotes", login=self.manager.login)
        self.assertRecordValues(
            visit.order_ids,
            [{"state": "draft", "opportunity_id": self.lead.id, "user_id": self.manager.id}],
        )
        self.assertRecordValues(
            visit.order_ids.order_line,
            [{"product_id": self.window.id, "product_uom_qty": 3.48, "price_unit": 4200}],
        )

    def test_takes_slot(self):
        """A visit in three clicks from the deal."""
        self.start_tour("/odoo", "crm_wholesale_manager_takes_slot", login=self.manager.login)
        self.assertEqual(self.lead.visit_ids.state, "scheduled")

    def test_books_by_keyboard(self):
        self.start_tour(
            "/odoo", "crm_wholesale_manager_books_by_keyboard", login=self.manager.login
        )
        self.assertEqual(self.lead.visit_ids.state, "scheduled")

    def test_finds_nobody(self):
        now = fields.Datetime.now()
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Away",
                "resource_id": self.measurer.resource_id.id,
                "date_from": now,
                "date_to": now + timedelta(days=9),
            }
        )
        self.start_tour("/odoo", "crm_wholesale_manager_finds_nobody", login=self.manager.login)
        self.assertEqual(self.lead.visit_ids.state, "draft")

    def test_day_board(self):
        """Own visits with the customer, a colleague's as busy time, and a waiting one booked."""
        tomorrow = fields.Datetime.now().replace(hour=8, minute=0, second=0) + timedelta(days=1)
        others_deal = self._new_lead(contact_name="Taras", user_id=self.other_manager.id)
        self._book(tomorrow, user=self.other_manager, lead_id=others_deal.id)
        own_deal = self._new_lead(contact_name="Ihor")
        self._book(tomorrow + timedelta(hours=4), lead_id=own_deal.id)
        visits = self.env["crm.visit"].with_user(self.manager)
        visit = visits._queue([{"lead_id": self.lead.id}], "Nobody is free")
        self.start_tour(
            "/odoo/day-board", "crm_wholesale_manager_day_board", login=self.manager.login
        )
        self.assertEqual(visit.state, "scheduled")

    def test_double_books(self):
        """A taken slot is named in the dialog, nothing is written, and what was typed stays."""
        other = self._book(TYPED_START, lead_id=self._new_lead(name="Facade").id)
        with self.assert_refused(f"already has visit {other.name}"):
            self.start_tour("/odoo", "crm_wholesale_manager_double_books", login=self.manager.login)
        self.assertEqual(self.lead.visit_ids.start, other.stop)


@tagged("post_install", "-at_install")
class TestMeasurerTour(TourCase):
    browser_size = "375x667"
    touch_enabled = True

    def test_measures(self):
        """A day on a phone; the connection is lost and the page reloaded meanwhile."""
        now = fields.Datetime.now()
        self.measurer_user.tz = self._get_noon_zone(now)
        visit = self._book(now + timedelta(minutes=10))
        with self.assert_refused("Enter what was measured"):
            self.start_tour(
                "/odoo/my-day", "crm_wholesale_measurer_measures", login=self.measurer_user.login
            )
        self.assertEqual(visit.state, "done")
        self.assert_measured(visit)
        self.assertTrue(visit.line_ids.client_uuid)
        photo = visit.line_ids.photo_ids
        self.assertRecordValues(
            photo,
            [{"name": "kitchen.jpg", "res_model": "crm.visit.line", "mimetype": "image/jpeg"}],
        )
        self.assertEqual(Image.open(BytesIO(photo.raw)).size, (1600, 1200))
        self.assertEqual((visit.signed_by, bool(visit.signature)), ("Olena Petrenko", True))
        told = visit.notice_ids.filtered(lambda notice: notice.kind == "on_my_way")
        self.assertEqual(len(told), 1)
        task = self.lead.activity_ids
        self.assertEqual(task.user_id, self.manager)
        done_at, due_at = self._to_site_time(visit.done_at), self._to_site_time(task.due_at)
        self.assertEqual(due_at, done_at.replace(second=0) + timedelta(days=2))

    def test_nobody_there(self):
        now = fields.Datetime.now()
        self.measurer_user.tz = self._get_noon_zone(now)
        visit = self._book(now + timedelta(minutes=10))
        self.start_tour(
            "/odoo/my-day", "crm_wholesale_measurer_meets_nobody", login=self.measurer_user.login
        )
        self.assertEqual((visit.state, bool(visit.no_show_photo)), ("no_show", True))

    @staticmethod
    def _get_noon_zone(moment):
        """Return a zone in which it is about noon at this UTC moment: "today" is long there."""
        return f"Etc/GMT{moment.hour - 12:+d}"

    @staticmethod
    def _to_site_time(moment):
        zone = pytz.timezone("Europe/Kyiv")
        return pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)
