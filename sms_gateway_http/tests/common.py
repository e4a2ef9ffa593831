import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from requests import Session

from odoo.tests import TransactionCase, new_test_user

# Odoo's tests block requests by patching this method; calls to the loopback go past them.
send_request = Session.send

NUMBER = "+380501234567"
OTHER_NUMBER = "+380501234568"


class LoopbackGateway:
    """A gateway on a free port of the loopback that keeps what it is given.

    `status` and `answer` (bytes, or something to be sent as JSON) are what it answers, after
    `delay` seconds; `answers` holds what it answers at certain paths instead. With `cut` it takes
    the request and closes the connection without a word.
    """

    def __init__(self):
        self.requests = []
        self.status, self.answer, self.headers = 200, {"status": "ok", "id": "g-1"}, {}
        self.answers = {}
        self.delay, self.cut = 0, False

    @contextmanager
    def running(self, certificate=None):
        """Serve until the block ends; with a `certificate` (path of a PEM file), over TLS."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.requests.append((self.path, dict(self.headers), self.parse(content)))
                time.sleep(gateway.delay)
                if gateway.cut:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                answer = gateway.answers.get(self.path, gateway.answer)
                if not isinstance(answer, bytes):
                    answer = json.dumps(answer).encode()
                self.send_response(gateway.status)
                for name, value in gateway.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def parse(self, content):
                content_type = self.headers["Content-Type"]
                if content_type == "application/json":
                    return json.loads(content)
                text = content.decode()
                return dict(parse_qsl(text)) if "form" in content_type else text

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass  # the caller went away: wanted here

        with Server(("127.0.0.1", 0), Handler) as server:
            scheme = "http"
            if certificate:
                scheme = "https"
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True)
            self.root = f"{scheme}://127.0.0.1:{server.server_port}"
            self.url = f"{self.root}/messages"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def closed_port():
    """Return the number of a loopback port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class GatewayCase(TransactionCase):
    """Two companies, the second one without a gateway, and a user of each kind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.employee = new_test_user(
            cls.env, "employee", groups="base.group_user,base.group_partner_manager"
        )
        cls.admin = new_test_user(cls.env, "administrator", groups="base.group_system")
        cls.outbox_gateway = cls.env.ref("sms_gateway_http.sms_gateway_test")
        cls.company.sms_gateway_id = cls.outbox_gateway
        cls.cron = cls.env.ref("sms.ir_cron_sms_scheduler_action")
        cls.env["sms.sms"].search([]).unlink()
        cls.env["sms.gateway.test.message"].search([]).unlink()
        cls.env["sms.gateway.event"].search([]).unlink()

    @classmethod
    def _request_handler(cls, session, request, **kwargs):
        if urlsplit(request.url).hostname == "127.0.0.1":
            cls.last_timeout = kwargs["timeout"]
            return send_request(session, request, **kwargs)
        return super()._request_handler(session, request, **kwargs)

    def create_http_gateway(self, url, **values):
        """Return a gateway of the HTTP/JSON kind that reads `LoopbackGateway`'s answers."""
        return self.env["sms.gateway"].create(
            {
                "name": "Loopback",
                "driver": "http_json",
                "url": url,
                "sender": "Wholesale",
                "auth_value": "Bearer s3cret",
                "answer_accepted_path": "status",
                "answer_accepted_values": "ok, queued",
                "answer_id_path": "id",
                "answer_reason_path": "error.text",
                **values,
            }
        )

    def create_gateway(self, driver, **values):
        """Return a gateway of one of the other kinds, with an account."""
        return self.env["sms.gateway"].create(
            {
                "name": driver,
                "driver": driver,
                "sender": "Wholesale",
                "login": driver in ("kannel", "smsc") and "odoo",
                "secret": "s3cret",
                **values,
            }
        )

    def send_pending(self, gateway, reference, count=1, **values):
        """Return messages that `gateway` has taken and may still report on."""
        sms = self.queue_sms(count, **values)
        sms.write(
            {
                "state": "pending",
                "gateway_id": gateway.id,
                "gateway_reference": reference,
                "gateway_claimed_at": self.env.cr.now(),
                "gateway_ask_at": self.env.cr.now(),
            }
        )
        return sms

    def receive(self, gateway, *events):
        """Keep what a gateway reports, as its callback does."""
        self.env["sms.gateway.event"]._receive(gateway, events)
        return self.env["sms.gateway.event"].search(
            [("gateway_id", "=", gateway.id)], order="id", limit=len(events)
        )

    def queue_sms(self, count=1, company=None, **values):
        """Return queued messages of a company, as code would create them."""
        company = company or self.company
        return (
            self.env["sms.sms"]
            .with_company(company)
            .create([{"number": NUMBER, "body": f"Text {n}", **values} for n in range(count)])
        )

    def queue_sms_on_partner(self, number=NUMBER, user=None):
        """Return a queued message on a contact's chatter, and its notification."""
        partner = self.env["res.partner"].create({"name": "Customer", "phone": number})
        message = partner.with_user(user or self.employee)._message_sms("Text", put_in_queue=True)
        notification = message.sudo().notification_ids
        return self.env["sms.sms"].browse(notification.sms_id_int), notification

    def run_cron(self):
        """Run the SMS queue as the scheduler does, commits and all."""
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()

    def get_outbox(self):
        return self.env["sms.gateway.test.message"].search([], order="id")

    def assert_sms(self, sms, state, failure_type=False, reason=None):
        self.assertEqual((sms.state, sms.failure_type), (state, failure_type))
        if reason is not None:
            self.assertIn(reason, sms.gateway_reason or "")

    def assert_notification(self, notification, status, failure_type=False, reason=None):
        self.assertEqual(
            (notification.notification_status, notification.failure_type), (status, failure_type)
        )
        if reason is not None:
            self.assertIn(reason, notification.failure_reason or "")
