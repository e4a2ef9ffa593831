"""How long a manager waits for free slots: 50 measurers with full days, then 500.

    ./dev bench slots [--visits 5000] [--rounds 30] [--keep]

Fourteen days, seven a week, 8:00 to 20:00 with an hour's break; a third of the visits lie
without coordinates. Each round asks ``_find_slots`` for a site of its own, on cold records, in
turns with a peer in plain Odoo: a loop over the measurers with Odoo's ``_work_intervals_batch``
and a search of their calendar's events, which yields free time only: no zones, skills,
capacity, travel or words.

The gate is that of PERFORMANCE: the same number of queries for any number of measurers and
visits. Milliseconds are goals; "Python ms" is the processor's time in Odoo alone, which a busy
machine changes less.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import time
from datetime import datetime, timedelta

import pytz
from _databases import drop_databases, make_databases

import odoo
from odoo import api
from odoo.modules.registry import Registry
from odoo.tools.intervals import Intervals

NAME = "bench_slots"
DAYS = 14
HOURS = (8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19)
GOALS = {50: 150, 500: 500}
CENTRE = (50.45, 30.52)
LIMIT = 60


def open_database():
    """Return the environment of a sales manager, the user who asks."""
    registry = Registry(NAME)
    env = api.Environment(registry.cursor(), api.SUPERUSER_ID, {"tz": "Europe/Kyiv"})
    manager = env["res.users"].search([("login", "=", "bench_manager")])
    if not manager:
        manager = env["res.users"].create(
            {
                "name": "Manager",
                "login": "bench_manager",
                "tz": "Europe/Kyiv",
                "group_ids": [(6, 0, env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
    return env, env(user=manager)


def get_point(chance):
    """Return a point in and around a city of 30 km."""
    return CENTRE[0] + chance.uniform(-0.13, 0.13), CENTRE[1] + chance.uniform(-0.2, 0.2)


def fill(env, measurers, visits, chance):
    """Make measurers with login, hours, zones and skills, and their booked visits with events."""
    calendar = env["resource.calendar"].create(
        {
            "name": "Seven days",
            "tz": "Europe/Kyiv",
            "attendance_ids": [(5, 0, 0)]
            + [
                (0, 0, {"name": "-", "dayofweek": str(day), "hour_from": start, "hour_to": stop})
                for day in range(7)
                for start, stop in ((8, 12), (13, 20))
            ],
        }
    )
    zones = env["crm.visit.zone"].create(
        [{"name": f"Zone {number}", "zips": f"{number:02}*"} for number in range(20)]
    )
    skill = env["crm.visit.skill"].search([("name", "=", "Bench")]) or env[
        "crm.visit.skill"
    ].create({"name": "Bench"})
    group = env.ref("crm_wholesale.crm_wholesale_group_measurer")
    present = env["crm.measurer"].search_count([])
    users = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            [
                {
                    "name": f"Measurer {number}",
                    "login": f"bench_measurer_{number}",
                    "group_ids": [(6, 0, group.ids)],
                }
                for number in range(present, present + measurers)
            ]
        )
    )
    homes = env["res.partner"].create(
        [
            {"name": "Home", "partner_latitude": point[0], "partner_longitude": point[1]}
            for point in (get_point(chance) for _user in users)
        ]
    )
    crew = env["crm.measurer"].create(
        [
            {
                "name": user.name,
                "user_id": user.id,
                "tz": "Europe/Kyiv",
                "resource_calendar_id": calendar.id,
                "visits_per_day": 10,
                "zone_ids": [(6, 0, zones.ids)] if number % 2 else [],
                "skill_ids": [(6, 0, skill.ids)],
                "start_address_id": home.id,
            }
            for number, (user, home) in enumerate(zip(users, homes, strict=True))
        ]
    )
    env["resource.calendar.leaves"].create(
        [
            {
                "resource_id": measurer.resource_id.id,
                "date_from": datetime.now().replace(microsecond=0) + timedelta(days=day, hours=1),
                "date_to": datetime.now().replace(microsecond=0) + timedelta(days=day, hours=4),
            }
            for day, measurer in enumerate(crew[::7], start=1)
        ]
    )
    env.flush_all()
    first = datetime.now(pytz.timezone("Europe/Kyiv")).date() + timedelta(days=1)
    places = [
        (measurer, day, hour) for measurer in crew for day in range(DAYS - 1) for hour in HOURS
    ]
    rows = []
    for measurer, day, hour in chance.sample(places, visits):
        start = pytz.timezone("Europe/Kyiv").localize(
            datetime.combine(first + timedelta(days=day), datetime.min.time().replace(hour=hour))
        )
        start = start.astimezone(pytz.utc).replace(tzinfo=None)
        point = get_point(chance) if chance.random() < 0.67 else (0.0, 0.0)
        partner, code = measurer.user_id.partner_id.id, f"{chance.randrange(20):02}001"
        rows.append((measurer.id, start, start + timedelta(hours=1), *point, code, partner))
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 7
    env.cr.execute(
        """
        WITH wanted AS (
            SELECT row_number() OVER () AS number, *
              FROM unnest(%s::int[], %s::timestamp[], %s::timestamp[], %s::numeric[],
                          %s::numeric[], %s::text[], %s::int[])
                AS t(measurer_id, start, stop, latitude, longitude, zip, partner_id)
        ), event AS (
            INSERT INTO calendar_event (name, start, stop, show_as, privacy, active, allday,
                                        user_id)
            SELECT 'V' || number || '/' || measurer_id, start, stop, 'busy', 'public', true,
                   false, 1 FROM wanted
            RETURNING id, name
        ), faced AS (
            SELECT wanted.*, event.id AS event_id, event.name
              FROM wanted JOIN event ON event.name = 'V' || number || '/' || measurer_id
        ), visit AS (
            INSERT INTO crm_visit (name, company_id, state, type_id, measurer_id, start, stop, tz,
                                   latitude, longitude, zip, city, event_id, revision)
            SELECT name, %s, 'scheduled', %s, measurer_id, start, stop, 'Europe/Kyiv', latitude,
                   longitude, zip, 'Kyiv', event_id, 0 FROM faced
        ), attendee AS (
            INSERT INTO calendar_attendee (event_id, partner_id, state)
            SELECT event_id, partner_id, 'accepted' FROM faced
        )
        INSERT INTO calendar_event_res_partner_rel (calendar_event_id, res_partner_id)
        SELECT event_id, partner_id FROM faced
        """,
        [
            *map(list, columns),
            env.company.id,
            env.ref("crm_wholesale.crm_visit_type_measurement").id,
        ],
    )
    env.cr.commit()
    env.cr._cnx.autocommit = True
    env.cr.execute("VACUUM ANALYZE crm_visit, calendar_event, calendar_event_res_partner_rel")
    env.cr._cnx.autocommit = False
    env.invalidate_all()


def find(env, values):
    """Ask for slots as the booking screen does."""
    now = datetime.now().replace(microsecond=0)
    return env["crm.measurer"]._find_slots(values, now, now + timedelta(days=DAYS), LIMIT)


def find_plainly(env, _values):
    """Return free hours with plain Odoo: measurer by measurer, calendar and events."""
    start = datetime.now(pytz.utc).replace(microsecond=0)
    stop = start + timedelta(days=DAYS)
    bounds = start.replace(tzinfo=None), stop.replace(tzinfo=None)
    free = []
    for measurer in env["crm.measurer"].sudo().search([]):
        resource, calendar = measurer.resource_id, measurer.resource_calendar_id
        work = calendar._work_intervals_batch(start, stop, resource)[resource.id]
        events = (
            env["calendar.event"]
            .sudo()
            .search(
                [
                    ("partner_ids", "in", measurer.user_id.partner_id.ids),
                    ("show_as", "=", "busy"),
                    ("start", "<", bounds[1]),
                    ("stop", ">", bounds[0]),
                ]
            )
        )
        busy = Intervals(
            [(pytz.utc.localize(e.start), pytz.utc.localize(e.stop), events) for e in events]
        )
        free += [
            (low, measurer)
            for low, high, _records in work - busy
            if high - low >= timedelta(hours=1)
        ]
    return sorted(free, key=lambda entry: entry[0])


def measure(env, operation, values):
    """Return milliseconds, those of them in Python, and queries of one call on cold records."""
    env.flush_all()
    env.invalidate_all()
    gc.collect()
    queries, began, worked = env.cr.sql_log_count, time.perf_counter(), time.process_time()
    operation(env, values)
    return (
        (time.perf_counter() - began) * 1000,
        (time.process_time() - worked) * 1000,
        env.cr.sql_log_count - queries,
    )


def compare(env, rounds, peer_rounds, chance):
    """Return the measurements of both, taken in turns."""
    ours, plain = [], []
    for number in range(-2, rounds):
        latitude, longitude = get_point(chance)
        values = {
            "company_id": env.company.id,
            "type_id": env.ref("crm_wholesale.crm_visit_type_measurement").id,
            "tz": "Europe/Kyiv",
            "zip": f"{chance.randrange(20):02}001",
            "city": "Kyiv",
            "latitude": latitude,
            "longitude": longitude,
        }
        result = measure(env, find, values)
        peer = measure(env, find_plainly, values) if number < peer_rounds else None
        if number >= 0:  # the first two warm up the registry and PostgreSQL
            ours.append(result)
            plain += [peer] if peer else []
    return ours, plain


def main():
    """Run the benchmark; return 1 when the number of queries depends on what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--keep", action="store_true", help="leave the database for a look")
    options = parser.parse_args()
    odoo.tools.config.parse_config(["--log-level=error"])
    make_databases(NAME)
    return run(options)


