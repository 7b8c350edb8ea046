"""The JSON document of export and import: one task a line, names and values as in REST.

    {"format": "smart-task-scheduler", "version": 3,
     "user": {"user_id": …, "username": …, "created_at": …},
     "settings": {"timezone": …, …},
     "series": [{"series_id": …, "rrule": …, …}, …],
     "projects": [{"project_id": …, "name": …, …}, …],
     "views": [{"view_id": …, "name": …, …}, …],
     "tasks": [{"task_id": …, "title": …, …, "blocked_by": [task_id, …]}, …]}

Tasks without blockers have no `blocked_by`, those that do not recur no `series_id`, those that no
plan has placed no `planned_blocks`, a user without projects, views or series no such list, and one
who has changed no settings none of these.
Times are RFC 3339 texts. The document contains neither the password's hash nor sessions.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import IO, Any, NoReturn, get_args, get_type_hints

from graphql_api import clock
from graphql_api.domain.accounts.model import User
from graphql_api.domain.archive import blocks_format
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.projects.model import Project, TaskDefaults
from graphql_api.domain.reminders.model import Reminder, ReminderBase
from graphql_api.domain.tasks.model import LATER_DEFAULTS, RULES, Task
from graphql_api.errors import BadUserInput

FORMAT = "smart-task-scheduler"
VERSION = 3  # of the format
READABLE = {1, 2, VERSION}  # versions; version 1 has no due days, version 2 no settings
BLOCKED_BY, SERIES_ID, PLANNED_BLOCKS = "blocked_by", "series_id", "planned_blocks"


@dataclass(frozen=True, slots=True)
class Archive:
    """A parsed document: its user's name, and what is in it as it was read, not validated."""

    username: str
    tasks: list[Any]
    projects: list[Any]
    views: list[Any]
    series: list[Any]
    settings: Any = None  # of older versions none


