from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.base.models.res_partner import _tz_get

#: What a booking takes over from the site of its deal, customer or visit.
SITE_FIELDS = (
    "company_id",
    "partner_id",
    "contact_name",
    "phone",
    "street",
    "street2",
    "city",
    "zip",
    "country_id",
    "latitude",
    "longitude",
    "tz",
)
#: What a booking takes over from the visit that it moves or takes out of the queue.
VISIT_FIELDS = (
    *SITE_FIELDS,
    "lead_id",
    "type_id",
    "duration",
    "urgent",
    "earliest",
    "latest",
    "instructions",
)
#: Lengths of the arrival window, in hours.
WINDOWS = [("1", "An hour"), ("2", "Two hours"), ("3", "Three hours"), ("4", "Four hours")]


class CrmVisitBooking(models.TransientModel):
    """The screen on which a manager books or moves a visit while on the phone.

    ``start`` is UTC. By hand it is entered as the wall time of the site: ``site_day``,
    ``site_time`` and, where the clock strikes that time twice, ``site_fold``.
    """

    _name = "crm.visit.booking"
    _description = "Book a Visit"

    visit_id = fields.Many2one(
        "crm.visit",
        readonly=True,
        ondelete="cascade",
        help="The visit that is moved, or taken out of the queue.",
    )
    visit_state = fields.Selection(related="visit_id.state", string="State of the Visit")
    visit_summary = fields.Char("Now", compute="_compute_visit_summary")
    lead_id = fields.Many2one("crm.lead", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer")
    type_id = fields.Many2one(
        "crm.visit.type",
        required=True,
        domain="[('company_id', 'in', (False, company_id))]",
        default=lambda self: self.env["crm.visit.type"].search([], limit=1),
    )
    duration = fields.Float(
        compute="_compute_duration", store=True, readonly=False, required=True, precompute=True
    )
    urgent = fields.Boolean(help="May take the places that are kept free for urgent visits.")
    window_hours = fields.Selection(
        WINDOWS,
        "Arrival Window",
        help="How long the time is in which the measurer arrives, as the customer is told it. "
        "It begins with the slot: two hours from 10:00 are “between 10:00 and 12:00”.",
    )
    earliest = fields.Datetime("Not Before", help="When the customer can at the earliest.")
    latest = fields.Datetime("Not After", help="When the visit must be over.")

    # The choice
    measurer_id = fields.Many2one(
        "crm.measurer", domain="[('company_id', 'in', (False, company_id))]"
    )
    start = fields.Datetime()
    site_day = fields.Date("Day")
    site_time = fields.Float("Time", help="On the clock at the site.")
    site_fold = fields.Selection(
        [("0", "The first time"), ("1", "The second time")],
        "Which One",
        help="The clock is set back that night and strikes this time twice.",
    )
    is_time_twice = fields.Boolean(compute="_compute_is_time_twice")
    tz = fields.Selection(_tz_get, "Site Time Zone", required=True)
    local_start = fields.Char("Time at the Site", compute="_compute_local_start")
    conflict = fields.Char(compute="_compute_conflict")
    conflict_code = fields.Char(compute="_compute_conflict")
    over_capacity = fields.Boolean(
        "Book All the Same", help="One visit more than this measurer makes in a day at most."
    )

    # The site
    contact_name = fields.Char("Contact")
    phone = fields.Char()
    street = fields.Char()
    street2 = fields.Char()
    city = fields.Char()
    zip = fields.Char("Postcode")
    country_id = fields.Many2one("res.country")
    latitude = fields.Float(digits=(10, 7))
    longitude = fields.Float(digits=(10, 7))
    instructions = fields.Text()

    @api.model
    def _open(self, title, **defaults):
        """Return the action that opens this screen.

        :param defaults: ``default_…`` keys of the context
        """
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {**defaults, "dialog_size": "extra-large"},
        }

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        visit = self.env["crm.visit"].browse(defaults.get("visit_id"))
        if visit:
            values = visit.read(VISIT_FIELDS, load="")[0]
            if visit.window_stop:
                window = visit.window_stop - visit.window_start
                hours = str(round(window.total_seconds() / 3600))
                values["window_hours"] = hours if hours in dict(WINDOWS) else False
        else:
            lead = self.env["crm.lead"].browse(defaults.get("lead_id"))
            partner = lead.partner_id or lead.partner_id.browse(defaults.get("partner_id"))
            values = self.env["crm.visit"]._prepare_site_values(lead, partner)
        defaults.update({name: values[name] for name in values.keys() & set(fields)})
        return defaults

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("visit_id")
    @api.depends_context("lang", "tz")
    def _compute_visit_summary(self):
        for booking in self:
            visit = booking.visit_id
            parts = [visit.name, visit.local_start, visit.measurer_id.name]
            booking.visit_summary = " · ".join(filter(None, parts))

    @api.depends("type_id")
    def _compute_duration(self):
        for booking in self:
            booking.duration = booking.type_id.duration

    @api.depends("start", "tz")
    @api.depends_context("lang", "tz")
    def _compute_local_start(self):
        for booking in self:
            booking.local_start = booking._as_visit()._format_local(booking.start)

    @api.depends("site_day", "site_time", "tz")
    def _compute_is_time_twice(self):
        for booking in self:
            booking.is_time_twice = len(booking._get_moments()) == 2

    @api.depends(
        "start",
        "duration",
        "measurer_id",
        "type_id",
        "urgent",
        "window_hours",
        "site_day",
        "site_time",
        "site_fold",
        "tz",
    )
    def _compute_conflict(self):
        for booking in self:
            booking.conflict_code, booking.conflict = booking._get_conflict()

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        """Take the site of a service call from the customer."""
        if self.partner_id and not self.lead_id and not self.visit_id:
            values = self.env["crm.visit"]._prepare_site_values(self.lead_id, self.partner_id)
            self.update({name: values[name] for name in SITE_FIELDS})

    @api.onchange("start")
    def _onchange_start(self):
        if self.start:
            wall_time = pytz.utc.localize(self.start).astimezone(self._get_zone())
            self.site_day = wall_time.date()
            self.site_time = wall_time.hour + wall_time.minute / 60
            moments = self._get_moments()
            self.site_fold = str(moments.index(self.start)) if len(moments) == 2 else False

    @api.onchange("site_day", "site_time", "site_fold", "tz")
    def _onchange_site_time(self):
        moments = self._get_moments()
        if len(moments) == 2:
            self.start = moments[int(self.site_fold)] if self.site_fold else False
        else:
            self.site_fold = False
            self.start = moments[0] if moments else False

    # ------------------------------------------------------------------
    # The wall time of the site
    # ------------------------------------------------------------------

    def _get_zone(self):
        return pytz.timezone(self.tz or "UTC")

    def _get_moments(self):
        """Return the moments (UTC, in order) at which the site's clock shows the time entered.

        There is one; none where nothing or no time of day is entered, or where the clock skips
        it; and two where the clock strikes it twice.
        """
        self.ensure_one()
        minutes = round(self.site_time * 60)
        if not self.site_day or not 0 <= minutes < 24 * 60:
            return []
        wall_time = datetime.combine(self.site_day, time(*divmod(minutes, 60)))
        return self.env["crm.visit"]._get_local_choices(wall_time, self.tz or "UTC")

    def _get_time_problem(self):
        """Return why the time entered by hand is no moment, in words, or an empty text."""
        self.ensure_one()
        if self.start or not self.site_day:
            return ""
        hours, minutes = divmod(round(self.site_time * 60), 60)
        words = {
            "time": f"{hours:02}:{minutes:02}",
            "day": format_date(self.env, self.site_day),
        }
        if not 0 <= hours < 24:
            return self.env._("%(time)s is no time of day.", **words)
        if self.is_time_twice:
            return self.env._(
                "On %(day)s the clock strikes %(time)s twice at the site. Choose which one is "
                "meant.",
                **words,
            )
        return self.env._(
            "On %(day)s the clock at the site skips %(time)s. Choose another time.", **words
        )

    # ------------------------------------------------------------------
    # Booking
    # ------------------------------------------------------------------

    def action_book(self):
        """Book or move the visit and say what follows from it.

        :raise UserError: when nothing is chosen, or the visit cannot take place then
        """
        self.ensure_one()
        if not self.start or not self.measurer_id:
            raise UserError(
                self._get_time_problem()
                or self.env._("Choose one of the slots, or a measurer and a time by hand.")
            )
        visit = self._book()
        return self._notify(
            self.env._(
                "%(visit)s: %(measurer)s comes on %(time)s.",
                visit=visit.name,
                measurer=visit.measurer_id.name,
                time=visit.local_start,
            )
        )

    def action_queue(self):
        """Put the request in the queue of unassigned visits; the deal stays in its stage."""
        self.ensure_one()
        values = self._prepare_visit_values()
        unchosen = dict.fromkeys(("measurer_id", *self._prepare_time_values()), False)
        visit = self.env["crm.visit"]._queue([{**values, **unchosen}], self._get_queue_reason())
        return self._notify(
            self.env._("%(visit)s waits in the queue of unassigned visits.", visit=visit.name)
        )

    def _notify(self, message):
        """Return the action that says ``message`` and closes the screen."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _book(self):
        """Book the visit, move it, or schedule the one that waits; return it."""
        visit = self.visit_id.with_context(crm_visit_over_capacity=self.over_capacity)
        if not visit:
            return visit._book([self._prepare_visit_values()])
        values = {**self._prepare_time_values(), "measurer_id": self.measurer_id.id}
        if visit.state == "draft":
            visit.write({**values, "type_id": self.type_id.id, "urgent": self.urgent})
            visit._schedule()
        else:
            visit._move({visit: values})
        return visit

    def _prepare_visit_values(self):
        """Return the values of the visit to book."""
        self.ensure_one()
        names = (
            "contact_name phone street street2 city zip latitude longitude instructions tz "
            "urgent earliest latest"
        ).split()
        return {
            **{name: self[name] for name in names},
            "lead_id": self.lead_id.id,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "country_id": self.country_id.id,
            "type_id": self.type_id.id,
            "measurer_id": self.measurer_id.id,
            **self._prepare_time_values(),
        }

    def _prepare_time_values(self):
        """Return start, stop and arrival window of the visit, in UTC; False where not chosen."""
        self.ensure_one()
        start = self.start
        window = start and self.window_hours
        return {
            "start": start,
            "stop": start and start + timedelta(hours=self.duration),
            "window_start": window and start,
            "window_stop": window and start + timedelta(hours=int(window)),
        }

    def _as_visit(self):
        """Return the visit as it would be booked, not written anywhere."""
        self.ensure_one()
        return self.env["crm.visit"].new({"tz": self.tz or "UTC"})
