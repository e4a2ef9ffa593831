"""What booking a thousand visits at once costs, beside what plain Odoo takes for less.

    ./dev bench booking [--visits 1000] [--rounds 5] [--keep]

Plain Odoo creates as many leads and as many calendar events with an attendee, in a database of
its own. We book as many visits of fifty measurers, for deals that are there: each with its event,
the measurer's task, the customer's notice and its task, and the deal's new stage. Both are
measured in turns, medians are compared. The gates are those of PERFORMANCE: at most 2.0 times
plain Odoo, and at most 60 queries for one booking alone. A gate that is missed makes the exit
code 1.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from datetime import datetime, timedelta

from _databases import drop_databases, make_databases

import odoo
from odoo import api
from odoo.modules.registry import Registry

PLAIN, OURS = "bench_booking_plain", "bench_booking_ours"
MODULES = "crm,sale_crm,sms,calendar_sms"
MEASURERS, PER_DAY = 50, 4
RATIO, QUERIES = 2.0, 60


def open_database(name):
    """Return the environment of a sales manager, made if there is none."""
    env = api.Environment(Registry(name).cursor(), api.SUPERUSER_ID, {"tz": "Europe/Kyiv"})
    manager = new_user(env, "bench_manager", "sales_team.group_sale_salesman")
    env.cr.commit()
    return env(user=manager)


def new_user(env, login, group):
    """Return the user of this login, made if there is none."""
    users = env["res.users"].sudo().with_context(no_reset_password=True)
    values = {
        "name": login.title(),
        "login": login,
        "tz": "Europe/Kyiv",
        "group_ids": [(6, 0, env.ref(group).ids)],
    }
    return users.search([("login", "=", login)]) or users.create(values)


def new_leads(env, number):
    """Return new deals of the user."""
    return env["crm.lead"].create(
        [
            {
                "name": f"Deal {i}",
                "type": "opportunity",
                "contact_name": f"Customer {i}",
                "phone": "+380501234567",
                "street": "Made-up Street, 1",
                "city": "Kyiv",
                "user_id": env.uid,
            }
            for i in range(number)
        ]
    )


def new_events(env, starts):
    """Create calendar events of an hour, which mail nobody."""
    partner = env.user.partner_id
    env["calendar.event"].with_context(no_mail_to_attendees=True).create(
        [
            {
                "name": "Visit",
                "start": start,
                "stop": start + timedelta(hours=1),
                "partner_ids": [(6, 0, partner.ids)],
            }
            for start in starts
        ]
    )


def get_starts(number):
    """Return when visits begin, as many at each moment as there are measurers."""
    first = datetime.now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=7)
    places = [divmod(index // MEASURERS, PER_DAY) for index in range(number)]
    return [first + timedelta(days=day, hours=2 * hour) for day, hour in places]


def create_plainly(env, number):
    """Create leads and events in plain Odoo; return (seconds, queries)."""

    def create():
        new_leads(env, number)
        new_events(env, get_starts(number))

    return measure(env, create)


def get_measurers(env):
    """Return the measurers, made if there are none."""
    measurers = env["crm.measurer"].sudo()
    if found := measurers.search([]):
        return found
    group = "crm_wholesale.crm_wholesale_group_measurer"
    users = [new_user(env, f"bench_measurer_{i}", group) for i in range(MEASURERS)]
    made = measurers.create(
        [{"name": user.name, "user_id": user.id, "tz": "Europe/Kyiv"} for user in users]
    )
    env.cr.commit()
    return made


def book(env, number):
    """Book visits for deals that are there; return (seconds, queries)."""
    measurers = get_measurers(env)
    leads = new_leads(env, number)
    visit_type = env["crm.visit.type"].search([], limit=1)
    values_list = [
        {
            "lead_id": lead.id,
            "type_id": visit_type.id,
            "measurer_id": measurers[index % MEASURERS].id,
            "start": start,
        }
        for index, (lead, start) in enumerate(zip(leads, get_starts(number), strict=True))
    ]
    return measure(env, lambda: env["crm.visit"]._book(values_list))


def measure(env, operation):
    """Return (seconds, queries) of an operation on cold records; nothing is kept."""
    env.flush_all()
    env.invalidate_all()
    gc.collect()
    queries, began = env.cr.sql_log_count, time.perf_counter()
    operation()
    env.flush_all()
    result = time.perf_counter() - began, env.cr.sql_log_count - queries
    env.cr.rollback()
    return result


def main():
    """Run the benchmark; return 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="use the databases of the last run")
    options = parser.parse_args()
    odoo.tools.config.parse_config(["--log-level=error"])
    if not options.keep:
        make_databases(OURS, PLAIN, MODULES)
    plain_env, our_env = open_database(PLAIN), open_database(OURS)

    create_plainly(plain_env, 2)
    book(our_env, 2)
    _seconds, single = book(our_env, 1)
    plain, ours = [], []
    for _turn in range(options.rounds):
        plain.append(create_plainly(plain_env, options.visits))
        ours.append(book(our_env, options.visits))
    for env in (plain_env, our_env):
        env.cr.close()

    ratio = statistics.median(own[0] / other[0] for other, own in zip(plain, ours, strict=True))
    print(f"\n{options.visits:,} visits, median of {options.rounds} rounds, {os.cpu_count()} cores")
    for title, rows in (("leads + events, plain Odoo", plain), ("visits booked", ours)):
        seconds = statistics.median(seconds for seconds, _queries in rows)
        queries = max(queries for _seconds, queries in rows) / options.visits
        print(f"{title:28}{seconds:8.2f} s {queries:8.2f} queries each")
    print(f"{'ratio':28}{ratio:8.2f}   {'MISSED' if ratio > RATIO else ''}")
    print(f"{'one booking alone':28}{single:8} queries {'MISSED' if single > QUERIES else ''}")
    if not options.keep:
        drop_databases(OURS, PLAIN)
    return int(ratio > RATIO or single > QUERIES)


if __name__ == "__main__":
    sys.exit(main())
