import io
from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from unittest.mock import patch

import psycopg2
from PIL import Image

from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import LANDLINE, NOW, WholesaleCommon
from .test_notice import NoticeCommon

MINUTE = timedelta(minutes=1)
START = NOW + timedelta(hours=1)  # 11:00 in Kyiv
UUID = "8d5be2ff-7b3a-4d8e-9a55-0f6f3ad0a001"


def make_photo(color="red", size=(8, 6)):
    """Return a JPEG in base64."""
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "JPEG")
    return b64encode(stream.getvalue()).decode()


class DayCommon(WholesaleCommon):
    """A visit of the measurer's, an hour from now."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
        cls.second = cls._new_measurer(cls.second_user)
        cls.window = cls.env["product.product"].create(
            {"name": "Window", "uom_id": cls.env.ref("uom.product_uom_square_meter").id}
        )

    def setUp(self):
        super().setUp()
        self.visit = self._book(datetime.now() + timedelta(hours=1))
        self.phone = self.visit.with_user(self.measurer_user)

    def _arrive(self):
        self.phone.action_on_my_way()
        self.phone.action_arrive()

    def _save(self, uuid=UUID, visit=None, photos=(), line_id=None, **values):
        """Save a measurement as the phone does."""
        values = {"place": "Kitchen", "width": 1200, "height": 1450, "count": 1, **values}
        return (visit or self.phone).save_measurement(uuid, values, photos, line_id)

    def _finish(self):
        self._arrive()
        self._save(product_id=self.window.id)
        self.phone.action_done()


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMyDay(DayCommon):
    def _get_visits(self, user=None):
        day = self.env["crm.visit"].with_user(user or self.measurer_user).get_my_day()
        return day["visits"]

    def test_the_route_in_order(self):
        later = self._book(START + timedelta(hours=4), lead_id=self._new_lead().id)
        between = self._book(START + timedelta(hours=2), lead_id=self._new_lead().id)
        cancelled = self._book(START + timedelta(hours=6), lead_id=self._new_lead().id)
        cancelled._cancel("Not needed")
        visits = self._get_visits()
        self.assertEqual([v["id"] for v in visits], [self.visit.id, between.id, later.id])
        first = visits[0]
        self.assertEqual((first["time"], first["stop"]), ("11:00", "12:00"))
        self.assertEqual(first["contact"], "Olena Petrenko")
        self.assertEqual(first["state"], "scheduled")
        self.assertIsInstance(first["travel_minutes"], int)

    def test_only_the_own_visits(self):
        self.assertFalse(self._get_visits(self.second_user))
        self.assertFalse(self._get_visits(self.manager), "a manager who goes nowhere")

    def test_a_stranger_has_no_day(self):
        stranger = new_test_user(self.env, "wholesale_stranger", groups="base.group_user")
        with self.assertRaises(AccessError):
            self._get_visits(stranger)

    def test_today_is_the_users_day(self):
        """Kyiv's midnight is 22:00 UTC; in New York it is still the day before."""
        late = self._book(datetime(2026, 11, 23, 21, 30), lead_id=self._new_lead().id)
        early = self._book(datetime(2026, 11, 23, 22, 30), lead_id=self._new_lead().id)
        ids = [self.visit.id, late.id]
        for zone, moment, expected in (
            ("Europe/Kyiv", NOW, ids),
            ("Europe/Kyiv", datetime(2026, 11, 23, 21, 59), ids),
            ("Europe/Kyiv", datetime(2026, 11, 23, 22, 0), [*ids, early.id]),
            ("America/New_York", datetime(2026, 11, 23, 22, 0), [*ids, early.id]),
        ):
            with self.subTest(zone=zone, moment=moment), freeze_time(moment):
                self.measurer_user.tz = zone
                self.assertEqual([visit["id"] for visit in self._get_visits()], expected)

    def test_today_has_25_hours_when_clocks_go_back(self):
        """On 25 October 2026 the day in Kyiv lasts from 21:00 to 22:00 UTC."""
        with freeze_time(datetime(2026, 10, 24, 22, 0)):
            ids = [
                self._book(start, lead_id=self._new_lead().id).id
                for start in (
                    datetime(2026, 10, 25, 8, 0),
                    datetime(2026, 10, 25, 21, 30),
                    datetime(2026, 10, 25, 22, 30),
                )
            ]
            self.assertEqual([visit["id"] for visit in self._get_visits()], ids[:2])

    def test_unfinished_visits_stay_finished_ones_go(self):
        self._arrive()
        with freeze_time(NOW + timedelta(days=1)):
            self.assertEqual([visit["id"] for visit in self._get_visits()], [self.visit.id])
            self._save()
            self.phone.action_done()
            self.assertFalse(self._get_visits())

    def test_queries_do_not_grow_with_visits(self):
        counts = []
        for number in range(1, 6):
            visit = self._book(START + timedelta(hours=number), lead_id=self._new_lead().id)
            visit.line_ids = [
                (0, 0, {"place": "Hall", "product_id": self.window.id, "width": 900, "height": 900})
            ]
            if number in (1, 5):
                self.env.flush_all()
                self.env.invalidate_all()
                self._get_visits()  # the rules of access are read once and kept
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.assertEqual(len(self._get_visits()), number + 1)
                counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_another_persons_zone_is_named(self):
        self.measurer_user.tz = "Asia/Tokyo"
        self.assertIn("Kyiv", self._get_visits()[0]["local_start"])

    def test_who_may_take_the_steps(self):
        other = self.visit.with_user(self.second_user)
        for step, args in (
            ("action_on_my_way", ()),
            ("action_arrive", ()),
            ("report_no_show", (make_photo(),)),
            ("sign", ("Olena", make_photo())),
            ("save_measurement", (UUID, {"place": "Hall"})),
        ):
            with self.subTest(step=step), self.assertRaises(AccessError):
                getattr(other, step)(*args)

    def test_arrival_with_place(self):
        for wanted, place in ((False, (0, 0)), (True, (50.4501, 30.5234))):
            with self.subTest(wanted=wanted):
                self.company.visit_geolocation = wanted
                visit = self._book(START + timedelta(hours=3 + wanted), lead_id=self._new_lead().id)
                visit.with_user(self.measurer_user).arrive([50.4501, 30.5234])
                self.assertEqual(visit.arrived_at, NOW)
                self.assertEqual((visit.arrived_latitude, visit.arrived_longitude), place)

    def test_arrival_without_place(self):
        self.company.visit_geolocation = True
        self.phone.arrive(None)
        self.assertEqual((self.visit.state, self.visit.arrived_latitude), ("in_progress", 0))

    def test_nobody_there_with_photo(self):
        self.phone.action_on_my_way()
        with freeze_time(START + 15 * MINUTE):
            self.phone.report_no_show(make_photo(size=(3200, 100)))
        self.assertEqual(self.visit.state, "no_show")
        self.assertEqual(self.visit.no_show_at, START + 15 * MINUTE)
        photo = self.visit.with_user(self.manager).no_show_photo
        self.assertEqual(Image.open(io.BytesIO(b64decode(photo))).size, (1600, 50))
        call = self.lead.activity_ids.filtered(lambda a: "came to nothing" in (a.summary or ""))
        self.assertEqual(call.user_id, self.manager)

    def test_nobody_there_without_photo(self):
        self.phone.action_arrive()
        self.phone.action_no_show()
        self.assertEqual(self.visit.no_show_at, NOW)
        self.assertFalse(self.visit.no_show_photo)

    def test_signature(self):
        with self.assertRaisesRegex(UserError, "signed while the measurer is there"):
            self.phone.sign("Olena", make_photo())
        self._arrive()
        for name, image in (("", make_photo()), ("  ", make_photo()), ("Olena", "")):
            with self.subTest(name=name), self.assertRaisesRegex(UserError, "Enter who signs"):
                self.phone.sign(name, image)
        self.phone.sign(" Olena Petrenko ", make_photo())
        seen = self.visit.with_user(self.manager)
        self.assertEqual((seen.signed_by, seen.signed_at), ("Olena Petrenko", NOW))
        self.assertTrue(seen.signature)

    def test_what_the_phone_recorded_is_nobodys_to_write(self):
        for user in (self.manager, self.head, self.measurer_user):
            for name, value in (
                ("signature", make_photo()),
                ("signed_by", "Nobody"),
                ("signed_at", NOW),
                ("arrived_latitude", 1.0),
                ("expected_at", NOW),
                ("no_show_photo", make_photo()),
                ("remeasured_at", NOW),
            ):
                with self.subTest(user=user.name, field=name), self.assertRaises(AccessError):
                    self.visit.with_user(user).write({name: value})


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMeasurement(DayCommon):
    """Measurements from the phone."""

    def setUp(self):
        super().setUp()
        self._arrive()

    def test_sent_again_it_is_saved_once(self):
        photo = {"name": "kitchen.jpg", "data": make_photo()}
        first = self._save(product_id=self.window.id, count=2, photos=[photo])
        again = self._save(product_id=self.window.id, count=2, photos=[photo])
        self.assertEqual(first, again)
        line = self.visit.line_ids
        self.assertRecordValues(
            line, [{"place": "Kitchen", "width": 1200, "quantity": 3.48, "client_uuid": UUID}]
        )
        self.assertRecordValues(
            line.photo_ids,
            [{"name": "kitchen.jpg", "res_model": "crm.visit.line", "res_id": line.id}],
        )
        self.assertTrue(line.photo_ids.with_user(self.manager).datas)

    def test_twin_of_another_request(self):
        """The twin that this transaction cannot see is met by the database; all is repeated."""
        self._save()
        with (
            patch.object(type(self.visit.line_ids), "filtered", lambda lines, key: lines.browse()),
            self.assertRaises(ConcurrencyError),
            mute_logger("odoo.sql_db"),
        ):
            self._save()
        self.assertEqual(len(self.visit.line_ids), 1)

    def test_the_database_keeps_twins_apart(self):
        self._save()
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            self.env["crm.visit.line"].create(
                {"visit_id": self.visit.id, "place": "Kitchen", "client_uuid": UUID}
            )

    def test_a_line_of_the_office_is_changed(self):
        line = self.env["crm.visit.line"].create({"visit_id": self.visit.id, "place": "Hall"})
        self.assertEqual(self._save(place="Hall", width=900, line_id=line.id), line.id)
        self.assertEqual(line.width, 900)

    def test_a_line_of_another_visit_is_not(self):
        other = self._book(START + timedelta(hours=3), lead_id=self._new_lead().id)
        line = self.env["crm.visit.line"].create({"visit_id": other.id, "place": "Hall"})
        self._save(width=900, line_id=line.id)
        self.assertEqual((line.width, self.visit.line_ids.width), (0, 900))

    def test_what_is_refused(self):
        sound = self._book(START + timedelta(hours=3), lead_id=self._new_lead().id)
        with self.assertRaisesRegex(UserError, "after arriving"):
            self._save(visit=sound.with_user(self.measurer_user))
        with self.assertRaisesRegex(ValidationError, "has no fields visit_id"):
            self._save(visit_id=sound.id)
        page = b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>").decode()
        for data in (page, "a", ""):
            with self.assertRaisesRegex(ValidationError, "“a.jpg” is no photo"):
                self._save(photos=[{"name": "a.jpg", "data": data}])

    def test_unusual_sizes_are_questioned(self):
        self.visit_type.range_ids.unlink()
        self.visit_type.range_ids = [
            (0, 0, {"dimension": "width", "minimum": 300, "maximum": 6000}),
        ]
        for width, usual in (
            (0, True),
            (299.9, False),
            (300, True),
            (6000, True),
            (6000.1, False),
            (0.2, False),
        ):
            with self.subTest(width=width):
                if usual:
                    self._save(uuid=str(width), width=width)
                    continue
                with self.assertRaisesRegex(ValidationError, "Usual is 300 to 6000"):
                    self._save(uuid=str(width), width=width)
                self._save(uuid=str(width), width=width, confirmed_odd=True)

    def test_a_changed_size_asks_anew(self):
        line_id = self._save(width=0.2, confirmed_odd=True)
        line = self.env["crm.visit.line"].browse(line_id).with_user(self.measurer_user)
        self.assertTrue(line.confirmed_odd)
        line.note = "Measured twice"
        with self.assertRaisesRegex(ValidationError, "0.3 mm"):
            line.width = 0.3
        line.write({"width": 0.3, "confirmed_odd": True})
        line.width = 1300
        self.assertFalse(line.confirmed_odd)

    def test_unusual_sizes_in_odoos_form(self):
        line = Form(
            self.env["crm.visit.line"]
            .with_user(self.measurer_user)
            .with_context(default_visit_id=self.visit.id),
            view="crm_wholesale.crm_visit_line_view_form",
        )
        line.place = "Wall"
        line.width = 0.2
        self.assertIn("Width 0.2 mm?", line.oddity)
        with self.assertRaisesRegex(ValidationError, "Width 0.2 mm"):
            line.save()
        line.confirmed_odd = True
        line.height = 2500
        self.assertFalse(line.confirmed_odd, "asked anew")
        line.confirmed_odd = True
        self.assertEqual(line.save().width, 0.2)

    def test_ranges_that_cannot_be(self):
        for minimum, maximum in ((5, 5), (6, 5), (-1, 5)):
            with (
                self.subTest(minimum=minimum),
                self.assertRaises(psycopg2.IntegrityError),
                mute_logger("odoo.sql_db"),
                self.cr.savepoint(),
            ):
                self.visit_type.range_ids = [
                    (0, 0, {"dimension": "depth", "minimum": minimum, "maximum": maximum})
                ]

    def test_who_keeps_the_ranges(self):
        values = {"type_id": self.visit_type.id, "dimension": "depth", "maximum": 900}
        for user in (self.measurer_user, self.manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.env["crm.visit.range"].with_user(user).create(values)
        self.env["crm.visit.range"].with_user(self.head).create(values)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMeasuredAgain(DayCommon):
    def test_corrections_on_the_spot_are_no_versions(self):
        self._arrive()
        self._save()
        self._save(width=1210)
        self.assertFalse(self.visit.version_ids)
        self.assertFalse(self.visit.line_ids.difference)

    def test_changed_after_done(self):
        self._finish()
        with freeze_time(NOW + timedelta(days=1)):
            self._save(width=1210, product_id=self.window.id)
            self._save(width=1210, product_id=self.window.id)
        self.assertRecordValues(
            self.visit.version_ids,
            [
                {
                    "place": "Kitchen",
                    "product_id": self.window.id,
                    "width": 1200,
                    "measured_by_id": self.measurer_user.id,
                    "measured_at": NOW,
                    "create_date": NOW + timedelta(days=1),
                }
            ],
        )
        seen = self.visit.with_user(self.manager)
        self.assertEqual(seen.line_ids.difference, "Width (mm): 1200 → 1210")
        self.assertFalse(seen.outdated_order_ids, "nothing was quoted")

    def test_changed_after_the_signature(self):
        self._arrive()
        self._save()
        self.phone.sign("Olena", make_photo())
        self._save(count=3)
        self.assertEqual(self.visit.version_ids.count, 1)
        self.assertEqual(self.visit.line_ids.difference, "Pieces: 1 → 3")

    def test_removed_after_done(self):
        self._finish()
        self.phone.line_ids.unlink()
        self.assertRecordValues(
            self.visit.version_ids, [{"place": "Kitchen", "line_id": False, "width": 1200}]
        )

    def test_quoted_before(self):
        """Whoever quoted the former values gets one task, and sees it on visit and quotation."""
        self._finish()
        self.visit.with_user(self.manager).action_create_quotation()
        order = self.visit.order_ids
        with freeze_time(NOW + MINUTE):
            self._save(width=1210, product_id=self.window.id)
        with freeze_time(NOW + 2 * MINUTE):
            self._save(uuid="other", place="Hall")
            seen = self.visit.with_user(self.manager)
            self.assertEqual(seen.outdated_order_ids, order)
            self.assertTrue(order.with_user(self.manager).is_measured_again)
            self.assertEqual(len(order.activity_ids), 1)
            self.assertEqual(order.activity_ids.user_id, self.manager)
        with freeze_time(NOW + 3 * MINUTE):
            fresh = seen._create_quotation()
            self.assertFalse(fresh.is_measured_again)
            order.action_cancel()
            self.assertFalse(seen.outdated_order_ids)

    def test_repeat_visit(self):
        """The phone offers the former places; what differs is shown, the quotation questioned."""
        self._finish()
        self.visit.with_user(self.manager).action_create_quotation()
        repeat = self._book(START + timedelta(hours=3))
        phone = repeat.with_user(self.measurer_user)
        shown = next(v for v in phone.get_my_day()["visits"] if v["id"] == repeat.id)
        self.assertEqual([line["place"] for line in shown["former"]], ["Kitchen"])
        with freeze_time(START + timedelta(hours=3)):
            phone.action_arrive()
            self._save(visit=phone, place="kitchen ", width=1210, product_id=self.window.id)
            self._save(uuid="new", visit=phone, place="Hall")
            phone.action_done()
        kitchen, hall = repeat.line_ids
        self.assertEqual(kitchen.former_line_id, self.visit.line_ids)
        self.assertEqual(kitchen.with_user(self.manager).difference, "Width (mm): 1200 → 1210")
        self.assertFalse(hall.difference)
        self.assertEqual(repeat.outdated_order_ids, self.visit.order_ids)
        self.assertEqual(len(self.visit.order_ids.activity_ids), 1)

    def test_versions_are_nobodys_to_write(self):
        self._finish()
        self._save(width=1210, product_id=self.window.id)
        version = self.visit.version_ids
        for user in (self.measurer_user, self.manager, self.head):
            as_user = version.with_user(user)
            self.assertEqual(as_user.width, 1200)
            for call in (
                lambda version: version.write({"width": 1}),
                lambda version: version.unlink(),
                lambda version: version.copy(),
            ):
                with self.subTest(user=user.name), self.assertRaises(AccessError):
                    call(as_user)
        for user in (self.second_user, self.other_manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                version.with_user(user).read(["width"])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestOnMyWay(NoticeCommon):
    def _get_notice(self, visit):
        return visit.notice_ids.filtered(lambda notice: notice.kind == "on_my_way")

    def test_told_once_with_the_estimated_time(self):
        visit = self._book(START)
        phone = visit.with_user(self.measurer_user)
        phone.action_on_my_way()
        phone.action_on_my_way()
        notice = self._get_notice(visit)
        self.assertEqual((len(notice), notice.due_at), (1, NOW))
        self.assertEqual(visit.expected_at, START, "nobody comes before the agreed time")
        self._run()
        self.assertEqual(notice.state, "queued")
        self.assertIn("is on the way to vulytsia Entuziastiv, 11", notice.body)
        self.assertIn("at about 11:00", notice.body)
        self.assertEqual(len(self._get_sms(notice)), 1)

    def test_late(self):
        """Less than half an hour before, and after the start, is early enough for this one."""
        visit = self._book(START)
        late = START + timedelta(minutes=7)
        with freeze_time(late):
            visit.with_user(self.measurer_user).action_on_my_way()
            self.assertGreater(visit.expected_at, late)
            self.assertEqual(visit.expected_at.minute % 5, 0)
            self._run(late)
        notice = self._get_notice(visit)
        self.assertEqual(notice.state, "queued")
        self.assertEqual(notice.useful_until, visit.expected_at)

    def test_before_the_arrival_window(self):
        visit = self._book(START, window_start=START, window_stop=START + timedelta(hours=2))
        visit.with_user(self.measurer_user).action_on_my_way()
        self.assertEqual(visit.expected_at, START)

    def test_arrived_before_it_went_out(self):
        visit = self._book(START)
        phone = visit.with_user(self.measurer_user)
        phone.action_on_my_way()
        phone.action_arrive()
        phone.action_arrive()
        self._run()
        self.assertEqual(self._get_notice(visit).state, "superseded")

    def test_no_sms_is_a_call(self):
        visit = self._book(START, phone=LANDLINE)
        visit.with_user(self.measurer_user).action_on_my_way()
        self._run()
        notice = self._get_notice(visit)
        self.assertEqual((notice.state, notice.reason), ("failed", "no_sms_phone"))
        self.assertTrue(notice.call_activity_id)
        visit.with_user(self.measurer_user).action_arrive()
        self.assertFalse(notice.call_activity_id, "whom to call when the measurer is there?")

    def test_objected(self):
        visit = self._book(START)
        self.env["phone.blacklist"].sudo().add(visit.phone)
        visit.with_user(self.measurer_user).action_on_my_way()
        self._run()
        self.assertEqual(self._get_notice(visit).reason, "blacklisted")


@tagged("post_install", "-at_install")
class TestMyDayOverRpc(DayCommon, HttpCase):
    """Allowed and forbidden, as the phone asks."""

    def _call(self, method, *args, user=None, **kwargs):
        user = user or self.measurer_user
        self.authenticate(user.login, user.login)
        params = {"model": "crm.visit", "method": method, "args": args, "kwargs": kwargs}
        return self.make_jsonrpc_request(f"/web/dataset/call_kw/crm.visit/{method}", params)

    def setUp(self):
        super().setUp()
        self.visit.sudo().write({"state": "in_progress"})

    def test_own_visit(self):
        values = {"place": "Kitchen", "width": 1200}
        ids = [self.visit.id]
        line_id = self._call("save_measurement", ids, UUID, values, [], None)
        self.assertEqual(self._call("save_measurement", ids, UUID, values, [], None), line_id)
        self._call("sign", ids, "Olena", make_photo())
        self.assertEqual(len(self.visit.line_ids), 1)

    def test_visit_of_another(self):
        ids = [self.visit.id]
        for method, args in (
            ("save_measurement", (ids, UUID, {"place": "Kitchen"}, [], None)),
            ("sign", (ids, "Olena", make_photo())),
            ("report_no_show", (ids, make_photo())),
            ("read", (ids, ["signature"])),
        ):
            with (
                self.subTest(method=method),
                mute_logger("odoo.http"),
                self.assertRaisesRegex(Exception, "AccessError|not allowed|access"),
            ):
                self._call(method, *args, user=self.second_user)
        self.assertFalse(self.visit.line_ids)
        self.assertFalse(self.visit.signature)