def chunks(
    user: User,
    tasks: Iterable[Task],
    dependencies: Dependencies,
    projects: Iterable[Project] = (),
    series: Iterable[Mapping[str, Any]] = (),
    views: Iterable[Mapping[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Write the document piece by piece, with one task in memory at a time."""
    profile = user_entry(user)
    kept = list(map(project_entry, projects))
    parts = {"projects": kept, "views": list(views), "series": list(series), "settings": settings}
    more = {name: part for name, part in parts.items() if part}
    head = _json({"format": FORMAT, "version": VERSION, "user": profile, **more})
    yield f'{head[:-1]}, "tasks": ['
    separator = "\n"
    for task in tasks:
        yield separator + _json(task_entry(task, dependencies))
        separator = ",\n"
    yield "\n]}\n"


def user_entry(user: User) -> dict[str, Any]:
    """The user, as far as that is no secret."""
    return {name: _plain(getattr(user, name)) for name in ("user_id", "username", "created_at")}


def project_entry(project: Project) -> dict[str, Any]:
    """A project with all that clients see."""
    return {name: _plain(getattr(project, name)) for name in _PROJECT_READERS}


def task_entry(task: Task, dependencies: Dependencies) -> dict[str, Any]:
    """A task with all that clients see, its blockers, its series and its planned blocks."""
    entry = {name: _plain(getattr(task, name)) for name in _READERS}
    if blocker_ids := dependencies.blockers_of(task.task_id):
        entry[BLOCKED_BY] = blocker_ids
    if task.series_id:
        entry[SERIES_ID] = task.series_id
    if task.planned_blocks:
        entry[PLANNED_BLOCKS] = blocks_format.entries(task.pieces)
    return entry


def read(file: IO[bytes]) -> Archive:
    """Parse a file. Raises BadUserInput if it is not a document of this format and version."""
    try:
        document = json.load(file, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise BadUserInput(f"The file is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadUserInput(f"The file is not in the format {FORMAT}")
    if document.get("version") not in READABLE:
        versions = " or ".join(map(str, sorted(READABLE)))
        raise BadUserInput(f"The file is not in version {versions} of the format")
    user, tasks = document.get("user"), document.get("tasks")
    if not isinstance(user, dict) or not isinstance(tasks, list):
        raise BadUserInput("The file has no user or no tasks")
    more = {name: document.get(name, []) for name in ("projects", "views", "series")}
    for name, entries in more.items():
        if not isinstance(entries, list):
            raise BadUserInput(f"The {name} of the file are no list")
    username = str(user.get("username", ""))
    return Archive(username, tasks, settings=document.get("settings"), **more)


def project(user_id: str, entry: Any) -> Project:
    """Convert an entry to a project of this user. Raises BadUserInput."""
    if not isinstance(entry, dict) or entry.keys() != _PROJECT_READERS.keys():
        raise BadUserInput(f"A project must have {', '.join(_PROJECT_READERS)}.")
    values = {name: _field(name, entry[name], _PROJECT_READERS) for name in _PROJECT_READERS}
    return Project.from_import(user_id, values)


def task(user_id: str, entry: Any, timezone: str = "UTC") -> Task:
    """Convert an entry to a task of this user, who lives in a time zone. Raises BadUserInput."""
    if not isinstance(entry, dict):
        raise BadUserInput("A task must be an object.")
    for problem, names in (
        ("Missing", _READERS.keys() - entry.keys() - LATER_DEFAULTS.keys()),
        ("Unknown", entry.keys() - _READERS.keys() - {BLOCKED_BY, SERIES_ID, PLANNED_BLOCKS}),
    ):
        if names:
            raise BadUserInput(f"{problem} fields: {', '.join(sorted(names))}")
    values = {n: _field(n, entry[n]) for n in _READERS if n in entry}
    if SERIES_ID in entry:
        values[SERIES_ID] = _field(SERIES_ID, entry[SERIES_ID], {SERIES_ID: _text})
    if PLANNED_BLOCKS in entry:
        values[PLANNED_BLOCKS] = blocks_format.blocks(entry[PLANNED_BLOCKS])
    return Task.from_import(user_id, values, timezone=timezone)


def blockers(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of an entry's blockers. Raises BadUserInput."""
    try:
        return _texts(entry.get(BLOCKED_BY, []))
    except ValueError as error:
        raise BadUserInput(f"{BLOCKED_BY}: {error}", BLOCKED_BY) from None


def _field(name: str, value: Any, readers: Mapping[str, Callable[[Any], Any]] | None = None) -> Any:
    try:
        return (readers or _READERS)[name](value)
    except ValueError as error:
        raise BadUserInput(f"{name}: {error}", name) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A text is required.")  # noqa: TRY004 - the file is wrong, not the call
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("The text is not valid Unicode.") from None
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("A list of texts is required.")  # noqa: TRY004 - as above
    return tuple(map(_text, value))


def _whole_number(value: Any) -> int:
    if type(value) is not int:  # bool is a subclass of int
        raise ValueError("A whole number is required.")
    return value


def _instant(value: Any) -> datetime:
    return clock.parse(_text(value))


def _day(value: Any) -> date:
    return date.fromisoformat(_text(value))


def _reminder(value: Any) -> Reminder:
    if not isinstance(value, dict) or value.keys() - _REMINDER.keys():
        raise ValueError("A reminder is an object with at, minutes_before and from.")
    values = {member: read(value.get(name)) for name, (member, read) in _REMINDER.items()}
    return Reminder(**values)


def _reminders(value: Any) -> tuple[Reminder, ...]:
    if not isinstance(value, list):
        raise ValueError("A list of reminders is required.")  # noqa: TRY004 - as above
    return tuple(map(_reminder, value))


def _defaults(value: Any) -> TaskDefaults:
    if not isinstance(value, dict) or value.keys() - _DEFAULT_READERS.keys():
        raise ValueError("Defaults are an object with priority, tags and duration_minutes.")
    return TaskDefaults(**{name: _DEFAULT_READERS[name](value[name]) for name in value})


_READERS_BY_TYPE: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _whole_number,
    datetime: _instant,
    date: _day,
    tuple[str, ...]: _texts,
    tuple[Reminder, ...]: _reminders,
    TaskDefaults: _defaults,
}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """The reader of a field of this type; of null, too, where the type allows it."""
    if isinstance(hint, UnionType):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
        read = _reader(hint)
        return lambda value: None if value is None else read(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _READERS_BY_TYPE[hint]


# A reminder's members by the names of REST.
_REMINDER = {
    "at": ("at", _reader(datetime | None)),
    "minutes_before": ("minutes_before", _reader(int | None)),
    "from": ("base", _reader(ReminderBase | None)),
}

# Imported tasks belong to the user who imports them.
_READERS = {
    name: _reader(hint)
    for name, hint in get_type_hints(Task).items()
    if name != "user_id" and not RULES[name].is_internal
}


_DEFAULT_READERS = {name: _reader(hint) for name, hint in get_type_hints(TaskDefaults).items()}
_PROJECT_READERS = {
    name: _reader(hint)
    for name, hint in get_type_hints(Project).items()
    if name not in {"user_id", "deletion"}
}


def _plain(value: Any) -> Any:
    """Convert a value to its JSON form."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Reminder):
        return {name: _plain(getattr(value, member)) for name, (member, _) in _REMINDER.items()}
    if isinstance(value, TaskDefaults):
        return {name: _plain(each) for name, each in value.values.items()}
    if isinstance(value, tuple):
        return list(map(_plain, value))
    if isinstance(value, datetime):
        return clock.text(value)
    return value.isoformat() if isinstance(value, date) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _reject_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")
