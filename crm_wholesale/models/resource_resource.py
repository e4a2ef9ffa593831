from odoo import fields, models


class ResourceResource(models.Model):
    _inherit = "resource.resource"

    crm_measurer_ids = fields.One2many("crm.measurer", "resource_id", "Measurers")

    def write(self, vals):
        """Send visits back to the queue that other hours, another zone or a farewell break."""
        if not vals.keys() & {"active", "calendar_id", "tz", "user_id"}:
            return super().write(vals)
        measurers_sudo = self.sudo().with_context(active_test=False).crm_measurer_ids
        with self.env["crm.visit"]._reopening_broken(measurers_sudo):
            return super(ResourceResource, self.with_context(crm_visit_watched=True)).write(vals)
