from odoo import fields, models


class CrmVisitLineVersion(models.Model):
    """A measurement as it stood before it was changed after its visit was signed or done.

    Rows are written by ``crm.visit.line`` and never changed; ``create_uid`` and ``create_date``
    say who replaced the values and when.
    """

    _name = "crm.visit.line.version"
    _description = "Former Measurement"
    _order = "id"
    _rec_name = "place"

    visit_id = fields.Many2one(
        "crm.visit", required=True, readonly=True, index=True, ondelete="cascade"
    )
    line_id = fields.Many2one(
        "crm.visit.line",
        "Measurement Now",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Empty when the measurement has been removed.",
    )
    place = fields.Char(readonly=True)
    product_id = fields.Many2one("product.product", readonly=True, ondelete="set null")
    width = fields.Float("Width (mm)", readonly=True, digits=(10, 1))
    height = fields.Float("Height (mm)", readonly=True, digits=(10, 1))
    depth = fields.Float("Depth (mm)", readonly=True, digits=(10, 1))
    count = fields.Integer("Pieces", readonly=True)
    note = fields.Text(readonly=True)
    measured_by_id = fields.Many2one("res.users", readonly=True)
    measured_at = fields.Datetime(readonly=True)
    create_uid = fields.Many2one("res.users", "Replaced By", readonly=True)
    create_date = fields.Datetime("Replaced At", readonly=True)
