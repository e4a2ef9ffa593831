"""What the addons cost where a firm already works: 100,000 leads, beside plain Odoo in one run.

    ./dev bench leads [--leads 100000] [--rounds 15] [--keep]

Two databases are filled alike, one with Odoo's own modules, one with ours on top. Each round
does every operation in both, in turns; medians are compared. The gates are those of the issue
"The house stands": kanban, list and pivot at most 1.10 times plain Odoo and at most 4 queries
more, creating leads at most 1.15 times. A gate that is missed makes the exit code 1.
"""

import argparse
import gc
import os
import statistics
import sys
import time

from _databases import drop_databases, make_databases
from lxml import etree

import odoo
from odoo import api
from odoo.modules.registry import Registry

PLAIN, OURS = "bench_plain", "bench_ours"
ADMIN = 2
READ_RATIO, READ_QUERIES, CREATE_RATIO = 1.10, 4, 1.15
BOARD = [("type", "=", "opportunity")]


def open_database(name):
    """Return the environment of the administrator, with the record rules on."""
    registry = Registry(name)
    return api.Environment(registry.cursor(), ADMIN, {"lang": "en_US", "tz": "Europe/Kyiv"})


def fill(env, number):
    """Make leads that differ in stage, owner, month and revenue; every fifth has an activity."""
    users = env["res.users"].create(
        [{"name": f"Salesman {i}", "login": f"bench_{i}"} for i in range(20)]
    )
    team = env["crm.team"].create({"name": "Bench", "user_id": users[0].id})
    stages = env["crm.stage"].search([("team_ids", "=", False)])
    env.flush_all()
    env.cr.execute(
        """
        INSERT INTO crm_lead (name, contact_name, phone, phone_sanitized, type, active, stage_id,
                              user_id, team_id, company_id, expected_revenue, priority,
                              probability, won_status, create_date, write_date,
                              date_last_stage_update, create_uid, write_uid)
        SELECT 'Deal ' || i, 'Customer ' || i, '+380501234567', '+380501234567', 'opportunity',
               true, (%(stages)s)[1 + i %% %(stage_count)s], (%(users)s)[1 + i %% 20], %(team)s,
               %(company)s, i %% 10000, '1', 10, 'pending', now() - (i %% 700) * interval '1 day',
               now(), now() - (i %% 700) * interval '1 day', 1, 1
          FROM generate_series(1, %(number)s) AS i
        """,
        {
            "stages": stages.ids,
            "stage_count": len(stages),
            "users": users.ids,
            "team": team.id,
            "company": env.company.id,
            "number": number,
        },
    )
    env.cr.execute(
        """
        INSERT INTO mail_activity (res_model_id, res_model, res_id, res_name, activity_type_id,
                                   user_id, date_deadline, active, automated, create_uid,
                                   write_uid, create_date, write_date)
        SELECT %(model)s, 'crm.lead', id, name, %(type)s, user_id,
               current_date + (id %% 60 - 30)::int, true, false, 1, 1, now(), now()
          FROM crm_lead WHERE id %% 5 = 0
        """,
        {
            "model": env["ir.model"]._get_id("crm.lead"),
            "type": env.ref("mail.mail_activity_data_call").id,
        },
    )
    env.cr.commit()
    env.cr._cnx.autocommit = True
    env.cr.execute("VACUUM ANALYZE crm_lead, mail_activity")
    env.cr._cnx.autocommit = False
    env.invalidate_all()


def get_specification(env, view_type):
    """Return what the web client asks for: the fields of this database's own view."""
    view = env["crm.lead"].get_view(view_type=view_type)
    specification = {}
    for node in etree.fromstring(view["arch"]).iter("field"):
        field = env["crm.lead"]._fields[node.get("name")]
        if field.type == "many2one":
            specification[field.name] = {"fields": {"display_name": {}}}
        else:
            specification[field.name] = {"fields": {}} if field.relational else {}
    return specification


