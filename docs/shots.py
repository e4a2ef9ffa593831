"""Make the pictures of the user guide: play its story in a browser on a fresh demo database.

Environment: BASE_URL is the server's address, SHOTS_DIR the folder for the pictures, CHROMIUM the
browser (without it the one on the PATH). The story changes the database.
"""

import io
import os
import shutil
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import sync_playwright

BASE_URL = os.environ["BASE_URL"]
SHOTS_DIR = Path(os.environ["SHOTS_DIR"])
ZONE = "Europe/Kyiv"
UKRAINIAN = "uk_UA"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
COLOURS = 128
#: What is not of the story, or another one each time.
HIDDEN = ".o_notification_manager, .o-mail-ChatHub { visibility: hidden !important }"

ACTION = "action-crm_wholesale"
OUTBOX = "sms_gateway_http.sms_gateway_test_message_action"


class Screen:
    """One person's browser."""

    def __init__(self, page):
        self.page = page
        self.waiting_for = set()
        page.on("request", self._remember)
        page.on("requestfinished", self._forget)
        page.on("requestfailed", self._forget)

    def _remember(self, request):
        if request.resource_type in ("fetch", "xhr", "image"):
            self.waiting_for.add(request)

    def _forget(self, request):
        self.waiting_for.discard(request)

    def rest(self):
        """Wait until the server has answered and nothing moves any more."""
        self.page.wait_for_timeout(500)
        for _wait in range(50):
            if not self.waiting_for:
                break
            self.page.wait_for_timeout(200)
        self.waiting_for.clear()  # of a page that has been left no answer is told

    def wait(self, selector):
        """Wait until something is there."""
        self.page.wait_for_selector(selector)
        self.rest()

    def open(self, path, wait):
        """Open an address below /odoo and wait for what is to be seen there."""
        self.page.goto(f"{BASE_URL}/odoo/{path}")
        self.wait(wait)

    def open_pipeline(self):
        """Open the app with the salesperson's board."""
        self.click(".o_navbar_apps_menu button", ".o_app")
        self.click(".o_app[data-menu-xmlid='crm.crm_menu_root']", ".o_kanban_record")

    def click(self, selector, wait=None):
        """Click the first such thing; then wait for what follows."""
        self.page.locator(selector).first.click()
        self.rest()
        if wait:
            self.wait(wait)

    def fill(self, field, text):
        """Type into a field of the dialog, or of the form where there is none."""
        place = ".modal" if self.page.locator(".modal").count() else ".o_form_view"
        box = self.page.locator(f"{place} [name={field}]").first
        box.locator("input, button").first.click()  # a date that is set shows as a button
        box.locator("input").first.fill(text)

    def choose(self, field, text):
        """Choose a record in such a field; a telephone shows them in a dialog of their own."""
        box = self.page.locator(f".modal [name={field}] input").first
        box.click()
        self.rest()
        if box.is_editable():
            box.fill(text)
            self.click(f".o-autocomplete--dropdown-item:has-text('{text}')")
        else:
            self.click(f".o_select_create_dialog_content .o_kanban_record:has-text('{text}')")

    def choose_day(self, field, days):
        """Type a coming day into a field of the dialog."""
        self.fill(field, in_local_time(days, 0, 0).partition(" ")[0])
        self.click(".modal .modal-title")

    def call(self, model, method, *args, **kwargs):
        """Call a method of the server as this person, and return its result."""
        answer = self.page.request.post(
            f"{BASE_URL}/web/dataset/call_kw",
            data={"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}},
        ).json()
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer["result"]

    def search(self, model, domain):
        """Return the ids of records, archived ones too."""
        return self.call(model, "search", domain, context={"active_test": False})

    def shoot(self, name):
        """Save what the screen shows."""
        self.rest()
        picture = Image.open(io.BytesIO(self.page.screenshot(style=HIDDEN)))
        path = SHOTS_DIR / f"{name}.png"
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size // 1024} kB", flush=True)


@contextmanager
def screen(browser, login, device=DESKTOP):
    """Log in as one of the demo's people, whose password is the login."""
    context = browser.new_context(**device, timezone_id=ZONE)
    page = context.new_page()
    page.goto(f"{BASE_URL}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_action_manager > *")
    yield Screen(page)
    context.close()


def in_local_time(days, hour, minute):
    """Return a moment of a coming day as it is typed into a form."""
    day = datetime.now(ZoneInfo(ZONE)) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0).strftime("%m/%d/%Y %H:%M:%S")


