"""A user's data as one JSON document, one task a line, names and values as in REST.

    {"format": "smart-task-scheduler", "version": 1,
     "user": {"user_id": …, "username": …, "created_at": …},
     "tasks": [{"task_id": …, "title": …, …, "blocked_by": [task_id, …]}, …]}

Only a task that waits for others has `blocked_by`. Times are RFC 3339 texts. Neither the
password's hash, nor sessions, nor settings are in it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from enum import Enum
from typing import IO, Any, NoReturn

from graphql_api import clock
from graphql_api.domain.accounts.model import User
from graphql_api.domain.tasks.dependencies import Dependencies
from graphql_api.domain.tasks.model import DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput

FORMAT = "smart-task-scheduler"
VERSION = 1  # of the format
BLOCKED_BY = "blocked_by"


@dataclass(frozen=True, slots=True)
class Archive:
    """What a file says: whose data it was, and the tasks as they stand there, unchecked."""

    username: str
    tasks: list[Any]


def chunks(user: User, tasks: Iterable[Task], dependencies: Dependencies) -> Iterator[str]:
    """The document in pieces, so that no more than one task has to be in memory."""
    shown = {name: _plain(getattr(user, name)) for name in ("user_id", "username", "created_at")}
    head = _json({"format": FORMAT, "version": VERSION, "user": shown})
    yield f'{head[:-1]}, "tasks": ['
    separator = "\n"
    for task in tasks:
        entry = {name: _plain(getattr(task, name)) for name in _READERS}
        if waits_for := dependencies.blockers_of(task.task_id):
            entry[BLOCKED_BY] = waits_for
        yield separator + _json(entry)
        separator = ",\n"
    yield "\n]}\n"


def read(file: IO[bytes]) -> Archive:
    """What the file says; BadUserInput if it is no document of this format and version."""
    try:
        document = json.load(file, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadUserInput(f"The file is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadUserInput(f"The file is not a document of the format {FORMAT}")
    if document.get("version") != VERSION:
        raise BadUserInput(f"The file is not of version {VERSION} of the format")
    user, tasks = document.get("user"), document.get("tasks")
    if not isinstance(user, dict) or not isinstance(tasks, list):
        raise BadUserInput("The file has no user or no tasks")
    return Archive(str(user.get("username", "")), tasks)


def task(user_id: str, entry: Any) -> Task:
    """The task that an entry of the file describes, as this user's; else BadUserInput."""
    if not isinstance(entry, dict):
        raise BadUserInput("A task is an object.")
    for what, names in (
        ("Missing", _READERS.keys() - entry.keys() - _YOUNGER),
        ("Unknown", entry.keys() - _READERS.keys() - {BLOCKED_BY}),
    ):
        if names:
            raise BadUserInput(f"{what} fields: {', '.join(sorted(names))}")
    return Task.restored(user_id, {n: _field(n, entry[n]) for n in _READERS if n in entry})


def blockers(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the tasks that an entry's waits for; BadUserInput if they are none."""
    try:
        return _texts(entry.get(BLOCKED_BY, []))
    except ValueError as error:
        raise BadUserInput(f"{BLOCKED_BY}: {error}", BLOCKED_BY) from None


def _field(name: str, value: Any) -> Any:
    if value is None and name in _NULLABLE:
        return None
    try:
        return _READERS[name](value)
    except ValueError as error:
        raise BadUserInput(f"{name}: {error}", name) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A text is needed.")  # noqa: TRY004 - what is wrong is the file, not the call
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("The text is not valid Unicode.") from None
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("A list of texts is needed.")  # noqa: TRY004 - as above
    return tuple(map(_text, value))


def _whole_number(value: Any) -> int:
    if type(value) is not int:  # True is an int, too
        raise ValueError("A whole number is needed.")
    return value


def _instant(value: Any) -> datetime:
    return clock.parse(_text(value))


_READERS: dict[str, Callable[[Any], Any]] = {
    "task_id": _text,
    "title": _text,
    "description": _text,
    "status": TaskStatus,
    "priority": TaskPriority,
    "due_at": _instant,
    "tags": _texts,
    "created_at": _instant,
    "updated_at": _instant,
    "completed_at": _instant,
    "version": _whole_number,
    "duration_minutes": _whole_number,
    "not_before": _instant,
    "deadline_type": DeadlineType,
    "min_chunk_minutes": _whole_number,
    "planned_start": _instant,
    "planned_end": _instant,
}
_NULLABLE = {
    *("due_at", "completed_at"),
    *("duration_minutes", "not_before", "planned_start", "planned_end"),
}
# Files that were written before there were these have none of them.
_YOUNGER = {field.name for field in fields(Task) if field.default is not MISSING}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    return clock.text(value) if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
