"""Which places belong to a territory drawn by postcodes, cities or a circle."""

import re

from .travel import get_distance


def split_list(text):
    """Return the entries of a list that a person typed: by commas, semicolons or lines."""
    return [part.strip() for part in re.split(r"[,;\n]", text or "") if part.strip()]


class Territory:
    """A part of the country: postcodes, cities, and a circle around a point; any of them counts.

    :param str zips: postcodes, each whole (``01001``), with a star for what follows (``04*``) or
        as a range of equally long ones (``03000-03999``)
    :param str cities: names of cities; capital letters do not matter
    :param radius: kilometres around the point; nothing without it
    :raise ValueError: for an entry that is no postcode; its text is the argument
    """

    def __init__(self, zips="", cities="", point=None, radius=0.0):
        self.exact, self.prefixes, self.ranges = set(), (), []
        for entry in split_list(zips):
            self._add_zip(entry)
        self.cities = {city.casefold() for city in split_list(cities)}
        self.point = point if radius else None
        self.radius = radius

    def _add_zip(self, entry):
        text = entry.replace(" ", "").casefold()
        low, dash, high = text.partition("-")
        if text.endswith("*") and text[:-1].isalnum():
            self.prefixes += (text[:-1],)
        elif dash and low.isalnum() and len(low) == len(high) and low <= high:
            self.ranges.append((low, high))
        elif re.fullmatch(r"[^\W_]+(-[^\W_]+)*", text) and not (dash and len(low) == len(high)):
            self.exact.add(text)
        else:
            raise ValueError(entry)

    def contains(self, place):
        """Return whether a :class:`Place` lies in the territory."""
        code = place.zip
        if code and (
            code in self.exact
            or code.startswith(self.prefixes)
            or any(len(code) == len(low) and low <= code <= high for low, high in self.ranges)
        ):
            return True
        if place.city and place.city in self.cities:
            return True
        return bool(
            self.point and place.point and get_distance(self.point, place.point) <= self.radius
        )
