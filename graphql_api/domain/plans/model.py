"""What a user's tasks and settings mean to the planner, and what a plan makes of tasks. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graphql_api.domain.planner.model import (
    DeadlineKind,
    Interval,
    Plan,
    PlanRequest,
    PlanTask,
    WorkingHours,
)
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.tasks.model import DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput, NotFound

OPEN = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
BUSY = 500  # intervals that one request may name
DEFAULT_HORIZON = 14  # days
KEPT_FOR = timedelta(days=30)  # for which an application can be repeated and undone
WEIGHTS = {
    TaskPriority.LOW: 1,
    TaskPriority.MEDIUM: 2,
    TaskPriority.HIGH: 4,
    TaskPriority.URGENT: 8,
}

# What a plan can be about; a date beyond them is as far away as the last one.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(8999, 12, 31, tzinfo=UTC)

Blockers = Mapping[str, tuple[str, ...]]  # ids by the id of the task that waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user wants of a plan; `task_ids` are the tasks to plan, all open ones without it."""

    from_: datetime
    horizon_days: int = DEFAULT_HORIZON
    busy: tuple[Interval, ...] = ()
    keep_current: bool = False
    task_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.busy) > BUSY:
            raise BadUserInput(f"busy has at most {BUSY} items.", "busy")


@dataclass(frozen=True, slots=True)
class Selection:
    """A user's open tasks, by what a plan does with them.

    `planned` get a place, those without an `estimate` of their duration cannot; what they and
    all `others` have been planned for is time that the plan leaves alone.
    """

    planned: tuple[Task, ...]
    unestimated: tuple[Task, ...]
    others: tuple[Task, ...]

    @classmethod
    def of(cls, tasks: Sequence[Task], task_ids: Iterable[str] | None) -> "Selection":
        """The tasks of these ids, or all; NotFound if there is no open task of an id."""
        wanted = {task.task_id for task in tasks} if task_ids is None else set(task_ids)
        for missing in sorted(wanted - {task.task_id for task in tasks}):
            raise NotFound(f"There is no open task {missing}.", field="taskIds")
        named = [task for task in tasks if task.task_id in wanted]
        return cls(
            planned=tuple(task for task in named if task.duration_minutes is not None),
            unestimated=tuple(task for task in named if task.duration_minutes is None),
            others=tuple(task for task in tasks if task.task_id not in wanted),
        )

    def request(self, settings: Settings, options: Options, blockers: Blockers) -> PlanRequest:
        """What the planner is asked; BadUserInput for options that cannot be meant."""
        taken = (place for task in (*self.unestimated, *self.others) for place in _places(task))
        still_open = {t.task_id for t in (*self.planned, *self.unestimated, *self.others)}

        def waits_for(task: Task) -> tuple[str, ...]:  # what is done, or gone, blocks nothing
            named = blockers.get(task.task_id, ())
            return tuple(task_id for task_id in named if task_id in still_open)

        return PlanRequest(
            tasks=tuple(_plan_task(task, waits_for(task)) for task in self.planned),
            hours=_working_hours(settings),
            from_=options.from_,
            busy=(*options.busy, *taken),
            horizon_days=options.horizon_days,
            keep_current=options.keep_current,
        )


def weight(task: Task) -> int:
    """How much it matters to a plan when a task is done."""
    return WEIGHTS[task.priority]


def _plan_task(task: Task, blockers: tuple[str, ...]) -> PlanTask:
    hard = task.deadline_type is DeadlineType.HARD
    return PlanTask(
        task_id=task.task_id,
        title=task.title,
        version=task.version,
        duration_minutes=task.duration_minutes or 0,
        not_before=_possible(task.not_before),
        deadline=_possible(task.due_at),
        deadline_kind=DeadlineKind.HARD if hard else DeadlineKind.SOFT,
        min_chunk_minutes=task.min_chunk_minutes,
        weight=weight(task),
        blocked_by=blockers,
        planned=_places(task),
    )


def _possible(at: datetime | None) -> datetime | None:
    return at and min(max(at, _EARLIEST), _LATEST)


def _places(task: Task) -> tuple[Interval, ...]:
    """Where a task is planned to be: the time around all its pieces."""
    start, end = _possible(task.planned_start), _possible(task.planned_end)
    return (Interval(start, end),) if start and end else ()


def _working_hours(settings: Settings) -> WorkingHours:
    return WorkingHours(
        weekly=settings.weekly, days_off=settings.days_off, timezone=settings.timezone
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan makes of a task of some version: when it begins and ends, if at all."""

    task_id: str
    version: int
    start: datetime | None
    end: datetime | None
    previous_start: datetime | None
    previous_end: datetime | None

    @property
    def needed(self) -> bool:
        """Whether the task was planned otherwise before."""
        return (self.start, self.end) != (self.previous_start, self.previous_end)

    @property
    def undoing(self) -> "Change":
        """The change back."""
        return Change(
            task_id=self.task_id,
            version=self.version + self.needed,
            start=self.previous_start,
            end=self.previous_end,
            previous_start=self.start,
            previous_end=self.end,
        )

    def due(self, task: Task | None) -> bool:
        """Whether the task is as it was before the change."""
        return task is not None and task.version == self.version and self.needed

    def made(self, task: Task | None) -> bool:
        """Whether the task is as the change leaves it."""
        return (
            task is not None
            and task.version == self.version + self.needed
            and (task.planned_start, task.planned_end) == (self.start, self.end)
        )

    def after(self, task: Task, now: datetime) -> Task:
        """The task with the change."""
        return task.edit({"planned_start": self.start, "planned_end": self.end}, now)


def changes(tasks: Iterable[Task], plan: Plan) -> tuple[Change, ...]:
    """What a plan makes of each of its tasks; one that has no place is planned no more."""
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
    """How the tasks of a plan differ from those that it was made from, by their ids."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    @classmethod
    def between(cls, seen: Mapping[str, int], now: Mapping[str, int]) -> "Differences":
        """The differences between versions by id."""
        return cls(
            added=sorted(now.keys() - seen.keys()),
            removed=sorted(seen.keys() - now.keys()),
            changed=sorted(t for t in now.keys() & seen.keys() if now[t] != seen[t]),
        )
