from contextlib import closing, contextmanager
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from odoo.addons.sms.tools.sms_api import SmsApi
from odoo.addons.sms_gateway_http.drivers import Report
from odoo.addons.sms_gateway_http.drivers.outbox import OutboxDriver

from .common import NUMBER


@tagged("post_install", "-at_install")
class TestReportBeforeCommit(BaseCase):
    """A report that comes while its batch is still being sent, in transactions of its own.

    Everything is committed for once, and removed afterwards.
    """

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.work() as env:
            company = env.ref("base.main_company")
            self.old_gateway_id = company.sms_gateway_id.id
            partners = env["res.partner"].create(
                [{"name": f"Customer {n}", "phone": NUMBER} for n in range(3)]
            )
            for partner in partners:
                partner._message_sms("Text", put_in_queue=True)
            self.partner_ids = partners.ids
            sms = env["sms.sms"].search([("partner_id", "in", partners.ids)], order="id")
            self.uuids = sms.mapped("uuid")
        self.addCleanup(self.clean_up)

    def clean_up(self):
        with self.work() as env:
            env.ref("base.main_company").sms_gateway_id = self.old_gateway_id
            for model, field in [
                ("sms.gateway.event", "reference"),
                ("sms.gateway.test.message", "uuid"),
                ("sms.sms", "uuid"),
            ]:
                env[model].search([(field, "in", self.uuids)]).unlink()
            env["res.partner"].browse(self.partner_ids).unlink()
            cron = env.ref("sms.ir_cron_sms_scheduler_action")
            env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()

    @contextmanager
    def work(self):
        """A transaction of its own, committed at its end."""
        with closing(self.registry.cursor()) as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})
            cr.commit()  # pylint: disable=invalid-commit

    def choose_gateway(self, xml_id):
        with self.work() as env:
            gateway = xml_id and env.ref(xml_id)
            env.ref("base.main_company").sms_gateway_id = gateway
            return gateway and gateway.id

    def run_queue(self):
        """Run the queue as a worker does; what fails is rolled back, as there."""
        with closing(self.registry.cursor()) as cr:
            try:
                api.Environment(cr, SUPERUSER_ID, {})["sms.sms"]._process_queue()
                cr.commit()  # pylint: disable=invalid-commit
            except Exception:
                cr.rollback()

    def read_states(self):
        with self.work() as env:
            return env["sms.sms"].search([("uuid", "in", self.uuids)], order="id").mapped("state")

    @mute_logger("odoo.sql_db")
    def test_platform_sends_the_rest_twice(self):
        """The platform's fault, by which we measure ourselves."""
        sent = []

        def contact_iap(sms_api, endpoint, params, **kwargs):
            uuids = [
                number["uuid"] for message in params["messages"] for number in message["numbers"]
            ]
            sent.extend(uuids)
            if len(sent) == len(uuids):
                with self.work() as env:
                    tracker = env["sms.tracker"].search([("sms_uuid", "=", self.uuids[0])])
                    tracker._action_update_from_sms_state("sent")
            return [{"uuid": uuid, "state": "success", "credit": 1} for uuid in uuids]

        self.choose_gateway(False)
        with patch.object(SmsApi, "_contact_iap", contact_iap):
            self.run_queue()
            self.assertEqual(set(self.read_states()), {"outgoing"}, "all of it is undone")
            self.run_queue()
        for uuid in self.uuids[1:]:
            self.assertEqual(sent.count(uuid), 2)

    def test_gateway_sends_each_once(self):
        gateway_id = self.choose_gateway("sms_gateway_http.sms_gateway_test")
        send, sent = OutboxDriver.send, []

        def send_and_report(driver, message):
            sent.append(message.uuid)
            result = send(driver, message)
            if len(sent) == 1:
                with self.work() as env:
                    gateway = env["sms.gateway"].browse(gateway_id)
                    report = Report(message.uuid, "delivered")
                    env["sms.gateway.event"]._receive(gateway, [report])
            return result

        with patch.object(OutboxDriver, "send", send_and_report):
            self.run_queue()
            self.run_queue()
        self.assertEqual(sent, self.uuids, "each of them once")
        self.assertEqual(self.read_states(), ["sent", "pending", "pending"])
