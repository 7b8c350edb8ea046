"""Filters and orders of task lists. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TypeVar

from graphql_api.domain.tasks.model import MAX_TAGS, OPEN, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput

T = TypeVar("T")

MAX_SEARCH_LENGTH = 200  # characters


class TaskOrderField(Enum):
    """The field by which a list of tasks is sorted."""

    CREATED_AT = "created_at"
    DUE_AT = "due_at"
    URGENCY = "urgency"


class OrderDirection(Enum):
    """The direction of an order."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """An order of tasks; newest first by default.

    By due date, tasks without one come last in both directions. By urgency, a list has open
    tasks only.
    """

    field: TaskOrderField = TaskOrderField.CREATED_AT
    direction: OrderDirection = OrderDirection.DESC


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Conditions on tasks, all of which have to hold. Raises BadUserInput."""

    status: tuple[TaskStatus, ...] | None = None
    priority: tuple[TaskPriority, ...] | None = None
    tags: tuple[str, ...] | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    search: str | None = None
    ready: bool | None = field(default=None, repr=False)  # keeps cursors older than it valid

    def __post_init__(self) -> None:
        if self.tags is not None:
            object.__setattr__(self, "tags", _distinct(tag.strip() for tag in self.tags))
            if len(self.tags) > MAX_TAGS:
                raise BadUserInput(f"A filter must have at most {MAX_TAGS} tags.", "tags")
        for name in ("status", "priority"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _distinct(getattr(self, name)))
        if self.search is not None and len(self.search) > MAX_SEARCH_LENGTH:
            raise BadUserInput(
                f"A search must have at most {MAX_SEARCH_LENGTH} characters.", "search"
            )

    @property
    def by_due_date(self) -> bool:
        """Return whether only tasks with a due date can match."""
        return self.due_before is not None or self.due_after is not None

    @property
    def impossible(self) -> bool:
        """Return whether no task can match: a condition has no values, or a range is empty."""
        return () in (self.status, self.priority, self.tags) or (
            self.due_after is not None
            and self.due_before is not None
            and self.due_after >= self.due_before
        )

    @property
    def needs_items(self) -> bool:
        """Return whether some condition can be checked on a decoded task only, not by DynamoDB."""
        return bool(self.search) or self.ready is not None

    def of_open(self) -> "TaskFilter":
        """The same filter, restricted to open tasks."""
        status = OPEN if self.status is None else self.status
        return replace(self, status=tuple(each for each in status if each in OPEN))

    def accepts(self, task: Task, blocked_ids: Collection[str]) -> bool:
        """Check the conditions that DynamoDB cannot check."""
        is_ready = task.open and task.task_id not in blocked_ids
        return self.ready in {None, is_ready} and self.is_found_in(task)

    def matches(self, task: Task, blocked_ids: Collection[str]) -> bool:
        """Check all conditions; `blocked_ids` are the tasks with open blockers."""
        due = task.due_at
        return (
            (self.status is None or task.status in self.status)
            and (self.priority is None or task.priority in self.priority)
            and (self.tags is None or not set(self.tags).isdisjoint(task.tags))
            and (self.due_after is None or (due is not None and due >= self.due_after))
            and (self.due_before is None or (due is not None and due < self.due_before))
            and self.accepts(task, blocked_ids)
        )

    def is_found_in(self, task: Task) -> bool:
        """Return whether the searched text is in the title or the description, ignoring case."""
        if not self.search:
            return True
        text = self.search.casefold()
        return text in task.title.casefold() or text in task.description.casefold()


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
