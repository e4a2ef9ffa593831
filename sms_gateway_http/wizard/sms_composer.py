from odoo import models


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    def _prepare_mass_sms_values(self, records):
        values = super()._prepare_mass_sms_values(records)
        companies = records._mail_get_companies(default=self.env.company)
        for record_id, sms_values in values.items():
            sms_values["record_company_id"] = companies[record_id].id
        return values
