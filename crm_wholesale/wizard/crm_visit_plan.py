from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.crm_visit import MOVABLE_STATES
from ..tools import day_problem, routing
from ..tools.day_problem import Visit, get_facts, get_ways
from ..tools.schedule import Stop
from ..tools.travel import Place
from ..tools.walltime import to_datetime, to_moment

#: What asks for another plan when it changes.
OPTION_FIELDS = frozenset(
    {"company_id", "day", "measurer_ids", "include_waiting", "may_change_told"}
)

#: Changes after which somebody else comes.
NEW_FACE = ("measurer", "both")


class CrmVisitPlan(models.TransientModel):
    """A proposal for one day of several measurers: who goes where, in which order.

    Nothing changes before :meth:`action_apply`, which does all of it in one transaction or
    nothing.
    """

    _name = "crm.visit.plan"
    _description = "Plan a Day"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    day = fields.Date(required=True, default=lambda self: self._default_day())
    measurer_ids = fields.Many2many(
        "crm.measurer",
        string="Measurers",
        domain="[('company_id', 'in', (False, company_id))]",
        help="Whose days are planned; empty for everybody's.",
    )
    include_waiting = fields.Boolean(
        "Include Unassigned Visits",
        default=True,
        help="Visits that wait for a measurer and can take place on this day are booked.",
    )
    may_change_told = fields.Boolean(
        "May Change Told Times",
        help="Visits whose customer knows the time may be moved, too. These customers are told.",
    )
    planner = fields.Selection([("simple", "Simple planner")], readonly=True)
    line_ids = fields.One2many("crm.visit.plan.line", "plan_id", "Visits", readonly=True)
    travel_before = fields.Integer("Minutes on the Way Now", readonly=True)
    travel_after = fields.Integer("Minutes on the Way Then", readonly=True)
    change_count = fields.Integer("Visits Changed", compute="_compute_counts")
    tell_count = fields.Integer("Customers Told", compute="_compute_counts")
    waiting_count = fields.Integer("Still Unassigned", compute="_compute_counts")
    comparison = fields.Html(compute="_compute_comparison", sanitize=False)

    def _default_day(self):
        today = fields.Datetime.now().astimezone(self._get_company_zone(self.env.company)).date()
        return today + timedelta(days=1)

    @api.depends("line_ids")
    def _compute_counts(self):
        for plan in self:
            lines = plan.line_ids
            plan.change_count = len(lines.filtered("change"))
            plan.tell_count = len(lines.filtered("is_told"))
            plan.waiting_count = len(lines.filtered(lambda line: not line.measurer_id))

    @api.depends("line_ids")
    @api.depends_context("lang", "tz")
    def _compute_comparison(self):
        for plan in self:
            plan.comparison = False
            if plan.line_ids:
                plan.comparison = self.env["ir.qweb"]._render(
                    "crm_wholesale.crm_visit_plan_comparison", plan._prepare_comparison()
                )

    def write(self, vals):
        if vals.keys() & OPTION_FIELDS:
            self.line_ids.unlink()
        return super().write(vals)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_plan(self):
        """Propose a plan of the day, and show it.

        :raise UserError: for a day that is over, or with nothing to plan
        """
        self.ensure_one()
        self._check_day()
        movable = self._get_movable_visits()
        waiting = self._get_waiting_visits()
        days = self._load_days(movable | waiting)
        if not movable and not waiting:
            raise UserError(
                self.env._(
                    "There is nothing to plan: no visit of that day can be moved, and none waits."
                )
            )
        present = {visit: self._get_present(visit) for visit in movable | waiting}
        facts = get_facts(days.schedule, self.day)
        before = self._get_route_legs(days, facts, present)
        places = self._find_places(days, present)
        after = self._get_route_legs(days, facts, places)
        travel_before, travel_after = _sum_ways(before), _sum_ways(after)
        if travel_after >= travel_before and not any(places[visit] for visit in waiting):
            places, after, travel_after = present, before, travel_before
        self.line_ids.unlink()
        self.write({"travel_before": travel_before, "travel_after": travel_after})
        self._create_lines(facts, present, places, before, after)
        return self._reopen()

    def action_apply(self):
        """Carry out the proposal: everything or nothing.

        :raise UserError: when the day has changed since it was planned
        """
        self.ensure_one()
        self._check_day()
        if not self.line_ids:
            raise UserError(self.env._("Plan the day first, and look at the proposal."))
        self.line_ids._check_unchanged()
        self._check_feasible()
        self.line_ids.filtered("change")._apply()
        return {"type": "ir.actions.act_window_close"}

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Plan a Day"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {**self.env.context, "dialog_size": "extra-large"},
        }

    # ------------------------------------------------------------------
    # The day
    # ------------------------------------------------------------------

    @api.model
    def _plan_day(self, problem):
        """Return the name of a planner and its solution of a :class:`routing.Problem`.

        Override to ask another planner; what it returns must be feasible. This one places the
        visits one by one and then improves that: see the module ``routing``.

        :return: a value of ``planner`` and a :class:`routing.Solution`
        """
        return "simple", routing.plan(problem)

    @api.model
    def _get_company_zone(self, company):
        return pytz.timezone(company.resource_calendar_id.tz or self.env.user.tz or "UTC")

    def _get_span(self):
        """Return the first and the last moment of the day at the company, in UTC."""
        zone = self._get_company_zone(self.company_id)
        midnights = (
            zone.localize(datetime.combine(day, time()))
            for day in (self.day, self.day + timedelta(days=1))
        )
        return tuple(moment.astimezone(pytz.utc).replace(tzinfo=None) for moment in midnights)

    def _check_day(self):
        """Raise when the day is over.

        :raise UserError:
        """
        if self._get_span()[1] <= fields.Datetime.now():
            raise UserError(self.env._("That day is over. Choose a day to come."))

    def _get_measurers(self):
        domain = [("company_id", "in", (False, self.company_id.id))]
        return self.measurer_ids or self.env["crm.measurer"].search(domain)

    def _load_days(self, visits):
        """Return the measurers' days without the places of these visits."""
        measurers = self._get_measurers()
        if not measurers:
            raise UserError(self.env._("There are no measurers yet whose day could be planned."))
        return measurers._load_days(self.company_id, *self._get_span(), ignored_ids=visits.ids)

    def _get_movable_visits(self):
        """Return the booked visits that start on the day, on their measurer's clock, and later."""
        begin, end = self._get_span()
        visits = self.env["crm.visit"].search(
            [
                ("measurer_id", "in", self._get_measurers().ids),
                ("company_id", "=", self.company_id.id),
                ("state", "in", MOVABLE_STATES),
                ("start", ">", max(begin - timedelta(days=1), fields.Datetime.now())),
                ("start", "<", end + timedelta(days=1)),
            ]
        )
        return visits.filtered(
            lambda visit: _get_date(visit.start, visit.measurer_id.tz) == self.day
        )

    def _get_waiting_visits(self):
        """Return the visits of the queue that can take place on the day."""
        if not self.include_waiting:
            return self.env["crm.visit"]
        begin, end = self._get_span()
        visits = self.env["crm.visit"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "draft"),
                "|",
                ("earliest", "=", False),
                ("earliest", "<", end),
                "|",
                ("latest", "=", False),
                ("latest", ">", begin),
            ]
        )
        return visits.filtered(
            lambda visit: (
                visit.earliest
                or visit.latest
                or not visit.start
                or _get_date(visit.start, visit.tz) == self.day
            )
        )

    def _prepare_items(self, days, visits):
        """Return a dict from visit to the :class:`Visit` that the planner may place.

        Visits that cannot take place on the day at all are left out.
        """
        promised = self._filter_promised(visits)
        items = {}
        for visit in visits:
            present = self._get_present(visit)
            request = days.prepare_request(visit._prepare_slot_values(), visit._get_plan_length())
            if windows := self._get_windows(visit, request, visit in promised):
                wish = to_moment(visit.start) if visit.start else None
                items[visit] = Visit(request, windows, present and present[0], wish)
        return items

    def _filter_promised(self, visits):
        """Return the visits whose time the customer knows and counts on.

        That is one who was told, who confirmed, who has an arrival window, or whose visit was
        booked by a person and not by the distribution: they agreed on it.
        """
        told = self.env["crm.visit.notice"].sudo()._filter_told(visits)
        return visits.filtered(
            lambda visit: (
                visit in told
                or visit.state == "confirmed"
                or visit.window_start
                or (visit.state != "draft" and not visit.assignment_reason)
            )
        )

    def _get_windows(self, visit, request, is_promised):
        """Return the pairs of moments between which a visit may start, in order.

        A booked visit may stay where it is even where it could not be booked any more.
        """
        first, last = request.opens, request.closes
        if visit.earliest:
            first = max(first, to_moment(visit.earliest))
        if visit.latest:
            last = min(last, to_moment(visit.latest) - request.length)
        is_draft = visit.state == "draft"
        known = visit.former_start if is_draft else visit.start
        if is_promised and not self.may_change_told:
            window = visit.window_start, visit.window_stop
            window = window if all(window) else (known, known)
            if known:
                first = max(first, to_moment(window[0]))
                last = min(last, to_moment(window[1]))
        windows = [(first, last)] if first <= last else []
        if not is_draft:
            start = to_moment(visit.start)
            if not any(one <= start <= other for one, other in windows):
                windows.append((start, start))
        return tuple(sorted(windows))

    @api.model
    def _get_present(self, visit):
        """Return (measurer's id, start) of a booked visit as the planner counts; None of others."""
        if visit.state == "draft":
            return None
        return visit.measurer_id.id, to_moment(visit.start)

    # ------------------------------------------------------------------
    # The proposal
    # ------------------------------------------------------------------

    def _find_places(self, days, present):
        """Return a dict from visit to its place in the plan: (measurer's id, start), or None."""
        items = self._prepare_items(days, self.env["crm.visit"].union(*present))

        def solve(problem):
            self.planner, solution = self._plan_day(problem)
            return solution

        found = day_problem.plan(days.schedule, self.day, items.values(), solve)
        return {visit: found.get(items.get(visit)) for visit in present}

    def _get_route_legs(self, days, facts, places):
        """Return a dict from measurer's id to the stops of the day in order.

        :return: lists of pairs (stop, minutes of the way to it), ending with the way home
        """
        routes = {key: list(stops) for key, stops in facts.items()}
        for visit, place in places.items():
            if place:
                routes[place[0]].append(_make_stop(visit, place[1]))
        legs = {}
        for key, stops in routes.items():
            stops.sort(key=lambda stop: (stop.start, stop.key))
            ways = get_ways(days.schedule, key, [stop.place for stop in stops])
            legs[key] = list(zip([*stops, None], ways, strict=bool(stops)))
        return legs

    def _create_lines(self, facts, present, places, before, after):
        """Write down what stands now and what is proposed, visit by visit."""
        visits = self.env["crm.visit"].union(*present)
        told = self.env["crm.visit.notice"].sudo()._filter_told(visits)
        promised = self._filter_promised(visits)
        rows = [
            (visit, now, places[visit], visit in promised, visit in told)
            for visit, now in present.items()
        ]
        for key, stops in facts.items():
            for stop in stops:
                visit = self.env["crm.visit"].browse(stop.key)
                rows.append((visit, (key, stop.start), (key, stop.start), True, False))
        vals_list = []
        for visit, now, then, is_promised, is_told in rows:
            change = _get_change(now, then)
            retimed = bool(change) and visit._is_retimed_by(then[1])
            vals_list.append(
                {
                    "plan_id": self.id,
                    "visit_id": visit.id,
                    "fingerprint": visit._get_plan_fingerprint(),
                    "is_fixed": visit not in present,
                    "is_promised": is_promised,
                    "is_told": (retimed and is_promised) or (is_told and change in NEW_FACE),
                    "change": change,
                    **_prepare_place_values("before_", visit, now, before),
                    **_prepare_place_values("", visit, then, after),
                }
            )
        self.env["crm.visit.plan.line"].create(vals_list)

    def _check_feasible(self):
        """Raise when what is proposed breaks a rule by now.

        :raise UserError:
        """
        lines = self.line_ids.filtered("change")
        days = self._load_days(lines.visit_id)
        items = self._prepare_items(days, lines.visit_id)
        visits = list(items)
        problem = day_problem.DayProblem(days.schedule, self.day, items.values())
        places = {
            visits.index(line.visit_id): (line.measurer_id.id, to_moment(line.start))
            for line in lines
            if line.visit_id in items
        }
        if len(places) < len(lines) or problem.find_faults(places):
            raise UserError(
                self.env._(
                    "The day has changed since it was planned, and the proposal cannot be "
                    "carried out any more. Plan it again."
                )
            )

    # ------------------------------------------------------------------
    # Words
    # ------------------------------------------------------------------

    def _prepare_comparison(self):
        """Return what the comparison shows: for each measurer the visits now and then."""
        lines = self.line_ids
        days = []
        for measurer in (lines.measurer_id | lines.before_measurer_id).sorted():
            now = lines.filtered(lambda line, m=measurer: line.before_measurer_id == m)
            then = lines.filtered(lambda line, m=measurer: line.measurer_id == m)
            days.append(
                {
                    "measurer": measurer,
                    "now": now.sorted("before_start"),
                    "then": then.sorted("start"),
                    "minutes_now": sum(now.mapped("before_way")) + now[:1].before_home_way,
                    "minutes_then": sum(then.mapped("way")) + then[:1].home_way,
                }
            )
        return {
            "days": days,
            "waiting": lines.filtered(lambda line: not line.measurer_id),
            "changes": dict(lines._fields["change"]._description_selection(self.env)),
        }


