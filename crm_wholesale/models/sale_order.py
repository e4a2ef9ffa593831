from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    visit_id = fields.Many2one(
        "crm.visit", "Visit", index="btree_not_null", copy=False, check_company=True
    )
