from odoo.addons.sms.tools.sms_api import SmsApiBase


class SmsApiGateway(SmsApiBase):
    """What code gets that asks the company for its API, to send inside a request.

    It contacts nobody and says so: the message stays in the queue, from where alone a gateway is
    called.
    """

    def _get_sms_api_error_messages(self):
        return super()._get_sms_api_error_messages() | {
            "gateway_queued": self.env._(
                "not yet: it waits in the queue and is handed to the gateway within a minute."
            ),
        }

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        return [
            {"uuid": number["uuid"], "state": "gateway_queued"}
            for message in messages
            for number in message["numbers"]
        ]
