from odoo import fields, models

OPEN_STATES = ("draft", "scheduled", "confirmed", "en_route", "in_progress")
#: States in which a visit takes its measurer's time.
OCCUPYING_STATES = ("scheduled", "confirmed", "en_route", "in_progress")


class CrmVisit(models.Model):
    """A measurer's visit to a customer's site."""

    _name = "crm.visit"
    _description = "Visit"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "start, id"

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    lead_id = fields.Many2one("crm.lead", "Deal", index=True, ondelete="set null")
    partner_id = fields.Many2one("res.partner", "Customer", index=True, ondelete="set null")
    user_id = fields.Many2one("res.users", "Manager", index=True)
    type_id = fields.Many2one("crm.visit.type", "Type", required=True, ondelete="restrict")
    measurer_id = fields.Many2one("crm.measurer", index=True, ondelete="restrict")
    start = fields.Datetime(index=True, tracking=True)
    stop = fields.Datetime()
    tz = fields.Char("Site Time Zone", required=True, default="UTC")
    state = fields.Selection(
        [
            ("draft", "Unassigned"),
            ("scheduled", "Scheduled"),
            ("confirmed", "Confirmed"),
            ("en_route", "On the Way"),
            ("in_progress", "In Progress"),
            ("done", "Done"),
            ("no_show", "No-Show"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="draft",
        index=True,
        tracking=True,
    )
    revision = fields.Integer(default=0, readonly=True, copy=False)
    contact_name = fields.Char()
    phone = fields.Char()
    notice_ids = fields.One2many("crm.visit.notice", "visit_id")
