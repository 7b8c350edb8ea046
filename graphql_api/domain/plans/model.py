"""Tasks and settings as a planner request, and a plan as changes of tasks. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from graphql_api.domain.blocks import model as blocks
from graphql_api.domain.blocks.model import PlannedBlock
from graphql_api.domain.planner.model import (
    Block,
    Interval,
    Placement,
    Plan,
    PlanRequest,
    PlanTask,
    Schedule,
    WorkingHours,
    whole_minutes,
)
from graphql_api.domain.plans.options import Options
from graphql_api.domain.plans.standing import Standing
from graphql_api.domain.settings.model import Settings, WorkingDay, weekly
from graphql_api.domain.subtasks.model import Tree
from graphql_api.domain.tasks.model import DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.errors import NotFound
from graphql_api.infra.dynamodb.codec import Raw

OPEN = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
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


@dataclass(frozen=True, slots=True)
class Selection:
    """A user's open tasks, divided by their role in a plan.

    `planned` tasks are scheduled; `unestimated` ones lack a duration and cannot be. The time for
    which these and all `others` are planned is busy. Subtasks with an estimate stand in the place
    of the `parents` above them.
    """

    planned: tuple[Task, ...]
    unestimated: tuple[Task, ...]
    others: tuple[Task, ...]
    parents: tuple[Task, ...] = ()

    @classmethod
    def of(cls, tasks: Sequence[Task], task_ids: Iterable[str] | None) -> "Selection":
        """Select the tasks with these ids, or all. Raises NotFound for an id without a task."""
        tree = Tree.of(tasks)
        selected_ids = set(tree.by_id if task_ids is None else task_ids)
        for missing in sorted(selected_ids - tree.by_id.keys()):
            raise NotFound(f"There is no open task {missing}.", field="task_ids")
        selected_ids |= tree.below(selected_ids)
        selected = [task for task in tasks if task.task_id in selected_ids]
        single = [task for task in selected if task.task_id not in tree.estimated]
        return cls(
            planned=tuple(task for task in single if task.duration_minutes is not None),
            unestimated=tuple(task for task in single if task.duration_minutes is None),
            others=tuple(task for task in tasks if task.task_id not in selected_ids),
            parents=tuple(task for task in selected if task.task_id in tree.estimated),
        )

    def request(
        self, settings: Settings, options: Options, blockers: Blockers, now: datetime
    ) -> PlanRequest:
        """Build the planner's request. Raises BadUserInput for invalid options.

        Time for which other tasks are planned is taken, and so is that of blocks that stay.
        """
        hours = _working_hours(settings, settings.working_hours)
        schedules, schedule_of = _schedules(settings), settings.finding_schedules()
        standing = Standing(options, hours, schedules, schedule_of, now)
        unplanned = (*self.unestimated, *self.others)
        tree = Tree.of((*self.planned, *unplanned, *self.parents))
        planned = [tree.heir(task) for task in self.planned]

        def plan_task(task: Task) -> PlanTask:
            open_blockers = [b for b in blockers.get(task.task_id, ()) if b in tree.by_id]
            schedule = schedule_of(task)
            return _plan_task(task, tree.in_place_of(open_blockers), schedule, standing)

        return PlanRequest(
            tasks=tuple(map(plan_task, planned)),
            hours=hours,
            from_=options.from_,
            busy=options.busy,
            horizon_days=options.horizon_days,
            keep_current=options.keep_current,
            fixed=(
                *_placements(planned, standing.fixed),
                *_placements(unplanned, lambda task: _ahead(task, standing.over)),
            ),
            previous=_placements(planned, standing.movable),
            freeze_until=options.freeze_until,
            max_moves=options.max_moves,
            partial=options.partial,
            fresh=options.fresh,
            buffers=settings.buffers,
            schedules=schedules,
        )


def weight(task: Task) -> int:
    """Importance of a task to the planner."""
    return WEIGHTS[task.priority]


def _plan_task(
    task: Task, blockers: tuple[str, ...], schedule: str, standing: Standing
) -> PlanTask:
    fixed = sum(block.minutes for block in standing.fixed(task))
    return PlanTask(
        task_id=task.task_id,
        title=task.title,
        version=task.version,
        duration_minutes=max(0, (task.remaining_minutes or 0) - fixed),
        not_before=_clamp(task.not_before),
        deadline=_clamp(task.deadline),
        deadline_is_hard=task.deadline_type is DeadlineType.HARD,
        min_chunk_minutes=task.min_chunk_minutes,
        max_chunk_minutes=task.max_chunk_minutes,
        weight=weight(task),
        blocked_by=blockers,
        planned=tuple(map(_interval, standing.movable(task))),
        schedule=schedule,
    )


def _ahead(task: Task, over: datetime) -> list[PlannedBlock]:
    """The blocks of a task that are still planned at some instant."""
    return [block for block in task.pieces if block.is_ahead(over)]


def _placements(
    tasks: Iterable[Task], chosen: Callable[[Task], Iterable[PlannedBlock]]
) -> tuple[Placement, ...]:
    """Blocks of tasks, in the planner's range of dates."""
    return tuple(
        Placement(task.task_id, _clamped(block.start), _clamped(block.end))
        for task in tasks
        for block in chosen(task)
    )


