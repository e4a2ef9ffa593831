from ast import literal_eval

from lxml import etree

from odoo.tests import tagged

from .common import MOBILE, WholesaleCommon

#: A number as a customer list has it, which is none in Ukraine.
UNUSABLE = "(5) 555-4729"


@tagged("post_install", "-at_install")
class TestPhoneFlag(WholesaleCommon):
    def _get_flagged(self, records, view):
        """Return those of the records that the search view's filter shows, as the manager."""
        model = records.with_user(self.manager)
        arch = etree.fromstring(model.get_view(self.env.ref(view).id, "search")["arch"])
        (domain,) = arch.xpath("//filter[@name='phone_unusable']/@domain")
        return model.search([("id", "in", records.ids), *literal_eval(domain)])

    def _create(self, model, **values):
        phones = [UNUSABLE, "050 123 45 67", MOBILE, False]
        return self.env[model].create(
            [
                {"name": str(phone), "phone": phone, "country_id": self.env.ref("base.ua").id}
                | values
                for phone in phones
            ]
        )

    def test_flags_contacts_whose_number_is_none_and_keeps_it(self):
        partners = self._create("res.partner")
        flagged = self._get_flagged(partners, "base.view_res_partner_filter")
        self.assertEqual(flagged, partners[0])
        self.assertEqual(flagged.phone, UNUSABLE)

    def test_flags_deals_whose_number_is_none_and_keeps_it(self):
        leads = self._create("crm.lead", user_id=self.manager.id, team_id=self.team.id)
        flagged = self._get_flagged(leads, "crm.view_crm_case_opportunities_filter")
        self.assertEqual(flagged, leads[0])
        self.assertEqual(flagged.phone, UNUSABLE)

    def test_a_corrected_number_is_flagged_no_more(self):
        partners = self._create("res.partner")
        partners[0].with_user(self.manager).phone = "0 44 123 45 67"
        self.assertFalse(self._get_flagged(partners, "base.view_res_partner_filter"))

    def test_the_country_decides(self):
        partners = self._create("res.partner")
        partners[1].country_id = self.env.ref("base.us")
        flagged = self._get_flagged(partners, "base.view_res_partner_filter")
        self.assertEqual(flagged, partners[:2])
