from odoo import models


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    def _gateway_mark_unknown(self, reason):
        """Tell whatever hangs on these trackers that nobody knows whether the SMS went out.

        `reason` says why, for people. The message is never sent again by itself, so somebody has
        to look. A result that comes to light later arrives through
        `_action_update_from_sms_state`, as any other.

        Override to tell further linked records; call super.
        """
        self._update_sms_notifications(
            "exception", failure_type="gateway_unknown", failure_reason=reason
        )

    def _update_sms_notifications(
        self, notification_status, failure_type=False, failure_reason=False
    ):
        # Other addons hang records on a tracker that know only the platform's failure types: the
        # caller passes one of these, and the precise one for the notification in the context.
        failure_type = self.env.context.get("sms_gateway_failure_type") or failure_type
        return super()._update_sms_notifications(
            notification_status, failure_type=failure_type, failure_reason=failure_reason
        )
