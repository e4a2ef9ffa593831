from collections import defaultdict
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models

from ..tools.intervals import covers, merge, overlaps
from ..tools.walltime import WallDays, to_moment
from .crm_visit import MOVABLE_STATES, OCCUPYING_STATES


class CrmVisit(models.Model):
    """What a later change breaks: a day off, other working hours, a measurer who left, a visit
    that takes longer.

    A broken visit goes back to the queue with its reason. Only what the change itself broke is
    touched: a visit that was booked by hand outside the working hours stays where it is, and what
    is over stays as it was.
    """

    _inherit = "crm.visit"

    def write(self, vals):
        """Send visits back to the queue that cannot be reached after one that takes longer."""
        if vals.get("stop"):
            self._check_may_write(vals)
            for visit in self:
                visit._make_room(vals)
        return super().write(vals)

    def _make_room(self, vals):
        """Release the next visits of the measurer that these values put out of reach.

        Only a visit that is made longer at its place pushes others aside; one that is moved has
        to find a free place. What could not be reached in time before stays as it was booked.
        """
        self.ensure_one()
        stop = fields.Datetime.to_datetime(vals["stop"])
        start = fields.Datetime.to_datetime(vals.get("start")) or self.start
        if (
            self.state not in MOVABLE_STATES
            or stop <= self.stop
            or start != self.start
            or vals.get("measurer_id", self.measurer_id.id) != self.measurer_id.id
        ):
            return
        measurer_sudo = self.measurer_id.sudo()
        days = measurer_sudo._load_days(self.company_id, self.start, stop + timedelta(days=1))
        before, after = to_moment(self.stop), to_moment(stop)
        lost = days.schedule.find_out_of_reach(measurer_sudo.id, self.id, before, after)
        lost_sudo = self.sudo().browse(lost).filtered(lambda v: v.state in MOVABLE_STATES)
        lost_sudo._reopen(
            self.env._("%(visit)s takes longer: no time is left to get here.", visit=self.name)
        )

    @api.model
    @contextmanager
    def _reopening_broken(self, measurers):
        """Send back to the queue the visits of these measurers that the block makes impossible.

        Visits that have begun, or whose time has come, stay; their managers get a task. A block
        inside another one leaves the work to the outer one, which sees the change as a whole.
        """
        if self.env.context.get("crm_visit_watched"):
            yield
            return
        visits_sudo = self.sudo().search(  # whoever enters a day off need not read visits
            [
                ("measurer_id", "in", measurers.ids),
                ("state", "in", OCCUPYING_STATES),
                ("stop", ">", fields.Datetime.now()),
            ]
        )
        before = visits_sudo._find_obstacles()
        yield
        visits_by_obstacle = defaultdict(visits_sudo.browse)
        for visit, obstacles in visits_sudo._find_obstacles().items():
            if new := obstacles - before[visit]:
                visits_by_obstacle[min(new)] |= visit
        for obstacle, visits in visits_by_obstacle.items():
            visits._reopen(self._get_obstacle_words()[obstacle])

    @api.model
    def _get_obstacle_words(self):
        """Return in words what keeps a measurer from a visit, by code."""
        return {
            "gone": self.env._("The measurer does not go to customers any more."),
            "hours": self.env._("The measurer does not work at that time any more."),
            "leave": self.env._("The measurer is off at that time."),
        }

    def _find_obstacles(self):
        """Return what keeps the measurers from these visits, as a set of codes for each visit.

        The number of queries grows with the number of companies only.
        """
        obstacles = {visit: set() for visit in self}
        for company, visits in self.grouped("company_id").items():
            measurers = visits.measurer_id
            first, last = min(visits.mapped("start")), max(visits.mapped("stop"))
            span = to_moment(first), to_moment(last)
            zones = {name: WallDays(name, *span) for name in set(measurers.mapped("tz"))}
            gone = measurers._load_refusals(company)
            hours = measurers._load_hours(company, {m: zones[m.tz] for m in measurers})
            leaves = {key: merge(days) for key, days in measurers._load_leaves(*span).items()}
            for visit in visits:
                key = visit.measurer_id.id
                time = to_moment(visit.start), to_moment(visit.stop)
                if key in gone:
                    obstacles[visit].add("gone")
                if overlaps(leaves[key], *time):
                    obstacles[visit].add("leave")
                if not covers(hours[key], *time):
                    obstacles[visit].add("hours")
        return obstacles

    def _reopen(self, reason):
        """Send broken visits back to the queue; of those that have begun, tell the managers.

        :param str reason: in words
        """
        now = fields.Datetime.now()
        movable = self.filtered(lambda visit: visit.state in MOVABLE_STATES and visit.start > now)
        if movable:
            movable._release(reason)
            self.env.ref("crm_wholesale.ir_cron_distribute_visits").sudo()._trigger()
        for visit in self - movable:
            visit._schedule_call(
                now,
                self.env._("%(visit)s has begun and cannot go on", visit=visit.name),
                note=reason,
            )
