import json
import re
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..drivers import DRIVERS, ObstructedDriver, smsc

BODY_TEMPLATE = """\
{
    "to": "{number}",
    "from": "{sender}",
    "text": "{text}",
    "id": "{uuid}"
}"""


class SmsGateway(models.Model):
    """An account at a gateway: where messages go, and how they are handed over."""

    _name = "sms.gateway"
    _description = "SMS Gateway"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        help="Only this company can choose the gateway. Empty: every company can.",
    )
    driver = fields.Selection(
        "_selection_driver", "Kind", required=True, default="http_json", help="How it is talked to."
    )
    sender = fields.Char(
        help="The name or number that the customer sees, as agreed with the gateway."
    )

    # The account
    login = fields.Char(groups="base.group_system")
    secret = fields.Char(
        "Password",
        copy=False,
        groups="base.group_system",
        help="The password or key of the account.",
    )
    smsc_host = fields.Selection(
        [(host, host) for host in smsc.HOSTS],
        "Country's Site",
        default=smsc.HOSTS[0],
        help="Where you have your account.",
    )

    # HTTP with JSON: the request
    url = fields.Char("URL", help="Each message is sent to this address by POST.")
    auth_header = fields.Char(
        "Header", default="Authorization", help="The HTTP header that proves who you are."
    )
    auth_value = fields.Char(
        "Header Value",
        copy=False,
        groups="base.group_system",
        help="The secret that the gateway gave you, with any word that it wants before it, "
        'such as "Bearer".',
    )
    body_template = fields.Text(
        "Message as JSON",
        default=BODY_TEMPLATE,
        help="Placeholders: {number} with +, {digits} without, {text}, {sender}, and {uuid}, which "
        "stays the same for the same message.",
    )

    # HTTP with JSON: the answer
    answer_accepted_path = fields.Char(
        "Verdict",
        help='Where the answer says whether the message was taken, as in "messages.0.status". '
        "Empty: HTTP status 200 to 299 is enough.",
    )
    answer_accepted_values = fields.Char(
        "Means Taken", help='What stands there when it was, as in "0, 800, 801".'
    )
    answer_id_path = fields.Char("Message ID", help="Where the gateway's own id of it stands.")
    answer_reason_path = fields.Char(
        "Reason", help="Where the words stand that say why it was refused."
    )

    # HTTP with JSON: what it reports
    report_id_path = fields.Char(
        "Report: Message",
        help="Where a delivery report says which message it is about: the id that the gateway gave "
        "it, or its {uuid}.",
    )
    report_state_path = fields.Char(
        "Report: State", help="Where a delivery report says what became of the message."
    )
    report_delivered_values = fields.Char(
        "Means Delivered", help='What stands there when it was delivered, as in "delivered, read".'
    )
    report_failed_values = fields.Char(
        "Means Not Delivered", help="What stands there when it will never be."
    )
    reply_number_path = fields.Char(
        "Reply: Number", help="Where a reply has the number of its sender."
    )
    reply_text_path = fields.Char("Reply: Text", help="Where a reply has its text.")

    def _selection_driver(self):
        return [(code, driver.get_label(self.env)) for code, driver in DRIVERS.items()]

    @api.constrains("driver", "url")
    def _check_url(self):
        for gateway in self.filtered(lambda gateway: gateway.driver in ("http_json", "kannel")):
            try:
                address = urlsplit(gateway.url or "")
                valid = address.scheme in ("http", "https") and bool(address.hostname)
                valid = valid and address.port != 0 and not re.search(r"\s", gateway.url)
            except ValueError:
                valid = False
            if not valid:
                raise ValidationError(
                    self.env._("Give the gateway's URL, beginning with https:// or http://.")
                )

    @api.constrains("auth_header", "auth_value")
    def _check_auth(self):
        for gateway in self:
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*", gateway.auth_header or ""):
                raise ValidationError(
                    self.env._("An HTTP header's name has letters, digits and hyphens only.")
                )
            if not re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", gateway.auth_value or ""):
                raise ValidationError(
                    self.env._(
                        "A header's value is one line of Latin letters, digits and signs, "
                        "without blanks around it."
                    )
                )

    @api.constrains("driver", "login", "secret", "sender")
    def _check_account(self):
        """These drivers send the account in HTTP headers."""
        for gateway in self.filtered(lambda gateway: gateway.driver in ("kannel", "turbosms")):
            words = [gateway.login, gateway.secret]
            if gateway.driver == "kannel":
                words.append(gateway.sender)
            if not all(re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", word or "") for word in words):
                raise ValidationError(
                    self.env._(
                        "Login, password and sender have Latin letters, digits and signs only, "
                        "without blanks around them."
                    )
                )

    @api.constrains("driver", "body_template")
    def _check_body_template(self):
        for gateway in self.filtered(lambda gateway: gateway.driver == "http_json"):
            template = gateway.body_template or ""
            try:
                json.loads(template)
            except ValueError as error:
                raise ValidationError(
                    self.env._("The message is not valid JSON: %(error)s", error=error)
                ) from error
            if "{text}" not in template or not re.search(r"\{(number|digits)\}", template):
                raise ValidationError(
                    self.env._(
                        "The message needs the placeholders {text} and {number} (or {digits})."
                    )
                )

    @api.constrains("answer_accepted_path", "answer_accepted_values")
    def _check_answer_accepted(self):
        for gateway in self:
            if bool(gateway.answer_accepted_path) != bool(gateway.answer_accepted_values):
                raise ValidationError(
                    self.env._(
                        "Say both where the verdict stands and what means taken, or neither."
                    )
                )

    @api.constrains(
        "report_id_path",
        "report_state_path",
        "report_delivered_values",
        "reply_number_path",
        "reply_text_path",
    )
    def _check_report(self):
        for gateway in self:
            report = (
                gateway.report_id_path,
                gateway.report_state_path,
                gateway.report_delivered_values,
            )
            if any(report) and not all(report):
                raise ValidationError(
                    self.env._(
                        "Say where a report has its message and its state, and what means "
                        "delivered, or nothing of it."
                    )
                )
            if bool(gateway.reply_number_path) != bool(gateway.reply_text_path):
                raise ValidationError(
                    self.env._("Say both where a reply has its number and its text, or neither.")
                )

    @api.constrains("company_id")
    def _check_company_id(self):
        self.env["res.company"].sudo().search(
            [("sms_gateway_id", "in", self.ids)]
        )._check_sms_gateway_id()

    def action_send_test_sms(self):
        """Open the wizard that sends a test SMS through this gateway."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send a Test SMS"),
            "res_model": "sms.gateway.test",
            "view_mode": "form",
            "target": "new",
            "context": {"default_gateway_id": self.id},
        }

    def action_open_messages(self):
        """Open the messages that were handed to this gateway, as long as Odoo keeps them."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sms.sms_sms_action")
        return action | {"domain": [("gateway_id", "=", self.id)], "context": {"create": False}}

    def action_open_inbox(self):
        """Open what this gateway has reported."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_gateway_http.sms_gateway_event_action"
        )
        return action | {"domain": [("gateway_id", "=", self.id)]}

    def action_open_test_outbox(self):
        """Open the messages that this test gateway has kept."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_gateway_http.sms_gateway_test_message_action"
        )
        return action | {"domain": [("gateway_id", "=", self.id)]}

    def _get_obstacle(self):
        """Return in words why nothing can be sent through this gateway now, "" if it can."""
        self.ensure_one()
        if not self.active:
            return self.env._("The SMS gateway %(gateway)s is archived.", gateway=self.name)
        if self.driver not in DRIVERS:
            return self.env._(
                "The SMS gateway %(gateway)s is of a kind that is not installed any more.",
                gateway=self.name,
            )
        return ""

    def _get_driver(self, company):
        """Return the driver that hands `company`'s messages to this gateway.

        What it says to people is in the company's language.
        """
        self.ensure_one()
        gateway = self.with_context(lang=company.partner_id.lang)
        if reason := gateway._get_obstacle():
            return ObstructedDriver(gateway, company, reason)
        return DRIVERS[self.driver](gateway, company)
