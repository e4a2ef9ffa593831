from itertools import groupby

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import frozendict


class MailActivity(models.Model):
    _inherit = "mail.activity"
    _order = "date_deadline ASC, due_at ASC, id ASC"

    due_at = fields.Datetime(
        index="btree_not_null",
        help="The minute at which the activity is due. Empty: some time that day.",
    )
    date_deadline = fields.Date(compute="_compute_date_deadline", store=True, readonly=False)
    notice_id = fields.Many2one(
        "crm.visit.notice",
        "Customer Notice",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="The notice that this activity shows. Such an activity is nobody's next step.",
    )

    @api.depends("due_at", "user_tz")
    def _compute_date_deadline(self):
        """Keep the deadline of a timed activity on the day of its minute."""
        for activity in self:
            if activity.due_at:
                activity.date_deadline = activity.user_id._get_local_day(activity.due_at)
            else:
                activity.date_deadline = activity.date_deadline or fields.Date.context_today(self)

    @api.depends("due_at")
    def _compute_state(self):
        """Make an open activity overdue from its minute on."""
        super()._compute_state()
        now = fields.Datetime.now()
        for activity in self:
            if activity.active and activity.due_at and activity.due_at <= now:
                activity.state = "overdue"

    @api.onchange("date_deadline")
    def _onchange_date_deadline(self):
        if self.due_at and self.date_deadline:
            self.due_at = self.user_id._move_to_day(self.due_at, self.date_deadline)

    @api.model_create_multi
    def create(self, vals_list):
        defaults = self.default_get(["due_at", "user_id"])
        vals_list = [
            {**vals, **self._prepare_timing_values({**defaults, **vals})} for vals in vals_list
        ]
        activities = self.browse()
        # Runs, not groups: the activities come back in the order of their values.
        runs = groupby(vals_list, key=lambda vals: bool(vals.get("notice_id")))  # pylint: disable=bad-builtin-groupby
        for is_face, run in runs:
            activities += super(MailActivity, self._with_counting(not is_face)).create(list(run))
        return activities

    def write(self, vals):
        if not vals.keys() & {"active", "date_deadline", "due_at", "user_id"}:
            return super().write(vals)
        # sudo: telling how to write must not ask for more than the right to write
        for (timing, is_face), activities in self.grouped(
            lambda activity: (
                frozendict(activity.sudo()._prepare_timing_values(vals)),
                bool(activity.sudo().notice_id),
            )
        ).items():
            counted = activities._with_counting(not is_face)
            super(MailActivity, counted).write({**vals, **timing})
        return True

    def unlink(self):
        # sudo: telling how to delete must not ask for more than the right to delete
        for is_face, activities in self.grouped(
            lambda activity: bool(activity.sudo().notice_id)
        ).items():
            super(MailActivity, activities._with_counting(not is_face)).unlink()
        return True

    @api.model
    def _search(self, domain, *args, **kwargs):
        if self.env.context.get("crm_wholesale_next_steps"):
            domain = Domain(domain) & Domain("notice_id", "=", False)
        return super()._search(domain, *args, **kwargs)

    def _to_store_defaults(self, target):
        return [*super()._to_store_defaults(target), "due_at"]

    def _prepare_timing_values(self, vals):
        """Return how ``due_at`` and ``date_deadline`` are to be written along with ``vals``.

        The minute wins over the day. A day that comes alone takes the minute along, at the
        same wall time in the assignee's zone.

        :return: a dict of both fields, or an empty one when ``vals`` needs nothing more.
        """
        user = self.env["res.users"].browse(vals["user_id"]) if "user_id" in vals else self.user_id
        due_at = fields.Datetime.to_datetime(vals.get("due_at", self.due_at))
        if not due_at or not vals.keys() & {"date_deadline", "due_at"}:
            return {}
        if "due_at" not in vals and vals["date_deadline"]:
            due_at = user._move_to_day(due_at, fields.Date.to_date(vals["date_deadline"]))
        return {"due_at": due_at, "date_deadline": user._get_local_day(due_at)}

    def _with_counting(self, counted):
        """Return these activities, with their systray counters kept still unless ``counted``."""
        return self if counted else self.with_context(crm_wholesale_uncounted=True)
