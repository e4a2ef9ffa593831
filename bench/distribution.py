"""What distributing costs and how fair it is: 1,000 waiting visits over 50 measurers.

    ./dev bench distribution [--visits 1000] [--measurers 50] [--rounds 3]

Each round runs, in turns: the cron of the distribution; the mere booking of the same visits at
the same times by the same measurers; and, in a database of plain Odoo, the named peer, core's
``_cron_assign_leads`` of as many leads to 4 teams of 5 people, which knows no calendars, travel,
zones or capacity of a day. Nothing is kept: commits only flush. A site is drawn around a city of
30 km, every measurer works Monday to Friday and makes up to six visits a day, every third four.

Gates: the distribution adds at most 3 queries for each visit to what booking costs; every visit
gets a place; no measurer is more than three visits off the share of capacity, although some live
far out (where all places are alike it is one: ``test_distribution_weeks``). Seconds are reported.
A gate that is missed makes the exit code 1.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import time
from unittest.mock import patch

from _databases import drop_databases, make_databases

import odoo
from odoo import api
from odoo.modules.registry import Registry
from odoo.tools import split_every

PLAIN, OURS = "bench_assign_plain", "bench_distribution"
OWN_QUERIES, EXCESS = 3, 3
TEAMS, MEMBERS = 4, 5
CENTRE = (50.45, 30.52)


def open_database(name):
    """Return the environment of the user of the crons."""
    registry = Registry(name)
    return api.Environment(registry.cursor(), api.SUPERUSER_ID, {})


def get_point(chance):
    """Return a point in and around the city."""
    return CENTRE[0] + chance.gauss(0, 0.08), CENTRE[1] + chance.gauss(0, 0.12)


def make_users(env, name, number, group):
    """Return new users of a group."""
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            [
                {
                    "name": f"{name} {index}",
                    "login": f"bench_{name}_{index}",
                    "group_ids": [(6, 0, env.ref(group).ids)],
                }
                for index in range(number)
            ]
        )
    )


def fill(env, visits, measurers, chance):
    """Make measurers, and visits in the queue."""
    env.company.resource_calendar_id.tz = "Europe/Kyiv"
    users = make_users(env, "Measurer", measurers, "crm_wholesale.crm_wholesale_group_measurer")
    points = [get_point(chance) for _user in users]
    homes = env["res.partner"].create(
        [{"name": "Home", "partner_latitude": y, "partner_longitude": x} for y, x in points]
    )
    env["crm.measurer"].create(
        [
            {
                "name": user.name,
                "user_id": user.id,
                "tz": "Europe/Kyiv",
                "visits_per_day": 6 if index % 3 else 4,
                "start_address_id": home.id,
            }
            for index, (user, home) in enumerate(zip(users, homes, strict=True))
        ]
    )
    leads = env["crm.lead"].create(
        [
            {
                "name": f"Deal {index}",
                "type": "opportunity",
                "contact_name": f"Customer {index}",
                "phone": "+380501234567",
                "street": f"Street {index}",
                "city": "Kyiv",
                "user_id": env.ref("base.user_admin").id,
                "team_id": env.ref("crm_wholesale.crm_team_wholesale").id,
            }
            for index in range(visits)
        ]
    )
    points = [get_point(chance) for _lead in leads]
    env["crm.visit"]._queue(
        [
            {"lead_id": lead.id, "latitude": y, "longitude": x, "tz": "Europe/Kyiv"}
            for lead, (y, x) in zip(leads, points, strict=True)
        ],
        "New",
    )
    env.cr.commit()


def fill_plainly(env, leads):
    """Make teams with members, and leads that nobody owns."""
    env["crm.team"].search([]).write({"assignment_optout": True})
    users = make_users(env, "Salesman", TEAMS * MEMBERS, "sales_team.group_sale_salesman")
    quota = 3 * 30 * leads // len(users)
    for index, members in enumerate(split_every(MEMBERS, users.ids)):
        team = env["crm.team"].create(
            {"name": f"Team {index}", "assignment_domain": "[('user_id', '=', False)]"}
        )
        env["crm.team.member"].create(
            [{"crm_team_id": team.id, "user_id": user, "assignment_max": quota} for user in members]
        )
    env["ir.config_parameter"].set_param("crm.lead.auto.assignment", True)
    env["ir.config_parameter"].set_param("crm.assignment.delay", "0")
    env["crm.lead"].create(
        [
            {
                "name": f"Lead {index}",
                "type": "lead",
                "contact_name": f"Customer {index}",
                "phone": "+380501234567",
                "user_id": False,
                "team_id": False,
            }
            for index in range(leads)
        ]
    )
    env.cr.commit()


def distribute(env):
    """Run the cron's work."""
    env["crm.visit"]._cron_distribute()


