"""What holds for every test: no skip, and no complaint in Odoo's log.

Odoo skips a browser tour where there is no Chromium, and a skipped test looks like a passed one.
So a skipped test counts as failed here; ``--no-browser`` is the only way to leave out tours and
PDFs. A WARNING or ERROR that Odoo logs while a test runs fails that test, unless the test expects
it (``assertLogs``, ``mute_logger``) or Odoo itself is known to write it (``dev`` lists those).
"""

import importlib.machinery
import importlib.util
import logging
import re
import unittest
from pathlib import Path

import pytest

BROWSER_SKIP = re.compile(r"chrom|websocket|wkhtmltopdf|--no-browser", re.IGNORECASE)


def load_dev():
    """Return the command-line tool ``dev`` as a module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(Path(__file__).with_name("dev")))
    spec = importlib.util.spec_from_loader("dev", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Complaints(logging.Handler):
    """Collect what Odoo logs at WARNING or above."""

    def __init__(self, is_known):
        super().__init__(logging.WARNING)
        self.is_known = is_known
        self.lines = []

    def emit(self, record):
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        if not self.is_known(text):
            self.lines.append(text)

    def take(self):
        """Return what was collected and forget it."""
        lines, self.lines = self.lines, []
        return lines


def pytest_addoption(parser):
    parser.addoption(
        "--no-browser",
        action="store_true",
        help="Leave out browser tours and PDFs.",
    )


def pytest_configure(config):
    config.complaints = Complaints(load_dev().is_known_complaint)
    logging.getLogger().addHandler(config.complaints)


def pytest_unconfigure(config):
    logging.getLogger().removeHandler(config.complaints)


@pytest.fixture(scope="session", autouse=True)
def leave_out_browser(request):
    """With ``--no-browser``, skip what would start a browser or wkhtmltopdf."""
    if not request.config.getoption("--no-browser"):
        yield
        return

    def skip(*args, **kwargs):
        raise unittest.SkipTest("--no-browser")

    from odoo.tests import common

    from odoo.addons.base.models import ir_actions_report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common.ChromeBrowser, "__init__", skip)
        patch.setattr(ir_actions_report.IrActionsReport, "_run_wkhtmltopdf", skip)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    complaints = item.config.complaints.take()
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(call.excinfo.value)
        if not (item.config.getoption("--no-browser") and BROWSER_SKIP.search(reason)):
            report.outcome = "failed"
            report.longrepr = f"Skipped, which counts as failed here: {reason}"
    elif report.passed and complaints:
        report.outcome = "failed"
        report.longrepr = "Odoo's log complains:\n" + "\n".join(complaints)
