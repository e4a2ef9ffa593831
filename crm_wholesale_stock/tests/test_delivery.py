from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.crm_wholesale.tests.milestone_common import DocumentsCommon


@tagged("post_install", "-at_install")
class TestDelivery(DocumentsCommon):
    """The warehouse moves deals without any right on deals or orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.storekeeper = new_test_user(
            cls.env, "wholesale_storekeeper", groups="stock.group_stock_user"
        )
        cls.service = cls.product
        cls.product = cls._new_product("Window", type="consu")
        cls.by_delivery = cls._new_product("Sill", type="consu", invoice_policy="delivery")

    def _open_pickings(self, order):
        pickings = order.sudo().picking_ids.with_user(self.storekeeper)
        return pickings.filtered(lambda picking: picking.state not in ("done", "cancel"))

    def _ship(self, order, quantity=None, backorder=True):
        """Validate the open deliveries of ``order``, wholly or ``quantity`` of each product."""
        for picking in self._open_pickings(order):
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty if quantity is None else quantity
                move.picked = True
            refused = [] if backorder else picking.ids
            picking = picking.with_context(
                skip_backorder=True, picking_ids_not_to_backorder=refused
            )
            picking.button_validate()

    def _return(self, order, quantity, validate=True):
        picking = order.sudo().picking_ids.filtered(lambda p: p.state == "done")[:1]
        wizard = Form(
            self.env["stock.return.picking"]
            .with_user(self.storekeeper)
            .with_context(active_id=picking.id, active_ids=picking.ids, active_model=picking._name)
        ).save()
        wizard.product_return_moves.quantity = quantity
        action = wizard.action_create_returns()
        returned = self.env["stock.picking"].with_user(self.storekeeper).browse(action["res_id"])
        if validate:
            returned.move_ids.picked = True
            returned.button_validate()
            self.assertEqual(returned.state, "done")
        return returned

    def test_paid_then_delivered(self):
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        self.assertMilestone("payment")
        self._ship(order)
        self.assertMilestone("won")
        self.assertEqual(self.lead.won_status, "won")

    def test_delivered_then_paid(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        with self.assertNoMove():
            self._ship(order)
        self.assertEqual(len(self._words()), 1)
        self._pay(invoice)
        self.assertMilestone("won")

    def test_stage_for_the_shipment(self):
        self._new_stage("On the road", self.team, sequence=65, milestone="shipment")
        order = self._new_confirmed_order()
        self._ship(order)
        self.assertMilestone("shipment")

    def test_backorder(self):
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            self._ship(order, 6)
        self.assertEqual(self._open_pickings(order).move_ids.product_uom_qty, 4)
        self._ship(order)
        self.assertMilestone("won")

    def test_short_delivery_of_what_was_paid(self):
        """Four windows were paid and never came: the deal waits for the order and the money."""
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            self._ship(order, 6, backorder=False)
        self.assertFalse(self._open_pickings(order))
        with self.assertNoMove():
            order.order_line.product_uom_qty = 6
        credit_note = order.with_user(self.accountant)._create_invoices(final=True)
        self.assertEqual(credit_note.move_type, "out_refund")
        credit_note.action_post()
        self._pay(credit_note)
        self.assertMilestone("won")

    def test_short_delivery_invoiced_as_delivered(self):
        order = self._new_confirmed_order(self.by_delivery)
        self._ship(order, 6, backorder=False)
        self.assertMilestone("contract")
        self._pay(self._invoice(order))
        self.assertMilestone("won")

    def test_backorder_cancelled(self):
        order = self._new_confirmed_order(self.by_delivery)
        self._ship(order, 6)
        with self.assertNoMove():
            self._pay(self._invoice(order))
        self._open_pickings(order).action_cancel()
        self.assertMilestone("won")

    def test_order_cancelled_after_a_part(self):
        """What was delivered and paid is all there will be, but nobody won this deal."""
        order = self._new_confirmed_order(self.by_delivery)
        self._ship(order, 6)
        self._pay(self._invoice(order))
        with self.assertNoMove():
            order.with_user(self.manager)._action_cancel()
        self.assertEqual(order.state, "cancel")
        self.assertEqual(self.lead.sudo().activity_ids.user_id, self.manager)

    def test_nothing_delivered(self):
        order = self._new_confirmed_order(self.by_delivery)
        with self.assertNoMove():
            self._open_pickings(order).action_cancel()
        self.assertFalse(self._words())

    def test_return_moves_nothing_back(self):
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        self._ship(order)
        with self.assertNoMove():
            self._return(order, 10)

    def test_returned_before_the_payment(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        self._ship(order)
        self._return(order, 10)
        self._pay(invoice)
        self.assertMilestone("payment")

    def test_everything_came_back(self):
        order = self._new_confirmed_order(self.by_delivery)
        self._ship(order)
        self.assertEqual(order.sudo()._filter_delivered(), order)
        self._return(order, 10)
        self.assertFalse(self._open_pickings(order))
        self.assertFalse(order.sudo()._filter_delivered())

    def test_return_under_way(self):
        order = self._new_confirmed_order()
        invoice = self._invoice(order)
        self._ship(order)
        self._return(order, 3, validate=False)
        self._pay(invoice)
        self.assertMilestone("payment")

    def test_two_steps(self):
        in_company = [("company_id", "=", self.company.id)]
        warehouse = self.env["stock.warehouse"].search(in_company, limit=1)
        warehouse.delivery_steps = "pick_ship"
        order = self._new_confirmed_order()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            self._ship(order)
        self._ship(order)
        self.assertMilestone("won")

    def test_goods_and_service(self):
        order = self._new_order(
            order_line=[
                Command.create({"product_id": product.id, "product_uom_qty": 1})
                for product in (self.product, self.service)
            ]
        )
        order.action_confirm()
        self._pay(self._invoice(order))
        with self.assertNoMove():
            self._ship(order)
        order.order_line.filtered(lambda line: line.product_id == self.service).qty_delivered = 1
        self.assertMilestone("won")

    def test_two_orders(self):
        first, second = self._new_confirmed_order(), self._new_confirmed_order()
        self._pay(self._invoice(first))
        self._pay(self._invoice(second))
        with self.assertNoMove():
            self._ship(first)
        self._ship(second)
        self.assertMilestone("won")

    def test_transfer_without_order(self):
        picking = (
            self.env["stock.picking"]
            .with_user(self.storekeeper)
            .create(
                {
                    "picking_type_id": self.env.ref("stock.picking_type_in").id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": self.product.id,
                                "product_uom_qty": 1,
                                "quantity": 1,
                                "picked": True,
                                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                                "location_dest_id": self.env.ref("stock.stock_location_stock").id,
                            }
                        )
                    ],
                }
            )
        )
        with self.assertNoMove():
            picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_order_without_deal(self):
        order = self._new_confirmed_order(lead=self.env["crm.lead"])
        with self.assertNoMove():
            self._ship(order)
