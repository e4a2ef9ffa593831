from odoo import api, models
from odoo.exceptions import UserError

from .crm_visit import OPEN_STATES


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        if vals.get("active") is False:
            self._check_no_open_visits()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_open_visits(self):
        self._check_no_open_visits()

    def _check_no_open_visits(self):
        """Raise when somebody is still to come to one of these customers.

        :raise UserError: naming the visits
        """
        visits_sudo = (  # whoever archives a customer need not read the visits
            self.env["crm.visit"]
            .sudo()
            .search([("partner_id", "in", self.ids), ("state", "in", OPEN_STATES)], limit=5)
        )
        if visits_sudo:
            raise UserError(
                self.env._(
                    "A measurer is still to come to this customer: %(visits)s. "
                    "Finish or cancel the visit first.",
                    visits=", ".join(visits_sudo.mapped("name")),
                )
            )
