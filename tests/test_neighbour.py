"""Our addons come into a firm that works with Odoo already, and leave its things alone."""

import live
import neighbour


def test_installing_and_upgrading_touch_nothing_of_the_firm():
    addons = list(live.dev.find_addons())
    with neighbour.firm_with_plain_odoo("neighbour") as name:
        before = neighbour.read_rows(name)
        for table in ("calendar_event", "crm_lead", "crm_stage", "mail_activity", "sms_sms"):
            assert any(key[0] == table for key in before)
        live.odoo(name, "-i", ",".join(addons))
        assert neighbour.compare(before, neighbour.read_rows(name)) == []
        installed = neighbour.read_catalogue(name)
        for _ in range(2):
            live.odoo(name, "-u", ",".join(addons))
            assert neighbour.compare(before, neighbour.read_rows(name)) == []
            assert neighbour.read_catalogue(name) == installed
