from odoo import api, fields, models
from odoo.exceptions import UserError

from .crm_visit import ADDRESS_FIELDS

#: States in which the visit follows when the customer's address or telephone changes.
FOLLOWING_STATES = ("draft", "scheduled", "confirmed", "en_route")
#: What visits copy of the deal, or of the customer, who may have coordinates.
LEAD_SITE_FIELDS = ADDRESS_FIELDS | {"phone"}
PARTNER_SITE_FIELDS = LEAD_SITE_FIELDS | {"partner_latitude", "partner_longitude"}


class CrmVisit(models.Model):
    """Where a visit goes and whom it calls: the visit's own copies, and when they follow."""

    _inherit = "crm.visit"

    @api.model
    def _prepare_site_values(self, lead, partner):
        """Return company, contact, address and zone of a visit to this customer.

        The address is the partner's where there is one, else the lead's own; the zone is the
        partner's, else that of the team company's calendar.
        """
        company = lead.company_id or lead.team_id.company_id or self.env.company
        site = partner if partner.street or partner.city or not lead else lead
        return {
            "company_id": company.id,
            "lead_id": lead.id,
            "partner_id": partner.id,
            "contact_name": lead.contact_name or partner.name or lead.partner_name or lead.name,
            "phone": lead.phone or partner.phone,
            "street": site.street,
            "street2": site.street2,
            "city": site.city,
            "zip": site.zip,
            "country_id": site.country_id.id or company.country_id.id,
            "latitude": partner.partner_latitude if site == partner else 0.0,
            "longitude": partner.partner_longitude if site == partner else 0.0,
            "tz": partner.tz or company.resource_calendar_id.tz or self._default_tz(),
        }

    @api.model
    def _format_phone(self, phone, country_id):
        """Return the number in E.164, or as typed where it is no valid number."""
        country = self.env["res.country"].browse(country_id) or self.env.company.country_id
        return self.env.user._phone_format(number=phone, country=country) or phone

    def _check_contact(self):
        """Raise unless every visit says where to go and whom to call.

        :raise UserError: naming the visit and what is missing
        """
        for visit in self:
            who = visit.contact_name or visit.name
            if not visit.phone:
                raise UserError(
                    self.env._(
                        "Enter a telephone number for %(who)s: without one nobody can be told "
                        "when the measurer comes.",
                        who=who,
                    )
                )
            if not visit.street and not visit.city and not visit.latitude:
                raise UserError(
                    self.env._(
                        "Enter the address of %(who)s: the measurer must know where to go.",
                        who=who,
                    )
                )

    # ------------------------------------------------------------------
    # Following the customer and the deal
    # ------------------------------------------------------------------

    @api.model
    def _find_copies(self, field_name, records):
        """Return what open visits copied of their customers or deals and have not changed since.

        Call before the records change, and :meth:`_follow_copies` afterwards.

        :param str field_name: ``partner_id`` or ``lead_id``
        :return: dict of visits, with sudo, with the set of ``"address"`` and ``"phone"``
        """
        visits_sudo = self.sudo().search(  # whoever changes a customer need not see the visits
            [(field_name, "in", records.ids), ("state", "in", FOLLOWING_STATES)]
        )
        copies = {}
        for visit in visits_sudo:
            source = visit._get_site_values(visit[field_name])
            kept = {name for name in LEAD_SITE_FIELDS if visit[name] == source[name]}
            copies[visit] = {
                what
                for what, names in (("address", ADDRESS_FIELDS), ("phone", {"phone"}))
                if names <= kept
            }
        return copies

    @api.model
    def _follow_copies(self, field_name, copies):
        """Let visits follow what changed of their customers or deals.

        A new address raises the revision, with all that follows; a new telephone number only
        changes where the notices go. An address or a number that was removed is kept.

        :param dict copies: see :meth:`_find_copies`
        """
        for visit, copied in copies.items():
            source = visit._get_site_values(visit[field_name])
            values = {}
            if "address" in copied and (source["street"] or source["city"]):
                values = {name: source[name] for name in ADDRESS_FIELDS}
                if source["latitude"] or source["longitude"]:
                    values.update(latitude=source["latitude"], longitude=source["longitude"])
            if "phone" in copied and source["phone"]:
                values["phone"] = source["phone"]
            if values := {name: values[name] for name in values if values[name] != visit[name]}:
                former = visit.address
                visit.write(visit._convert_to_write(values))
                if visit.address != former:
                    visit._message_log(
                        body=self.env._(
                            "The address follows the customer: %(former)s is now %(address)s.",
                            former=former,
                            address=visit.address,
                        )
                    )

    def _ask_about_new_place(self):
        """Give the managers a call task for visits whose measurer cannot go to the new address."""
        for visit in self:
            values = visit._prepare_slot_values()
            reasons = visit.measurer_id._explain_unavailable(values, visit.start, visit.stop)
            code, words = reasons.get(visit.measurer_id, (False, ""))
            if code in ("zone", "travel"):
                visit._schedule_call(
                    fields.Datetime.now(),
                    self.env._("The address of %(visit)s has changed", visit=visit.name),
                    note=words,
                )

    def _get_site_values(self, record):
        """Return address and telephone of a customer or deal as this visit would copy them."""
        self.ensure_one()
        values = {name: record[name] for name in ADDRESS_FIELDS}
        values["country_id"] = record.country_id or self.company_id.country_id
        values["phone"] = self._format_phone(record.phone, values["country_id"].id)
        is_partner = record._name == "res.partner"
        values["latitude"] = record.partner_latitude if is_partner else 0.0
        values["longitude"] = record.partner_longitude if is_partner else 0.0
        return values
