from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.sms_api import SmsApiGateway


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_gateway_id = fields.Many2one(
        "sms.gateway",
        "SMS Gateway",
        ondelete="restrict",
        groups="base.group_system",
        help="Sends this company's SMS. Empty: Odoo sends them as it would without gateways.",
    )

    @api.constrains("sms_gateway_id")
    def _check_sms_gateway_id(self):
        for company in self.filtered("sms_gateway_id"):
            if company.sms_gateway_id.company_id not in (company, company.browse()):
                raise ValidationError(
                    self.env._(
                        "The SMS gateway %(gateway)s belongs to another company than %(company)s.",
                        gateway=company.sms_gateway_id.name,
                        company=company.name,
                    )
                )

    def _sms_gateway_guarantees(self):
        """Tell whether this company's SMS are handed over once each, by a committed claim.

        False with any other provider: then our knowledge ends where the message is queued.
        """
        self.ensure_one()
        return bool(self.sudo().sms_gateway_id)  # readable by administrators only

    def _get_sms_api_class(self):
        if self._sms_gateway_guarantees():
            return SmsApiGateway
        return super()._get_sms_api_class()
