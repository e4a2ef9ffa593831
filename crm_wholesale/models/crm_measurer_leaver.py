from odoo import models


class CrmMeasurer(models.Model):
    """A measurer who leaves, for a while or for good, and the visits left behind."""

    _inherit = "crm.measurer"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        """Send visits back to the queue that nobody will make any more."""
        if not vals.keys() & {"active", "user_id"}:
            return super().write(vals)
        with self.env["crm.visit"]._reopening_broken(self):
            return super(CrmMeasurer, self.with_context(crm_visit_watched=True)).write(vals)

    def _filter_can_go(self):
        """Return those of the measurers who can be sent and would see the visit, with sudo."""
        measurers_sudo = self.sudo().filtered("active")
        users_sudo = self.env["res.users"].sudo()  # only whether they are there and what they are
        role = self.env.ref("crm_wholesale.crm_wholesale_group_measurer")
        domain = [("id", "in", measurers_sudo.user_id.ids), ("all_group_ids", "in", role.ids)]
        going = users_sudo.search(domain)
        return measurers_sudo.filtered(lambda measurer: measurer.user_id in going)
