from odoo import fields, models


class CrmMeasurer(models.Model):
    """A specialist who surveys the customer's site before the firm quotes."""

    _name = "crm.measurer"
    _description = "Measurer"
    _inherit = ["resource.mixin", "mail.thread"]
    _order = "name, id"

    name = fields.Char(related="resource_id.name", store=True, readonly=False, required=True)
    active = fields.Boolean(
        related="resource_id.active", store=True, readonly=False, default=True
    )
    user_id = fields.Many2one(
        "res.users", related="resource_id.user_id", store=True, readonly=False, index=True
    )
    skill_ids = fields.Many2many("crm.visit.skill", string="Skills")
    zone_ids = fields.Many2many("crm.visit.zone", string="Zones")
    visits_per_day = fields.Integer(
        default=6, help="How many visits a day this measurer can make at most."
    )
