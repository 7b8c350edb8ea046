"""Busy times of a calendar by RFC 5545. Pure.

icalendar parses, and knows zones: those of the file, IANA's, and Windows'. What recurs is expanded
by our own rules, a year of each at a time, however long ago it began. What is too rare to be
worth its steps, such as hourly rules, is skipped, and counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice, takewhile
from typing import Any, TypeAlias, cast

from graphql_api.domain.busy_calendars.model import ICS, AllDay
from graphql_api.domain.calendars.icalendar import DOMAIN
from graphql_api.domain.planner.model import Interval
from graphql_api.domain.recurrence import rules
from graphql_api.domain.recurrence.days import FIRST_YEAR, LAST_YEAR, Days
from graphql_api.domain.recurrence.rules import Rule
from graphql_api.errors import BadUserInput

MAX_BYTES = 1024 * 1024  # of a calendar
MAX_LINES = 50_000  # of a calendar: icalendar's time grows with the square of those of one name
MAX_EVENTS = 5_000
MAX_RECURRING = 1_000
MAX_OCCURRENCES = 20_000
LONGEST_EVENT = timedelta(days=366)

Event: TypeAlias = Any  # icalendar's: the type of a property is a union of all that there are
When: TypeAlias = datetime | date  # an instant, or a local time without a zone, or a whole day

_DAY = timedelta(days=1)
_FREE = {"FREE", "WORKINGELSEWHERE"}  # of X-MICROSOFT-CDO-BUSYSTATUS


@dataclass(slots=True)
class Reading:
    """The times that a calendar takes, and how many events could not be read."""

    times: list[Interval] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The range that is read, and the zone of what has none."""

    start: datetime
    end: datetime
    zone: tzinfo
    all_day: AllDay


class _Unreadable(Exception):
    """An event that is skipped."""


_BROKEN = (_Unreadable, ValueError, OverflowError, TypeError, AttributeError)


def read(data: bytes, frame: Frame) -> Reading:
    """The busy times of a calendar within a range. Raises BadUserInput, of the field `ics`."""
    reading = Reading()
    plain, series, overrides = _sorted(_events(data), reading)
    replaced, budget = _replaced(overrides, frame), MAX_OCCURRENCES
    for event in [*plain, *overrides]:
        reading.times += _safely(reading, event, [event["DTSTART"].dt], frame)
    for event in series:
        try:
            of_event = replaced.get(str(event.get("UID", "")), set())
            starts = list(islice(_starts(event, of_event, frame), budget + 1))
        except (BadUserInput, *_BROKEN):
            reading.skipped += 1
            continue
        budget -= len(starts)
        if budget < 0:
            raise BadUserInput(f"It has more than {MAX_OCCURRENCES:,} events in a year.", ICS)
        reading.times += _safely(reading, event, starts, frame)
    return reading


def _events(data: bytes) -> list[Event]:
    if len(data) > MAX_BYTES:
        raise BadUserInput(f"A calendar may have at most {MAX_BYTES // 1024} KiB.", ICS)
    if data.count(b"\n") > MAX_LINES:
        raise BadUserInput(f"A calendar may have at most {MAX_LINES:,} lines.", ICS)
    from graphql_api.domain.busy_calendars.parsing import (  # noqa: PLC0415 - icalendar takes 50 ms
        parsed,
    )

    calendar = parsed(data)
    if calendar.name != "VCALENDAR":
        raise BadUserInput("A calendar by RFC 5545 begins with BEGIN:VCALENDAR.", ICS)
    found = cast("list[Event]", calendar.walk("VEVENT"))
    if len(found) > MAX_EVENTS:
        raise BadUserInput(f"A calendar may have at most {MAX_EVENTS:,} events.", ICS)
    return found


def _sorted(
    events: Iterable[Event], reading: Reading
) -> tuple[list[Event], list[Event], list[Event]]:
    """Single events, those that recur, and those that replace an occurrence."""
    plain, series, overrides = [], [], []
    for event in events:
        if not isinstance(_value(event, "DTSTART"), date):
            reading.skipped += 1
        elif "RECURRENCE-ID" in event:
            overrides.append(event)
        elif "RRULE" in event or "RDATE" in event:
            series.append(event)
        else:
            plain.append(event)
    if len(series) > MAX_RECURRING:
        raise BadUserInput(f"A calendar may have at most {MAX_RECURRING:,} recurring events.", ICS)
    return plain, series, overrides


def _safely(reading: Reading, event: Event, starts: Iterable[When], frame: Frame) -> list[Interval]:
    """The times of an event that begins at these times; none of one that takes no time."""
    if not _is_busy(event):
        return []
    try:
        return list(_times(event, starts, frame))
    except _BROKEN:
        reading.skipped += 1
        return []


def _is_busy(event: Event) -> bool:
    """Tell whether an event takes time: not if it is free, cancelled, or of our own feed."""
    return (
        _text(event, "TRANSP") != "TRANSPARENT"
        and _text(event, "STATUS") != "CANCELLED"
        and _text(event, "X-MICROSOFT-CDO-BUSYSTATUS") not in _FREE
        and not str(event.get("UID", "")).endswith(f"@{DOMAIN}")
    )


def _value(event: Event, name: str) -> Any:
    """The value of a property; None if there is none, or if it is broken."""
    try:
        return event[name].dt
    except (KeyError, AttributeError, ValueError):
        return None


