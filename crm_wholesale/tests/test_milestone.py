from lxml import etree
from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.crm_wholesale.models.crm_stage import MILESTONES

from .milestone_common import MilestoneCommon

SEVEN_STAGES = [
    "New request",
    "Qualified",
    "Measurement",
    "Quotation",
    "Contract",
    "Paid",
    "Shipped",
]


class TestTeamStages(MilestoneCommon):
    """A team with own stages only shows and uses no others; other teams notice nothing."""

    def _board(self, user, domain=(), **context):
        """Return the names of the columns that ``user`` sees on a board, in order."""
        Lead = self.env["crm.lead"].with_user(user).with_context(read_group_expand=True, **context)
        groups = Lead.web_read_group(list(domain), ["stage_id"])["groups"]
        return [group["stage_id"][1] for group in groups]

    def test_installed_team(self):
        self.assertEqual(self.team.stage_ids.mapped("name"), SEVEN_STAGES)
        self.assertEqual(
            self.team.stage_ids.mapped("milestone"),
            ["request", "qualified", "measurement", "quotation", "contract", "payment", "won"],
        )
        self.assertEqual(self.team.stage_ids.filtered("is_won").name, "Shipped")
        self.assertTrue(self.team.own_stages_only)
        self.assertFalse(self.team.member_ids)
        self.assertFalse(self.team.company_id)

    def test_firm_is_left_alone(self):
        """Neither the firm's stages nor its users' default team change."""
        self.assertTrue(self.shared_stages)
        self.assertFalse(any(self.shared_stages.mapped("milestone")))
        default_team = self.env["crm.team"].with_user(self.manager)._get_default_team_id()
        self.assertNotEqual(default_team, self.team)
        lead = self.env["crm.lead"].with_user(self.manager).create({"name": "Retail request"})
        self.assertNotEqual(lead.team_id, self.team)
        self.assertEqual(lead.stage_id, self.shared_new)

    def test_board_of_the_team(self):
        board = self._board(
            self.manager, [("team_id", "=", self.team.id)], default_team_id=self.team.id
        )
        self.assertEqual(board, SEVEN_STAGES)

    def test_board_keeps_a_column_with_deals(self):
        self.lead.stage_id = self.shared_new
        board = self._board(
            self.manager, [("team_id", "=", self.team.id)], default_team_id=self.team.id
        )
        self.assertEqual(board, [self.shared_new.name, *SEVEN_STAGES])

    def test_board_of_another_team(self):
        special = self._new_stage("Showroom", self.other_team)
        expected = (self.shared_stages | special).sorted().mapped("name")
        domain = [("team_id", "=", self.other_team.id)]
        board = self._board(self.manager, domain, default_team_id=self.other_team.id)
        self.assertEqual(board, expected)
        self.team.active = False
        board = self._board(self.manager, domain, default_team_id=self.other_team.id)
        self.assertEqual(board, expected)

    def test_board_without_team(self):
        board = self._board(self.manager, [("user_id", "=", self.other_manager.id)])
        self.assertEqual(board, self.shared_stages.mapped("name"))

    def test_my_pipeline(self):
        mine = [("user_id", "=", self.other_manager.id)]
        self.team.member_ids = self.other_manager
        board = self._board(self.other_manager, mine, show_user_team_stages=1)
        self.assertEqual(board, SEVEN_STAGES)
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", True)
        self.other_team.member_ids = self.other_manager
        board = self._board(self.other_manager, mine, show_user_team_stages=1)
        self.assertEqual(board, (self.shared_stages | self.team.stage_ids).sorted().mapped("name"))

    def test_new_deal(self):
        Lead = self.env["crm.lead"].with_user(self.manager)
        lead = Lead.create({"name": "A", "team_id": self.team.id})
        self.assertEqual(lead.stage_id.name, "New request")
        with Form(Lead.with_context(default_team_id=self.team.id)) as form:
            form.name = "B"
            self.assertEqual(form.stage_id.name, "New request")
        self.assertEqual(form.record.stage_id.name, "New request")
        lead = self.env["crm.lead"].message_new(
            {"subject": "C", "from": "buyer@example.com"}, {"team_id": self.team.id}
        )
        self.assertEqual(lead.stage_id.name, "New request")

    def test_stages_to_choose_from(self):
        Stage = self.env["crm.stage"].with_user(self.manager)
        special = self._new_stage("Showroom", self.other_team)
        for team, expected in (
            (self.team, self.team.stage_ids),
            (self.other_team, self.shared_stages | special),
            (self.env["crm.team"], self.shared_stages),
        ):
            with self.subTest(team=team.name):
                usable = Stage.search([("for_team_id", "=", team.id)])
                self.assertEqual(usable.ids, expected.sorted().ids)
                by_hand = self.env["crm.stage"].search([])
                by_hand = by_hand.filtered(lambda stage, team=team: stage._is_usable_by(team))
                self.assertEqual(usable.ids, by_hand.ids)
        arch = self.env["crm.lead"].with_user(self.manager).get_view(view_type="form")["arch"]
        statusbar = etree.fromstring(arch).find(".//header/field[@name='stage_id']")
        self.assertEqual(statusbar.get("domain"), "[('for_team_id', '=', team_id)]")

    def test_team_without_a_stage_of_its_own(self):
        """The switch has no effect until there is a stage: no deal ends up without one."""
        self.other_team.own_stages_only = True
        lead = self._new_lead(team_id=self.other_team.id)
        self.assertEqual(lead.stage_id, self.shared_new)
        first = self._new_stage("Showroom", self.other_team)
        self.assertEqual(self._new_lead(team_id=self.other_team.id).stage_id, first)
        self.assertEqual(lead.stage_id, self.shared_new)

    def test_deal_changes_team(self):
        lead = self._new_lead(team_id=self.other_team.id)
        self.assertEqual(lead.stage_id, self.shared_new)
        lead.with_user(self.head).team_id = self.team
        self.assertEqual(lead.stage_id.name, "New request")
        lead.with_user(self.head).team_id = self.other_team
        self.assertEqual(lead.stage_id, self.shared_new)

    def test_won_deal_changes_team(self):
        lead = self._new_lead(team_id=self.other_team.id, stage_id=self.shared_won.id)
        lead.team_id = self.team
        self.assertEqual(lead.stage_id.name, "Shipped")
        self.assertEqual(lead.won_status, "won")

    def test_stage_find(self):
        Lead = self.env["crm.lead"].with_user(self.manager)
        self.assertEqual(Lead._stage_find(team_id=self.team.id).name, "New request")
        self.assertEqual(Lead._stage_find(team_id=self.other_team.id), self.shared_new)
        self.assertEqual(Lead._stage_find(), self.shared_new)
        won = [("is_won", "=", True)]
        self.assertEqual(self.lead._stage_find(domain=won, limit=None).name, "Shipped")
        retail = self._new_lead(team_id=self.other_team.id)
        self.assertEqual(
            (self.lead | retail)._stage_find(limit=None).sorted(),
            (self.shared_stages | self.team.stage_ids).sorted(),
        )

    def test_won_button(self):
        self.lead.with_user(self.manager).action_set_won()
        self.assertEqual(self.lead.stage_id.name, "Shipped")

    def test_merge(self):
        """A merged deal of the team stands on one of the team's stages."""
        self.team.member_ids = self.manager
        late_stage = self._new_stage("Talks", sequence=99)
        for stage in (late_stage, self._stage("measurement")):
            with self.subTest(stage=stage.name):
                head = self._new_lead(team_id=self.other_team.id)
                head.write({"stage_id": stage.id, "probability": 90})
                tail = self._new_lead(team_id=self.team.id)
                merged = (head | tail).with_user(self.manager)
                merged = merged.merge_opportunity(team_id=self.team.id)
                self.assertEqual(merged.team_id, self.team)
                self.assertIn(merged.stage_id, self.team.stage_ids)

    def test_merge_in_another_team(self):
        head = self._new_lead(team_id=self.other_team.id)
        tail = self._new_lead(team_id=self.other_team.id)
        merged = (head | tail).with_user(self.manager).merge_opportunity()
        self.assertEqual(merged.stage_id, self.shared_new)

    def test_column_added_on_the_board(self):
        Stage = self.env["crm.stage"].with_user(self.head)
        stage_id, _name = Stage.with_context(default_team_id=self.team.id).name_create("Design")
        self.assertEqual(Stage.browse(stage_id).team_ids, self.team)
        stage_id, _name = Stage.with_context(default_team_id=self.other_team.id).name_create("Shop")
        self.assertFalse(Stage.browse(stage_id).team_ids)

    def test_who_sets_up_stages(self):
        self._stage("measurement").with_user(self.head).milestone = False
        self.assertFalse(self._stage("measurement"))
        with self.assertRaises(AccessError):
            self._stage("contract").with_user(self.manager).milestone = False
        with self.assertRaises(AccessError):
            self.team.with_user(self.manager).own_stages_only = False

    def test_any_stage_takes_a_milestone_in_its_form(self):
        with Form(self.shared_new.with_user(self.head)) as form:
            form.milestone = "qualified"
        self.assertEqual(self.shared_new.milestone, "qualified")

    @mute_logger("odoo.sql_db")
    def test_won_milestone_needs_a_won_stage(self):
        for write in (
            lambda: self.shared_new.write({"milestone": "won"}),
            lambda: self._stage("won").write({"is_won": False}),
            lambda: self._new_stage("Done", self.team, milestone="won"),
        ):
            with self.assertRaises(CheckViolation), self.cr.savepoint():
                write()
                self.env.flush_all()
        self.shared_won.milestone = "won"

    def test_delete_stage_with_milestone(self):
        stage = self._stage("measurement").with_user(self.head)
        self.lead.stage_id = stage
        with self.assertRaises(UserError) as refusal, self.cr.savepoint():
            stage.unlink()
        self.assertIn("“Measurement”", str(refusal.exception))
        self.assertTrue(stage.exists())
        self.assertEqual(self.lead.stage_id, stage)
        self.lead.stage_id = self._stage("request")
        stage.milestone = False
        stage.unlink()
        self.assertFalse(stage.exists())


