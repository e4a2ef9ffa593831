"""Two users who book the same slot at once, and an upgrade over visits that overlap already."""

import threading
from datetime import timedelta

import live
import pytest
from small_firm import SmallFirm

ROUNDS = 10
#: The exclusion constraint that the database guards the measurers' days with.
GUARD = "crm_visit_measurer_overlap"
ONE_HOUR_EARLIER = (
    "UPDATE crm_visit SET start = start - interval '1 hour', stop = stop - interval '1 hour'"
)


def book_at_once(firm, start):
    """Let both managers book the same measurer at the same moment.

    :return: the deals of each, and what each was told: None for yes
    """
    users = (firm.manager, firm.other_manager)
    leads = [firm.new_lead(user) for user in users]
    bookings = [
        firm.open_booking(user, lead, start) for user, lead in zip(users, leads, strict=True)
    ]
    barrier, answers = threading.Barrier(len(users)), [None] * len(users)

    def book(number):
        barrier.wait()
        try:
            users[number].call("crm.visit.booking", "action_book", [bookings[number]])
        except live.Refused as refusal:
            answers[number] = refusal

    threads = [threading.Thread(target=book, args=[number]) for number in range(len(users))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return leads, answers


def test_exactly_one_of_two_gets_the_slot():
    with (
        live.MailServer() as mail,
        live.database("race") as name,
        live.serve(name, *mail.options) as server,
    ):
        firm = SmallFirm(server)
        for number in range(ROUNDS):
            start = live.utc_now() + timedelta(days=1, hours=number)
            leads, answers = book_at_once(firm, start)
            assert answers.count(None) == 1
            winner = answers.index(None)
            refusal = answers[1 - winner]
            assert refusal.kind == "UserError"
            assert "Mykola Measurer already has visit" in str(refusal)
            (visit,) = server.admin.search(
                "crm.visit", [("start", "=", f"{start}")], "lead_id", "event_id", "notice_ids"
            )
            assert visit["lead_id"][0] == leads[winner]
            assert visit["event_id"] and visit["notice_ids"]
            stages = server.admin.search("crm.lead", [("id", "in", leads)], "stage_id")
            names = [lead["stage_id"][1] for lead in stages]
            assert names[winner] == "Measurement"
            assert names[1 - winner] == "New request"
        events = server.admin.search("calendar.event", [("crm_visit_ids", "!=", False)])
        assert len(events) == ROUNDS
        assert server.complaints() == []


def test_an_upgrade_over_overlapping_visits_names_them():
    guard = f"SELECT contype FROM pg_constraint WHERE conname = '{GUARD}'"
    with live.database("overlap") as name:
        with live.MailServer() as mail, live.serve(name, *mail.options) as server:
            firm = SmallFirm(server)
            start = live.utc_now().replace(second=0) + timedelta(days=30)
            lead_id = firm.new_lead(firm.manager)
            ids = [firm.book(firm.manager, lead_id, start + timedelta(hours=n)) for n in range(2)]
            visits = firm.manager.search("crm.visit", [("id", "in", ids)], "name")
        assert live.sql(name, guard) == [["x"]]
        live.change(name, f"ALTER TABLE crm_visit DROP CONSTRAINT {GUARD}")
        live.change(name, f"{ONE_HOUR_EARLIER} WHERE id = {ids[1]}")
        with pytest.raises(live.dev.Failure):
            live.odoo(name, "-u", "crm_wholesale")
        one, other = (visit["name"] for visit in visits)
        assert f"{one} / {other}" in live.dev.log_path(name).read_text()
        live.change(name, f"UPDATE crm_visit SET state = 'cancelled' WHERE id = {ids[1]}")
        live.odoo(name, "-u", "crm_wholesale")
        assert live.sql(name, guard) == [["x"]]
