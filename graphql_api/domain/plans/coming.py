"""Occurrences to come in a plan: work that takes its time, but is no task yet. Pure.

Of each series one occurrence is a task; the next ones are planned one after the other, each between
the deadline of the one before and its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice

from graphql_api.domain.planner.model import MAX_TASKS, Block, Plan, PlanRequest, PlanTask
from graphql_api.domain.recurrence.model import MissedPolicy, Occurrence
from graphql_api.domain.series.model import Current, Series, following_task
from graphql_api.domain.tasks.model import Task

MAX_COMING = 200  # occurrences in a plan, and series with some: the earliest ones
LOOK_BACK = timedelta(days=100)  # for the last one that has passed, if the current one is as late
_SEPARATOR = "@"  # of a series' id and a day, which no id has


@dataclass(frozen=True, slots=True)
class ComingBlock:
    """The time of an occurrence to come of the series that a task is in."""

    task_id: str
    series_id: str
    on: date
    start: datetime
    end: datetime
    part: int
    parts: int


@dataclass(frozen=True, slots=True)
class Coming:
    """The occurrences to come within a plan: a job for each, and the tasks that they follow."""

    jobs: tuple[PlanTask, ...]
    task_ids: Mapping[str, str]  # of the tasks that are current, by series

    @classmethod
    def within(
        cls, request: PlanRequest, tasks: Iterable[Task], series: Iterable[Series]
    ) -> "Coming":
        """The occurrences that come while a plan lasts, of those of its tasks that recur."""
        planned = {job.task_id: job for job in request.tasks}
        by_id = {task.task_id: task for task in tasks}
        ongoing = sorted((each for each in series if each.current.task_id in by_id), key=_by_day)
        ongoing = ongoing[:MAX_COMING]
        jobs = (
            _jobs(planned[each.current.task_id], by_id[each.current.task_id], each, request)
            for each in ongoing
        )
        room = min(MAX_COMING, MAX_TASKS - len(request.tasks))
        by_deadline = merge(*jobs, key=lambda job: (job.deadline, job.task_id))
        earliest = islice(by_deadline, room)  # of very many no more is made than that
        return cls(tuple(earliest), {each.series_id: each.current.task_id for each in ongoing})

    def added_to(self, request: PlanRequest) -> PlanRequest:
        """The request with these occurrences."""
        return replace(request, tasks=(*request.tasks, *self.jobs)) if self.jobs else request

    def taken_from(self, plan: Plan) -> tuple[Plan, tuple[ComingBlock, ...]]:
        """The plan of the tasks, and the blocks of these occurrences.

        Where a reason names one of them, it names the task that comes before it.
        """
        if not self.jobs:
            return plan, ()
        blocks = [self._told(block) for block in plan.blocks]
        tasks = replace(
            plan,
            blocks=tuple(block for block in blocks if not is_coming(block.task_id)),
            unplaced=tuple(each for each in plan.unplaced if not is_coming(each.task_id)),
            at_risk=tuple(each for each in plan.at_risk if not is_coming(each.task_id)),
        )
        return tasks, tuple(self._coming(each) for each in blocks if is_coming(each.task_id))

    def _told(self, block: Block) -> Block:
        """A block whose reasons name tasks that there are."""
        reasons = (
            replace(reason, task_ids=tuple(dict.fromkeys(map(self._task_id, reason.task_ids))))
            for reason in block.reasons
        )
        return replace(block, reasons=tuple(reasons))

    def _coming(self, block: Block) -> ComingBlock:
        series_id, _, on = block.task_id.partition(_SEPARATOR)
        return ComingBlock(
            self.task_ids[series_id],
            series_id,
            date.fromisoformat(on),
            block.start,
            block.end,
            block.part,
            block.parts,
        )

    def _task_id(self, job_id: str) -> str:
        series_id = job_id.partition(_SEPARATOR)[0]
        return self.task_ids[series_id] if is_coming(job_id) else job_id


def is_coming(job_id: str) -> bool:
    """Tell whether a job is an occurrence to come, and no task."""
    return _SEPARATOR in job_id


def _by_day(series: Series) -> tuple[date, str]:
    return series.current.on, series.series_id


def _jobs(
    planned: PlanTask, task: Task, series: Series, request: PlanRequest
) -> Iterator[PlanTask]:
    """The jobs of the occurrences that follow a task until the plan ends."""
    end = request.from_ + timedelta(days=request.horizon_days)
    job, zone = planned, request.hours.timezone
    for occurrence in _following(series, request.from_):
        earliest = job.deadline or request.from_
        if earliest >= end:
            return
        current = Current(
            task_id=f"{series.series_id}{_SEPARATOR}{occurrence.on}",
            on=occurrence.on,
            at=occurrence.at,
        )
        following = following_task(task, replace(series, current=current), request.from_)
        job = replace(
            planned,
            task_id=current.task_id,
            version=1,
            duration_minutes=task.duration_minutes or 0,
            not_before=max(following.not_before or earliest, earliest),
            deadline=following.located(zone).deadline,
            blocked_by=(job.task_id,),
            planned=(),
        )
        yield job


def _following(series: Series, begin: datetime) -> Iterator[Occurrence]:
    """Yield what comes if the current occurrence is closed when a plan begins, or it is due."""
    if series.ended_at:
        return
    closed = max(begin, series.current.at) if series.current.at else begin
    earliest = (closed - LOOK_BACK).date()
    if series.current.on < earliest and series.recurrence.missed is not MissedPolicy.KEEP_ALL:
        series = replace(series, current=replace(series.current, on=earliest))
    advanced, _ = series.advance("", closed)
    if advanced.ended_at:
        return
    current = advanced.current
    yield Occurrence(current.on, current.at)
    yield from advanced.upcoming()
