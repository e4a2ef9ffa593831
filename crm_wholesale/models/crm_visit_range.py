from odoo import fields, models


class CrmVisitRange(models.Model):
    """Between which sizes what is measured on a type of visit usually lies, in millimetres.

    A size outside is questioned, and saved only when somebody says that it is so.
    """

    _name = "crm.visit.range"
    _description = "Usual Size"
    _order = "type_id, dimension desc, id"
    _rec_name = "dimension"

    type_id = fields.Many2one("crm.visit.type", required=True, index=True, ondelete="cascade")
    dimension = fields.Selection(
        [("width", "Width"), ("height", "Height"), ("depth", "Depth")], required=True
    )
    minimum = fields.Float("At Least (mm)", digits=(10, 1))
    maximum = fields.Float("At Most (mm)", required=True, digits=(10, 1))

    _dimension_unique = models.Constraint(
        "UNIQUE(type_id, dimension)", "Each dimension of a visit type has one usual range."
    )
    _minimum_below_maximum = models.Constraint(
        "CHECK(COALESCE(minimum, 0) >= 0 AND maximum > COALESCE(minimum, 0))",
        "The greatest usual size must be above the smallest, which cannot be negative.",
    )
