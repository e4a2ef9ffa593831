from contextlib import contextmanager

from odoo.fields import Command
from odoo.tests import new_test_user

from .common import WholesaleCommon


class MilestoneCommon(WholesaleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_stages = cls.env["crm.stage"].search([("team_ids", "=", False)])
        cls.shared_new = cls.shared_stages.filtered(lambda stage: not stage.is_won)[0]
        cls.shared_won = cls.shared_stages.filtered("is_won")
        cls.other_team = cls.env["crm.team"].create({"name": "Retail", "sequence": 500})
        cls.clerk = new_test_user(cls.env, "wholesale_clerk", groups="base.group_user")

    @classmethod
    def _new_stage(cls, name, team=None, **values):
        team_ids = [Command.link(team.id)] if team else []
        return cls.env["crm.stage"].create({"name": name, "team_ids": team_ids, **values})

    def _stage(self, milestone):
        return self.team.stage_ids.filtered(lambda stage: stage.milestone == milestone)

    def _words(self, lead=None):
        """Return the chatter's words about milestones, oldest first."""
        messages = (lead or self.lead).sudo().message_ids.sorted("id")
        return [str(m.body) for m in messages if "Milestone" in str(m.body)]

    @contextmanager
    def assertNoMove(self, lead=None):
        lead = lead or self.lead
        self.flush_tracking()
        stage, updated = lead.stage_id, lead.date_last_stage_update
        yield
        self.assertEqual(lead.stage_id, stage)
        self.assertEqual(lead.date_last_stage_update, updated)

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.precommit.run()


class DocumentsCommon(MilestoneCommon):
    """Orders, invoices and payments made by the people whose work they are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", company=cls.company, install_demo=False
            )
        cls.accountant = new_test_user(
            cls.env, "wholesale_accountant", groups="account.group_account_invoice"
        )
        cls.partner = cls.env["res.partner"].create({"name": "Budmaisternia"})
        cls.lead.partner_id = cls.partner
        cls.product = cls._new_product("Window")
        cls.by_delivery = cls._new_product("Sill", invoice_policy="delivery")

    @classmethod
    def _new_product(cls, name, **values):
        """Create a product whose delivered quantity is entered by hand, with or without stock."""
        return cls.env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "invoice_policy": "order",
                "list_price": 100,
                "taxes_id": False,
                **values,
            }
        )

    def _new_order(self, product=None, quantity=10, lead=None, **values):
        lead = self.lead if lead is None else lead
        line = {"product_id": (product or self.product).id, "product_uom_qty": quantity}
        return (
            self.env["sale.order"]
            .with_user(self.manager)
            .create(
                {
                    "partner_id": self.partner.id,
                    "opportunity_id": lead.id,
                    "order_line": [Command.create(line)],
                    **values,
                }
            )
        )

    def _new_confirmed_order(self, *args, **values):
        order = self._new_order(*args, **values)
        order.action_confirm()
        return order

    def _invoice(self, orders):
        invoices = orders.with_user(self.accountant)._create_invoices()
        invoices.action_post()
        return invoices

    def _pay(self, invoice, amount=None):
        context = {"active_model": "account.move", "active_ids": invoice.ids}
        values = {} if amount is None else {"amount": amount}
        wizard = self.env["account.payment.register"].with_user(self.accountant)
        wizard.with_context(**context).create(values).action_create_payments()

    def _reverse(self, invoice, method="refund_moves"):
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.accountant)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        action = getattr(wizard, method)()
        return self.env["account.move"].with_user(self.accountant).browse(action["res_id"])

    def _deliver(self, order, quantity=None):
        for line in order.order_line:
            line.qty_delivered = line.product_uom_qty if quantity is None else quantity

    def assertMilestone(self, milestone, lead=None):
        self.assertEqual((lead or self.lead).stage_id.milestone, milestone)
