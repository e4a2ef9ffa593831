"""The customer before the visit's page: in a browser on a small telephone, and two at once."""

import re
import resource
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta

import live
import pytest
import requests
from playwright.sync_api import sync_playwright
from small_firm import SmallFirm

#: The narrowest telephone that is still in use.
PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}
AXE = "npm/node_modules/axe-core/axe.min.js"
START = re.compile(r'name="start"[^>]*value="([^"]+)"')
ROUNDS = 2


@pytest.fixture(scope="module")
def firm():
    """The firm on a server of several processes; its database knows two languages."""
    with (
        live.MailServer() as mail,
        live.database("page") as name,
        live.serve(name, *mail.options) as server,
    ):
        archived = {"active_test": False}
        domain = [("code", "=", "uk_UA")]
        lang_ids = server.admin.call("res.lang", "search", domain, context=archived)
        server.admin.write("res.lang", lang_ids, active=True)
        (company,) = server.admin.search("res.company", [])
        server.admin.write("res.company", [company["id"]], phone="+380441234567")
        yield SmallFirm(server)
        assert server.complaints() == []


def book(firm, number=0):
    """Book a visit in three days' time; return its id and the address of its page."""
    start = live.utc_now().replace(minute=0, second=0) + timedelta(days=3, hours=number)
    visit_id = firm.book(firm.manager, firm.new_lead(firm.manager), start)
    url = firm.manager.read("crm.visit", visit_id, "customer_url")["customer_url"]
    return visit_id, firm.server.url + url[url.index("/v/") :]


def read(firm, visit_id):
    """Return how a visit stands."""
    return firm.manager.read("crm.visit", visit_id, "state", "start", "revision", "customer_moves")


# --- In a browser -------------------------------------------------------------------------------


@contextmanager
def unlimited_memory():
    """Lift the limit that Odoo sets to the memory of this process: no Chromium starts under it."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits[1], limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@contextmanager
def browser(request):
    """Yield a function that opens a telephone's browser, with or without scripts."""
    if request.config.getoption("--no-browser"):
        pytest.skip("--no-browser")
    with unlimited_memory(), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=live.dev.find_browser(), args=["--no-sandbox"]
        )
        yield lambda scripts: chromium.new_context(java_script_enabled=scripts, **PHONE).new_page()
        chromium.close()


def assert_accessible(page, url):
    """Assert that axe finds nothing to object to, and that nothing sticks out to the side."""
    page.goto(url)
    page.evaluate((live.dev.HOME / AXE).read_text())
    violations = page.evaluate("axe.run().then(results => results.violations)")
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]


def test_the_customer_confirms_moves_and_cancels(firm, request):
    """The customer's journey, without scripts; axe looks at each page on the way."""
    visit_id, url = book(firm)
    with browser(request) as open_browser:
        page, axe = open_browser(scripts=False), open_browser(scripts=True)
        page.goto(url)
        assert "Please confirm" in page.inner_text("main")
        assert_accessible(axe, page.url)

        page.get_by_role("button", name="Confirm").click()
        assert "You have confirmed this visit" in page.inner_text("main")
        assert read(firm, visit_id)["state"] == "confirmed"
        assert_accessible(axe, page.url)

        page.get_by_role("link", name="Ask for another time").click()
        assert_accessible(axe, page.url)
        times = page.get_by_role("radio")
        chosen = times.last.get_attribute("value")
        times.last.check()
        page.get_by_role("button", name="Take this time").click()
        assert "You have confirmed this visit" in page.inner_text("main")
        visit = read(firm, visit_id)
        assert (visit["state"], visit["start"]) == ("confirmed", chosen)

        page.get_by_text("Cancel the visit", exact=True).click()
        page.get_by_label("Why do you cancel?").fill("We have moved house")
        page.get_by_role("button", name="Cancel the visit for good").click()
        assert "This visit is cancelled" in page.inner_text("main")
        assert read(firm, visit_id)["state"] == "cancelled"
        assert_accessible(axe, page.url)
        assert_accessible(axe, f"{firm.server.url}/v/unknown")


# --- Two at once --------------------------------------------------------------------------------


def post_at_once(urls, **data):
    """Send a form to each address at the same moment; return the answers."""
    barrier, answers = threading.Barrier(len(urls)), [None] * len(urls)

    def post(number):
        barrier.wait()
        answers[number] = requests.post(urls[number], data=data, allow_redirects=False, timeout=60)

    threads = [threading.Thread(target=post, args=[number]) for number in range(len(urls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def get_offers(url):
    """Return the starts that the page offers."""
    return START.findall(requests.get(f"{url}/times", timeout=60).text)


def test_of_two_customers_one_gets_the_time(firm):
    for number in range(ROUNDS):
        visits = [book(firm, 2 * number + one) for one in range(2)]
        urls = [url for _visit_id, url in visits]
        start = min(set(get_offers(urls[0])) & set(get_offers(urls[1])))
        answers = post_at_once(urls, choice="move", revision=0, start=start)
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        loser = next(answer for answer in answers if answer.status_code == 409)
        assert "has just been taken" in loser.text
        assert START.findall(loser.text) and start not in START.findall(loser.text)
        found = firm.server.admin.search("crm.visit", [("start", "=", start)], "revision")
        assert [visit["revision"] for visit in found] == [1]


def test_a_double_click_counts_once(firm):
    for number in range(ROUNDS):
        visit_id, url = book(firm, 2 * ROUNDS + number)
        start = max(get_offers(url))
        answers = post_at_once([url] * 2, choice="move", revision=0, start=start)
        assert [answer.status_code for answer in answers] == [303, 303]
        visit = read(firm, visit_id)
        assert visit["start"] == f"{datetime.fromisoformat(start)}"
        assert (visit["revision"], visit["customer_moves"]) == (1, 1)
        answers = post_at_once([url] * 2, choice="call", revision=1, words="Saturdays")
        assert [answer.status_code for answer in answers] == [303, 303]
        domain = [("res_model", "=", "crm.lead"), ("note", "ilike", "Saturdays")]
        assert len(firm.server.admin.search("mail.activity", domain)) == number + 1
