from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ..drivers import Message
from .sms_sms import CLAIM_EXPIRY

FOLD_BATCH_SIZE = 500
REPORT_PATIENCE = timedelta(days=3)


class SmsSms(models.Model):
    """What the gateways report is taken in by the queue itself, so that it never clashes with it.

    By rank, never backwards: delivered > not delivered > taken. A message that the gateway does
    not know was surely not taken, if nothing else is known about it.
    """

    _inherit = "sms.sms"

    @api.model
    def _gateway_take_in_events(self):
        """Take in the reports and replies that wait in the inbox, each in its own transaction.

        :return: whether there may be more
        """
        Event = self.env["sms.gateway.event"]
        pairs = self._gateway_match_reports(FOLD_BATCH_SIZE)
        for event, sms in pairs:
            if not sms._gateway_commit(sms._gateway_take_in_report, event):
                sms._gateway_commit(event.write, {"state": "failed"})
        replies = Event._get_new_replies(FOLD_BATCH_SIZE)
        for reply in replies:
            if not self._gateway_commit(reply._take_in_reply):
                self._gateway_commit(reply.write, {"state": "failed"})
        return FOLD_BATCH_SIZE in (len(pairs), len(replies))

    @api.model
    def _gateway_match_reports(self, limit):
        """Return a list of the oldest reports that can be taken in, each with its message.

        Left waiting are those whose message is still being handed over, or not known (yet).
        """
        self.env["sms.gateway.event"].flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT event.id, sms.id
                  FROM sms_gateway_event event
                  JOIN sms_sms sms
                    ON sms.gateway_id = event.gateway_id
                   AND (sms.gateway_reference = event.reference OR sms.uuid = event.reference)
                 WHERE event.state = 'new'
                   AND event.kind = 'report'
                   AND sms.state != 'outgoing'
                   AND (
                        sms.state != 'process'
                        OR sms.failure_type = 'gateway_unknown'
                        OR sms.gateway_claimed_at <= %(alive_since)s
                   )
              ORDER BY event.id
                 LIMIT %(limit)s
                """,
                alive_since=self.env.cr.now() - CLAIM_EXPIRY,
                limit=limit,
            )
        )
        Event = self.env["sms.gateway.event"]
        return [(Event.browse(event_id), self.browse(sms_id)) for event_id, sms_id in rows]

    def _gateway_take_in_report(self, event):
        """Record what `event` says about this message, unless more is known already."""
        self.ensure_one()
        tracker = self.sms_tracker_id
        state, is_news = event.delivery_state, True
        if state == "delivered" and self.state != "sent":
            self._gateway_set_delivered(tracker)
        elif state == "failed" and self.state in ("process", "pending"):
            self._gateway_set_undelivered(tracker, event.failure_type, event.reason)
        elif state == "accepted" and self.state == "process":
            self._gateway_set_sent(tracker, to_delete=False)
        elif state == "missing" and self.state == "process":
            reason = self.env._("The gateway says that it did not get this message.")
            self._gateway_set_failed(tracker, "gateway_refused", reason)
        else:
            is_news = False
        event.state = "used" if is_news else "ignored"

    def _gateway_set_delivered(self, tracker):
        """Record that this message was delivered."""
        self.write(
            {
                "state": "sent",
                "failure_type": False,
                "gateway_reason": False,
                "gateway_ask_at": False,
                "to_delete": True,
            }
        )
        tracker._action_update_from_sms_state("sent")

    def _gateway_set_undelivered(self, tracker, failure_type, reason):
        """Record that this message was taken but could not be delivered, and why."""
        self.write({"state": "error", "failure_type": failure_type, "gateway_reason": reason})
        provider_error = failure_type.removeprefix("sms_")
        if failure_type in self.DELIVERY_ERRORS:
            tracker.with_context(
                sms_known_failure_reason=reason
            )._action_update_from_provider_error(provider_error)
        else:
            tracker._action_update_from_sms_state(
                "error", failure_type=failure_type, failure_reason=reason
            )

    def _gateway_ask_unknown(self):
        """Ask the gateway whether it took this message; take its answer in and commit it.

        :return: whether it is known now
        """
        self.ensure_one()
        gateway = self.gateway_id
        driver = gateway and gateway._get_driver(self._get_sms_company())
        if not (driver and driver.asks_unknown):
            return False
        message = Message(self.uuid, self.number or "", "", self.gateway_reference or "")
        report = gateway._call(driver.ask, message)
        if not report:
            return False
        self.env["sms.gateway.event"]._receive(gateway, [report])
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self._gateway_take_in_events()
        return self.state != "process"

    @api.autovacuum
    def _gc_gateway_pending(self):
        """Stop waiting for reports on messages that were taken days ago: they can be deleted."""
        self.search(
            [
                ("state", "=", "pending"),
                ("to_delete", "!=", True),
                ("gateway_claimed_at", "<", self.env.cr.now() - REPORT_PATIENCE),
            ]
        ).write({"to_delete": True, "gateway_ask_at": False})
