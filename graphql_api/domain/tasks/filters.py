"""Filters and orders of task lists. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from graphql_api import clock
from graphql_api.domain import criteria
from graphql_api.domain.criteria import (
    AtLeast,
    Before,
    Computed,
    Criterion,
    Exists,
    KeyIn,
    OneOf,
    unless,
)
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.paging import Rank
from graphql_api.domain.tasks.model import MAX_TAGS, OPEN, Task, TaskPriority, TaskStatus
from graphql_api.domain.text import Search, comparable
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.infra.dynamodb import Attr

T = TypeVar("T")

MAX_SEARCH_LENGTH = 200  # characters
MAX_IDS = 100
MAX_PROJECT_IDS = 50  # in them together, too
MAX_DAYS = 3_660  # ten years
MAX_LEVELS = 3  # of filters within a filter
MAX_LEAVES = 20  # conditions in a filter and all filters within it
MAX_FILTER_TAGS = 50  # in them together, since DynamoDB takes expressions of 4 KB
_MILLISECOND = timedelta(milliseconds=1)

DUE = "due_until"
_STORED_DUE = ("due_at", DUE)  # an item has the one or, if it is due on a day, the other
HAS_DUE = Exists(DUE, _STORED_DUE)


class TaskOrderField(Enum):
    """The field by which a list of tasks is sorted."""

    CREATED_AT = "created_at"
    DUE_AT = "due_at"
    URGENCY = "urgency"
    PRIORITY = "priority"
    TITLE = "title"
    UPDATED_AT = "updated_at"
    PLANNED_START = "planned_start"
    COMPLETED_AT = "completed_at"
    POSITION = "position"


class OrderDirection(Enum):
    """The direction of an order."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """An order of tasks; newest first by default.

    By an instant, tasks without one come last in both directions. By urgency, a list has open
    tasks only.
    """

    field: TaskOrderField = TaskOrderField.CREATED_AT
    direction: OrderDirection = OrderDirection.DESC


def rank_of(task: Task | OpenTask, by: TaskOrderField) -> Rank:
    """The place of a task in a list by a field."""
    return Rank(_VALUES[by](task), task.task_id)


def _instant(name: str) -> Callable[[Any], str | None]:
    """Return the function that reads an instant of a task."""
    return lambda task: clock.text(at) if (at := getattr(task, name)) else None


_PRIORITIES = list(TaskPriority)
_VALUES: Mapping[TaskOrderField, Callable[[Any], str | int | None]] = {
    TaskOrderField.CREATED_AT: lambda _: "",
    TaskOrderField.DUE_AT: _instant(DUE),
    TaskOrderField.PRIORITY: lambda task: _PRIORITIES.index(task.priority),
    TaskOrderField.TITLE: lambda task: comparable(task.title),
    TaskOrderField.UPDATED_AT: _instant("updated_at"),
    TaskOrderField.PLANNED_START: _instant("planned_start"),
    TaskOrderField.COMPLETED_AT: _instant("completed_at"),
    TaskOrderField.POSITION: lambda task: task.place,
}
INDEXED = (TaskOrderField.CREATED_AT, TaskOrderField.DUE_AT)
"""The orders in which DynamoDB has the tasks."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """The instant and the place from which a filter is looked at.

    `blocked_ids` are the tasks with open blockers, which a filter that `asks_blockers` needs;
    `children` the subtasks of the parents that it names, which are then found by their ids.
    """

    now: datetime
    timezone: str = "UTC"  # IANA
    blocked_ids: Collection[str] = ()
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def end_of_day(self, days: int) -> datetime:
        """The end of the local day that is so many days after today."""
        zone = ZoneInfo(self.timezone)
        day = self.now.astimezone(zone).date() + timedelta(days=days + 1)
        return datetime.combine(day, time(), zone).astimezone(UTC)


ANY_VIEWPOINT = Viewpoint(datetime(1970, 1, 1, tzinfo=UTC))
"""For a filter that asks nothing of it."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Conditions on tasks, all of which have to hold. Raises BadUserInput.

    Its text is as it was in release 0.1.0, for which cursors are still around.
    """

    status: tuple[TaskStatus, ...] | None = None
    priority: tuple[TaskPriority, ...] | None = None
    tags: tuple[str, ...] | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    search: str | None = None
    ready: bool | None = field(default=None, repr=False)
    ids: tuple[str, ...] | None = field(default=None, repr=False)
    tags_all: tuple[str, ...] | None = field(default=None, repr=False)
    no_tags: bool | None = field(default=None, repr=False)
    overdue: bool | None = field(default=None, repr=False)
    no_due: bool | None = field(default=None, repr=False)
    due_within_days: int | None = field(default=None, repr=False)
    created_after: datetime | None = field(default=None, repr=False)
    created_before: datetime | None = field(default=None, repr=False)
    updated_after: datetime | None = field(default=None, repr=False)
    updated_before: datetime | None = field(default=None, repr=False)
    completed_after: datetime | None = field(default=None, repr=False)
    completed_before: datetime | None = field(default=None, repr=False)
    planned_after: datetime | None = field(default=None, repr=False)
    planned_before: datetime | None = field(default=None, repr=False)
    project_ids: tuple[str, ...] | None = field(default=None, repr=False)
    no_project: bool | None = field(default=None, repr=False)
    parent_id: str | None = field(default=None, repr=False)
    no_parent: bool | None = field(default=None, repr=False)
    and_: tuple["TaskFilter", ...] | None = field(default=None, repr=False)
    or_: tuple["TaskFilter", ...] | None = field(default=None, repr=False)
    not_: "TaskFilter | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("tags", "tags_all"):
            if getattr(self, name) is not None:
                tags = _distinct(tag.strip() for tag in getattr(self, name))
                object.__setattr__(self, name, tags)
                if len(tags) > MAX_TAGS:
                    raise BadUserInput(f"A filter must have at most {MAX_TAGS} tags.", name)
        for name in ("status", "priority", "ids", "project_ids"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _distinct(getattr(self, name)))
        for name, most in (("ids", MAX_IDS), ("project_ids", MAX_PROJECT_IDS)):
            if len(getattr(self, name) or ()) > most:
                raise BadUserInput(f"{FIELD} must have at most {most} items.", name)
        if self.search is not None and len(self.search) > MAX_SEARCH_LENGTH:
            raise BadUserInput(
                f"A search must have at most {MAX_SEARCH_LENGTH} characters.", "search"
            )
        if self.due_within_days is not None and not 0 <= self.due_within_days <= MAX_DAYS:
            raise BadUserInput(f"{FIELD} must be from 0 to {MAX_DAYS}.", "due_within_days")
        _check_size(self)

    @property
    def inner(self) -> tuple["TaskFilter", ...]:
        """The filters within this one."""
        return (*(self.and_ or ()), *(self.or_ or ()), *((self.not_,) if self.not_ else ()))

    @property
    def every(self) -> Iterator["TaskFilter"]:
        """The filter, and all those within it."""
        yield self
        for each in self.inner:
            yield from each.every

    @property
    def levels(self) -> int:
        """The levels of filters within this one."""
        return max((1 + each.levels for each in self.inner), default=0)

    @property
    def asks_blockers(self) -> bool:
        """Return whether it matters which tasks have open blockers."""
        return any(each.ready is not None for each in self.every)

    @property
    def parent_ids(self) -> list[str]:
        """The tasks of which it asks for the subtasks."""
        return [each.parent_id for each in self.every if each.parent_id is not None]

    @property
    def asks_timezone(self) -> bool:
        """Return whether it matters when a day begins."""
        return any(each.due_within_days is not None for each in self.every)

    @property
    def searches(self) -> bool:
        """Return whether texts are searched."""
        return any(each.search for each in self.every)

    @property
    def signature(self) -> tuple[Any, ...]:
        """A key that tells it from other filters, the same in all releases."""
        signature: list[Any] = [repr(self)]
        for name in _LATER:
            value = getattr(self, name)
            if name in _NESTED and value is not None:
                value = [each.signature for each in (value if name != "not_" else (value,))]
            if value is not None:
                signature.append((name, value))
        return tuple(signature)

    def of_open(self) -> "TaskFilter":
        """The same filter, restricted to open tasks."""
        status = OPEN if self.status is None else self.status
        return replace(self, status=tuple(each for each in status if each in OPEN))

    def within(self, project_id: str) -> "TaskFilter":
        """The same filter, restricted to a project."""
        others = self.project_ids is not None and project_id not in self.project_ids
        return replace(self, project_ids=() if others else (project_id,))

    def criterion(self, at: Viewpoint) -> Criterion:
        """The conditions as one criterion on tasks."""
        return criteria.All(tuple(self._criteria(at)))

    def matches(self, task: Task, at: Viewpoint) -> bool:
        """Check all conditions."""
        return self.criterion(at).holds(task)

    def _criteria(self, at: Viewpoint) -> Iterator[Criterion]:
        if self.ids is not None:
            yield KeyIn("task_id", self.ids)
        for name in ("status", "priority"):
            if (values := getattr(self, name)) is not None:
                yield OneOf(name, values)
        yield from self._about_projects()
        yield from self._about_parents(at)
        yield from self._about_tags()
        yield from self._about_times()
        yield from self._about_now(at)
        if self.ready is not None:
            yield unless(_ready(at), wanted=self.ready)
        if self.search:
            search = Search.of(self.search)
            yield Computed(
                frozenset({"title", "description", "tags"}),
                lambda task: search.finds((task.title, task.description, *task.tags)),
            )
        for each in self.and_ or ():
            yield each.criterion(at)
        if self.or_ is not None:
            yield criteria.Any_(tuple(each.criterion(at) for each in self.or_))
        if self.not_ is not None:
            yield criteria.Not(self.not_.criterion(at))

    def _about_projects(self) -> Iterator[Criterion]:
        if self.project_ids is not None:
            yield OneOf("project_id", self.project_ids)
        if self.no_project is not None:
            yield unless(Exists("project_id"), wanted=not self.no_project)

    def _about_parents(self, at: Viewpoint) -> Iterator[Criterion]:
        if self.parent_id is not None:
            yield OneOf("parent_id", (self.parent_id,))
            if self.parent_id in at.children:
                yield KeyIn("task_id", at.children[self.parent_id])
        if self.no_parent is not None:
            yield unless(Exists("parent_id"), wanted=not self.no_parent)

    def _about_tags(self) -> Iterator[Criterion]:
        if self.tags is not None:
            yield HasTags.of(self.tags, wants_all=False)
        if self.tags_all is not None:
            yield HasTags.of(self.tags_all, wants_all=True)
        if self.no_tags is not None:
            yield unless(criteria.IsEmpty("tags"), wanted=self.no_tags)

    def _about_times(self) -> Iterator[Criterion]:
        for prefix, (name, stored) in _TIMES.items():
            if (after := getattr(self, f"{prefix}_after")) is not None:
                yield AtLeast(name, after, stored)
            if (before := getattr(self, f"{prefix}_before")) is not None:
                yield Before(name, before, stored)

    def _about_now(self, at: Viewpoint) -> Iterator[Criterion]:
        now = clock.milliseconds(at.now)
        if self.overdue is not None:
            overdue = criteria.All((OneOf("status", OPEN), Before(DUE, now, _STORED_DUE)))
            yield overdue if self.overdue else criteria.Not(overdue)
        if self.no_due is not None:
            yield unless(HAS_DUE, wanted=not self.no_due)
        if self.due_within_days is not None:
            yield AtLeast(DUE, now, _STORED_DUE)
            yield Before(DUE, at.end_of_day(self.due_within_days), _STORED_DUE)


# The attribute that the filter's fields with a prefix compare, and those that items have for it.
_TIMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "due": (DUE, _STORED_DUE),
    "created": ("created_at", ()),
    "updated": ("updated_at", ()),
    "completed": ("completed_at", ()),
    "planned": ("planned_start", ()),
}
_NESTED = ("and_", "or_", "not_")
_LATER = [each.name for each in fields(TaskFilter) if not each.repr]
_LEAVES = [each.name for each in fields(TaskFilter) if each.name not in _NESTED]


@dataclass(frozen=True, slots=True)
class HasTags(Criterion):
    """A task has one of these tags, or all of them, in whatever case and encoding it was typed.

    Items of earlier releases do not have the `tag_keys` that DynamoDB needs for it.
    """

    keys: tuple[str, ...]
    wants_all: bool

    @property
    def names(self) -> frozenset[str]:
        """The tags."""
        return frozenset({"tags"})

    @classmethod
    def of(cls, tags: Iterable[str], *, wants_all: bool) -> "HasTags":
        """The criterion for tags as they are typed."""
        return cls(_distinct(map(comparable, tags)), wants_all)

    def holds(self, record: Task) -> bool:
        """Look for the tags."""
        found = set(map(comparable, record.tags)).intersection(self.keys)
        return len(found) == len(self.keys) if self.wants_all else bool(found)

    def bounds(self) -> criteria.Bounds:
        """Take the keys where they are stored; an item without them may have any tag."""
        if not self.keys:
            clause = criteria.ALWAYS if self.wants_all else criteria.NEVER
            return criteria.Bounds(clause, clause)
        each = [Attr("tag_keys").contains(key) for key in self.keys]
        stored = reduce(and_ if self.wants_all else or_, each)
        unknown = Attr("tag_keys").not_exists() & Attr("tags").ne([])
        return criteria.Bounds(stored | unknown, stored)

    @property
    def is_exact(self) -> bool:
        """Decode what may be an item of an earlier release."""
        return not self.keys


def _ready(at: Viewpoint) -> Criterion:
    """The task can be begun now."""
    begun = criteria.Not(AtLeast("not_before", clock.milliseconds(at.now) + _MILLISECOND))
    free = Computed(frozenset({"task_id"}), lambda task: task.task_id not in at.blocked_ids)
    return criteria.All((OneOf("status", OPEN), begun, free))


def _check_size(filter: TaskFilter) -> None:
    """Raise BadUserInput for a filter that is too deep or too large."""
    if filter.levels > MAX_LEVELS:
        raise BadUserInput(
            f"A filter must have at most {MAX_LEVELS} levels of and, or, not.", "filter"
        )
    every = list(filter.every)
    leaves = sum(getattr(each, name) is not None for each in every for name in _LEAVES)
    if leaves > MAX_LEAVES:
        raise BadUserInput(
            f"A filter must have at most {MAX_LEAVES} conditions, with those within it.", "filter"
        )
    if sum(len(each.tags or ()) + len(each.tags_all or ()) for each in every) > MAX_FILTER_TAGS:
        raise BadUserInput(
            f"A filter must have at most {MAX_FILTER_TAGS} tags, with those within it.", "filter"
        )
    if sum(len(each.project_ids or ()) for each in every) > MAX_PROJECT_IDS:
        raise BadUserInput(
            f"A filter must have at most {MAX_PROJECT_IDS} projects, with those within it.",
            "filter",
        )


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
