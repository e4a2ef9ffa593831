import logging
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..drivers import DRIVERS, Message

_logger = logging.getLogger(__name__)

BALANCE_AGE = timedelta(days=1)
ASK_BATCH_SIZE = 100
ASK_TIME = 60  # seconds for each gateway in one run


class SmsGateway(models.Model):
    """What gateways are asked, always by the scheduler: deliveries and balances."""

    _inherit = "sms.gateway"

    tells_balance = fields.Boolean(compute="_compute_tells_balance")
    balance = fields.Char(
        readonly=True, copy=False, help="What is left on the account, in the gateway's own words."
    )
    balance_date = fields.Datetime("Asked on", readonly=True, copy=False)
    balance_wanted = fields.Boolean(readonly=True, copy=False)

    @api.depends("driver")
    def _compute_tells_balance(self):
        for gateway in self:
            driver = DRIVERS.get(gateway.driver)
            gateway.tells_balance = bool(driver and driver.tells_balance)

    def action_ask_balance(self):
        """Let the scheduler ask for the balance: no gateway is called inside a user's request."""
        self.write({"balance_wanted": True})
        self.env.ref("sms_gateway_http.sms_gateway_cron_ask").sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "The gateway will be asked within a minute. Reload the page to see its answer."
                ),
            },
        }

    @api.model
    def _cron_ask(self):
        """Ask each gateway for its balance, once a day, and for messages it took."""
        kinds = [kind for kind, driver in DRIVERS.items() if driver.asks or driver.tells_balance]
        for gateway in self.search([("driver", "in", kinds)]):
            if not gateway._get_obstacle():
                driver = gateway._get_driver(gateway.company_id or self.env.company)
                gateway._ask_balance(driver)
                gateway._ask_deliveries(driver)

    def _ask_balance(self, driver):
        """Ask for the balance if it is time to, and commit it."""
        self.ensure_one()
        now = self.env.cr.now().replace(microsecond=0)
        known = self.balance_date and now - self.balance_date < BALANCE_AGE
        if not driver.tells_balance or (known and not self.balance_wanted):
            return
        balance = self._call(driver.get_balance)
        self.write({"balance": balance, "balance_date": now, "balance_wanted": False})
        self.env["ir.cron"]._commit_progress()

    def _ask_deliveries(self, driver):
        """Ask what became of messages that were taken, and commit each answer to the inbox.

        A message is asked about again after as much time as it is old, so the questions get rare.
        """
        self.ensure_one()
        if not driver.asks:
            return
        commit_progress = self.env["ir.cron"]._commit_progress
        due = self.env["sms.sms"].search(
            [
                ("gateway_id", "=", self.id),
                ("state", "=", "pending"),
                ("to_delete", "!=", True),
                ("gateway_ask_at", "<=", self.env.cr.now()),
            ],
            order="gateway_ask_at, id",
            limit=ASK_BATCH_SIZE,
        )
        seconds_left = min(commit_progress(remaining=len(due)), ASK_TIME)
        deadline = time.monotonic() + seconds_left
        for sms in due:
            if time.monotonic() >= deadline:
                break
            message = Message(sms.uuid, sms.number or "", "", sms.gateway_reference or "")
            report = self._call(driver.ask, message)
            sms._gateway_commit(self._keep_answer, sms, report)
            commit_progress(1)

    def _keep_answer(self, sms, report):
        """Put the gateway's answer into the inbox, and say when it is asked about `sms` again."""
        if report and report.state in ("delivered", "failed"):
            self.env["sms.gateway.event"]._receive(self, [report])
        # Not by the ORM: what the queue writes at the same time must not be overwritten.
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_sms
                   SET gateway_ask_at = now() AT TIME ZONE 'UTC' + GREATEST(
                           now() AT TIME ZONE 'UTC' - gateway_claimed_at,
                           interval '5 minutes'
                       )
                 WHERE id = %s AND state = 'pending'
                """,
                sms.id,
            )
        )

    def _call(self, question, *args):
        """Return the answer to a question to the gateway, None if there is none.

        An error is logged without its words: they may hold a number or a secret.
        """
        try:
            return question(*args)
        except Exception as error:
            _logger.error("SMS gateway %s: %s", self.id, type(error).__name__)
            return None
