from odoo import fields, models


class PersonalDataPurpose(models.Model):
    """A purpose for which personal data is used."""

    _name = "personal.data.purpose"
    _description = "Purpose of Personal Data"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
