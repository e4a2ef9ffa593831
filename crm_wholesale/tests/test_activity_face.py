from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.mail.tools.discuss import Store

from .common import NOW, WholesaleCommon


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestActivityFace(WholesaleCommon):
    """What shows a customer notice is seen on its visit, and is nobody's next step."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        start = NOW + timedelta(hours=5)
        cls.visit = (
            cls.env["crm.visit"]
            .with_user(cls.manager)
            ._book(
                [
                    {
                        "lead_id": cls.lead.id,
                        "measurer_id": cls.measurer.id,
                        "type_id": cls.visit_type.id,
                        "start": start,
                        "stop": start + timedelta(hours=1),
                    }
                ]
            )
        )
        cls.visit = cls.visit.with_context(tz=cls.manager.tz)
        cls.face = cls.visit.notice_ids.activity_ids
        cls.visit.activity_ids.sudo().unlink()

    def _count(self):
        groups = self.visit.env["res.users"]._get_activity_groups()
        keys = ("overdue_count", "today_count", "planned_count")
        return {
            group["model"]: [group[key] for key in keys]
            for group in groups
            if group["type"] == "activity"
        }

    def test_is_nobody_s_next_step(self):
        self.assertEqual(self.face.user_id, self.manager)
        own = [("id", "=", self.visit.id)]
        for moment in (NOW, self.face.due_at, NOW + timedelta(days=2)):
            self.env.invalidate_all()
            with freeze_time(moment), self.subTest(moment=moment):
                self.assertFalse(self.visit.activity_ids)
                self.assertFalse(self.visit.activity_state)
                self.assertFalse(self.visit.activity_user_id)
                self.assertFalse(self.visit.activity_summary)
                self.assertFalse(self.visit.activity_date_deadline)
                self.assertFalse(self.visit.my_activity_date_deadline)
                self.assertEqual(self.visit._read_group(own, ["activity_state"]), [(False,)])
                for state in ("overdue", "today", "planned"):
                    self.assertFalse(self.visit.search([*own, ("activity_state", "=", state)]))
                self.assertEqual(
                    self.visit.search([*own, ("activity_state", "=", False)]), self.visit
                )
                self.assertFalse(
                    self.visit.search([*own, ("my_activity_date_deadline", "<", "2030-01-01")])
                )
                self.assertNotIn("crm.visit", self._count())

    def test_does_not_hide_a_next_step(self):
        task = self.visit.activity_schedule(
            "mail.mail_activity_data_call",
            user_id=self.manager.id,
            due_at=self.face.due_at + timedelta(minutes=1),
        )
        with freeze_time(self.face.due_at):
            self.env.invalidate_all()
            self.assertEqual(self.visit.activity_ids, task)
            self.assertEqual(self.visit.activity_state, "today")
            self.assertEqual(
                self.visit._read_group([("id", "=", self.visit.id)], ["activity_state"]),
                [("today",)],
            )
            self.assertEqual(self._count()["crm.visit"], [0, 1, 0])

    def test_is_not_among_my_activities(self):
        activities = self.env["mail.activity"].with_user(self.manager)
        view = self.env.ref("mail.mail_activity_view_search")
        arch = etree.fromstring(activities.get_view(view.id, "search")["arch"])
        (node,) = arch.xpath("//filter[@name='filter_user_id_uid']")
        domain = safe_eval(node.get("domain"), {"uid": self.manager.id})
        task = self.visit.activity_schedule("mail.mail_activity_data_call", user_id=self.manager.id)
        found = activities.search(domain)
        self.assertIn(task, found)
        self.assertNotIn(self.face, found)

    def test_is_seen_in_the_chatter(self):
        task = self.visit.activity_schedule("mail.mail_activity_data_call", user_id=self.manager.id)
        store = Store()
        self.visit._thread_to_store(store, [], request_list=["activities"])
        seen = {record["id"]: record for record in store.get_result()["mail.activity"]}
        self.assertEqual(set(seen), {task.id, self.face.id})
        self.assertEqual(seen[self.face.id]["due_at"], "2026-11-23 11:00:00")
        (thread,) = store.get_result()["mail.thread"]
        self.assertCountEqual(thread["activities"], seen, "ids only, and no command among them")

    def test_moves_no_counter(self):
        """Neither making, moving nor finishing it changes the number on the systray."""
        with patch.object(type(self.env["bus.bus"]), "_sendone", autospec=True) as bus:
            face = self.face.sudo().copy({"due_at": NOW, "notice_id": self.face.notice_id.id})
            face.due_at = NOW + timedelta(days=2)
            face.due_at = NOW
            face.active = False
            face.active = True
            face.unlink()
            self.assertNotIn("mail.activity/updated", [call.args[2] for call in bus.call_args_list])
            task = self.visit._activity_schedule_quietly(
                "mail.mail_activity_data_call", user_id=self.manager.id
            )
            task.sudo().unlink()
        self.assertEqual(
            [
                call.args[2:]
                for call in bus.call_args_list
                if call.args[2] == "mail.activity/updated"
            ],
            [
                ("mail.activity/updated", {"activity_created": True, "count_diff": 1}),
                ("mail.activity/updated", {"activity_deleted": True, "count_diff": -1}),
            ],
        )

    def test_made_together_with_tasks(self):
        """Activities made in one go come in the order asked for; only the tasks count."""
        common = {
            "res_model_id": self.env["ir.model"]._get_id("crm.visit"),
            "res_id": self.visit.id,
            "user_id": self.manager.id,
        }
        notice = self.face.notice_id
        with patch.object(type(self.env["bus.bus"]), "_sendone", autospec=True) as bus:
            made = self.env["mail.activity"].create(
                [
                    {**common, "summary": "task"},
                    {**common, "summary": "notice", "notice_id": notice.id},
                    {**common, "summary": "another task"},
                ]
            )
        self.assertEqual(made.mapped("summary"), ["task", "notice", "another task"])
        self.assertEqual(made.env.context, self.env.context)
        counted = [
            c.args[3]["count_diff"] for c in bus.call_args_list if c.args[2].endswith("updated")
        ]
        self.assertEqual(sum(counted), 2)
