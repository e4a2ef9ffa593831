import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import psycopg2
import pytz
import vobject
from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import consteq, groupby, hmac

from .crm_visit import MOVABLE_STATES

#: How long after the visit's end its link still opens the page.
LINK_LIFETIME = timedelta(days=7)
#: How long before the start the customer may still move the visit.
MOVE_NOTICE = timedelta(hours=1)
#: How often a customer may move one visit: each move costs an SMS.
MAX_MOVES = 3
#: How far ahead, and how many, other times are offered.
OFFER_HORIZON = timedelta(days=10)
MAX_OFFERS = 12
#: How much of the customer's own words is kept.
MAX_WORDS = 300

SIGNATURE_BYTES = 16
MAX_ID = 2**31 - 1


class CrmVisit(models.Model):
    """The customer's own page of a visit, which a signed link opens without login.

    Who has the link acts as the customer: the methods with ``for_customer`` in their name are
    called by the superuser on behalf of nobody, check everything themselves, and tell the
    manager.
    """

    _inherit = "crm.visit"

    customer_url = fields.Char(
        "Customer's Page",
        compute="_compute_customer_url",
        groups="sales_team.group_sale_salesman",
        help="The link in the SMS, with which the customer sees and changes this visit.",
    )
    customer_moves = fields.Integer("Moves by the Customer", readonly=True, copy=False)
    callback_activity_id = fields.Many2one(
        "mail.activity",
        "Callback Asked For",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )

    @api.depends("company_id", "phone")
    def _compute_customer_url(self):
        for visit in self:
            saved = visit._origin
            visit.customer_url = (
                f"{saved.company_id.get_base_url()}/v/{saved._get_page_token()}" if saved else False
            )

    def action_open_customer_page(self):
        """Open what the customer sees, without the customer's buttons."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.customer_url, "target": "new"}

    # ------------------------------------------------------------------
    # The link
    # ------------------------------------------------------------------

    def _get_page_token(self):
        """Return what opens this visit's page: 128 bits of signature, then the id, in base 64.

        The telephone number is signed too: correcting a wrong one takes the page away from the
        stranger who got the SMS.
        """
        self.ensure_one()
        message = (self.id, re.sub(r"\D", "", self.phone or ""))
        signature = bytes.fromhex(hmac(self.env(su=True), "crm_wholesale.visit_page", message))
        id_bytes = self.id.to_bytes((self.id.bit_length() + 7) // 8, "big")
        return urlsafe_b64encode(signature[:SIGNATURE_BYTES] + id_bytes).rstrip(b"=").decode()

    @api.model
    def _find_by_page_token(self, token):
        """Return the visit whose page this token opens, or an empty recordset."""
        try:
            decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return self.browse()
        visit_id = int.from_bytes(decoded[SIGNATURE_BYTES:], "big")
        visit = self.browse(visit_id if 0 < visit_id <= MAX_ID else ()).exists()
        if visit and consteq(visit._get_page_token(), token):
            return visit
        return self.browse()

    def _is_page_expired(self):
        """Return whether the link is too old; that of a visit without a time never is."""
        self.ensure_one()
        if self.state == "draft":
            return False
        return (self.stop or self.write_date) + LINK_LIFETIME < fields.Datetime.now()

    # ------------------------------------------------------------------
    # What the customer may do
    # ------------------------------------------------------------------

    def _get_customer_choices(self):
        """Return what the customer may do now: of ``confirm, move, cancel, call``.

        Moving ends ``MOVE_NOTICE`` before the told time, cancelling at it: the measurer should
        rather learn late than stand before a closed door. After that only the telephone helps.
        """
        self.ensure_one()
        if self.state == "draft":
            return {"cancel", "call"}
        now = fields.Datetime.now()
        told_start = self.window_start or self.start
        if self.state not in MOVABLE_STATES or told_start <= now:
            return set()
        choices = {"cancel", "call"}
        if self.state == "scheduled":
            choices.add("confirm")
        if now + MOVE_NOTICE <= told_start and self.customer_moves < MAX_MOVES:
            choices.add("move")
        return choices

    def _has_told_time(self):
        """Return whether there is a time, and a measurer, that the customer may be shown."""
        self.ensure_one()
        return self.state not in ("draft", "cancelled") and bool(self.start and self.measurer_id)

    def _is_callback_due(self):
        """Return whether the customer asked to be called and the task for it is still open."""
        return self.callback_activity_id.active

    def _choose_for_customer(self, choice, revision, start=None, words=""):
        """Do what the customer chose on the page; what has been done already is left as it is.

        :param str choice: ``confirm``, ``move``, ``cancel`` or ``call``
        :param int revision: the revision that the customer saw
        :param datetime start: the time chosen, in UTC
        :param str words: the reason or the wish, in the customer's words
        :raise UserError: in words for the customer, when it is not possible, or not any more
        """
        self.ensure_one()
        self._wait_for_turn()
        words = " ".join(words.split())[:MAX_WORDS]
        if self._is_chosen_by_customer(choice, revision, start):
            return
        if revision != self.revision and choice != "call":
            raise UserError(
                self.env._(
                    "The visit has changed since you opened this page. Please look at it again."
                )
            )
        if choice not in self._get_customer_choices():
            raise UserError(self.env._("This cannot be changed here any more. Please call us."))
        if choice == "confirm":
            self._confirm_for_customer()
        elif choice == "move":
            self._move_for_customer(start)
        elif choice == "cancel":
            self._cancel_for_customer(words)
        else:
            self._call_for_customer(words)

    def _wait_for_turn(self):
        """Let the first of two clicks at the same moment finish.

        :raise psycopg2.errors.SerializationFailure: when it changed the visit; the platform then
            repeats the second one, which finds it done
        """
        self.env.cr.execute(
            "SELECT id FROM crm_visit WHERE id = %s FOR NO KEY UPDATE",
            [self.id],
            log_exceptions=False,
        )

    def _is_chosen_by_customer(self, choice, revision, start):
        """Return whether the visit is as the customer wants it, as after a double click."""
        self.ensure_one()
        return {
            "confirm": self.state == "confirmed" and revision == self.revision,
            "move": self.state == "confirmed" and start == self.start,
            "cancel": self.state == "cancelled",
            "call": self._is_callback_due(),
        }.get(choice, False)

    def _confirm_for_customer(self):
        visit = self._for_manager()
        visit._set_state("confirmed", ("scheduled",))
        visit._message_log(body=visit.env._("The customer confirmed the visit on the page."))

    def _move_for_customer(self, start):
        """Move the visit to a time that is free at this moment; choosing it confirms it."""
        visit = self._for_manager()
        former = visit.local_start
        if not visit._take_offer(start):
            raise UserError(self.env._("This time has just been taken. Please choose another one."))
        visit.customer_moves += 1
        visit._message_log(
            body=visit.env._(
                "The customer moved the visit on the page from %(former)s to %(new)s.",
                former=former,
                new=visit.local_start,
            )
        )

    def _take_offer(self, start):
        """Return whether the visit could be moved to this time; if not, nothing has changed.

        Why not is the firm's business: core's words may name a colleague's visit.
        """
        offers = start and self._get_offers(start, start)
        if not offers:
            return False
        # The same person again if possible, then who comes first: who travels least.
        offers.sort(key=lambda offer: offer["measurer"] != self.measurer_id)
        try:
            with self.env.cr.savepoint():
                self._reschedule(start, offers[0]["stop"], offers[0]["measurer"])
                self._set_state("confirmed", ("scheduled",))
        except (UserError, psycopg2.errors.ExclusionViolation):
            return False
        return True

    def _cancel_for_customer(self, words):
        if not words:
            raise UserError(self.env._("Please tell us why you cancel."))
        visit = self._for_manager()
        visit._cancel(visit.env._("The customer, on the page: %(words)s", words=words))
        visit._message_log(body=visit.cancel_reason)
        visit._schedule_call(
            fields.Datetime.now(),
            visit.env._("The customer cancelled %(visit)s: call", visit=visit.name),
            note=escape(words),
        )

    def _call_for_customer(self, words):
        visit = self._for_manager()
        visit.callback_activity_id = visit._schedule_call(
            fields.Datetime.now(),
            visit.env._("The customer asks for another time of %(visit)s: call", visit=visit.name),
            note=escape(words),
        )
        visit._message_log(
            body=visit.env._(
                "The customer asks on the page to be called about another time. %(words)s",
                words=words,
            )
        )

    def _for_manager(self):
        """Return the visit in its manager's language and zone: what follows is for people there."""
        self.ensure_one()
        return self.with_context(lang=self.user_id.lang, tz=self.user_id.tz)

    # ------------------------------------------------------------------
    # Other times
    # ------------------------------------------------------------------

    def _get_offers(self, first=None, last=None, limit=None):
        """Return the free slots that the customer may take now.

        :param datetime first: the first start wanted, in UTC, as ``last``; without them any
        :return: as ``crm.measurer._find_slots``
        """
        self.ensure_one()
        earliest = fields.Datetime.now() + MOVE_NOTICE
        values = {**self._prepare_slot_values(), "window_start": first, "window_stop": last}
        return self.env["crm.measurer"]._find_slots(
            values, earliest, earliest + OFFER_HORIZON, limit
        )

    def _get_offered_days(self):
        """Return the free times to choose from: lists of starts (UTC) by the site's date."""
        self.ensure_one()
        starts = {offer["start"] for offer in self._get_offers(limit=MAX_OFFERS)}
        told = self.window_start or self.start, self.window_stop or self.start
        others = sorted(start for start in starts if not told[0] <= start <= told[1])
        zone = pytz.timezone(self.tz)
        return dict(groupby(others, lambda start: pytz.utc.localize(start).astimezone(zone).date()))

    # ------------------------------------------------------------------
    # The calendar file
    # ------------------------------------------------------------------

    def _get_ics(self):
        """Return this visit as an iCalendar file (RFC 5545), in bytes.

        Importing it again after a change replaces the entry: the UID stays, SEQUENCE rises.
        """
        self.ensure_one()
        calendar = vobject.iCalendar()
        event = calendar.add("vevent")
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        event.add("uid").value = f"crm-visit-{self.id}@{uuid}"
        event.add("dtstamp").value = pytz.utc.localize(fields.Datetime.now())
        event.add("dtstart").value = pytz.utc.localize(self.window_start or self.start)
        event.add("dtend").value = pytz.utc.localize(max(self.stop, self.window_stop or self.stop))
        event.add("sequence").value = str(self.revision)
        event.add("summary").value = self.env._(
            "The measurer comes: %(company)s", company=self.company_id.name
        )
        event.add("location").value = self.address
        event.add("description").value = ", ".join(
            filter(None, [self.measurer_first_name, self.customer_signature])
        )
        return calendar.serialize().encode()