def run(options):
    """Fill the database in steps, measure each, print the table."""
    env, manager_env = open_database()
    chance = random.Random(20261124)
    rows, visits = [], 0
    for measurers, more in ((50, options.visits), (450, 0)):
        fill(env, measurers, more, chance)
        visits += more
        count = env["crm.measurer"].search_count([])
        ours, plain = compare(manager_env, options.rounds, max(3, options.rounds // 6), chance)
        rows.append((count, visits, ours, plain))

    print(f"\n{DAYS} days, {options.rounds} rounds, limit {LIMIT}, {os.cpu_count()} cores")
    print("measurers  visits   p50 ms   p95 ms  goal ms  Python ms  queries", end="")
    print("   plain p50 ms  queries   ratio")
    for count, visits, ours, plain in rows:
        times, python, queries = zip(*ours, strict=True)
        peer_times, _python, peer_queries = zip(*plain, strict=True)
        p50, peer = statistics.median(times), statistics.median(peer_times)
        p95 = sorted(times)[int(len(times) * 0.95)]
        print(
            f"{count:9} {visits:7,} {p50:8.0f} {p95:8.0f} {GOALS.get(count, 0):8}"
            f" {statistics.median(python):10.0f} {'/'.join(map(str, sorted(set(queries)))):>8}"
            f" {peer:14.0f} {max(peer_queries):8} {p50 / peer:7.2f}"
        )
    counts = {queries for _count, _visits, ours, _plain in rows for _ms, _python, queries in ours}
    if len(counts) > 1:
        print("MISSED: the number of queries depends on what is stored")
    env.cr.close()
    manager_env.cr.close()
    if not options.keep:
        drop_databases(NAME)
    return int(len(counts) > 1)


if __name__ == "__main__":
    sys.exit(main())