def _interval(block: PlannedBlock) -> Interval:
    return Interval(_clamped(block.start), _clamped(block.end))


def _clamp(at: datetime | None) -> datetime | None:
    return at and _clamped(at)


def _clamped(at: datetime) -> datetime:
    return min(max(at, _EARLIEST), _LATEST)


def _working_hours(settings: Settings, days: Sequence[WorkingDay]) -> WorkingHours:
    return WorkingHours(weekly=weekly(days), days_off=settings.days_off, timezone=settings.timezone)


def _schedules(settings: Settings) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(each.name, _working_hours(settings, each.working_hours))
        for each in settings.schedules
    )


@dataclass(frozen=True, slots=True)
class Change:
    """New planned times and blocks of a task at some version; None where it has none.

    One without blocks has its planned times alone, as if they were set by hand.
    """

    task_id: str
    version: int
    start: datetime | None
    end: datetime | None
    previous_start: datetime | None
    previous_end: datetime | None
    blocks: Raw | None = None
    previous_blocks: Raw | None = None

    @classmethod
    def between(cls, before: Task, after: Task) -> "Change":
        """The change of a task's planned times and blocks to those of its next state."""
        return cls(
            task_id=before.task_id,
            version=before.version,
            start=after.planned_start,
            end=after.planned_end,
            previous_start=before.planned_start,
            previous_end=before.planned_end,
            blocks=after.planned_blocks,
            previous_blocks=before.planned_blocks,
        )

    @property
    def is_needed(self) -> bool:
        """Return whether the planned times or the blocks differ from the previous ones."""
        previous = (self.previous_start, self.previous_end, self.previous_blocks)
        return (self.start, self.end, self.blocks) != previous

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
            blocks=self.previous_blocks,
            previous_blocks=self.blocks,
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
            and task.planned_blocks == self.blocks
        )

    def apply_to(self, task: Task, now: datetime) -> Task:
        """Return the task with the new planned times and blocks."""
        return replace(
            task,
            planned_start=self.start,
            planned_end=self.end,
            planned_blocks=self.blocks,
        ).touched(now)


def changes(tasks: Iterable[Task], plan: Plan, over: datetime) -> tuple[Change, ...]:
    """Changes that make tasks follow a plan, for which what ends until some instant is over.

    A task that is left out of it has no more blocks ahead. What is over is kept, as it was done
    or missed.
    """
    planned: dict[str, list[Block]] = {}
    for block in plan.blocks:
        planned.setdefault(block.task_id, []).append(block)
    return tuple(
        Change.between(task, task.placed(_kept(task, planned.get(task.task_id, ()), over)))
        for task in tasks
    )


def _kept(task: Task, planned: Iterable[Block], over: datetime) -> list[PlannedBlock]:
    """The blocks of a task by a plan: those that are over, and the new ones.

    A block that stays is as it was, with the reasons for which it was put there.
    """
    before = task.pieces
    known = {whole_minutes(_interval(block)): block for block in _ahead(task, over)}
    numbers = count(blocks.next_number(before))
    placed = [
        known.get(whole_minutes(block))
        or PlannedBlock(
            next(numbers),
            block.start,
            block.end,
            reasons=block.reasons if place < blocks.MAX_EXPLAINED else (),
        )
        for place, block in enumerate(planned)
    ]
    return [*blocks.history(before, over), *placed]


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
