from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.territory import Territory


class CrmVisitZone(models.Model):
    """A part of the country to which measurers go.

    A site lies in it by its postcode, by its city, or by its distance from the zone's point.
    """

    _name = "crm.visit.zone"
    _description = "Visit Zone"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True)
    color = fields.Integer(export_string_translation=False)
    zips = fields.Text(
        "Postcodes",
        help="Separated by commas or on lines of their own: a whole postcode (01001), the "
        "beginning of many (04*) or a range (03000-03999).",
    )
    cities = fields.Text(help="Names of cities, separated by commas or on lines of their own.")
    latitude = fields.Float(digits=(10, 7))
    longitude = fields.Float(digits=(10, 7))
    radius = fields.Float("Radius (km)", help="Sites so near to the point lie in the zone, too.")

    _radius_not_negative = models.Constraint(
        "CHECK(radius >= 0)", "The radius cannot be less than nothing."
    )

    @api.constrains("zips")
    def _check_zips(self):
        for zone in self:
            try:
                zone._get_territory()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is no postcode. Write, for example, 01001, 04* or 03000-03999.",
                        text=error,
                    )
                ) from error

    def _get_territory(self):
        """Return the :class:`Territory` of this zone.

        :raise ValueError: for an entry that is no postcode; its text is the argument
        """
        self.ensure_one()
        has_point = self.latitude or self.longitude
        point = (self.latitude, self.longitude) if has_point else None
        return Territory(self.zips, self.cities, point, self.radius)
