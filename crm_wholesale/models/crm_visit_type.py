from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmVisitType(models.Model):
    """What a visit is for, how long it takes and when the customer is reminded."""

    _name = "crm.visit.type"
    _description = "Visit Type"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True)
    duration = fields.Float(
        required=True, default=1.0, help="How long such a visit takes, in hours."
    )
    skill_ids = fields.Many2many(
        "crm.visit.skill", string="Skills", help="Only measurers with all of these skills go."
    )
    notice_hours = fields.Float(
        "Notice (hours)",
        default=2.0,
        help="A visit is offered at the earliest so many hours from now.",
    )
    horizon_days = fields.Integer(
        "Bookable (days)", default=60, help="A visit is offered at most so many days ahead."
    )
    reminder_minutes = fields.Char(
        "Remind Before (minutes)",
        required=True,
        default="120",
        help="Minutes before the visit at which the customer is reminded; "
        "several are separated by commas. 120 is two hours.",
    )

    callback_days = fields.Integer(
        default=2,
        help="Days after the visit at which the manager calls the customer back, "
        "at the very minute at which the visit was done.",
    )
    range_ids = fields.One2many(
        "crm.visit.range",
        "type_id",
        "Usual Sizes",
        copy=True,
        help="Sizes outside are questioned when they are entered.",
    )

    _duration_positive = models.Constraint(
        "CHECK(duration > 0)", "A visit lasts longer than nothing: enter its duration."
    )
    _notice_not_negative = models.Constraint(
        "CHECK(notice_hours >= 0)", "The notice cannot be less than nothing."
    )
    _horizon_positive = models.Constraint(
        "CHECK(horizon_days > 0)", "Visits must be bookable at least one day ahead."
    )
    _callback_not_negative = models.Constraint(
        "CHECK(callback_days >= 0)", "The call cannot be before the visit."
    )

    @api.constrains("reminder_minutes")
    def _check_reminder_minutes(self):
        for visit_type in self:
            try:
                minutes = visit_type._get_reminder_minutes()
            except ValueError:
                minutes = [0]
            if any(value <= 0 for value in minutes):
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is no list of minutes. Write, for example, 120 or 1440, 120.",
                        text=visit_type.reminder_minutes,
                    )
                )

    def _get_reminder_minutes(self):
        """Return the lead times of the reminders in minutes, each once, the longest first.

        :raise ValueError: when the text is not a list of whole numbers
        """
        self.ensure_one()
        parts = (self.reminder_minutes or "").split(",")
        return sorted({int(part) for part in parts if part.strip()}, reverse=True)
