"""Our addons leave: nothing of theirs stays behind, and nothing of the firm's goes with them."""

import live
import neighbour
from small_firm import SmallFirm


def work(server):
    """Make everything that our addons make; return the id of a deal on one of their stages."""
    gateway_id = server.admin.create(
        "sms.gateway", name="Test gateway", driver="test", company_id=False
    )
    (company,) = server.admin.search("res.company", [])
    server.admin.write("res.company", [company["id"]], sms_gateway_id=gateway_id)
    firm = SmallFirm(server)
    (visit_id, cancelled_id) = firm.book_due(2)
    photo_id = firm.measurer.create("ir.attachment", name="photo.png", datas="aGVsbG8=")
    line = {"place": "hall", "width": 100, "photo_ids": [(4, photo_id)]}
    firm.measurer.write("crm.visit", [visit_id], line_ids=[(0, 0, line)])
    firm.manager.call("crm.visit", "message_post", [visit_id], body="The gate is closed.")
    cancel = {"default_visit_id": cancelled_id}
    cancel_id = firm.manager.create("crm.visit.cancel", cancel, reason="The customer is ill")
    firm.manager.call("crm.visit.cancel", "action_cancel_visit", [cancel_id])
    queued = [("visit_id", "=", visit_id), ("state", "=", "queued")]
    live.wait_for(lambda: firm.manager.search("crm.visit.notice", queued), "a text in the queue")
    return firm.manager.read("crm.visit", visit_id, "lead_id")["lead_id"][0]


def test_uninstalling_leaves_only_what_holds_the_firms_deals():
    addons = list(live.dev.find_addons())
    with neighbour.firm_with_plain_odoo("uninstall") as name:
        rows, catalogue = neighbour.read_rows(name), neighbour.read_catalogue(name)
        live.odoo(name, "-i", ",".join(addons))
        with live.MailServer() as mail, live.serve(name, *mail.options) as server:
            lead_id = work(server)
        rows_at_work = neighbour.read_rows(name)
        assert rows_at_work["crm_lead", lead_id]["stage_id"]
        live.uninstall(name, *addons)
        after = neighbour.read_rows(name)
        # Who works with the firm's records leaves a trace on them; uninstalling changes no more.
        assert neighbour.compare(rows, after, ignore=("write_date", "write_uid")) == []
        lead = after["crm_lead", lead_id]
        for column in ("stage_id", "team_id"):
            assert lead[column] == rows_at_work["crm_lead", lead_id][column]
        left = neighbour.read_catalogue(name) - catalogue
        gone = catalogue - neighbour.read_catalogue(name)
        assert gone == set()
        assert left == {"team: Wholesale", "stage: Measurement"}
        kept = f"model = 'crm.stage' AND res_id = {lead['stage_id']}"
        assert live.sql(name, f"SELECT name FROM ir_model_data WHERE {kept}") == []
