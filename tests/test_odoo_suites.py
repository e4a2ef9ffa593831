"""Odoo's own tests of what we build on, in a database and a registry with our addons in them."""

import os
from xml.etree import ElementTree

import live

#: Names of tests that fail on plain Odoo too: none of the 312, when that was last tried.
FAIL_ON_PLAIN_ODOO = set()


def run_suites(tmp_path, *modules):
    """Run the tests of some of Odoo's modules; return their outcomes by name.

    :return: dict of "passed", "skipped: reason" or "failed: reason"
    """
    platform = live.dev.find_odoo()
    roots = (platform.path / "odoo/addons", platform.home / "addons")
    folders = [
        next(root / module / "tests" for root in roots if (root / module).exists())
        for module in modules
    ]
    settings, results = tmp_path / "odoo.conf", tmp_path / "results.xml"
    with live.database(f"suites_{modules[0]}") as name:
        live.dev.write_settings(settings, db_name=name, test_enable=True, max_cron_threads=0)
        # Only what is said here: neither our settings of pytest nor the worker we run in count.
        options = ["-c", os.devnull, f"--rootdir={tmp_path}", "-p", "no:cacheprovider", "-q"]
        options += ["--odoo-http", "--odoo-log-level=critical", "--odoo-config", settings]
        env = live.dev.environment(live.PG, platform)
        env = {key: value for key, value in env.items() if not key.startswith("PYTEST_")}
        command = [live.dev.HOME / "venv/bin/pytest", *options, f"--junitxml={results}", *folders]
        live.dev.start(command, env=env, stdout=live.dev.log_path(name).open("w")).wait()
    return {
        f"{case.get('classname')}.{case.get('name')}": read_outcome(case)
        for case in ElementTree.parse(results).iter("testcase")
    }


def read_outcome(case):
    """Return what became of a test."""
    for problem in case:
        if problem.tag in ("failure", "error"):
            return f"failed: {problem.get('message')}"
        if problem.tag == "skipped":
            return f"skipped: {problem.get('message')}"
    return "passed"


def check(outcomes, fewest, request):
    """Fail for the tests that fail only with our addons, and for those that did not run."""
    assert len(outcomes) >= fewest
    others = {name: outcome for name, outcome in outcomes.items() if outcome != "passed"}
    if request.config.getoption("--no-browser"):
        others = {name: why for name, why in others.items() if not why.startswith("skipped")}
    assert {name: why for name, why in others.items() if name not in FAIL_ON_PLAIN_ODOO} == {}


# A class for each half, so that two workers can share them.


class TestSales:
    def test_crm_and_sale_crm(self, request, tmp_path):
        check(run_suites(tmp_path, "crm", "sale_crm"), 140, request)


class TestMessages:
    def test_calendar_and_sms(self, request, tmp_path):
        check(run_suites(tmp_path, "calendar", "calendar_sms", "sms"), 140, request)
