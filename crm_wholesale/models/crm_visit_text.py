from odoo import api, fields, models
from odoo.tools import format_datetime
from odoo.tools.misc import get_lang


class CrmVisit(models.Model):
    """What a visit says of itself in messages to the customer, in the reader's language.

    Times are the wall time of the site.
    """

    _inherit = "crm.visit"

    customer_day = fields.Char("Day in Messages", compute="_compute_customer_time")
    customer_time = fields.Char("Time in Messages", compute="_compute_customer_time")
    customer_expected_time = fields.Char(
        "Estimated Arrival in Messages", compute="_compute_customer_expected_time"
    )
    measurer_first_name = fields.Char(compute="_compute_measurer_first_name")
    customer_signature = fields.Char("Signature in Messages", compute="_compute_customer_signature")

    @api.depends("start", "window_start", "window_stop", "tz")
    @api.depends_context("lang")
    def _compute_customer_time(self):
        for visit in self:
            moments = [visit.window_start or visit.start]
            if visit.window_start and visit.window_stop:
                moments.append(visit.window_stop)
            visit.customer_day = visit._format_site_time(moments[0], "EEEE, d MMMM")
            visit.customer_time = "-".join(
                visit._format_site_time(moment, "HH:mm") for moment in moments
            )

    @api.depends("expected_at", "tz")
    @api.depends_context("lang")
    def _compute_customer_expected_time(self):
        for visit in self:
            visit.customer_expected_time = visit._format_site_time(visit.expected_at, "HH:mm")

    @api.depends("measurer_id.name")
    def _compute_measurer_first_name(self):
        for visit in self:
            visit.measurer_first_name = (visit.measurer_id.name or "").partition(" ")[0]

    @api.depends("company_id.name", "company_id.phone")
    def _compute_customer_signature(self):
        for visit in self:
            company = visit.company_id
            visit.customer_signature = ", ".join(filter(None, [company.name, company.phone]))

    def _get_customer_lang(self):
        """Return the code of the customer's language: the partner's, the deal's or the firm's."""
        self.ensure_one()
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        wanted = (self.partner_id.lang, self.lead_id.lang_id.code, self.company_id.partner_id.lang)
        return next((lang for lang in wanted if lang in installed), get_lang(self.env).code)

    def _format_site_time(self, moment, pattern):
        """Return a moment (UTC) in the site's wall time and the language of the context.

        :param str pattern: a Babel pattern
        """
        self.ensure_one()
        return format_datetime(self.env, moment, tz=self.tz, dt_format=pattern)

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Let the texts to customers be edited without the right to write code in templates."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.address",
            "object.company_id.name",
            "object.company_id.phone",
            "object.customer_day",
            "object.customer_expected_time",
            "object.customer_signature",
            "object.customer_time",
            "object.customer_url",
            "object.measurer_first_name",
        )
