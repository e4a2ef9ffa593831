"""Sorted, disjoint half-open intervals ``[start, stop)`` of numbers, as lists of pairs."""

from bisect import bisect_right


def merge(intervals):
    """Return the union of intervals: sorted, disjoint, those that touch joined, none empty."""
    result = []
    for start, stop in sorted(intervals):
        if start >= stop:
            continue
        if result and start <= result[-1][1]:
            if stop > result[-1][1]:
                result[-1] = (result[-1][0], stop)
        else:
            result.append((start, stop))
    return result


def subtract(intervals, holes):
    """Return what is left of merged intervals without merged holes."""
    result = []
    index = 0
    for start, stop in intervals:
        while index < len(holes) and holes[index][1] <= start:
            index += 1
        position = index
        while position < len(holes) and holes[position][0] < stop:
            if holes[position][0] > start:
                result.append((start, holes[position][0]))
            start = holes[position][1]
            position += 1
        if start < stop:
            result.append((start, stop))
    return result


def covers(intervals, start, stop):
    """Return whether one of the merged intervals contains ``[start, stop)``."""
    index = bisect_right(intervals, (start, float("inf"))) - 1
    return index >= 0 and stop <= intervals[index][1]


def overlaps(intervals, start, stop):
    """Return whether ``[start, stop)`` shares a moment with the merged intervals."""
    index = bisect_right(intervals, (start, float("inf")))
    if index and intervals[index - 1][1] > start:
        return True
    return index < len(intervals) and intervals[index][0] < stop
