"""The whole story on a real customer list: from an e-mail to a paid, shipped order.

A real server of several processes; every step over HTTP, as a user who has the rights for this
step and no others. Scheduled actions are run by the server's own processes, texts arrive at a
gateway at a local port, mails at a mail server at another.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import live
import phonenumbers
import pytest
import real_data
from phonenumbers import PhoneNumberFormat, PhoneNumberType

DEALS = 40
MEASURERS = 8
KYIV = ZoneInfo("Europe/Kyiv")
STAGES = ["New request", "Qualified", "Measurement", "Quotation", "Contract", "Paid", "Shipped"]
COLUMNS = {
    "customer_id": "ref",
    "company_name": "name",
    "address": "street",
    "city": "city",
    "postal_code": "zip",
    "country": "country_id",
    "phone": "phone",
}
#: The second of every ten customers has only the number of the list; the others give a mobile.
OWN_NUMBER = 1
#: Lines on which no SMS arrives.
LANDLINES = (PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE)


@dataclass
class Deal:
    """One customer's request and what became of it."""

    number: int
    customer: dict
    place: dict
    phone: str  # as the manager types it
    partner_id: int = 0
    lead_id: int = 0
    visit_id: int = 0
    order_id: int = 0
    measurer: str = ""
    start: datetime | None = None  # UTC
    due_at: datetime | None = None  # UTC

    @property
    def email(self):
        return f"{self.customer['customer_id'].lower()}@customer.example.com"

    @property
    def delivered_first(self):
        return bool(self.number % 2)