def kanban(env, specification):
    """The board: columns by stage with their first 40 cards, and the bars above them."""
    lead = env["crm.lead"]
    lead.web_read_group(
        BOARD,
        ["stage_id"],
        ["expected_revenue:sum"],
        auto_unfold=True,
        unfold_read_specification=specification,
        unfold_read_default_limit=40,
    )
    states = {"planned": "success", "today": "warning", "overdue": "danger"}
    lead.read_progress_bar(
        BOARD, "stage_id", {"field": "activity_state", "colors": states, "sum_field": False}
    )


def listing(env, specification):
    """The first page of the list."""
    env["crm.lead"].web_search_read(BOARD, specification, limit=80, count_limit=10001)


def pivot(env, _specification):
    """Stage by month, with totals."""
    sets = [[], ["stage_id"], ["create_date:month"], ["stage_id", "create_date:month"]]
    env["crm.lead"].formatted_read_grouping_sets(BOARD, sets, ["__count", "expected_revenue:sum"])


def creation(env, _specification):
    """A thousand leads in one call, with their chatter messages."""
    env["crm.lead"].create(
        [
            {"name": f"New {i}", "contact_name": f"Customer {i}", "phone": "+380501234567"}
            for i in range(1000)
        ]
    )
    env.flush_all()


def measure(env, operation, specification):
    """Return (seconds, queries) of one operation on cold records; nothing is kept."""
    env.invalidate_all()
    gc.collect()
    queries, began = env.cr.sql_log_count, time.perf_counter()
    operation(env, specification)
    result = time.perf_counter() - began, env.cr.sql_log_count - queries
    env.cr.rollback()
    return result


def compare(envs, name, operation, view_type, rounds):
    """Measure an operation in turns; return its row of the table."""
    specifications = [get_specification(env, view_type) if view_type else None for env in envs]
    for env, specification in zip(envs, specifications, strict=True):
        measure(env, operation, specification)
    results = [[], []]
    for turn in range(rounds):
        for index in (0, 1) if turn % 2 else (1, 0):
            results[index].append(measure(envs[index], operation, specifications[index]))
    medians = [statistics.median(seconds for seconds, _queries in rows) for rows in results]
    ratio = statistics.median(
        ours / plain for (plain, _q), (ours, _r) in zip(*results, strict=True)
    )
    queries = [max(queries for _seconds, queries in rows) for rows in results]
    return name, medians, ratio, queries


def main():
    """Run the benchmark; return 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", action="store_true", help="use the databases of the last run")
    options = parser.parse_args()
    odoo.tools.config.parse_config(["--log-level=error"])
    if not options.keep:
        make_databases(OURS, PLAIN, "crm")
    envs = [open_database(PLAIN), open_database(OURS)]
    if not options.keep:
        for env in envs:
            fill(env, options.leads)

    rows = [
        compare(envs, "kanban", kanban, "kanban", options.rounds),
        compare(envs, "list", listing, "list", options.rounds),
        compare(envs, "pivot", pivot, None, options.rounds),
        compare(envs, "create 1,000", creation, None, max(3, options.rounds // 3)),
    ]
    for env in envs:
        env.cr.close()

    print(f"\n{options.leads:,} leads, median of {options.rounds} rounds, {os.cpu_count()} cores")
    print("operation       plain ms    ours ms    ratio   queries plain / ours")
    missed = False
    for name, (plain, ours), ratio, (plain_queries, our_queries) in rows:
        creating = name.startswith("create")
        allowed = CREATE_RATIO if creating else READ_RATIO
        bad = ratio > allowed or (not creating and our_queries > plain_queries + READ_QUERIES)
        missed |= bad
        print(
            f"{name:14}{plain * 1000:10.1f} {ours * 1000:10.1f} {ratio:8.2f}"
            f" {plain_queries:10} / {our_queries}{'   MISSED' if bad else ''}"
        )
    if not options.keep:
        drop_databases(OURS, PLAIN)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
