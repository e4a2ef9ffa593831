from odoo import fields, models


class SmsGatewayTestMessage(models.Model):
    """The outbox of test gateways: what a real one would have been given, in order."""

    _name = "sms.gateway.test.message"
    _description = "Message Kept by the SMS Test Gateway"
    _order = "id desc"
    _rec_name = "number"

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    uuid = fields.Char("UUID", readonly=True, index=True)
    number = fields.Char(readonly=True)
    body = fields.Text("Message", readonly=True)
    create_date = fields.Datetime("Taken on")