def _get_date(moment, tz):
    """Return the date of a UTC datetime on the wall clock of a zone."""
    return pytz.utc.localize(moment).astimezone(pytz.timezone(tz or "UTC")).date()


def _make_stop(visit, start):
    place = Place(visit.latitude, visit.longitude, visit.zip, visit.city)
    stop = start + round(visit._get_plan_length().total_seconds())
    return Stop(start, stop, visit.id, place, visit.urgent, visit.name)


def _sum_ways(legs):
    return sum(minutes for route in legs.values() for _stop, minutes in route)


def _get_change(now, then):
    """Return how a visit's place changes, as a value of the line's field, or False."""
    if now == then or not then:
        return False
    if not now:
        return "new"
    if now[0] == then[0]:
        return "time"
    return "measurer" if now[1] == then[1] else "both"


def _prepare_place_values(prefix, visit, place, legs):
    """Return the values of a line for a place: (measurer's id, start), or None."""
    if not place:
        return {}
    *route, (_nowhere, home_way) = legs[place[0]]
    return {
        f"{prefix}measurer_id": place[0],
        f"{prefix}start": to_datetime(place[1]),
        f"{prefix}way": next(minutes for stop, minutes in route if stop.key == visit.id),
        f"{prefix}home_way": home_way,
    }
