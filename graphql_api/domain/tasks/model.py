"""What a task is, how it changes, and which tasks a list shows in which order. Pure."""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from graphql_api import clock
from graphql_api.domain.records import record
from graphql_api.errors import BadUserInput
from graphql_api.ids import is_id, new_id

T = TypeVar("T")

TITLE_LENGTH = 200  # characters, trimmed
DESCRIPTION_BYTES = 32 * 1024  # bytes of UTF-8
TAGS = 20  # a task
TAG_LENGTH = 50  # characters, trimmed
LARGEST_VERSION = 2**31 - 1  # what GraphQL calls an Int
SEARCH_LENGTH = 200  # characters
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
            raise BadUserInput(f"{camel(name)} cannot be null.", camel(name))
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
            raise BadUserInput(f"{name} must be from 0 to {LONGEST}.", name)
        return minutes

    return check


def _check_plan(task: Task) -> None:
    """Raise BadUserInput unless the task is planned from a start to an end, or not at all."""
    start, end = task.planned_start, task.planned_end
    if (start is None) is not (end is None):
        missing = "plannedStart" if start is None else "plannedEnd"
        raise BadUserInput(f"{missing} is needed: a plan has a start and an end.", missing)
    if start is not None and end is not None and end < start:
        raise BadUserInput("plannedEnd cannot be before the start.", "plannedEnd")


def camel(name: str) -> str:
    """The name of a field as clients know it."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


_RULES: Mapping[str, Callable[[Any], Any]] = {
    "title": _title,
    "description": _description,
    "tags": _tags,
    "duration_minutes": _minutes("durationMinutes"),
    "min_chunk_minutes": _minutes("minChunkMinutes"),
}


class TaskOrderField(Enum):
    """What tasks can be sorted by."""

    CREATED_AT = "created_at"
    DUE_AT = "due_at"
    URGENCY = "urgency"


class OrderDirection(Enum):
    """Which end of an order comes first."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """An order of tasks: newest first, unless another one is asked for.

    By due date, tasks without one come last in both directions. By urgency, only open ones come.
    """

    field: TaskOrderField = TaskOrderField.CREATED_AT
    direction: OrderDirection = OrderDirection.DESC


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a list shows: those that meet every condition given."""

    status: tuple[TaskStatus, ...] | None = None
    priority: tuple[TaskPriority, ...] | None = None
    tags: tuple[str, ...] | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    search: str | None = None
    ready: bool | None = field(default=None, repr=False)  # cursors from before it was stay good

    def __post_init__(self) -> None:
        if self.tags is not None:
            object.__setattr__(self, "tags", _distinct(tag.strip() for tag in self.tags))
            if len(self.tags) > TAGS:
                raise BadUserInput(f"At most {TAGS} tags can be asked for.", "tags")
        for name in ("status", "priority"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _distinct(getattr(self, name)))
        if self.search is not None and len(self.search) > SEARCH_LENGTH:
            raise BadUserInput(f"A search has at most {SEARCH_LENGTH} characters.", "search")

    @property
    def by_due_date(self) -> bool:
        """Whether only tasks with a due date can match."""
        return self.due_before is not None or self.due_after is not None

    @property
    def impossible(self) -> bool:
        """Whether nothing can match: one of an empty list, or a time that ends before it begins."""
        return () in (self.status, self.priority, self.tags) or (
            self.due_after is not None
            and self.due_before is not None
            and self.due_after >= self.due_before
        )

    def of_open(self) -> "TaskFilter":
        """The same, of open tasks only."""
        given = OPEN if self.status is None else self.status
        return replace(self, status=tuple(status for status in given if status in OPEN))

    @property
    def looks_closer(self) -> bool:
        """Whether a match can only be told from a task that was read."""
        return bool(self.search) or self.ready is not None

    def shows(self, task: Task, waiting: Collection[str]) -> bool:
        """Whether a task that was read matches; `waiting` are those with open blockers."""
        ready = task.open and task.task_id not in waiting
        return self.ready in {None, ready} and self.found_in(task)

    def matches(self, task: Task, waiting: Collection[str]) -> bool:
        """Whether a task that was read without asking for a match is one."""
        due = task.due_at
        return (
            (self.status is None or task.status in self.status)
            and (self.priority is None or task.priority in self.priority)
            and (self.tags is None or not set(self.tags).isdisjoint(task.tags))
            and (self.due_after is None or (due is not None and due >= self.due_after))
            and (self.due_before is None or (due is not None and due < self.due_before))
            and self.shows(task, waiting)
        )

    def found_in(self, task: Task) -> bool:
        """Whether the search's text is in the title or the description, in whatever case."""
        if not self.search:
            return True
        text = self.search.casefold()
        return text in task.title.casefold() or text in task.description.casefold()
