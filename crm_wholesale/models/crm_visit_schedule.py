from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from .crm_visit import ADDRESS_FIELDS, MOVABLE_STATES, OCCUPYING_STATES, OPEN_STATES

TIME_FIELDS = frozenset({"start", "stop", "window_start", "window_stop", "measurer_id"})


class CrmVisit(models.Model):
    """How visits are booked, moved and cancelled, each with all that follows."""

    _inherit = "crm.visit"

    def write(self, vals):
        self._check_may_write(vals)
        moved = self.filtered(lambda visit: visit._is_revised_by(vals))
        super(CrmVisit, self - moved).write(vals)
        if moved:
            moved._revise(dict.fromkeys(moved, vals))
        if "user_id" in vals:
            self._hand_over_tasks()
        if "phone" in vals:
            self.env["crm.visit.notice"].sudo()._make_faces_anew(self)
        return True

    def action_cancel(self):
        """Ask for the reason and cancel."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Visit"),
            "res_model": "crm.visit.cancel",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_visit_id": self.id},
        }

    @api.model
    def _book(self, values_list):
        """Book visits: event, measurer's task, customer's notices and the deal's stage with them.

        Everything or nothing. ``start`` is UTC; ``stop`` defaults to the type's duration.

        :param list values_list: values of new visits, with measurer and start
        :return: the scheduled visits
        :raise UserError: when a visit cannot take place, in words that the user can act on
        """
        visits = self._create_drafts(values_list)
        visits._schedule()
        return visits

    @api.model
    def _create_drafts(self, values_list):
        """Return draft visits with these values, completed from deal, customer and type.

        :raise UserError: when nobody could be told or the measurer would not find the place
        """
        lead_ids = {values["lead_id"] for values in values_list if values.get("lead_id")}
        self.env["crm.lead"].browse(lead_ids).mapped("name")  # reads all deals at once
        vals_list = [self._prepare_booking_values(values) for values in values_list]
        visits = self.with_context(mail_create_nolog=True).create(vals_list)
        visits = visits.with_context(mail_create_nolog=False)
        visits.sudo().lead_id.with_env(self.env).check_access("write")
        visits._check_contact()
        return visits

    def _schedule(self):
        """Book draft visits that have measurer, start and stop, with all that follows.

        Everything or nothing. A customer who was told another time or measurer, before the visit
        came back to the queue, is told that it was moved. The number of queries grows slowly with
        the number of visits: give many at once.

        :raise UserError: when a visit is no draft or cannot take place, in words that the user
            can act on
        """
        self.check_access("write")
        self._check_may_schedule()
        self._check_slots()
        visits_sudo = self.sudo()  # state and event are written by the business methods only
        visits_sudo.filtered(lambda visit: not visit._is_within_window(visit.start)).write(
            {"window_start": False, "window_stop": False}
        )
        notices_sudo = self.env["crm.visit.notice"].sudo()
        told = notices_sudo._filter_told(visits_sudo._filter_changed_since_release())
        visits_sudo._write_scheduled()
        visits_sudo._leave_queue()
        visits_sudo.lead_id._advance_to("measurement")
        notices_sudo._plan_reminders(visits_sudo)
        notices_sudo._tell(told, "moved")
        visits_sudo._tell_measurers("new")

    def _check_may_schedule(self):
        """Raise unless these are drafts that say when they take place.

        :raise UserError:
        """
        for visit in self:
            if visit.state != "draft":
                raise UserError(
                    self.env._(
                        "%(visit)s is %(state)s: this step is not possible now.",
                        visit=visit.name,
                        state=visit._get_state_label().lower(),
                    )
                )
            if not visit.start or not visit.stop:
                raise UserError(self.env._("Choose when the visit starts."))

    def _prepare_booking_values(self, values):
        """Return the values of a new visit, completed from its deal, customer and type.

        :raise UserError: when it would end before it starts
        """
        lead = self.env["crm.lead"].browse(values.get("lead_id"))
        partner = self.env["res.partner"].browse(values.get("partner_id")) or lead.partner_id
        result = {**self._prepare_site_values(lead, partner), **values}
        result["phone"] = self._format_phone(result.get("phone"), result.get("country_id"))
        if not result.get("type_id"):
            result["type_id"] = self.default_get(["type_id"]).get("type_id")
        start = fields.Datetime.to_datetime(result.get("start"))
        if not start:
            return result
        if not result.get("stop"):
            visit_type = self.env["crm.visit.type"].browse(result["type_id"])
            result["stop"] = start + timedelta(hours=visit_type.duration)
        if fields.Datetime.to_datetime(result["stop"]) <= start:
            raise UserError(self.env._("A visit must end after it starts."))
        return result

    # ------------------------------------------------------------------
    # Wall time
    # ------------------------------------------------------------------

    @api.model
    def _get_local_choices(self, wall, tz):
        """Return the moments at which the clock of a zone shows this time.

        :param datetime wall: naive, what the clock shows
        :param str tz: name of the zone
        :return: list of naive UTC datetimes in order: one, two when the clock is put back over
            this time, or none when it is put forward over it
        """
        zone = pytz.timezone(tz)
        moments = {
            zone.localize(wall, is_dst=is_dst).astimezone(pytz.utc) for is_dst in (True, False)
        }
        return sorted(
            moment.replace(tzinfo=None)
            for moment in moments
            if moment.astimezone(zone).replace(tzinfo=None) == wall
        )

    def _add_days(self, moment, days):
        """Return a UTC moment some days later at the same wall time of the site.

        Where the clock skips that time it is moved forward by as much; where the clock strikes
        it twice, the first one is meant.
        """
        self.ensure_one()
        zone = pytz.timezone(self.tz)
        wall = pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)
        wall += timedelta(days=days)
        for later in self._get_local_choices(wall, self.tz):
            return later
        return zone.localize(wall, is_dst=False).astimezone(pytz.utc).replace(tzinfo=None)

    def _write_scheduled(self):
        """Make draft visits scheduled, with calendar event and measurer's task."""
        events = self.env["calendar.event"]._create_for_visits(self)
        for visit, event in zip(self, events, strict=True):
            visit.write({"state": "scheduled", "event_id": event.id})
        self._schedule_measurer_tasks()

    def _is_revised_by(self, vals):
        """Return whether these values change what the customer of a booked visit was told."""
        self.ensure_one()
        if self.state not in OCCUPYING_STATES:
            return False
        for name in vals.keys() & (TIME_FIELDS | ADDRESS_FIELDS):
            to_cache = self._fields[name].convert_to_cache
            if to_cache(vals[name], self) != to_cache(self[name], self):
                return True
        return False

    def _revise(self, vals_by_visit):
        """Write changes of time, measurer or address of booked visits, with all that follows.

        The revision rises, pending notices are superseded and planned anew, event and measurer's
        task follow. The customer is told only when something that was told is not true any more:
        a start that moves within the arrival window is nobody's news.

        :param dict vals_by_visit: the values of each of these visits
        :raise UserError: when a visit is under way or over, or cannot take place as asked
        """
        timed = self.filtered(lambda visit: vals_by_visit[visit].keys() & TIME_FIELDS)
        if late := timed.filtered(lambda visit: visit.state not in MOVABLE_STATES):
            raise UserError(
                self.env._(
                    "%(visits)s is under way and can no longer be moved.",
                    visits=", ".join(late.mapped("name")),
                )
            )
        notices_sudo = self.env["crm.visit.notice"].sudo()
        told = notices_sudo._filter_told(self)
        promises = {visit: visit._get_promise() for visit in self}
        measurers = {visit: visit.measurer_id for visit in self}
        held_days = {visit: visit._get_measurer_day() for visit in timed}
        self._defer_overlap_guard()
        for visit in self:
            values = visit._prepare_revised_values(vals_by_visit[visit])
            super(CrmVisit, visit.sudo()).write(values)  # revision and state are protected
        broken = self.filtered(lambda visit: visit._get_promise() != promises[visit])
        if timed:
            (timed & broken).filtered(lambda visit: visit.state == "confirmed")._set_state(
                "scheduled", ("confirmed",)
            )
            timed._check_slots(held_days)
        self._apply_overlap_guard()
        timed.sudo().event_id._write_from_visits(timed)
        timed._get_measurer_tasks().unlink()
        timed._schedule_measurer_tasks()
        timed._tell_measurers("moved", measurers)
        (self - timed)._tell_measurers("address")
        (self - timed)._ask_about_new_place()
        notices_sudo._supersede(self)
        notices_sudo._plan_reminders(self)
        notices_sudo._tell(told & broken, "moved")

    def _prepare_revised_values(self, vals):
        """Return what changes with these values of a booked visit.

        The visit keeps its length; an arrival window that does not hold the new start any more
        goes, as do the coordinates of another address.
        """
        self.ensure_one()
        values = {**vals, "revision": self.revision + 1}
        if "start" in vals:
            start = fields.Datetime.to_datetime(vals["start"])
            values.setdefault("stop", start + (self.stop - self.start))
            if not self._is_within_window(start):
                values.setdefault("window_start", False)
                values.setdefault("window_stop", False)
        if vals.keys() & ADDRESS_FIELDS:
            values.setdefault("latitude", 0.0)
            values.setdefault("longitude", 0.0)
        return values

    def _is_within_window(self, start):
        """Return whether the arrival window, where there is one, holds a start."""
        self.ensure_one()
        if not self.window_start or not self.window_stop:
            return True
        return self.window_start <= start <= self.window_stop

    def _get_promise(self):
        """Return what the customer is told of the visit: from when to when, who comes, where."""
        self.ensure_one()
        return self.window_start or self.start, self.window_stop, self.measurer_id, self.address

    def _reschedule(self, start, stop=None, measurer=None):
        """Move one visit to another time or measurer; see :meth:`_revise`.

        :param datetime start: in UTC
        :param datetime stop: in UTC; without it the visit keeps its length
        :raise UserError: when the visit is not booked, or cannot take place as asked
        """
        self.ensure_one()
        vals = {"start": start}
        if stop:
            vals["stop"] = stop
        if measurer:
            vals["measurer_id"] = measurer.id
        self._move({self: vals})

    def _move(self, vals_by_visit):
        """Move booked visits at once, each to a time and measurer of its own.

        They may take each other's places: what counts is where all stand in the end.

        :param dict vals_by_visit: new ``start``, ``stop``, ``window_start``, ``window_stop`` or
            ``measurer_id`` of each of these visits, times in UTC
        :raise UserError: when a visit is not booked, or cannot take place as asked
        """
        self.check_access("write")
        for visit in self:
            visit._check_may_write(vals_by_visit[visit])
            if visit.state not in OCCUPYING_STATES:
                raise UserError(
                    self.env._(
                        "%(visit)s is %(state)s and cannot be moved.",
                        visit=visit.name,
                        state=visit._get_state_label().lower(),
                    )
                )
        moved = self.filtered(lambda visit: visit._is_revised_by(vals_by_visit[visit]))
        if moved:
            moved._revise(vals_by_visit)

    def action_swap_measurers(self):
        """Let the measurers of two visits go to each other's customer, at the customer's time.

        :raise UserError: unless these are two booked visits of two measurers
        """
        if len(self) != 2 or len(self.measurer_id) != 2:
            raise UserError(self.env._("Choose two booked visits of two measurers."))
        one, other = self
        self._move(
            {
                one: {"measurer_id": other.measurer_id.id},
                other: {"measurer_id": one.measurer_id.id},
            }
        )

    def _cancel(self, reason):
        """Cancel open visits: the event goes, the visit and its ledger stay.

        The customer is told only when the visit had been told.

        :param str reason: in words
        :raise UserError: for a visit that is over
        """
        notices_sudo = self.env["crm.visit.notice"].sudo()
        told = notices_sudo._filter_told(self)
        self._restore_former_start()
        self._set_state("cancelled", OPEN_STATES, cancel_reason=reason)
        for visit in self.sudo():
            visit.revision += 1
        notices_sudo._supersede(self)
        notices_sudo._tell(told, "cancelled")
        self.sudo().event_id._unlink_from_visits()
        self._get_measurer_tasks().unlink()
        self.sudo().queue_activity_id.unlink()
        self._tell_measurers("cancelled")
