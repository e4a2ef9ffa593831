from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from unittest.mock import patch

from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.mail.models.mail_activity import MailActivity as PlainActivity
from odoo.addons.mail.models.mail_activity_mixin import MailActivityMixin as PlainMixin

MINUTE = timedelta(minutes=1)
STATES = ("overdue", "today", "planned")
LINKS = {
    "overdue": "activities_overdue",
    "today": "activities_today",
    "planned": "activities_upcoming_all",
}


class ActivityDueAtCase(TransactionCase):
    """Two managers in two zones, and the five places where the minute decides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kyiv, cls.new_york = (
            new_test_user(cls.env, login, groups="sales_team.group_sale_salesman", tz=zone)
            for login, zone in (("due_kyiv", "Europe/Kyiv"), ("due_ny", "America/New_York"))
        )

    @contextmanager
    def at(self, moment):
        """Make ``moment`` (UTC) the present, in Python and for the cursor."""
        self.env.invalidate_all()
        with freeze_time(moment), patch.object(self.env.cr, "now", lambda: moment):
            yield

    def env_of(self, user):
        """Return the environment of ``user`` as the web client sets it up."""
        return self.env(user=user.id, context={"tz": user.tz, "lang": "en_US"})

    def schedule(self, user, **values):
        """Return a new activity of ``user`` on a new lead of theirs."""
        env = self.env_of(user)
        lead = env["crm.lead"].create({"name": "Windows for a school", "user_id": user.id})
        return lead.activity_schedule("mail.mail_activity_data_call", user_id=user.id, **values)

    def get_states(self, activity):
        """Return the state of ``activity``, alone on its lead, by place."""
        env = self.env_of(activity.user_id)
        lead = env["crm.lead"].browse(activity.res_id)
        own = [("id", "=", lead.id)]
        groups = env["res.users"]._get_activity_groups()
        counts = next((group for group in groups if group["model"] == "crm.lead"), {})
        bar = lead.read_progress_bar(
            own, "user_id", {"field": "activity_state", "colors": dict.fromkeys(STATES, "x")}
        )
        of_crm = env.ref("crm.crm_lead_action_my_activities").sudo().search_view_id.id
        return {
            "activity": activity.with_env(env).state,
            "record": lead.activity_state,
            "search": self.pick(lambda s: lead.search([*own, ("activity_state", "=", s)])),
            "search not in": self.pick(
                lambda s: not lead.search([*own, ("activity_state", "!=", s)])
            ),
            "grouping": lead._read_group(own, ["activity_state"])[0][0],
            "progress bar": self.pick(bar[str(activity.user_id.id)].get),
            "systray": self.pick(lambda s: counts.get(f"{s}_count")),
            "link": self.pick(lambda s: self.open_link(lead, False, s)),
            "link of crm": self.pick(lambda s: self.open_link(lead, of_crm, s)),
        }

    @staticmethod
    def pick(holds):
        """Return the states for which ``holds``: the state itself when it is only one."""
        found = [state for state in STATES if holds(state)]
        return found[0] if len(found) == 1 else found

    @staticmethod
    def open_link(records, view_id, state):
        """Return those of ``records`` that a click on the systray's ``state`` shows."""
        arch = etree.fromstring(records.get_view(view_id, "search")["arch"])
        (node,) = arch.xpath(f"//filter[@name='{LINKS[state]}']")
        domain = safe_eval(node.get("domain"), {"uid": records.env.uid})
        return records.search([("id", "in", records.ids), *domain])

    def assert_state(self, activity, moment, state):
        """Assert that at ``moment`` (UTC) all five places say ``state``."""
        with self.at(moment), self.subTest(moment=moment, state=state):
            states = self.get_states(activity)
            self.assertEqual(states, dict.fromkeys(states, state))


