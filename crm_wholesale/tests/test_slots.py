from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .common import NOW, WholesaleCommon

CENTRE = {"latitude": 50.4501, "longitude": 30.5234}


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestSlots(WholesaleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values = {
            "company_id": cls.company.id,
            "type_id": cls.visit_type.id,
            "tz": "Europe/Kyiv",
            "zip": "01001",
            "city": "Kyiv",
            **CENTRE,
        }

    def _find(self, days=14, limit=None, **values):
        measurers = self.env["crm.measurer"].with_user(self.manager)
        latest = NOW + timedelta(days=days)
        return measurers._find_slots({**self.values, **values}, NOW, latest, limit)

    def test_insertion(self):
        visit = self._book(datetime(2026, 11, 24, 8), **CENTRE)
        slots = [slot for slot in self._find() if slot["start"].day == 24]
        self.assertEqual([slot["start"].hour for slot in slots], [6, 11, 12, 13, 14])
        self.assertIn(visit.name, slots[0]["reason"])
        self.assertEqual(slots[0]["travel_minutes"], 0)