class Firm:
    """The firm's people, each with the least rights, and what they do."""

    def __init__(self, server, gateway, mail):
        self.server, self.gateway, self.mail = server, gateway, mail
        self.admin = server.admin
        self._set_up(gateway)
        self.head = server.new_user("head_of_sales", "sales_team.group_sale_manager")
        self.manager = server.new_user("manager", "sales_team.group_sale_salesman")
        self.stranger = server.new_user("other_manager", "sales_team.group_sale_salesman")
        self.accountant = server.new_user("accountant", "account.group_account_invoice")
        self.storekeeper = server.new_user("storekeeper", "stock.group_stock_user")
        self.measurers = {}
        for number in range(MEASURERS):
            login = f"measurer_{number}"
            group = "crm_wholesale.crm_wholesale_group_measurer"
            self.measurers[login] = server.new_user(login, group)
        self._set_up_sales()

    def _set_up(self, gateway):
        """Do what only an administrator may."""
        (company,) = self.admin.search("res.company", [], "resource_calendar_id")
        (self.ukraine,) = self.admin.search("res.country", [("code", "=", "UA")])
        self.admin.write(
            "res.company",
            [company["id"]],
            country_id=self.ukraine["id"],
            stock_text_confirmation=False,  # Odoo's own SMS about deliveries
        )
        calendar_id = company["resource_calendar_id"][0]
        self.admin.write("resource.calendar", [calendar_id], tz="Europe/Kyiv")
        self.admin.create("mail.alias.domain", name="firm.example.com")
        (unit,) = self.admin.search("uom.uom", [("name", "=", "m²")])
        self.product_id = self.admin.create(
            "product.product", name="Window", type="consu", list_price=100.0, uom_id=unit["id"]
        )
        gateway.set_up(self.server)

    def _set_up_sales(self):
        """Do what the head of sales does once: alias, members, measurers, visit types."""
        (team,) = self.head.search("crm.team", [("name", "=", "Wholesale")])
        members = [(6, 0, [self.manager.id, self.stranger.id])]
        self.head.write("crm.team", [team["id"]], alias_name="requests", member_ids=members)
        for login, user in self.measurers.items():
            name = f"{login.title().replace('_', ' ')}"
            self.head.create("crm.measurer", name=name, user_id=user.id, tz="Europe/Kyiv")
        # One type for each hour of the measurers' day, so that all reminders fall due together.
        self.types = [
            (
                minutes,
                self.head.create(
                    "crm.visit.type",
                    name=f"Measurement, told {minutes} minutes before",
                    duration=1.0,
                    reminder_minutes=str(minutes),
                ),
            )
            for minutes in range(120, 120 + 60 * ceil(DEALS / MEASURERS), 60)
        ]

    # -- Customers -------------------------------------------------------------------------

    def import_customers(self, customers):
        """Import the list as the screen does: upload, try, import."""
        file = io.StringIO()
        writer = csv.DictWriter(file, customers[0])
        writer.writeheader()
        writer.writerows(customers)
        model = "base_import.import"
        import_id = self.manager.create(model, res_model="res.partner")
        content = file.getvalue().encode()
        path = "/base_import/set_file"
        self.manager.upload(path, "customers.csv", content, "text/csv", id=import_id)
        headers = list(customers[0])
        mapping = [COLUMNS.get(header, False) for header in headers]
        options = {"has_headers": True, "quoting": '"', "separator": ",", "encoding": "utf-8"}
        for dryrun in (True, False):
            arguments = [import_id, mapping, headers, options]
            result = self.manager.call(model, "execute_import", *arguments, dryrun=dryrun)
            assert not result["messages"]
        assert len(result["ids"]) == len(customers)
        partners = self.manager.search(
            "res.partner", [("id", "in", result["ids"])], "ref", "name", "phone", "country_code"
        )
        for customer, partner in zip(customers, partners, strict=True):
            assert partner["ref"] == customer["customer_id"]
            assert partner["name"] == customer["company_name"].strip()
            assert (partner["phone"] or "") == customer["phone"]
        return partners

    def check_flags(self, partners):
        """Compare the contacts that the filter shows with those whose number is none."""
        unusable = [("phone", "!=", False), ("phone_sanitized", "=", False)]
        domain = [("id", "in", [partner["id"] for partner in partners]), *unusable]
        flagged = {partner["id"] for partner in self.manager.search("res.partner", domain)}
        expected = {
            partner["id"]
            for partner in partners
            if partner["phone"] and not parse(partner["phone"], partner["country_code"])
        }
        assert expected and flagged == expected

    # -- From request to visit -------------------------------------------------------------

    def receive_requests(self, deals):
        """Hand each customer's mail to the mail gateway, which needs an administrator's login."""
        for deal in deals:
            message = (
                f"From: {deal.customer['contact_name']} <{deal.email}>\n"
                "To: requests@firm.example.com\n"
                f"Subject: Windows for {deal.customer['company_name']}\n"
                f"Message-Id: <{deal.number}@customer.example.com>\n"
                "Content-Type: text/plain; charset=utf-8\n\n"
                f"Please measure our windows at {deal.place['street']}."
            )
            self.admin.call("mail.thread", "message_process", False, message)
        fields = ("email_from", "stage_id", "team_id", "user_id", "name")
        leads = self.manager.search("crm.lead", [("user_id", "=", False)], *fields)
        assert len(leads) == len(deals)
        for deal, lead in zip(deals, leads, strict=True):
            assert deal.email in lead["email_from"]
            assert lead["name"] == f"Windows for {deal.customer['company_name']}"
            assert lead["stage_id"][1] == "New request"
            assert lead["team_id"][1] == "Wholesale"
            deal.lead_id = lead["id"]

    def qualify(self, deals):
        """Take the requests over; every fourth customer stays unknown as a contact for now."""
        (stage,) = self.manager.search(
            "crm.stage", [("milestone", "=", "qualified"), ("team_ids.name", "=", "Wholesale")]
        )
        for deal in deals:
            values = {"user_id": self.manager.id, "stage_id": stage["id"]}
            if deal.number % 4:
                values["partner_id"] = deal.partner_id
            self.manager.write("crm.lead", [deal.lead_id], **values)
        with pytest.raises(live.Refused, match=r"not allowed|access|rights"):
            self.stranger.read("crm.lead", deals[0].lead_id, "phone")

    def book(self, deals):
        """Book a visit to each place so that every reminder falls due shortly."""
        self.mail.messages.clear()
        due_at = live.utc_now() + timedelta(seconds=20)
        measurers = self.manager.search("crm.measurer", [], "name", "user_id")
        assert len(measurers) == MEASURERS
        for deal in deals:
            slot, place = divmod(deal.number, MEASURERS)
            minutes, type_id = self.types[slot]
            deal.due_at = due_at
            deal.start = due_at + timedelta(minutes=minutes)
            deal.measurer = f"measurer_{place}"
            booking_id = self.manager.create(
                "crm.visit.booking",
                {"default_lead_id": deal.lead_id},
                type_id=type_id,
                measurer_id=measurers[place]["id"],
                start=f"{deal.start}",
                phone=deal.phone,
                street=deal.place["street"],
                street2=False,
                city="Київ",
                zip=False,
                country_id=self.ukraine["id"],
                latitude=deal.place["latitude"],
                longitude=deal.place["longitude"],
                tz="Europe/Kyiv",
            )
            self.manager.call("crm.visit.booking", "action_book", [booking_id])
        visits = self.manager.search(
            "crm.visit",
            [("lead_id", "in", [deal.lead_id for deal in deals])],
            *("name", "state", "start", "address", "event_id", "lead_id", "notice_ids"),
        )
        assert len(visits) == len(deals)
        for deal, visit in zip(deals, visits, strict=True):
            assert visit["lead_id"][0] == deal.lead_id
            assert visit["state"] == "scheduled"
            assert visit["start"] == f"{deal.start}"
            assert visit["address"] == f"{deal.place['street']}, Київ"
            assert len(visit["notice_ids"]) == 1
            deal.visit_id = visit["id"]
        self._check_booked(deals, visits)

    def _check_booked(self, deals, visits):
        """Look for the other traces of the bookings: stage, event, measurer's task and mail."""
        assert set(self._get_stages(deals)) == {"Measurement"}
        for login, user in self.measurers.items():
            mine = [
                visit for deal, visit in zip(deals, visits, strict=True) if deal.measurer == login
            ]
            assert user.search("crm.visit", []) == [{"id": visit["id"]} for visit in mine]
            event_ids = [visit["event_id"][0] for visit in mine]
            events = user.search("calendar.event", [("id", "in", event_ids)], "name", "location")
            assert [event["name"] for event in events] == [visit["name"] for visit in mine]
            assert not any(event["location"] for event in events)
            tasks = self._get_tasks(user, "crm.visit", [visit["id"] for visit in mine])
            mine_tasks = [task for task in tasks if task["user_id"][0] == user.id]
            assert sorted(task["due_at"] for task in mine_tasks) == [
                visit["start"] for visit in mine
            ]
            messages = self.mail.find(f"{login}@")
            assert len(messages) == len(mine)

    # -- Texts -----------------------------------------------------------------------------

    def wait_for_texts(self, deals):
        """Wait until the scheduled actions have told everybody, or have said why not."""
        open_states = [("state", "in", ("planned", "queued"))]
        live.wait_for(
            lambda: not self.manager.call("crm.visit.notice", "search_count", open_states),
            "all notices sent or failed",
        )
        assert len(self.gateway.messages) == sum(deal_gets_text(deal) for deal in deals)
        by_id = {message["id"]: message for message in self.gateway.messages}
        assert len(by_id) == len(self.gateway.messages)
        notices = self.manager.search(
            "crm.visit.notice",
            [("visit_id", "in", [deal.visit_id for deal in deals])],
            *("uuid", "state", "reason", "visit_id", "due_at", "body"),
            order="visit_id",
        )
        for deal, notice in zip(deals, notices, strict=True):
            assert notice["visit_id"][0] == deal.visit_id
            assert notice["due_at"] >= f"{deal.due_at}"
            message = by_id.get(notice["uuid"])
            if deal_gets_text(deal):
                self._check_text(deal, notice, message)
            else:
                self._check_call(deal, notice, message)

    def _check_text(self, deal, notice, message):
        """Compare a text at the gateway with its visit: number, words, wall time, minute."""
        assert notice["state"] == "sent"
        assert message["number"] == to_e164(parse(deal.phone, "UA"))
        local = deal.start.replace(tzinfo=ZoneInfo("UTC")).astimezone(KYIV)
        assert f"{local:%H:%M}" in message["text"]
        assert f"{local:%A}" in message["text"]
        assert deal.place["street"] in message["text"]
        assert deal.measurer.partition("_")[0].title() in message["text"]
        assert message["at"] >= deal.due_at
        assert message["text"] == notice["body"]

    def _check_call(self, deal, notice, message):
        """Check that who could not be told is called by the manager, with the reason."""
        assert not message
        number = parse(deal.phone, "UA")
        assert notice["state"] == "failed"
        assert notice["reason"] == ("no_sms_phone" if number else "bad_phone")
        (task,) = self._get_tasks(self.manager, "crm.lead", [deal.lead_id])
        assert task["user_id"][0] == self.manager.id
        assert "no SMS" in task["summary"]

    # -- From visit to quotation -----------------------------------------------------------

    def measure(self, deals):
        """Go to each visit, as its measurer: on my way, arrived, measured, done."""
        self._check_measurer_sees_own_only(deals)
        for deal in deals:
            user = self.measurers[deal.measurer]
            visit = [deal.visit_id]
            user.call("crm.visit", "action_on_my_way", visit)
            user.call("crm.visit", "action_arrive", visit)
            line = {
                "place": "hall",
                "product_id": self.product_id,
                "width": 2000.0,
                "height": 1500.0,
                "count": 1 + deal.number,
            }
            user.write("crm.visit", visit, line_ids=[(0, 0, line)])
            user.call("crm.visit", "action_done", visit)
        visits = self.manager.search(
            "crm.visit", [("id", "in", [deal.visit_id for deal in deals])], "state", "done_at"
        )
        assert {visit["state"] for visit in visits} == {"done"}
        for deal, visit in zip(deals, visits, strict=True):
            tasks = self._get_tasks(self.manager, "crm.lead", [deal.lead_id])
            due = datetime.fromisoformat(visit["done_at"]) + timedelta(days=2)
            assert f"{due.replace(second=0)}" in [task["due_at"] for task in tasks]

    def _check_measurer_sees_own_only(self, deals):
        user = self.measurers["measurer_0"]
        other = next(deal for deal in deals if deal.measurer != "measurer_0")
        for model, record_id in (("crm.visit", other.visit_id), ("crm.lead", other.lead_id)):
            with pytest.raises(live.Refused) as refusal:
                user.read(model, record_id, "display_name")
            assert refusal.value.kind == "AccessError"
        with pytest.raises(live.Refused) as refusal:
            user.call("crm.visit", "action_on_my_way", [other.visit_id])
        assert refusal.value.kind == "AccessError"
        assert not user.search("res.partner", [("ref", "=", deals[0].customer["customer_id"])])

    def quote(self, deals, mailed):
        """Make each quotation of its visit in one click, and send it.

        :param mailed: the deals whose quotation goes by mail, as a PDF; the others' are marked
        """
        for deal in deals:
            action = self.manager.call("crm.visit", "action_create_quotation", [deal.visit_id])
            assert action["res_model"] == "sale.order"
            deal.order_id = action["res_id"]
        orders = self._get_orders(deals, "opportunity_id", "order_line", "partner_id")
        for deal, order in zip(deals, orders, strict=True):
            assert order["opportunity_id"][0] == deal.lead_id
            line = self.manager.read(
                "sale.order.line", order["order_line"][0], "product_id", "product_uom_qty"
            )
            assert line["product_id"][0] == self.product_id
            assert line["product_uom_qty"] == 3.0 * (1 + deal.number)
        for deal in deals:
            if deal in mailed:
                self._mail_quotation(deal)
            else:
                self.manager.call("sale.order", "action_quotation_sent", [deal.order_id])
        assert set(self._get_stages(deals)) == {"Quotation"}

    def _mail_quotation(self, deal):
        """Send a quotation to its customer from the composer, and look at what arrives."""
        action = self.manager.call("sale.order", "action_quotation_send", [deal.order_id])
        composer = self.manager.create("mail.compose.message", action["context"])
        self.manager.call(
            "mail.compose.message", "action_send_mail", [composer], context=action["context"]
        )
        (message,) = self.mail.find(deal.email)
        (attachment,) = message.iter_attachments()
        assert attachment.get_content().startswith(b"%PDF")

    # -- From quotation to won -------------------------------------------------------------

    def confirm(self, deals):
        """Confirm each order."""
        for deal in deals:
            self.manager.call("sale.order", "action_confirm", [deal.order_id])
        assert {order["state"] for order in self._get_orders(deals, "state")} == {"sale"}
        assert set(self._get_stages(deals)) == {"Contract"}

    def invoice(self, deals):
        """Invoice each order, as the manager, and enter its payment, as the accountant."""
        for deal in deals:
            context = {"active_model": "sale.order", "active_ids": [deal.order_id]}
            wizard_id = self.manager.create("sale.advance.payment.inv", context)
            wizard = ["sale.advance.payment.inv", "create_invoices", [wizard_id]]
            self.manager.call(*wizard, context=context)
        orders = self._get_orders(deals, "invoice_ids", "amount_total")
        for order in orders:
            (invoice_id,) = order["invoice_ids"]
            self.accountant.call("account.move", "action_post", [invoice_id])
            context = {"active_model": "account.move", "active_ids": [invoice_id]}
            payment_id = self.accountant.create("account.payment.register", context)
            payment = ["account.payment.register", "action_create_payments", [payment_id]]
            self.accountant.call(*payment, context=context)
            invoice = self.accountant.read(
                "account.move", invoice_id, "payment_state", "amount_total"
            )
            assert invoice["payment_state"] in ("paid", "in_payment")
            assert invoice["amount_total"] == order["amount_total"] > 0

    def deliver(self, deals):
        """Deliver what was ordered, as the storekeeper."""
        for deal in deals:
            (picking,) = self.storekeeper.search(
                "stock.picking", [("sale_id", "=", deal.order_id)], "state"
            )
            result = self.storekeeper.call("stock.picking", "button_validate", [picking["id"]])
            assert result is True
            assert self.storekeeper.read("stock.picking", picking["id"], "state")["state"] == "done"

    def check_won(self, deals):
        """Look for every step's trace on each deal."""
        for deal in deals:
            lead = self.manager.read("crm.lead", deal.lead_id, "stage_id", "won_status")
            assert lead["stage_id"][1] == "Shipped"
            assert lead["won_status"] == "won"
            expected = STAGES if not deal.delivered_first else [*STAGES[:5], "Shipped"]
            assert self._get_history(deal) == expected
            assert self.manager.read("crm.lead", deal.lead_id, "partner_id")["partner_id"]

    # -- What is read ----------------------------------------------------------------------

    def _get_stages(self, deals):
        """Return the names of the deals' stages."""
        domain = [("id", "in", [deal.lead_id for deal in deals])]
        return [lead["stage_id"][1] for lead in self.manager.search("crm.lead", domain, "stage_id")]

    def _get_orders(self, deals, *fields):
        """Return the orders of deals, in the deals' order."""
        domain = [("id", "in", [deal.order_id for deal in deals])]
        return self.manager.search("sale.order", domain, *fields)

    def _get_tasks(self, user, model, ids):
        """Return the open activities on records that the user sees, without notices' faces."""
        domain = [("res_model", "=", model), ("res_id", "in", ids), ("notice_id", "=", False)]
        return user.search("mail.activity", domain, "summary", "due_at", "user_id")

    def _get_history(self, deal):
        """Return the stages through which the deal's chatter says that it went."""
        thread = {"thread_model": "crm.lead", "thread_id": deal.lead_id}
        limit = {"fetch_params": {"limit": 100}}
        answer = self.manager.json("/mail/thread/messages", **thread, **limit)
        messages = sorted(answer["data"]["mail.message"], key=lambda message: message["id"])
        changes = [
            (change["oldValue"], change["newValue"])
            for message in messages
            for change in message.get("trackingValues", ())
            if change["fieldInfo"]["changedField"] == "Stage"
        ]
        return [changes[0][0], *(new for _old, new in changes)]


