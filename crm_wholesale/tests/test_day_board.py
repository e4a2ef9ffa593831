from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import NOW, WholesaleCommon

TODAY_NOON = datetime(2026, 11, 23, 10, 0)  # 12:00 in Kyiv
HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDayBoard(WholesaleCommon):
    """Who is where: what each role reads of a day, and what is moved on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls._new_measurer(
            cls._new_user("colleague", "crm_wholesale.crm_wholesale_group_measurer")
        )

    def _get_board(self, user=None, day=False, **context):
        visits = self.env["crm.visit"].with_user(user or self.manager).with_context(**context)
        return visits.get_board(day)

    def _get_rows(self, user=None, day=False):
        return {row["id"]: row for row in self._get_board(user, day)["rows"]}

    def test_blocks_stand_at_their_minutes(self):
        first = self._book(TODAY_NOON)
        second = self._book(TODAY_NOON + 2 * HOUR)
        board = self._get_board()
        self.assertEqual(board["day"], "2026-11-23")
        self.assertIn("Monday 23 November 2026", board["title"])
        rows = {row["id"]: row for row in board["rows"]}
        blocks = rows[self.measurer.id]["visits"]
        self.assertEqual([block["id"] for block in blocks], [first.id, second.id])
        self.assertEqual((blocks[0]["start"], blocks[0]["stop"]), (12 * 60, 13 * 60))
        self.assertEqual(blocks[0]["time"], "12:00–13:00")
        self.assertEqual(blocks[0]["travel"], 0)
        self.assertGreater(blocks[1]["travel"], 0)
        self.assertFalse(rows[self.colleague.id]["visits"])
        self.assertFalse(self._get_rows(day="2026-11-24")[self.measurer.id]["visits"])

    def test_time_off_is_no_work_and_has_no_name(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Honeymoon",
                "resource_id": self.colleague.resource_id.id,
                "date_from": NOW - 8 * HOUR,
                "date_to": NOW + 12 * HOUR,
            }
        )
        board = self._get_board()
        work = {row["id"]: row["work"] for row in board["rows"]}
        self.assertFalse(work[self.colleague.id])
        self.assertTrue(work[self.measurer.id])
        self.assertNotIn("Honeymoon", str(board))

    def test_who_sees_what(self):
        visit = self._book(TODAY_NOON)
        self.env["crm.visit"].with_user(self.manager)._queue([{"lead_id": self.lead.id}], "Wait")
        for user, rows, named, waiting in (
            (self.manager, 2, True, 1),
            (self.head, 2, True, 1),
            (self.other_manager, 2, False, 0),
            (self.measurer_user, 1, True, 0),
        ):
            with self.subTest(user=user.name):
                board = self._get_board(user)
                self.assertEqual(len(board["rows"]), rows)
                self.assertEqual(len(board["unassigned"]), waiting)
                row = next(row for row in board["rows"] if row["id"] == self.measurer.id)
                (block,) = row["visits"]
                self.assertEqual(block.get("id"), visit.id if named else None)
                self.assertEqual(self.lead.contact_name in str(board), named)
        (row,) = self._get_board(self.colleague.user_id)["rows"]
        self.assertFalse(row["visits"])
        with self.assertRaises(AccessError):
            self._get_board(self.privacy_officer)

    def test_day_of_the_clock_change(self):
        self.visit_type.horizon_days = 9999
        visit = self._book(datetime(2027, 10, 31, 10, 0))  # 12:00 in Kyiv, 13 hours after midnight
        board = self._get_board(day="2027-10-31")
        rows = {row["id"]: row for row in board["rows"]}
        (block,) = rows[self.measurer.id]["visits"]
        self.assertEqual((block["id"], block["time"]), (visit.id, "12:00–13:00"))
        labels = {hour["minute"]: hour["label"] for hour in board["hours"]}
        self.assertEqual(labels[block["start"]], "12:00")

    def test_clock_is_the_companys(self):
        self.assertEqual(self._get_board(tz="America/New_York")["city"], "Kyiv")
        self.assertEqual(self._get_board(tz="Europe/Kyiv")["city"], "")

    def test_visit_is_moved(self):
        visit = self._book(TODAY_NOON).with_user(self.manager)
        self.assertFalse(visit.place_on_board("2026-11-24", 15 * 60, self.colleague.id))
        self.assertRecordValues(
            visit,
            [
                {
                    "measurer_id": self.colleague.id,
                    "start": datetime(2026, 11, 24, 13, 0),
                    "stop": datetime(2026, 11, 24, 14, 0),
                    "revision": 1,
                }
            ],
        )

    def test_conflict_is_named_first(self):
        visit = self._book(TODAY_NOON).with_user(self.manager)
        late = ("2026-11-24", 22 * 60, self.measurer.id)
        self.assertIn("does not work", visit.place_on_board(*late))
        self.assertEqual(visit.start, TODAY_NOON)
        self.assertFalse(visit.place_on_board(*late, despite=True))
        self.assertEqual(visit.start, datetime(2026, 11, 24, 20, 0))

    def test_taken_time_is_refused(self):
        self._book(TODAY_NOON)
        visit = self._book(TODAY_NOON + 2 * HOUR).with_user(self.manager)
        place = ("2026-11-23", 12 * 60, self.measurer.id)
        self.assertTrue(visit.place_on_board(*place))
        refused = self.assertRaisesRegex(UserError, "already has visit")
        with refused, self.cr.savepoint():
            visit.place_on_board(*place, despite=True)
        self.assertEqual(visit.start, TODAY_NOON + 2 * HOUR)

    def test_waiting_visit_is_assigned(self):
        visits = self.env["crm.visit"].with_user(self.manager)
        visit = visits._queue([{"lead_id": self.lead.id}], "Nobody is free")
        self.assertFalse(visit.place_on_board("2026-11-24", 10 * 60, self.measurer.id))
        self.assertRecordValues(
            visit, [{"state": "scheduled", "start": datetime(2026, 11, 24, 8, 0)}]
        )

    def test_who_may_move(self):
        visit = self._book(TODAY_NOON)
        for user in (self.other_manager, self.measurer_user, self.privacy_officer):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                visit.with_user(user).place_on_board("2026-11-24", 600, self.measurer.id)

    def test_query_count_does_not_grow(self):
        def count_queries():
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._get_board()
            return self.cr.sql_log_count - before

        self._book(TODAY_NOON)
        count_queries()
        few = count_queries()
        for number in range(1, 4):
            user = self._new_user(f"more{number}", "crm_wholesale.crm_wholesale_group_measurer")
            self._book(TODAY_NOON, measurer_id=self._new_measurer(user).id)
        self.env.flush_all()
        count_queries()
        self.assertLessEqual(count_queries(), few)
