from odoo import fields, models


class ResourceResource(models.Model):
    _inherit = "resource.resource"

    crm_measurer_ids = fields.One2many("crm.measurer", "resource_id", "Measurers")