@tagged("post_install", "-at_install")
class TestFivePlaces(ActivityDueAtCase):
    """The minute decides alike in the state, search, grouping, systray and its links."""

    def test_around_the_minute(self):
        for user, due_at in (
            (self.kyiv, datetime(2026, 11, 25, 12, 39)),  # 14:39
            (self.kyiv, datetime(2026, 11, 25, 21, 59)),  # 23:59
            (self.kyiv, datetime(2026, 11, 24, 22, 30)),  # 00:30, still yesterday in UTC
            (self.new_york, datetime(2026, 11, 25, 19, 39)),  # 14:39
            (self.new_york, datetime(2026, 11, 26, 4, 30)),  # 23:30, already tomorrow in UTC
            (self.new_york, datetime(2026, 11, 25, 5, 1)),  # 00:01
        ):
            with self.subTest(user=user.tz, due_at=due_at):
                activity = self.schedule(user, due_at=due_at)
                self.assertEqual(activity.date_deadline, date(2026, 11, 25))
                self.assert_state(activity, due_at - MINUTE, "today")
                self.assert_state(activity, due_at, "overdue")
                self.assert_state(activity, due_at + MINUTE, "overdue")
                activity.unlink()

    def test_midnight(self):
        for user, midnight in (
            (self.kyiv, datetime(2026, 11, 24, 22, 0)),
            (self.new_york, datetime(2026, 11, 25, 5, 0)),
        ):
            with self.subTest(user=user.tz):
                at_midnight = self.schedule(user, due_at=midnight)
                self.assert_state(at_midnight, midnight - MINUTE, "planned")
                self.assert_state(at_midnight, midnight, "overdue")
                at_midnight.unlink()
                after = self.schedule(user, due_at=midnight + MINUTE)
                self.assert_state(after, midnight - MINUTE, "planned")
                self.assert_state(after, midnight, "today")
                self.assert_state(after, midnight + MINUTE, "overdue")
                after.unlink()

    def test_clock_changes(self):
        """On the days when the clock changes a minute is as good as on others."""
        for due_at, day in (
            (datetime(2026, 10, 25, 0, 30), date(2026, 10, 25)),  # 03:30, the first time
            (datetime(2026, 10, 25, 1, 30), date(2026, 10, 25)),  # 03:30, the second time
            (datetime(2027, 3, 28, 1, 0), date(2027, 3, 28)),  # 04:00, just after the gap
        ):
            with self.subTest(due_at=due_at):
                activity = self.schedule(self.kyiv, due_at=due_at)
                self.assertEqual(activity.date_deadline, day)
                self.assert_state(activity, due_at - MINUTE, "today")
                self.assert_state(activity, due_at, "overdue")
                self.assert_state(activity, due_at + MINUTE, "overdue")
                activity.unlink()

    def test_day_only(self):
        """Without a minute, a whole day in the assignee's zone is today."""
        for user, midnight in (
            (self.kyiv, datetime(2026, 11, 24, 22, 0)),
            (self.new_york, datetime(2026, 11, 25, 5, 0)),
        ):
            with self.subTest(user=user.tz):
                activity = self.schedule(user, date_deadline=date(2026, 11, 25))
                self.assert_state(activity, midnight - MINUTE, "planned")
                self.assert_state(activity, midnight, "today")
                self.assert_state(activity, midnight + timedelta(days=1) - MINUTE, "today")
                self.assert_state(activity, midnight + timedelta(days=1), "overdue")
                activity.unlink()

    def test_nobody_assigned(self):
        """Without an assignee the day is that of UTC, whoever looks."""
        lead = self.env["crm.lead"].create({"name": "Deal", "user_id": self.kyiv.id})
        due_at = datetime(2026, 11, 25, 23, 30)
        activity = lead.activity_schedule("mail.mail_activity_data_call", due_at=due_at)
        self.assertFalse(activity.user_id)
        self.assertEqual(activity.date_deadline, due_at.date())
        lead = lead.with_env(self.env_of(self.kyiv))
        for moment, state in ((due_at - MINUTE, "today"), (due_at, "overdue")):
            with self.at(moment), self.subTest(moment=moment):
                self.assertEqual(lead.activity_state, state)
                self.assertEqual(
                    lead._read_group([("id", "=", lead.id)], ["activity_state"]), [(state,)]
                )

    def test_done(self):
        """A done activity is in no state for anybody, however late it is."""
        activity = self.schedule(self.kyiv, due_at=datetime(2026, 11, 25, 12, 39))
        with self.at(datetime(2026, 11, 25, 13, 0)):
            lead = self.env["crm.lead"].browse(activity.res_id).with_user(self.kyiv)
            activity.action_done()
            self.assertEqual(activity.state, "done")
            self.assertFalse(lead.activity_state)
            self.assertEqual(
                lead._read_group([("id", "=", lead.id)], ["activity_state"]), [(False,)]
            )
            self.assertEqual(
                lead.search([("id", "=", lead.id), ("activity_state", "=", False)]), lead
            )
            self.assertFalse(self.open_link(lead, False, "overdue"))

    def test_links_of_every_model(self):
        """Wherever the systray's links lead, the minute decides there too."""
        due_at = datetime(2026, 11, 25, 12, 39)
        visit_type = self.env.ref("crm_wholesale.crm_visit_type_measurement")
        for record in (
            self.env["res.partner"].create({"name": "School"}),
            self.env["crm.visit"].create({"type_id": visit_type.id, "user_id": self.kyiv.id}),
        ):
            record.activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.kyiv.id, due_at=due_at
            )
            open_link = partial(self.open_link, record.with_env(self.env_of(self.kyiv)), False)
            for moment, state in (
                (due_at - timedelta(days=1), "planned"),
                (due_at - MINUTE, "today"),
                (due_at, "overdue"),
            ):
                with self.at(moment), self.subTest(model=record._name, state=state):
                    self.assertEqual(self.pick(open_link), state)

    def test_filters_of_my_activities(self):
        """The list behind "View all activities" parts late from today by the minute."""
        due_at = datetime(2026, 11, 25, 12, 39)
        activity = self.schedule(self.kyiv, due_at=due_at)
        day_only = self.schedule(self.kyiv, date_deadline=date(2026, 11, 25))
        both = (activity + day_only).with_env(self.env_of(self.kyiv))
        arch = etree.fromstring(
            both.get_view(self.env.ref("mail.mail_activity_view_search").id, "search")["arch"]
        )
        for moment, late in ((due_at - MINUTE, both.browse()), (due_at, both[0])):
            with self.at(moment):
                for name, expected in (("past", late), ("today", both - late)):
                    (node,) = arch.xpath(f"//filter[@name='filter_date_deadline_{name}']")
                    domain = safe_eval(node.get("domain"), {"uid": self.kyiv.id})
                    self.assertEqual(both.search([("id", "in", both.ids), *domain]), expected)

    def test_most_urgent_wins(self):
        """A deal with several activities is as late as the latest of them."""
        due_at = datetime(2026, 11, 25, 12, 39)
        activity = self.schedule(self.kyiv, due_at=due_at)
        lead = self.env["crm.lead"].browse(activity.res_id).with_env(self.env_of(self.kyiv))
        lead.activity_schedule(
            "mail.mail_activity_data_todo", date_deadline=date(2026, 11, 25), user_id=self.kyiv.id
        )
        for moment, state in ((due_at - MINUTE, "today"), (due_at, "overdue")):
            with self.at(moment):
                self.assertEqual(lead.activity_state, state)
                self.assertEqual(
                    lead._read_group([("id", "=", lead.id)], ["activity_state"]), [(state,)]
                )


