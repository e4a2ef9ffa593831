from odoo import fields, models


class CrmVisit(models.Model):
    _inherit = "crm.visit"

    urgent = fields.Boolean(
        help="An urgent visit may take the places of a day that are kept free for such."
    )

    def _prepare_slot_values(self):
        """Return what ``crm.measurer._find_slots`` needs to know of this visit."""
        self.ensure_one()
        names = (
            "duration latitude longitude zip city tz urgent window_start window_stop name".split()
        )
        return {
            **{name: self[name] for name in names},
            "id": self.id,
            "company_id": self.company_id.id,
            "country_id": self.country_id.id,
            "type_id": self.type_id.id,
        }
