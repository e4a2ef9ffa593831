from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tests.common import RecordCapturer

from odoo.addons.mail.tests.common import MailCommon


class TestActivityQuiet(MailCommon):
    """Automated activities reach their assignee without mail and without following."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env, "quiet_manager", groups="sales_team.group_sale_salesman"
        )
        cls.colleague = new_test_user(
            cls.env,
            "quiet_colleague",
            groups="sales_team.group_sale_salesman",
            notification_type="email",
            email="colleague@test.example.com",
        )
        cls.lead = (
            cls.env["crm.lead"]
            .with_user(cls.manager)
            .create({"name": "Windows for a school", "user_id": cls.manager.id})
        )

    def _schedule(self, method, **values):
        with (
            self.mock_mail_gateway(),
            self.mock_bus(),
            RecordCapturer(self.env["mail.message"], []) as messages,
        ):
            activities = getattr(self.lead, method)(
                "mail.mail_activity_data_call", user_id=self.colleague.id, **values
            )
            self.env.cr.precommit.run()
        return activities, messages.records

    def test_plain_schedule_mails_and_subscribes(self):
        """What the quiet way leaves out does happen in Odoo's own."""
        _activities, messages = self._schedule("activity_schedule")
        self.assertTrue(messages)
        self.assertIn(self.colleague.partner_id, self.lead.message_partner_ids)

    def test_quiet_schedule(self):
        followers = self.lead.message_partner_ids
        activities, messages = self._schedule(
            "_activity_schedule_quietly", summary="Send the figures", note="<p>By noon</p>"
        )
        self.assertEqual(activities.user_id, self.colleague)
        self.assertTrue(activities.automated)
        self.assertEqual(activities.summary, "Send the figures")
        self.assertFalse(messages)
        self.assertNotSentEmail()
        self.assertEqual(self.lead.message_partner_ids, followers)

    def test_quiet_schedule_tells_the_systray(self):
        self._reset_bus()
        with self.mock_bus():
            self.lead._activity_schedule_quietly(
                "mail.mail_activity_data_call", user_id=self.colleague.id
            )
        self.assertBusNotifications(
            [(self.cr.dbname, "res.partner", self.colleague.partner_id.id)],
            [
                {
                    "type": "mail.activity/updated",
                    "payload": {"activity_created": True, "count_diff": 1},
                }
            ],
        )

    def test_quiet_ends_with_the_call(self):
        """Later changes of the activity behave as everywhere else."""
        activities, _messages = self._schedule("_activity_schedule_quietly")
        self.assertEqual(activities.env.context, self.lead.env.context)
        self.assertNotIn(self.colleague.partner_id, self.lead.message_partner_ids)
        activities.user_id = self.manager
        activities.user_id = self.colleague
        self.assertIn(self.colleague.partner_id, self.lead.message_partner_ids)

    def test_quiet_honours_the_automation_switch(self):
        lead = self.lead.with_context(mail_activity_automation_skip=True)
        self.assertFalse(lead._activity_schedule_quietly("mail.mail_activity_data_call"))
        self.assertFalse(self.lead.activity_ids)

    def test_forbidden_on_a_lead_of_somebody_else(self):
        with self.assertRaises(AccessError):
            self.lead.with_user(self.colleague)._activity_schedule_quietly(
                "mail.mail_activity_data_call", user_id=self.colleague.id
            )
