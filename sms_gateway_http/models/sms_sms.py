import logging
import time
import traceback
from datetime import timedelta

from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..drivers import Message, Result

_logger = logging.getLogger(__name__)

QUEUE_BATCH_SIZE = 200
RESULT_ATTEMPTS = 5

# Longer than any call to a gateway can take, and than the platform lets a worker run by default.
CLAIM_EXPIRY = timedelta(minutes=5)


class SmsSms(models.Model):
    """Rows of companies that chose a gateway are handed over by committed claim.

    outgoing -> process (claimed, committed) -> pending (taken) or error (surely not taken). Where
    nobody can tell, the row stays in `process` with the failure type "gateway_unknown". What the
    gateway reports later makes of it sent (delivered) or error (not delivered).
    """

    _inherit = "sms.sms"

    # Declared as in `sms_twilio`, so that both can be installed.
    record_company_id = fields.Many2one(
        "res.company", "Company", ondelete="set null", default=lambda self: self.env.company
    )
    gateway_id = fields.Many2one(
        "sms.gateway",
        copy=False,
        readonly=True,
        ondelete="restrict",
        help="The gateway that the message was handed to; on a queued message, the one that it "
        "shall go to whatever its company has chosen.",
    )
    gateway_claimed_at = fields.Datetime(
        "Claimed on", copy=False, readonly=True, help="When it was about to be handed over."
    )
    gateway_reference = fields.Char(
        "Gateway's ID",
        copy=False,
        readonly=True,
        help="By which the gateway knows this attempt to send it.",
    )
    gateway_ask_at = fields.Datetime(
        "Ask Again on",
        copy=False,
        readonly=True,
        help="When the gateway is asked next what became of it, if it can be asked.",
    )
    gateway_reason = fields.Char(
        "Reason", copy=False, readonly=True, help="Why it failed, in words."
    )
    failure_type = fields.Selection(
        selection_add=[
            ("gateway_refused", "Refused by the Gateway"),
            ("gateway_unreached", "Gateway Not Reached"),
            ("gateway_setup", "Gateway Not Set Up"),
            ("gateway_unknown", "Result Unknown"),
            # What the platform calls failed deliveries, on notifications only.
            ("sms_expired", "Expired"),
            ("sms_invalid_destination", "Invalid Destination"),
            ("sms_not_allowed", "Not Allowed"),
            ("sms_not_delivered", "Not Delivered"),
            ("sms_rejected", "Rejected"),
        ],
    )

    _gateway_reference_idx = models.Index("(gateway_reference) WHERE gateway_reference IS NOT NULL")

    def write(self, vals):
        if vals.get("state") == "outgoing":
            # Back in the queue: there is no claim any more, nor anything known about it.
            vals = {
                **vals,
                "gateway_id": False,
                "gateway_claimed_at": False,
                "gateway_reference": False,
                "gateway_ask_at": False,
                "gateway_reason": False,
            }
        return super().write(vals)

    def action_gateway_confirm_sent(self):
        """Say that these messages, whose result was unknown, did go out."""
        self._check_gateway_unknown()
        for sms in self:
            # The tracker's notification may be another user's; who may write the SMS may do this.
            tracker_sudo = sms.sms_tracker_id.sudo()
            sms._gateway_set_sent(tracker_sudo)

    def action_gateway_confirm_failed(self):
        """Say that these messages, whose result was unknown, did not go out."""
        self._check_gateway_unknown()
        reason = self.env._("%(user)s found that it was not sent.", user=self.env.user.name)
        for sms in self:
            tracker_sudo = sms.sms_tracker_id.sudo()  # as in `action_gateway_confirm_sent`
            sms._gateway_set_failed(tracker_sudo, "unknown", reason)

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send as the platform does; what goes through a gateway only wakes the scheduler.

        No gateway is ever called inside a user's request: the platform repeats a request whose
        transaction fails, and with it the call.
        """
        own = self._filter_gateway()
        if own:
            self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger()
        if not (rest := self - own):
            return None
        return super(SmsSms, rest).send(
            unlink_failed=unlink_failed, unlink_sent=unlink_sent, raise_exception=raise_exception
        )

    def resend_failed(self):
        action = super().resend_failed()
        queued = self._filter_gateway().filtered(lambda sms: sms.state == "outgoing")
        if queued:
            action["params"] |= {
                "type": "success",
                "title": self.env._("Success"),
                "message": self.env._(
                    "%(count)s SMS wait in the queue and will be sent within a minute.",
                    count=len(queued),
                ),
            }
        return action

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        if self.env.context.get("sms_api"):  # `send` has split them already
            return super()._send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )
        # The platform's queue passes all companies' rows at once, and breaks on two companies.
        own = self._filter_gateway()
        own._pin_missed_by_domain()
        rest = self - own
        for sms in rest.grouped(lambda sms: sms._get_sms_company()).values():
            super(SmsSms, sms)._send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )
        return None

    def _get_sms_company(self):
        return self.mail_message_id.record_company_id or self.record_company_id or self.env.company

    def _get_sms_gateway(self):
        """Return the gateway that this message goes through, empty if it is not sent by us."""
        self.ensure_one()
        sms_sudo = self.sudo()  # who may send need not be allowed to read gateways
        return sms_sudo.gateway_id or sms_sudo._get_sms_company().sms_gateway_id

    def _filter_gateway(self):
        """Return those of these messages that go through a gateway."""
        return self.filtered(lambda sms: sms._get_sms_gateway())

    def _pin_missed_by_domain(self):
        """Put these messages where the queue finds them.

        An addon that overrides `_get_sms_company` knows companies that the queue's domain does
        not: such a message would be left to us by the platform, and never found by us.
        """
        queued = self.filtered(lambda sms: sms.state == "outgoing")
        if queued:
            queued -= queued.filtered_domain(self._get_gateway_queue_domain())
        for gateway, sms in queued.grouped(lambda sms: sms._get_sms_gateway()).items():
            sms.gateway_id = gateway

    @api.model
    def _get_gateway_queue_domain(self):
        """Return the domain of the queued messages that `_get_sms_gateway` has a gateway for."""
        companies = self.env["res.company"].sudo().search([("sms_gateway_id", "!=", False)])
        own_company = Domain("record_company_id", "in", companies.ids)
        if self.env.company in companies:
            own_company |= Domain("record_company_id", "=", False)
        message_company = "mail_message_id.record_company_id"
        no_message_company = Domain("mail_message_id", "=", False) | Domain(
            message_company, "=", False
        )
        return (
            Domain("state", "=", "outgoing")
            & Domain("to_delete", "!=", True)
            & (
                Domain("gateway_id", "!=", False)
                | Domain(message_company, "in", companies.ids)
                | (no_message_company & own_company)
            )
        )

    @api.model
    def _gateway_unknown_domain(self):
        """Return the domain of the messages of which nobody knows whether they went out."""
        return Domain("state", "=", "process") & Domain("failure_type", "=", "gateway_unknown")

    def _check_gateway_unknown(self):
        """Raise unless the results of all these messages are unknown."""
        if self != self.filtered_domain(self._gateway_unknown_domain()):
            raise UserError(self.env._("The result of this message is known already."))

    def _gateway_mark_unknown(self, reason):
        """Record that nobody knows whether these messages went out; `reason` is for people.

        They keep the state `process` and are never sent again by themselves. Override, here or
        on `sms.tracker`, to put a person to it; call super.
        """
        self.write({"failure_type": "gateway_unknown", "gateway_reason": reason})
        self.sms_tracker_id._gateway_mark_unknown(reason)

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    @api.model
    def _process_queue(self):
        """Hand over what goes through gateways, then let the platform send the rest.

        What the gateways have reported is taken in first.
        """
        cron = self.env.ref("sms.ir_cron_sms_scheduler_action")
        if self._gateway_take_in_events():
            cron._trigger()
        self._gateway_settle_claims()
        if not self._gateway_process_queue():
            # At once, where the scheduler by itself would come back after up to a minute.
            cron._trigger()
            return None
        result = super()._process_queue()
        if left := self.search_count(self._get_gateway_queue_domain()):
            self.env["ir.cron"]._commit_progress(remaining=left)
        return result

    @api.model
    def _gateway_settle_claims(self):
        """Mark as unknown the messages whose worker died between its claim and the result.

        A gateway that can tell what became of one is asked before. Commits after each one. A claim
        that may still be alive is looked at again when it has expired.
        """
        claimed = self.search(
            [
                ("state", "=", "process"),
                ("gateway_claimed_at", "!=", False),
                ("failure_type", "!=", "gateway_unknown"),
            ]
        )
        alive = claimed.filtered_domain(
            [("gateway_claimed_at", ">", self.env.cr.now() - CLAIM_EXPIRY)]
        )
        if alive:
            expiry = min(alive.mapped("gateway_claimed_at")) + CLAIM_EXPIRY
            self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger(at=expiry)
        for sms in claimed - alive:
            company = sms._get_sms_company()
            if sms._gateway_ask_unknown():
                continue
            reason = sms.gateway_reason or sms.with_context(lang=company.partner_id.lang).env._(
                "The work was interrupted while the message was being handed over; the gateway "
                "may have taken it."
            )
            sms._gateway_commit(sms._gateway_mark_unknown, reason)

    @api.model
    def _gateway_process_queue(self):
        """Hand queued messages to their gateways one by one, while there are any and there is time.

        Each is claimed, handed over and given its result in transactions of its own, so that a
        crash leaves at most one message in doubt.

        :return: whether there was any time
        """
        queue = self.search(self._get_gateway_queue_domain(), limit=QUEUE_BATCH_SIZE, order="id")
        if not queue:
            return True
        plan = queue._gateway_plan()
        commit_progress = self.env["ir.cron"]._commit_progress
        if not (seconds_left := commit_progress(remaining=len(queue))):
            return False
        deadline = time.monotonic() + seconds_left
        handed_over = self.browse()
        for sms, driver in plan:
            if time.monotonic() >= deadline:
                break
            if claim := sms._gateway_claim(driver):
                sms._gateway_hand_over(driver, *claim)
                if not handed_over:
                    # The scheduler gives up on a job that dies three times without progress.
                    commit_progress(1)
                handed_over += sms
        handed_over.mail_message_id._notify_message_notification_update()
        commit_progress(max(len(handed_over) - 1, 0))
        return True

    def _gateway_plan(self):
        """Return a list of these messages, each with the driver that it goes through.

        Left out is what goes through no gateway after all, see `_pin_missed_by_domain`.
        """
        plan, drivers = [], {}
        for sms in self._filter_gateway():
            company = sms._get_sms_company()
            gateway = sms._get_sms_gateway()
            if (gateway, company) not in drivers:
                drivers[gateway, company] = gateway._get_driver(company)
            plan.append((sms, drivers[gateway, company]))
        return plan

    def _gateway_claim(self, driver):
        """Take this queued message for ourselves, and commit.

        :return: the `Message` and its tracker, or None if it is no longer there to be taken
        """
        self.ensure_one()
        # One statement: it looks, locks and claims on one snapshot, by the database's clock.
        claim = SQL(
            """
            UPDATE sms_sms
               SET state = 'process',
                   gateway_id = %(gateway_id)s,
                   gateway_reference = %(reference)s,
                   gateway_claimed_at = now() AT TIME ZONE 'UTC',
                   write_date = now() AT TIME ZONE 'UTC',
                   write_uid = %(uid)s
             WHERE id = (SELECT id
                           FROM sms_sms
                          WHERE id = %(id)s AND state = 'outgoing' AND to_delete IS NOT TRUE
                     FOR UPDATE SKIP LOCKED)
         RETURNING uuid,
                   number,
                   body,
                   gateway_reference,
                   (SELECT id FROM sms_tracker WHERE sms_uuid = sms_sms.uuid)
            """,
            id=self.id,
            gateway_id=driver.gateway_id,
            reference=driver.make_reference() or None,
            uid=self.env.uid,
        )
        try:
            self.env.cr.execute(claim, log_exceptions=False)
        except TransactionRollbackError:  # changed by somebody else at this very moment
            self.env.cr.rollback()
            return None
        if not (row := self.env.cr.fetchone()):
            return None
        # The claim has to stand whatever happens to this process during the call.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        uuid, number, body, reference, tracker_id = row
        tracker = self.env["sms.tracker"].browse(tracker_id)
        return Message(uuid, number or "", body or "", reference or ""), tracker

    def _gateway_hand_over(self, driver, message, tracker):
        """Call the gateway for this claimed message, record the result, and commit."""
        if not message.number:
            result = Result(failure_type="sms_number_missing")
        else:
            try:
                result = driver.send(message)
            except Exception as error:
                self.env.cr.rollback()
                self._gateway_log(error)
                reason = driver.env._(
                    "An error occurred while the message was being handed over; the gateway may "
                    "have taken it."
                )
                result = Result(failure_type="gateway_unknown", reason=reason)
        self._gateway_commit(self._gateway_set_result, driver, message, result, tracker)

    def _gateway_set_result(self, driver, message, result, tracker):
        """Record what is known about this message after the call, here and on its tracker."""
        self.ensure_one()
        tracker = tracker.with_context(sms_skip_msg_notification=True)  # told once for the batch
        if result.failure_type == "gateway_unknown":
            if driver.asks_unknown:
                self._gateway_ask_later(result.reason)
            else:
                self._gateway_mark_unknown(result.reason)
            return
        if result.failure_type:
            self._gateway_set_failed(tracker, result.failure_type, result.reason)
        else:
            self._gateway_set_sent(
                tracker,
                gateway_reference=result.reference or message.reference,
                gateway_ask_at=driver.asks and self.env.cr.now().replace(microsecond=0),
                to_delete=not driver.reports,
            )
        self._handle_call_result_hook(
            [
                {
                    "uuid": message.uuid,
                    "state": "server_error" if result.failure_type else "success",
                    "failure_reason": result.reason,
                }
            ]
        )

    def _gateway_ask_later(self, reason):
        """Leave this message claimed: the gateway is asked what became of it as the claim expires.

        `reason` is for people, in case that the gateway does not know either.
        """
        self.gateway_reason = reason
        expiry = self.env.cr.now() + CLAIM_EXPIRY
        self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger(at=expiry)

    def _gateway_set_sent(self, tracker, **values):
        """Record that this message was taken, with further `values`."""
        self.write(
            {
                "state": "pending",
                "failure_type": False,
                "gateway_reason": False,
                "to_delete": True,
                **values,
            }
        )
        tracker._action_update_from_sms_state("pending")

    def _gateway_set_failed(self, tracker, failure_type, reason):
        """Record that this message was surely not taken, and why."""
        self.write({"state": "error", "failure_type": failure_type, "gateway_reason": reason})
        tracker.with_context(sms_gateway_failure_type=failure_type)._action_update_from_sms_state(
            "error",
            failure_type="sms_server" if failure_type.startswith("gateway_") else failure_type,
            failure_reason=reason,
        )

    def _gateway_commit(self, work, *args):
        """Do `work(*args)` about this message and commit; again, if it clashed with other work.

        Whatever else goes wrong is undone and logged: one bad message must not stop the rest. It
        is then left claimed, so that its result becomes unknown when the claim expires.

        :return: whether it was done
        """
        for attempt in range(1, RESULT_ATTEMPTS + 1):
            try:
                work(*args)
                # One message's result must not be lost with the next one's.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                return True
            except Exception as error:
                self.env.cr.rollback()
                if not isinstance(error, TransactionRollbackError) or attempt == RESULT_ATTEMPTS:
                    self._gateway_log(error)
                    return False
        return False

    def _gateway_log(self, error):
        """Log where an error occurred, without its words: they may hold a number or a secret."""
        _logger.error(
            "SMS %s: %s\n%s",
            self.id,
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )
