from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open, mute_logger

from odoo.addons.mail.tools.discuss import Store

from .common import NUMBER, GatewayCase


@tagged("post_install", "-at_install")
class TestGateway(GatewayCase):
    def test_guarantees(self):
        self.assertTrue(self.company._sms_gateway_guarantees())
        self.assertFalse(self.other_company._sms_gateway_guarantees())

    def test_settings(self):
        """The administrator chooses the gateway on the settings page and takes it back."""
        self.company.sms_gateway_id = False
        settings = self.env["res.config.settings"].with_user(self.admin)
        with Form(settings) as form:
            form.sms_gateway_id = self.outbox_gateway
        form.record.execute()
        self.assertEqual(self.company.sms_gateway_id, self.outbox_gateway)
        self.assertEqual(form.record.action_open_sms_gateway()["res_id"], self.outbox_gateway.id)
        action = form.record.action_send_test_sms()
        self.assertEqual(action["context"], {"default_gateway_id": self.outbox_gateway.id})
        with Form(settings) as form:
            form.sms_gateway_id = self.env["sms.gateway"]
        form.record.execute()
        self.assertFalse(self.company.sms_gateway_id)
        self.assertFalse(form.record.action_open_sms_gateway()["res_id"], "the list")

    def test_form(self):
        with Form(self.env["sms.gateway"].with_user(self.admin)) as form:
            form.name = "Contract"
            form.url = "https://gateway.example.com/"
            form.auth_value = "Bearer s3cret"
        gateway = form.record
        self.assertEqual((gateway.driver, gateway.company_id), ("http_json", self.company))
        self.assertFalse(gateway.copy().auth_value)
        self.assertEqual(
            dict(self.env["sms.gateway"]._fields["driver"]._description_selection(self.env)),
            {
                "http_json": "HTTP with JSON",
                "kannel": "Kannel",
                "smsc": "SMSC",
                "smsfly": "SMS-fly",
                "turbosms": "TurboSMS",
                "test": "Test gateway: nothing leaves this database",
            },
        )

    def test_forms_of_the_kinds(self):
        """Each kind asks for its own account, and can be created by typing it."""
        for driver, values in [
            ("kannel", {"url": "http://127.0.0.1:13013/cgi-bin/sendsms", "login": "odoo"}),
            ("smsc", {"smsc_host": "smsc.kz", "login": "odoo"}),
            ("smsfly", {}),
            ("turbosms", {}),
        ]:
            with self.subTest(driver=driver):
                with Form(self.env["sms.gateway"].with_user(self.admin)) as form:
                    form.name = driver
                    form.driver = driver
                    form.secret = "s3cret"
                    for name, value in values.items():
                        form[name] = value
                gateway = form.record
                self.assertFalse(gateway.copy().secret)
                self.assertEqual(gateway.tells_balance, driver != "kannel")
                self.assertEqual(bool(gateway.callback_url), driver != "smsfly")

    def test_account_for_headers(self):
        for values in (
            {"secret": "пароль"},
            {"login": "odoo\r\nX-Other: 1"},
            {"sender": "Оптом"},
            {"url": False},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.create_gateway("kannel", **({"url": "http://127.0.0.1:1/"} | values))
        self.create_gateway("smsc", sender="Оптом", secret="пароль")

    def test_open_messages_and_inbox(self):
        gateway = self.outbox_gateway.with_user(self.admin)
        for action in (gateway.action_open_messages(), gateway.action_open_inbox()):
            self.assertEqual(action["domain"], [("gateway_id", "=", gateway.id)])

    def test_kinds_speak_the_readers_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        env = self.env(user=self.admin, context={"lang": "uk_UA"})
        kinds = env["sms.gateway"].fields_get(["driver"])["driver"]["selection"]
        self.assertEqual(dict(kinds)["http_json"], "HTTP із JSON")

    def test_open_outbox(self):
        action = self.outbox_gateway.with_user(self.admin).action_open_test_outbox()
        self.assertEqual(action["domain"], [("gateway_id", "=", self.outbox_gateway.id)])

    def test_another_companys_gateway(self):
        gateway = self.outbox_gateway.copy({"company_id": self.other_company.id})
        with self.assertRaisesRegex(ValidationError, "belongs to another company"):
            self.company.sms_gateway_id = gateway
        self.other_company.sms_gateway_id = gateway
        with self.assertRaisesRegex(ValidationError, "belongs to another company"):
            gateway.company_id = self.company
        gateway.company_id = False

    def test_gateway_in_use_cannot_be_deleted(self):
        gateway = self.outbox_gateway.copy()
        self.company.sms_gateway_id = gateway
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            gateway.unlink()

    def test_kind_that_is_gone(self):
        """The addon that brought the driver was uninstalled: fails with the reason, no crash."""
        gateway = self.outbox_gateway.copy({"name": "Gone"})
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_gateway SET driver = 'gone' WHERE id = %s", [gateway.id])
        gateway.invalidate_recordset()
        self.company.sms_gateway_id = gateway
        sms = self.queue_sms()
        self.run_cron()
        self.assert_sms(sms, "error", "gateway_setup", "not installed any more")

    def test_test_sms_bad_number(self):
        wizard = self.env["sms.gateway.test"].create(
            {"gateway_id": self.outbox_gateway.id, "number": "12", "body": "Text"}
        )
        with self.assertRaisesRegex(UserError, "12 is not a valid phone number"):
            wizard.action_send()

    def test_result_known_already(self):
        sms = self.queue_sms()
        for action in (sms.action_gateway_confirm_sent, sms.action_gateway_confirm_failed):
            with self.assertRaisesRegex(UserError, "known already"):
                action()
        self.assert_sms(sms, "outgoing")

    def test_neutralize(self):
        gateway = self.create_http_gateway("https://gateway.example.com/")
        gateway.write({"login": "odoo", "secret": "s3cret", "callback_secret": "word"})
        self.company.sms_gateway_id = gateway
        self.env.flush_all()
        with file_open("sms_gateway_http/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        gateway.invalidate_recordset()
        self.assertEqual(gateway.driver, "test")
        for name in ("url", "auth_value", "login", "secret", "callback_secret", "callback_url"):
            self.assertFalse(gateway[name])
        sms = self.queue_sms()
        self.run_cron()
        self.assertEqual(self.get_outbox().uuid, sms.uuid)

    def test_reason_reaches_the_chatter(self):
        """The web client gets the words of our failures, and of no others."""
        _sms, notification = self.queue_sms_on_partner()
        for failure_type, words in [("gateway_refused", "Stop list"), ("sms_server", None)]:
            notification.write(
                {
                    "notification_status": "exception",
                    "failure_type": failure_type,
                    "failure_reason": "Stop list",
                }
            )
            [data] = Store().add(notification).get_result()["mail.notification"]
            self.assertEqual(data.get("failure_reason"), words)

    def test_fields_are_ours_alone(self):
        """Uninstalling drops the columns: no other addon shares them, except one of Twilio's."""
        for model, names in [
            ("res.company", ["sms_gateway_id"]),
            (
                "sms.sms",
                [
                    "gateway_ask_at",
                    "gateway_claimed_at",
                    "gateway_id",
                    "gateway_reason",
                    "gateway_reference",
                ],
            ),
        ]:
            for name in names:
                field = self.env["ir.model.fields"]._get(model, name)
                self.assertEqual(field.modules, "sms_gateway_http")

    def test_number_of_test_sms(self):
        self.admin.partner_id.phone = NUMBER
        wizard = self.env["sms.gateway.test"].with_user(self.admin)
        with Form(wizard.with_context(default_gateway_id=self.outbox_gateway.id)) as form:
            self.assertEqual(form.number, NUMBER)
            self.assertTrue(form.body)
