from odoo import api, models
from odoo.exceptions import AccessError, UserError


class MailActivity(models.Model):
    """What a person does to the tasks of a customer notice counts for the notice.

    Done on its SMS task means told by hand, deleting that task cancels the notice, and done on
    its call task means told by hand as well. What the software removes, always with sudo, means
    nothing: the notice still goes out. Only the software links an activity to a notice.
    """

    _inherit = "mail.activity"

    @api.model_create_multi
    def create(self, vals_list):
        activities = super().create(vals_list)
        if not self.env.su and activities.sudo().notice_id:
            raise self._make_notice_link_error()
        return activities

    def write(self, vals):
        if not self.env.su:
            if "notice_id" in vals:
                raise self._make_notice_link_error()
            if vals.keys() & {"date_deadline", "due_at"} and self._get_planned_notices_sudo():
                raise UserError(
                    self.env._(
                        "This task only shows when the SMS goes out. Move the visit, or send or "
                        "cancel the notice."
                    )
                )
        return super().write(vals)

    def unlink(self):
        if self.env.su:
            return super().unlink()
        planned_sudo = self._get_planned_notices_sudo()
        result = super().unlink()
        if planned_sudo:
            planned_sudo._cancel_by_hand("cancelled_by_hand")
        return result

    def _action_done(self, feedback=False, attachment_ids=None):
        planned_sudo = self._get_planned_notices_sudo()
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        if planned_sudo:
            planned_sudo._cancel_by_hand("told_by_hand")
        notices_sudo = self.env["crm.visit.notice"].sudo()
        notices_sudo.search([("call_activity_id", "in", self.ids)]).told_by_hand = True
        return result

    def _get_planned_notices_sudo(self):
        """Return the notices, with sudo, that these open SMS tasks stand for."""
        notices_sudo = self.sudo().filtered("active").notice_id
        return notices_sudo.filtered(lambda notice: notice.state == "planned")

    def _make_notice_link_error(self):
        return AccessError(self.env._("Only the software links an activity to a notice."))
