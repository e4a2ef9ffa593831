import logging
import traceback
from datetime import timedelta
from uuid import uuid4

import phonenumbers
import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: A reminder that reaches the customer later than this before the visit is of no use: call instead.
MINIMUM_NOTICE = timedelta(minutes=30)
#: How long a message may be with the gateway without a result until nobody knows what became of it.
RESULT_PATIENCE = timedelta(minutes=10)

#: The states of its visit in which a notice still says the truth.
VISIT_STATES = {
    "reminder": ("scheduled", "confirmed", "en_route"),
    "moved": ("scheduled", "confirmed", "en_route"),
    "cancelled": ("cancelled",),
    "on_my_way": ("en_route",),
}
NOT_STANDING_STATES = ("draft", "cancelled")
#: A result is taken by a notice in one of these states, when it ranks above that state.
OPEN_RESULT_RANKS = {"queued": 1, "unknown": 2, "sent": 3, "failed": 4}
RESULT_RANKS = {"cancelled": 2, "sent": 3, "failed": 4, "delivered": 5}

#: Kinds of telephone line that no SMS reaches.
NO_SMS_LINES = (
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.UAN,
    phonenumbers.PhoneNumberType.VOICEMAIL,
)

PURPOSE = "visit_service"
FACE_TYPE = "crm_wholesale.mail_activity_type_customer_sms"
CALL_TYPE = "crm_wholesale.mail_activity_type_call_customer"


