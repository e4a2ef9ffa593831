"""How far apart two places are, and how long the way between them takes."""

from math import asin, ceil, cos, radians, sin, sqrt

EARTH_RADIUS = 6371.0088  # kilometres, the mean


def get_distance(origin, destination):
    """Return the great-circle distance in kilometres between two (latitude, longitude) pairs."""
    latitude, longitude = map(radians, origin)
    other_latitude, other_longitude = map(radians, destination)
    half_chord = (
        sin((other_latitude - latitude) / 2) ** 2
        + cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(half_chord)))


class Place:
    """Where somebody is: a point (latitude, longitude) or None, a postcode and a city."""

    __slots__ = ("city", "point", "zip")

    def __init__(self, latitude=0.0, longitude=0.0, zip_code="", city=""):
        self.point = (latitude, longitude) if latitude or longitude else None
        self.zip = (zip_code or "").replace(" ", "").casefold()
        self.city = (city or "").strip().casefold()


class Travel:
    """Minutes of the way between places.

    :param drive: function of two (latitude, longitude) pairs that returns minutes
    :param get_zones: function of a place that returns the set of zones in which it lies
    :param near: minutes within a postcode, a city or a zone where a point is unknown
    :param far: minutes elsewhere where a point is unknown
    """

    def __init__(self, drive, get_zones, near, far):
        self.drive = drive
        self.get_zones = get_zones
        self.near = near
        self.far = far

    def get_minutes(self, origin, destination):
        """Return the whole minutes from one place to the other; a place may be None (unknown)."""
        if not origin or not destination:
            return self.near
        if origin.point and destination.point:
            return ceil(self.drive(origin.point, destination.point))
        if origin.zip and origin.zip == destination.zip:
            return self.near
        if origin.city and origin.city == destination.city:
            return self.near
        if not self.get_zones(origin).isdisjoint(self.get_zones(destination)):
            return self.near
        return self.far
