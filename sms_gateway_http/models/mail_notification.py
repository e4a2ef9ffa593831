from odoo import fields, models

from odoo.addons.mail.tools.discuss import Store


class MailNotification(models.Model):
    _inherit = "mail.notification"

    failure_type = fields.Selection(
        selection_add=[
            ("gateway_refused", "Refused by the Gateway"),
            ("gateway_unreached", "Gateway Not Reached"),
            ("gateway_setup", "Gateway Not Set Up"),
            ("gateway_unknown", "Result Unknown"),
        ],
    )

    def format_failure_reason(self):
        self.ensure_one()
        label = super().format_failure_reason()
        if self._has_gateway_failure() and self.failure_reason:
            return self.env._("%(label)s: %(reason)s", label=label, reason=self.failure_reason)
        return label

    def _to_store_defaults(self, target):
        return [
            *super()._to_store_defaults(target),
            Store.Attr("failure_reason", predicate=lambda self: self._has_gateway_failure()),
        ]

    def _has_gateway_failure(self):
        """Tell whether `failure_reason` holds words that this addon wrote for people."""
        self.ensure_one()
        return (self.failure_type or "").startswith("gateway_")
