"""Which measurer makes a visit, and when: the choice among the feasible places.

Every place has a cost in minutes of travel: the travel that it adds, the waiting of the customer,
and how far the measurer is already beyond the fair share of the visits. The cheapest place wins;
the same requests in any order make the same choices. Nothing here knows of a database.
"""

from operator import attrgetter
from typing import NamedTuple

from .schedule import Placement, Request
from .walltime import DAY

#: What one visit more than the fair share weighs, in minutes of travel.
SHARE_WEIGHT = 30
#: What a day of waiting weighs, in minutes of travel.
WAIT_WEIGHT, URGENT_WAIT_WEIGHT = 10, 240


class Wish(NamedTuple):
    """A visit to distribute; moments are seconds since 1970."""

    request: Request
    #: the visit starts at the first moment or later and has ended at the second one
    earliest: int
    latest: int
    #: orders wishes: the most pressing first, no two alike
    rank: tuple
    #: first and last moment of the start (an arrival window), if any
    starts: tuple | None = None
    #: the start that the customer was told, if any: this one or none
    start: int | None = None
    #: the only measurer who may go, where a person has chosen one
    measurer: int | None = None


class Option(NamedTuple):
    """The best place in one measurer's days."""

    cost: float
    placement: Placement
    #: visits and capacity of the measurer over the window, this visit left out
    load: int
    capacity: int


class Choice(NamedTuple):
    """The place of a visit, and the best one that another measurer had."""

    best: Option
    second: Option | None
    #: visits of the measurer on that day, this one included, and how many are possible
    day_load: int
    day_capacity: int


def get_capacity(tour, start, stop):
    """Return how many visits a measurer can make on the working days between two moments."""
    days = {tour.days.get_day(since) for since, _until in tour.work if start <= since < stop}
    return len(days) * tour.per_day


class Distributor:
    """Chooses places in a schedule for one visit after another.

    :param Schedule schedule: filled with what is booked
    :param dict loads: number of visits over the window, by key of the measurer
    :param dict capacities: number of visits possible over the window, by key of the measurer
    """

    def __init__(self, schedule, loads, capacities):
        self.schedule = schedule
        self.loads = {key: loads.get(key, 0) for key in schedule.tours}
        self.capacities = {key: max(capacities.get(key, 0), 1) for key in schedule.tours}
        self._mean = sum(self.capacities.values()) / max(len(self.capacities), 1)

    def distribute(self, wishes):
        """Place wishes one after another, the most pressing first.

        :return: dict from the key of each request to its :class:`Choice`, or None where there is
            no place
        """
        choices = {}
        for wish in sorted(wishes, key=attrgetter("rank")):
            choice = self.choose(wish)
            if choice:
                placement = choice.best.placement
                self.schedule.insert(placement.measurer, wish.request, placement.start)
                self.loads[placement.measurer] += 1
            choices[wish.request.key] = choice
        return choices

    def choose(self, wish):
        """Return the :class:`Choice` for a wish, or None."""
        keys = self.loads if wish.measurer is None else [wish.measurer]
        ranked = []
        for share, key in sorted((self._get_share_cost(key), key) for key in keys):
            bound = ranked[1].cost if len(ranked) > 1 else float("inf")
            if share >= bound:
                break
            if option := self._find_option(wish, key, share, bound):
                ranked = sorted([*ranked, option])[:2]
        if not ranked:
            return None
        placement = ranked[0].placement
        tour = self.schedule.tours[placement.measurer]
        day = tour.days.get_day(placement.start)
        second = ranked[1] if len(ranked) > 1 else None
        return Choice(ranked[0], second, tour.get_count(day)[0] + 1, tour.per_day)

    def _get_share_cost(self, key):
        """Return what the load of a measurer weighs; the mean of the fair share is left in."""
        return SHARE_WEIGHT * self._mean * (self.loads[key] + 0.5) / self.capacities[key]

    def _find_option(self, wish, key, share, bound):
        """Return the best :class:`Option` of one measurer that costs less than a bound, or None."""
        request, shares = wish.request, (self.loads[key], self.capacities[key])
        if wish.start is not None:
            if self.schedule.get_verdict(key, request, wish.start):
                return None
            placement = self.schedule.place(key, request, wish.start)
            return Option(share + placement.travel, placement, *shares)
        first = max(wish.earliest, request.opens)
        weight = (URGENT_WAIT_WEIGHT if request.urgent else WAIT_WEIGHT) / DAY
        best = None
        placements = self.schedule.find(
            request, wish.earliest, wish.latest, wish.starts, every_hour=False, measurers=[key]
        )
        for placement in placements:
            waiting = share + (placement.start - first) * weight
            if waiting >= bound:
                break
            option = (waiting + placement.travel, placement)
            if option[0] < bound and (best is None or option < best):
                best, bound = option, option[0]
        return best and Option(*best, *shares)
