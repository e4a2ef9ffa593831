import logging
from collections import defaultdict
from datetime import datetime, timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_date, split_every

from ..tools.distribution import Distributor, Wish, get_capacity
from ..tools.walltime import to_datetime, to_moment
from .crm_visit import OCCUPYING_STATES

_logger = logging.getLogger(__name__)

#: Visits that the cron distributes and commits together.
BATCH_SIZE = 100
#: Past days that count for the fair share, beside all that is planned.
SHARE_DAYS = 14
#: How many days ahead a place is looked for.
SEARCH_DAYS = 28
#: States of visits that count for the fair share.
SHARE_STATES = (*OCCUPYING_STATES, "done", "no_show")
#: How many names a reason tells, and how many free times.
NAMES, SLOTS = 3, 3
#: How far from the wish a free time is looked for, in seconds to either side.
NEAREST_SPAN = 7 * 24 * 60 * 60


class CrmVisit(models.Model):
    """The distribution of waiting visits among the measurers.

    A time that the customer was told and a measurer whom a person chose are kept. What cannot be
    placed waits on, with its reason.
    """

    _inherit = "crm.visit"

    def action_distribute(self):
        """Give waiting visits a measurer and a time, and say how many still wait.

        :raise AccessError: for anybody but a head of sales
        :raise UserError: when none of these visits waits
        """
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only a head of sales distributes visits."))
        self.check_access("write")
        drafts = self.filtered_domain(self._get_distribution_domain())
        if not drafts:
            raise UserError(self.env._("None of these visits waits for a measurer."))
        drafts._distribute()
        waiting = drafts.filtered_domain(self._get_distribution_domain())
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if waiting else "success",
                "message": self.env._(
                    "Booked: %(booked)s. Still waiting, with the reason on each: %(waiting)s.",
                    booked=len(drafts) - len(waiting),
                    waiting=len(waiting),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _get_distribution_domain(self):
        """Return the domain of the visits that wait for a measurer."""
        return Domain("state", "=", "draft")

    @api.model
    def _cron_distribute(self):
        """Distribute the waiting visits of the companies that want it, the most pressing first."""
        domain = self._get_distribution_domain() & Domain("company_id.distribute_visits", "=", True)
        visits = self.search(domain).sorted(lambda visit: visit._get_rank())
        commit_progress = self.env["ir.cron"]._commit_progress
        commit_progress(remaining=len(visits))
        for batch in split_every(BATCH_SIZE, visits.ids, self.browse):
            try:
                batch._distribute()
            except OperationalError:
                # Somebody booked one of these measurers meanwhile: that booking stands.
                self.env.cr.rollback()
                _logger.info("Visits %s wait for the next distribution.", batch.ids)
            if not commit_progress(len(batch)):
                break

    def _distribute(self):
        """Book drafts where a measurer can take them; note on the others why they wait.

        The same visits in any order get the same places. What another transaction holds is left
        to it.
        """
        drafts = self.try_lock_for_update().filtered_domain(self._get_distribution_domain())
        for company, visits in drafts.sudo().grouped("company_id").items():
            visits._distribute_in_company(company)

    def _distribute_in_company(self, company):
        """Distribute drafts of one company; called with sudo."""
        lang = self.env.context.get("lang") or company.partner_id.lang
        self = self.with_context(lang=lang)  # the cron's user speaks for the company
        now = fields.Datetime.now()
        until = max(now + timedelta(days=SEARCH_DAYS), *(v._get_search_end(now) for v in self))
        measurers = self.env["crm.measurer"].search([("company_id", "in", (False, company.id))])
        days, distributor = self._load_distribution(measurers | self.measurer_id, company, until)
        choices = distributor.distribute(visit._prepare_wish(days, now) for visit in self)
        placed = self.filtered(lambda visit: choices[visit.id])
        placed._book_choices(
            {visit: choices[visit.id].best.placement for visit in placed},
            {visit: visit._explain_choice(choices[visit.id], days.measurers) for visit in placed},
        )
        for visit in self - placed:
            visit._note_waiting(visit._explain_waiting(days, now))

    @api.model
    def _load_distribution(self, measurers, company, until, ignored_ids=()):
        """Return the days of measurers, loaded, and the :class:`Distributor` over them.

        :param datetime until: when the search ends, in UTC
        :param ignored_ids: ids of visits whose present places count as free
        """
        since = self._get_share_start()
        days = measurers._load_days(company, since, until, ignored_ids)
        capacities = {
            measurer.id: get_capacity(
                days.schedule.tours[measurer.id],
                to_moment(max(since, measurer.create_date)),
                to_moment(until),
            )
            for measurer in measurers
        }
        loads = self._count_loads(measurers, since, until)
        return days, Distributor(days.schedule, loads, capacities)

    @api.model
    def _get_share_start(self):
        """Return the moment since when visits count for the fair share, in UTC."""
        return fields.Datetime.now() - timedelta(days=SHARE_DAYS)

    @api.model
    def _count_loads(self, measurers, since, until):
        """Return the number of visits of each measurer between two moments, by the id."""
        domain = [
            ("measurer_id", "in", measurers.ids),
            ("state", "in", SHARE_STATES),
            ("start", ">=", since),
            ("start", "<", until),
        ]
        groups = self._read_group(domain, ["measurer_id"], ["__count"])
        return {measurer.id: count for measurer, count in groups}

    # --- Wishes ---

    def _get_rank(self):
        """Return what orders waiting visits: urgent ones, then by deadline, age and number."""
        self.ensure_one()
        deadline = self.window_start or self.start or self.latest or datetime.max
        return not self.urgent, deadline, self.create_date, self.id

    def _get_search_end(self, now):
        """Return by when the visit must have ended, in UTC."""
        self.ensure_one()
        if last := self.window_stop or self.start:
            return last + timedelta(hours=self.duration)
        end = max(now, self.earliest or now) + timedelta(days=SEARCH_DAYS)
        return min(end, self.latest or end)

    def _prepare_wish(self, days, now):
        """Return this visit as a :class:`Wish`.

        Of an arrival window the customer was told the window, not the start within it. What was
        told holds against notice period and horizon.
        """
        self.ensure_one()
        request = days.prepare_request(self._prepare_slot_values())
        windowed = self.window_start and self.window_stop
        if windowed or self.start:
            request = request._replace(opens=to_moment(now), closes=float("inf"))
        return Wish(
            request,
            earliest=to_moment(max(now, self.earliest or now)),
            latest=to_moment(self._get_search_end(now)),
            rank=self._get_rank(),
            starts=windowed and (to_moment(self.window_start), to_moment(self.window_stop)),
            start=None if windowed or not self.start else to_moment(self.start),
            measurer=self.measurer_id.id or None,
        )

    def _prepare_standing_wish(self, days):
        """Return the :class:`Wish` for another measurer at the very time of this booked visit."""
        wish = self._prepare_wish(days, fields.Datetime.now())
        return wish._replace(start=to_moment(self.start), starts=None, measurer=None)

    # --- Booking ---

    def _book_choices(self, placements, reasons):
        """Book drafts where they were placed; where all at once fails, one by one."""
        try:
            with self.env.cr.savepoint():
                return self._write_choices(placements, reasons)
        except OperationalError:
            raise
        except Exception as error:  # one bad visit must not stop the others
            if len(self) == 1:
                if not isinstance(error, UserError):
                    _logger.exception("Visit %s cannot be booked.", self.id)
                return self._note_waiting(str(error))
        for visit in self:
            visit._book_choices(placements, reasons)
        return None

    def _write_choices(self, placements, reasons):
        untold = self.filtered(lambda visit: not visit.start)
        for visit in self:
            placement = placements[visit]
            visit.write(
                {
                    "measurer_id": placement.measurer,
                    "start": to_datetime(placement.start),
                    "stop": to_datetime(placement.stop),
                    "assignment_reason": reasons[visit],
                }
            )
        self._schedule()
        for visit in untold:
            visit._schedule_call(
                fields.Datetime.now(),
                self.env._(
                    "Tell the customer: %(measurer)s comes on %(time)s",
                    measurer=visit.measurer_id.name,
                    time=visit.local_start,
                ),
            )

    def _note_waiting(self, reason):
        if self.queue_reason != reason:
            self.queue_reason = reason

    # --- Reasons ---

    def _explain_choice(self, choice, measurers):
        """Return why this measurer comes, in words.

        :param Choice choice: of the distribution
        """
        self.ensure_one()
        best, second = choice.best, choice.second
        names = {measurer.id: measurer.name for measurer in measurers}
        parts = [
            self.env._(
                "%(measurer)s: %(travel)s min more travel, visit %(day)s of %(day_capacity)s that "
                "day, %(load)s of %(capacity)s since %(date)s",
                measurer=names[best.placement.measurer],
                travel=best.placement.travel,
                day=choice.day_load,
                day_capacity=choice.day_capacity,
                load=best.load + 1,
                capacity=best.capacity,
                date=format_date(self.env, self._get_share_start(), date_format="d MMM"),
            )
        ]
        if self.state == "draft" and self.measurer_id:
            parts.append(self.env._("chosen by hand"))
        if second:
            parts.append(
                self.env._(
                    "next best: %(measurer)s, %(travel)s min, %(load)s of %(capacity)s",
                    measurer=names[second.placement.measurer],
                    travel=second.placement.travel,
                    load=second.load + 1,
                    capacity=second.capacity,
                )
            )
        return "; ".join(parts)

    def _explain_waiting(self, days, now):
        """Return why nobody can make this visit, in words, and when somebody could."""
        self.ensure_one()
        wish = self._prepare_wish(days, now)
        if wish.start is not None:
            text = self.env._("Nobody can come on %(time)s.", time=self.local_start)
        else:
            end = self._get_search_end(now)
            end = (
                self._format_local(end)
                if end == self.latest
                else self._format_site_time(end, "EEE d MMM")
            )
            text = self.env._("Nobody has a place for this visit until %(time)s.", time=end)
        refusals = self._explain_refusals(days, wish, self.measurer_id or days.measurers)
        slots = self._find_nearest(days, wish, now)
        free = slots and self.env._("Free: %(slots)s.", slots="; ".join(slots))
        return "\n".join(filter(None, [text, *refusals, free]))

    def _explain_refusals(self, days, wish, measurers):
        """Return sentences that say what keeps whom from a visit, a few names in each."""
        names = defaultdict(list)
        for measurer in measurers:
            tour = days.schedule.tours[measurer.id]
            code = tour.get_refusal(wish.request) or "full"
            if wish.start is not None:
                code = days.schedule.get_verdict(measurer.id, wish.request, wish.start).code
            names[code].append(measurer.name)
        words = self._get_refusal_words()
        sentences = []
        for code, members in names.items():
            listed = ", ".join(members[:NAMES])
            if len(members) > NAMES:
                listed = self.env._(
                    "%(names)s and %(number)s more", names=listed, number=len(members) - NAMES
                )
            sentences.append(f"{words[code]}: {listed}.")
        return sentences

    @api.model
    def _get_refusal_words(self):
        """Return what keeps measurers from a visit, in words, by code."""
        return {
            "archived": self.env._("Archived"),
            "no_login": self.env._("No login as a measurer"),
            "company": self.env._("Other company"),
            "skill": self.env._("Lack a skill"),
            "zone": self.env._("Do not go there"),
            "notice": self.env._("Too short notice"),
            "horizon": self.env._("Too far ahead"),
            "hours": self.env._("Do not work then"),
            "leave": self.env._("Away then"),
            "event": self.env._("Have another appointment then"),
            "busy": self.env._("Have another visit then"),
            "travel": self.env._("Cannot get there in time"),
            "capacity": self.env._("Have enough visits that day"),
            "full": self.env._("Have no free time"),
        }

    def _find_nearest(self, days, wish, now):
        """Return the free times nearest to what was wished for, in words.

        :return: list of texts such as "Thu 26 Nov 2026, 10:00 (Ivan)"
        """
        request = days.prepare_request(self._prepare_slot_values())
        wished = to_moment(self.window_start or self.start or self.latest or now)
        earliest = max(to_moment(now), wished - NEAREST_SPAN)
        placements = days.schedule.find(request, earliest, earliest + 2 * NEAREST_SPAN)
        nearest = {}
        for placement in sorted(placements, key=lambda p: (abs(p.start - wished), p)):
            nearest.setdefault(placement.start, placement)
            if len(nearest) == SLOTS:
                break
        names = {measurer.id: measurer.name for measurer in days.measurers}
        return [
            f"{self._format_local(to_datetime(start))} ({names[placement.measurer]})"
            for start, placement in sorted(nearest.items())
        ]
