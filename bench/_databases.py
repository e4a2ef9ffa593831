"""The databases of a benchmark: ours, and plain Odoo beside it."""

import subprocess
import sys
from pathlib import Path

import odoo

DEV = Path(__file__).resolve().parent.parent / "dev"


def make_databases(ours, plain=None, modules=""):
    """Make databases anew, from the cached templates.

    :param str plain: name of the one with Odoo's modules only
    :param str modules: which of Odoo's, separated by commas
    """
    if plain:
        subprocess.run([sys.executable, DEV, "db", plain, "--modules", modules], check=True)
    subprocess.run([sys.executable, DEV, "db", ours], check=True)


def drop_databases(*names):
    """Remove databases."""
    odoo.sql_db.close_all()
    for name in names:
        subprocess.run(["dropdb", "--if-exists", name], check=True)
