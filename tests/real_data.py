"""Real customers and places, from the folder that the variable REAL_DATA names.

Without it the lists in ``tests/data`` are taken, which are made up. Where CI is ``true`` real data
must be there.
"""

import csv
import os
import warnings
from pathlib import Path

MADE_UP = Path(__file__).parent / "data"
#: Odoo's names of countries that the real list abbreviates.
COUNTRIES = {"UK": "United Kingdom", "USA": "United States"}


def find_folder():
    """Return the folder to read from, and say so when it is the made-up one."""
    if folder := os.environ.get("REAL_DATA"):
        return Path(folder)
    assert os.environ.get("CI") != "true", "REAL_DATA must name the folder with real data"
    warnings.warn("REAL_DATA is not set: made-up customers and places are used", stacklevel=2)
    return MADE_UP


def is_real(folder):
    """Tell whether a folder holds real data."""
    return folder != MADE_UP


def read(folder, path):
    """Return the rows of a CSV file as dicts."""
    with (folder / path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_customers(folder):
    """Return the customers, with their countries called as Odoo calls them."""
    rows = read(folder, "northwind/customers.csv")
    return [{**row, "country": COUNTRIES.get(row["country"], row["country"])} for row in rows]


def read_places(folder):
    """Return places in Kyiv as dicts of street, latitude and longitude.

    Those with street and number come first. Where the number or all of the street is missing, it
    is made up, and the address says so.
    """
    places = []
    for row in read(folder, "kyiv_poi/kyiv_poi.csv"):
        exact = bool(row["street"] and row["housenumber"])
        number = row["housenumber"] or f"{len(places) + 1} (made-up number)"
        street = f"{row['street'] or 'Made-up Street'}, {number}"
        point = {"latitude": float(row["lat"]), "longitude": float(row["lon"])}
        places.append({"street": street, "exact": exact, **point})
    return sorted(places, key=lambda place: not place["exact"])
