from odoo import api, fields, models
from odoo.fields import Command


class CrmVisitReassign(models.TransientModel):
    """Gives the visits of a measurer who leaves, or falls ill, to others at the same times."""

    _name = "crm.visit.reassign"
    _description = "Reassign a Measurer's Visits"

    measurer_id = fields.Many2one("crm.measurer", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="measurer_id.company_id")
    archive_measurer = fields.Boolean(readonly=True)
    line_ids = fields.One2many("crm.visit.reassign.line", "reassign_id", "Visits")

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        measurer = self.env["crm.measurer"].browse(defaults.get("measurer_id"))
        if measurer and "line_ids" in fields:
            visits = measurer._get_movable_visits()
            defaults["line_ids"] = [
                Command.create(values) for values in self._prepare_lines(measurer, visits)
            ]
        return defaults

    @api.model
    def _prepare_lines(self, measurer, visits):
        """Return the values of a line for each visit, with the measurer proposed for its time."""
        lines = []
        for company, group in visits.grouped("company_id").items():
            others = self.env["crm.measurer"].search(
                [("company_id", "in", (False, company.id)), ("id", "!=", measurer.id)]
            )
            days, distributor = group._load_distribution(others, company, max(group.mapped("stop")))
            wishes = {visit: visit._prepare_standing_wish(days) for visit in group}
            choices = distributor.distribute(wishes.values())
            for visit in group:
                choice = choices[visit.id]
                if choice:
                    reason = visit._explain_choice(choice, others)
                else:
                    reason = " ".join(visit._explain_refusals(days, wishes[visit], others))
                proposed = choice and choice.best.placement.measurer
                lines.append(
                    {
                        "visit_id": visit.id,
                        "proposed_id": proposed,
                        "new_measurer_id": proposed,
                        "proposal": reason,
                    }
                )
        return lines

    def action_apply(self):
        """Give each visit to its new measurer; those without one go back to the queue.

        :raise UserError: when a measurer cannot take a visit any more
        """
        self.ensure_one()
        for measurer, lines in self.line_ids.grouped("new_measurer_id").items():
            visits = lines.visit_id
            if not measurer:
                visits._release(
                    self.env._(
                        "%(measurer)s cannot come, and nobody else was chosen.",
                        measurer=self.measurer_id.name,
                    )
                )
                continue
            visits.write({"measurer_id": measurer.id})
            for line in lines:
                # Protected from writing by hand.
                line.visit_id.sudo().assignment_reason = line.note
        if self.archive_measurer:
            self.measurer_id.active = False
        return {"type": "ir.actions.act_window_close"}


class CrmVisitReassignLine(models.TransientModel):
    """One visit of the measurer who leaves, and who makes it instead."""

    _name = "crm.visit.reassign.line"
    _description = "Visit to Reassign"

    reassign_id = fields.Many2one("crm.visit.reassign", required=True, ondelete="cascade")
    visit_id = fields.Many2one("crm.visit", required=True, ondelete="cascade")
    local_start = fields.Char(related="visit_id.local_start")
    contact_name = fields.Char(related="visit_id.contact_name")
    address = fields.Char(related="visit_id.address")
    company_id = fields.Many2one(related="visit_id.company_id")
    proposed_id = fields.Many2one("crm.measurer")
    proposal = fields.Text(help="Why this measurer was proposed, or why nobody was.")
    new_measurer_id = fields.Many2one(
        "crm.measurer", help="Empty: the visit goes back to the queue."
    )
    note = fields.Text("Why", compute="_compute_note")

    @api.depends("new_measurer_id")
    def _compute_note(self):
        for line in self:
            if line.new_measurer_id == line.proposed_id:
                line.note = line.proposal
            elif not line.new_measurer_id:
                line.note = self.env._("Goes back to the queue")
            else:
                line.note = line._get_conflict() or self.env._("Chosen by hand")

    def _get_conflict(self):
        """Return why the chosen measurer cannot come at the visit's time, or None."""
        visit, measurer = self.visit_id, self.new_measurer_id
        reasons = measurer._explain_unavailable(
            visit._prepare_slot_values(), visit.start, visit.stop
        )
        return reasons.get(measurer, (None, None))[1]
