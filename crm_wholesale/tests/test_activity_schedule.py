from datetime import date, datetime

from odoo.tests import Form, freeze_time, tagged

from .common import NOW, WholesaleCommon


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestActivitySchedule(WholesaleCommon):
    """A minute can be set in the dialog that schedules activities."""

    def _open(self, **context):
        wizard = self.env["mail.activity.schedule"].with_user(self.manager)
        return Form(wizard.with_context(tz="Europe/Kyiv", **context))

    def test_schedule_at_a_minute(self):
        form = self._open(active_model="crm.lead", active_ids=self.lead.ids)
        form.due_at = datetime(2026, 11, 25, 22, 30)
        self.assertEqual(form.date_deadline, date(2026, 11, 26))
        form.date_deadline = date(2026, 11, 30)
        self.assertEqual(form.due_at, datetime(2026, 11, 29, 22, 30))
        form.activity_type_id = self.env.ref("mail.mail_activity_data_todo")
        self.assertEqual(form.due_at, datetime(2026, 11, 29, 22, 30))
        self.assertEqual(form.date_deadline, date(2026, 11, 30))
        form.save().action_schedule_activities()
        activity = self.lead.activity_ids
        self.assertEqual(activity.due_at, datetime(2026, 11, 29, 22, 30))
        self.assertEqual(activity.date_deadline, date(2026, 11, 30))

    def test_day_is_the_assignee_s(self):
        self.other_manager.tz = "America/New_York"
        form = self._open(active_model="crm.lead", active_ids=self.lead.ids)
        form.due_at = datetime(2026, 11, 26, 3, 0)
        self.assertEqual(form.date_deadline, date(2026, 11, 26))
        form.activity_user_id = self.other_manager
        self.assertEqual(form.date_deadline, date(2026, 11, 25))

    def test_schedule_for_a_day(self):
        form = self._open(active_model="crm.lead", active_ids=self.lead.ids)
        form.date_deadline = date(2026, 11, 30)
        form.save().action_schedule_activities()
        self.assertFalse(self.lead.activity_ids.due_at)
        self.assertEqual(self.lead.activity_ids.date_deadline, date(2026, 11, 30))

    def test_personal(self):
        form = self._open()
        form.due_at = datetime(2026, 11, 25, 12, 39)
        form.summary = "Order business cards"
        form.save().action_schedule_activities()
        activity = self.env["mail.activity"].search([("summary", "=", "Order business cards")])
        self.assertEqual(activity.user_id, self.manager)
        self.assertEqual(activity.due_at, datetime(2026, 11, 25, 12, 39))
