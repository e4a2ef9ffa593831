from odoo import models

from odoo.addons.mail.tools.discuss import Store


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Leave the followers alone while an activity is being scheduled quietly."""
        if self.env.context.get("crm_wholesale_quiet"):
            return True
        return super().message_subscribe(partner_ids=partner_ids, subtype_ids=subtype_ids)

    def _thread_to_store(self, store, fields, *, request_list=None):
        """Show in the chatter the notices of a document too, which are no next steps."""
        super()._thread_to_store(store, fields, request_list=request_list)
        if "activities" in (request_list or ()) and "activity_ids" in self:
            faces = self.env["mail.activity"].search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("notice_id", "!=", False),
                ]
            )
            for res_id, activities in faces.grouped("res_id").items():
                thread = self.browse(res_id)
                # Not added to what core stored: the browser understands no mix of the two.
                store.add(
                    thread,
                    {"activities": Store.Many(thread.activity_ids | activities)},
                    as_thread=True,
                )
