from odoo import api, fields, models

from .crm_visit import MOVABLE_STATES


class CrmVisit(models.Model):
    """The queue: draft visits that wait for a measurer, and booked ones that come back to it."""

    _inherit = "crm.visit"

    earliest = fields.Datetime(
        copy=False, help="The customer cannot be visited before this moment, if there is one."
    )
    latest = fields.Datetime(
        copy=False, help="The visit must be over by this moment, if there is one."
    )
    queue_reason = fields.Text(
        "Waits Because", readonly=True, copy=False, help="Why the visit waits for a measurer."
    )
    assignment_reason = fields.Text(
        "Chosen Because", readonly=True, copy=False, help="Why this measurer and this time."
    )
    former_start = fields.Datetime(
        readonly=True,
        copy=False,
        help="The start, or that of the arrival window, that the visit had before it came back "
        "to the queue: what the customer may have been told.",
    )
    former_measurer_id = fields.Many2one("crm.measurer", readonly=True, copy=False)
    queue_activity_id = fields.Many2one(
        "mail.activity",
        "Call Task of the Queue",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )

    _earliest_before_latest = models.Constraint(
        "CHECK(latest > earliest)", "A visit must be possible for longer than no time."
    )

    @api.model
    def _queue(self, values_list, reason):
        """Put requests that cannot be booked now into the queue.

        There is no event, no notice, and the deal stays in its stage. ``start`` and ``stop``, if
        given, are a wish; ``earliest`` and ``latest`` bound when the customer can be visited.

        :param list values_list: values of new visits
        :param str reason: why they wait, in words
        :return: the draft visits
        :raise UserError: when a telephone number or the address is missing
        """
        visits = self._create_drafts(values_list)
        visits.sudo().queue_reason = reason  # protected from writing by hand
        return visits

    def _release(self, reason):
        """Bring booked visits that cannot take place as planned back to the queue.

        Time and window stay as the wish, the measurer is free. The manager gets one call task for
        each visit; the customer is told when the visit is scheduled anew or cancelled.

        :param str reason: in words
        :raise UserError: for a visit that is under way, over or not booked
        """
        measurers = {visit: visit.measurer_id for visit in self.sudo()}
        self._set_state("draft", MOVABLE_STATES, queue_reason=reason, assignment_reason=False)
        for visit in self.sudo():
            visit.write(
                {
                    "revision": visit.revision + 1,
                    "former_start": visit.window_start or visit.start,
                    "former_measurer_id": visit.measurer_id.id,
                    "measurer_id": False,
                }
            )
        self.env["crm.visit.notice"].sudo()._supersede(self)
        self.sudo().event_id._unlink_from_visits()
        self._get_measurer_tasks().unlink()
        self._tell_measurers("released", measurers)
        self.sudo().queue_activity_id.unlink()
        for visit in self.sudo():
            visit.queue_activity_id = visit._schedule_call(
                fields.Datetime.now(),
                self.env._("%(visit)s needs another measurer or time", visit=visit.name),
                note=reason,
            )

    def _filter_changed_since_release(self):
        """Return the visits that stood in the queue and got another time or measurer there."""
        return self.filtered(
            lambda visit: (
                visit.former_start
                and (
                    visit.former_start != (visit.window_start or visit.start)
                    or visit.former_measurer_id != visit.measurer_id
                )
            )
        )

    def _restore_former_start(self):
        """Give visits that came back to the queue the time again that their customers know."""
        for visit in self.sudo().filtered("former_start"):
            length = visit.stop - visit.start
            visit.write({"start": visit.former_start, "stop": visit.former_start + length})

    def _leave_queue(self):
        """Forget why visits waited; a call task about an unchanged time goes too."""
        visits_sudo = self.sudo()
        visits_sudo.filtered(
            lambda visit: visit.former_start == (visit.window_start or visit.start)
        ).queue_activity_id.unlink()
        visits_sudo.write(
            {
                "queue_reason": False,
                "former_start": False,
                "former_measurer_id": False,
            }
        )
