from datetime import timedelta
from urllib.parse import urlencode

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_datetime, format_time

from odoo.addons.base.models.res_partner import _tz_get

#: States in which a visit takes its measurer's time.
OCCUPYING_STATES = ("scheduled", "confirmed", "en_route", "in_progress")
OPEN_STATES = ("draft", *OCCUPYING_STATES)
#: States from which a visit may still be moved to another time or measurer.
MOVABLE_STATES = ("scheduled", "confirmed")

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
        "no_show_at",
        "queue_reason",
        "assignment_reason",
        "former_start",
        "former_measurer_id",
        "queue_activity_id",
        "customer_moves",
        "callback_activity_id",
        "remeasured_at",
        "expected_at",
        "arrived_latitude",
        "arrived_longitude",
        "no_show_photo",
        "signature",
        "signed_by",
        "signed_at",
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

    @api.depends(*ADDRESS_FIELDS, "company_id.country_id")
    def _compute_address(self):
        for visit in self:
            home = visit.company_id.country_id
            visit.address = visit._join_address(visit.country_id - home)

    @api.depends(*ADDRESS_FIELDS, "latitude", "longitude")
    def _compute_map_url(self):
        for visit in self:
            query = visit._join_address(visit.country_id)
            if visit.latitude or visit.longitude:
                query = f"{visit.latitude},{visit.longitude}"
            visit.map_url = query and "https://www.google.com/maps/search/?" + urlencode(
                {"api": 1, "query": query}
            )

    def _join_address(self, country):
        """Return the address in one line, with this country."""
        self.ensure_one()
        place = " ".join(filter(None, [self.zip, self.city]))
        return ", ".join(filter(None, [self.street, self.street2, place, country.name]))

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

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if booked := self.filtered(lambda visit: visit.state != "draft" or visit.revision):
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
                "crm_wholesale.crm_visit_action_my_day"
            )
            next_action["target"] = "main"  # the finished visit is no step back
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": message, "next": next_action},
        }

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
        city = self._get_clock_city(self.tz, moment)
        return f"{text} ({city})" if city else text

    @api.model
    def _get_clock_city(self, tz, moment):
        """Return the city of a zone where the reader's clock shows another time, else ""."""
        utc_moment = pytz.utc.localize(moment)
        offsets = {
            utc_moment.astimezone(zone).utcoffset() for zone in (pytz.timezone(tz), self.env.tz)
        }
        return tz.rpartition("/")[2].replace("_", " ") if len(offsets) > 1 else ""

    def _mail_get_partner_fields(self, introspect_fields=False):
        """Keep the customer out of the visit's chatter, where colleagues write to each other."""
        return []

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]