def assign(env):
    """Run core's assignment of leads."""
    env["crm.team"]._cron_assign_leads()


def make_booking(places):
    """Return an operation that books visits where they are known to have a place.

    :param list places: (visit id, measurer id, start, stop)
    """

    def book(env):
        for batch in split_every(100, places, list):
            visits = env["crm.visit"].browse([place[0] for place in batch])
            for visit, (_id, measurer, start, stop) in zip(visits, batch, strict=True):
                visit.write({"measurer_id": measurer, "start": start, "stop": stop})
            visits._schedule()
            env.cr.commit()

    return book


def measure(env, operation, read=lambda: None):
    """Return (seconds, queries, what ``read`` finds) of an operation; nothing is kept."""
    env.invalidate_all()
    gc.collect()
    queries, began = env.cr.sql_log_count, time.perf_counter()
    with patch.object(env.cr, "commit", env.cr.flush):
        operation(env)
        env.cr.commit()
    result = time.perf_counter() - began, env.cr.sql_log_count - queries
    found = read()
    env.cr.rollback()
    return *result, found


def get_places(env):
    """Return where the visits were placed."""
    visits = env["crm.visit"].search([("state", "=", "scheduled")])
    return [(v.id, v.measurer_id.id, v.start, v.stop) for v in visits]


def get_excess(env, places):
    """Return by how many visits each measurer is off the share of capacity."""
    measurers = env["crm.measurer"].search([])
    total = sum(measurers.mapped("visits_per_day"))
    loads = dict.fromkeys(measurers.ids, 0)
    for _visit, measurer, _start, _stop in places:
        loads[measurer] += 1
    return [loads[m.id] - len(places) * m.visits_per_day / total for m in measurers]


def main():
    """Run the benchmark; return 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--measurers", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    odoo.tools.config.parse_config(["--log-level=error"])
    make_databases(OURS, PLAIN, "crm")
    plain, ours = open_database(PLAIN), open_database(OURS)
    fill_plainly(plain, options.visits)
    fill(ours, options.visits, options.measurers, random.Random(7))

    places = measure(ours, distribute, lambda: get_places(ours))[2]
    book = make_booking(places)
    results = {name: [] for name in ("distribute", "book", "assign")}
    for _round in range(options.rounds):
        results["distribute"].append(measure(ours, distribute))
        results["book"].append(measure(ours, book))
        results["assign"].append(measure(plain, assign))
    excess = get_excess(ours, places)
    for env in (plain, ours):
        env.cr.close()

    seconds = {name: statistics.median(row[0] for row in rows) for name, rows in results.items()}
    queries = {name: max(row[1] for row in rows) for name, rows in results.items()}
    labels = {
        "distribute": f"distribution of {options.visits:,} visits",
        "book": "booking the same alone",
        "assign": f"core assigns {options.visits:,} leads",
    }
    print(f"\n{options.measurers} measurers, median of {options.rounds}, {os.cpu_count()} cores")
    for name, label in labels.items():
        each = queries[name] / options.visits
        print(f"{label:36}{seconds[name]:8.1f} s {each:8.2f} queries each")
    own_queries = (queries["distribute"] - queries["book"]) / options.visits
    own_seconds = seconds["distribute"] - seconds["book"]
    gates = [
        (f"own queries for each visit: {own_queries:.2f}", own_queries <= OWN_QUERIES),
        (f"placed: {len(places):,} of {options.visits:,}", len(places) == options.visits),
        (
            f"off the share of capacity: {min(excess):+.1f} to {max(excess):+.1f} visits",
            max(map(abs, excess)) <= EXCESS,
        ),
    ]
    for text, kept in gates:
        print(text if kept else f"{text}   MISSED")
    print(
        f"R, whole / core's assignment: {seconds['distribute'] / seconds['assign']:.2f}; "
        f"R, own part / core's assignment: {own_seconds / seconds['assign']:.2f}"
    )
    drop_databases(OURS, PLAIN)
    return int(not all(kept for _text, kept in gates))


if __name__ == "__main__":
    sys.exit(main())