def parse(phone, region):
    """Return a valid number of a region, or None."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def to_e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def deal_gets_text(deal):
    """Tell whether an SMS can reach the number that the manager typed."""
    number = parse(deal.phone, "UA")
    return bool(number) and phonenumbers.number_type(number) not in LANDLINES


def list_mobiles():
    """Return the example mobile numbers of many countries, as people write them; nobody's own."""
    mobiles = ["050 123 45 67"]
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"UA"}):
        number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        if number and phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
            mobiles.append(phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL))
    return mobiles


def make_deals(customers, partners, places):
    """Return the deals: customers with places, and a number each."""
    mobiles = iter(list_mobiles())
    rows = list(zip(customers, partners, places, strict=False))[:DEALS]
    deals = []
    for number, (customer, partner, place) in enumerate(rows):
        own = number % 10 == OWN_NUMBER and customer["phone"]
        phone = customer["phone"] if own else next(mobiles)
        deals.append(Deal(number, customer, place, phone, partner["id"]))
    return deals


def test_every_deal_of_a_real_list_ends_won(request):
    folder = real_data.find_folder()
    customers, places = real_data.read_customers(folder), real_data.read_places(folder)
    if real_data.is_real(folder):
        assert (len(customers), len(places)) == (91, 200)
        assert sum(place["exact"] for place in places) == 5
    with (
        live.MailServer() as mail,
        live.SmsGateway() as gateway,
        live.database("story") as name,
        live.serve(name, *mail.options) as server,
    ):
        firm = Firm(server, gateway, mail)
        partners = firm.import_customers(customers)
        firm.check_flags(partners)
        deals = make_deals(customers, partners, places)
        firm.receive_requests(deals)
        firm.qualify(deals)
        firm.book(deals)
        firm.wait_for_texts(deals)
        texts = len(gateway.messages)
        firm.measure(deals)
        no_pdf = request.config.getoption("--no-browser")
        firm.quote(deals, mailed=[] if no_pdf else deals[:1])
        firm.confirm(deals)
        paid_first = [deal for deal in deals if not deal.delivered_first]
        delivered_first = [deal for deal in deals if deal.delivered_first]
        firm.invoice(paid_first)
        firm.deliver(paid_first)
        firm.deliver(delivered_first)
        firm.invoice(delivered_first)
        firm.check_won(deals)
        # Measurers who arrive at once: that they set out is told where the queue was quicker.
        told = gateway.messages[texts:]
        assert all(" is on the way to " in message["text"] for message in told)
        assert len({message["number"] for message in told}) == len(told)
        assert server.complaints() == []
