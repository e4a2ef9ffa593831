from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.base.models.res_partner import _tz_get


class CrmVisitBooking(models.TransientModel):
    """The screen on which a manager books a visit while on the phone."""

    _name = "crm.visit.booking"
    _description = "Book a Visit"

    lead_id = fields.Many2one("crm.lead", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    type_id = fields.Many2one(
        "crm.visit.type",
        required=True,
        default=lambda self: self.env["crm.visit.type"].search([], limit=1),
    )
    measurer_id = fields.Many2one(
        "crm.measurer", required=True, domain="[('company_id', 'in', (False, company_id))]"
    )
    start = fields.Datetime(required=True)
    duration = fields.Float(
        compute="_compute_duration", store=True, readonly=False, required=True, precompute=True
    )
    tz = fields.Selection(_tz_get, "Site Time Zone", required=True)
    local_start = fields.Char("Time at the Site", compute="_compute_local_start")
    conflict = fields.Char(compute="_compute_conflict")
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
    def default_get(self, fields):
        defaults = super().default_get(fields)
        lead = self.env["crm.lead"].browse(defaults.get("lead_id"))
        if lead:
            site = self.env["crm.visit"]._prepare_site_values(lead, lead.partner_id)
            defaults.update({name: site[name] for name in site.keys() & set(fields)})
        return defaults

    @api.depends("type_id")
    def _compute_duration(self):
        for booking in self:
            booking.duration = booking.type_id.duration

    @api.depends("start", "tz")
    def _compute_local_start(self):
        for booking in self:
            visit = self.env["crm.visit"].new({"tz": booking.tz})
            booking.local_start = visit._format_local(booking.start)

    @api.depends("start", "duration", "measurer_id")
    def _compute_conflict(self):
        for booking in self:
            booking.conflict = booking._get_conflict()

    def _get_conflict(self):
        """Return why the measurer cannot come at that time, in words, or an empty text."""
        self.ensure_one()
        if not self.start or not self.measurer_id or self.duration <= 0:
            return ""
        visit = self.env["crm.visit"].new(self._prepare_visit_values())
        try:
            visit._check_overlaps(visit._find_visits_around())
        except UserError as error:
            return str(error)
        return ""

    def action_book(self):
        """Book the visit and say what follows from it."""
        self.ensure_one()
        visit = self.env["crm.visit"]._book([self._prepare_visit_values()])
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(visit)s: %(measurer)s comes on %(time)s.",
                    visit=visit.name,
                    measurer=visit.measurer_id.name,
                    time=visit.local_start,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _prepare_visit_values(self):
        """Return the values of the visit to book."""
        self.ensure_one()
        names = (
            "contact_name phone street street2 city zip latitude longitude instructions tz".split()
        )
        return {
            **{name: self[name] for name in names},
            "lead_id": self.lead_id.id,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "country_id": self.country_id.id,
            "type_id": self.type_id.id,
            "measurer_id": self.measurer_id.id,
            "start": self.start,
            "stop": self.start + timedelta(hours=self.duration),
        }
