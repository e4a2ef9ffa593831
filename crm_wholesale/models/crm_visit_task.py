from collections import defaultdict

from markupsafe import Markup

from odoo import fields, models

from .crm_visit import OPEN_STATES


class CrmVisit(models.Model):
    """The tasks and messages to colleagues around a visit."""

    _inherit = "crm.visit"

    def _get_measurer_tasks(self):
        """Return the open tasks of the measurers on these visits, with sudo."""
        return self.sudo().activity_search(["crm_wholesale.mail_activity_type_visit"])

    def _schedule_measurer_tasks(self):
        """Give each visit's measurer a task at its start."""
        for visit in self.sudo():
            visit._activity_schedule_quietly(
                "crm_wholesale.mail_activity_type_visit",
                user_id=visit.measurer_id.user_id.id,
                summary=visit.display_name,
                due_at=visit.start,
            )

    def _settle(self, feedback):
        """Close what is open around visits that are over: the measurer's task, the notices."""
        self._get_measurer_tasks().action_feedback(feedback=feedback)
        self.env["crm.visit.notice"].sudo()._supersede(self)

    def _schedule_callback(self):
        """Give the managers a call task at the same minute after the type's number of days."""
        for visit in self:
            due_at = visit._add_days(visit.done_at, visit.type_id.callback_days)
            summary = self.env._("Measured on %(visit)s: call with the offer", visit=visit.name)
            visit._schedule_call(due_at.replace(second=0), summary, visit._note_open_visits())

    def _note_open_visits(self):
        """Return a sentence on the visits of the deal that are still to come, or nothing."""
        self.ensure_one()
        visits_sudo = self.sudo().lead_id.visit_ids - self  # a measurer sees own visits only
        visits_sudo = visits_sudo.filtered(lambda visit: visit.state in OPEN_STATES)
        return visits_sudo and self.env._(
            "Still to come: %(visits)s.",
            visits=", ".join(
                " ".join(filter(None, [visit.name, visit.local_start])) for visit in visits_sudo
            ),
        )

    def _schedule_call(self, due_at, summary, note=None):
        """Give the manager a call task with a minute, on the deal where there is one.

        :param datetime due_at: in UTC
        :return: the activity
        """
        self.ensure_one()
        visit_sudo = self.sudo()  # a measurer reads no deals
        return (visit_sudo.lead_id or visit_sudo)._activity_schedule_quietly(
            "crm_wholesale.mail_activity_type_call_customer",
            user_id=visit_sudo.user_id.id,
            summary=summary,
            note=note,
            due_at=due_at,
        )

    def _get_manager_tasks(self):
        """Return the open call tasks that these visits gave their managers, with sudo.

        They stand on the deal where there is one.
        """
        visits_sudo = self.sudo()
        return visits_sudo.queue_activity_id | visits_sudo.notice_ids.call_activity_id

    def _hand_over_tasks(self):
        """Give the open tasks of the visits' managers to those who are it now."""
        quiet = {"mail_activity_quick_update": True, "crm_wholesale_quiet": True}
        tasks_by_user = defaultdict(self.env["mail.activity"].sudo().with_context(**quiet).browse)
        for visit in self.sudo():
            for notice in visit.notice_ids:
                user = notice._get_responsible()
                tasks_by_user[user] |= notice.activity_ids | notice.call_activity_id
            if visit.user_id:
                tasks_by_user[visit.user_id] |= visit.queue_activity_id
        for user, tasks in tasks_by_user.items():
            others = tasks.filtered_domain([("active", "=", True), ("user_id", "!=", user.id)])
            others.user_id = user

    def _merge_reminders(self):
        """Keep one of the reminders that would tell one customer of one time twice.

        These are open visits of deals that were merged. Their manager is asked to look at them.
        """
        if len(self) < 2:
            return
        visits_sudo = self.sudo().sorted("id")
        planned_sudo = visits_sudo.notice_ids.filtered(lambda notice: notice.state == "planned")
        for notices in planned_sudo.grouped(
            lambda notice: (notice.recipient, notice.kind, notice.due_at)
        ).values():
            (notices - notices.sorted(lambda n: (n.visit_id.id, n.id))[0])._close(
                "superseded", "said_elsewhere"
            )
        visits_sudo[0]._schedule_call(
            fields.Datetime.now(),
            self.env._("Several visits after merging deals: which one stands?"),
            note=Markup("<br/>").join(
                f"{visit.name}: {visit.local_start or visit._get_state_label()}"
                for visit in visits_sudo
            ),
        )

    def _tell_measurers(self, event, former=None):
        """Send each measurer concerned one internal message about all these visits.

        :param str event: a key of ``subjects`` below
        :param dict former: measurer of each visit before
        """
        visits_by_user = defaultdict(self.browse)
        for visit in self.sudo():
            measurers = visit.measurer_id | (former or {}).get(visit, visit.measurer_id)
            for user in measurers.user_id.filtered("active") - self.env.user:
                visits_by_user[user] |= visit
        for user, visits in visits_by_user.items():
            visits = visits.with_context(lang=user.lang, tz=user.tz)
            subjects = {
                "new": visits.env._("New visit"),
                "moved": visits.env._("Visit moved"),
                "address": visits.env._("The address of a visit has changed"),
                "released": visits.env._("Visit is no longer yours"),
                "cancelled": visits.env._("Visit cancelled"),
            }
            lines = [f"{visit.name}: {visit.local_start}, {visit.address}" for visit in visits]
            visits[0].message_notify(
                partner_ids=user.partner_id.ids,
                subject=subjects[event],
                body=Markup("<br/>").join(lines),
            )