class CrmVisitNotice(models.Model):
    """What the customer of a visit is told: outbox and permanent ledger.

    A row is written in the transaction that books, moves or cancels the visit, and handed over to
    the SMS queue by ``_dispatch_due`` at its minute, after everything has been looked at again.
    All times are UTC. Only the methods of this model write rows; nobody deletes them.
    """

    _name = "crm.visit.notice"
    _description = "Customer Notice"
    _order = "due_at, id"

    # What
    visit_id = fields.Many2one(
        "crm.visit", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="visit_id.company_id", store=True, precompute=True, index=True
    )
    revision = fields.Integer(
        required=True,
        readonly=True,
        default=0,
        help="The revision of the visit that the customer is told of.",
    )
    kind = fields.Selection(
        [
            ("reminder", "Reminder"),
            ("moved", "Visit moved"),
            ("cancelled", "Visit cancelled"),
            ("on_my_way", "On the way"),
        ],
        required=True,
        readonly=True,
    )
    channel = fields.Selection([("sms", "SMS")], required=True, readonly=True, default="sms")
    lead_minutes = fields.Integer(
        "Minutes Before",
        required=True,
        readonly=True,
        default=0,
        help="How long before the visit the customer is reminded; 0 for other notices.",
    )
    manual = fields.Boolean("Made by Hand", readonly=True)
    uuid = fields.Char(
        "UUID",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: uuid4().hex,
        help="The same as that of the SMS, which does not stay for long.",
    )

    # When
    due_at = fields.Datetime("Goes Out At", required=True, readonly=True)
    useful_until = fields.Datetime(
        required=True, readonly=True, help="Later than this the notice is not sent any more."
    )
    queued_at = fields.Datetime("Handed Over At", readonly=True)
    sent_at = fields.Datetime(readonly=True)
    delivered_at = fields.Datetime(readonly=True)
    attempts = fields.Integer(readonly=True)

    # What came of it
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("queued", "Handed Over"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("failed", "Failed"),
            ("unknown", "Unknown"),
            ("cancelled", "Cancelled"),
            ("superseded", "Superseded"),
        ],
        required=True,
        readonly=True,
        default="planned",
    )
    reason = fields.Selection(
        [
            ("told_by_hand", "Told by hand"),
            ("cancelled_by_hand", "Cancelled by hand"),
            ("visit_changed", "The visit has been changed"),
            ("visit_over", "The visit does not stand any more"),
            ("visit_begun", "The measurer is already on the way or has been there"),
            ("said_elsewhere", "Another notice tells the customer the same"),
            ("too_late", "It is too late for an SMS"),
            ("no_phone", "There is no telephone number"),
            ("bad_phone", "The telephone number is not valid"),
            ("no_sms_phone", "This kind of telephone number receives no SMS"),
            ("blacklisted", "The customer has objected: the number is on the blacklist"),
            ("no_consent", "There is no consent in force"),
            ("broken", "The message could not be made"),
            ("not_sent", "The message stayed in the SMS queue for too long"),
            ("refused", "The SMS gateway refused the message"),
            ("withdrawn", "The message was cancelled in the SMS queue"),
            ("no_result", "The SMS gateway gave no result"),
        ],
        readonly=True,
    )
    detail = fields.Char(readonly=True, help="Who cancelled, or what the gateway answered.")
    explanation = fields.Char("Reason in Words", compute="_compute_explanation")
    told_by_hand = fields.Boolean(
        readonly=True, help="A person told the customer what this notice was to say."
    )

    # To whom, in which words
    phone = fields.Char(readonly=True, help="The number that was used, or was of no use.")
    body = fields.Text("Text Handed Over", readonly=True)
    recipient = fields.Char("To", compute="_compute_recipient")
    preview = fields.Text("Text", compute="_compute_preview")

    # Tasks
    activity_ids = fields.One2many("mail.activity", "notice_id", "SMS Task")
    call_due = fields.Boolean(readonly=True, help="A call task is still to be made.")
    call_activity_id = fields.Many2one(
        "mail.activity", "Call Task", readonly=True, ondelete="set null", index="btree_not_null"
    )

    _once = models.UniqueIndex(
        "(visit_id, revision, kind, channel, lead_minutes) WHERE manual IS NOT TRUE",
        "The customer is told each thing once.",
    )
    _uuid_unique = models.Constraint("UNIQUE(uuid)", "Another notice has this UUID.")
    _due_idx = models.Index("(due_at, id) WHERE state = 'planned'")
    _queued_idx = models.Index("(id) WHERE state = 'queued'")
    _call_due_idx = models.Index("(due_at, id) WHERE call_due IS TRUE")

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("kind", "visit_id")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for notice in self:
            notice.display_name = f"{labels.get(notice.kind, '')}: {notice.visit_id.name}"

    @api.depends("reason", "detail")
    @api.depends_context("lang")
    def _compute_explanation(self):
        labels = dict(self._fields["reason"]._description_selection(self.env))
        for notice in self:
            parts = filter(None, [labels.get(notice.reason), notice.detail])
            notice.explanation = ": ".join(parts)

    @api.depends("phone", "visit_id")
    def _compute_recipient(self):
        for notice in self:
            notice.recipient = notice.phone or next(
                filter(None, reversed(notice.sudo()._get_recipient())), False
            )

    @api.depends("body", "kind", "visit_id")
    def _compute_preview(self):
        for notice in self:
            # With sudo: the text takes what it needs of the visit and the firm, and no more.
            notice.preview = notice.body or notice.sudo()._get_preview()

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What customers were told is kept. Notices can be cancelled, not deleted.")
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_send_now(self):
        """Let the planned notices go out with the next run, within about a minute."""
        self._check_may_change()
        planned_sudo = self.sudo().filtered(lambda notice: notice.state == "planned")
        if not planned_sudo:
            raise UserError(self.env._("Only a planned notice can be sent now."))
        now = self.env.cr.now().replace(microsecond=0)
        planned_sudo.due_at = now
        planned_sudo.activity_ids.due_at = now
        self._wake_dispatcher()

    def action_cancel(self):
        """Cancel the notices in the name of the user.

        :raise UserError: when one has left already
        """
        self._check_may_change()
        self.sudo()._cancel_by_hand("cancelled_by_hand")

    def _check_may_change(self):
        """Raise unless the user may change the visits: notices themselves are nobody's to write.

        :raise AccessError:
        """
        self.check_access("read")
        self.visit_id.check_access("write")

    # ------------------------------------------------------------------
    # Planning: called by visits, in their transaction
    # ------------------------------------------------------------------

    @api.model
    def _plan_reminders(self, visits):
        """Plan the reminders of the visits' present revision; what is planned already stays.

        A moment that has passed already means now, for the nearest one only, unless the customer
        is told at once anyway that the visit was moved. Less than ``MINIMUM_NOTICE`` before the
        visit the manager gets a call task instead.

        :return: the new notices
        """
        now = self.env.cr.now().replace(microsecond=0)
        told = self._filter_told(visits.sudo().filtered("revision"))
        vals_list = []
        for visit in visits.sudo().filtered("start"):
            starts_at = visit.window_start or visit.start
            moments = {
                minutes: starts_at - timedelta(minutes=minutes)
                for minutes in visit.type_id._get_reminder_minutes()
            }
            past = [minutes for minutes, moment in moments.items() if moment <= now]
            for minutes in past:
                if minutes == min(past) and visit not in told:
                    moments[minutes] = now
                else:
                    del moments[minutes]
            vals_list += [
                self._prepare_notice_values(
                    visit,
                    "reminder",
                    due_at=due_at,
                    useful_until=starts_at,
                    lead_minutes=minutes,
                )
                for minutes, due_at in moments.items()
            ]
        return self._plan(vals_list)

    @api.model
    def _tell(self, visits, kind):
        """Plan a notice, due now, that visits were moved or cancelled or the measurer is coming.

        :param str kind: ``"moved"``, ``"cancelled"`` or ``"on_my_way"``
        :return: the new notices
        """
        now = self.env.cr.now().replace(microsecond=0)
        return self._plan(
            [
                self._prepare_notice_values(
                    visit,
                    kind,
                    due_at=now,
                    useful_until=self._get_useful_until(visit, kind),
                )
                for visit in visits.sudo().filtered("start")
            ]
        )

    @api.model
    def _supersede(self, visits):
        """Close what is still to be said of the visits and is not true any more, with its tasks.

        Call after a visit was moved, cancelled or finished.
        """
        by_reason = self.search([("visit_id", "in", visits.ids)]).grouped(
            lambda notice: notice._get_outdated_reason()
        )
        by_reason.pop(False, None)
        outdated = self.browse().union(*by_reason.values())
        outdated._lock_quietly()
        pending = outdated.filtered(lambda notice: notice.state == "planned")
        pending |= outdated._withdraw_sms()
        for reason, notices in by_reason.items():
            (notices & pending)._close("superseded", reason)
        outdated.call_activity_id.unlink()
        outdated.filtered("call_due").call_due = False

    def _lock_quietly(self):
        """Hold these rows until the end of the transaction.

        :raise psycopg2.errors.SerializationFailure: when the dispatcher changed one since this
            transaction began; the platform then repeats the request, and nothing is logged
        """
        if self:
            self.env.cr.execute(
                "SELECT id FROM crm_visit_notice WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [self.ids],
                log_exceptions=False,
            )

    @api.model
    def _filter_told(self, visits):
        """Return the visits whose customer has been told a time: by us, or by a person.

        A message that has left counts, whatever became of it, as does one that is leaving now.
        """
        told = self.search(
            [
                ("visit_id", "in", visits.ids),
                "|",
                ("told_by_hand", "=", True),
                ("state", "in", ("queued", "sent", "delivered", "unknown")),
            ]
        )
        told -= told.filtered(lambda notice: not notice.told_by_hand)._get_waiting_sms()[0]
        told_ids = set(told.visit_id.ids)
        return visits.filtered(lambda visit: visit.id in told_ids)

    @api.model
    def _get_useful_until(self, visit, kind):
        """Return until when (UTC) a notice that goes out at once is of use to the customer."""
        if kind == "cancelled":
            return visit.stop
        if kind == "on_my_way":
            return max(visit.expected_at, visit.start)
        return visit.window_start or visit.start

    @api.model
    def _prepare_notice_values(self, visit, kind, *, due_at, useful_until, lead_minutes=0):
        """Return the values of a notice of the visit's present revision.

        Override to add values; call super first.
        """
        return {
            "visit_id": visit.id,
            "revision": visit.revision,
            "kind": kind,
            "lead_minutes": lead_minutes,
            "due_at": due_at,
            "useful_until": useful_until,
        }

    @api.model
    def _plan(self, vals_list):
        """Create the notices that do not exist yet, each with its task."""
        known = {
            notice._get_key()
            for notice in self.search(
                [
                    ("visit_id", "in", [vals["visit_id"] for vals in vals_list]),
                    ("manual", "=", False),
                ]
            )
        }
        notices = self.create(
            [
                vals
                for vals in vals_list
                if (vals["visit_id"], vals["revision"], vals["kind"], vals["lead_minutes"])
                not in known
            ]
        )
        now = self.env.cr.now()
        due = notices.filtered(lambda notice: notice.due_at <= now)
        late = due.filtered(lambda notice: notice.useful_until - now < notice._get_minimum_notice())
        late._fail("too_late")
        late._make_call_tasks()
        (notices - late)._make_faces()
        if due - late:
            self._wake_dispatcher()
        return notices

    def _get_key(self):
        """Return what makes a planned notice the only one of its kind."""
        self.ensure_one()
        return self.visit_id.id, self.revision, self.kind, self.lead_minutes

    def _get_minimum_notice(self):
        """Return how long before its last useful moment a notice may still be planned."""
        self.ensure_one()
        return timedelta() if self.kind in ("cancelled", "on_my_way") else MINIMUM_NOTICE

    @api.model
    def _wake_dispatcher(self):
        """Run the dispatcher as soon as this transaction is committed."""
        self.env.ref("crm_wholesale.ir_cron_dispatch_notices").sudo()._trigger()

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------

    @api.model
    def _dispatch_due(self, limit=100):
        """Hand over to the SMS queue what is due, or close it with its reason.

        The only sender. Each call is one batch, which any number of workers may do at once; the
        scheduled action is repeated while there is more.

        :param int limit: how many notices at most
        """
        domain = self._get_due_domain()
        due = self.search(domain, limit=limit)
        remaining = self.search_count(domain) if len(due) == limit else len(due)
        # Committing also makes the lock below the first thing that the new transaction sees.
        self.env["ir.cron"]._commit_progress(remaining=remaining)
        due.try_lock_for_update().filtered_domain(domain)._dispatch()
        self.env["ir.cron"]._commit_progress(len(due))

    @api.model
    def _get_due_domain(self):
        """Return the domain of the notices that are due by PostgreSQL's clock."""
        return [("state", "=", "planned"), ("due_at", "<=", self.env.cr.now())]

    def _dispatch(self):
        """Hand over each of these locked notices or close it; one that breaks stops no other."""
        for notice, error in self._apply_in_halves(type(self)._hand_over):
            notice._fail("broken", str(error))
        self._make_call_tasks()

    def _apply_in_halves(self, step):
        """Take a step with these records at once; if that fails, with each half.

        :param step: function of a recordset
        :return: list of (record, exception) for the records with which it fails on their own
        :raise psycopg2.OperationalError: what the platform retries is not the record's fault
        """
        if not self:
            return []
        try:
            with self.env.cr.savepoint():
                step(self)
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            if len(self) == 1:
                # Without the error's words, which may hold what is nobody's business.
                _logger.warning(
                    "%s failed with %s: %s\n%s",
                    step.__name__,
                    self,
                    type(error).__name__,
                    "".join(traceback.format_tb(error.__traceback__)),
                )
                return [(self, error)]
            middle = len(self) // 2
            return self[:middle]._apply_in_halves(step) + self[middle:]._apply_in_halves(step)
        return []

    def _hand_over(self):
        """Look at each notice again, and queue the SMS of those that may still go out."""
        numbers = {notice: notice._get_recipient() for notice in self}
        refusals = self.env["personal.data.purpose"]._get_refusals(
            PURPOSE,
            "sms",
            [(notice.visit_id.partner_id, numbers[notice][1], None) for notice in self],
        )
        verdicts = {}
        for notice, refusal in zip(self, refusals, strict=True):
            typed, number = numbers[notice]
            notice.phone = number or typed
            if outdated := notice._get_outdated_reason():
                verdicts[notice] = "superseded", outdated
            elif obstacle := notice._get_obstacle(typed, number) or refusal:
                verdicts[notice] = "failed", obstacle
            else:
                verdicts[notice] = "queued", False
        for (state, reason), notices in self.grouped(verdicts.get).items():
            if state == "failed":
                notices._fail(reason)
            elif state == "superseded":
                notices._close(state, reason)
            else:
                notices._queue()

    def _queue(self):
        """Queue the SMS of these notices, which may go out."""
        for notice, text in self._render_texts().items():
            notice.write({"body": text, "attempts": notice.attempts + 1})
        self._queue_sms()
        now = self.env.cr.now().replace(microsecond=0)
        self.write({"state": "queued", "queued_at": now})
        self._remove_faces()

    def _get_outdated_reason(self):
        """Return why the notice would not be true any more, or False."""
        self.ensure_one()
        if self.visit_id.revision != self.revision:
            return "visit_changed"
        if self.visit_id.state not in VISIT_STATES[self.kind]:
            return "visit_over" if self.visit_id.state in NOT_STANDING_STATES else "visit_begun"
        return False

    def _get_obstacle(self, typed, number):
        """Return why no SMS can be sent, or False.

        :param typed: the number as it was entered, if any
        :param number: the same in E.164, if it is valid
        """
        self.ensure_one()
        if self.useful_until <= self.env.cr.now():
            return "too_late"
        if not typed:
            return "no_phone"
        if not number:
            return "bad_phone"
        if phonenumbers.number_type(phonenumbers.parse(number)) in NO_SMS_LINES:
            return "no_sms_phone"
        return False

    def _get_recipient(self):
        """Return the customer's number as entered and in E.164, either False if there is none.

        The visit's own contact comes first, then the customer, then the customer's company.
        """
        self.ensure_one()
        visit = self.visit_id
        for owner in (visit, visit.partner_id, visit.partner_id.commercial_partner_id):
            if owner.phone:
                country = owner.country_id or visit.company_id.country_id
                return owner.phone, owner._phone_format(number=owner.phone, country=country)
        return False, False

    def _get_template(self):
        """Return the text that goes out for these notices, which are of one kind.

        :raise UserError: when it has been deleted
        """
        xmlid = f"crm_wholesale.sms_template_visit_{self.kind}"
        if template := self.env.ref(xmlid, raise_if_not_found=False):
            return template.sudo()
        raise UserError(self.env._("The SMS template %(xmlid)s is missing.", xmlid=xmlid))

    def _render_texts(self):
        """Return the text of each notice, in its customer's language and the site's time.

        :raise UserError: when a text cannot be made or is empty
        """
        texts = {}
        for notices in self.grouped("kind").values():
            template = notices[0]._get_template()
            rendered = template._render_field(
                "body",
                notices.visit_id.ids,
                res_ids_lang={visit.id: visit._get_customer_lang() for visit in notices.visit_id},
            )
            texts |= {notice: rendered[notice.visit_id.id].strip() for notice in notices}
        if not all(texts.values()):
            raise UserError(self.env._("The text of the SMS is empty."))
        return texts

    def _get_preview(self):
        """Return the text as it stands now, or nothing where it cannot be made."""
        self.ensure_one()
        try:
            return self._render_texts()[self]
        except UserError:
            return False

    def _queue_sms(self):
        """Queue an SMS with each notice's UUID, and link it for its results to come back."""
        for company, notices in self.grouped("company_id").items():
            # In the company, because providers take its gateway and account.
            self.env["sms.sms"].sudo().with_company(company).create(
                [
                    {
                        "uuid": notice.uuid,
                        "number": notice.phone,
                        "body": notice.body,
                        "partner_id": notice.visit_id.partner_id.id,
                    }
                    for notice in notices
                ]
            )
        self.env["sms.tracker"].sudo().create(
            [{"sms_uuid": notice.uuid, "notice_id": notice.id} for notice in self]
        )

    # ------------------------------------------------------------------
    # Results
    # ------------------------------------------------------------------

    def _fold_result(self, state, detail=False):
        """Take a result of the SMS, unless a fact is known that ranks above it.

        The call task for a failure is made by the scheduled action: nothing may break the
        transaction in which a gateway's answer is kept.

        :param str state: ``sent``, ``delivered``, ``failed`` or ``cancelled``
        :param detail: the gateway's own words
        """
        rank = RESULT_RANKS[state]
        notices = self.filtered(lambda notice: OPEN_RESULT_RANKS.get(notice.state, rank) < rank)
        now = self.env.cr.now().replace(microsecond=0)
        if state == "failed":
            notices._fail("refused", detail)
            notices._wake_dispatcher()
        elif state == "cancelled":
            notices._close("cancelled", "withdrawn", detail)
        else:
            notices.write({"state": state, "reason": False, "detail": False, "call_due": False})
            notices.call_activity_id.unlink()
            notices.filtered(lambda notice: not notice.sent_at).sent_at = now
            if state == "delivered":
                notices.delivered_at = now

    @api.model
    def _follow_up(self, limit=1000):
        """Explain the notices that should have a result, and make the call tasks still missing."""
        self._get_overdue(limit)._apply_in_halves(type(self)._settle)
        self.search([("call_due", "=", True)], limit=limit)._make_call_tasks()

    @api.model
    def _get_overdue(self, limit):
        """Return the handed over notices that are to be settled, see ``_settle``.

        Their SMS has gone, has a result, waits though it is too late, or is with its provider
        for longer than ``RESULT_PATIENCE`` or without hope of a result.
        """
        self.flush_model(["state", "useful_until", "uuid"])
        self.env["sms.sms"].flush_model(["failure_type", "state", "uuid"])
        now = self.env.cr.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT notice.id
                  FROM crm_visit_notice notice
             LEFT JOIN sms_sms sms ON sms.uuid = notice.uuid
                 WHERE notice.state = 'queued'
                   AND CASE sms.state
                       WHEN 'outgoing' THEN notice.useful_until <= %(now)s
                       WHEN 'process' THEN sms.failure_type IS NOT NULL
                                           OR sms.write_date < %(last_claim)s
                       ELSE TRUE
                       END
              ORDER BY notice.id
                 LIMIT %(limit)s
                """,
                now=now,
                last_claim=now - RESULT_PATIENCE,
                limit=limit,
            )
        )
        return self.browse(notice_id for (notice_id,) in rows)

    def _settle(self):
        """Take each notice's result from its SMS, as any provider leaves it.

        What still waits is taken out of the SMS queue, what has no result is unknown.
        """
        sms_by_uuid = self._get_sms().grouped("uuid")
        waiting = self.browse()
        for notice in self:
            sms = sms_by_uuid.get(notice.uuid)
            if not sms or sms.state == "process":
                notice.write({"state": "unknown", "reason": "no_result", "call_due": True})
            elif sms.state == "outgoing":
                waiting |= notice
            else:
                sms.sms_tracker_id._action_update_from_sms_state(
                    sms.state, failure_type=sms.failure_type
                )
        waiting._withdraw_sms()._fail("not_sent")

    def _get_sms(self):
        """Return the SMS of these notices, as far as they are still there."""
        return self.env["sms.sms"].sudo().search([("uuid", "in", self.mapped("uuid"))])

    def _get_waiting_sms(self):
        """Return those of these notices whose SMS nobody has claimed yet, and these SMS, locked.

        An SMS that somebody else has locked counts as claimed.
        """
        queued = self.filtered(lambda notice: notice.state == "queued")
        waiting = queued._get_sms().filtered(lambda sms: sms.state == "outgoing")
        waiting = waiting.try_lock_for_update()
        uuids = set(waiting.mapped("uuid"))
        return queued.filtered(lambda notice: notice.uuid in uuids), waiting

    def _withdraw_sms(self):
        """Take back what is still waiting in the SMS queue, and return its notices."""
        notices, waiting = self._get_waiting_sms()
        waiting.write({"state": "canceled"})
        return notices

    # ------------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------------

    def _close(self, state, reason, detail=False):
        """Close these notices for good and remove their faces."""
        self.write({"state": state, "reason": reason, "detail": detail})
        self._remove_faces()

    def _fail(self, reason, detail=False):
        """Close these notices as failed: a person has to call, see ``_make_call_tasks``."""
        self._close("failed", reason, detail)
        self.call_due = True

    def _cancel_by_hand(self, reason):
        """Cancel in the name of the user what has not left yet.

        :param str reason: ``"told_by_hand"`` or ``"cancelled_by_hand"``
        :raise UserError: when a notice has left or is closed
        """
        pending = self.filtered(lambda notice: notice.state == "planned") | self._withdraw_sms()
        if pending != self:
            raise UserError(
                self.env._("This notice has left already or is closed: it cannot be cancelled.")
            )
        pending._close("cancelled", reason, self.env.user.name)
        pending.told_by_hand = reason == "told_by_hand"

    # ------------------------------------------------------------------
    # Tasks
    # ------------------------------------------------------------------

    @api.model
    def _restore_faces(self, limit=1000):
        """Make the SMS task of planned notices again that has been lost with its user."""
        domain = [("state", "=", "planned"), ("activity_ids", "=", False)]
        self.search(domain, limit=limit)._make_faces()

    @api.model
    def _make_faces_anew(self, visits):
        """Let the SMS tasks of visits show the number to which the SMS goes now."""
        planned = self.search([("visit_id", "in", visits.ids), ("state", "=", "planned")])
        planned._remove_faces()
        planned._make_faces()

    def _make_faces(self):
        """Schedule the SMS task that people see and can act on, one per notice."""
        labels = dict(self._fields["kind"]._description_selection(self.env))
        self._create_activities(
            [
                {
                    **notice._prepare_activity_values(FACE_TYPE, notice.visit_id, notice.due_at),
                    "notice_id": notice.id,
                    "summary": self.env._(
                        "SMS to %(recipient)s: %(kind)s",
                        recipient=notice.recipient or "—",
                        kind=labels[notice.kind],
                    ),
                }
                for notice in self
            ]
        )

    def _remove_faces(self):
        """Remove the SMS tasks, which is nobody's cancellation."""
        self.sudo().activity_ids.unlink()

    def _make_call_tasks(self):
        """Give a person the call that replaces each notice, once, due now."""
        self.filtered("call_due")._apply_in_halves(type(self)._create_call_tasks)

    def _create_call_tasks(self):
        now = self.env.cr.now().replace(microsecond=0)
        vals_list = []
        for notice in self:
            target = notice.visit_id.lead_id or notice.visit_id
            vals = notice._prepare_activity_values(CALL_TYPE, target, now)
            user = self.env["res.users"].browse(vals["user_id"])
            vals_list.append(vals | notice.with_context(lang=user.lang)._prepare_call_values())
        activities = self._create_activities(vals_list)
        for notice, activity in zip(self, activities, strict=True):
            notice.call_activity_id = activity
        self.call_due = False

    def _prepare_call_values(self):
        """Return what the call task says: why, to whom, and the words prepared for the SMS."""
        self.ensure_one()
        visit = self.visit_id
        if self.state == "unknown":
            summary = self.env._("We do not know whether the customer was told: please call")
        else:
            summary = self.env._("Call the customer: no SMS was sent")
        lines = [
            self.explanation,
            f"{visit.name}, {visit.contact_name or visit.partner_id.display_name or ''}",
            self.recipient or "",
            self.preview or "",
        ]
        return {
            "summary": summary,
            "note": Markup("<br/>").join(filter(None, lines)),
        }

    def _prepare_activity_values(self, type_xmlid, target, due_at):
        """Return the values of an automated activity on the target for the person in charge."""
        self.ensure_one()
        return {
            "res_model_id": self.env["ir.model"]._get_id(target._name),
            "res_id": target.id,
            "activity_type_id": self.env["ir.model.data"]._xmlid_to_res_id(type_xmlid),
            "user_id": self._get_responsible().id,
            "due_at": due_at,
            "automated": True,
        }

    @api.model
    def _create_activities(self, vals_list):
        """Create activities without mailing anybody or making anybody a follower."""
        quiet = {"mail_activity_quick_update": True, "crm_wholesale_quiet": True}
        return self.env["mail.activity"].sudo().with_context(**quiet).create(vals_list)

    def _get_responsible(self):
        """Return who answers for the visit: the first of those in charge who still works here.

        The visit's manager, the deal's, the team leader, who booked the visit, and if none is
        left, somebody who leads sales in the visit's company.
        """
        self.ensure_one()
        visit = self.visit_id
        lead = visit.lead_id
        candidates = visit.user_id | lead.user_id | lead.team_id.user_id | visit.create_uid
        for user in candidates:
            if user.active and user._is_internal():
                return user
        heads = self.env.ref("sales_team.group_sale_manager").all_user_ids
        heads = heads.filtered(lambda user: user.active and not user.share)
        own = heads.filtered(lambda user: visit.company_id in user.company_ids)
        return (own or heads)[:1]