def tell_managers_day(browser):
    """Show the manager's day: the board, a task with a minute, a booking, a call task."""
    with screen(browser, "manager") as manager:
        manager.open_pipeline()
        manager.shoot("board")
        manager.click(".o_kanban_record:has-text('Windows for a school')", ".o-mail-Chatter")
        manager.shoot("deal")

        manager.click(".o-mail-Chatter-activity", ".modal .o_form_view")
        manager.click(".modal .o_selection_badge:has-text('Call the Customer')")
        manager.fill("summary", "“I need to think”: call again")
        manager.fill("due_at", in_local_time(2, 14, 39))
        manager.click(".modal .modal-title")
        manager.shoot("task-with-a-minute")
        manager.click(".modal button:has-text('Discard')")

        manager.click("button[name=action_schedule_visit]", ".modal .o_crm_slot")
        manager.shoot("booking")
        day, hour = in_local_time(1, 10, 30).split()
        manager.choose("measurer_id", "Андрій Мельник")
        manager.fill("site_day", day)
        manager.fill("site_time", hour[:5])
        manager.click(".modal .modal-title", ".modal .alert:visible")
        manager.page.locator(".modal [name=local_start]").scroll_into_view_if_needed()
        manager.shoot("booking-conflict")
        manager.page.fill(".modal [name=instructions] textarea", "Ask for the caretaker.")
        manager.click(".modal .o_crm_slot_large")
        manager.page.wait_for_selector(".modal .alert", state="hidden")
        manager.click(".modal button[name=action_book]", "button[name=action_view_visits]")
        manager.shoot("booked")

        manager.click("button[name=action_view_visits]")
        manager.click(".o_data_row td[name=name], .o_kanban_record")
        manager.wait(".o_form_view .o_notebook")
        manager.click(".nav-link:has-text('Notices')")
        manager.shoot("visit")

        manager.open(f"{ACTION}.crm_visit_board_action", ".o_crm_board_block")
        manager.shoot("day-board")
        manager.open(f"{ACTION}.crm_visit_action_queue", ".o_data_row")
        manager.shoot("queue")

        manager.open_pipeline()
        manager.click(".o_kanban_record:has-text('for a pharmacy')", ".o-mail-Activity")
        manager.page.locator(".o-mail-Activity").first.scroll_into_view_if_needed()
        manager.shoot("call-task")
    with screen(browser, "manager", PHONE) as manager:
        manager.open(f"{ACTION}.crm_visit_board_action", ".o_crm_board_block")
        manager.shoot("day-board-phone")


def tell_the_customers_side(browser):
    """Show the page behind the link in the SMS, as a customer without a login sees it."""
    with screen(browser, "manager") as manager:
        (visit,) = manager.call(
            "crm.visit", "search_read", [["contact_name", "=", "Роман Ткаченко"]], ["customer_url"]
        )
    path = visit["customer_url"].partition("/v/")[2]
    context = browser.new_context(**PHONE)
    customer = Screen(context.new_page())
    for name, page in (("customer-page", ""), ("customer-times", "/times")):
        customer.page.goto(f"{BASE_URL}/v/{path}{page}")
        customer.shoot(name)
    context.close()


def tell_measurers_day(browser):
    """Show the measurer's day on a telephone."""
    with screen(browser, "measurer", PHONE) as measurer:
        measurer.wait(".o_crm_day_stop")
        measurer.shoot("measurer-today")
        measurer.click(".o_crm_day_actions button:has-text('Add Measurement')", ".o_crm_day_form")
        form = measurer.page.locator(".o_crm_day_form")
        form.locator("[name=place]").fill("Surgery 2")
        form.locator(".o_crm_day_product input").fill("PVC window")
        measurer.click(".o_crm_day_product .o-autocomplete--dropdown-item:has-text('PVC window')")
        form.locator("[name=width]").fill("14.5")
        form.locator("[name=height]").fill("1400")
        form.locator("[name=count]").fill("2")
        measurer.click(".o_crm_day_form button[type=submit]", ".o_crm_day_question")
        measurer.shoot("measurer-line")
        measurer.click(".o_crm_day_question button:has-text('Correct')")
        form.locator("[name=width]").fill("1450")
        measurer.click(".o_crm_day_form button[type=submit]", ".o_crm_day_actions")
        measurer.shoot("measurer-measured")
        measurer.click(".o_crm_day_actions button:has-text('Done')", ".modal")
        measurer.click(".modal footer button:has-text('Finish')")


def tell_the_sale(browser):
    """Show how the measurements become a quotation and the order moves the deal."""
    with screen(browser, "manager") as manager:
        manager.open_pipeline()
        manager.click(".o_kanban_record:has-text('for the staircase')", ".o-mail-Activity")
        manager.click("button[name=action_view_visits]")
        manager.click(".o_data_row td[name=name], .o_kanban_record")
        manager.wait("button[name=action_create_quotation]")
        manager.shoot("measured")
        manager.click("button[name=action_create_quotation]", "[name=order_line] .o_data_row")
        manager.shoot("quotation")
        manager.click("button[name=action_confirm]", "button[name=action_cancel]")
        manager.open_pipeline()
        manager.page.locator(".o_kanban_group").last.scroll_into_view_if_needed()
        manager.shoot("board-moved")


