"""A firm that works with plain Odoo before our addons come, and a way to see what they touched."""

import json
from contextlib import contextmanager
from datetime import timedelta

import live

#: What the firm owns already; each row must stay as it is.
TABLES = [
    "calendar_attendee",
    "calendar_event",
    "crm_lead",
    "crm_stage",
    "crm_tag",
    "crm_team",
    "crm_team_member",
    "ir_cron",
    "mail_activity",
    "mail_activity_type",
    "mail_message",
    "res_company",
    "res_groups_users_rel",
    "res_partner",
    "res_users",
    "sale_order",
    "sale_order_line",
    "sms_sms",
    "sms_tracker",
]
MODELS = "SELECT model FROM ir_model"
#: Of what is installed: one line for each thing, whatever its id.
CATALOGUE = {
    "column": """SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable
                   FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraint": """SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid)
                       FROM pg_constraint WHERE conrelid <> 0""",
    "index": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequence": "SELECT sequencename FROM pg_sequences",
    "function": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "trigger": "SELECT tgname || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal",
    "external id": "SELECT module || '.' || name || ' ' || model FROM ir_model_data",
    "model": "SELECT model FROM ir_model",
    "field": "SELECT model || '.' || name || ' ' || ttype FROM ir_model_fields",
    "choice": """SELECT f.model || '.' || f.name || '=' || s.value
                   FROM ir_model_fields_selection s JOIN ir_model_fields f ON f.id = s.field_id""",
    "view": "SELECT model || ' ' || name || ' ' || type FROM ir_ui_view",
    "menu": "SELECT name->>'en_US' FROM ir_ui_menu",
    "action": "SELECT type || ' ' || (name->>'en_US') FROM ir_actions",
    "scheduled action": "SELECT cron_name FROM ir_cron",
    "parameter": "SELECT key FROM ir_config_parameter",
    "access": "SELECT name FROM ir_model_access",
    "rule": "SELECT name FROM ir_rule",
    "group": "SELECT name->>'en_US' FROM res_groups",
    "privilege": "SELECT name->>'en_US' FROM res_groups_privilege",
    "default": "SELECT field_id || json_value FROM ir_default",
    "number sequence": "SELECT name FROM ir_sequence",
    "SMS template": "SELECT name->>'en_US' FROM sms_template",
    "activity type": "SELECT name->>'en_US' FROM mail_activity_type",
    "message subtype": "SELECT res_model || (name->>'en_US') FROM mail_message_subtype",
    # Bundles of assets are made anew whenever the screens change.
    "attachment": """SELECT coalesce(res_model, '') || ' ' || name FROM ir_attachment
                      WHERE url IS NULL OR url NOT LIKE '/web/assets/%'""",
    "waiting SMS": "SELECT body FROM sms_sms WHERE state = 'outgoing'",
    "SMS tracker": "SELECT sms_uuid FROM sms_tracker",
    "message of no model": f"SELECT model FROM mail_message WHERE model NOT IN ({MODELS})",
    "follower of no model": f"""SELECT res_model FROM mail_followers
                                 WHERE res_model NOT IN ({MODELS})""",
    "activity": "SELECT res_model || ' ' || res_id || coalesce(summary, '') FROM mail_activity",
    "event": "SELECT name FROM calendar_event",
    "team": "SELECT name->>'en_US' FROM crm_team",
    "stage": "SELECT name->>'en_US' FROM crm_stage",
    "resource": "SELECT name FROM resource_resource",
}


@contextmanager
def firm_with_plain_odoo(purpose):
    """Yield a new database with Odoo's modules and a firm's own data, but none of our addons.

    Nothing is sent there, and no scheduled action runs.
    """
    with live.plain_database(purpose) as name:
        live.change(name, "UPDATE ir_cron SET active = FALSE")
        with live.MailServer() as mail, live.serve(name, *mail.options) as server:
            fill(server.admin)
        yield name


def fill(admin):
    """Enter stages, a team, leads, events, tasks, orders and waiting SMS, as people do."""
    team_id = admin.create("crm.team", name="Retail")
    stage_ids = [
        admin.create("crm.stage", name="Negotiation", sequence=15),
        admin.create("crm.stage", name="Sample sent", sequence=16, team_ids=[(6, 0, [team_id])]),
        admin.create("crm.stage", name="Closed", sequence=90, is_won=True),
    ]
    partner_id = admin.create("res.partner", name="Old Customer", phone="050 123 45 67")
    (call,) = admin.search("mail.activity.type", [("category", "=", "phonecall")])[:1]
    (model,) = admin.search("ir.model", [("model", "=", "crm.lead")])
    tomorrow = live.utc_now().replace(hour=10, minute=0, second=0) + timedelta(days=1)
    for number, stage_id in enumerate([False, *stage_ids]):
        values = {"stage_id": stage_id} if stage_id else {}
        lead_id = admin.create(
            "crm.lead", name=f"Deal {number}", type="opportunity", partner_id=partner_id, **values
        )
        admin.create(
            "mail.activity",
            res_model_id=model["id"],
            res_id=lead_id,
            activity_type_id=call["id"],
            summary=f"Call about deal {number}",
            date_deadline=f"{tomorrow.date()}",
        )
        admin.create(
            "calendar.event",
            name=f"Meeting {number}",
            start=f"{tomorrow + timedelta(hours=number)}",
            stop=f"{tomorrow + timedelta(hours=number + 1)}",
            opportunity_id=lead_id,
            partner_ids=[(4, partner_id), (4, admin.partner_id)],
        )
        admin.create("sms.sms", number="+380501234567", body=f"Hello {number}")
    lost_id = admin.create("crm.lead", name="Lost deal", type="opportunity")
    admin.call("crm.lead", "action_set_lost", [lost_id])
    admin.create("crm.lead", name="Raw lead", type="lead", phone="not a number")
    admin.create("sale.order", partner_id=partner_id, opportunity_id=lead_id)


def read_rows(name):
    """Return the firm's rows as {(table, key): {column: text}}."""
    rows = {}
    for table in TABLES:
        query = f'SELECT to_json(t) FROM "{table}" t'
        for text in live.dev.sql(live.PG, query, name).splitlines():
            row = json.loads(text)
            if table == "res_partner":
                # Odoo looks anew at who is an employee whenever it gets a group.
                row = {column: row[column] for column in row if not column.startswith("write_")}
            rows[table, row.get("id") or text] = row
    return rows


def compare(before, after, ignore=()):
    """Return what happened to the rows of before: gone, or columns with other values.

    :param ignore: names of columns that may change
    """
    changes = []
    for key, row in before.items():
        if key not in after:
            changes.append(f"{key} is gone")
            continue
        for column in row.keys() - set(ignore):
            value, new = row[column], after[key].get(column)
            if new != value:
                changes.append(f"{key} {column}: {value!r} became {new!r}")
    return changes


def read_catalogue(name):
    """Return everything that is installed as a set of lines."""
    return {
        f"{kind}: {line}"
        for kind, query in CATALOGUE.items()
        for line in live.dev.sql(live.PG, query, name).splitlines()
    }
