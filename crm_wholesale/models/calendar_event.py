import logging

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

_logger = logging.getLogger(__name__)

#: What the calendar may not change of a visit's event: it is the visit's face, not its truth.
FACE_FIELDS = frozenset(
    {
        "name",
        "location",
        "description",
        "partner_ids",
        "user_id",
        "allday",
        "active",
        "recurrency",
        "alarm_ids",
    }
)
TIME_FIELDS = frozenset({"start", "stop"})


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    crm_visit_ids = fields.One2many("crm.visit", "event_id", "Visits")
    is_crm_visit = fields.Boolean(
        compute="_compute_is_crm_visit",
        compute_sudo=True,
        help="Readable by colleagues who may not read visits.",
    )

    @api.depends("crm_visit_ids")
    def _compute_is_crm_visit(self):
        for event in self:
            event.is_crm_visit = bool(event.crm_visit_ids)

    def write(self, vals):
        """Let a change of a visit's event reschedule the visit, or refuse it.

        A calendar sync is recognised by the context key ``dont_notify``, which core's Google and
        Outlook syncs set on every write of theirs. It is never refused: what cannot be followed
        is written back and the manager gets a task.

        :raise UserError: when a person changes what only the visit may change, or moves the event
            to where the visit cannot go
        """
        watched = vals.keys() & (FACE_FIELDS | TIME_FIELDS)
        if not watched or self.env.context.get("crm_visit_writes_event"):
            return super().write(vals)
        faces = self.filtered(lambda event: event.sudo().crm_visit_ids)
        if not faces:
            return super().write(vals)
        others = self - faces
        if others:
            super(CalendarEvent, others).write(dict(vals))
        for event in faces:
            event._write_face(dict(vals))
        return True

    def _write_face(self, vals):
        """Write values to the event of a visit; see :meth:`write`."""
        self.ensure_one()
        from_sync = bool(self.env.context.get("dont_notify"))
        changed = {name for name in vals if self._is_changed_by(name, vals[name])}
        if changed & FACE_FIELDS and not from_sync:
            raise UserError(
                self.env._(
                    "This event belongs to visit %(visit)s. Open the visit to change or cancel it.",
                    visit=self.sudo().crm_visit_ids.name,
                )
            )
        rest = {name: vals[name] for name in vals.keys() - FACE_FIELDS - TIME_FIELDS}
        refused = bool(changed & FACE_FIELDS)
        if changed & TIME_FIELDS:
            start = fields.Datetime.to_datetime(vals.get("start")) or self.start
            stop = fields.Datetime.to_datetime(vals.get("stop")) or self.stop
            if from_sync:
                refused = not self._follow_sync(start, stop) or refused
            else:
                self.sudo().crm_visit_ids.with_env(self.env)._reschedule(start, stop)
        result = super().write(rest) if rest else True
        if refused:
            self._write_back()
        return result

    def _is_changed_by(self, name, value):
        field = self._fields[name]
        if field.type in ("one2many", "many2many"):
            return set(self.new({name: value}, origin=self)[name]._origin.ids) != set(
                self[name].ids
            )
        if field.type in ("char", "html", "text"):
            return (value or "") != (self[name] or "")
        return field.convert_to_cache(value, self) != field.convert_to_cache(self[name], self)

    def _follow_sync(self, start, stop):
        """Move the visit to where a calendar sync put its event; return whether it could."""
        visit_sudo = self.sudo().crm_visit_ids  # the sync runs as the calendar's owner
        try:
            with self.env.cr.savepoint():
                visit_sudo._reschedule(start, stop)
        except (UserError, AccessError, IntegrityError) as error:
            _logger.info("Visit %s keeps its time against a calendar sync.", visit_sudo.id)
            visit_sudo._schedule_call(
                fields.Datetime.now(),
                self.env._("Moved in a calendar, but the visit keeps its time"),
                note=str(error),
            )
            return False
        return True

    def _write_back(self):
        """Show in the calendar again what is true of the visit.

        Without ``dont_notify``, so that the sync sends it on to the other calendar.
        """
        visits_sudo = self.sudo().crm_visit_ids
        self.with_context(dont_notify=False).sudo()._write_from_visits(visits_sudo)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_visit(self):
        visits_sudo = self.sudo().crm_visit_ids
        context = self.env.context
        by_software = context.get("crm_visit_writes_event") or context.get("dont_notify")
        if visits_sudo and not by_software:
            raise UserError(
                self.env._(
                    "This event belongs to visit %(visits)s. Cancel the visit instead.",
                    visits=", ".join(visits_sudo.mapped("name")),
                )
            )

    def unlink(self):
        """Make the event of a visit anew after a deletion by a sync."""
        visits_sudo = self.sudo().crm_visit_ids
        result = super().unlink()
        if self.env.context.get("crm_visit_writes_event"):
            return result
        for visit, event in zip(visits_sudo, self._create_for_visits(visits_sudo), strict=True):
            visit.event_id = event
            visit._schedule_call(
                fields.Datetime.now(),
                self.env._("Deleted in a calendar, but the visit still stands"),
            )
        return result

    # Google's and Outlook's syncs delete without their own context key: see google.calendar.sync
    # and microsoft.calendar.sync, which are there whenever one of these two is called.

    def _cancel(self):
        return super(CalendarEvent, self.with_context(dont_notify=True))._cancel()

    def _cancel_microsoft(self):
        return super(CalendarEvent, self.with_context(dont_notify=True))._cancel_microsoft()

    # ------------------------------------------------------------------
    # Written by the visit
    # ------------------------------------------------------------------

    @api.model
    def _create_for_visits(self, visits_sudo):
        """Return the calendar events of booked visits, in their order; nobody is mailed."""
        quiet = self.sudo().with_context(
            crm_visit_writes_event=True,
            no_mail_to_attendees=True,
            skip_contact_description=True,
            mail_create_nolog=True,
            mail_create_nosubscribe=True,
            mail_notrack=True,
        )
        events = quiet.create([self._prepare_visit_values(visit) for visit in visits_sudo])
        return self.browse(events.ids)

    def _write_from_visits(self, visits_sudo):
        """Show time and measurer of visits in their events; nobody is mailed."""
        for visit in visits_sudo.filtered("event_id"):
            visit.event_id.with_context(
                crm_visit_writes_event=True, skip_attendee_notification=True, mail_notrack=True
            ).write(self._prepare_visit_values(visit))

    def _unlink_from_visits(self):
        """Delete the events of cancelled visits."""
        self.with_context(crm_visit_writes_event=True, no_mail_to_attendees=True).unlink()

    @api.model
    def _prepare_visit_values(self, visit):
        """Return the values of a visit's event: its number, its time and the measurer, no more."""
        user = visit.measurer_id.user_id
        return {
            "name": visit.name,
            "active": True,
            "allday": False,
            "recurrency": False,
            "start": visit.start,
            "stop": visit.stop,
            "user_id": user.id,
            "partner_ids": [fields.Command.set(user.partner_id.ids)],
            "alarm_ids": [fields.Command.clear()],
            "location": False,
            "description": False,
        }

    def action_open_crm_visit(self):
        """Open the visit that this event shows."""
        self.ensure_one()
        return self.sudo().crm_visit_ids.with_env(self.env).action_open()
