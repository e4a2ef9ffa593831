def uninstall_hook(env):
    """Leave the firm those of the installed stages and team that hold its deals.

    Without an external id they are no longer the addon's, and uninstalling spares them. A team
    is also spared while a stage that stays names it.
    """
    env = env(context={**env.context, "active_test": False})  # lost deals, archived teams
    data = env["ir.model.data"].search([("module", "=", "crm_wholesale")])
    stage_data = data.filtered(lambda row: row.model == "crm.stage")
    team_data = data.filtered(lambda row: row.model == "crm.team")
    ours = env["crm.stage"].browse(stage_data.mapped("res_id"))
    teams = env["crm.team"].browse(team_data.mapped("res_id")).exists()
    deals = env["crm.lead"]._read_group([("stage_id", "in", ours.ids)], ["stage_id"])
    kept = env["crm.stage"].union(*(stage for (stage,) in deals))
    deals = env["crm.lead"]._read_group([("team_id", "in", teams.ids)], ["team_id"])
    kept_teams = env["crm.team"].union(*(team for (team,) in deals))
    kept_teams |= teams.filtered(lambda team: team.stage_ids - (ours - kept))
    stage_data.filtered(lambda row: row.res_id in kept.ids).unlink()
    team_data.filtered(lambda row: row.res_id in kept_teams.ids).unlink()
