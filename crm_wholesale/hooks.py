from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG


def uninstall_hook(env):
    """Do what uninstalling must do and Odoo would not, or not well, by itself."""
    env = env(context={**env.context, "active_test": False, MODULE_UNINSTALL_FLAG: True})
    _leave_used_stages_and_team(env)
    _delete_visits_and_measurers(env)
    _forget_names_given_by_mixins(env)
    _loosen_ties_to_core(env.registry)


def _leave_used_stages_and_team(env):
    """Leave the firm those of the installed stages and team that hold its deals, lost ones too.

    Without an external id they are no longer the addon's, and uninstalling spares them. A team
    is also spared while a stage that stays names it.
    """
    data = env["ir.model.data"].search([("module", "=", "crm_wholesale")])

    def get_records(model):
        return env[model].browse(data.filtered(lambda row: row.model == model).mapped("res_id"))

    def get_used(records, field):
        groups = env["crm.lead"]._read_group([(field, "in", records.ids)], [field])
        return records.browse().union(*(record for (record,) in groups))

    stages = get_records("crm.stage")
    teams = get_records("crm.team").exists()
    kept_stages = get_used(stages, "stage_id")
    unused_stages = stages - kept_stages
    kept_teams = get_used(teams, "team_id") | teams.filtered(
        lambda team: team.stage_ids - unused_stages
    )
    kept = {
        (records._name, record_id)
        for records in (kept_stages, kept_teams, kept_teams.alias_id)
        for record_id in records.ids
    }
    data.filtered(lambda row: (row.model, row.res_id) in kept).unlink()


def _delete_visits_and_measurers(env):
    """Delete what lies in tables of Odoo's: events of visits, resources of measurers, waiting SMS.

    Of an SMS that went out later nobody would know.
    """
    notices = env["crm.visit.notice"].search([])
    _notices, waiting_sms = notices._get_waiting_sms()
    waiting_sms.unlink()
    notices.unlink()
    visits = env["crm.visit"].search([])
    visits.event_id.with_context(crm_visit_writes_event=True).unlink()
    visits.unlink()
    env["crm.measurer"].search([]).unlink()


def _forget_names_given_by_mixins(env):
    """Delete the external ids that our models got from the modules of their mixins.

    Uninstalling deletes what they name, with the models, but not them.
    """
    ours = [
        name for name, model in env.registry.items() if model._original_module == "crm_wholesale"
    ]
    for records in (
        env["ir.model.fields.selection"].search([("field_id.model", "in", ours)]),
        env["ir.model.inherit"].search([("model_id.model", "in", ours)]),
    ):
        env["ir.model.data"].search(
            [
                ("module", "!=", "crm_wholesale"),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        ).unlink()


def _loosen_ties_to_core(registry):
    """Keep Odoo's own fields and queries out of the deletion of our fields.

    The registry is thrown away when the addon is gone.
    """
    # Every deletion looks for activities in this order, and would miss the column of the minute.
    registry["mail.activity"]._order = "date_deadline ASC, id ASC"
    # With a field Odoo deletes the inherited fields of others that depend on it, however
    # remotely: the name of a scheduled action depends on our fields of activities.
    registry.get_dependent_fields = lambda field: ()
