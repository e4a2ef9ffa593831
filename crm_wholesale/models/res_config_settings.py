from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    visit_sms_guaranteed = fields.Boolean(
        "Notices Sent Once",
        compute="_compute_visit_sms_guaranteed",
        help="Whether this company's SMS provider sends each message by a committed claim.",
    )

    module_crm_wholesale_route = fields.Boolean("Plan Days with VROOM")
    distribute_visits = fields.Boolean(related="company_id.distribute_visits", readonly=False)
    visit_travel_speed = fields.Float(related="company_id.visit_travel_speed", readonly=False)
    visit_travel_factor = fields.Float(related="company_id.visit_travel_factor", readonly=False)
    visit_travel_buffer = fields.Integer(related="company_id.visit_travel_buffer", readonly=False)
    visit_travel_near = fields.Integer(related="company_id.visit_travel_near", readonly=False)
    visit_travel_far = fields.Integer(related="company_id.visit_travel_far", readonly=False)
    visit_geolocation = fields.Boolean(related="company_id.visit_geolocation", readonly=False)

    @api.depends("company_id")
    def _compute_visit_sms_guaranteed(self):
        for settings in self:
            settings.visit_sms_guaranteed = settings.company_id._guarantees_sms_once()
