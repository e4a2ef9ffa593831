from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import RecordCapturer

from .milestone_common import DocumentsCommon


@tagged("post_install", "-at_install")
class TestQuotationAndOrder(DocumentsCommon):
    def test_quotation_sent_by_button(self):
        self._new_order().action_quotation_sent()
        self.assertMilestone("quotation")

    def test_quotation_sent_by_mail(self):
        order = self._new_order()
        self.flush_tracking()
        before = self.lead.message_ids
        order.with_context(mark_so_as_sent=True).message_post(body="Our offer")
        self.flush_tracking()
        self.assertEqual(order.state, "sent")
        self.assertMilestone("quotation")
        tracked = (self.lead.message_ids - before).sudo().tracking_value_ids.field_id
        self.assertIn("stage_id", tracked.mapped("name"))

    def test_quotation_sent_over_rpc(self):
        self._new_order().write({"state": "sent"})
        self.assertMilestone("quotation")

    def test_draft_moves_nothing(self):
        self._new_order()
        self.assertMilestone("request")

    def test_confirmed_at_once(self):
        self._new_confirmed_order()
        self.assertMilestone("contract")

    def test_confirmed_by_the_customer(self):
        """The portal confirms with sudo, for a user who may not even read deals."""
        order = self._new_order()
        order.action_quotation_sent()
        portal = new_test_user(self.env, "wholesale_portal", groups="base.group_portal")
        order.with_user(portal).sudo().action_confirm()
        self.assertMilestone("contract")

    def test_variant_sent_after_the_contract(self):
        self._new_confirmed_order()
        variant = self._new_order()
        with self.assertNoMove():
            variant.action_quotation_sent()

    def test_sent_twice(self):
        order = self._new_order()
        order.action_quotation_sent()
        self.lead.stage_id = self._stage("measurement")
        with self.assertNoMove():
            order.write({"state": "sent"})
        order.action_draft()
        order.action_quotation_sent()
        self.assertMilestone("quotation")

    def test_several_orders_at_once(self):
        other = self._new_lead()
        orders = self._new_order() | self._new_order(lead=other)
        orders.action_quotation_sent()
        orders.action_confirm()
        self.assertMilestone("contract")
        self.assertMilestone("contract", other)

    def test_order_without_deal(self):
        order = self._new_order(lead=self.env["crm.lead"])
        with self.assertNoMove():
            order.action_quotation_sent()
            order.action_confirm()
            self._deliver(order)
            self._pay(self._invoice(order))
            order._action_cancel()
        empty = self.env["crm.lead"]
        with self.assertQueryCount(0):
            empty._advance_to("won")
            empty._advance_with_orders()

    def test_lost_deal(self):
        order = self._new_order()
        self.lead.action_set_lost()
        with self.assertNoMove():
            order.action_confirm()
        self.assertEqual(len(self._words()), 1)


