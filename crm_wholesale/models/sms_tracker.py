from odoo import fields, models

#: What a state of an SMS means for its notice; states left out say nothing new.
SMS_STATE_TO_NOTICE_STATE = {
    "pending": "sent",
    "sent": "delivered",
    "error": "failed",
    "canceled": "cancelled",
}


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    notice_id = fields.Many2one("crm.visit.notice", ondelete="cascade", index="btree_not_null")

    def _action_update_from_provider_error(self, provider_error):
        """Fold the gateway's refusal into the notices."""
        error_status, failure_type, reason = super()._action_update_from_provider_error(
            provider_error
        )
        self._update_notices("error", failure_type=failure_type, failure_reason=reason)
        return error_status, failure_type, reason

    def _action_update_from_sms_state(self, sms_state, failure_type=False, failure_reason=False):
        """Fold the SMS's state into the notices."""
        super()._action_update_from_sms_state(
            sms_state, failure_type=failure_type, failure_reason=failure_reason
        )
        self._update_notices(sms_state, failure_type=failure_type, failure_reason=failure_reason)

    def _update_notices(self, sms_state, failure_type=False, failure_reason=False):
        state = SMS_STATE_TO_NOTICE_STATE.get(sms_state)
        if not state or not self.notice_id:
            return
        detail = failure_reason
        if failure_type and not detail:
            labels = self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env)
            detail = dict(labels).get(failure_type, failure_type)
        self.notice_id._fold_result(state, detail)
