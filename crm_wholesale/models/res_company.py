from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    visit_travel_speed = fields.Float(
        default=25.0, help="Average speed between two visits, in km/h."
    )
    visit_travel_factor = fields.Float(
        default=1.3, help="How much longer the way is than the straight line."
    )
    visit_travel_buffer = fields.Integer(
        default=10, help="Minutes left free beside every way between two visits."
    )
    visit_travel_near = fields.Integer(
        default=20,
        help="Minutes of a way within a city, postcode or zone where coordinates are missing.",
    )
    visit_travel_far = fields.Integer(
        default=45, help="Minutes of a longer way where coordinates are missing."
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
