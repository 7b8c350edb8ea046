"""What a task is, and how it changes. Pure."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from graphql_api import clock
from graphql_api.domain.records import record
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.ids import is_id, new_id

T = TypeVar("T")

TITLE_LENGTH = 200  # characters, trimmed
DESCRIPTION_BYTES = 32 * 1024  # bytes of UTF-8
TAGS = 20  # a task
TAG_LENGTH = 50  # characters, trimmed
LARGEST_VERSION = 2**31 - 1  # what GraphQL calls an Int
LONGEST = 14_400  # minutes of a task, or of a piece of it: ten days without a break


class TaskStatus(Enum):
    """Where a task stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OPEN = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)


class TaskPriority(Enum):
    """How much a task matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class DeadlineType(Enum):
    """What a due date means to whoever plans the task."""

    HARD = "hard"
    SOFT = "soft"


@record
class Task:
    """Something a user plans to do; a change is a method that returns the next state.

    A field with a default is younger than the first release: tasks kept before have it.
    """

    task_id: str
    user_id: str
    title: str
    description: str
    status: TaskStatus
    priority: TaskPriority
    due_at: datetime | None
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    version: int
    duration_minutes: int | None = None  # None: unknown
    not_before: datetime | None = None
    deadline_type: DeadlineType = DeadlineType.SOFT  # what due_at means
    min_chunk_minutes: int = 0  # 0: never split
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    change_id: str | None = dataclasses.field(default=None, compare=False)  # of its last change

    @classmethod
    def new(cls, user_id: str, fields: Mapping[str, Any], now: datetime) -> "Task":
        """A user's new task; a field that is absent or None has its default.

        Raises BadUserInput.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        values = {**_DEFAULTS, **_checked({"title": "", **given})}
        created = clock.milliseconds(now)
        task = cls(
            task_id=new_id(now),
            user_id=user_id,
            **values,
            created_at=created,
            updated_at=created,
            completed_at=created if values["status"] is TaskStatus.COMPLETED else None,
            version=1,
        )
        _check_plan(task)
        return task

    @classmethod
    def restored(cls, user_id: str, fields: Mapping[str, Any]) -> "Task":
        """A user's task as it was elsewhere: with its id, times and version.

        Raises BadUserInput.
        """
        task = cls(user_id=user_id, **_checked(fields))
        if not is_id(task.task_id):
            raise BadUserInput("An id has 1 to 128 letters, digits, '_' and '-'.", "task_id")
        if task.completed is (task.completed_at is None):
            raise BadUserInput("A completed task has completed_at, no other has.", "completed_at")
        if not 1 <= task.version <= LARGEST_VERSION:
            raise BadUserInput(f"A version is from 1 to {LARGEST_VERSION}.", "version")
        _check_plan(task)
        return task

    def edit(self, fields: Mapping[str, Any], now: datetime) -> "Task":
        """The task with these fields; None clears one that can be empty.

        The same task, of the same version, if that changes nothing. Raises BadUserInput.
        """
        after = replace(self, **_checked(_cleared(fields)))
        if after == self:
            return self
        _check_plan(after)
        at = clock.milliseconds(now)
        if after.status is not self.status:
            after = replace(after, completed_at=at if after.completed else None)
        return replace(after, updated_at=at, version=self.version + 1)

    def same_content(self) -> str:
        """A digest that two tasks share if the same fields were given for both.

        Without the younger fields it is what it was before there were any: keys that were used
        before an upgrade are good after it.
        """
        given: tuple[Any, ...] = (
            *(self.title, self.description, self.status, self.priority, self.due_at, self.tags),
            *((n, getattr(self, n)) for n, d in _YOUNGER.items() if getattr(self, n) != d),
        )
        return hashlib.sha256(repr(given).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.status in OPEN

    @property
    def completed(self) -> bool:
        """Whether the task is done."""
        return self.status is TaskStatus.COMPLETED

    @property
    def due_order(self) -> str | None:
        """The text that sorts tasks by due date, equal ones by creation; None without a date."""
        return f"{clock.text(self.due_at)}#{self.task_id}" if self.due_at else None


_YOUNGER = {
    field.name: field.default for field in dataclasses.fields(Task) if field.default is not MISSING
}
_DEFAULTS: dict[str, Any] = {
    **_YOUNGER,
    "description": "",
    "status": TaskStatus.PENDING,
    "priority": TaskPriority.MEDIUM,
    "due_at": None,
    "tags": (),
}
_CLEARABLE = {
    *("description", "due_at", "tags"),
    *("duration_minutes", "not_before", "planned_start", "planned_end"),
}


def _cleared(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with a null as what it means: the default, where there may be nothing."""
    for name, value in fields.items():
        if value is None and name not in _CLEARABLE:
            raise BadUserInput(f"{FIELD} cannot be null.", name)
    return {n: _DEFAULTS[n] if value is None else value for n, value in fields.items()}


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as a task keeps them; BadUserInput if one of them cannot be kept."""
    return {n: _RULES[n](value) if n in _RULES else value for n, value in fields.items()}


def _title(text: str) -> str:
    title = text.strip()
    if not 1 <= len(title) <= TITLE_LENGTH:
        raise BadUserInput(f"A title has 1 to {TITLE_LENGTH} characters.", "title")
    return title


def _description(text: str) -> str:
    if len(text.encode()) > DESCRIPTION_BYTES:
        raise BadUserInput(f"A description has at most {DESCRIPTION_BYTES} bytes.", "description")
    return text


def _tags(given: Iterable[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(tag.strip() for tag in given))
    if len(tags) > TAGS:
        raise BadUserInput(f"A task has at most {TAGS} tags.", "tags")
    if not all(1 <= len(tag) <= TAG_LENGTH for tag in tags):
        raise BadUserInput(f"A tag has 1 to {TAG_LENGTH} characters.", "tags")
    return tags


def _minutes(name: str) -> Callable[[int | None], int | None]:
    """The rule of a field of minutes."""

    def check(minutes: int | None) -> int | None:
        if minutes is not None and not 0 <= minutes <= LONGEST:
            raise BadUserInput(f"{FIELD} must be from 0 to {LONGEST}.", name)
        return minutes

    return check


def _check_plan(task: Task) -> None:
    """Raise BadUserInput unless the task is planned from a start to an end, or not at all."""
    start, end = task.planned_start, task.planned_end
    if (start is None) is not (end is None):
        missing = "planned_start" if start is None else "planned_end"
        raise BadUserInput(f"{FIELD} is needed: a plan has a start and an end.", missing)
    if start is not None and end is not None and end < start:
        raise BadUserInput(f"{FIELD} cannot be before the start.", "planned_end")


_RULES: Mapping[str, Callable[[Any], Any]] = {
    "title": _title,
    "description": _description,
    "tags": _tags,
    "duration_minutes": _minutes("duration_minutes"),
    "min_chunk_minutes": _minutes("min_chunk_minutes"),
}
