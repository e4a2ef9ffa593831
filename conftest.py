"""What holds for every test: no skip, and no complaint in Odoo's log.

Odoo skips a browser tour where there is no Chromium, and a skipped test looks like a passed one.
So a skipped test counts as failed here; ``--no-browser`` is the only way to leave out tours and
PDFs. A WARNING or ERROR that Odoo logs while a test runs fails that test, unless the test expects
it (``assertLogs``, ``mute_logger``). Test classes of Odoo that a test file merely imports are not
run again.
"""

import inspect
import logging
import os
import re
import shutil
import unittest
from contextlib import contextmanager
from pathlib import Path

import pytest

import odoo

BROWSER_SKIP = re.compile(r"chrom|websocket|wkhtmltopdf|--no-browser", re.IGNORECASE)


class Complaints(logging.Handler):
    """Collect what Odoo logs at WARNING or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
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
    config.complaints = Complaints()
    logging.getLogger().addHandler(config.complaints)
    if plugin := config.pluginmanager.getplugin("odoo"):
        plugin._shared_filestore = own_filestore


@contextmanager
def own_filestore(original, database):
    """Give a worker's database attachments of its own, in place of those shared by all workers.

    Each test class of Odoo ends by deleting the attachments that its own database does not know,
    which would take away what another worker has just written.
    """
    filestore = odoo.tools.config.filestore
    source, target = Path(filestore(original)), Path(filestore(database))
    if source != target:
        shutil.rmtree(target, ignore_errors=True)
        if source.exists():
            shutil.copytree(source, target, copy_function=os.link)
    yield
    if source != target:
        shutil.rmtree(target, ignore_errors=True)


def pytest_unconfigure(config):
    logging.getLogger().removeHandler(config.complaints)


def pytest_pycollect_makeitem(collector, name, obj):
    if inspect.isclass(obj) and issubclass(obj, unittest.TestCase):
        imported = obj.__module__ != collector.obj.__name__ and name == obj.__name__
        return [] if imported else None
    return None


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
