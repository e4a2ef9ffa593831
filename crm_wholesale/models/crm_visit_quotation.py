from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmVisit(models.Model):
    """From measurement to quotation."""

    _inherit = "crm.visit"

    order_ids = fields.One2many(
        "sale.order", "visit_id", "Quotations", groups="sales_team.group_sale_salesman"
    )
    order_count = fields.Integer(
        compute="_compute_order_count", groups="sales_team.group_sale_salesman"
    )

    @api.depends("order_ids")
    def _compute_order_count(self):
        for visit in self:
            visit.order_count = len(visit.order_ids)

    def action_create_quotation(self):
        """Open the draft quotation with this visit's measurements, made if there is none yet."""
        self.ensure_one()
        order = self.order_ids.filtered(lambda order: order.state in ("draft", "sent"))[:1]
        order = order or self._create_quotation()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": order.id,
            "views": [(False, "form")],
        }

    def action_view_quotations(self):
        """Open the quotations made from this visit."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("sale.action_quotations")
        return {**action, "domain": [("visit_id", "=", self.id)], "context": {}}

    def _create_quotation(self):
        """Return a new quotation with a line for each measurement.

        :raise UserError: when nothing was measured
        """
        self.ensure_one()
        if not self.line_ids:
            raise UserError(self.env._("Nothing was measured on %(visit)s.", visit=self.name))
        partner = self.partner_id or self.lead_id.partner_id
        if not partner and self.lead_id:
            self.lead_id._handle_partner_assignment(create_missing=True)
            partner = self.lead_id.partner_id
        if not partner:
            raise UserError(self.env._("Choose the customer of %(visit)s first.", visit=self.name))
        return self.env["sale.order"].create(self._prepare_quotation_values(partner))

    def _prepare_quotation_values(self, partner):
        """Return the values of the quotation of this visit's measurements."""
        self.ensure_one()
        lead = self.lead_id
        return {
            "partner_id": partner.id,
            "opportunity_id": lead.id,
            "visit_id": self.id,
            "company_id": self.company_id.id,
            "user_id": self.user_id.id,
            "team_id": lead.team_id.id,
            "origin": self.name,
            "order_line": [
                fields.Command.create(line._prepare_order_line_values()) for line in self.line_ids
            ],
        }
