from collections import defaultdict
from datetime import datetime, time, timedelta
from math import ceil, floor

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from .crm_visit import MOVABLE_STATES

#: The hours shown where nobody works longer, in minutes from midnight.
DEFAULT_SPAN = (8 * 60, 18 * 60)
#: How many unassigned visits stand beside the board at most.
UNASSIGNED_SHOWN = 50


def _get_minutes(begin, moment):
    """Return the whole minutes from one moment to another."""
    return round((moment - begin).total_seconds() / 60)


class CrmVisit(models.Model):
    """The day board: which measurer is where, hour by hour."""

    _inherit = "crm.visit"

    def action_find_slot(self):
        """Open the booking screen to move this visit or to take it out of the queue."""
        self.ensure_one()
        is_draft = self.state == "draft"
        title = self.env._("Find a Slot") if is_draft else self.env._("Move Visit")
        return self.env["crm.visit.booking"]._open(title, default_visit_id=self.id)

    @api.model
    def get_board(self, day=False):
        """Return who is where on one day, as plain data for the web client.

        Times are minutes from midnight on the clock of the company's working hours. A colleague's
        visit that the user may not read is only busy time, time off has no name, and a measurer
        without a sales role sees one row, the own.

        :param str day: an ISO date; without it today
        :return: a dict: ``day``, ``title``, ``city`` of the clock where the reader's differs,
            ``may_plan``, ``hours`` (``minute`` and ``label``), ``rows``, one for each measurer
            with ``visits`` and the spans of ``work``, and ``unassigned``
        :raise AccessError: for a user who sees no visits
        """
        self.check_access("read")
        zone = pytz.timezone(self._default_tz())
        now = pytz.utc.localize(fields.Datetime.now()).astimezone(zone)
        day = fields.Date.to_date(day) or now.date()
        midnight = self._get_board_midnight(day)
        next_midnight = self._get_board_midnight(day + timedelta(days=1))
        may_plan = self.env.user.has_group("sales_team.group_sale_salesman")
        measurers = self.env["crm.measurer"].search(
            Domain("company_id", "in", (False, self.env.company.id))
            & (Domain.TRUE if may_plan else Domain("user_id", "=", self.env.uid))
        )
        begin, end = (
            moment.astimezone(pytz.utc).replace(tzinfo=None) for moment in (midnight, next_midnight)
        )
        days = measurers._load_days(self.env.company, begin, end)
        blocks = self._get_board_blocks(measurers, days, begin, end)
        rows = [
            {
                "id": measurer.id,
                "name": measurer.name,
                "visits": blocks[measurer.id],
                "work": [
                    (_get_minutes(begin, max(first, begin)), _get_minutes(begin, min(last, end)))
                    for first, last in days.get_work(measurer)
                    if first < end and last > begin
                ],
            }
            for measurer in measurers
        ]
        return {
            "day": fields.Date.to_string(day),
            "title": format_date(self.env, day, date_format="EEEE d MMMM y"),
            "city": self._get_clock_city(zone.zone, begin),
            "may_plan": may_plan,
            "hours": self._get_board_hours(rows, midnight),
            "rows": rows,
            "unassigned": self._get_board_unassigned() if may_plan else [],
        }

    def place_on_board(self, day, minute, measurer_id, despite=False):
        """Move this visit to a measurer and a minute of the day, or take it out of the queue.

        :param str day: an ISO date
        :param int minute: from midnight, as :meth:`get_board` counts them
        :param bool despite: whether to do it although the measurer should not go at that time
        :return: why the measurer should not, in words; False when it is done
        :raise UserError: when the visit cannot take place then
        """
        self.ensure_one()
        midnight = self._get_board_midnight(fields.Date.to_date(day))
        start = (midnight + timedelta(minutes=minute)).astimezone(pytz.utc).replace(tzinfo=None)
        bookings = self.env["crm.visit.booking"].with_context(default_visit_id=self.id)
        booking = bookings.create(
            {"measurer_id": measurer_id, "start": start, "over_capacity": despite}
        )
        if booking.conflict and not despite:
            return booking.conflict
        booking._book()
        return False

    def _get_board_midnight(self, day):
        """Return the aware moment at which a day begins on the board's clock."""
        zone = pytz.timezone(self._default_tz())
        return zone.localize(datetime.combine(day, time.min))

    def _get_board_blocks(self, measurers, days, begin, end):
        """Return a dict from measurer id to the blocks of the board between two moments, in order.

        :param days: the measurers' :class:`LoadedDays`
        """
        zone = pytz.timezone(self._default_tz())
        visits_sudo = self.sudo().search(  # of colleagues' visits only the time is told
            [
                ("measurer_id", "in", measurers.ids),
                ("state", "not in", ("draft", "cancelled")),
                ("start", "<", end),
                ("stop", ">", begin),
            ]
        )
        readable = self.browse(visits_sudo.ids)._filtered_access("read")
        blocks = defaultdict(list)
        before_sudo = defaultdict(self.sudo().browse)
        for visit_sudo in visits_sudo:
            measurer_id = visit_sudo.measurer_id.id
            before = before_sudo[measurer_id]
            before_sudo[measurer_id] = visit_sudo
            visit = self.browse(visit_sudo.id)
            blocks[measurer_id].append(
                {
                    "key": visit.id,
                    "start": _get_minutes(begin, visit_sudo.start),
                    "stop": _get_minutes(begin, visit_sudo.stop),
                    "time": self._format_span(zone, visit_sudo.start, visit_sudo.stop),
                    "travel": days.get_travel_minutes(before, visit_sudo) if before else 0,
                    **(visit._prepare_block() if visit in readable else {}),
                }
            )
        return blocks

    @api.model
    def _format_span(self, zone, *moments):
        """Return UTC moments as times of day on the clock of a zone: "10:00–11:00"."""
        return "–".join(f"{pytz.utc.localize(moment).astimezone(zone):%H:%M}" for moment in moments)

    def _prepare_block(self):
        """Return what the board shows of this visit to those who may read it."""
        self.ensure_one()
        return {
            "id": self.id,
            "label": self.contact_name or self.name,
            "place": self.address,
            "state": self.state,
            "state_label": self._get_state_label(),
            "movable": self.may_manage and self.state in ("draft", *MOVABLE_STATES),
        }

    @api.model
    def _get_board_unassigned(self):
        """Return the visits of the queue that the user may read, the oldest first."""
        visits = self.search(
            [("state", "=", "draft"), ("company_id", "=", self.env.company.id)],
            order="urgent desc, id",
            limit=UNASSIGNED_SHOWN,
        )
        return [
            {
                **visit._prepare_block(),
                "key": visit.id,
                "type": visit.type_id.name,
                "minutes": round(visit.duration * 60),
                "urgent": visit.urgent,
            }
            for visit in visits
        ]

    @api.model
    def _get_board_hours(self, rows, midnight):
        """Return the full hours that the board spans, as minutes from midnight with their label."""
        spans = [
            span
            for row in rows
            for span in [
                *row["work"],
                *((visit["start"], visit["stop"]) for visit in row["visits"]),
            ]
        ]
        first = min([DEFAULT_SPAN[0], *(start for start, _stop in spans)])
        last = max([DEFAULT_SPAN[1], *(stop for _start, stop in spans)])
        zone = pytz.timezone(self._default_tz())
        return [
            {
                "minute": minute,
                "label": f"{zone.normalize(midnight + timedelta(minutes=minute)):%H:%M}",
            }
            for minute in range(floor(max(first, 0) / 60) * 60, ceil(last / 60) * 60 + 1, 60)
        ]
