from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import NOW
from .test_life import DAY, HOUR, TOMORROW, LifeCommon


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestReassign(LifeCommon):
    """A measurer leaves: the visits go to others at the same times, or back to the queue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        others = cls.env["crm.measurer"].search([]) - cls.measurer - cls.second
        others.active = False
        cls.third = cls._new_measurer(
            cls._new_user("third", "crm_wholesale.crm_wholesale_group_measurer")
        )

    def _open(self, action, user=None):
        self.assertEqual(action["res_model"], "crm.visit.reassign")
        wizards = self.env["crm.visit.reassign"].with_user(user or self.head)
        return Form(wizards.with_context(**action["context"]))

    def test_visits_row_measurer_leaves(self):
        """Told customers hear the new name once, in the transaction that archives."""
        told, untold = self._book(TOMORROW), self._book(TOMORROW + 3 * HOUR)
        self._tell(told)
        self._book(TOMORROW, measurer_id=self.second.id)
        action = self.measurer.with_user(self.head).action_archive()
        self.assertTrue(self.measurer.active, "first it is asked who goes instead")
        with self._open(action) as form:
            self.assertTrue(form.archive_measurer)
        wizard = form.save()
        self.assertEqual(wizard.line_ids.visit_id, told | untold)
        first = wizard.line_ids.filtered(lambda line: line.visit_id == told)
        self.assertEqual(first.new_measurer_id, self.third, "the second one is busy then")
        self.assertRegex(first.note, r"^Third: \d+ min more travel, visit 1 of \d+ that day")
        wizard.action_apply()
        self.assertFalse(self.measurer.active)
        self.assertEqual((told.measurer_id, told.start), (self.third, TOMORROW))
        self.assertEqual(told.assignment_reason, first.note)
        self.assertEqual(told.event_id.partner_ids, self.third.user_id.partner_id)
        moved = told.notice_ids.filtered(lambda notice: notice.kind == "moved")
        self.assertEqual(len(moved), 1)
        self.assertEqual(untold.state, "scheduled")
        self.assertNotEqual(untold.measurer_id, self.measurer)
        self.assertFalse(untold.notice_ids.filtered(lambda notice: notice.kind == "moved"))

    def test_head_of_sales_decides_otherwise(self):
        visits = self._book(TOMORROW) | self._book(TOMORROW + DAY)
        self._book(TOMORROW + DAY, measurer_id=self.second.id)
        with self._open(self.measurer.with_user(self.head).action_reassign()) as form:
            with form.line_ids.edit(0) as line:
                line.new_measurer_id = self.env["crm.measurer"]
                self.assertEqual(line.note, "Goes back to the queue")
            with form.line_ids.edit(1) as line:
                line.new_measurer_id = self.second
                self.assertIn("Second has visit", line.note)
                line.new_measurer_id = self.third
        form.save().action_apply()
        self.assertEqual((visits[0].state, visits[1].measurer_id), ("draft", self.third))
        self.assertIn("nobody else was chosen", visits[0].queue_reason)
        self.assertTrue(self.measurer.active)

    def test_all_or_nothing(self):
        visits = self._book(TOMORROW) | self._book(TOMORROW + DAY)
        with self._open(self.measurer.with_user(self.head).action_reassign()) as form:
            wizard = form.save()
        wizard.line_ids.new_measurer_id = self.second
        self._book(TOMORROW + DAY, measurer_id=self.second.id)
        with self.assertRaisesRegex(UserError, "Second"), self.cr.savepoint():
            wizard.action_apply()
        self.assertEqual(visits.measurer_id, self.measurer)

    def test_nobody_else_can(self):
        (self.second + self.third).active = False
        visit = self._book(TOMORROW)
        with self._open(self.measurer.with_user(self.head).action_reassign()) as form:
            wizard = form.save()
        self.assertFalse(wizard.line_ids.new_measurer_id)
        wizard.action_apply()
        self.assertEqual(visit.state, "draft")

    def test_two_zones(self):
        """The same moment is at another hour on the clock of the one who takes over."""
        visit = self._book(TOMORROW)  # 10:00 in Kyiv, 3:00 in New York
        self.second.tz = "America/New_York"
        with self._open(self.measurer.with_user(self.head).action_reassign()) as form:
            wizard = form.save()
        self.assertEqual(wizard.line_ids.new_measurer_id, self.third)
        self.third.active = False
        with self._open(self.measurer.with_user(self.head).action_reassign()) as form:
            wizard = form.save()
        self.assertFalse(wizard.line_ids.new_measurer_id)
        self.assertIn("Do not work then: Second", wizard.line_ids.note)
        self.assertEqual(visit.state, "scheduled")

    def test_only_a_head_of_sales_reassigns(self):
        self._book(TOMORROW)
        action = self.measurer.with_user(self.head).action_reassign()
        for user in (self.manager, self.measurer_user):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._open(action, user)

    def test_measurer_without_visits_is_archived_at_once(self):
        self._book(NOW + timedelta(minutes=90))
        with freeze_time(NOW + 2 * HOUR):
            self.third.with_user(self.head).action_archive()
            self.assertFalse(self.third.active)