class TestAdvance(MilestoneCommon):
    """Deals move forward to the stage of a milestone, or say why they do not."""

    def test_through_all_milestones(self):
        expected = {
            "request": "New request",
            "qualified": "Qualified",
            "measurement": "Measurement",
            "quotation": "Quotation",
            "contract": "Contract",
            "payment": "Paid",
            "shipment": "Paid",
            "won": "Shipped",
        }
        for milestone, _label in MILESTONES:
            self.lead._advance_to(milestone)
            self.assertEqual(self.lead.stage_id.name, expected[milestone])
        self.assertEqual(len(self._words()), 1)
        self.assertIn("“Shipped” reached", self._words()[0])

    def test_forward_only_and_idempotent(self):
        self.assertEqual(self.lead._advance_to("contract"), self.lead)
        self.flush_tracking()
        messages = self.lead.message_ids
        for milestone in ("contract", "quotation", "request"):
            with self.assertNoMove():
                self.assertEqual(self.lead._advance_to(milestone), self.lead)
        self.flush_tracking()
        self.assertEqual(self.lead.message_ids, messages)

    def test_forward_is_by_the_order_of_milestones(self):
        """What comes first on the board does not matter."""
        self._stage("contract").sequence = 1
        self.lead._advance_to("quotation")
        self.lead._advance_to("contract")
        self.assertEqual(self.lead.stage_id.milestone, "contract")
        with self.assertNoMove():
            self.lead._advance_to("quotation")

    def test_stage_without_milestone(self):
        """It counts as the nearest earlier stage of the team that has one."""
        self._new_stage("Elsewhere", self.other_team, sequence=44, milestone="contract")
        talks = self._new_stage("Negotiation", self.team, sequence=45)
        self.lead.stage_id = talks
        with self.assertNoMove():
            self.assertEqual(self.lead._advance_to("quotation"), self.lead)
        self.lead._advance_to("contract")
        self.assertEqual(self.lead.stage_id.milestone, "contract")

    def test_first_stage_without_milestone(self):
        self.lead.stage_id = self._new_stage("Inbox", self.team, sequence=5)
        self.lead._advance_to("request")
        self.assertEqual(self.lead.stage_id.milestone, "request")

    def test_deal_without_stage(self):
        self.lead.stage_id = False
        self.lead._advance_to("qualified")
        self.assertEqual(self.lead.stage_id.milestone, "qualified")

    def test_no_stage_for_the_milestone(self):
        self.lead._advance_to("payment")
        with self.assertNoMove():
            self.assertFalse(self.lead._advance_to("shipment"))
            self.assertFalse(self.lead._advance_to("shipment"))
        self.assertEqual(len(self._words()), 1)
        self.assertIn("no stage of its team", self._words()[0])
        self._stage("won").write({"milestone": False})
        self.lead._advance_to("won")
        self.assertEqual(len(self._words()), 2)
        self.assertFalse(self.lead.message_ids.notified_partner_ids)

    def test_stage_deleted_under_a_milestone(self):
        stage = self._stage("measurement")
        stage.milestone = False
        stage.unlink()
        with self.assertNoMove():
            self.lead._advance_to("measurement")
        self.assertEqual(len(self._words()), 1)

    def test_lost_deal(self):
        self.lead.action_set_lost()
        with self.assertNoMove():
            self.assertFalse(self.lead._advance_to("contract"))
            self.assertFalse(self.lead._advance_to("contract"))
        self.assertEqual(self.lead.won_status, "lost")
        self.assertEqual(len(self._words()), 1)
        self.assertIn("because it is lost", self._words()[0])
        self.lead.action_restore()
        self.lead._advance_to("contract")
        self.assertEqual(self.lead.stage_id.milestone, "contract")

    def test_won_deal(self):
        lead = self._new_lead(team_id=self.other_team.id, stage_id=self.shared_won.id)
        self._new_stage("Signed", milestone="contract", sequence=500)
        with self.assertNoMove(lead):
            lead._advance_to("contract")
            lead._advance_to("contract")
        self.assertEqual(len(self._words(lead)), 1)
        self.assertIn("already won", self._words(lead)[0])

    def test_won_deal_at_the_won_milestone_stays_silent(self):
        self.lead.action_set_won()
        with self.assertNoMove():
            self.assertEqual(self.lead._advance_to("payment"), self.lead)
        self.assertFalse(self._words())

    def test_archived_deal(self):
        self.lead.write({"active": False, "probability": 10})
        with self.assertNoMove():
            self.lead._advance_to("won")
        self.assertFalse(self.lead.active)
        self.assertIn("archived", self._words()[0])

    def test_won_closes_the_deal(self):
        self.lead._advance_to("won")
        self.assertEqual(self.lead.won_status, "won")
        self.assertEqual(self.lead.probability, 100)
        self.assertTrue(self.lead.date_closed)

    def test_own_stage_before_shared_stage(self):
        self._new_stage("Agreed", milestone="contract", sequence=2)
        own = self._new_stage("Retail contract", self.other_team, milestone="contract", sequence=90)
        lead = self._new_lead(team_id=self.other_team.id)
        lead._advance_to("contract")
        self.assertEqual(lead.stage_id, own)

    def test_shared_stages(self):
        agreed = self._new_stage("Agreed", milestone="contract", sequence=50)
        leads = self._new_lead(team_id=self.other_team.id) | self._new_lead(
            team_id=False, user_id=False
        )
        self.assertEqual(leads._advance_to("contract"), leads)
        self.assertEqual(leads.stage_id, agreed)
        self.lead._advance_to("contract")
        self.assertEqual(self.lead.stage_id, self._stage("contract"))

    def test_user_without_rights_on_deals(self):
        with self.assertRaises(AccessError):
            self.lead.with_user(self.clerk).stage_id = self._stage("contract")
        moved = self.lead.with_user(self.clerk)._advance_to("contract")
        self.assertEqual(self.lead.stage_id.milestone, "contract")
        self.assertFalse(moved.env.su)

    def test_tracked_where_the_document_is_not(self):
        """The days in each stage are computed from tracking values."""
        self.flush_tracking()
        before = self.lead.message_ids
        self.lead.with_context(tracking_disable=True)._advance_to("contract")
        self.flush_tracking()
        tracked = (self.lead.message_ids - before).sudo().tracking_value_ids.field_id
        self.assertIn("stage_id", tracked.mapped("name"))

    def test_unknown_milestone(self):
        with self.assertRaises(KeyError):
            self.lead._advance_to("handshake")


