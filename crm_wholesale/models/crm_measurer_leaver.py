from odoo import fields, models

from .crm_visit import MOVABLE_STATES


class CrmMeasurer(models.Model):
    """A measurer who leaves, for a while or for good, and the visits left behind."""

    _inherit = "crm.measurer"

    def write(self, vals):
        """Send visits back to the queue that nobody will make any more."""
        if not vals.keys() & {"active", "resource_calendar_id", "tz", "user_id"}:
            return super().write(vals)
        with self.env["crm.visit"]._reopening_broken(self):
            return super(CrmMeasurer, self.with_context(crm_visit_watched=True)).write(vals)

    def action_archive(self):
        """Archive the measurers; for one with visits ahead, ask first who makes them."""
        if len(self) == 1 and self._get_movable_visits():
            return self._get_reassign_action(archive=True)
        return super().action_archive()

    def action_reassign(self):
        """Propose other measurers for the visits ahead, at the same times."""
        self.ensure_one()
        return self._get_reassign_action()

    def _get_reassign_action(self, archive=False):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who Goes Instead of %(measurer)s?", measurer=self.name),
            "res_model": "crm.visit.reassign",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_measurer_id": self.id,
                "default_archive_measurer": archive,
                "dialog_size": "extra-large",
            },
        }

    def _get_movable_visits(self):
        """Return the booked visits of these measurers that have not begun."""
        return self.env["crm.visit"].search(
            [
                ("measurer_id", "in", self.ids),
                ("state", "in", MOVABLE_STATES),
                ("start", ">", fields.Datetime.now()),
            ]
        )
