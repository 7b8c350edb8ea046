"""Free time: working hours on the days of a plan, minus busy times."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.minutes import DAY, ceil, floor, instant
from graphql_api.domain.planner.model import Interval, PlanRequest, WorkingHours

Minutes = tuple[int, int]
"""A span of time from a minute until another one."""

_ONE_DAY = timedelta(days=1)


def horizon(request: PlanRequest) -> Minutes:
    """Start and end of a plan."""
    start = ceil(request.from_)
    return start, start + request.horizon_days * DAY


def free_intervals(request: PlanRequest, hours: WorkingHours) -> list[Minutes]:
    """List the free time of a plan within some hours: sorted, disjoint, not adjacent."""
    after = request.buffers.after_block
    return _open(request, hours, (_outward(piece.interval, after) for piece in request.fixed))


def _open(request: PlanRequest, hours: WorkingHours, taken: Iterable[Minutes]) -> list[Minutes]:
    """List what hours leave of a plan beside its busy times and what else is taken."""
    start, end = horizon(request)
    around = request.buffers.around_busy
    busy = merge([*(_outward(interval, around) for interval in request.busy), *taken])
    return list(
        _intersect(merge(_working_hours(hours, start, end)), list(_complement(busy, start, end)))
    )


def limited(
    request: PlanRequest,
    hours: WorkingHours,
    free: list[Minutes],
    from_day: int,
    schedule: str = "",
) -> list[Minutes]:
    """Free time of hours within the limits of the local days from one on; the first one is 0.

    The end of a day is given up first; what is fixed counts as work of its day. The hours of each
    schedule have the limits on their own, as the working hours have. A limit is the same whether a
    piece is fixed or planned: it takes no heed of distances, nor of what other schedules have.
    """
    zone = ZoneInfo(request.hours.timezone)
    weeks = {t.task_id: t.schedule for t in request.tasks if t.schedule in request.weeks}
    own = (piece for piece in request.fixed if weeks.get(piece.task_id, "") == schedule)
    worked = [_outward(piece.interval, 0) for piece in own]
    open_ = _open(request, hours, worked)
    kept: list[Minutes] = []
    for number, day in enumerate(pairwise(_midnights(request, zone))):
        of_day = list(_intersect(open_, [day]))
        if number >= from_day:
            fixed = sum(max(0, min(end, day[1]) - max(start, day[0])) for start, end in worked)
            minutes = sum(end - start for start, end in of_day)
            of_day = list(_first(of_day, request.buffers.limit(minutes + fixed) - fixed))
        kept += of_day
    return list(_intersect(merge(kept), free))


def _midnights(request: PlanRequest, zone: ZoneInfo) -> list[int]:
    """Minutes at which the local days of a plan begin, and the end of the last one."""
    start, end = horizon(request)
    day = instant(start).astimezone(zone).date()
    found: list[int] = []
    while not found or found[-1] < end:
        found.append(moment(datetime.combine(day, time()), zone))
        day += _ONE_DAY
    return found


def _first(intervals: Iterable[Minutes], minutes: int) -> Iterator[Minutes]:
    """List the first so many minutes of intervals."""
    for start, end in intervals:
        length = min(end - start, minutes)
        if length > 0:
            yield start, start + length
            minutes -= length


def moment(local: datetime, zone: ZoneInfo) -> int:
    """Find the first minute at which the clocks of a zone show a local time or a later one.

    A time that occurs twice means its first occurrence, and one that is skipped the moment when
    clocks skip it; so hours that meet at a time still meet on days when the clocks change.
    """
    earlier, later = (_to_minute(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if earlier <= later:  # an ordinary time, or the first of two
        return earlier
    before, after = later, earlier  # in a gap, the two offsets give minutes on either side of it
    offset = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset(middle, zone) == offset else (middle, after)
    return after


def _to_minute(local: datetime) -> int:
    return floor(local.astimezone(UTC))


def _offset(minute: int, zone: ZoneInfo) -> timedelta | None:
    return instant(minute).astimezone(zone).utcoffset()


def _working_hours(hours: WorkingHours, start: int, end: int) -> Iterator[Minutes]:
    """List the hours that start on local days from the day before `start` until `end`."""
    zone = ZoneInfo(hours.timezone)
    day = (
        instant(start).astimezone(zone).date() - _ONE_DAY
    )  # its night shift may reach into the plan
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


def _outward(busy: Interval, around: int) -> Minutes:
    """Round a busy time outwards to whole minutes, with so many around it."""
    return floor(busy.start) - around, ceil(busy.end) + around


def merge(intervals: Iterable[Minutes]) -> list[Minutes]:
    """Union of intervals, sorted and disjoint."""
    merged: list[Minutes] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _complement(busy: Iterable[Minutes], start: int, end: int) -> Iterator[Minutes]:
    """List the gaps between merged busy times from `start` until `end`."""
    for begins, ends in [*busy, (end, end)]:
        if start < min(begins, end):
            yield start, min(begins, end)
        start = max(start, ends)


def _intersect(one: list[Minutes], other: list[Minutes]) -> Iterator[Minutes]:
    """Intersection of two lists of sorted, disjoint intervals."""
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            yield start, end
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