@tagged("post_install", "-at_install")
class TestAdvanceInBulk(MilestoneCommon):
    def _count_queries(self, leads, move):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.cr.sql_log_count
        move(leads)
        self.env.flush_all()
        return self.cr.sql_log_count - start

    def test_query_count(self):
        one = self._new_lead()
        ten = self.env["crm.lead"].union(*(self._new_lead() for _i in range(10)))
        self.flush_tracking()
        one._advance_to("qualified")
        ten._advance_to("qualified")
        self.flush_tracking()
        single = self._count_queries(one, lambda leads: leads._advance_to("contract"))
        many = self._count_queries(ten, lambda leads: leads._advance_to("contract"))
        self.assertEqual(ten.stage_id.milestone, "contract")
        self.assertEqual(many, single)
        repeated = self._count_queries(ten, lambda leads: leads._advance_to("contract"))
        self.assertLessEqual(repeated, 6)

    def test_words_query_count(self):
        one = self._new_lead()
        ten = self.env["crm.lead"].union(*(self._new_lead() for _i in range(10)))
        single = self._count_queries(one, lambda leads: leads._advance_to("shipment"))
        many = self._count_queries(ten, lambda leads: leads._advance_to("shipment"))
        self.assertTrue(all(self._words(lead) for lead in ten))
        self.assertEqual(many, single)
