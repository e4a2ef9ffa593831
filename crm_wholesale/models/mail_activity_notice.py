from odoo import models


class MailActivity(models.Model):
    """What a person does to the tasks of a customer notice counts for the notice.

    Done on its SMS task means told by hand, deleting that task cancels the notice, and done on
    its call task means told by hand as well. What the software removes, always with sudo, means
    nothing: the notice still goes out.
    """

    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        planned_sudo = self._get_planned_notices_sudo()
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        planned_sudo._cancel_by_hand("told_by_hand")
        notices_sudo = self.env["crm.visit.notice"].sudo()
        notices_sudo.search([("call_activity_id", "in", self.ids)]).told_by_hand = True
        return result

    def unlink(self):
        planned_sudo = self.env["crm.visit.notice"].sudo()
        if not self.env.su:
            planned_sudo = self._get_planned_notices_sudo()
        result = super().unlink()
        if planned_sudo:
            planned_sudo._cancel_by_hand("cancelled_by_hand")
        return result

    def _get_planned_notices_sudo(self):
        """Return the notices, with sudo, that these open SMS tasks stand for."""
        notices_sudo = self.sudo().filtered("active").notice_id
        return notices_sudo.filtered(lambda notice: notice.state == "planned")
