from odoo import models


class MailActivityMixin(models.AbstractModel):
    _inherit = "mail.activity.mixin"

    def _activity_schedule_quietly(self, act_type_xmlid="", **values):
        """Schedule an automated activity that mails nobody and makes nobody a follower.

        The assignee's systray counter is still told at once.

        :param values: as in ``activity_schedule``, which see.
        :return: the new activities, one per record, in the caller's context.
        """
        quiet = self.with_context(mail_activity_quick_update=True, crm_wholesale_quiet=True)
        activities = quiet.activity_schedule(act_type_xmlid, **values)
        return self.env["mail.activity"].browse(activities.ids if activities else ())
