from base64 import b64decode
from hashlib import sha1

from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.mimetypes import guess_mimetype

MILLIMETRES = 1000.0
SIZES = ("width", "height", "depth")
#: What a browser takes a photo as; SVG, which can hold scripts, is none.
PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
#: What makes a measurement another one when it changes.
MEASURED_FIELDS = ("place", "product_id", *SIZES, "count", "note")


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
    client_uuid = fields.Char(
        readonly=True,
        copy=False,
        help="Given by the phone, so that a measurement that is sent twice is saved once.",
    )

    # Usual sizes
    oddity = fields.Char(
        compute="_compute_oddity", help="Which sizes are not usual for this type of visit."
    )
    confirmed_odd = fields.Boolean(
        "Yes, It Is So",
        compute="_compute_confirmed_odd",
        store=True,
        readonly=False,
        precompute=True,
        help="Somebody has looked again at the unusual sizes. A changed size asks anew.",
    )

    # Measured again
    former_line_id = fields.Many2one(
        "crm.visit.line",
        compute="_compute_former_line_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        ondelete="set null",
        help="The same place as it was measured on the last visit of this deal.",
    )
    version_ids = fields.One2many("crm.visit.line.version", "line_id", "Former Values")
    difference = fields.Char(
        "Changed",
        compute="_compute_difference",
        help="What is not as it was first measured: on the former visit, or before this one was "
        "signed or done.",
    )

    _sizes_not_negative = models.Constraint(
        "CHECK(COALESCE(width, 0) >= 0 AND COALESCE(height, 0) >= 0 AND COALESCE(depth, 0) >= 0)",
        "A size cannot be negative.",
    )
    _count_positive = models.Constraint(
        "CHECK(count > 0)", "Enter how many pieces there are: at least one."
    )
    _client_uuid_unique = models.UniqueIndex(
        "(visit_id, client_uuid) WHERE client_uuid IS NOT NULL",
        "This measurement has been saved already.",
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

    @api.depends(*SIZES, "visit_id.type_id")
    @api.depends_context("lang")
    def _compute_oddity(self):
        labels = dict(
            self.env["crm.visit.range"]._fields["dimension"]._description_selection(self.env)
        )
        for line in self:
            questions = []
            for usual in line.visit_id.type_id.range_ids:
                size = line[usual.dimension]
                if size and not usual.minimum <= size <= usual.maximum:
                    questions.append(
                        self.env._(
                            "%(dimension)s %(size)s mm? Usual is %(minimum)s to %(maximum)s.",
                            dimension=labels[usual.dimension],
                            size=f"{size:g}",
                            minimum=f"{usual.minimum:g}",
                            maximum=f"{usual.maximum:g}",
                        )
                    )
            line.oddity = " ".join(questions)

    @api.depends(*SIZES)
    def _compute_confirmed_odd(self):
        self.confirmed_odd = False

    @api.depends("place", "visit_id.lead_id")
    def _compute_former_line_id(self):
        visits_sudo = self.visit_id.sudo()  # a measurer reads neither deals nor others' visits
        former = visits_sudo._get_former_visits()
        for line in self:
            visit_sudo = line.visit_id.sudo()
            place = line._get_place_key()
            same = [
                other
                for other in former.get(visit_sudo, visit_sudo.browse()).line_ids
                if other._get_place_key() == place
            ]
            line.former_line_id = same[0] if same else False

    @api.depends(*MEASURED_FIELDS, "former_line_id", "version_ids")
    @api.depends_context("lang")
    def _compute_difference(self):
        for line in self:
            # What a former visit found may be told to whoever measures there again.
            former_sudo = line.version_ids.sudo()[:1] or line.former_line_id.sudo()
            line.difference = line._get_difference(former_sudo) if former_sudo else False

    @api.constrains(*SIZES, "confirmed_odd", "visit_id")
    def _check_usual_sizes(self):
        for line in self:
            if line.oddity and not line.confirmed_odd:
                raise ValidationError(
                    self.env._(
                        "%(place)s: %(question)s Correct it, or tick “Yes, it is so”.",
                        place=line.place,
                        question=line.oddity,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._adopt_photos()
        lines.visit_id._note_remeasured()
        return lines

    def write(self, vals):
        changed = self.filtered(lambda line: line._is_remeasured_by(vals))
        changed._keep_version()
        result = super().write(vals)
        changed.visit_id._note_remeasured()
        if "photo_ids" in vals:
            self._adopt_photos()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_with_version(self):
        self._keep_version()
        self.visit_id._note_remeasured()

    def _is_remeasured_by(self, vals):
        """Return whether these values change what was measured."""
        self.ensure_one()
        return any(
            self._fields[name].convert_to_cache(vals[name], self)
            != self._fields[name].convert_to_cache(self[name], self)
            for name in vals.keys() & set(MEASURED_FIELDS)
        )

    def _keep_version(self):
        """Keep the present values of measurements that somebody has signed or taken over."""
        self.env["crm.visit.line.version"].sudo().create(  # nobody writes versions by hand
            [
                {
                    "visit_id": line.visit_id.id,
                    "line_id": line.id,
                    "measured_by_id": line.write_uid.id,
                    "measured_at": line.write_date,
                    "product_id": line.product_id.id,
                    **{name: line[name] for name in MEASURED_FIELDS if name != "product_id"},
                }
                for line in self
                if line.visit_id._is_measuring_settled()
            ]
        )

    def _get_place_key(self):
        """Return the place as it is compared: case and blanks make no other place."""
        self.ensure_one()
        return " ".join((self.place or "").casefold().split())

    def _get_difference(self, former):
        """Return in words what differs from the former values.

        :param former: a measurement or a version of one
        """
        self.ensure_one()
        parts = []
        for name in (*SIZES, "count", "product_id"):
            if self[name] != former[name]:
                before, now = (
                    value.display_name if name == "product_id" else f"{value:g}"
                    for value in (former[name], self[name])
                )
                label = self._fields[name]._description_string(self.env)
                parts.append(f"{label}: {before or '—'} → {now or '—'}")
        return ", ".join(parts)

    def _adopt_photos(self):
        """Attach freshly uploaded photos to their line, so that its readers can see them."""
        for line in self.filtered("photo_ids"):
            line.photo_ids.sudo().filtered(  # of the uploader only: they belong to no record yet
                lambda photo: not photo.res_id and photo.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": line.id})

    def _attach_photos(self, photos):
        """Attach pictures to this measurement; one that it has already is left out.

        :param photos: dictionaries of ``name`` and ``data`` (base64)
        :raise ValidationError: for what is no picture
        """
        self.ensure_one()
        known = set(self.sudo().photo_ids.mapped("checksum"))
        for photo in photos:
            try:
                content = b64decode(photo["data"])
            except ValueError:
                content = b""
            if not guess_mimetype(content).startswith(PHOTO_TYPES):
                raise ValidationError(
                    self.env._("“%(name)s” is no photo.", name=photo.get("name", ""))
                )
            if sha1(content, usedforsecurity=False).hexdigest() in known:
                continue
            self.photo_ids = [
                Command.create(
                    {
                        "name": photo.get("name") or self.place,
                        "raw": content,
                        "res_model": self._name,
                        "res_id": self.id,
                    }
                )
            ]

    def _prepare_day_values(self):
        """Return what the measurer's phone shows of this measurement."""
        self.ensure_one()
        return {
            "id": self.id,
            "uuid": self.client_uuid or "",
            "place": self.place,
            "product": (
                {"id": self.product_id.id, "name": self.product_id.display_name}
                if self.product_id
                else False
            ),
            "width": self.width,
            "height": self.height,
            "depth": self.depth,
            "count": self.count,
            "note": self.note or "",
            "photos": len(self.photo_ids),
            "oddity": self.oddity or "",
            "difference": self.difference or "",
        }

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