@tagged("post_install", "-at_install")
class TestTiming(ActivityDueAtCase):
    """The day and the minute of an activity never part."""

    def assert_timing(self, activity, due_at, date_deadline):
        self.assertEqual((activity.due_at, activity.date_deadline), (due_at, date_deadline))

    def test_minute_sets_the_day(self):
        activity = self.schedule(self.kyiv, date_deadline=date(2026, 11, 25))
        self.assert_timing(activity, False, date(2026, 11, 25))
        activity.due_at = datetime(2026, 11, 26, 22, 30)
        self.assert_timing(activity, datetime(2026, 11, 26, 22, 30), date(2026, 11, 27))

    def test_minute_wins_over_a_day_given_along(self):
        due_at = datetime(2026, 11, 26, 22, 30)
        activity = self.schedule(self.kyiv, due_at=due_at, date_deadline=date(2026, 11, 1))
        self.assert_timing(activity, due_at, date(2026, 11, 27))
        activity.write({"due_at": "2026-11-28 12:00:00", "date_deadline": "2026-11-01"})
        self.assert_timing(activity, datetime(2026, 11, 28, 12, 0), date(2026, 11, 28))

    def test_minute_from_the_context(self):
        lead = self.schedule(self.new_york).res_id
        due_at = datetime(2026, 11, 26, 3, 0)
        activity = (
            self.env["mail.activity"]
            .with_user(self.new_york)
            .with_context(default_due_at=due_at, default_user_id=self.new_york.id)
            .create({"res_model_id": self.env["ir.model"]._get_id("crm.lead"), "res_id": lead})
        )
        self.assert_timing(activity, due_at, date(2026, 11, 25))

    def test_day_moves_the_minute(self):
        activity = self.schedule(self.kyiv, due_at=datetime(2026, 11, 25, 12, 39))
        activity.date_deadline = date(2026, 12, 1)
        self.assert_timing(activity, datetime(2026, 12, 1, 12, 39), date(2026, 12, 1))
        activity.date_deadline = date(2026, 7, 1)  # summer time
        self.assert_timing(activity, datetime(2026, 7, 1, 11, 39), date(2026, 7, 1))

    def test_day_moves_each_minute_in_its_zone(self):
        late = datetime(2026, 11, 25, 22, 30)  # 00:30 of the 26th in Kyiv, 17:30 in New York
        activities = self.schedule(self.kyiv, due_at=late).sudo()
        activities += self.schedule(self.new_york, due_at=late).sudo()
        activities += self.schedule(self.kyiv, date_deadline=date(2026, 11, 25)).sudo()
        activities.date_deadline = date(2026, 11, 30)
        self.assertEqual(
            activities.mapped("due_at"),
            [datetime(2026, 11, 29, 22, 30), datetime(2026, 11, 30, 22, 30), False],
        )
        self.assertEqual(set(activities.mapped("date_deadline")), {date(2026, 11, 30)})

    def test_day_moves_over_a_clock_change(self):
        activity = self.schedule(self.kyiv, due_at=datetime(2026, 10, 20, 0, 30))  # 03:30
        activity.date_deadline = date(2026, 10, 25)  # 03:30 strikes twice
        self.assert_timing(activity, datetime(2026, 10, 25, 1, 30), date(2026, 10, 25))
        activity.date_deadline = date(2027, 3, 28)  # no 03:30: it is 04:30
        self.assert_timing(activity, datetime(2027, 3, 28, 1, 30), date(2027, 3, 28))

    def test_same_day_leaves_the_minute(self):
        """The first 03:30 of the night stays the first."""
        first = datetime(2026, 10, 25, 0, 30)
        activity = self.schedule(self.kyiv, due_at=first)
        activity.date_deadline = date(2026, 10, 25)
        self.assert_timing(activity, first, date(2026, 10, 25))

    def test_clearing_the_minute_keeps_the_day(self):
        activity = self.schedule(self.kyiv, due_at=datetime(2026, 11, 25, 12, 39))
        activity.due_at = False
        self.assert_timing(activity, False, date(2026, 11, 25))
        activity.date_deadline = date(2026, 12, 1)
        self.assert_timing(activity, False, date(2026, 12, 1))

    def test_new_assignee_has_another_day(self):
        due_at = datetime(2026, 11, 25, 3, 0)  # 05:00 in Kyiv, 22:00 of the 24th in New York
        activity = self.schedule(self.kyiv, due_at=due_at).sudo()
        activity.user_id = self.new_york
        self.assert_timing(activity, due_at, date(2026, 11, 24))
        activity.write({"user_id": self.kyiv.id, "date_deadline": date(2026, 11, 30)})
        self.assert_timing(activity, datetime(2026, 11, 30, 3, 0), date(2026, 11, 30))
        activity.user_id = False
        self.assert_timing(activity, datetime(2026, 11, 30, 3, 0), date(2026, 11, 30))

    def test_assignee_moves_to_another_zone(self):
        due_at = datetime(2026, 11, 25, 3, 0)
        timed = self.schedule(self.kyiv, due_at=due_at)
        day_only = self.schedule(self.kyiv, date_deadline=date(2026, 11, 25))
        self.kyiv.tz = "America/New_York"
        self.assert_timing(timed, due_at, date(2026, 11, 24))
        self.assert_timing(day_only, False, date(2026, 11, 25))
        day_only.unlink()
        self.assert_state(timed, due_at - MINUTE, "today")
        self.assert_state(timed, due_at, "overdue")

    def test_day_only_writes_nothing_more(self):
        activity = self.schedule(self.kyiv, date_deadline=date(2026, 11, 25))
        with patch.object(PlainActivity, "write", autospec=True, return_value=True) as plain:
            activity.write({"date_deadline": date(2026, 11, 26)})
        plain.assert_called_once_with(activity, {"date_deadline": date(2026, 11, 26)})

    def test_systray_is_told_when_the_minute_moves_into_today(self):
        with self.at(datetime(2026, 11, 24, 9, 0)):
            activity = self.schedule(self.kyiv, due_at=datetime(2026, 11, 30, 12, 0))
            with patch.object(type(self.kyiv), "_bus_send", autospec=True) as bus:
                activity.due_at = datetime(2026, 11, 24, 12, 0)
            self.assertEqual(
                [call.args[1:] for call in bus.call_args_list],
                [("mail.activity/updated", {"activity_created": True, "count_diff": 1})],
            )

    def test_form(self):
        """On the form the day follows the minute, and the minute follows the day."""
        with Form(
            self.schedule(self.kyiv, date_deadline=date(2026, 11, 25)),
            "mail.mail_activity_view_form_popup",
        ) as form:
            form.due_at = datetime(2026, 11, 26, 22, 30)
            self.assertEqual(form.date_deadline, date(2026, 11, 27))
            form.date_deadline = date(2026, 11, 30)
            self.assertEqual(form.due_at, datetime(2026, 11, 29, 22, 30))
            form.activity_type_id = self.env.ref("mail.mail_activity_data_todo")
            self.assertEqual(form.due_at, datetime(2026, 11, 29, 22, 30))
            self.assertEqual(form.date_deadline, date(2026, 11, 30))
        self.assert_timing(form.record, datetime(2026, 11, 29, 22, 30), date(2026, 11, 30))

    def test_order(self):
        """Within a day the minutes go first, in their order; the rest has all day."""
        with self.at(datetime(2026, 11, 24, 9, 0)):
            values = [
                {"date_deadline": date(2026, 11, 25)},
                {"due_at": datetime(2026, 11, 25, 15, 0)},
                {"due_at": datetime(2026, 11, 25, 9, 0)},
                {"date_deadline": date(2026, 11, 24)},
            ]
            all_day, afternoon, morning, before = (
                self.schedule(self.kyiv, **vals) for vals in values
            )
            activities = before + morning + afternoon + all_day
            self.assertEqual(activities.search([("id", "in", activities.ids)]).ids, activities.ids)

    def test_forbidden(self):
        """The minute is as protected as the rest of the activity."""
        activity = self.schedule(self.kyiv, due_at=datetime(2026, 11, 25, 12, 39))
        with self.assertRaises(AccessError):
            activity.with_user(self.new_york).write({"due_at": datetime(2026, 11, 26, 12, 0)})
        self.assertEqual(activity.due_at, datetime(2026, 11, 25, 12, 39))


