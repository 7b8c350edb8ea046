"""The open task in short: what lists sort, filter and count by. Pure."""

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import ClassVar

from graphql_api.domain.due_days.model import DueDay
from graphql_api.domain.records import immutable
from graphql_api.domain.subtasks.positions import last_position
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus


@immutable
class OpenTask:
    """An open task without what no list asks of it; each field is one of `Task`.

    A field that is added here has a default. It is in the items that are written from then on,
    and in all others once `tables upgrade` has run, until which lists do without all of them.
    """

    task_id: str
    title: str
    status: TaskStatus
    priority: TaskPriority
    created_at: datetime
    tags: tuple[str, ...] = ()
    due_at: datetime | None = None
    due_day: DueDay | None = None
    not_before: datetime | None = None
    planned_start: datetime | None = None
    blocks_start: datetime | None = None
    blocks_end: datetime | None = None
    project_id: str | None = None
    parent_id: str | None = None
    position: str = ""

    open: ClassVar[bool] = True
    completed_at: ClassVar[None] = None

    @classmethod
    def of(cls, task: Task) -> "OpenTask":
        """An open task in short."""
        return cls(**dict(zip(NAMES, _values(task), strict=True)))

    @classmethod
    def if_open(cls, task: Task | None) -> "OpenTask | None":
        """A task in short; None if it is closed, or not there."""
        return cls.of(task) if task is not None and task.open else None

    @property
    def deadline(self) -> datetime | None:
        """As that of a whole task."""
        return self.due_day.end if self.due_day else self.due_at

    @property
    def due_until(self) -> datetime | None:
        """As that of a whole task."""
        return self.due_day.last if self.due_day else self.due_at

    @property
    def place(self) -> str:
        """As that of a whole task."""
        return self.position or last_position(self.created_at)


NAMES = tuple(field.name for field in fields(OpenTask))
KNOWN = frozenset({*NAMES, "completed_at", "due_until"})
"""The attributes of a task that are known of an open one."""

_values = attrgetter(*NAMES)
