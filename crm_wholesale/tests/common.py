from datetime import datetime, timezone
from unittest.mock import patch

from odoo.sql_db import BaseCursor
from odoo.tests import TransactionCase, new_test_user

#: A Monday; the frozen "now" of the tests, 10:00 in Kyiv.
NOW = datetime(2026, 11, 23, 8, 0)
#: Example numbers of the phonenumbers library, which nobody owns.
MOBILE = "+380501234567"
LANDLINE = "+380311234567"


class WholesaleCommon(TransactionCase):
    """A firm in Kyiv: manager, head of sales, measurer, privacy officer, and one deal.

    PostgreSQL's clock, which decides what is due, follows a frozen one.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(
            patch.object(
                BaseCursor, "now", lambda cr: datetime.now(timezone.utc).replace(tzinfo=None)
            )
        )
        cls.env = cls.env["base"].with_context(**cls._get_quiet_context()).env
        cls.company = cls.env.company
        cls.company.resource_calendar_id.tz = "Europe/Kyiv"
        cls.company.country_id = cls.env.ref("base.ua")
        cls.manager = cls._new_user("manager", "sales_team.group_sale_salesman")
        cls.other_manager = cls._new_user("other", "sales_team.group_sale_salesman")
        cls.head = cls._new_user("head", "sales_team.group_sale_manager")
        cls.measurer_user = cls._new_user("measurer", "crm_wholesale.crm_wholesale_group_measurer")
        cls.privacy_officer = cls._new_user("privacy", "crm_wholesale.crm_wholesale_group_privacy")
        cls.team = cls.env.ref("crm_wholesale.crm_team_wholesale")
        cls.visit_type = cls.env.ref("crm_wholesale.crm_visit_type_measurement")
        cls.measurer = cls._new_measurer(cls.measurer_user)
        cls.lead = cls._new_lead()

    @staticmethod
    def _get_quiet_context():
        return {"tracking_disable": False, "no_reset_password": True}

    @classmethod
    def _new_user(cls, login, groups):
        return new_test_user(
            cls.env, f"wholesale_{login}", groups=groups, name=login.title(), tz="Europe/Kyiv"
        )

    @classmethod
    def _new_measurer(cls, user, **values):
        return cls.env["crm.measurer"].create(
            {"name": user.name, "user_id": user.id, "tz": "Europe/Kyiv", **values}
        )

    @classmethod
    def _new_lead(cls, **values):
        return cls.env["crm.lead"].create(
            {
                "name": "Windows for the office",
                "type": "opportunity",
                "contact_name": "Olena Petrenko",
                "phone": MOBILE,
                "street": "vulytsia Entuziastiv, 11",
                "city": "Kyiv",
                "user_id": cls.manager.id,
                "team_id": cls.team.id,
                **values,
            }
        )

    def _book(self, start, user=None, **values):
        """Book a visit to the deal's site at ``start`` (UTC), as a manager."""
        vals = {
            "lead_id": self.lead.id,
            "measurer_id": self.measurer.id,
            "type_id": self.visit_type.id,
            "start": start,
            **values,
        }
        return self.env["crm.visit"].with_user(user or self.manager)._book([vals])