@tagged("post_install", "-at_install")
class TestSameAsPlain(ActivityDueAtCase):
    """SQL and Python agree on any activities, and with plain Odoo on those without a minute."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nowhere = new_test_user(
            cls.env, "due_nowhere", groups="sales_team.group_sale_salesman", tz=False
        )
        cls.leads = cls.env["crm.lead"].create([{"name": f"Deal {i}"} for i in range(3)])
        cls.now = datetime(2026, 11, 25, 12, 0)

    def _create(self, rows):
        """Create one activity per row: lead, user, minutes from now, whether it has a minute."""
        users = [self.kyiv, self.new_york, self.nowhere, self.env["res.users"]]
        return self.env["mail.activity"].create(
            [
                {
                    "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "res_id": self.leads[lead].id,
                    "user_id": users[user].id,
                    "due_at" if timed else "date_deadline": (
                        self.now + timedelta(minutes=minutes)
                        if timed
                        else (self.now + timedelta(minutes=minutes)).date()
                    ),
                }
                for lead, user, minutes, timed in rows
            ]
        )

    rows = st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 3),
            st.one_of(st.integers(-1, 1), st.integers(-3000, 3000)),
            st.booleans(),
        ),
        max_size=6,
    )

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(rows=rows)
    def test_sql_agrees_with_python(self, rows):
        self.env["mail.activity"].search([("res_id", "in", self.leads.ids)]).unlink()
        self._create(rows)
        with self.at(self.now):
            own = [("id", "in", self.leads.ids)]
            computed = {lead.id: lead.activity_state for lead in self.leads}
            searched = {
                lead.id: state
                for state in (*STATES, False)
                for lead in self.leads.search([*own, ("activity_state", "=", state)])
            }
            grouped = {
                lead.id: state
                for lead, state in self.leads._read_group(own, ["id", "activity_state"])
            }
        self.assertEqual(searched, computed)
        self.assertEqual(grouped, computed)

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(rows=rows, zone=st.sampled_from(["Europe/Kyiv", "America/New_York", "Mars", False]))
    def test_day_only_agrees_with_plain_odoo(self, rows, zone):
        self.env["mail.activity"].search([("res_id", "in", self.leads.ids)]).unlink()
        activities = self._create([(*row[:3], False) for row in rows])
        leads = self.leads.with_context(tz=zone)
        own = [("id", "in", leads.ids)]
        with self.at(self.now):
            for states in ({"overdue"}, {"today", False}, {"planned", "today"}, {False}, set()):
                for operator in ("in", "not in"):
                    plain = PlainMixin._search_activity_state(leads, operator, states)
                    ours = leads._search_activity_state(operator, states)
                    self.assertEqual(leads.search(own + ours), leads.search(own + plain))
            ours = leads._read_group(own, ["id", "activity_state"])
            with patch.object(type(leads), "_read_group_groupby", PlainMixin._read_group_groupby):
                plain = leads.with_context(tz=zone)
                grouped = plain._read_group(own, ["activity_state"], ["id:array_agg"])
            self.assertEqual(
                {lead.id: state for lead, state in ours},
                {lead_id: state for state, ids in grouped for lead_id in ids},
            )
            states = activities.mapped("state")
            activities.invalidate_recordset()
            with patch.object(type(activities), "_compute_state", PlainActivity._compute_state):
                self.assertEqual(states, activities.mapped("state"))
