from datetime import datetime, timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

import vobject
from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, freeze_time, tagged

from .common import MOBILE, NOW, WholesaleCommon

HOUR = timedelta(hours=1)
#: 10:00 in Kyiv on the next Thursday.
THURSDAY = datetime(2026, 11, 26, 8, 0)
FRIDAY = THURSDAY + timedelta(days=1)
REASON = "The windows are in already, thank you"


@freeze_time(NOW)
@tagged("post_install", "-at_install")
class PageCase(WholesaleCommon, HttpCase):
    """The customer in front of the page, without session, cookie or script."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"name": "Vikna", "phone": "+380 44 123 45 67"})
        cls.company.partner_id.lang = "en_US"
        for lang in ("uk_UA", "ru_RU"):
            cls.env["res.lang"]._activate_lang(lang)

    def setUp(self):
        super().setUp()
        self.visit = self._book(THURSDAY).sudo()
        self.path = urlsplit(self.visit.customer_url).path

    def get(self, suffix="", path=None, method="GET"):
        """Return the answer to a customer who opens the page."""
        return self.url_open((path or self.path) + suffix, method=method)

    def post(self, choice, path=None, revision=None, **data):
        """Return the first answer to a customer who sends a form of the page."""
        return self.url_open(
            path or self.path,
            data={
                "choice": choice,
                "revision": self.visit.revision if revision is None else revision,
                **data,
            },
            allow_redirects=False,
        )

    def parse(self, response):
        """Return the words of a page, and what it is made of."""
        tree = html.fromstring(response.content)
        return " ".join(tree.find(".//body").text_content().split()), tree

    def get_offers(self):
        """Return the starts (UTC) that the page offers."""
        _words, tree = self.parse(self.get("/times"))
        return [
            datetime.fromisoformat(start) for start in tree.xpath("//input[@name='start']/@value")
        ]

    def get_calls(self):
        """Return the open call tasks of the deal."""
        return self.lead.activity_ids.filtered(lambda task: task.user_id == self.manager)

    def assert_untouched(self, visit=None):
        """Assert that nobody has done anything with the visit since it was booked."""
        visit = visit or self.visit
        self.assertRecordValues(
            visit,
            [
                {
                    "state": "scheduled",
                    "revision": 0,
                    "start": THURSDAY,
                    "customer_moves": 0,
                    "callback_activity_id": False,
                }
            ],
        )
        self.assertFalse(self.get_calls())


class TestLink(PageCase):
    def test_a_link_is_short_and_its_own(self):
        other = self._book(FRIDAY).sudo()
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        self.assertTrue(self.visit.customer_url.startswith(f"{base}/v/"))
        self.assertNotEqual(self.visit.customer_url, other.customer_url)
        token = self.path.rpartition("/")[2]
        self.assertLessEqual(len(token), 27)
        self.assertRegex(token, r"^[\w-]+$")

    def test_guessed_and_tampered_links_are_not_found(self):
        token = self.path.rpartition("/")[2]
        other = self._book(FRIDAY).sudo()._get_page_token()
        guesses = {
            "nothing known": "A" * 24,
            "first letter": ("B" if token[0] == "A" else "A") + token[1:],
            "last letter": token[:-1] + ("Q" if token[-1] == "A" else "A"),
            "other letters of the same bytes": token + "AA",
            "too short": token[:21],
            "padded": token + "=",
            "signature of another visit": other[:20] + token[20:],
            "beyond all ids": "_" * 30,
            "no letters of ours": "%D0%B9%2B",
            "long": "A" * 2000,
        }
        answers = set()
        for name, guess in guesses.items():
            path = f"/v/{guess}"
            for suffix in ("", "/times", "/visit.ics"):
                with self.subTest(name, suffix=suffix):
                    response = self.get(suffix, path=path)
                    self.assertEqual(response.status_code, 404)
                    answers.add(response.text)
            with self.subTest(name, method="POST"):
                response = self.post("confirm", path=path)
                self.assertEqual(response.status_code, 404)
                answers.add(response.text)
        self.assertEqual(len(answers), 1, "all are told the same")
        self.assert_untouched()

    def test_a_deleted_visit_is_not_found(self):
        visit = self.visit.copy()
        path = urlsplit(visit.customer_url).path
        self.assertEqual(self.get(path=path).status_code, 200)
        visit.unlink()
        self.assertEqual(self.get(path=path).status_code, 404)

    def test_correcting_the_number_closes_the_link(self):
        """Whoever got the SMS by mistake sees nothing any more."""
        self.visit.phone = "+380501234568"
        self.assertEqual(self.get().status_code, 404)
        self.visit.phone = "+380 50 123 45 67"
        self.assertEqual(self.get().status_code, 200, "the same number, written with spaces")

    def test_links_expire(self):
        last_moment = self.visit.stop + timedelta(days=7)
        with freeze_time(last_moment):
            self.assertEqual(self.get().status_code, 200)
        with freeze_time(last_moment + timedelta(seconds=1)):
            for suffix in ("", "/times", "/visit.ics"):
                response = self.get(suffix)
                self.assertEqual(response.status_code, 410)
                words, _tree = self.parse(response)
                self.assertIn("+380 44 123 45 67", words)
                self.assertNotIn("Entuziastiv", words)
                self.assertNotIn("November", words)
            self.assertEqual(self.post("confirm").status_code, 410)
        self.assert_untouched()

    def test_an_old_link_shows_how_things_stand(self):
        self.visit.with_user(self.manager)._reschedule(FRIDAY)
        words, _tree = self.parse(self.get())
        self.assertIn("Friday, 27 November, 10:00", words)
        self.assertNotIn("26 November", words)

    def test_the_link_stays_secret(self):
        for suffix in ("", "/times", "/visit.ics"):
            response = self.get(suffix)
            self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(response.headers["Cache-Control"], "no-store")
            self.assertEqual(response.headers["X-Robots-Tag"], "noindex, nofollow")
            self.assertIn("frame-ancestors 'none'", response.headers["Content-Security-Policy"])
            self.assertNotIn("Set-Cookie", response.headers)
        _words, tree = self.parse(self.get())
        self.assertFalse(tree.xpath("//script"))
        addresses = tree.xpath("//@href | //@src | //@action")
        self.assertTrue(addresses)
        for address in addresses:
            self.assertRegex(address, r"^(\?|/|tel:)", "nothing leads to another site")

    def test_who_may_read_the_link(self):
        visit = self.visit.with_user(self.manager)
        self.assertEqual(visit.action_open_customer_page()["url"], self.visit.customer_url)
        for user in (self.measurer_user, self.other_manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.visit.with_user(user).read(["customer_url"])
        with self.assertRaises(AccessError):
            visit.customer_moves = 0


class TestPage(PageCase):
    def test_what_is_shown(self):
        self.visit.write(
            {"instructions": "Beware of the dog", "measurer_note": "Haggles", "latitude": 50.4}
        )
        self.measurer.name = "Mykola Koval"
        words, _tree = self.parse(self.get())
        for shown in (
            "Vikna",
            "Thursday, 26 November, 10:00",
            "Mykola",
            "vulytsia Entuziastiv, 11, Kyiv",
            "Call us: +380 44 123 45 67",
        ):
            self.assertIn(shown, words)
        text = self.get().text
        for hidden in (
            "Koval",
            "Beware",
            "Haggles",
            "50.4",
            "Petrenko",
            MOBILE,
            self.lead.name,
            self.visit.name,
            self.manager.name,
        ):
            self.assertNotIn(hidden, text)
        self.assertIn('href="tel:+380441234567"', text)

    def test_nothing_of_others_is_shown(self):
        other = self._book(
            THURSDAY + 3 * HOUR, contact_name="Ivan Franko", street="vulytsia Chuzha, 1"
        )
        for suffix in ("", "/times"):
            text = self.get(suffix).text
            for secret in (other.name, "Franko", "Chuzha"):
                self.assertNotIn(secret, text)

    def test_the_window_is_told(self):
        window = {"window_start": THURSDAY - 2 * HOUR, "window_stop": THURSDAY + 2 * HOUR}
        self.assertIn(window["window_start"], self.get_offers())
        self.visit.write(window)
        words, _tree = self.parse(self.get())
        self.assertIn("Thursday, 26 November, 08:00-12:00", words)
        offers = self.get_offers()
        self.assertTrue(offers)
        self.assertFalse(
            [start for start in offers if start.date() == THURSDAY.date() and start.hour < 10],
            "that would be the same for the customer",
        )

    def test_the_sites_time(self):
        """Midnight and daylight saving at the site, wherever the firm is."""
        self.visit._cancel("Makes room")
        for start, tz, words in (
            (THURSDAY, "America/New_York", "Thursday, 26 November, 03:00"),
            (datetime(2026, 11, 26, 21, 59), "Europe/Kyiv", "Thursday, 26 November, 23:59"),
            (datetime(2026, 11, 26, 22, 0), "Europe/Kyiv", "Friday, 27 November, 00:00"),
            (datetime(2027, 3, 28, 0, 59), "Europe/Kyiv", "Sunday, 28 March, 02:59"),
            (datetime(2027, 3, 28, 1, 0), "Europe/Kyiv", "Sunday, 28 March, 04:00"),
            (datetime(2026, 10, 25, 1, 30), "Europe/Kyiv", "Sunday, 25 October, 03:30"),
        ):
            with self.subTest(start=start, tz=tz), freeze_time(start - 24 * HOUR):
                visit = self._book(start, tz=tz).sudo()
                page, _tree = self.parse(self.get(path=urlsplit(visit.customer_url).path))
                self.assertIn(words, page)
                event = vobject.readOne(
                    self.get("/visit.ics", path=urlsplit(visit.customer_url).path).text
                ).vevent
                self.assertEqual(event.dtstart.value.replace(tzinfo=None), start)
                visit._cancel("Next case")

    def test_languages(self):
        def assert_language(suffix, code, day):
            words, tree = self.parse(self.get(suffix))
            self.assertEqual(tree.get("lang"), code)
            self.assertIn(day, words)
            self.assertEqual(
                sorted([*tree.xpath("//nav/a/@lang"), code]), ["en-US", "ru-RU", "uk-UA"]
            )

        assert_language("", "en-US", "Thursday, 26 November")
        assert_language("?lang=uk_UA", "uk-UA", "четвер, 26 листопада")
        assert_language("?lang=ru_RU", "ru-RU", "четверг, 26 ноября")
        assert_language("?lang=fr_FR", "en-US", "Thursday, 26 November")
        self.company.partner_id.lang = "ru_RU"
        assert_language("", "ru-RU", "четверг, 26 ноября")
        self.visit.partner_id = self.env["res.partner"].create({"name": "Olena", "lang": "uk_UA"})
        assert_language("", "uk-UA", "четвер, 26 листопада")
        assert_language("/times", "uk-UA", "четвер, 26 листопада")
        assert_language("?lang=en_US", "en-US", "Thursday, 26 November")
        answer = self.post("confirm", lang="ru_RU")
        self.assertTrue(answer.headers["Location"].endswith(f"{self.path}?lang=ru_RU"))

    def test_the_firms_people_only_look(self):
        for user in (self.manager, self.measurer_user):
            with self.subTest(user=user.login):
                self.authenticate(user.login, user.login)
                for suffix in ("", "/times"):
                    words, tree = self.parse(self.get(suffix))
                    self.assertIn("This is what the customer sees", words)
                    self.assertFalse(tree.xpath("//button"))
                self.assertEqual(self.post("confirm").status_code, 303)
                self.assert_untouched()

    def test_the_logo(self):
        self.assertNotIn("<img", self.get().text)
        self.company.logo = self.env["res.users"].browse(1).image_1920 or (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        )
        _words, tree = self.parse(self.get())
        self.assertEqual(tree.xpath("//header/img/@alt"), ["Vikna"])


class TestChoices(PageCase):
    def test_mail_scanners_change_nothing(self):
        """Whatever is appended to the address: opening it is looking."""
        messages = self.visit.message_ids
        for method in ("GET", "HEAD"):
            for suffix in ("", "/times", "/visit.ics"):
                for query in (
                    "",
                    "?choice=confirm&revision=0",
                    "?choice=cancel&words=x&revision=0",
                ):
                    with self.subTest(method=method, suffix=suffix, query=query):
                        response = self.get(suffix + query, method=method)
                        self.assertEqual(response.status_code, 200)
        for method in ("PUT", "DELETE", "PATCH"):
            self.assertEqual(self.get(method=method).status_code, 405)
        self.assertEqual(self.get("/cancel").status_code, 404)
        self.assert_untouched()
        self.assertEqual(self.visit.message_ids, messages)

    def test_confirm_twice(self):
        _words, tree = self.parse(self.get())
        (form,) = tree.xpath("//form[.//input[@value='confirm']]")
        for _click in range(2):
            answer = self.url_open(form.get("action"), data=dict(form.form_values()))
            self.assertEqual(answer.status_code, 200)
            words, tree = self.parse(answer)
            self.assertIn("You have confirmed this visit", words)
        self.assertFalse(tree.xpath("//input[@value='confirm']"))
        self.assertRecordValues(self.visit, [{"state": "confirmed", "revision": 0}])
        bodies = [message.body for message in self.visit.message_ids]
        self.assertEqual(len([body for body in bodies if "customer confirmed" in body]), 1)
        self.assertFalse(self.get_calls())

    def test_cancel_twice(self):
        for _click in range(2):
            answer = self.post("cancel", revision=0, words=f"  {REASON} <b>\n\n&  co </b> ")
            self.assertEqual(answer.status_code, 303)
        words, tree = self.parse(self.get())
        self.assertIn("This visit is cancelled", words)
        self.assertNotIn("26 November", words)
        self.assertFalse(tree.xpath("//form"))
        self.assertRecordValues(self.visit, [{"state": "cancelled", "revision": 1}])
        self.assertIn(f"{REASON} <b> & co </b>", self.visit.cancel_reason)
        call = self.get_calls()
        self.assertEqual(len(call), 1)
        self.assertEqual(call.due_at, NOW)
        self.assertIn(self.visit.name, call.summary)
        self.assertIn("&lt;b&gt; &amp; co", call.note)
        self.assertFalse(self.visit.event_id)

    def test_cancelling_needs_a_reason(self):
        answer = self.post("cancel", words=" \n ")
        self.assertEqual(answer.status_code, 409)
        self.assertIn("Please tell us why", self.parse(answer)[0])
        self.assert_untouched()

    def test_long_and_large(self):
        self.assertEqual(self.post("cancel", words="ї" * 20000).status_code, 413)
        self.assert_untouched()
        self.post("cancel", words="ї" * 1000)
        self.assertEqual(self.visit.cancel_reason.count("ї"), 300)

    def test_nonsense_is_refused(self):
        for data in (
            {"choice": ""},
            {"choice": "unlink"},
            {"choice": "confirm", "revision": "x"},
            {"choice": "confirm", "revision": "-1"},
            {"choice": "confirm", "revision": "9" * 50},
            {"choice": "confirm", "revision": "²"},
            {"choice": "move", "start": "tomorrow"},
            {"choice": "move", "start": "99999-01-01 00:00:00"},
            {"choice": "move"},
        ):
            with self.subTest(data=data):
                self.assertEqual(self.post(**data).status_code, 409)
        self.assert_untouched()

    def test_a_superseded_page_acts_no_more(self):
        """Nobody agrees to what the page did not show."""
        self.visit.with_user(self.manager)._reschedule(FRIDAY)
        for data in (
            {"choice": "confirm"},
            {"choice": "cancel", "words": REASON},
            {"choice": "move", "start": "2026-11-30 08:00:00"},
        ):
            with self.subTest(data=data):
                answer = self.post(revision=0, **data)
                self.assertEqual(answer.status_code, 409)
                words, _tree = self.parse(answer)
                self.assertIn("The visit has changed since you opened this page", words)
                self.assertIn("Friday, 27 November", words)
        self.assertRecordValues(
            self.visit, [{"state": "scheduled", "revision": 1, "start": FRIDAY}]
        )
        self.post("confirm")
        self.assertEqual(self.post("confirm", revision=0).status_code, 409)

    def test_what_is_possible_when(self):
        start = self.visit.start
        minute = timedelta(minutes=1)
        for state, now, choices in (
            ("scheduled", start - HOUR, {"confirm", "move", "cancel", "call"}),
            ("scheduled", start - HOUR + minute, {"confirm", "cancel", "call"}),
            ("scheduled", start - minute, {"confirm", "cancel", "call"}),
            ("scheduled", start, set()),
            ("confirmed", start - HOUR, {"move", "cancel", "call"}),
            ("en_route", start - 2 * HOUR, set()),
            ("in_progress", start, set()),
            ("done", start + HOUR, set()),
            ("no_show", start + HOUR, set()),
            ("cancelled", start - 24 * HOUR, set()),
        ):
            with self.subTest(state=state, now=now), freeze_time(now):
                self.visit.state = state
                self.assertEqual(self.visit._get_customer_choices(), choices)
                _words, tree = self.parse(self.get())
                shown = set(tree.xpath("//input[@name='choice']/@value"))
                self.assertEqual(shown, choices & {"confirm", "cancel"})
                for choice in {"confirm", "move", "cancel", "call"} - choices:
                    if not self.visit._is_chosen_by_customer(choice, self.visit.revision, None):
                        self.assertEqual(self.post(choice, words=REASON).status_code, 409)
                self.assertEqual(self.visit.state, state)

    def test_one_call_is_asked_for(self):
        for wish in ("Saturdays only", "Really only Saturdays"):
            self.assertEqual(self.post("call", words=wish).status_code, 303)
        call = self.get_calls()
        self.assertEqual(len(call), 1)
        self.assertEqual(call.due_at, NOW)
        self.assertIn("Saturdays only", call.note)
        words, _tree = self.parse(self.get())
        self.assertIn("We will call you about another time", words)
        call.action_done()
        words, _tree = self.parse(self.get())
        self.assertNotIn("We will call you", words)
        self.post("call")
        self.assertEqual(len(self.get_calls()), 1)

    def test_a_visit_without_time(self):
        """Back in the queue: the customer is told so, and shown no time that does not hold."""
        self.visit._release("Away")
        words, tree = self.parse(self.get())
        self.assertIn("We are arranging your visit", words)
        self.assertNotIn("26 November", words)
        self.assertEqual(tree.xpath("//input[@name='choice']/@value"), ["cancel"])
        self.assertIn("We are arranging", self.get("/visit.ics").text)
        self.assertEqual(self.post("move", start=f"{FRIDAY}").status_code, 409)
        with freeze_time(THURSDAY + timedelta(days=30)):
            self.assertEqual(self.get().status_code, 200)
        self.assertEqual(self.post("cancel", words=REASON).status_code, 303)
        self.assertEqual(self.visit.state, "cancelled")


class TestMove(PageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._new_user("second", "crm_wholesale.crm_wholesale_group_measurer")
        cls.second = cls._new_measurer(cls.second_user)

    def test_the_customer_moves(self):
        self.visit.notice_ids.told_by_hand = True
        offers = self.get_offers()
        self.assertTrue(2 <= len(offers) <= 12)
        self.assertEqual(offers, sorted(set(offers)))
        self.assertNotIn(THURSDAY, offers)
        start = offers[-1]
        for _click in range(2):
            answer = self.post("move", revision=0, start=f"{start}")
            self.assertEqual(answer.status_code, 303)
        self.assertRecordValues(
            self.visit,
            [
                {
                    "state": "confirmed",
                    "revision": 1,
                    "start": start,
                    "stop": start + (self.visit.stop - self.visit.start),
                    "measurer_id": self.measurer.id,
                    "customer_moves": 1,
                }
            ],
        )
        self.assertEqual(self.visit.event_id.start, start)
        self.assertIn("moved", self.visit.notice_ids.mapped("kind"))
        bodies = [message.body for message in self.visit.message_ids]
        moved = [body for body in bodies if "The customer moved the visit" in body]
        self.assertEqual(len(moved), 1)
        self.assertIn("Thu 26 Nov 2026, 10:00", moved[0])
        self.assertFalse(self.get_calls())

    def test_the_firm_reads_its_own_language(self):
        self.manager.lang = "ru_RU"
        start = self.get_offers()[-1]
        self.post("move", lang="uk_UA", start=f"{start}")
        (body,) = [m.body for m in self.visit.message_ids if "26" in m.body]
        self.assertIn("чт 26 нояб", body)

    def test_a_taken_time(self):
        """Taken while the customer was choosing: nothing moves, the next free times are shown."""
        start = self.get_offers()[-1]
        others = self._book(start) | self._book(start, measurer_id=self.second.id)
        answer = self.post("move", start=f"{start}")
        self.assertEqual(answer.status_code, 409)
        words, tree = self.parse(answer)
        self.assertIn("This time has just been taken", words)
        for secret in (*others.mapped("name"), self.second.name):
            self.assertNotIn(secret, words)
        offered = tree.xpath("//input[@name='start']/@value")
        self.assertTrue(offered)
        self.assertNotIn(f"{start}", offered)
        self.assertRecordValues(
            self.visit, [{"state": "scheduled", "revision": 0, "start": THURSDAY}]
        )

    def test_taken_at_the_last_moment(self):
        """What core refuses after the slot was found free costs the customer a word, no error."""
        start = self.get_offers()[-1]
        with patch.object(
            type(self.visit), "_check_slots", side_effect=UserError("has visit V00001")
        ):
            answer = self.post("move", start=f"{start}")
        self.assertEqual(answer.status_code, 409)
        self.assertNotIn("V00001", answer.text)
        self.assert_untouched()

    def test_somebody_else_comes(self):
        start = self.get_offers()[-1]
        self._book(start)
        self.assertEqual(self.post("move", start=f"{start}").status_code, 303)
        self.assertRecordValues(self.visit, [{"start": start, "measurer_id": self.second.id}])
        self.assertIn("Second", self.parse(self.get())[0])

    def test_times_that_are_not_offered(self):
        self._book(THURSDAY + 3 * HOUR)
        self._book(THURSDAY + 3 * HOUR, measurer_id=self.second.id)
        for what, start in (
            ("another visit's", THURSDAY + 3 * HOUR),
            ("past", NOW - HOUR),
            ("too soon", NOW + HOUR / 2),
            ("at night", datetime(2026, 11, 27, 1, 0)),
            ("on Sunday", datetime(2026, 11, 29, 8, 0)),
            ("too far ahead", NOW + timedelta(days=14)),
            ("not on the quarter of an hour", FRIDAY + timedelta(minutes=7)),
        ):
            with self.subTest(what):
                self.assertEqual(self.post("move", start=f"{start}").status_code, 409)
        self.assert_untouched()

    def test_moves_are_counted(self):
        for number in range(3):
            start = self.get_offers()[number]
            self.assertEqual(self.post("move", start=f"{start}").status_code, 303)
        words, tree = self.parse(self.get("/times"))
        self.assertIn("The time cannot be changed here any more", words)
        self.assertEqual(tree.xpath("//input[@name='choice']/@value"), ["call"])
        self.assertEqual(self.post("move", start=f"{FRIDAY + HOUR}").status_code, 409)
        self.assertRecordValues(self.visit, [{"revision": 3, "customer_moves": 3, "start": start}])

    def test_offers_keep_the_wall_time(self):
        """Over the change of the clocks the measurer still comes at nine."""
        with freeze_time(datetime(2027, 3, 25, 8, 0)):
            self.visit = self._book(datetime(2027, 3, 25, 13, 0)).sudo()
            self.path = urlsplit(self.visit.customer_url).path
            words, tree = self.parse(self.get("/times"))
            self.assertIn("Friday, 26 March", words)
            self.assertIn("Monday, 29 March", words)
            first = {
                start[:10]: label.text_content().split()
                for label in reversed(tree.xpath("//fieldset/label"))
                for start in label.xpath("input/@value")
            }
            self.assertEqual(first["2027-03-26"], first["2027-03-29"])
            starts = {start.date().day: start.hour for start in reversed(self.get_offers())}
            self.assertEqual(starts[26], starts[29] + 1, "an hour earlier in UTC")

    def test_nobody_is_free(self):
        self.visit_type.notice_hours = 24 * 30
        words, _tree = self.parse(self.get("/times"))
        self.assertIn("There is no free time in the coming days", words)
        self.assertIn("Ask us to call", words)

    def test_another_company_does_not_come(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.second.company_id = company
        start = self.get_offers()[-1]
        self._book(start)
        self.assertEqual(self.post("move", start=f"{start}").status_code, 409)


class TestCalendarFile(PageCase):
    def test_the_file(self):
        self.visit.street = "vulytsia Entuziastiv, 11; flat 5\nSUMMARY:Trick"
        response = self.get("/visit.ics?lang=uk_UA")
        self.assertEqual(response.headers["Content-Type"], "text/calendar; charset=utf-8")
        self.assertIn('filename="visit.ics"', response.headers["Content-Disposition"])
        lines = response.content.split(b"\r\n")
        self.assertLessEqual(max(map(len, lines)), 75)
        self.assertEqual(response.content.count(b"\r\n"), response.content.count(b"\n"))
        self.assertIn(b"DTSTART:20261126T080000Z", lines)
        self.assertIn(b"DTEND:20261126T090000Z", lines)
        event = vobject.readOne(response.content.decode()).vevent
        self.assertIn("Vikna", event.summary.value)
        self.assertIn("11; flat 5", event.location.value)
        self.assertEqual(len(event.contents["summary"]), 1)
        self.assertEqual(event.dtstamp.value.replace(tzinfo=None), NOW)
        self.assertEqual(event.sequence.value, "1", "the address has changed")
        self.assertNotIn(self.path.rpartition("/")[2], response.text, "calendars are shared")

    def test_a_move_replaces_the_entry(self):
        before = vobject.readOne(self.get("/visit.ics").text).vevent
        self.visit._reschedule(FRIDAY)
        after = vobject.readOne(self.get("/visit.ics").text).vevent
        self.assertEqual(before.uid.value, after.uid.value)
        self.assertGreater(int(after.sequence.value), int(before.sequence.value))
        self.assertEqual(after.dtstart.value - before.dtstart.value, timedelta(days=1))
        other = self._book(FRIDAY + 3 * HOUR).sudo()
        other_path = urlsplit(other.customer_url).path
        other_event = vobject.readOne(self.get("/visit.ics", path=other_path).text).vevent
        self.assertNotEqual(other_event.uid.value, after.uid.value)

    def test_the_window_is_kept_free(self):
        self.visit.write({"window_start": THURSDAY - HOUR, "window_stop": THURSDAY + 2 * HOUR})
        event = vobject.readOne(self.get("/visit.ics").text).vevent
        self.assertEqual(event.dtstart.value.replace(tzinfo=None), THURSDAY - HOUR)
        self.assertEqual(event.dtend.value.replace(tzinfo=None), THURSDAY + 2 * HOUR)