def tell_payment_and_delivery(browser):
    """Show how the deal is paid and shipped; in the demo the administrator does the books."""
    with screen(browser, "admin") as admin:
        admin.open_pipeline()
        admin.click(".o_facet_remove")
        admin.click(".o_kanban_record:has-text('for the staircase')", ".o-mail-Chatter")
        admin.click("button[name=action_view_sale_order]", "[name=order_line] .o_data_row")
        admin.click("button:visible:has-text('Create Invoice')", ".modal .o_form_view")
        admin.click(".modal button[name=create_invoices]", "button[name=action_post]:visible")
        admin.click("button[name=action_post]:visible")
        admin.click("button[name=action_register_payment]:visible", ".modal .o_form_view")
        admin.shoot("payment")
        admin.click(".modal button[name=action_create_payments]")
        admin.click(".breadcrumb .o_back_button", "button[name=action_view_delivery]")
        admin.click("button[name=action_view_delivery]", "button[name=button_validate]:visible")
        admin.click("button[name=button_validate]:visible")
        admin.open_pipeline()
        admin.click(".o_facet_remove")
        admin.click(".o_kanban_record:has-text('for the staircase')", ".o-mail-Chatter")
        admin.shoot("shipped")


def tell_the_heads_day(browser):
    """Show what the head of sales keeps."""
    with screen(browser, "head") as head:
        head.open(f"{ACTION}.crm_visit_action?view_type=calendar", ".o_calendar_view .fc-event")
        head.shoot("calendar")
        head.open(f"{ACTION}.crm_measurer_action", ".o_data_row")
        head.click(".o_data_row:has-text('Соломія') td[name=name]", ".o_form_view")
        head.shoot("measurer")
        head.open(f"{ACTION}.crm_visit_type_action", ".o_data_row")
        head.shoot("visit-types")
        head.open(f"{ACTION}.crm_visit_zone_action", ".o_data_row")
        head.click(".o_data_row:has-text('Right bank') td[name=name]", ".o_form_view")
        head.shoot("zone")
        head.open(f"{ACTION}.crm_visit_board_action", ".o_crm_board_block")
        head.click(".o_menu_sections :text('Plan a Day')", ".modal .o_form_view")
        head.choose_day("day", 1)
        head.click(".modal button[name=action_plan]:visible", ".modal .o_crm_visit_plan")
        head.page.locator(".modal .o_crm_visit_plan").scroll_into_view_if_needed()
        head.shoot("plan")


def tell_the_officers_day(browser):
    """Show the privacy officer a purpose of personal data."""
    with screen(browser, "privacy") as officer:
        officer.open(f"{ACTION}.personal_data_purpose_action", ".o_data_row")
        officer.click(".o_data_row td[name=name]", ".o_form_view")
        officer.shoot("purpose")


def tell_the_administrators_day(browser):
    """Show the settings and the SMS that the test gateway has kept; then switch to Ukrainian."""
    with screen(browser, "admin") as admin:
        admin.open("settings", ".o_setting_box, .o_settings_container")
        admin.page.locator("[name=sms_gateway_id]").first.scroll_into_view_if_needed()
        admin.shoot("settings")
        admin.page.goto(f"{BASE_URL}/odoo/action-{OUTBOX}")
        admin.page.wait_for_selector(".o_data_row", timeout=120_000)
        admin.shoot("test-outbox")
        install = {"lang_ids": [[6, 0, admin.search("res.lang", [["code", "=", UKRAINIAN]])]]}
        wizard = admin.call("base.language.install", "create", [install])
        admin.call("base.language.install", "lang_install", wizard)
        users = admin.search("res.users", [["login", "in", ["manager", "measurer"]]])
        admin.call("res.users", "write", users, {"lang": UKRAINIAN})


def show_ukrainian(browser):
    """Show two screens in Ukrainian."""
    with screen(browser, "manager") as manager:
        manager.open_pipeline()
        manager.click(".o_kanban_record:has-text('Windows for a school')", ".o-mail-Chatter")
        manager.shoot("deal-uk")
    with screen(browser, "measurer", PHONE) as measurer:
        measurer.wait(".o_crm_day_stop, .o_view_nocontent_help")
        measurer.shoot("measurer-today-uk")


STORY = (
    tell_managers_day,
    tell_the_customers_side,
    tell_measurers_day,
    tell_the_sale,
    tell_payment_and_delivery,
    tell_the_heads_day,
    tell_the_officers_day,
    tell_the_administrators_day,
    show_ukrainian,
)


def main():
    SHOTS_DIR.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        for part in STORY:
            part(browser)
        browser.close()


if __name__ == "__main__":
    main()
