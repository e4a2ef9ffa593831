from odoo import api, fields, models, tools
from odoo.exceptions import UserError

CHANNELS = ("sms", "call", "email", "post")


class PersonalDataPurpose(models.Model):
    """A purpose for which personal data is used, and the answer whether it may be used now.

    Software asks by ``code`` at the moment of use, see ``_allows``.
    """

    _name = "personal.data.purpose"
    _description = "Purpose of Personal Data"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="The technical name by which the software asks whether this purpose is allowed.",
    )
    sequence = fields.Integer(default=10)
    basis = fields.Selection(
        [
            ("consent", "Consent"),
            ("contract", "Contract"),
            ("legal_obligation", "Legal obligation"),
            ("legitimate_interest", "Legitimate interest"),
        ],
        "Legal Basis",
        required=True,
        default="consent",
        help="With the basis consent, nothing is done without a consent in force. With any other, "
        "it is done unless the person has objected.",
    )
    to_confirm = fields.Boolean(
        "To Be Confirmed by Your Lawyer",
        default=True,
        help="What this purpose says has not been checked for your firm and country.",
    )
    description = fields.Text(translate=True, help="What the data is used for.")
    categories = fields.Text(
        "Categories of Data", translate=True, help="For example: name, telephone, address."
    )
    recipients = fields.Text(translate=True, help="Who is given the data, inside and outside.")
    retention = fields.Text(
        translate=True, help="How long the data is kept, and what happens to it then."
    )
    storage_country_ids = fields.Many2many("res.country", string="Countries of Storage")

    _code_unique = models.Constraint("UNIQUE(code)", "Another purpose has this code already.")

    def write(self, vals):
        if "code" in vals and any(purpose.code != vals["code"] for purpose in self):
            raise UserError(
                self.env._("The code of a purpose cannot be changed: the software asks by it.")
            )
        return super().write(vals)

    @api.model
    def _allows(self, code, channel, partner=None, phone=None, email=None):
        """Tell whether a person may be addressed now, for this purpose and on this channel.

        :param str code: the purpose's code
        :param str channel: one of ``CHANNELS``
        :param partner: the person, where known; without a number or an address its own are taken
        :param str phone: the number that would be used, in any format
        :param str email: the address that would be used
        :return: ``(True, False)``, or ``(False, reason)`` with the reason ``"no_consent"`` or
            ``"blacklisted"``
        :raise ValueError: for a purpose or channel that does not exist
        """
        contact = (partner or self.env["res.partner"], phone, email)
        reason = self._get_refusals(code, channel, [contact])[0]
        return not reason, reason

    @api.model
    def _get_refusals(self, code, channel, contacts):
        """Return why each of the contacts may not be addressed, or False where it may.

        The same questions as ``_allows`` in one number of queries, however many contacts.

        :param contacts: list of ``(partner, phone, email)``
        """
        if channel not in CHANNELS:
            raise ValueError(f"There is no channel {channel!r}")
        purpose_sudo = self.sudo().search([("code", "=", code)])
        if not purpose_sudo:
            raise ValueError(f"There is no purpose {code!r} of personal data")
        if purpose_sudo.basis == "consent":
            return ["no_consent"] * len(contacts)
        if channel in ("sms", "call"):
            blacklist, field = "phone.blacklist", "number"
            keys = [self._get_phone_key(partner, phone) for partner, phone, _email in contacts]
        elif channel == "email":
            blacklist, field = "mail.blacklist", "email"
            keys = [self._get_email_key(partner, email) for partner, _phone, email in contacts]
        else:
            return [False] * len(contacts)
        known_keys = list(filter(None, keys))
        # With sudo: anybody may learn that a person objected to being addressed.
        rows_sudo = self.env[blacklist].sudo().search([(field, "in", known_keys)])
        refused = set(rows_sudo.mapped(field))
        return [key in refused and "blacklisted" for key in keys]

    @api.model
    def _get_phone_key(self, partner, phone):
        """Return the number in E.164, as the blacklist holds it, or False."""
        number = phone or partner.phone
        return number and partner._phone_format(number=number)

    @api.model
    def _get_email_key(self, partner, email):
        """Return the address normalised, as the blacklist holds it, or False."""
        return tools.email_normalize(email or partner.email)
