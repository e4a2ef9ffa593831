"""A real Odoo server of several processes, its users over HTTP, and a gateway to send SMS to.

The whole-system tests use it. Databases are copies of the one that ``./dev test`` prepares, and are
dropped with it.
"""

import copy
import importlib.machinery
import importlib.util
import os
import re
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from email import message_from_bytes
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import requests

ROOT = Path(__file__).resolve().parent.parent
#: Seconds until a cron worker has surely looked at what is due: it wakes up every 60 to 69.
CRON_PATIENCE = 150
#: Of a refused request the user is told, see ``Refused``; the log only repeats it.
REFUSAL = "WARNING odoo.http: "
#: Odoo's own calls to the world outside, which a test must not make.
STAY_LOCAL = """
UPDATE ir_cron SET active = FALSE WHERE id IN (
    SELECT res_id FROM ir_model_data
     WHERE model = 'ir.cron' AND (
           module IN ('crm_iap_enrich', 'snailmail')
        OR name = 'ir_cron_module_update_notification'));
DELETE FROM ir_config_parameter WHERE key = 'crm.iap.lead.enrich.setting';
INSERT INTO ir_config_parameter (key, value) VALUES ('crm.iap.lead.enrich.setting', 'manual')
"""
PG = {name: value for name, value in os.environ.items() if name.startswith("PG")}


def load_dev():
    """Return the command-line tool ``dev`` as a module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
    loader.exec_module(module)
    return module


dev = load_dev()


def utc_now():
    """Return the time in UTC, as Odoo has it: without a zone and without microseconds."""
    return datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)


def wait_for(condition, what, seconds=CRON_PATIENCE):
    """Return the first true result of ``condition()``; fail when it does not come in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} seconds")


# --- Databases ----------------------------------------------------------------------------------


@contextmanager
def database(purpose, template=None):
    """Yield the name of a new database; without a template, one with our addons."""
    name = f"{os.environ['ODOO_TEMPLATE']}_{purpose}"
    dev.drop_database(PG, name)
    with dev.lock("database"):
        dev.copy_database(PG, template or os.environ["ODOO_TEMPLATE"], name)
    try:
        yield name
    finally:
        dev.drop_database(PG, name)


@contextmanager
def plain_database(purpose):
    """Yield the name of a new database with Odoo's modules only."""
    with database(purpose, dev.need_template(PG, dev.find_odoo(), False)) as name:
        yield name


def sql(name, query):
    """Return the rows of a query on a database as lists of texts."""
    return [line.split("|") for line in dev.sql(PG, query, name).splitlines()]


def change(name, statement):
    """Execute a statement on a database."""
    dev.sql(PG, statement, name)


def odoo(name, *arguments):
    """Run Odoo on a database without serving it; return its log.

    :raise dev.Failure: when Odoo ends with an error
    """
    arguments = ["-d", name, "--stop-after-init", "--no-http", "--max-cron-threads=0", *arguments]
    platform = dev.find_odoo()
    return dev.step(
        f"Odoo on {name}",
        dev.odoo_command(platform, *arguments),
        log=name,
        env=dev.environment(PG, platform),
    )


def uninstall(name, *modules):
    """Uninstall modules from a database."""
    platform = dev.find_odoo()
    command = dev.odoo_command(platform, "module", "uninstall", "-d", name, *modules)
    title = f"Uninstall from {name}"
    dev.step(title, command, log=name, env=dev.environment(PG, platform))


# --- Server -------------------------------------------------------------------------------------


class Server:
    """A running Odoo server."""

    def __init__(self, database, process, port):
        self.database = database
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.log = dev.log_path(f"server-{port}")
        self.admin = self.login("admin")

    def login(self, login):
        """Return a user logged in; the password is the login."""
        return User(self.url, self.database, login)

    def new_user(self, login, *groups):
        """Create a user who is an employee with these groups and nothing more; return it logged in.

        :param groups: external ids
        """
        group_ids = [self.admin.ref(group) for group in ("base.group_user", *groups)]
        self.admin.create(
            "res.users",
            name=login.replace("_", " ").title(),
            login=login,
            password=login,
            email=f"{login}@firm.example.com",
            tz="Europe/Kyiv",
            group_ids=[(6, 0, group_ids)],
        )
        return self.login(login)

    def complaints(self):
        """Return the warnings and errors in the server's log, but for refused requests."""
        lines = dev.complaints(self.log.read_text())
        return [line for line in lines if not line.startswith(REFUSAL)]


@contextmanager
def serve(name, *options):
    """Yield a server on a database: two processes for requests and two for scheduled actions."""
    change(name, STAY_LOCAL)
    port, gevent_port = dev.free_port(), dev.free_port()
    processes = ["--workers=2", "--max-cron-threads=2", f"--gevent-port={gevent_port}"]
    process = dev.serve(PG, dev.find_odoo(), name, port, *processes, *options)
    try:
        yield Server(name, process, port)
    finally:
        dev.stop(process)