def _text(event: Event, name: str) -> str:
    return str(event.get(name, "")).upper()


def _times(event: Event, starts: Iterable[When], frame: Frame) -> Iterator[Interval]:
    length = _length(event)
    for start in starts:
        if not isinstance(start, datetime):
            if frame.all_day is AllDay.BUSY:
                yield Interval(_instant(start, frame), _instant(start + length, frame))
        else:
            begin = _instant(start, frame)
            yield Interval(begin, begin + length)


def _length(event: Event) -> timedelta:
    """The length of an event: exact between instants, whole days between days."""
    start = event["DTSTART"].dt
    is_day = not isinstance(start, datetime)
    if (end := _value(event, "DTEND")) is not None:
        if isinstance(end, datetime) is is_day:
            raise _Unreadable
        aware = not is_day and start.tzinfo is not None and end.tzinfo is not None
        length = end.astimezone(UTC) - start.astimezone(UTC) if aware else _naive(end, start)
    elif (duration := _value(event, "DURATION")) is not None:
        length = duration
    else:
        length = _DAY if is_day else timedelta(0)
    if not timedelta(0) <= length <= LONGEST_EVENT:
        raise _Unreadable
    return cast("timedelta", length)


def _naive(end: When, start: When) -> timedelta:
    """The length by the clock, or in days."""
    if isinstance(end, datetime) and isinstance(start, datetime):
        return end.replace(tzinfo=None) - start.replace(tzinfo=None)
    return timedelta(end.toordinal() - start.toordinal())


def _instant(at: When, frame: Frame) -> datetime:
    """A time as an instant; a day and a time without a zone are those of the user."""
    if not isinstance(at, datetime):
        at = datetime.combine(at, time())
    return (at if at.tzinfo else at.replace(tzinfo=frame.zone)).astimezone(UTC)


def _replaced(overrides: Iterable[Event], frame: Frame) -> Mapping[str, set[datetime]]:
    """The occurrences that others replace, by the event that they are of."""
    found: dict[str, set[datetime]] = defaultdict(set)
    for event in overrides:
        at = _value(event, "RECURRENCE-ID")
        with suppress(OverflowError):  # of the first or the last year: nothing that is read
            if isinstance(at, date):
                found[str(event.get("UID", ""))].add(_instant(at, frame))
    return found


def _starts(event: Event, replaced: set[datetime], frame: Frame) -> Iterator[When]:
    """The times at which a recurring event begins within the range."""
    first, earliest = event["DTSTART"].dt, frame.start - _length(event) - _DAY
    left_out = _listed(event, "EXDATE")
    instants = {_instant(at, frame) for at in left_out} | replaced
    days = {at for at in left_out if not isinstance(at, datetime)}
    found: set[datetime] = set()
    for at in [*_by_rule(event, first, earliest, frame), *_listed(event, "RDATE")]:
        instant = _instant(at, frame)
        day = at.date() if isinstance(at, datetime) else at
        is_new = instant not in instants and day not in days and instant not in found
        if is_new and earliest <= instant < frame.end:
            found.add(instant)
            yield at


def _by_rule(event: Event, first: When, earliest: datetime, frame: Frame) -> Iterator[When]:
    """The beginnings by the event's rule, on its own clock; its first one is always among them."""
    if "RRULE" not in event:
        yield first
        return
    given = event["RRULE"]
    if isinstance(given, list):
        raise _Unreadable
    rule = rules.parse(given.to_ical().decode())
    for day in _days(rule, _day(first), _day_of(earliest), _day_of(frame.end)):
        at = first if day == _day(first) else _on(first, day)
        if _is_after_end(at, rule, frame):
            return
        yield at


def _days(rule: Rule, first: date, earliest: date, latest: date) -> Iterator[date]:
    """The days of a rule in a range, the first one always among them; COUNT counts from it."""
    if not FIRST_YEAR <= first.year <= LAST_YEAR:
        raise _Unreadable
    days = Days.of(rule, first, clamped=False)
    begin = first if rule.count is not None else max(first, earliest)
    found = days.since(begin)
    if begin == first:
        found = _with_first(found, first)
    if rule.count is not None:
        found = islice(found, rule.count)
    return takewhile(lambda day: day <= latest, found)


def _with_first(days: Iterator[date], first: date) -> Iterator[date]:
    yield first
    yield from (day for day in days if day != first)


def _is_after_end(at: When, rule: Rule, frame: Frame) -> bool:
    until = rule.until
    if until is None:
        return False
    if not isinstance(until, datetime):
        return _day(at) > until
    if not isinstance(at, datetime):
        return at > until.date()
    end = until if until.tzinfo else until.replace(tzinfo=at.tzinfo or frame.zone)
    return _instant(at, frame) > end


def _on(first: When, day: date) -> When:
    """The time of day of the first occurrence on another day, by its own clock."""
    if not isinstance(first, datetime):
        return day
    return datetime.combine(day, first.time(), first.tzinfo)


def _day(at: When) -> date:
    return at.date() if isinstance(at, datetime) else at


def _day_of(at: datetime) -> date:
    return at.date()


def _listed(event: Event, name: str) -> list[When]:
    """The times of EXDATE or RDATE; of a period its start."""
    given = event.get(name, [])
    lists = given if isinstance(given, list) else [given]
    values = [each.dt for listed in lists for each in listed.dts]
    return [value[0] if isinstance(value, tuple) else value for value in values]
