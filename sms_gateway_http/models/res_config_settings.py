from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_gateway_id = fields.Many2one(related="company_id.sms_gateway_id", readonly=False)
    sms_gateway_driver = fields.Selection(related="sms_gateway_id.driver")

    def action_open_sms_gateway(self):
        """Open the chosen gateway, or the list of gateways."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_gateway_http.sms_gateway_action"
        )
        if self.sms_gateway_id:
            action |= {"views": [(False, "form")], "res_id": self.sms_gateway_id.id}
        return action

    def action_send_test_sms(self):
        """Open the wizard that sends a test SMS through the chosen gateway."""
        return self.sms_gateway_id.action_send_test_sms()