@tagged("post_install", "-at_install")
class TestPayment(DocumentsCommon):
    def test_paid(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        self.assertMilestone("contract")
        self._pay(invoice)
        self.assertMilestone("payment")

    def test_payment_is_said_once(self):
        """The hook fires on "in payment" and again on "paid"."""
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        self._pay(invoice)
        self.flush_tracking()
        messages = self.lead.message_ids
        with self.assertNoMove():
            invoice._invoice_paid_hook()
        self.flush_tracking()
        self.assertEqual(self.lead.message_ids, messages)

    def test_paid_in_parts(self):
        invoice = self._invoice(self._new_confirmed_order())
        with self.assertNoMove():
            self._pay(invoice, amount=400)
        self._pay(invoice, amount=600)
        self.assertMilestone("payment")

    def test_invoiced_in_parts(self):
        order = self._new_confirmed_order()
        invoice = order.with_user(self.accountant)._create_invoices()
        invoice.invoice_line_ids.quantity = 4
        invoice.action_post()
        with self.assertNoMove():
            self._pay(invoice)
        self._pay(self._invoice(order))
        self.assertMilestone("payment")

    def test_rest_in_a_draft_invoice(self):
        order = self._new_confirmed_order()
        invoice = order.with_user(self.accountant)._create_invoices()
        invoice.invoice_line_ids.quantity = 4
        rest = order.with_user(self.accountant)._create_invoices()
        self.assertEqual(order.invoice_status, "invoiced")
        invoice.action_post()
        with self.assertNoMove():
            self._pay(invoice)
        rest.action_post()
        self._pay(rest)
        self.assertMilestone("payment")

    def test_down_payment(self):
        order = self._new_confirmed_order()
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_user(self.manager)
            .with_context(active_model="sale.order", active_ids=order.ids)
            .create({"advance_payment_method": "percentage", "amount": 30})
        )
        wizard.create_invoices()
        down_payment = order.sudo().invoice_ids
        down_payment.with_user(self.accountant).action_post()
        with self.assertNoMove():
            self._pay(down_payment)
        self._pay(self._invoice_final(order))
        self.assertMilestone("payment")
        order.order_line.filtered(lambda line: line.product_id == self.product).qty_delivered = 10
        self.assertMilestone("won")

    def _invoice_final(self, order):
        invoice = order.with_user(self.accountant)._create_invoices(final=True)
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 700)
        return invoice

    def test_invoiced_on_delivery(self):
        order = self._new_confirmed_order(self.by_delivery)
        self._deliver(order, 4)
        with self.assertNoMove():
            self._pay(self._invoice(order))
        self.assertFalse(self._words())
        self._deliver(order)
        self._pay(self._invoice(order))
        self.assertMilestone("won")

    def test_two_orders(self):
        first, second = self._new_confirmed_order(), self._new_confirmed_order()
        self._new_order().action_quotation_sent()
        with self.assertNoMove():
            self._pay(self._invoice(first))
        self._pay(self._invoice(second))
        self.assertMilestone("payment")

    def test_two_orders_in_one_invoice(self):
        orders = self._new_confirmed_order() | self._new_confirmed_order(lead=self._new_lead())
        invoice = self._invoice(orders)
        self.assertEqual(len(invoice), 1)
        self._pay(invoice)
        self.assertEqual(orders.opportunity_id.stage_id, self._stage("payment"))

    def test_free_order(self):
        order = self._new_confirmed_order()
        order.order_line.price_unit = 0
        self._invoice(order)
        self.assertMilestone("payment")

    def test_allowance(self):
        """A credit note that is no part of the order settles its share of the invoice."""
        invoice = self._invoice(self._new_confirmed_order())
        self._credit(invoice, 300)
        self.assertMilestone("contract")
        self._pay(invoice)
        self.assertMilestone("payment")

    def test_credit_note_for_a_part(self):
        """What was credited is left to invoice, until the order is cut to the rest."""
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        credit_note = self._reverse(invoice)
        credit_note.invoice_line_ids.quantity = 2
        credit_note.action_post()
        with self.assertNoMove():
            self._pay(invoice)
        order.order_line.product_uom_qty = 8
        self.assertMilestone("payment")

    def test_credit_note_not_posted_yet(self):
        """That the firm owes something back does not hold up the payment."""
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        order.order_line.product_uom_qty = 8
        credit_note = order.with_user(self.accountant)._create_invoices(final=True)
        self.assertEqual((credit_note.move_type, credit_note.state), ("out_refund", "draft"))
        self._pay(invoice)
        self.assertMilestone("payment")

    def test_user_without_rights(self):
        self._pay(self._invoice(self._new_confirmed_order()))
        self.lead.stage_id = self._stage("contract")
        self.env.invalidate_all()
        self.lead.with_user(self.clerk)._advance_with_orders()
        self.assertMilestone("payment")

    def test_invoice_reversed_and_not_paid(self):
        """Nothing was paid: delivery alone does not win the deal."""
        for reverse in (
            lambda invoice: self._reverse(invoice).action_post(),
            lambda invoice: self._credit(invoice, 1000),
        ):
            lead = self._new_lead()
            order = self._new_confirmed_order(lead=lead)
            invoice = self._invoice(order)
            reverse(invoice)
            self.assertEqual(invoice.payment_state, "reversed")
            with self.assertNoMove(lead):
                self._deliver(order)

    def _credit(self, invoice, amount):
        """Settle ``amount`` of ``invoice`` with a credit note that names no order."""
        credit_note = (
            self.env["account.move"]
            .with_user(self.accountant)
            .create(
                {
                    "move_type": "out_refund",
                    "partner_id": invoice.partner_id.id,
                    "invoice_line_ids": [
                        Command.create({"name": "Rebate", "price_unit": amount, "tax_ids": False})
                    ],
                }
            )
        )
        credit_note.action_post()
        receivable = (
            (invoice | credit_note)
            .sudo()
            .line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        )
        receivable.reconcile()

    def test_invoice_replaced(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        replacement = self._reverse(invoice, "modify_moves")
        self.assertEqual(invoice.payment_state, "reversed")
        replacement.action_post()
        self._pay(replacement)
        self.assertMilestone("payment")

    def test_refund_after_payment_moves_nothing_back(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        self._pay(invoice)
        with self.assertNoMove():
            self._reverse(invoice).action_post()


@tagged("post_install", "-at_install")
class TestDeliveryByHand(DocumentsCommon):
    def test_paid_then_delivered(self):
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        self.assertMilestone("payment")
        self._deliver(order)
        self.assertMilestone("won")
        self.assertEqual(self.lead.won_status, "won")

    def test_delivered_then_paid(self):
        """No stage of the team stands for the shipment: the chatter tells it, once."""
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        with self.assertNoMove():
            self._deliver(order)
            self._deliver(order)
        self.assertEqual(len(self._words()), 1)
        self._pay(invoice)
        self.assertMilestone("won")
        self.assertEqual(len(self._words()), 1)

    def test_stage_for_the_shipment(self):
        self._new_stage("On the road", self.team, sequence=65, milestone="shipment")
        order = self._new_confirmed_order()
        self._deliver(order)
        self.assertMilestone("shipment")
        self._pay(self._invoice(order))
        self.assertMilestone("won")
        self.assertFalse(self._words())

    def test_paid_and_delivered_without_a_won_stage(self):
        """The deal goes as far as the team's stages allow, and the chatter tells the rest."""
        self._stage("won").milestone = False
        order = self._new_confirmed_order()
        self._deliver(order)
        self._pay(self._invoice(order))
        self.assertMilestone("payment")
        self.assertEqual(len(self._words()), 2)

    def test_delivered_in_parts(self):
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            self._deliver(order, 9)
        self._deliver(order)
        self.assertMilestone("won")

    def test_line_by_line(self):
        line = {"product_id": self.product.id, "product_uom_qty": 2}
        order = self._new_order(order_line=[Command.create(line), Command.create(line)])
        order.action_confirm()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            order.order_line[0].qty_delivered = 2
        order.write({"order_line": [Command.update(order.order_line[1].id, {"qty_delivered": 2})]})
        self.assertMilestone("won")

    def test_lines_that_nobody_waits_for(self):
        discount = self.company.sale_discount_product_id or self._new_product("Discount")
        self.company.sale_discount_product_id = discount
        order = self._new_order(
            order_line=[
                Command.create({"display_type": "line_section", "name": "Ground floor"}),
                Command.create({"product_id": self.product.id, "product_uom_qty": 2}),
                Command.create({"product_id": discount.id, "price_unit": -10}),
                Command.create({"display_type": "line_note", "name": "Two panes"}),
            ]
        )
        order.action_confirm()
        self._pay(self._invoice(order))
        order.order_line.filtered(lambda line: line.product_id == self.product).qty_delivered = 2
        self.assertMilestone("won")

    def test_order_cut_to_what_was_delivered(self):
        order = self._new_confirmed_order(self.by_delivery)
        self._deliver(order, 8)
        self._pay(self._invoice(order))
        self.assertMilestone("contract")
        order.order_line.product_uom_qty = 8
        self.assertMilestone("won")

    def test_draft_with_delivered_quantity(self):
        with self.assertNoMove():
            self._deliver(self._new_order())
        self.assertFalse(self._words())

    def test_two_orders(self):
        first, second = self._new_confirmed_order(), self._new_confirmed_order()
        self._pay(self._invoice(first))
        self._pay(self._invoice(second))
        with self.assertNoMove():
            self._deliver(first)
        self._deliver(second)
        self.assertMilestone("won")

    def test_query_count(self):
        """Ten deals cost as many queries as one."""
        counts = []
        for size in (1, 10):
            leads = self.env["crm.lead"].union(*(self._new_lead() for _i in range(size)))
            orders = self.env["sale.order"].union(*(self._new_order(lead=lead) for lead in leads))
            orders.action_confirm()
            self._pay(self._invoice(orders))
            self.flush_tracking()
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            leads._advance_with_orders()
            counts.append(self.cr.sql_log_count - start)
        self.assertEqual(counts[1], counts[0])


@tagged("post_install", "-at_install")
class TestCancelledOrder(DocumentsCommon):
    def _tasks(self, lead=None):
        return (lead or self.lead).sudo().activity_ids

    def test_owner_gets_a_task(self):
        order = self._new_confirmed_order()
        self.lead.message_unsubscribe(self.manager.partner_id.ids)
        self.flush_tracking()
        about_deal = [("model", "=", "crm.lead")]
        with self.assertNoMove(), RecordCapturer(self.env["mail.message"], about_deal) as messages:
            order.with_user(self.head).action_cancel()
            self.flush_tracking()
        task = self._tasks()
        self.assertEqual(task.user_id, self.manager)
        self.assertIn(order.name, task.summary)
        self.assertTrue(task.automated)
        self.assertNotIn(self.manager.partner_id, self.lead.message_partner_ids)
        self.assertFalse(messages.records)
        self.assertTrue(task.with_user(self.manager).read(["summary"]))

    def test_cancelled_quotation(self):
        order = self._new_order()
        order.action_quotation_sent()
        order.action_cancel()
        self.assertMilestone("quotation")
        self.assertFalse(self._tasks())

    def test_lost_deal(self):
        order = self._new_confirmed_order()
        self.lead.action_set_lost()
        order.action_cancel()
        self.assertFalse(self._tasks())

    def test_won_deal(self):
        order = self._new_confirmed_order()
        self.lead.action_set_won()
        with self.assertNoMove():
            order.action_cancel()
        self.assertEqual(self._tasks().user_id, self.manager)

    def test_deal_without_owner(self):
        order = self._new_confirmed_order()
        self.lead.user_id = False
        self.team.user_id = self.head
        order.action_cancel()
        self.assertEqual(self._tasks().user_id, self.head)

    def test_one_task_for_orders_cancelled_together(self):
        orders = self._new_confirmed_order() | self._new_confirmed_order()
        orders._action_cancel()
        self.assertEqual(len(self._tasks()), 1)
        for order in orders:
            self.assertIn(order.name, self._tasks().summary)

    def test_rest_of_the_deal_is_complete(self):
        kept, cancelled = self._new_confirmed_order(), self._new_confirmed_order()
        self._deliver(kept)
        self._pay(self._invoice(kept))
        self.assertMilestone("contract")
        cancelled.action_cancel()
        self.assertMilestone("won")
        self.assertEqual(len(self._tasks()), 1)

    def test_confirmed_again(self):
        order = self._new_confirmed_order()
        order.action_cancel()
        order.action_draft()
        with self.assertNoMove():
            order.action_confirm()
        self.assertMilestone("contract")


@tagged("post_install", "-at_install")
class TestTwoCompanies(DocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create({"name": "Branch in Odesa"})
        cls.branch_manager = new_test_user(
            cls.env,
            "wholesale_branch",
            groups="sales_team.group_sale_salesman",
            company_id=cls.branch.id,
            company_ids=[Command.set(cls.branch.ids)],
        )

    def _new_branch_order(self, lead):
        return (
            self.env["sale.order"]
            .with_user(self.branch_manager)
            .create(
                {
                    "partner_id": self.partner.id,
                    "opportunity_id": lead.id,
                    "order_line": [Command.create({"product_id": self.product.id})],
                }
            )
        )

    def test_order_of_another_company(self):
        """Same customer, same product, no tie to the deal: it stays."""
        self.lead.company_id = self.company
        with self.assertNoMove():
            order = self._new_branch_order(self.env["crm.lead"])
            order.action_confirm()
            self._deliver(order)

    def test_deal_shared_by_companies(self):
        """An order that the actor cannot see still counts."""
        shared = self._new_lead(user_id=False, company_id=False)
        self.assertFalse(shared.company_id)
        order = self._new_confirmed_order(lead=shared)
        self._new_branch_order(shared).action_confirm()
        with self.assertNoMove(shared):
            self._pay(self._invoice(order))
            self._deliver(order)
        self.assertMilestone("contract", shared)