# --- Users --------------------------------------------------------------------------------------


class Refused(Exception):
    """What a user is told when the server refuses."""

    def __init__(self, error):
        data = error.get("data", {})
        super().__init__(data.get("message") or error["message"])
        self.kind = data.get("name", "").rpartition(".")[2]
        self.debug = data.get("debug", "")


class User:
    """A user's session, talking to the server as the browser does."""

    def __init__(self, url, database, login):
        self.url = url
        self.session = requests.Session()
        credentials = {"db": database, "login": login, "password": login}
        info = self.json("/web/session/authenticate", **credentials)
        self.id = info["uid"]
        self.partner_id = info["partner_id"]

    def open_window(self):
        """Return the same user in a window of its own, which another thread may use."""
        window = copy.copy(self)
        window.session = requests.Session()
        window.session.cookies.update(self.session.cookies)
        return window

    def json(self, path, **params):
        """Return the result of a JSON-RPC request.

        :raise Refused: with the server's words
        """
        request = {"jsonrpc": "2.0", "method": "call", "params": params}
        response = self.session.post(self.url + path, json=request, timeout=120)
        response.raise_for_status()
        answer = response.json()
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("result")  # there is none where a method returns nothing

    def upload(self, path, file_name, content, content_type, **data):
        """Send a file as a form of the browser does."""
        page = self.session.get(f"{self.url}/odoo", timeout=120).text
        data["csrf_token"] = re.search(r'csrf_token: "(\w+)"', page).group(1)
        files = {"ufile": (file_name, content, content_type)}
        response = self.session.post(self.url + path, data=data, files=files, timeout=120)
        response.raise_for_status()

    def call(self, model, method, *args, **kwargs):
        """Return the result of a public method."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self.json(path, model=model, method=method, args=args, kwargs=kwargs)

    def create(self, model, context=None, **values):
        """Return the id of a new record."""
        return self.call(model, "create", [values], context=context or {})[0]

    def write(self, model, ids, **values):
        """Write values to records."""
        self.call(model, "write", ids, values)

    def search(self, model, domain, *fields, order="id"):
        """Return the records of a domain as dicts."""
        return self.call(model, "search_read", domain, list(fields) or ["id"], order=order)

    def read(self, model, record_id, *fields):
        """Return a record as a dict."""
        (record,) = self.call(model, "read", [record_id], list(fields))
        return record

    def ref(self, xmlid):
        """Return the id of a record by its external id; for administrators."""
        module, _, name = xmlid.partition(".")
        domain = [("module", "=", module), ("name", "=", name)]
        (data,) = self.search("ir.model.data", domain, "res_id")
        return data["res_id"]


# --- SMS gateway --------------------------------------------------------------------------------


class SmsGateway:
    """An SMS gateway at a local port, which keeps every request that it gets.

    ``messages`` are dicts with number, text, id and the UTC time ``at``. ``before_answer`` is
    called with each before the gateway answers that it took it.
    """

    #: What the addon's settings of this gateway are.
    SETTINGS = {
        "name": "Local gateway",
        "driver": "http_json",
        "body_template": dumps({"number": "{number}", "text": "{text}", "id": "{uuid}"}),
        "answer_id_path": "id",
    }

    def __init__(self):
        self.messages = []
        self.before_answer = lambda message: None
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = {**loads(body), "at": utc_now(), "peer": self.client_address}
                gateway.messages.append(message)
                gateway.before_answer(message)
                answer = dumps({"id": f"local-{len(gateway.messages)}"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/send"

    def set_up(self, server):
        """Make this the gateway of the server's company, as its administrator does."""
        admin = server.admin
        gateway_id = admin.create("sms.gateway", url=self.url, **self.SETTINGS)
        (company,) = admin.search("res.company", [])
        admin.write("res.company", [company["id"]], sms_gateway_id=gateway_id)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


# --- Mail server --------------------------------------------------------------------------------


class MailServer:
    """A mail server at a local port, which keeps every message that it gets in ``messages``."""

    def __init__(self):
        self.messages = []
        mail = self

        class Handler(StreamRequestHandler):
            def handle(self):
                self.reply("220 local")
                for line in self.rfile:
                    verb = line[:4].upper().strip()
                    if verb == b"DATA":
                        self.reply("354 go on")
                        mail.messages.append(message_from_bytes(self.read_message(), policy=SMTP))
                    self.reply("221 bye" if verb == b"QUIT" else "250 ok")

            def read_message(self):
                """Return the lines up to the one with a single full stop."""
                return b"".join(iter(self.rfile.readline, b".\r\n"))

            def reply(self, text):
                self.wfile.write(f"{text}\r\n".encode())

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        sender = "--email-from=office@firm.example.com"
        self.options = ["--smtp=127.0.0.1", f"--smtp-port={port}", sender]

    def find(self, address):
        """Return the messages to an address."""
        return [message for message in self.messages if address in message["To"]]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
