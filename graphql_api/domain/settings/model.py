"""When a person works, by which clock, and what makes a task urgent to them. Pure."""

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any

from graphql_api.domain.tasks.urgency import DEFAULTS, Coefficients
from graphql_api.errors import BadUserInput

DAYS_OFF = 366  # a user
INTERVALS = 24  # a day
DAY = 24 * 60  # minutes
WEEK = 7 * DAY
NO_ZONES = {"Factory", "localtime"}  # which name none, or another one on each machine
LONGEST_ZONE = 64  # characters of a zone's name


class Weekday(Enum):
    """A day of the week, as ISO 8601 orders them."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEKDAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class LocalInterval:
    """From one time of the wall clock to another; an end not after the start is the next day's.

    So 22:00 to 06:00 is a night, and 00:00 to 00:00 a whole day.
    """

    start: time
    end: time

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end in minutes since the midnight that the interval's day begins with."""
        start, end = (at.hour * 60 + at.minute for at in (self.start, self.end))
        return start, end if end > start else end + DAY


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """The hours of one weekday; what lies between them are breaks."""

    day: Weekday
    intervals: tuple[LocalInterval, ...]


OFFICE = (LocalInterval(time(9), time(12)), LocalInterval(time(13), time(17)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A user's settings; whoever has never set any has the defaults, as version 0."""

    user_id: str
    timezone: str = "UTC"  # IANA
    working_hours: tuple[WorkingDay, ...] = tuple(WorkingDay(day, OFFICE) for day in WEEKDAYS[:5])
    days_off: tuple[date, ...] = ()
    urgency_coefficients: Coefficients = DEFAULTS
    version: int = 0

    def edit(self, fields: Mapping[str, Any]) -> "Settings":
        """The settings with these fields; None gives one its default.

        The same settings, of the same version, if that changes nothing. Raises BadUserInput.
        """
        default = Settings(user_id=self.user_id)
        if (coefficients := fields.get("urgency_coefficients")) is not None:
            edited = self.urgency_coefficients.edit(coefficients)
            fields = {**fields, "urgency_coefficients": edited}
        after = replace(
            self,
            **{
                name: getattr(default, name) if value is None else _checked(name, value)
                for name, value in fields.items()
            },
        )
        return self if after == self else replace(after, version=self.version + 1)

    @property
    def weekly(self) -> tuple[tuple[tuple[time, time], ...], ...]:
        """Start and end of the hours of each of the seven days, from Monday on."""
        hours = {
            day.day: tuple((interval.start, interval.end) for interval in day.intervals)
            for day in self.working_hours
        }
        return tuple(hours.get(day, ()) for day in WEEKDAYS)


def _checked(name: str, value: Any) -> Any:
    return _RULES[name](value) if name in _RULES else value


def _timezone(name: str) -> str:
    if name not in _zones():
        raise BadUserInput(
            f"{name[:LONGEST_ZONE]!r} is not an IANA time zone, such as Europe/Berlin.", "timezone"
        )
    return name


@cache
def _zones() -> frozenset[str]:
    """The zones known here: the system's, and those of the package tzdata."""
    return frozenset(zoneinfo.available_timezones()) - NO_ZONES


def _working_hours(days: Iterable[WorkingDay]) -> tuple[WorkingDay, ...]:
    given = tuple(days)
    if len({day.day for day in given}) < len(given):
        raise BadUserInput("A weekday is given once, with all its hours.", "workingHours")
    if any(len(day.intervals) > INTERVALS for day in given):
        raise BadUserInput(f"A day has at most {INTERVALS} intervals.", "workingHours")
    hours = sorted((day for day in given if day.intervals), key=lambda d: WEEKDAYS.index(d.day))
    week = tuple(replace(day, intervals=tuple(sorted(day.intervals, key=_start))) for day in hours)
    _check_apart(week)
    return week


def _start(interval: LocalInterval) -> time:
    return interval.start


def _check_apart(week: Iterable[WorkingDay]) -> None:
    """Raise BadUserInput if hours overlap, a night's with those of the day after it, too."""
    spans = sorted(
        (WEEKDAYS.index(day.day) * DAY + start, WEEKDAYS.index(day.day) * DAY + end)
        for day in week
        for start, end in (interval.minutes for interval in day.intervals)
    )
    again = [(start + WEEK, end + WEEK) for start, end in spans[:1]]
    if any(following < end for (_, end), (following, _) in pairwise(spans + again)):
        raise BadUserInput(
            "Working hours cannot overlap; an end that is not after its start is the next day's.",
            "workingHours",
        )


def _days_off(days: Iterable[date]) -> tuple[date, ...]:
    distinct = tuple(sorted(set(days)))
    if len(distinct) > DAYS_OFF:
        raise BadUserInput(f"There are at most {DAYS_OFF} days off.", "daysOff")
    return distinct


_RULES: Mapping[str, Callable[[Any], Any]] = {
    "timezone": _timezone,
    "working_hours": _working_hours,
    "days_off": _days_off,
}
