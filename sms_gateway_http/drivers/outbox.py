from .base import Driver, Result


class OutboxDriver(Driver):
    """Keeps each message in `sms.gateway.test.message`, where people can read it."""

    @classmethod
    def get_label(cls, env):
        return env._("Test gateway: nothing leaves this database")

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
