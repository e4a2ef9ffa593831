"""Days of a time zone's wall clock, as moments of the one time that has no gaps."""

from bisect import bisect_right
from calendar import timegm
from datetime import datetime, time, timedelta
from functools import cached_property

import pytz

DAY = 24 * 60 * 60
HOUR = 60 * 60
QUARTER = 15 * 60


def to_moment(value):
    """Return a naive UTC datetime as a moment: whole seconds since 1970."""
    return timegm(value.timetuple())


def to_datetime(moment):
    """Return a moment as a naive UTC datetime."""
    return datetime(1970, 1, 1) + timedelta(seconds=moment)


class WallDays:
    """The calendar days of a zone around a span of time, numbered from 0.

    They reach from the day before the span to the day after it, so that whatever touches the
    span has a day. Moments are seconds since 1970.

    :param str name: an IANA zone
    """

    def __init__(self, name, start, stop):
        self.zone = pytz.timezone(name)
        first, last = (self._localize(moment).date() for moment in (start, stop))
        count = max((last - first).days, 0) + 3
        self.dates = [first + timedelta(days=number - 1) for number in range(count)]
        bounds = [*self.dates, self.dates[-1] + timedelta(days=1)]
        self.midnights = [self._resolve(day, time()) for day in bounds]
        self.noons = [self._resolve(day, time(12)) for day in self.dates]
        self._naive = [timegm(day.timetuple()) for day in self.dates]

    def _localize(self, moment):
        return datetime.fromtimestamp(moment, self.zone)

    def _resolve(self, day, wall):
        """Return the moment of a wall time; of two the later, and a skipped one runs on."""
        return int(self.zone.localize(datetime.combine(day, wall)).timestamp())

    def get_day(self, moment):
        """Return the number of the day in which a moment lies."""
        return bisect_right(self.midnights, moment) - 1

    def get_moment(self, day, minutes):
        """Return the moment of a wall time: minutes past midnight, at most 1440."""
        if minutes >= 1440:
            return self.midnights[day + 1]
        if self.midnights[day + 1] - self.midnights[day] == DAY:
            return self.midnights[day] + minutes * 60
        return self._resolve(self.dates[day], time(minutes // 60, minutes % 60))

    @cached_property
    def quarters(self):
        """Moments at which the clock shows a quarter of an hour, in order."""
        return list(range(self.midnights[0], self.midnights[-1], QUARTER))

    @cached_property
    def hours(self):
        """Moments at which the clock shows a full hour, in order."""
        return [
            moment for moment in self.quarters if (moment + self.get_offset(moment)) % HOUR == 0
        ]

    def get_span(self, first, last):
        """Return the moments between which dates lie, as far as these days reach."""
        start, stop = ((day - self.dates[0]).days for day in (first, last + timedelta(days=1)))
        end = len(self.midnights) - 1
        return self.midnights[min(max(start, 0), end)], self.midnights[min(max(stop, 0), end)]

    def get_offset(self, moment):
        """Return by how many seconds the wall clock is ahead of UTC at a moment."""
        day = self.get_day(moment)
        if self.midnights[day + 1] - self.midnights[day] == DAY:
            return self._naive[day] - self.midnights[day]
        return int(self._localize(moment).utcoffset().total_seconds())
