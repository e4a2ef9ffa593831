from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: The one reason that does not count against the customer.
MEASURER_ABSENT = "measurer_absent"
#: States of a visit to which our measurer may turn out not to have come.
ABSENT_FROM_STATES = ("scheduled", "confirmed", "en_route")


class CrmVisit(models.Model):
    """Visits that came to nothing, on either side, and visits that repeat another one."""

    _inherit = "crm.visit"

    no_show_reason = fields.Selection(
        [
            ("not_home", "Nobody was at home"),
            ("no_access", "There was no access to the site"),
            ("sent_away", "The customer sent the measurer away"),
            (MEASURER_ABSENT, "Our measurer did not come"),
        ],
        "Came to Nothing Because",
        copy=False,
        tracking=True,
        help="What the measurer found; the manager corrects it after the call.",
    )
    no_show_at = fields.Datetime("Came to Nothing At", readonly=True, copy=False)
    is_due = fields.Boolean(
        compute="_compute_is_due", help="Whether nobody has arrived though the visit has begun."
    )
    customer_no_show_count = fields.Integer(
        "Customer's No-Shows",
        compute="_compute_customer_no_show_count",
        compute_sudo=True,
        groups="sales_team.group_sale_salesman",
        help="How many visits to this telephone number met nobody.",
    )
    repeat_of_id = fields.Many2one(
        "crm.visit",
        "Repeats",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    repeat_ids = fields.One2many("crm.visit", "repeat_of_id", "Repeated By")

    _no_show_reason_of_no_show = models.Constraint(
        "CHECK(no_show_reason IS NULL OR state = 'no_show')",
        "Only a visit that came to nothing has a reason for it.",
    )

    @api.depends("start", "state")
    def _compute_is_due(self):
        now = fields.Datetime.now()
        for visit in self:
            begun = visit.start and visit.start <= now
            visit.is_due = begun and visit.state in ABSENT_FROM_STATES

    @api.depends("phone", "state", "no_show_reason")
    def _compute_customer_no_show_count(self):
        counts = dict(
            self._read_group(
                [
                    ("phone", "in", list(filter(None, self.mapped("phone")))),
                    ("state", "=", "no_show"),
                    ("no_show_reason", "!=", MEASURER_ABSENT),
                ],
                ["phone"],
                ["__count"],
            )
        )
        for visit in self:
            visit.customer_no_show_count = counts.get(visit.phone, 0)

    def action_no_show(self):
        """Record that nobody was met at the site; the manager gets a call task, due now."""
        self._mark_no_show("not_home")

    def action_measurer_absent(self):
        """Record that our measurer did not come; the manager gets a call task, due now.

        :raise UserError: before the visit was to begin, or after it
        """
        if early := self.filtered(lambda visit: not visit.is_due):
            raise UserError(
                self.env._(
                    "%(visit)s has not begun yet, or is over.",
                    visit=", ".join(early.mapped("name")),
                )
            )
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            raise AccessError(self.env._("Ask the manager of the visit to record this."))
        self._mark_no_show(MEASURER_ABSENT)

    def _mark_no_show(self, reason):
        """Record that the visits came to nothing, now; their managers get a call task, due now.

        :param str reason: a value of ``no_show_reason``
        :raise UserError: for a customer's no-show of a visit to which nobody has set out
        """
        sources = ("en_route", "in_progress")
        if reason == MEASURER_ABSENT:
            sources = ABSENT_FROM_STATES
        now = fields.Datetime.now()
        self._set_state("no_show", sources, no_show_reason=reason, no_show_at=now)
        label = dict(self._fields["no_show_reason"]._description_selection(self.env))[reason]
        self._settle(label)
        for visit in self:
            visit._schedule_call(
                now,
                self.env._(
                    "%(visit)s came to nothing: call and agree on another visit", visit=visit.name
                ),
                note=label,
            )

    def action_repeat(self):
        """Put another visit to the same site into the queue, linked to this one, and open it.

        :raise UserError: for a visit that is still open: that one can be moved
        """
        self.ensure_one()
        if self.state not in ("done", "no_show", "cancelled"):
            raise UserError(
                self.env._("%(visit)s is still open. Move it instead.", visit=self.name)
            )
        reason = self.env._("Repeats %(visit)s", visit=self.name)
        return self._queue([self._prepare_repeat_values()], reason).action_open()

    def _repeat_weekly(self, times):
        """Book this visit again in each of the next weeks, at the same wall time of the site.

        A week in which that is not possible is put into the queue with the reason.

        :param int times: how many weeks
        :return: the new visits
        :raise UserError: for a visit that has no time or no measurer
        """
        self.ensure_one()
        if not self.start or not self.measurer_id:
            raise UserError(
                self.env._("%(visit)s has no measurer or no time to repeat.", visit=self.name)
            )
        visits = self.browse()
        for week in range(1, times + 1):
            start = self._add_days(self.start, 7 * week)
            values = {
                **self._prepare_repeat_values(),
                "measurer_id": self.measurer_id.id,
                "start": start,
                "stop": start + (self.stop - self.start),
            }
            try:
                with self.env.cr.savepoint():
                    visits |= self._book([values])
            except UserError as error:
                visits |= self._queue([{**values, "measurer_id": False}], str(error))
        return visits

    def _prepare_repeat_values(self):
        """Return the values of another visit to this one's site.

        Override to add values; call super first.
        """
        self.ensure_one()
        (values,) = self.copy_data()
        return {**values, "repeat_of_id": self.id}
