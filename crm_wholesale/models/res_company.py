from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    distribute_visits = fields.Boolean(
        "Distribute Waiting Visits",
        default=True,
        help="Give visits that wait for a measurer one by themselves, every ten minutes.",
    )
    visit_travel_speed = fields.Float(
        "Average Speed (km/h)", default=25.0, help="How fast a measurer gets on between visits."
    )
    visit_travel_factor = fields.Float(
        "Detour Factor",
        default=1.3,
        help="How many times longer the way is than the straight line.",
    )
    visit_travel_buffer = fields.Integer(
        "Buffer (minutes)",
        default=10,
        help="Left free beside every way between two visits: to park, to find the door.",
    )
    visit_travel_near = fields.Integer(
        "Within a City (minutes)",
        default=20,
        help="A way within one city, postcode or zone where coordinates are missing.",
    )
    visit_travel_far = fields.Integer(
        "Farther (minutes)", default=45, help="Any other way where coordinates are missing."
    )

    visit_geolocation = fields.Boolean(
        "Keep the Place of Arrival",
        help="When a measurer presses “Arrived”, the phone is asked where it is, once, and the "
        "visit keeps it. The measurer is told so and may refuse.",
    )

    _visit_travel_positive = models.Constraint(
        "CHECK(visit_travel_speed > 0 AND visit_travel_factor >= 1)",
        "The speed between visits must be above zero, and no way is shorter than the straight "
        "line.",
    )
    _visit_travel_not_negative = models.Constraint(
        "CHECK(visit_travel_buffer >= 0 AND visit_travel_near >= 0 AND visit_travel_far >= 0)",
        "Minutes of travel cannot be less than nothing.",
    )

    def _guarantees_sms_once(self):
        """Return whether this company's SMS provider sends each message by a committed claim.

        That of the addon ``sms_gateway_http`` says so; of any other we know nothing beyond the
        hand-over to the queue.
        """
        self.ensure_one()
        guarantees = getattr(self, "_sms_gateway_guarantees", None)
        return bool(guarantees and guarantees())
