from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmMeasurer(models.Model):
    """A specialist who surveys the customer's site before the firm quotes."""

    _name = "crm.measurer"
    _description = "Measurer"
    _inherit = ["resource.mixin", "mail.thread"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(related="resource_id.name", store=True, readonly=False, required=True)
    active = fields.Boolean(related="resource_id.active", store=True, readonly=False, default=True)
    user_id = fields.Many2one(
        "res.users",
        related="resource_id.user_id",
        store=True,
        readonly=False,
        index=True,
        domain="[('share', '=', False)]",
        help="The login with which this measurer sees and works through the visits.",
    )
    phone = fields.Char(related="user_id.phone", string="Telephone")
    skill_ids = fields.Many2many("crm.visit.skill", string="Skills")
    zone_ids = fields.Many2many("crm.visit.zone", string="Zones")
    visits_per_day = fields.Integer(
        default=6, help="How many visits this measurer can make in a day at most."
    )
    visits_per_half_day = fields.Integer(
        help="How many visits this measurer can make before noon, and after it, at most; "
        "0 where only the whole day counts."
    )
    urgent_reserve = fields.Integer(
        "Kept for Urgent Ones", help="How many visits of a day are kept free for urgent ones."
    )
    start_address_id = fields.Many2one(
        "res.partner", "Starts From", help="Where this measurer's working day begins and ends."
    )
    latitude = fields.Float(
        "Latitude",
        related="start_address_id.partner_latitude",
        readonly=False,
        groups="sales_team.group_sale_salesman",
    )
    longitude = fields.Float(
        "Longitude",
        related="start_address_id.partner_longitude",
        readonly=False,
        groups="sales_team.group_sale_salesman",
    )
    booking_counter = fields.Integer(
        readonly=True,
        copy=False,
        help="Rises with each booking, so that of two at the same moment one is repeated.",
    )
    visit_ids = fields.One2many("crm.visit", "measurer_id", "Visits")
    open_visit_count = fields.Integer(compute="_compute_open_visit_count")

    _user_unique = models.UniqueIndex(
        "(user_id, company_id) WHERE user_id IS NOT NULL",
        "This user is a measurer of this company already.",
    )
    _visits_per_day_positive = models.Constraint(
        "CHECK(visits_per_day > 0)", "A measurer makes at least one visit a day."
    )

    _capacity_sensible = models.Constraint(
        "CHECK(visits_per_half_day >= 0 AND urgent_reserve >= 0 "
        "AND urgent_reserve <= visits_per_day)",
        "The places kept free for urgent visits are some of the visits per day.",
    )

    @api.depends("visit_ids.state")
    def _compute_open_visit_count(self):
        open_visits = self.env["crm.visit"]._read_group(
            [("measurer_id", "in", self.ids), ("state", "in", ("scheduled", "confirmed"))],
            ["measurer_id"],
            ["__count"],
        )
        counts = {measurer.id: count for measurer, count in open_visits}
        for measurer in self:
            measurer.open_visit_count = counts.get(measurer.id, 0)

    # A head of sales keeps measurers without being an administrator; the resource behind one,
    # which core leaves to administrators, is therefore written with sudo after our own check.

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        measurers = super(CrmMeasurer, self.sudo()).create(vals_list).with_env(self.env)
        measurers.check_access("create")
        return measurers

    def write(self, vals):
        self.check_access("write")
        result = super(CrmMeasurer, self.sudo()).write(vals)
        self.check_access("write")
        return result

    def unlink(self):
        self.check_access("unlink")
        resources_sudo = self.sudo().resource_id  # one-to-one, and of no use without the measurer
        # A day off that loses its resource would be everybody's.
        days_off_sudo = self.env["resource.calendar.leaves"].sudo()
        days_off_sudo.search([("resource_id", "in", resources_sudo.ids)]).unlink()
        result = super().unlink()
        resources_sudo.unlink()
        return result

    def action_open_visits(self):
        """Open the visits of this measurer."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("crm_wholesale.crm_visit_action")
        return {**action, "domain": [("measurer_id", "=", self.id)], "context": {}}

    def action_open_leaves(self):
        """Open the days off of this measurer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Days Off"),
            "res_model": "resource.calendar.leaves",
            "view_mode": "list,form,calendar",
            "domain": [("resource_id", "=", self.resource_id.id)],
            "help": Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>')
            % (
                self.env._("No days off yet"),
                self.env._("Enter the days on which this measurer is away."),
            ),
            "context": {
                "default_resource_id": self.resource_id.id,
                "default_calendar_id": self.resource_calendar_id.id,
            },
        }

    def _check_can_go(self):
        """Raise unless every measurer can be sent and can see the visit.

        :raise UserError: naming the measurer and what is missing
        """
        for measurer in self.sudo():
            user = measurer.user_id
            if not measurer.active:
                raise UserError(
                    self.env._("%(measurer)s is archived and goes nowhere.", measurer=measurer.name)
                )
            if not user.active or not user.has_group("crm_wholesale.crm_wholesale_group_measurer"):
                raise UserError(
                    self.env._(
                        "%(measurer)s has no login with the role “Measurer” and would not see "
                        "the visit. Ask your administrator for one.",
                        measurer=measurer.name,
                    )
                )

    def _raise_booking_counter(self):
        """Take the measurers' days in id order until the end of the transaction.

        :raise psycopg2.errors.SerializationFailure: when another transaction booked one of them
            since this one began; the platform then repeats the request
        """
        if len(self) > 1:
            # Weaker than FOR UPDATE, which would deadlock with the foreign keys of two new visits.
            self.env.cr.execute(
                "SELECT id FROM crm_measurer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [self.ids],
                log_exceptions=False,
            )
        if self:
            self.env.cr.execute(
                "UPDATE crm_measurer SET booking_counter = coalesce(booking_counter, 0) + 1 "
                "WHERE id = ANY(%s)",
                [self.ids],
                log_exceptions=False,
            )
            self.invalidate_recordset(["booking_counter"])
