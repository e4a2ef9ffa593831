from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..drivers import Report

#: What must be the whole reply, but for blanks, full stops and exclamation marks around it.
STOP_WORDS = {"stop", "unsubscribe", "стоп", "відписка", "відписатися", "отписка", "отписаться"}

# A message is not waited for any longer, see `SmsSms._gc_gateway_pending`.
MATCH_PATIENCE = timedelta(days=3)
RETENTION = timedelta(days=30)
MAX_LENGTH = 500  # characters of a text that is kept


class SmsGatewayEvent(models.Model):
    """The inbox: what gateways report, kept as it comes, and taken in by the SMS queue.

    Nothing is changed in a message by the request that brings the report: it would clash with the
    worker that is sending just then. Rows are only added; what becomes of one is all that is
    written later.
    """

    _name = "sms.gateway.event"
    _description = "SMS Gateway Inbox"
    _order = "id desc"
    _rec_name = "number"

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(
        [("report", "Delivery Report"), ("reply", "Reply")], required=True, readonly=True
    )
    key = fields.Char(readonly=True, help="The event's own id: the same event counts only once.")
    create_date = fields.Datetime("Received on")
    state = fields.Selection(
        [
            ("new", "Waiting"),
            ("used", "Taken In"),
            ("ignored", "Without Effect"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="new",
    )

    # A report
    reference = fields.Char("Message", readonly=True, help="Which message the gateway speaks of.")
    delivery_state = fields.Selection(
        [
            ("accepted", "On its Way"),
            ("delivered", "Delivered"),
            ("failed", "Not Delivered"),
            ("missing", "Not Known"),
        ],
        readonly=True,
    )
    failure_type = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)

    # A reply
    number = fields.Char(readonly=True)
    body = fields.Text("Text", readonly=True)

    _key_unique = models.UniqueIndex("(gateway_id, key)")
    _new_idx = models.Index("(id) WHERE state = 'new'")

    def write(self, vals):
        if vals.keys() - {"state"}:
            raise UserError(self.env._("What a gateway has reported cannot be changed."))
        return super().write(vals)

    @api.model
    def _receive(self, gateway, events):
        """Keep each new `Report` and `Reply` of `gateway`, and wake the queue to take them in."""
        received = 0
        for event in events:
            is_report = isinstance(event, Report)
            values = {
                "reference": event.reference if is_report else None,
                "delivery_state": event.state if is_report else None,
                "failure_type": event.failure_type if is_report else None,
                "reason": event.reason if is_report else None,
                "number": None if is_report else event.number,
                "body": None if is_report else event.text,
                "key": event.key,
            }
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO sms_gateway_event
                           (gateway_id, kind, state, create_uid, create_date, write_uid, write_date,
                            %(names)s)
                    VALUES (%(gateway_id)s, %(kind)s, 'new', %(uid)s, now() AT TIME ZONE 'UTC',
                            %(uid)s, now() AT TIME ZONE 'UTC', %(values)s)
               ON CONFLICT (gateway_id, key) DO NOTHING
                    """,
                    names=SQL(", ").join(map(SQL.identifier, values)),
                    gateway_id=gateway.id,
                    kind="report" if is_report else "reply",
                    uid=self.env.uid,
                    values=SQL(", ").join(SQL("%s", clean(text)) for text in values.values()),
                )
            )
            received += self.env.cr.rowcount
        if received:
            self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()._trigger()

    @api.model
    def _get_new_replies(self, limit):
        """Return the oldest replies that wait to be taken in."""
        return self.search([("state", "=", "new"), ("kind", "=", "reply")], order="id", limit=limit)

    def _take_in_reply(self):
        """Put the number on the blacklist if this reply asks for it."""
        self.ensure_one()
        self.state = "ignored"
        if is_stop_word(self.body):
            number = self.env.user._phone_format(number=self.number, force_format="E164")
            if number:
                self.state = "used"
                self._handle_stop(number)

    def _handle_stop(self, number):
        """Put `number` (E.164), whose owner wants no more SMS, on the blacklist.

        Override to have further consequences; call super.
        """
        self.env["phone.blacklist"].sudo()._add(
            [number],
            message=self.env._("Asked for by SMS to %(gateway)s.", gateway=self.gateway_id.name),
        )

    @api.autovacuum
    def _gc_events(self):
        """Give up on reports whose message never turned up, and delete what is old."""
        now = self.env.cr.now()
        self.search([("state", "=", "new"), ("create_date", "<", now - MATCH_PATIENCE)]).write(
            {"state": "ignored"}
        )
        self.search([("create_date", "<", now - RETENTION)], limit=10_000).unlink()


def is_stop_word(text):
    """Tell whether a reply means that its sender wants no more messages."""
    return (text or "").strip(" \t\r\n.!").casefold() in STOP_WORDS


def clean(text):
    """Return text that the database can keep, None if there is none."""
    return (text or "").replace("\0", "").encode(errors="replace").decode()[:MAX_LENGTH] or None
