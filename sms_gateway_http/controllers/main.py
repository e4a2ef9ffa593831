import logging
import re

from werkzeug.exceptions import BadRequest, NotFound

from odoo.http import Controller, request, route

from ..drivers import Callback, CallbackRefused

MAX_BODY_SIZE = 64 * 1024  # bytes
MAX_ID = 2**31 - 1

# The address of a callback is its key, and may carry numbers: neither belongs into a log.
PRIVATE_PART = re.compile(r"(/sms_gateway_http/\d+/)\S+")


class HideCallbacks(logging.Filter):
    """Cuts the addresses of callbacks in the log of requests."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(
                PRIVATE_PART.sub(r"\1***", word) if isinstance(word, str) else word
                for word in record.args
            )
        return True


logging.getLogger("werkzeug").addFilter(HideCallbacks())


class SmsGatewayController(Controller):
    @route(
        f"/sms_gateway_http/<int(max={MAX_ID}):gateway_id>/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY_SIZE,
    )
    def receive(self, gateway_id, token, **_values):
        """Keep what a gateway reports. It is taken in by the scheduler, see `sms.gateway.event`.

        Whatever is not genuine gets the same answer as an address that does not exist.
        """
        httprequest = request.httprequest
        reference = httprequest.args.get("ref", "")
        # The gateway is nobody's user: the token, which we have made, is what it may do.
        gateway_sudo = request.env["sms.gateway"].sudo().browse(gateway_id).exists()
        if not (gateway_sudo and gateway_sudo._is_callback_token(token, reference)):
            raise NotFound
        driver = gateway_sudo._get_listening_driver()
        if not driver:
            raise NotFound
        callback = Callback(
            values={**httprequest.args.to_dict(), **httprequest.form.to_dict()},
            content=httprequest.get_data(),
            charset=httprequest.mimetype_params.get("charset", ""),
            headers={name.lower(): value for name, value in httprequest.headers.items()},
            reference=reference,
        )
        try:
            events = driver.read_callback(callback)
        except CallbackRefused as error:
            raise BadRequest from error
        request.env["sms.gateway.event"].sudo()._receive(gateway_sudo, events)
        return request.make_response("OK", [("Content-Type", "text/plain")])
