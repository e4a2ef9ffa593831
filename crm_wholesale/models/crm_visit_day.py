from datetime import datetime, time, timedelta

import psycopg2
import pytz

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError, ValidationError
from odoo.tools import format_date

from ..tools.travel import Place, Travel
from .crm_visit import OCCUPYING_STATES

#: The customer is told a time of arrival rounded up to this.
ETA_STEP = timedelta(minutes=5)
#: States of a visit from which the measurer has left again, or is still there.
VISITED_STATES = ("in_progress", "done", "no_show")
#: What the phone may write of a measurement.
LINE_FIELDS = frozenset(
    {"place", "product_id", "width", "height", "depth", "count", "note", "confirmed_odd"}
)
#: How many products the phone keeps for the time without a connection.
OFFLINE_PRODUCTS = 60


class CrmVisit(models.Model):
    """The measurer's day: what the phone shows and records on the way from door to door."""

    _inherit = "crm.visit"

    expected_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the measurer was expected to arrive: estimated, and told to the customer, "
        "when the measurer set out.",
    )
    arrived_latitude = fields.Float(
        readonly=True,
        copy=False,
        digits=(10, 7),
        help="Where the measurer's phone was on arrival, if company, browser and measurer let it "
        "say so.",
    )
    arrived_longitude = fields.Float(readonly=True, copy=False, digits=(10, 7))
    no_show_photo = fields.Image(
        "Photo of the Place", readonly=True, copy=False, max_width=1600, max_height=1600
    )
    signature = fields.Image(
        "Customer's Signature", readonly=True, copy=False, max_width=1024, max_height=1024
    )
    signed_by = fields.Char(readonly=True, copy=False)
    signed_at = fields.Datetime(readonly=True, copy=False)

    # ------------------------------------------------------------------
    # Reading the day
    # ------------------------------------------------------------------

    @api.model
    def get_my_day(self):
        """Return the user's visits of today as the phone shows them, in order of time.

        Today is the day in the user's zone; unfinished visits of earlier days come first. The
        number of queries does not grow with the number of visits.

        :return: dictionary of ``date`` (words), ``visits`` (list of dictionaries), ``products``
            (the first ones, for the time without a connection) and ``geolocation`` (whether the
            company wants to know where the measurer arrived)
        """
        visits = self.search(self._get_my_day_domain())
        former = visits.sudo()._get_former_visits()  # of deals, which a measurer does not read
        travel = visits._get_travel_minutes_by_visit()
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        return {
            "date": format_date(self.env, today.date(), date_format="EEEE, d MMMM"),
            "visits": [
                {
                    **visit._prepare_day_values(),
                    "travel_minutes": travel[visit],
                    "former": [
                        line_sudo._prepare_day_values() for line_sudo in former[visit].line_ids
                    ],
                }
                for visit in visits
            ],
            "products": [
                {"id": product.id, "name": product.display_name}
                for product in self.env["product.product"].search(
                    [("sale_ok", "=", True)], limit=OFFLINE_PRODUCTS
                )
            ],
            "geolocation": self.env.company.visit_geolocation,
        }

    @api.model
    def _get_my_day_domain(self):
        """Return the domain of the user's visits of today and the unfinished ones before."""
        zone = self.env.tz
        today = pytz.utc.localize(fields.Datetime.now()).astimezone(zone).date()
        midnight, next_midnight = (
            zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
            for day in (today, today + timedelta(days=1))
        )
        return [
            ("measurer_id.user_id", "=", self.env.uid),
            ("state", "in", (*OCCUPYING_STATES, "done", "no_show")),
            ("start", "<", next_midnight),
            "|",
            ("start", ">=", midnight),
            ("state", "in", OCCUPYING_STATES),
        ]

    def _prepare_day_values(self):
        """Return what the phone shows of this visit.

        Override to add values; call super first.
        """
        self.ensure_one()
        window = [
            self._format_local(moment, time_only=True)
            for moment in (self.window_start, self.window_stop)
            if moment
        ]
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "state_label": self._get_state_label(),
            "time": self._format_local(self.start, time_only=True),
            "stop": self._format_local(self.stop, time_only=True),
            "window": "–".join(window),
            "local_start": self.local_start,
            "expected": self._format_local(self.expected_at, time_only=True),
            "type": self.type_id.name,
            "contact": self.contact_name or "",
            "phone": self.phone or "",
            "address": self.address,
            "map_url": self.map_url or "",
            "instructions": self.instructions or "",
            "note": self.measurer_note or "",
            "signed_by": self.signed_by or "",
            "lines": [line._prepare_day_values() for line in self.line_ids],
            "ranges": [
                {
                    "dimension": usual.dimension,
                    "minimum": usual.minimum,
                    "maximum": usual.maximum,
                }
                for usual in self.type_id.range_ids
            ],
        }

    # ------------------------------------------------------------------
    # The way
    # ------------------------------------------------------------------

    def _get_travel_minutes_by_visit(self):
        """Return the minutes of travel to each of these visits from the one before it.

        To the first of a measurer's visits it is from where the measurer starts.
        """
        minutes = {}
        for measurer, visits in self.grouped("measurer_id").items():
            travel = visits[0]._get_travel()
            place = measurer._get_start_place()
            for visit in visits.sorted(lambda visit: (visit.start, visit.id)):
                minutes[visit] = travel.get_minutes(place, visit._get_place())
                place = visit._get_place()
        return minutes

    def _estimate_arrival(self):
        """Return when the measurer who sets out now will be there, in UTC.

        Travel is counted from the last place of the day, and the time rounded up. Nobody is
        expected before the time that was agreed.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        last_sudo = self.sudo().search(
            [
                ("measurer_id", "=", self.measurer_id.id),
                ("state", "in", VISITED_STATES),
                ("arrived_at", ">", now - timedelta(hours=12)),
            ],
            order="arrived_at desc",
            limit=1,
        )
        origin = last_sudo._get_place() if last_sudo else self.measurer_id._get_start_place()
        minutes = self._get_travel().get_minutes(origin, self._get_place())
        arrival = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
        if excess := timedelta(minutes=arrival.minute) % ETA_STEP:
            arrival += ETA_STEP - excess
        return max(arrival, self.window_start or self.start)

    def _get_travel(self):
        """Return how long ways take by the settings of this visit's company."""
        self.ensure_one()
        company_sudo = self.company_id.sudo()
        measurer_sudo = self.measurer_id.sudo()
        territories = {zone.id: zone._get_territory() for zone in measurer_sudo.zone_ids}
        return Travel(
            measurer_sudo._get_travel_function(company_sudo),
            lambda place: {key for key, zone in territories.items() if zone.contains(place)},
            company_sudo.visit_travel_near,
            company_sudo.visit_travel_far,
        )

    def _get_place(self):
        """Return where this visit takes place."""
        self.ensure_one()
        return Place(self.latitude, self.longitude, self.zip, self.city)

    # ------------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------------

    def action_on_my_way(self):
        """Set out: the customer is told once when to expect the measurer. Again does nothing."""
        leaving = self.filtered(lambda visit: visit.state != "en_route")
        result = super(CrmVisit, leaving).action_on_my_way()
        for visit_sudo in leaving.sudo():  # protected from writing by hand
            visit_sudo.expected_at = visit_sudo._estimate_arrival()
        self.env["crm.visit.notice"].sudo()._tell(leaving, "on_my_way")
        return result

    def action_arrive(self):
        """Arrive: the time is kept. Again does nothing."""
        coming = self.filtered(lambda visit: visit.state != "in_progress")
        result = super(CrmVisit, coming).action_arrive()
        self.env["crm.visit.notice"].sudo()._supersede(coming)
        return result

    def arrive(self, position):
        """Arrive: time and place are kept, the place where the company wants it.

        :param position: latitude and longitude of the measurer's phone, or nothing
        """
        coming = self.filtered(lambda visit: visit.state != "in_progress")
        self.action_arrive()
        if position:
            latitude, longitude = (float(degrees) for degrees in position)
            coming.sudo().filtered("company_id.visit_geolocation").write(
                {"arrived_latitude": latitude, "arrived_longitude": longitude}
            )

    def report_no_show(self, photo):
        """Record that nobody was met at the site, and what it looked like there.

        :param str photo: base64 of a picture, or nothing
        """
        self.action_no_show()
        self.sudo().no_show_photo = photo  # protected from writing by hand

    def sign(self, name, image):
        """Keep the customer's signature on the measurements; signed again replaces it.

        :param str image: base64 of a picture
        :raise UserError: without a name or a signature, or when the measurer is not there
        """
        self.check_access("write")
        if not (name or "").strip() or not image:
            raise UserError(self.env._("Enter who signs, and let them sign."))
        for visit in self:
            if visit.state != "in_progress":
                raise UserError(
                    self.env._(
                        "%(visit)s is %(state)s: it is signed while the measurer is there.",
                        visit=visit.name,
                        state=visit._get_state_label().lower(),
                    )
                )
        self.sudo().write(  # protected from writing by hand
            {"signature": image, "signed_by": name.strip(), "signed_at": fields.Datetime.now()}
        )

    def save_measurement(self, uuid, values, photos=(), line_id=None):
        """Save one measurement; the same one sent again is saved once.

        :param str uuid: the phone's name for this measurement
        :param dict values: values of :data:`LINE_FIELDS`
        :param photos: dictionaries of ``name`` and ``data`` (base64); one that is attached
            already is left out
        :param int line_id: the measurement to change, where the server knows it already
        :return: the id of the measurement
        :raise UserError: when the visit takes no measurements (any more)
        :raise ValidationError: for values that cannot be, or unusual ones that nobody confirmed
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("in_progress", "done"):
            raise UserError(
                self.env._(
                    "%(visit)s is %(state)s: measurements are entered after arriving.",
                    visit=self.name,
                    state=self._get_state_label().lower(),
                )
            )
        if unknown := values.keys() - LINE_FIELDS:
            raise ValidationError(
                self.env._(
                    "A measurement has no fields %(names)s.", names=", ".join(sorted(unknown))
                )
            )
        lines = self.line_ids
        line = lines.filtered(lambda line: line.id == line_id or line.client_uuid == uuid)[:1]
        if line:
            line.write(values)
        else:
            try:
                with self.env.cr.savepoint():
                    line = lines.create({**values, "visit_id": self.id, "client_uuid": uuid})
            except psycopg2.errors.UniqueViolation as error:
                # Its twin was saved since this request began: repeat it, to see the twin.
                raise ConcurrencyError(str(error)) from error
        line._attach_photos(photos)
        return line.id
