from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlencode

import pytz
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_datetime, format_time

from odoo.addons.base.models.res_partner import _tz_get

#: States in which a visit takes its measurer's time.
OCCUPYING_STATES = ("scheduled", "confirmed", "en_route", "in_progress")
OPEN_STATES = ("draft", *OCCUPYING_STATES)
#: States from which a visit may still be moved to another time or measurer.
MOVABLE_STATES = ("scheduled", "confirmed")

TIME_FIELDS = frozenset({"start", "stop", "window_start", "window_stop", "measurer_id"})
ADDRESS_FIELDS = frozenset({"street", "street2", "city", "zip", "country_id"})
#: What only this model's own methods write.
PROTECTED_FIELDS = frozenset(
    {
        "name",
        "company_id",
        "state",
        "revision",
        "event_id",
        "arrived_at",
        "done_at",
        "cancel_reason",
    }
)
#: What a measurer without a sales role may write.
MEASURER_FIELDS = frozenset({"line_ids", "measurer_note"})


class CrmVisit(models.Model):
    """A measurer's visit to a customer's site.

    ``start`` and ``stop`` are UTC; what people read is the wall time of ``tz``, the site's zone.
    Contact, telephone and address are the visit's own copies, so that it stands without a
    partner and shows the measurer nothing else of the customer.
    """

    _name = "crm.visit"
    _description = "Visit"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "start, id"
    _check_company_auto = True
    _mail_post_access = "read"

    def _default_tz(self):
        return self.env.company.resource_calendar_id.tz or self.env.user.tz or "UTC"

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        [
            ("draft", "Unassigned"),
            ("scheduled", "Scheduled"),
            ("confirmed", "Confirmed"),
            ("en_route", "On the Way"),
            ("in_progress", "In Progress"),
            ("done", "Done"),
            ("no_show", "No-Show"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
        index=True,
        tracking=True,
    )
    revision = fields.Integer(
        readonly=True,
        copy=False,
        help="Rises when the time, the window, the address or the measurer changes, "
        "or the visit is cancelled: what the customer was told before no longer holds.",
    )
    cancel_reason = fields.Char(readonly=True, copy=False)

    # Deal
    lead_id = fields.Many2one(
        "crm.lead",
        "Deal",
        index=True,
        ondelete="set null",
        check_company=True,
        groups="sales_team.group_sale_salesman",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        index=True,
        ondelete="restrict",
        check_company=True,
        groups="sales_team.group_sale_salesman",
    )
    user_id = fields.Many2one(
        "res.users",
        "Manager",
        index=True,
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('share', '=', False)]",
    )
    order_ids = fields.One2many(
        "sale.order", "visit_id", "Quotations", groups="sales_team.group_sale_salesman"
    )
    order_count = fields.Integer(
        compute="_compute_order_count", groups="sales_team.group_sale_salesman"
    )

    # Who, when
    type_id = fields.Many2one(
        "crm.visit.type",
        required=True,
        ondelete="restrict",
        check_company=True,
        default=lambda self: self.env["crm.visit.type"].search([], limit=1),
    )
    measurer_id = fields.Many2one(
        "crm.measurer",
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        copy=False,
    )
    start = fields.Datetime(index=True, tracking=True, copy=False)
    stop = fields.Datetime(copy=False)
    duration = fields.Float(
        compute="_compute_duration",
        inverse="_inverse_duration",
        help="How long the visit takes, in hours.",
    )
    window_start = fields.Datetime(
        copy=False, help="Start of the arrival window that the customer is told, if any."
    )
    window_stop = fields.Datetime(copy=False)
    tz = fields.Selection(
        _tz_get, "Site Time Zone", required=True, default=lambda self: self._default_tz()
    )
    local_start = fields.Char("Time at the Site", compute="_compute_local_start")
    event_id = fields.Many2one(
        "calendar.event",
        "Calendar Event",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        copy=False,
    )
    arrived_at = fields.Datetime(readonly=True, copy=False)
    done_at = fields.Datetime(readonly=True, copy=False)

    # Where
    contact_name = fields.Char("Contact")
    phone = fields.Char(help="In the international format where it is a valid number.")
    street = fields.Char()
    street2 = fields.Char()
    city = fields.Char()
    zip = fields.Char("Postcode")
    country_id = fields.Many2one("res.country")
    latitude = fields.Float(digits=(10, 7))
    longitude = fields.Float(digits=(10, 7))
    address = fields.Char(compute="_compute_address")
    map_url = fields.Char("Map", compute="_compute_map_url")
    instructions = fields.Text(
        help="What the measurer must know: entrance, floor, what to measure."
    )

    may_manage = fields.Boolean(
        compute="_compute_may_manage", help="Whether the user may change more than measurements."
    )
    is_mine = fields.Boolean(
        compute="_compute_is_mine", help="Whether the user is the measurer who goes."
    )

    # What came of it
    line_ids = fields.One2many("crm.visit.line", "visit_id", "Measurements", copy=False)
    measurer_note = fields.Text("Measurer's Note", copy=False)
    notice_ids = fields.One2many(
        "crm.visit.notice", "visit_id", "Notices", groups="sales_team.group_sale_salesman"
    )
    notice_summary = fields.Char(
        "Customer Told",
        compute="_compute_notice_summary",
        groups="sales_team.group_sale_salesman",
        help="What the customer is told next and at what minute, else what was told last.",
    )

    _start_before_stop = models.Constraint(
        "CHECK(stop > start)", "A visit must end after it starts."
    )
    _scheduled_complete = models.Constraint(
        "CHECK(state NOT IN ('scheduled', 'confirmed', 'en_route', 'in_progress') OR "
        "(measurer_id IS NOT NULL AND start IS NOT NULL AND stop IS NOT NULL))",
        "A scheduled visit needs a measurer, a start and an end.",
    )
    _measurer_overlap = models.Constraint(
        "EXCLUDE USING gist (int4range(measurer_id, measurer_id, '[]') WITH &&, "
        "tsrange(start, stop) WITH &&) "
        "WHERE (state IN ('scheduled', 'confirmed', 'en_route', 'in_progress')) "
        "DEFERRABLE INITIALLY IMMEDIATE",
        "This measurer already has a visit at that time.",
    )

    def init(self):
        """Refuse an upgrade over overlapping visits with their list, before the guard is added.

        :raise ValidationError: naming every pair of overlapping visits
        """
        self.env.cr.execute(
            """
            SELECT one.name, other.name
              FROM crm_visit one
              JOIN crm_visit other
                ON one.measurer_id = other.measurer_id AND one.id < other.id
               AND tsrange(one.start, one.stop) && tsrange(other.start, other.stop)
             WHERE one.state = ANY(%(states)s) AND other.state = ANY(%(states)s)
             ORDER BY one.id, other.id
            """,
            {"states": list(OCCUPYING_STATES)},
        )
        if pairs := self.env.cr.fetchall():
            raise ValidationError(
                self.env._(
                    "These visits of one measurer overlap; move or cancel one of each pair "
                    "before the upgrade: %(pairs)s",
                    pairs=", ".join(f"{one} / {other}" for one, other in pairs),
                )
            )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("lead_id.user_id")
    def _compute_user_id(self):
        for visit in self:
            visit.user_id = visit.sudo().lead_id.user_id or visit.user_id or self.env.user

    @api.depends("order_ids")
    def _compute_order_count(self):
        for visit in self:
            visit.order_count = len(visit.order_ids)

    @api.depends("start", "stop", "type_id")
    def _compute_duration(self):
        for visit in self:
            if visit.start and visit.stop:
                visit.duration = (visit.stop - visit.start).total_seconds() / 3600
            else:
                visit.duration = visit.type_id.duration

    def _inverse_duration(self):
        for visit in self.filtered("start"):
            visit.stop = visit.start + timedelta(hours=visit.duration)

    @api.onchange("start")
    def _onchange_start(self):
        if self.start:
            length = timedelta(hours=self._origin.duration or self.type_id.duration)
            self.stop = self.start + length

    @api.depends("start", "tz")
    @api.depends_context("lang", "tz")
    def _compute_local_start(self):
        for visit in self:
            visit.local_start = visit._format_local(visit.start)

    @api.depends(*ADDRESS_FIELDS)
    def _compute_address(self):
        for visit in self:
            place = " ".join(filter(None, [visit.zip, visit.city]))
            parts = [visit.street, visit.street2, place, visit.country_id.name]
            visit.address = ", ".join(filter(None, parts))

    @api.depends("address", "latitude", "longitude")
    def _compute_map_url(self):
        for visit in self:
            point = f"{visit.latitude},{visit.longitude}"
            query = point if visit.latitude or visit.longitude else visit.address
            visit.map_url = query and "https://www.google.com/maps/search/?" + urlencode(
                {"api": 1, "query": query}
            )

    @api.depends("notice_ids.state", "notice_ids.due_at", "notice_ids.explanation", "tz")
    @api.depends_context("lang", "tz")
    def _compute_notice_summary(self):
        for visit in self:
            notices = visit.notice_ids.filtered(lambda notice: notice.state != "superseded")
            notice = notices.filtered(lambda notice: notice.state == "planned")[:1]
            notice = notice or notices.sorted(lambda notice: (notice.due_at, notice.id))[-1:]
            state = dict(notice._fields["state"]._description_selection(self.env))
            parts = [
                state.get(notice.state),
                visit._format_local(notice.due_at),
                notice.explanation,
            ]
            visit.notice_summary = ", ".join(filter(None, parts))

    @api.depends_context("uid")
    def _compute_may_manage(self):
        self.may_manage = self.env.user.has_group("sales_team.group_sale_salesman")

    @api.depends("measurer_id.user_id")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        for visit in self:
            visit.is_mine = visit.measurer_id.user_id == self.env.user

    @api.depends("name", "contact_name")
    def _compute_display_name(self):
        for visit in self:
            visit.display_name = " ".join(filter(None, [visit.name, visit.contact_name]))

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("crm.visit") or "/"
        return super().create(vals_list)

    def write(self, vals):
        self._check_may_write(vals)
        moved = self.filtered(lambda visit: visit._is_revised_by(vals))
        if not moved:
            return super().write(vals)
        super(CrmVisit, self - moved).write(vals)
        moved._revise(vals)
        return True

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if booked := self.filtered(lambda visit: visit.state != "draft"):
            raise UserError(
                self.env._(
                    "Visits %(names)s are part of the record of what was agreed and told. "
                    "Cancel them instead.",
                    names=", ".join(booked.mapped("name")),
                )
            )

    def _check_may_write(self, vals):
        """Raise unless the user may write these fields by hand.

        :raise AccessError: for states and other fields that only business methods write, and for
            a measurer who changes more than the measurements
        """
        if self.env.su:
            return
        allowed = self.env.user.has_group("sales_team.group_sale_salesman")
        forbidden = vals.keys() & PROTECTED_FIELDS if allowed else vals.keys() - MEASURER_FIELDS
        if forbidden:
            labels = self.fields_get(forbidden, ["string"]).values()
            raise AccessError(
                self.env._(
                    "You cannot change these fields of a visit: %(fields)s.",
                    fields=", ".join(sorted(label["string"] for label in labels)),
                )
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_open(self):
        """Open this visit."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def action_confirm(self):
        """Record that the customer confirmed the visits."""
        self._set_state("confirmed", ("scheduled",))

    def action_on_my_way(self):
        """Record that the measurer has set out."""
        self._set_state("en_route", ("scheduled", "confirmed"))

    def action_arrive(self):
        """Record that the measurer is at the site, now."""
        self._set_state(
            "in_progress", ("scheduled", "confirmed", "en_route"), arrived_at=fields.Datetime.now()
        )

    def action_done(self):
        """Finish the visits: the measurer's task is done, the manager gets a call task.

        :return: what to show: who calls the customer, and to a measurer the other visits of the day
        :raise UserError: for a visit on which nothing was measured and no note says why
        """
        for visit in self:
            if not visit.line_ids and not visit.measurer_note:
                raise UserError(
                    self.env._(
                        "Enter what was measured on %(visit)s, or write in the note why not.",
                        visit=visit.display_name,
                    )
                )
        self._set_state("done", ("in_progress",), done_at=fields.Datetime.now())
        self._settle(self.env._("Measured"))
        self._schedule_callback()
        message = self.env._(
            "%(visits)s is done. %(managers)s is asked to call the customer.",
            visits=", ".join(self.mapped("display_name")),
            managers=", ".join(self.user_id.mapped("name")),
        )
        next_action = {"type": "ir.actions.act_window_close"}
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            next_action = self.env["ir.actions.actions"]._for_xml_id(
                "crm_wholesale.crm_visit_action_today"
            )
            next_action["target"] = "main"  # the finished visit is no step back
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": message, "next": next_action},
        }

    def action_no_show(self):
        """Record that nobody was met at the site; the manager gets a call task, due now."""
        self._set_state("no_show", ("en_route", "in_progress"))
        self._settle(self.env._("Nobody was met"))
        for visit in self:
            visit._schedule_call(
                fields.Datetime.now(),
                self.env._("Nobody met the measurer: call and agree on another visit"),
            )

    def action_cancel(self):
        """Ask for the reason and cancel."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Visit"),
            "res_model": "crm.visit.cancel",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_visit_id": self.id},
        }

    def action_create_quotation(self):
        """Open the draft quotation with this visit's measurements, made if there is none yet."""
        self.ensure_one()
        order = self.order_ids.filtered(lambda order: order.state in ("draft", "sent"))[:1]
        order = order or self._create_quotation()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": order.id,
            "views": [(False, "form")],
        }

    def action_view_quotations(self):
        """Open the quotations made from this visit."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("sale.action_quotations")
        return {**action, "domain": [("visit_id", "=", self.id)], "context": {}}

    # ------------------------------------------------------------------
    # Booking, moving, cancelling
    # ------------------------------------------------------------------

    @api.model
    def _book(self, values_list):
        """Book visits: event, measurer's task, customer's notices and the deal's stage with them.

        Everything or nothing. ``start`` is UTC; ``stop`` defaults to the type's duration.

        :param list values_list: values of new visits, with measurer and start
        :return: the scheduled visits
        :raise UserError: when a visit cannot take place, in words that the user can act on
        """
        vals_list = [self._prepare_booking_values(values) for values in values_list]
        visits = self.with_context(mail_create_nolog=True).create(vals_list)
        visits = visits.with_context(mail_create_nolog=False)
        visits.sudo().lead_id.with_env(self.env).check_access("write")
        visits._check_contact()
        visits._check_slots()
        visits_sudo = visits.sudo()  # state and event are written by the business methods only
        visits_sudo._write_scheduled()
        visits_sudo.lead_id._advance_to("measurement")
        self.env["crm.visit.notice"].sudo()._plan_reminders(visits_sudo)
        visits_sudo._tell_measurers("new")
        return visits

    def _prepare_booking_values(self, values):
        """Return the values of a visit to book, completed from its deal, customer and type.

        :raise UserError: when the start is missing
        """
        lead = self.env["crm.lead"].browse(values.get("lead_id"))
        partner = self.env["res.partner"].browse(values.get("partner_id")) or lead.partner_id
        result = {**self._prepare_site_values(lead, partner), **values}
        result["phone"] = self._format_phone(result.get("phone"), result.get("country_id"))
        start = fields.Datetime.to_datetime(result.get("start"))
        if not start:
            raise UserError(self.env._("Choose when the visit starts."))
        if not result.get("type_id"):
            result["type_id"] = self.default_get(["type_id"]).get("type_id")
        if not result.get("stop"):
            visit_type = self.env["crm.visit.type"].browse(result["type_id"])
            result["stop"] = start + timedelta(hours=visit_type.duration)
        if fields.Datetime.to_datetime(result["stop"]) <= start:
            raise UserError(self.env._("A visit must end after it starts."))
        return result

    @api.model
    def _prepare_site_values(self, lead, partner):
        """Return company, contact, address and zone of a visit to this customer.

        The address is the partner's where there is one, else the lead's own; the zone is the
        partner's, else that of the team company's calendar.
        """
        company = lead.company_id or lead.team_id.company_id or self.env.company
        site = partner if partner.street or partner.city or not lead else lead
        return {
            "company_id": company.id,
            "lead_id": lead.id,
            "partner_id": partner.id,
            "contact_name": lead.contact_name or partner.name or lead.partner_name or lead.name,
            "phone": lead.phone or partner.phone,
            "street": site.street,
            "street2": site.street2,
            "city": site.city,
            "zip": site.zip,
            "country_id": site.country_id.id or company.country_id.id,
            "latitude": partner.partner_latitude if site == partner else 0.0,
            "longitude": partner.partner_longitude if site == partner else 0.0,
            "tz": partner.tz or company.resource_calendar_id.tz or self._default_tz(),
        }

    @api.model
    def _format_phone(self, phone, country_id):
        """Return the number in E.164, or as typed where it is no valid number."""
        country = self.env["res.country"].browse(country_id) or self.env.company.country_id
        return self.env.user._phone_format(number=phone, country=country) or phone

    def _check_contact(self):
        """Raise unless every visit says where to go and whom to call.

        :raise UserError: naming the visit and what is missing
        """
        for visit in self:
            who = visit.contact_name or visit.name
            if not visit.phone:
                raise UserError(
                    self.env._(
                        "Enter a telephone number for %(who)s: without one nobody can be told "
                        "when the measurer comes.",
                        who=who,
                    )
                )
            if not visit.street and not visit.city and not visit.latitude:
                raise UserError(
                    self.env._(
                        "Enter the address of %(who)s: the measurer must know where to go.",
                        who=who,
                    )
                )

    def _check_slots(self):
        """Raise unless every visit can take place at its time, and hold the measurers' days.

        The check reads; the counter that is raised afterwards makes a concurrent booking of the
        same measurer fail with a serialization error, so that the platform repeats it and this
        check sees the committed visit.

        :raise UserError: for a time in the past, a measurer who cannot go, or a taken slot
        """
        now = fields.Datetime.now()
        for visit in self:
            if visit.start <= now:
                raise UserError(
                    self.env._(
                        "%(time)s is already past. Choose a time in the future.",
                        time=visit.local_start,
                    )
                )
            if not visit.measurer_id:
                raise UserError(self.env._("Choose the measurer who goes."))
        self.measurer_id._check_can_go()
        self._check_overlaps()
        self.measurer_id._raise_booking_counter()

    def _check_overlaps(self):
        """Raise when one of these visits overlaps another one of its measurer.

        :raise UserError: naming measurer, other visit and its time
        """
        others_sudo = self.sudo().search(  # colleagues' visits, of which only the time is told
            [
                ("id", "not in", self.ids),
                ("measurer_id", "in", self.measurer_id.ids),
                ("state", "in", OCCUPYING_STATES),
                ("start", "<", max(self.mapped("stop"))),
                ("stop", ">", min(self.mapped("start"))),
            ]
        )
        days = defaultdict(list)
        for visit in self.sudo() | others_sudo:
            days[visit.measurer_id].append(visit)
        for measurer, visits in days.items():
            visits.sort(key=lambda visit: (visit.start, visit.stop))
            for before, after in pairwise(visits):
                if after.start < before.stop:
                    taken = before if before in others_sudo else after
                    raise UserError(
                        self.env._(
                            "%(measurer)s already has visit %(visit)s from %(start)s to %(stop)s. "
                            "Choose another time or another measurer.",
                            measurer=measurer.name,
                            visit=taken.name,
                            start=taken.local_start,
                            stop=taken._format_local(taken.stop, time_only=True),
                        )
                    )

    def _defer_overlap_guard(self):
        """Let the database wait with the overlap guard until the moved visits are checked."""
        self.flush_model()
        self.env.cr.execute("SET CONSTRAINTS crm_visit_measurer_overlap DEFERRED")

    def _apply_overlap_guard(self):
        """Let the database check what was moved now, while its error is still translated."""
        self.flush_model()
        self.env.cr.execute("SET CONSTRAINTS crm_visit_measurer_overlap IMMEDIATE")

    def _write_scheduled(self):
        """Make draft visits scheduled, with calendar event and measurer's task."""
        events = self.env["calendar.event"]._create_for_visits(self)
        for visit, event in zip(self, events, strict=True):
            visit.write({"state": "scheduled", "event_id": event.id})
        self._schedule_measurer_tasks()

    def _is_revised_by(self, vals):
        """Return whether these values change what the customer of a booked visit was told."""
        self.ensure_one()
        if self.state not in OCCUPYING_STATES:
            return False
        for name in vals.keys() & (TIME_FIELDS | ADDRESS_FIELDS):
            to_cache = self._fields[name].convert_to_cache
            if to_cache(vals[name], self) != to_cache(self[name], self):
                return True
        return False

    def _revise(self, vals):
        """Write a change of time, measurer or address of booked visits, with all that follows.

        The revision rises, pending notices are superseded and planned anew, the customer is told
        of a new time only when the old one was told, event and measurer's task follow.

        :raise UserError: when a visit is under way or over, or cannot take place as asked
        """
        timed = bool(vals.keys() & TIME_FIELDS)
        if timed and (late := self.filtered(lambda visit: visit.state not in MOVABLE_STATES)):
            raise UserError(
                self.env._(
                    "%(visits)s is under way and can no longer be moved.",
                    visits=", ".join(late.mapped("name")),
                )
            )
        notices_sudo = self.env["crm.visit.notice"].sudo()
        told = notices_sudo._filter_told(self)
        measurers = {visit: visit.measurer_id for visit in self}
        self._defer_overlap_guard()
        for visit in self:
            values = {**vals, "revision": visit.revision + 1}
            if "start" in vals and "stop" not in vals:
                start = fields.Datetime.to_datetime(vals["start"])
                values["stop"] = start + (visit.stop - visit.start)
            if timed and visit.state == "confirmed":
                values["state"] = "scheduled"
            super(CrmVisit, visit.sudo()).write(values)  # revision and state are protected
        if timed:
            self._check_slots()
        self._apply_overlap_guard()
        if timed:
            self.sudo().event_id._write_from_visits(self)
            self._get_measurer_tasks().unlink()
            self._schedule_measurer_tasks()
            self._tell_measurers("moved", measurers)
        notices_sudo._supersede(self)
        notices_sudo._plan_reminders(self)
        notices_sudo._tell(told, "moved")

    def _reschedule(self, start, stop=None, measurer=None):
        """Move one visit to another time or measurer; see :meth:`_revise`.

        :param datetime start: in UTC
        :param datetime stop: in UTC; without it the visit keeps its length
        :raise UserError: when the visit is not booked, or cannot take place as asked
        """
        self.ensure_one()
        if self.state not in OCCUPYING_STATES:
            raise UserError(
                self.env._(
                    "%(visit)s is %(state)s and cannot be moved.",
                    visit=self.name,
                    state=self._get_state_label().lower(),
                )
            )
        vals = {"start": start, "stop": stop or start + (self.stop - self.start)}
        if measurer:
            vals["measurer_id"] = measurer.id
        self.write(vals)

    def _cancel(self, reason):
        """Cancel open visits: the event goes, the visit and its ledger stay.

        The customer is told only when the visit had been told.

        :param str reason: in words
        :raise UserError: for a visit that is over
        """
        notices_sudo = self.env["crm.visit.notice"].sudo()
        told = notices_sudo._filter_told(self.filtered(lambda v: v.state in OCCUPYING_STATES))
        self._set_state("cancelled", OPEN_STATES, cancel_reason=reason)
        for visit in self.sudo():
            visit.revision += 1
        notices_sudo._supersede(self)
        notices_sudo._tell(told, "cancelled")
        self.sudo().event_id._unlink_from_visits()
        self._get_measurer_tasks().unlink()
        self._tell_measurers("cancelled")

    def _set_state(self, state, sources, **values):
        """Move visits to a state; the only place where it changes after the booking.

        :param sources: the states from which this is allowed
        :raise UserError: naming the visit that is in another state
        """
        self.check_access("write")
        for visit in self:
            if visit.state not in sources:
                raise UserError(
                    self.env._(
                        "%(visit)s is %(state)s: this step is not possible now.",
                        visit=visit.name,
                        state=visit._get_state_label().lower(),
                    )
                )
        self.sudo().write({"state": state, **values})  # the state is protected from writing by hand

    # ------------------------------------------------------------------
    # Tasks
    # ------------------------------------------------------------------

    def _get_measurer_tasks(self):
        """Return the open tasks of the measurers on these visits, with sudo."""
        return self.sudo().activity_search(["crm_wholesale.mail_activity_type_visit"])

    def _schedule_measurer_tasks(self):
        """Give each visit's measurer a task at its start."""
        for visit in self.sudo():
            visit._activity_schedule_quietly(
                "crm_wholesale.mail_activity_type_visit",
                user_id=visit.measurer_id.user_id.id,
                summary=visit.display_name,
                due_at=visit.start,
            )

    def _settle(self, feedback):
        """Close what is open around visits that are over: the measurer's task, the notices."""
        self._get_measurer_tasks().action_feedback(feedback=feedback)
        self.env["crm.visit.notice"].sudo()._supersede(self)

    def _schedule_callback(self):
        """Give the managers a call task at the same minute after the type's number of days."""
        for visit in self:
            zone = pytz.timezone(visit.tz)
            local = pytz.utc.localize(visit.done_at).astimezone(zone).replace(tzinfo=None)
            local += timedelta(days=visit.type_id.callback_days)
            due_at = zone.localize(local).astimezone(pytz.utc).replace(tzinfo=None, second=0)
            visit._schedule_call(
                due_at, self.env._("Measured on %(visit)s: call with the offer", visit=visit.name)
            )

    def _schedule_call(self, due_at, summary, note=None):
        """Give the manager a call task with a minute, on the deal where there is one.

        :param datetime due_at: in UTC
        :return: the activity
        """
        self.ensure_one()
        visit_sudo = self.sudo()  # a measurer reads no deals
        return (visit_sudo.lead_id or visit_sudo)._activity_schedule_quietly(
            "crm_wholesale.mail_activity_type_call_customer",
            user_id=visit_sudo.user_id.id,
            summary=summary,
            note=note,
            due_at=due_at,
        )

    def _tell_measurers(self, event, former=None):
        """Send each measurer concerned one internal message about all these visits.

        :param str event: ``new``, ``moved`` or ``cancelled``
        :param dict former: measurer of each visit before a move
        """
        visits_by_user = defaultdict(self.browse)
        for visit in self.sudo():
            measurers = visit.measurer_id | (former or {}).get(visit, visit.measurer_id)
            for user in measurers.user_id - self.env.user:
                visits_by_user[user] |= visit
        for user, visits in visits_by_user.items():
            visits = visits.with_context(lang=user.lang, tz=user.tz)
            subjects = {
                "new": visits.env._("New visit"),
                "moved": visits.env._("Visit moved"),
                "cancelled": visits.env._("Visit cancelled"),
            }
            lines = [f"{visit.name}: {visit.local_start}, {visit.address}" for visit in visits]
            visits[0].message_notify(
                partner_ids=user.partner_id.ids,
                subject=subjects[event],
                body=Markup("<br/>").join(lines),
            )

    # ------------------------------------------------------------------
    # From measurement to quotation
    # ------------------------------------------------------------------

    def _create_quotation(self):
        """Return a new quotation with a line for each measurement.

        :raise UserError: when nothing was measured
        """
        self.ensure_one()
        if not self.line_ids:
            raise UserError(self.env._("Nothing was measured on %(visit)s.", visit=self.name))
        partner = self.partner_id or self.lead_id.partner_id
        if not partner and self.lead_id:
            self.lead_id._handle_partner_assignment(create_missing=True)
            partner = self.lead_id.partner_id
        if not partner:
            raise UserError(self.env._("Choose the customer of %(visit)s first.", visit=self.name))
        return self.env["sale.order"].create(self._prepare_quotation_values(partner))

    def _prepare_quotation_values(self, partner):
        """Return the values of the quotation of this visit's measurements."""
        self.ensure_one()
        lead = self.lead_id
        return {
            "partner_id": partner.id,
            "opportunity_id": lead.id,
            "visit_id": self.id,
            "company_id": self.company_id.id,
            "user_id": self.user_id.id,
            "team_id": lead.team_id.id,
            "origin": self.name,
            "order_line": [
                fields.Command.create(line._prepare_order_line_values()) for line in self.line_ids
            ],
        }

    # ------------------------------------------------------------------
    # Words
    # ------------------------------------------------------------------

    def _format_local(self, moment, time_only=False):
        """Return a UTC moment as the wall time of the site, in the reader's language.

        The zone's city follows where the reader's clock shows another time:
        "Thu 26 Nov 2026, 10:00 (Kyiv)".
        """
        self.ensure_one()
        if not moment:
            return ""
        if time_only:
            return format_time(self.env, moment, tz=self.tz, time_format="HH:mm")
        text = format_datetime(self.env, moment, tz=self.tz, dt_format="EEE d MMM y, HH:mm")
        utc_moment = pytz.utc.localize(moment)
        site_offset, own_offset = (
            utc_moment.astimezone(zone).utcoffset()
            for zone in (pytz.timezone(self.tz), self.env.tz)
        )
        if site_offset != own_offset:
            text += f" ({self.tz.rpartition('/')[2].replace('_', ' ')})"
        return text

    def _mail_get_partner_fields(self, introspect_fields=False):
        """Keep the customer out of the visit's chatter, where colleagues write to each other."""
        return []

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]
