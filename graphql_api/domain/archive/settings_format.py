"""Settings in the archives of a user, with the names and values of REST.

{"timezone": …, "working_hours": [{"day": …, "intervals": [{"start": "09:00", "end": …}, …]}, …],
 "days_off": [<day>, …], "urgency_coefficients": {…}, "buffers": {…}, "date_order": …,
 "first_weekday": …, "schedules": [{"name": …, "working_hours": […],
 "tags": [<name>, …], "project_ids": [<id>, …]}, …]}
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields, replace
from datetime import date, time
from enum import Enum
from typing import Any

from graphql_api.domain.settings.model import (
    DateOrder,
    LocalInterval,
    Schedule,
    Settings,
    Weekday,
    WorkingDay,
)
from graphql_api.errors import BadUserInput

Json = dict[str, Any]

_NAMES = [field.name for field in fields(Settings) if field.name not in {"user_id", "version"}]


def entry(settings: Settings) -> Json:
    """The entry of settings."""
    values = asdict(settings)
    return {name: _plain(values[name]) for name in _NAMES}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else value


def changes(entry: Any) -> Json:
    """The changes of default settings by which they are those of an entry. Raises BadUserInput."""
    try:
        values = {name: _READERS[name](value) for name, value in entry.items()}
        Settings(user_id="").edit(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadUserInput(f"These are no settings: {error!r}", "settings") from None
    return values


def without_projects(changes: Json, known: Collection[str]) -> Json:
    """Changes of settings whose schedules name no other projects than those."""
    schedules = tuple(
        replace(each, project_ids=tuple(named for named in each.project_ids if named in known))
        for each in changes.get("schedules", ())
    )
    return {**changes, "schedules": schedules} if schedules else changes


def _as_it_is(value: Any) -> Any:
    return value


def _day(entry: Json) -> WorkingDay:
    intervals = (
        LocalInterval(time.fromisoformat(each["start"]), time.fromisoformat(each["end"]))
        for each in entry["intervals"]
    )
    return WorkingDay(Weekday(entry["day"]), tuple(intervals))


def _schedule(entry: Json) -> Schedule:
    tags, project_ids = (tuple(entry.get(name, ())) for name in ("tags", "project_ids"))
    return Schedule(entry["name"], tuple(map(_day, entry["working_hours"])), tags, project_ids)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_NAMES, _as_it_is),
    "working_hours": lambda value: tuple(map(_day, value)),
    "days_off": lambda value: tuple(map(date.fromisoformat, value)),
    "date_order": DateOrder,
    "first_weekday": Weekday,
    "schedules": lambda value: tuple(map(_schedule, value)),
}
