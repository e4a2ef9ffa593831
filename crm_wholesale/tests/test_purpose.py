from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MOBILE, WholesaleCommon

OTHER_MOBILE = "+48512345678"


@tagged("post_install", "-at_install")
class TestPurpose(WholesaleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purpose = cls.env.ref("crm_wholesale.personal_data_purpose_visit_service")
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Olena Petrenko",
                "phone": "050 123 45 67",
                "email": "Olena <Olena@example.com>",
                "country_id": cls.env.ref("base.ua").id,
            }
        )
        cls.purposes = cls.env["personal.data.purpose"].with_user(cls.manager)

    def _block(self, number):
        self.env["phone.blacklist"].sudo().create({"number": number})

    def test_contract_is_allowed_unless_objected(self):
        for channel in ("sms", "call", "email", "post"):
            with self.subTest(channel=channel):
                answer = self.purposes._allows("visit_service", channel, partner=self.partner)
                self.assertEqual(answer, (True, False))

        self._block(MOBILE)
        self.env["mail.blacklist"].sudo().create({"email": "olena@example.com"})
        for channel, contact, allowed in (
            ("sms", {"partner": self.partner}, False),
            ("call", {"partner": self.partner}, False),
            ("email", {"partner": self.partner}, False),
            ("post", {"partner": self.partner}, True),
            ("sms", {"phone": MOBILE}, False),
            ("sms", {"phone": "+38 (050) 123-45-67"}, False),
            ("sms", {"partner": self.partner, "phone": "(050) 123-45-67"}, False),
            ("sms", {"partner": self.partner, "phone": OTHER_MOBILE}, True),
            ("email", {"email": "OLENA@example.com"}, False),
            ("email", {"email": "other@example.com"}, True),
            ("sms", {}, True),
            ("email", {}, True),
        ):
            with self.subTest(channel=channel, contact=contact):
                answer = self.purposes._allows("visit_service", channel, **contact)
                self.assertEqual(answer, (True, False) if allowed else (False, "blacklisted"))

    def test_a_lifted_objection_counts_no_more(self):
        self._block(MOBILE)
        self.env["phone.blacklist"].sudo().remove(MOBILE)
        self.assertEqual(self.purposes._allows("visit_service", "sms", phone=MOBILE), (True, False))

    def test_consent_is_denied_while_there_is_none(self):
        self.purpose.with_user(self.privacy_officer).basis = "consent"
        self.assertEqual(
            self.purposes._allows("visit_service", "sms", phone=MOBILE), (False, "no_consent")
        )

    def test_what_does_not_exist_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "'marketing'"):
            self.purposes._allows("marketing", "sms", phone=MOBILE)
        with self.assertRaisesRegex(ValueError, "'fax'"):
            self.purposes._allows("visit_service", "fax", phone=MOBILE)

    def test_many_are_asked_about_in_as_many_queries_as_one(self):
        self._block(MOBILE)
        partners = self.env["res.partner"].create(
            [{"name": str(i), "phone": MOBILE if i % 2 else OTHER_MOBILE} for i in range(10)]
        )
        purposes = self.purposes.sudo()
        for contacts in (partners[1], partners):
            self.env.invalidate_all()
            with self.assertQueryCount(10):
                refusals = purposes._get_refusals(
                    "visit_service", "sms", [(partner, None, None) for partner in contacts]
                )
        self.assertEqual(refusals, [False, "blacklisted"] * 5)

    def test_shipped_purpose_waits_for_the_lawyer(self):
        self.assertEqual(self.purpose.basis, "contract")
        self.assertTrue(self.purpose.to_confirm)

    def test_who_may(self):
        for user in (self.manager, self.measurer_user, self.privacy_officer):
            with self.subTest(user=user.login):
                self.assertEqual(self.purpose.with_user(user).code, "visit_service")
        for user in (self.manager, self.head, self.measurer_user):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.purpose.with_user(user).retention = "For ever"
                with self.assertRaises(AccessError):
                    self.purpose.with_user(user).create({"name": "Marketing", "code": "marketing"})
        as_officer = self.purpose.with_user(self.privacy_officer)
        as_officer.write({"retention": "Three years", "to_confirm": False})
        as_officer.create({"name": "Marketing", "code": "marketing"})
        with self.assertRaises(AccessError):
            as_officer.unlink()

    def test_the_code_is_for_good(self):
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            self.purpose.with_user(self.privacy_officer).code = "visits"
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.purpose.create({"name": "Once more", "code": "visit_service"})
