from odoo import api, fields, models
from odoo.tools import consteq, hmac

from ..drivers import DRIVERS

HMAC_SCOPE = "sms_gateway_http.callback"


class SmsGateway(models.Model):
    """The address to which a gateway sends delivery reports and replies.

    Its token is made of the database's secret, so it cannot be guessed and need not be kept. One
    with a message's reference in it is good for this message alone.
    """

    _inherit = "sms.gateway"

    callback_url = fields.Char(
        "Callback Address",
        compute="_compute_callback_url",
        groups="base.group_system",
        help="Give it to the gateway, and to nobody else: whoever knows it can report in its name.",
    )
    callback_secret = fields.Char(
        "Signature Secret",
        copy=False,
        groups="base.group_system",
        help="The word that you and the gateway have agreed on to sign its reports with.",
    )

    @api.depends("driver")
    def _compute_callback_url(self):
        for gateway in self:
            driver = DRIVERS.get(gateway.driver)
            listens = gateway.id and driver and driver.listens
            gateway.callback_url = listens and gateway._get_callback_url_maker()()

    def _get_callback_url_maker(self):
        """Return a function that makes the callback address for a message's reference, "" for all.

        The function needs no query.
        """
        self.ensure_one()
        env, gateway_id, driver = self.sudo().env, self.id, self.driver
        url = f"{self.get_base_url()}/sms_gateway_http/{gateway_id}/"

        def make_callback_url(reference=""):
            token = make_token(env, gateway_id, driver, reference)
            return f"{url}{token}?ref={reference}" if reference else f"{url}{token}"

        return make_callback_url

    def _is_callback_token(self, token, reference):
        """Tell whether `token` is that of this gateway's address for `reference`."""
        self.ensure_one()
        expected = make_token(self.sudo().env, self.id, self.driver, reference)
        return consteq(expected.encode(), token.encode(errors="replace"))

    def _get_listening_driver(self):
        """Return the driver that reads this gateway's callbacks, None if there is none.

        An archived gateway is still listened to: it may have taken messages before.
        """
        self.ensure_one()
        driver = DRIVERS.get(self.driver)
        if not (driver and driver.listens):
            return None
        company = self.company_id or self.env.company
        return driver(self.with_context(lang=company.partner_id.lang), company)


def make_token(env, gateway_id, driver, reference):
    return hmac(env, HMAC_SCOPE, (gateway_id, driver, reference))
