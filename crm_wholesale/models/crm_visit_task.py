from collections import defaultdict
from datetime import timedelta

import pytz
from markupsafe import Markup

from odoo import models


class CrmVisit(models.Model):
    """The tasks and messages to colleagues around a visit."""

    _inherit = "crm.visit"  # pylint: disable=consider-merging-classes-inherited

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
            zone = pytz.timezone(visit.tz)
            local = pytz.utc.localize(visit.done_at).astimezone(zone).replace(tzinfo=None)
            local += timedelta(days=visit.type_id.callback_days)
            due_at = zone.localize(local).astimezone(pytz.utc).replace(tzinfo=None, second=0)
            visit._schedule_call(
                due_at, self.env._("Measured on %(visit)s: call with the offer", visit=visit.name)
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

    def _tell_measurers(self, event, former=None):
        """Send each measurer concerned one internal message about all these visits.

        :param str event: ``new``, ``moved``, ``released`` or ``cancelled``
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
                "released": visits.env._("Visit is no longer yours"),
                "cancelled": visits.env._("Visit cancelled"),
            }
            lines = [f"{visit.name}: {visit.local_start}, {visit.address}" for visit in visits]
            visits[0].message_notify(
                partner_ids=user.partner_id.ids,
                subject=subjects[event],
                body=Markup("<br/>").join(lines),
            )
