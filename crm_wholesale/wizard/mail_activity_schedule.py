from odoo import api, fields, models


class MailActivitySchedule(models.TransientModel):
    _inherit = "mail.activity.schedule"

    due_at = fields.Datetime(
        help="The minute at which the activity is due. Empty: some time that day."
    )

    def _compute_date_deadline(self):
        """Let a minute that was already chosen win over the type's default delay."""
        super()._compute_date_deadline()
        for scheduler in self:
            scheduler._onchange_due_at()

    @api.onchange("due_at", "activity_user_id")
    def _onchange_due_at(self):
        if self.due_at:
            self.date_deadline = self.activity_user_id._get_local_day(self.due_at)

    @api.onchange("date_deadline")
    def _onchange_date_deadline(self):
        if self.due_at and self.date_deadline:
            self.due_at = self.activity_user_id._move_to_day(self.due_at, self.date_deadline)

    def _action_schedule_activities(self):
        activities = super()._action_schedule_activities()
        if self.due_at:
            activities.due_at = self.due_at
        return activities
