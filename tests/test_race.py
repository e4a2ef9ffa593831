"""Many who book at once, two who swap, and an upgrade over visits that overlap already."""

import threading
from datetime import timedelta

import live
import pytest
from small_firm import SmallFirm

ROUNDS = 10
#: How many book at the same moment, and how many processes serve them.
CROWD, CROWD_WORKERS = 50, 8
#: The exclusion constraint that the database guards the measurers' days with.
GUARD = "crm_visit_measurer_overlap"
ONE_HOUR_EARLIER = (
    "UPDATE crm_visit SET start = start - interval '1 hour', stop = stop - interval '1 hour'"
)


def book_at_once(firm, starts):
    """Let both managers, in turns, book the same measurer at the same moment.

    :param starts: a start in UTC for each booking
    :return: the deals of each, and what each was told: None for yes
    """
    numbers = range(len(starts))
    windows = [(firm.manager, firm.other_manager)[number % 2].open_window() for number in numbers]
    barrier = threading.Barrier(len(starts))
    leads, answers = [None] * len(starts), [None] * len(starts)

    def book(number):
        window = windows[number]
        leads[number] = firm.new_lead(window)
        booking_id = firm.open_booking(window, leads[number], starts[number], duration=0.25)
        barrier.wait()
        try:
            window.call("crm.visit.booking", "action_book", [booking_id])
        except live.Refused as refusal:
            answers[number] = refusal

    threads = [threading.Thread(target=book, args=[number]) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return leads, answers


@pytest.fixture(scope="module")
def firm():
    """Yield a firm whose server works in so many processes that a crowd really comes at once."""
    with (
        live.MailServer() as mail,
        live.database("race") as name,
        live.serve(
            name, *mail.options, f"--workers={CROWD_WORKERS}", "--max-cron-threads=0"
        ) as server,
    ):
        yield SmallFirm(server)


def test_exactly_one_of_two_gets_the_slot(firm):
    server = firm.server
    for number in range(ROUNDS):
        start = live.utc_now() + timedelta(days=1, hours=number)
        leads, answers = book_at_once(firm, [start] * 2)
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
        names = {lead["id"]: lead["stage_id"][1] for lead in stages}
        assert names[leads[winner]] == "Measurement"
        assert names[leads[1 - winner]] == "New request"
    events = server.admin.search("calendar.event", [("crm_visit_ids", "!=", False)])
    assert len(events) == ROUNDS
    assert server.complaints() == []


@pytest.mark.parametrize("what", ["slot", "place"])
def test_fifty_want_one_slot_or_the_last_place_of_a_day(firm, what):
    """One of fifty is booked; the others are refused in words that name what is free."""
    night = (live.utc_now() + timedelta(days=3)).replace(hour=1, minute=0, second=0)
    if what == "slot":
        starts, words = [night] * CROWD, "Mykola Measurer already has visit"
    else:
        night += timedelta(days=1)
        starts = [night + timedelta(minutes=20 * number) for number in range(CROWD)]
        words = "Mykola Measurer can make no more visits on"
        firm.head.write("crm.measurer", [firm.measurer_id], visits_per_day=1)
    leads, answers = book_at_once(firm, starts)
    refusals = [answer for answer in answers if answer]
    assert len(refusals) == CROWD - 1
    for refusal in refusals:
        assert refusal.kind == "UserError"
        assert words in str(refusal)
        assert str(refusal).count("Mykola Measurer: ") == 3, "the next free slots"
    (visit,) = firm.server.admin.search(
        "crm.visit", [("lead_id", "in", leads)], "lead_id", "event_id"
    )
    assert visit["lead_id"][0] == leads[answers.index(None)]
    assert visit["event_id"]
    assert firm.server.complaints() == []


def test_two_measurers_swap_their_visits_of_one_hour(firm):
    user = firm.server.new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
    second_id = firm.head.create(
        "crm.measurer", name="Second Measurer", user_id=user.id, tz="Europe/Kyiv"
    )
    start = live.utc_now() + timedelta(days=6)
    ids = [firm.book(firm.manager, firm.new_lead(firm.manager), start)]
    firm.measurer_id, first_id = second_id, firm.measurer_id
    ids.append(firm.book(firm.manager, firm.new_lead(firm.manager), start))
    firm.measurer_id = first_id
    firm.manager.call("crm.visit", "action_swap_measurers", ids)
    visits = firm.manager.search("crm.visit", [("id", "in", ids)], "measurer_id", "revision")
    assert [visit["measurer_id"][0] for visit in visits] == [second_id, first_id]
    assert [visit["revision"] for visit in visits] == [1, 1]
    assert firm.server.complaints() == []


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
