from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.crm_visit import OCCUPYING_STATES


class CrmVisitPlanLine(models.TransientModel):
    """A visit in the proposal for a day: where it stands, and where it would go."""

    _name = "crm.visit.plan.line"
    _description = "Visit in the Plan of a Day"
    _order = "plan_id, start, id"

    plan_id = fields.Many2one("crm.visit.plan", required=True, ondelete="cascade", index=True)
    visit_id = fields.Many2one("crm.visit", required=True, ondelete="cascade")
    fingerprint = fields.Char(
        required=True, help="What the visit was like when the day was planned."
    )
    is_fixed = fields.Boolean("Under Way or Over")
    is_promised = fields.Boolean(
        "Time Known", help="The customer knows the time of this visit and counts on it."
    )
    is_told = fields.Boolean("Customer Is Told", help="Applying tells the customer of a change.")
    change = fields.Selection(
        [
            ("new", "New"),
            ("time", "Other time"),
            ("measurer", "Other measurer"),
            ("both", "Other measurer and time"),
        ]
    )
    before_measurer_id = fields.Many2one("crm.measurer", "Measurer Now", ondelete="cascade")
    before_start = fields.Datetime("Start Now")
    before_way = fields.Integer("Way Now (min)")
    before_home_way = fields.Integer("Way Home Now (min)", help="After the last visit of the day.")
    measurer_id = fields.Many2one("crm.measurer", ondelete="cascade")
    start = fields.Datetime()
    way = fields.Integer("Way (min)")
    home_way = fields.Integer("Way Home (min)", help="After the last visit of the day.")
    before_time = fields.Char(compute="_compute_times")
    time = fields.Char(compute="_compute_times")

    @api.depends("before_start", "start", "visit_id.tz")
    @api.depends_context("lang")
    def _compute_times(self):
        for line in self:
            line.before_time = line.visit_id._format_local(line.before_start, time_only=True)
            line.time = line.visit_id._format_local(line.start, time_only=True)

    def _check_unchanged(self):
        """Raise when a visit is not as it was when the day was planned.

        :raise UserError: naming the visits
        """
        changed = self.visit_id.filtered(
            lambda visit: (
                visit._get_plan_fingerprint()
                not in self.filtered(lambda line: line.visit_id == visit).mapped("fingerprint")
            )
        )
        if changed:
            raise UserError(
                self.env._(
                    "%(visits)s changed since the day was planned. Plan it again.",
                    visits=", ".join(changed.mapped("name")),
                )
            )

    def _apply(self):
        """Move and book the visits as proposed, and tell the customers who knew another time."""
        values = {line.visit_id: line._prepare_visit_values() for line in self}
        booked = self.visit_id.filtered(lambda visit: visit.state in OCCUPYING_STATES)
        waiting = self.visit_id - booked
        if booked:
            # The plan has judged the places of the day, and a day that is too full may stay so.
            booked.with_context(crm_visit_over_capacity=True)._move(
                {visit: values[visit] for visit in booked}
            )
        for visit in waiting:
            visit.write(values[visit])
        if waiting:
            waiting._schedule()
            waiting.sudo().assignment_reason = self.env._(
                "Placed with the plan of the day, by %(user)s.", user=self.env.user.name
            )
        # Who agreed on another time without an SMS is told as well; the others are already.
        told = self.filtered("is_told").visit_id & booked
        self.env["crm.visit.notice"].sudo()._tell(told, "moved")

    def _prepare_visit_values(self):
        """Return the values of the visit at its place.

        Override to add values; call super first.
        """
        self.ensure_one()
        return {
            "measurer_id": self.measurer_id.id,
            "start": self.start,
            "stop": self.start + self.visit_id._get_plan_length(),
        }
