from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _get_sms_company(self):
        """Return the companies that answer for these messages: a notice's is its visit's."""
        notices = self.sms_tracker_id.notice_id
        others = self.filtered(lambda sms: not sms.sms_tracker_id.notice_id)
        companies = notices.company_id
        if others or not self:
            companies |= super(SmsSms, others)._get_sms_company()
        return companies

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send company by company.

        The platform's queue passes the messages of all companies at once and then refuses them
        all, because each company may have another gateway.
        """
        for messages in self.grouped(lambda sms: sms._get_sms_company()).values():
            super(SmsSms, messages)._send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )
