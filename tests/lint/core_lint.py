"""Odoo's own test_lint, run over our addons alone (``./dev lint`` runs this file).

Its tests walk over every addon on the path, and some over every model of the database. Here they
are shown only our addons, and the database holds only ours and those of Odoo that ours build on.
Left out are the tests of test_lint's own checkers and the two that look at named modules of Odoo
only (docstrings, localisations).
"""

import importlib
import inspect
import subprocess
import unittest
from pathlib import Path
from types import SimpleNamespace

import pytest

from odoo.modules import Manifest
from odoo.tools import config

import odoo.addons
from odoo.addons.test_lint.tests import test_eslint, test_pylint

ROOT = Path(__file__).parents[2]
OURS = [path.parent for path in sorted(ROOT.glob("*/__manifest__.py"))]
CHECKS = (
    "dunderinit",
    "eslint",
    "i18n",
    "index",
    "jstranslate",
    "manifests",
    "markers",
    "naming",
    "onchange_domains",
    "orm_import",
    "override_signatures",
    "pofile",
    "pylint",
    "routes",
    "test_holes",
)

for check in CHECKS:
    module = importlib.import_module(f"odoo.addons.test_lint.tests.test_{check}")
    for name, value in inspect.getmembers(module, inspect.isclass):
        if issubclass(value, unittest.TestCase) and value.__module__ == module.__name__:
            globals()[f"{name}_{check}"] = value


@pytest.fixture(autouse=True)
def see_only_ours(monkeypatch):
    """Show the checks our addons instead of all that are on the path."""
    manifests = [Manifest.for_addon(path.name) for path in OURS]
    monkeypatch.setattr(Manifest, "all_addon_manifests", staticmethod(lambda: manifests))
    monkeypatch.setattr(odoo.addons, "__path__", [str(path) for path in OURS])
    monkeypatch.setattr(odoo, "__path__", [])
    monkeypatch.setitem(config.__dict__, "root_path", str(OURS[0]))


@pytest.fixture(autouse=True)
def mend_checks(monkeypatch):
    """Let two checks bear what is normal outside Odoo's own repository."""
    run, lint = subprocess.run, test_eslint.TestESLint._test_eslint

    def run_pylint(command, **options):
        # Comments that silence pylint-odoo name messages that plain pylint does not know.
        return run([*command, "--disable=unknown-option-value"], **options)

    def run_eslint(self, modules, rules):
        # Odoo's stricter rules, for the point of sale, have no addon of ours to look at.
        return lint(self, modules, rules) if modules else None

    monkeypatch.setattr(test_pylint, "subprocess", SimpleNamespace(run=run_pylint))
    monkeypatch.setattr(test_eslint.TestESLint, "_test_eslint", run_eslint)
