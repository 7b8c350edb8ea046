"""Tasks and settings as a planner request, and a plan as changes of tasks. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graphql_api.domain.planner.model import Interval, Plan, PlanRequest, PlanTask, WorkingHours
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.tasks.model import DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.errors import FIELD, BadUserInput, NotFound

OPEN = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
MAX_BUSY = 500  # intervals in a request
DEFAULT_HORIZON = 14  # days
KEPT_FOR = timedelta(days=30)  # how long an applied plan can be repeated and undone
WEIGHTS = {
    TaskPriority.LOW: 1,
    TaskPriority.MEDIUM: 2,
    TaskPriority.HIGH: 4,
    TaskPriority.URGENT: 8,
}

# The planner's range of dates; those beyond it are clamped to its ends.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(8999, 12, 31, tzinfo=UTC)

Blockers = Mapping[str, tuple[str, ...]]
"""Ids of the blockers of each blocked task, by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a plan; `task_ids` are the tasks to plan, None for all open tasks."""

    from_: datetime
    horizon_days: int = DEFAULT_HORIZON
    busy: tuple[Interval, ...] = ()
    keep_current: bool = False
    task_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.busy) > MAX_BUSY:
            raise BadUserInput(f"{FIELD} must have at most {MAX_BUSY} items.", "busy")


@dataclass(frozen=True, slots=True)
class Selection:
    """A user's open tasks, divided by their role in a plan.

    `planned` tasks are scheduled; `unestimated` ones lack a duration and cannot be. The time for
    which these and all `others` are planned is busy.
    """

    planned: tuple[Task, ...]
    unestimated: tuple[Task, ...]
    others: tuple[Task, ...]

    @classmethod
    def of(cls, tasks: Sequence[Task], task_ids: Iterable[str] | None) -> "Selection":
        """Select the tasks with these ids, or all. Raises NotFound for an id without a task."""
        selected_ids = {task.task_id for task in tasks} if task_ids is None else set(task_ids)
        for missing in sorted(selected_ids - {task.task_id for task in tasks}):
            raise NotFound(f"There is no open task {missing}.", field="task_ids")
        selected = [task for task in tasks if task.task_id in selected_ids]
        return cls(
            planned=tuple(task for task in selected if task.duration_minutes is not None),
            unestimated=tuple(task for task in selected if task.duration_minutes is None),
            others=tuple(task for task in tasks if task.task_id not in selected_ids),
        )

    def request(self, settings: Settings, options: Options, blockers: Blockers) -> PlanRequest:
        """Build the planner's request. Raises BadUserInput for invalid options."""
        unplanned = (*self.unestimated, *self.others)
        reserved = (interval for task in unplanned for interval in _planned(task))
        open_ids = {task.task_id for task in (*self.planned, *unplanned)}

        def open_blockers(task: Task) -> tuple[str, ...]:  # closed and deleted tasks block nothing
            return tuple(b for b in blockers.get(task.task_id, ()) if b in open_ids)

        return PlanRequest(
            tasks=tuple(_plan_task(task, open_blockers(task)) for task in self.planned),
            hours=_working_hours(settings),
            from_=options.from_,
            busy=(*options.busy, *reserved),
            horizon_days=options.horizon_days,
            keep_current=options.keep_current,
        )


def weight(task: Task) -> int:
    """Importance of a task to the planner."""
    return WEIGHTS[task.priority]


def _plan_task(task: Task, blockers: tuple[str, ...]) -> PlanTask:
    return PlanTask(
        task_id=task.task_id,
        title=task.title,
        version=task.version,
        duration_minutes=task.duration_minutes or 0,
        not_before=_clamp(task.not_before),
        deadline=_clamp(task.deadline),
        deadline_is_hard=task.deadline_type is DeadlineType.HARD,
        min_chunk_minutes=task.min_chunk_minutes,
        weight=weight(task),
        blocked_by=blockers,
        planned=_planned(task),
    )


def _clamp(at: datetime | None) -> datetime | None:
    return at and min(max(at, _EARLIEST), _LATEST)


def _planned(task: Task) -> tuple[Interval, ...]:
    """The interval around all pieces of a planned task; empty for one that is not planned."""
    start, end = _clamp(task.planned_start), _clamp(task.planned_end)
    return (Interval(start, end),) if start and end else ()


def _working_hours(settings: Settings) -> WorkingHours:
    return WorkingHours(
        weekly=settings.weekly, days_off=settings.days_off, timezone=settings.timezone
    )


@dataclass(frozen=True, slots=True)
class Change:
    """New planned times of a task at some version; None where it is not planned."""

    task_id: str
    version: int
    start: datetime | None
    end: datetime | None
    previous_start: datetime | None
    previous_end: datetime | None

    @property
    def is_needed(self) -> bool:
        """Return whether the planned times differ from the previous ones."""
        return (self.start, self.end) != (self.previous_start, self.previous_end)

    @property
    def inverse(self) -> "Change":
        """The change that undoes this one."""
        return Change(
            task_id=self.task_id,
            version=self.version + self.is_needed,
            start=self.previous_start,
            end=self.previous_end,
            previous_start=self.start,
            previous_end=self.end,
        )

    def applies_to(self, task: Task | None) -> bool:
        """Return whether the task is at the version that this changes."""
        return task is not None and task.version == self.version and self.is_needed

    def is_applied_to(self, task: Task | None) -> bool:
        """Return whether the task is as this change leaves it."""
        return (
            task is not None
            and task.version == self.version + self.is_needed
            and (task.planned_start, task.planned_end) == (self.start, self.end)
        )

    def apply_to(self, task: Task, now: datetime) -> Task:
        """Return the task with the new planned times."""
        return task.edit({"planned_start": self.start, "planned_end": self.end}, now)


def changes(tasks: Iterable[Task], plan: Plan) -> tuple[Change, ...]:
    """Changes that make tasks follow a plan; those left out of it lose their planned times."""
    pieces = plan.pieces
    return tuple(
        Change(
            task_id=task.task_id,
            version=task.version,
            start=pieces[task.task_id][0].start if task.task_id in pieces else None,
            end=pieces[task.task_id][-1].end if task.task_id in pieces else None,
            previous_start=task.planned_start,
            previous_end=task.planned_end,
        )
        for task in tasks
    )


@dataclass(frozen=True, slots=True)
class Differences:
    """Ids of the tasks that were added, removed and changed since a plan was made."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    @classmethod
    def between(cls, before: Mapping[str, int], now: Mapping[str, int]) -> "Differences":
        """Compare versions by id."""
        return cls(
            added=sorted(now.keys() - before.keys()),
            removed=sorted(before.keys() - now.keys()),
            changed=sorted(t for t in now.keys() & before.keys() if now[t] != before[t]),
        )
