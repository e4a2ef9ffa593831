from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms.tests.common import SMSCase
from odoo.addons.sms_gateway_http.drivers.outbox import OutboxDriver

from .common import NUMBER, OTHER_NUMBER, GatewayCase


@tagged("post_install", "-at_install")
class TestRoutes(SMSCase, GatewayCase):
    """By no route of the platform is a gateway called inside a user's request."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": "Customer", "phone": NUMBER, "company_id": cls.company.id},
                {"name": "Shop", "phone": OTHER_NUMBER, "company_id": cls.company.id},
            ]
        )

    def assert_only_queued(self, action, count=1):
        """Run `action`: it adds `count` queued messages and wakes the scheduler, nothing else.

        Afterwards the scheduler hands them over.
        """
        triggers = [("cron_id", "=", self.cron.id)]
        self.env["ir.cron.trigger"].search(triggers).unlink()
        with self.mockSMSGateway(), patch.object(OutboxDriver, "send") as call:
            result = action()
        call.assert_not_called()
        self.assertEqual(self._sms, [], "nor was Odoo's own service")
        queued = self.env["sms.sms"].search([("state", "=", "outgoing")])
        self.assertEqual(len(queued), count)
        self.assertTrue(self.env["ir.cron.trigger"].search_count(triggers))
        self.cron.method_direct_trigger()
        self.assertEqual(len(self.get_outbox()), count)
        return result

    def compose(self, mode, **values):
        return (
            self.env["sms.composer"]
            .with_user(self.employee)
            .create({"composition_mode": mode, "body": "Text", **values})
        )

    def test_send(self):
        sms = self.queue_sms()
        self.assert_only_queued(sms.with_user(self.admin).send)

    def test_send_raising(self):
        sms = self.queue_sms()
        self.assert_only_queued(lambda: sms.send(raise_exception=True, unlink_failed=True))

    def test_inner_send(self):
        self.assert_only_queued(lambda: self.queue_sms()._send())

    def test_send_both_kinds(self):
        """One call with two companies' messages: each goes its way."""
        own = self.queue_sms()
        rest = self.queue_sms(company=self.other_company)
        with self.mockSMSGateway(), patch.object(OutboxDriver, "send") as call:
            (own + rest).send()
        call.assert_not_called()
        self.assertEqual([sms["uuid"] for sms in self._sms], [rest.uuid])
        self.assert_sms(own, "outgoing")

    def test_post_on_record(self):
        partner = self.partners[0].with_user(self.employee)
        self.assert_only_queued(lambda: partner._message_sms("Text"))

    def test_composer_on_record(self):
        composer = self.compose("comment", res_model="res.partner", res_id=self.partners[0].id)
        self.assert_only_queued(composer.action_send_sms)

    def test_composer_batch_now(self):
        composer = self.compose(
            "mass",
            res_model="res.partner",
            res_ids=repr(self.partners.ids),
            mass_force_send=True,
            mass_keep_log=True,
        )
        self.assert_only_queued(composer.action_send_sms, count=2)

    def test_composer_batch_unlogged(self):
        """Without a message on the record, its company is still the one that sends."""
        self.env["sms.sms"].search([]).unlink()
        self.partners[1].company_id = self.other_company
        self.employee.company_ids += self.other_company
        composer = self.compose(
            "mass", res_model="res.partner", res_ids=repr(self.partners.ids), mass_keep_log=False
        )
        composer.with_context(
            allowed_company_ids=[self.company.id, self.other_company.id]
        ).action_send_sms()
        sms = self.env["sms.sms"].search([], order="number")
        self.assertEqual(sms.mail_message_id, self.env["mail.message"])
        self.assertEqual(
            [(one.number, one._get_sms_company()) for one in sms],
            [(NUMBER, self.company), (OTHER_NUMBER, self.other_company)],
        )

    def test_composer_numbers(self):
        composer = self.compose("numbers", numbers=NUMBER)
        self.assert_only_queued(composer.action_send_sms)

    def test_resend_failed(self):
        sms = self.queue_sms()
        sms.action_set_error("gateway_unreached")
        action = self.assert_only_queued(sms.with_user(self.admin).resend_failed)
        self.assertEqual(action["params"]["type"], "success")
        self.assertIn("wait in the queue", action["params"]["message"])

    def test_unknown_is_not_resent(self):
        sms = self.queue_sms()
        sms.state = "process"
        sms._gateway_mark_unknown("?")
        with self.mockSMSGateway(), patch.object(OutboxDriver, "send") as call:
            sms.resend_failed()
            sms.send()
            self.cron.method_direct_trigger()
        call.assert_not_called()
        self.assertEqual(self._sms, [])
        self.assert_sms(sms, "process", "gateway_unknown")

    def test_platform_api(self):
        """Code that asks the company for its API gets one that contacts nobody, and says so."""
        api = self.company.with_user(self.employee)._get_sms_api_class()(self.env)

        def send():
            sms = self.queue_sms()
            numbers = [{"number": NUMBER, "uuid": sms.uuid}]
            return api._send_sms_batch([{"content": sms.body, "numbers": numbers}])

        [result] = self.assert_only_queued(send)
        self.assertEqual(result["uuid"], self.get_outbox().uuid)
        self.assertIn("queue", api._get_sms_api_error_messages()[result["state"]])

    def test_test_sms(self):
        """The button puts one message into the queue, for a gateway that nobody uses yet."""
        gateway = self.outbox_gateway.copy({"name": "Next contract"})
        self.company.sms_gateway_id = False
        wizard = (
            self.env["sms.gateway.test"]
            .with_user(self.admin)
            .create({"gateway_id": gateway.id, "number": NUMBER, "body": "Hello"})
        )
        action = self.assert_only_queued(wizard.action_send)
        self.assertRecordValues(self.get_outbox(), [{"gateway_id": gateway.id, "body": "Hello"}])
        self.assertEqual(self.env["sms.sms"].browse(action["res_id"]).state, "pending")
