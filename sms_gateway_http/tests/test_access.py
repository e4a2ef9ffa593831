from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.sms_gateway_http.drivers import Report

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestAccess(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = new_test_user(
            cls.env,
            "reader",
            groups="base.group_user,sms_gateway_http.sms_gateway_http_group_test_outbox",
        )
        cls.kept = cls.env["sms.gateway.test.message"].create(
            {"gateway_id": cls.outbox_gateway.id, "company_id": cls.company.id, "body": "Text"}
        )

    def test_gateway(self):
        gateway = self.outbox_gateway
        values = {"name": "New", "driver": "test"}
        as_admin = self.env["sms.gateway"].with_user(self.admin)
        created = as_admin.create(values)
        created.auth_value = "s3cret"
        self.assertEqual(created.read(["auth_value"])[0]["auth_value"], "s3cret")
        created.unlink()
        for user in (self.employee, self.reader):
            forbidden = gateway.with_user(user)
            for action in (
                lambda forbidden: forbidden.read(["name"]),
                lambda forbidden: forbidden.search([("auth_value", "=like", "s%")]),
                lambda forbidden: forbidden.write({"name": "Mine"}),
                lambda forbidden: forbidden.create(values),
                lambda forbidden: forbidden.unlink(),
                lambda forbidden: forbidden.name,
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    action(forbidden)

    def test_choice_of_gateway(self):
        company = self.company.with_user(self.admin)
        company.sms_gateway_id = False
        company.sms_gateway_id = self.outbox_gateway
        company = self.company.with_user(self.employee)
        self.assertTrue(company._sms_gateway_guarantees(), "may be asked by anybody's code")
        with self.assertRaises(AccessError):
            company.read(["sms_gateway_id"])
        with self.assertRaises(AccessError):
            company.write({"sms_gateway_id": False})

    def test_outbox(self):
        self.assertEqual(self.kept.with_user(self.reader).body, "Text")
        self.assertEqual(self.kept.with_user(self.admin).body, "Text")
        with self.assertRaises(AccessError):
            self.kept.with_user(self.employee).read(["body"])
        for user in (self.employee, self.reader):
            with self.assertRaises(AccessError):
                self.kept.with_user(user).unlink()
        for user in (self.employee, self.reader, self.admin):
            with self.assertRaises(AccessError):
                self.kept.with_user(user).write({"body": "Other"})
            with self.assertRaises(AccessError):
                self.kept.with_user(user).create({"company_id": self.company.id})
        self.kept.with_user(self.admin).unlink()

    def test_secrets(self):
        """Not even code that may read gateways hands them to anybody but administrators."""
        gateway = self.create_gateway("smsc", callback_secret="word")
        secrets = ["login", "secret", "callback_secret", "callback_url", "auth_value"]
        self.assertEqual(gateway.with_user(self.admin).read(["secret"])[0]["secret"], "s3cret")
        for name in secrets:
            with self.assertRaises(AccessError):
                gateway.with_user(self.employee).read([name])
            self.assertEqual(gateway._fields[name].groups, "base.group_system")

    def test_inbox(self):
        event = self.receive(self.outbox_gateway, Report("1", "delivered"))
        self.assertEqual(event.with_user(self.admin).reference, "1")
        for user in (self.employee, self.reader):
            with self.assertRaises(AccessError):
                event.with_user(user).read(["reference"])
            with self.assertRaises(AccessError):
                event.with_user(user).unlink()
        for user in (self.employee, self.admin):
            with self.assertRaises(AccessError):
                event.with_user(user).write({"state": "used"})
            with self.assertRaises(AccessError):
                event.with_user(user).create({"gateway_id": self.outbox_gateway.id})
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            event.write({"delivery_state": "failed"})
        event.with_user(self.admin).unlink()

    def test_balance(self):
        gateway = self.create_gateway("smsc")
        gateway.with_user(self.admin).action_ask_balance()
        with self.assertRaises(AccessError):
            gateway.with_user(self.employee).action_ask_balance()

    def test_other_companies(self):
        gateway = self.outbox_gateway.copy({"company_id": self.other_company.id})
        kept = self.kept.copy({"company_id": self.other_company.id})
        event = self.receive(gateway, Report("1", "delivered"))
        for record, user in [
            (gateway, self.admin),
            (kept, self.reader),
            (kept, self.admin),
            (event, self.admin),
        ]:
            with self.subTest(record=record._name, user=user.login):
                with self.assertRaises(AccessError):
                    record.with_user(user).read(["create_date"])
                user.company_ids += self.other_company
                record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids).read(
                    ["create_date"]
                )
                user.company_ids -= self.other_company

    def test_test_sms(self):
        values = {"gateway_id": self.outbox_gateway.id, "number": "+380501234567", "body": "Text"}
        self.env["sms.gateway.test"].with_user(self.admin).create(values).action_send()
        with self.assertRaises(AccessError):
            self.env["sms.gateway.test"].with_user(self.employee).create(values)

    def test_unknown_results(self):
        sms = self.queue_sms()
        sms.write({"state": "process", "failure_type": "gateway_unknown"})
        for action in ("action_gateway_confirm_sent", "action_gateway_confirm_failed"):
            with self.assertRaises(AccessError):
                getattr(sms.with_user(self.employee), action)()
        sms.with_user(self.admin).action_gateway_confirm_sent()
