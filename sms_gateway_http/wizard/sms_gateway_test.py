from odoo import fields, models
from odoo.exceptions import UserError


class SmsGatewayTest(models.TransientModel):
    """Puts one SMS into the queue, to be handed to a gateway that may not be in use yet."""

    _name = "sms.gateway.test"
    _description = "Send a Test SMS"

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True)
    number = fields.Char(required=True, default=lambda self: self.env.user.phone)
    body = fields.Text("Message", required=True, default=lambda self: self.env._("Test SMS"))

    def action_send(self):
        """Queue the message, wake the scheduler, and show the message with its state."""
        self.ensure_one()
        number = self.env.user._phone_format(number=self.number, force_format="E164")
        if not number:
            raise UserError(
                self.env._("%(number)s is not a valid phone number.", number=self.number)
            )
        company = self.gateway_id.company_id or self.env.company
        sms = self.env["sms.sms"].create(
            {
                "gateway_id": self.gateway_id.id,
                "record_company_id": company.id,
                "number": number,
                "body": self.body,
            }
        )
        sms.send()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test SMS"),
            "res_model": "sms.sms",
            "res_id": sms.id,
            "view_mode": "form",
        }
