"""Which tasks a list shows, and in which order. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TypeVar

from graphql_api.domain.tasks.model import OPEN, TAGS, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput

T = TypeVar("T")

SEARCH_LENGTH = 200  # characters


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


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
