from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def _guarantees_sms_once(self):
        """Return whether this company's SMS provider sends each message by a committed claim.

        That of the addon ``sms_gateway_http`` says so; of any other we know nothing beyond the
        hand-over to the queue.
        """
        self.ensure_one()
        guarantees = getattr(self, "_sms_gateway_guarantees", None)
        return bool(guarantees and guarantees())
