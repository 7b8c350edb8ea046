"""Free time: a person's weekly hours on the days of a plan, less what they are busy with."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.minutes import DAY, ceil, floor, instant
from graphql_api.domain.planner.model import Interval, PlanRequest, WorkingHours

Minutes = tuple[int, int]
"""From a minute until another one."""

_ONE_DAY = timedelta(days=1)


def horizon(request: PlanRequest) -> Minutes:
    """From when until when a plan reaches."""
    start = ceil(request.from_)
    return start, start + request.horizon_days * DAY


def free_time(request: PlanRequest) -> list[Minutes]:
    """When there is time for tasks: sorted, disjoint, not adjacent."""
    start, end = horizon(request)
    hours = _merged(_working(request.hours, start, end))
    busy = _merged(map(_around, request.busy))
    return list(_common(hours, list(_between(busy, start, end))))


def moment(local: datetime, zone: ZoneInfo) -> int:
    """The first minute at which the clocks of a zone show a time or a later one.

    So a time that comes twice is the first of the two, and one that is skipped is when the clocks
    skip it; hours that meet at a time still meet when the clocks change.
    """
    earlier, later = (_offset_applied(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if earlier <= later:  # an ordinary time, or the first of two
        return earlier
    before, after = later, earlier  # in a gap the two offsets name minutes on either side of it
    offset = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset(middle, zone) == offset else (middle, after)
    return after


def _offset_applied(local: datetime) -> int:
    return floor(local.astimezone(UTC))


def _offset(minute: int, zone: ZoneInfo) -> timedelta | None:
    return instant(minute).astimezone(zone).utcoffset()


def _working(hours: WorkingHours, start: int, end: int) -> Iterator[Minutes]:
    """The working hours that start on the local days from the one before `start` until `end`."""
    zone = ZoneInfo(hours.timezone)
    day = instant(start).astimezone(zone).date() - _ONE_DAY  # its night may reach into the plan
    last = instant(end).astimezone(zone).date()
    off = set(hours.days_off)
    while day <= last:
        for opens, closes in () if day in off else hours.weekly[day.weekday()]:
            closing = day if closes > opens else day + _ONE_DAY
            yield (
                moment(datetime.combine(day, opens), zone),
                moment(datetime.combine(closing, closes), zone),
            )
        day += _ONE_DAY


def _around(busy: Interval) -> Minutes:
    return floor(busy.start), ceil(busy.end)


def _merged(intervals: Iterable[Minutes]) -> list[Minutes]:
    """The same time as sorted, disjoint intervals."""
    merged: list[Minutes] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _between(busy: Iterable[Minutes], start: int, end: int) -> Iterator[Minutes]:
    """What merged busy times leave from `start` until `end`."""
    for begins, ends in [*busy, (end, end)]:
        if start < min(begins, end):
            yield start, min(begins, end)
        start = max(start, ends)


def _common(one: list[Minutes], other: list[Minutes]) -> Iterator[Minutes]:
    """The time that is in both of two lists of disjoint, sorted intervals."""
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            yield start, end
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
