"""Settings of a user and their rules. Pure."""

import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any

from graphql_api.domain.planner.model import MAX_SCHEDULES, Buffers
from graphql_api.domain.records import checked_id
from graphql_api.domain.tasks.model import MAX_SCHEDULE_LENGTH, Task, schedule_name, tag
from graphql_api.domain.tasks.urgency import DEFAULTS, Coefficients
from graphql_api.domain.text import comparable
from graphql_api.errors import BadUserInput, Path, below

MAX_DAYS_OFF = 366  # per user
MAX_INTERVALS = 24  # per day
DAY = 24 * 60  # minutes
WEEK = 7 * DAY
EXCLUDED_ZONES = {"Factory", "localtime"}  # not a zone, or a different one on each machine
MAX_NAMED = 50  # tags, and projects, of a schedule
MAX_ZONE_LENGTH = 64  # characters of a zone's name


class Weekday(Enum):
    """Days of the week in the order of ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEKDAYS = tuple(Weekday)


class DateOrder(Enum):
    """The order of day and month in a date of numbers, such as 12/11."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True, slots=True)
class LocalInterval:
    """An interval of local time; an end that is not after the start is on the next day.

    Thus 22:00 to 06:00 is a night, and 00:00 to 00:00 a whole day.
    """

    start: time
    end: time

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end in minutes since midnight of the day on which the interval begins."""
        start, end = (t.hour * 60 + t.minute for t in (self.start, self.end))
        return start, end if end > start else end + DAY


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """The working hours of a weekday; gaps between the intervals are breaks."""

    day: Weekday
    intervals: tuple[LocalInterval, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Named hours of a week, in which tasks are planned that name them, by themselves or not.

    A task without a schedule of its own has that of its project, or else that of a tag.
    """

    name: str
    working_hours: tuple[WorkingDay, ...]
    tags: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()


