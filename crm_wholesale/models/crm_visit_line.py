from odoo import api, fields, models

MILLIMETRES = 1000.0


class CrmVisitLine(models.Model):
    """One thing that was measured on a visit; sizes are in millimetres."""

    _name = "crm.visit.line"
    _description = "Measurement"
    _order = "visit_id, sequence, id"

    visit_id = fields.Many2one("crm.visit", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    place = fields.Char(required=True, help="Where in the building: “kitchen, left window”.")
    product_id = fields.Many2one("product.product", domain="[('sale_ok', '=', True)]")
    width = fields.Float("Width (mm)", digits=(10, 1))
    height = fields.Float("Height (mm)", digits=(10, 1))
    depth = fields.Float("Depth (mm)", digits=(10, 1))
    count = fields.Integer("Pieces", default=1)
    quantity = fields.Float(
        digits="Product Unit",
        compute="_compute_quantity",
        store=True,
        help="In the product's own unit, from the sizes and the number of pieces.",
    )
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    note = fields.Text()
    photo_ids = fields.Many2many("ir.attachment", string="Photos", bypass_search_access=True)

    _sizes_not_negative = models.Constraint(
        "CHECK(COALESCE(width, 0) >= 0 AND COALESCE(height, 0) >= 0 AND COALESCE(depth, 0) >= 0)",
        "A size cannot be negative.",
    )
    _count_positive = models.Constraint(
        "CHECK(count > 0)", "Enter how many pieces there are: at least one."
    )
    _something_measured = models.Constraint(
        "CHECK(product_id IS NULL OR quantity > 0)",
        "Enter the sizes that this product is sold by: its quantity would be zero.",
    )

    @api.depends("product_id.uom_id", "width", "height", "depth", "count")
    def _compute_quantity(self):
        for line in self:
            line.quantity = line._get_quantity()

    def _get_quantity(self):
        """Return how much of the product was measured, in the product's own unit.

        Width × height for units of area, width × height × depth for units of volume, width for
        units of length, each times the number of pieces; else the number of pieces.
        """
        self.ensure_one()
        width, height, depth = (
            size / MILLIMETRES for size in (self.width, self.height, self.depth)
        )
        measures = {
            "uom.product_uom_square_meter": width * height,
            "uom.product_uom_cubic_meter": width * height * depth,
            "uom.product_uom_meter": width,
        }
        for xmlid, measure in measures.items():
            unit = self.env.ref(xmlid, raise_if_not_found=False)
            if unit and self.uom_id and unit._has_common_reference(self.uom_id):
                return unit._compute_quantity(
                    measure * self.count, self.uom_id, rounding_method="HALF-UP"
                )
        return self.count

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._adopt_photos()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if "photo_ids" in vals:
            self._adopt_photos()
        return result

    def _adopt_photos(self):
        """Attach freshly uploaded photos to their line, so that its readers can see them."""
        for line in self.filtered("photo_ids"):
            line.photo_ids.sudo().filtered(  # of the uploader only: they belong to no record yet
                lambda photo: not photo.res_id and photo.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": line.id})

    def _prepare_order_line_values(self):
        """Return the values of the order line of this measurement.

        A measurement without a product becomes a note, so that it is not lost.
        """
        self.ensure_one()
        if not self.product_id:
            return {"display_type": "line_note", "name": self._get_description()}
        return {
            "product_id": self.product_id.id,
            "product_uom_qty": self.quantity,
            "product_uom_id": self.uom_id.id,
            "name": f"{self.product_id.display_name}\n{self._get_description()}",
        }

    def _get_description(self):
        """Return the measurement in one line of words."""
        self.ensure_one()
        sizes = " × ".join(f"{size:g}" for size in (self.width, self.height, self.depth) if size)
        parts = [self.place, sizes and self.env._("%(sizes)s mm", sizes=sizes)]
        if self.count > 1:
            parts.append(self.env._("%(count)s pieces", count=self.count))
        return ", ".join(filter(None, [*parts, self.note]))
