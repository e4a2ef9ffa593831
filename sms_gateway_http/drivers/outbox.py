from odoo.tools.translate import LazyTranslate

from .base import Driver, Result

_lt = LazyTranslate(__name__)


class OutboxDriver(Driver):
    """Keeps each message in `sms.gateway.test.message`, where people can read it."""

    label = _lt("Test gateway: nothing leaves this database")

    def send(self, message):
        kept = self.env["sms.gateway.test.message"].create(
            {
                "gateway_id": self.gateway_id,
                "company_id": self.company_id,
                "uuid": message.uuid,
                "number": message.number,
                "body": message.text,
            }
        )
        reference = str(kept.id)
        # Like any gateway, this one keeps what it took even if its caller dies right afterwards.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        return Result(reference=reference)