BUFFERS = Buffers(daily_slack_percent=20, max_minutes_per_day=480)
OFFICE = (LocalInterval(time(9), time(12)), LocalInterval(time(13), time(17)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A user's settings; version 0 are the defaults, which are not stored."""

    user_id: str
    timezone: str = "UTC"  # IANA
    working_hours: tuple[WorkingDay, ...] = tuple(WorkingDay(day, OFFICE) for day in WEEKDAYS[:5])
    days_off: tuple[date, ...] = ()
    urgency_coefficients: Coefficients = DEFAULTS
    date_order: DateOrder = DateOrder.MONTH_FIRST
    first_weekday: Weekday = Weekday.MONDAY
    buffers: Buffers = BUFFERS
    schedules: tuple[Schedule, ...] = ()
    version: int = 0

    def edit(self, fields: Mapping[str, Any]) -> "Settings":
        """Change fields; None restores a field's default.

        Returns the same object, with the same version, if nothing changes. Raises BadUserInput.
        """
        default = Settings(user_id=self.user_id)
        if (coefficients := fields.get("urgency_coefficients")) is not None:
            with below("urgency_coefficients"):
                edited = self.urgency_coefficients.edit(coefficients)
            fields = {**fields, "urgency_coefficients": edited}
        if (buffers := fields.get("buffers")) is not None:
            fields = {**fields, "buffers": _buffers(self.buffers, buffers)}
        after = replace(
            self,
            **{
                name: getattr(default, name) if value is None else _checked(name, value)
                for name, value in fields.items()
            },
        )
        return self if after == self else replace(after, version=self.version + 1)

    @property
    def project_ids(self) -> frozenset[str]:
        """The projects that schedules name."""
        return frozenset(named for each in self.schedules for named in each.project_ids)

    def finding_schedules(self) -> Callable[[Task], str]:
        """Return what names the schedule that holds for a task; empty for the working hours.

        It is its own, its project's, or that of a tag: if its tags have several, the first of them.
        """
        names = [each.name for each in self.schedules]
        of_project = {named: each.name for each in self.schedules for named in each.project_ids}
        places = {comparable(tag): n for n, each in enumerate(self.schedules) for tag in each.tags}

        def schedule_of(task: Task) -> str:
            if name := task.schedule or of_project.get(task.project_id or ""):
                return name
            found = [places[tag] for tag in map(comparable, task.tags) if tag in places]
            return names[min(found)] if found else ""

        return schedule_of

    def check_schedule(self, name: str) -> None:
        """Raise BadUserInput unless there is a schedule of this name."""
        names = [each.name for each in self.schedules]
        if name not in names:
            known = f"there are {', '.join(names)}" if names else "the settings have none"
            raise BadUserInput(f"There is no schedule {name!r}: {known}.", "schedule")


def weekly(days: Iterable[WorkingDay]) -> tuple[tuple[tuple[time, time], ...], ...]:
    """Start and end of each interval of the seven days, from Monday on."""
    hours = {
        day.day: tuple((interval.start, interval.end) for interval in day.intervals) for day in days
    }
    return tuple(hours.get(day, ()) for day in WEEKDAYS)


def _buffers(before: Buffers, fields: Mapping[str, Any]) -> Buffers:
    """Change some buffers; None restores a default. Raises BadUserInput."""
    changes = {name: getattr(BUFFERS, name) if v is None else v for name, v in fields.items()}
    with below("buffers"):
        return replace(before, **changes)


def _checked(name: str, value: Any) -> Any:
    return _VALIDATORS[name](value) if name in _VALIDATORS else value


def checked_timezone(name: str) -> str:
    """The name of a time zone, if there is such a one. Raises BadUserInput."""
    if name not in _zones():
        raise BadUserInput(
            f"{name[:MAX_ZONE_LENGTH]!r} is not an IANA time zone, such as Europe/Berlin.",
            "timezone",
        )
    return name


@cache
def _zones() -> frozenset[str]:
    """Return the zones of the system and of the package tzdata."""
    return frozenset(zoneinfo.available_timezones()) - EXCLUDED_ZONES


def _schedules(schedules: Iterable[Schedule]) -> tuple[Schedule, ...]:
    named = tuple(_schedule(n, each) for n, each in enumerate(schedules))
    if len(named) > MAX_SCHEDULES:
        raise BadUserInput(f"At most {MAX_SCHEDULES} schedules are allowed.", "schedules")
    names = ((("schedules", n, "name"), comparable(each.name)) for n, each in enumerate(named))
    _check_distinct(names, "Give each schedule a name of its own.")
    for field, key in (("tags", comparable), ("project_ids", str)):
        _check_distinct(
            ((place, key(value)) for place, value in _named_by(named, field)),
            "A tag or a project must have one schedule at most.",
        )
    return named


def _named_by(schedules: Iterable[Schedule], field: str) -> Iterator[tuple[Path, str]]:
    """Yield the tags, or projects, of all schedules with their places."""
    for n, schedule in enumerate(schedules):
        for i, value in enumerate(getattr(schedule, field)):
            yield ("schedules", n, field, i), value


def _check_distinct(entries: Iterable[tuple[Path, Any]], message: str) -> None:
    """Raise BadUserInput with the place of the first entry whose value has come before."""
    seen = set[Any]()
    for place, value in entries:
        if value in seen:
            raise BadUserInput(message, place)
        seen.add(value)


def _schedule(n: int, schedule: Schedule) -> Schedule:
    with below("schedules", n):
        for field in ("tags", "project_ids"):
            if len(getattr(schedule, field)) > MAX_NAMED:
                message = f"A schedule can have at most {MAX_NAMED} tags, and as many projects."
                raise BadUserInput(message, field)
        return Schedule(
            name=schedule_name("name", schedule.name),
            working_hours=_schedule_hours(schedule),
            tags=tuple(tag(("tags", i), each) for i, each in enumerate(schedule.tags)),
            project_ids=tuple(
                checked_id(("project_ids", i), each) for i, each in enumerate(schedule.project_ids)
            ),
        )


def _schedule_hours(schedule: Schedule) -> tuple[WorkingDay, ...]:
    try:
        return _working_hours(schedule.working_hours)
    except BadUserInput as error:
        name = schedule.name[:MAX_SCHEDULE_LENGTH]
        raise BadUserInput(f"{name}: {error}", error.path) from None


def _working_hours(days: Iterable[WorkingDay]) -> tuple[WorkingDay, ...]:
    listed = tuple(days)
    weekdays = ((("working_hours", n, "day"), each.day) for n, each in enumerate(listed))
    _check_distinct(weekdays, "List each weekday at most once, with all its hours.")
    for n, day in enumerate(listed):
        if len(day.intervals) > MAX_INTERVALS:
            message = f"A day can have at most {MAX_INTERVALS} intervals."
            raise BadUserInput(message, ("working_hours", n, "intervals"))
    _check_disjoint(listed)
    hours = sorted((day for day in listed if day.intervals), key=lambda d: WEEKDAYS.index(d.day))
    return tuple(replace(day, intervals=tuple(sorted(day.intervals, key=_start))) for day in hours)


def _start(interval: LocalInterval) -> time:
    return interval.start


def _check_disjoint(days: Iterable[WorkingDay]) -> None:
    """Raise BadUserInput if intervals overlap, also those of a night with the next day's."""
    spans = sorted(
        (midnight + start, midnight + end, n, i)
        for n, day in enumerate(days)
        for midnight in (WEEKDAYS.index(day.day) * DAY,)
        for i, (start, end) in enumerate(interval.minutes for interval in day.intervals)
    )
    next_week = [(start + WEEK, end + WEEK, n, i) for start, end, n, i in spans[:1]]
    for (_, end, _, _), (next_start, _, n, i) in pairwise(spans + next_week):
        if next_start < end:
            raise BadUserInput(
                "Working hours must not overlap. An end at or before its start is on the next day.",
                ("working_hours", n, "intervals", i),
            )


def _days_off(days: Iterable[date]) -> tuple[date, ...]:
    distinct = tuple(sorted(set(days)))
    if len(distinct) > MAX_DAYS_OFF:
        raise BadUserInput(f"At most {MAX_DAYS_OFF} days off are allowed.", "days_off")
    return distinct


_VALIDATORS: Mapping[str, Callable[[Any], Any]] = {
    "timezone": checked_timezone,
    "working_hours": _working_hours,
    "days_off": _days_off,
    "schedules": _schedules,
}
