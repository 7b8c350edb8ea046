"""The scheduling problem of a request in plain numbers, and what a schedule of it costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from graphql_api.domain.planner.calendar import free_time, horizon
from graphql_api.domain.planner.free_time import Pieces, Room, end_of
from graphql_api.domain.planner.minutes import ceil, floor
from graphql_api.domain.planner.model import (
    LONGEST_TASK,
    DeadlineKind,
    Interval,
    PlanRequest,
    PlanTask,
)

LATE = 10  # a minute late costs as much as so many minutes of waiting
UNPLACED = 20  # a task left out costs as much as waiting for so many horizons


class Job(NamedTuple):
    """A task in minutes; blockers are positions in the instance.

    Between `release` and `limit` it must be done, by `due` it should.
    """

    minutes: int
    chunk: int
    release: int
    limit: int
    due: int
    weight: int
    blockers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A scheduling problem: jobs, each after its blockers, and the free time for them.

    `kept` are the jobs that stay where they are; `room` is what they leave. `barred` jobs have a
    blocker that is no job, and so no place. The cost of a schedule is the sum over its tasks of

        weight · (minutes from the start of the plan until the task's end
                  + LATE · minutes that the end is after the deadline, or after the plan's start
                           if the deadline was before that)

    and of weight · UNPLACED · (minutes of the horizon) for a task without a place. That is more
    than the latest end can cost, so a task is never left out to be spared.
    """

    start: int
    end: int
    jobs: list[Job]
    barred: frozenset[int]
    kept: dict[int, Pieces]
    room: Room

    @classmethod
    def of(cls, request: PlanRequest) -> "Instance":
        """The problem of a request; jobs are in its order, blockers first."""
        start, end = horizon(request)
        position = {task.task_id: at for at, task in enumerate(request.ordered)}
        jobs = [_job(task, position, start, end) for task in request.ordered]
        barred = frozenset(
            at
            for at, task in enumerate(request.ordered)
            if not all(blocker in position for blocker in task.blocked_by)
        )
        room = Room.of(free_time(request))
        kept = _kept(request.ordered, jobs, barred, room) if request.keep_current else {}
        for at, pieces in kept.items():
            if jobs[at].minutes:
                room.take(pieces)
        return cls(start, end, jobs, barred, kept, room)

    def cost(self, job: Job, end: int | None) -> int:
        """What a job costs that ends then, or that has no place."""
        if end is None:
            return job.weight * UNPLACED * (self.end - self.start)
        return job.weight * (end - self.start + LATE * max(0, end - job.due))

    def release(self, at: int, ends: Sequence[int | None]) -> int | None:
        """When a job can begin, given when the others end; None if it cannot."""
        earliest = self.jobs[at].release
        for blocker in self.jobs[at].blockers:
            end = ends[blocker]
            if end is None:
                return None
            earliest = max(earliest, end)
        return None if at in self.barred else earliest

    def placed(self, order: Iterable[int]) -> list[Pieces | None]:
        """The schedule in which each job of an order takes the earliest time that is left.

        The order has blockers first, and every job that is not kept.
        """
        room = self.room.copy()
        found: list[Pieces | None] = [self.kept.get(at) for at in range(len(self.jobs))]
        ends = [end_of(pieces) for pieces in found]
        for at in order:
            job, release = self.jobs[at], self.release(at, ends)
            if release is not None:
                found[at] = room.place(job.minutes, job.chunk, release, job.limit)
                ends[at] = end_of(found[at])
        return found


def _job(task: PlanTask, position: dict[str, int], start: int, end: int) -> Job:
    deadline = end if task.deadline is None else floor(task.deadline)
    hard = task.deadline_kind is DeadlineKind.HARD
    return Job(
        minutes=task.duration_minutes,
        chunk=min(task.min_chunk_minutes or LONGEST_TASK, max(1, task.duration_minutes)),
        release=start if task.not_before is None else max(start, ceil(task.not_before)),
        limit=min(end, deadline) if hard else end,
        due=max(start, deadline),
        weight=task.weight,
        blockers=tuple(position[b] for b in task.blocked_by if b in position),
    )


def _kept(
    tasks: Sequence[PlanTask], jobs: Sequence[Job], barred: frozenset[int], room: Room
) -> dict[int, Pieces]:
    """The jobs that can stay where they are planned.

    Each needs its whole duration there, in free time that no other one has, between its release
    and its limit, after blockers that stay as well. Milestones follow their blockers.
    """
    room = room.copy()
    stay = {at: p for at in _by_certainty(tasks) if (p := _stays(tasks[at], jobs[at], room))}
    kept: dict[int, Pieces] = {}
    for at, job in enumerate(jobs):
        ends = [kept[b][-1][1] for b in job.blockers if b in kept]
        if at in barred or len(ends) < len(job.blockers):
            continue
        release = max([job.release, *ends])
        pieces = room.place(0, 0, release, job.limit) if not job.minutes else stay.get(at)
        if pieces and pieces[0][0] >= release:
            kept[at] = pieces
    return kept


def _by_certainty(tasks: Sequence[PlanTask]) -> list[int]:
    """The planned tasks: those with exact pieces first, since the others can give way a little."""
    planned = [at for at, task in enumerate(tasks) if task.planned and task.duration_minutes]
    return sorted(
        planned,
        key=lambda at: (_spare(tasks[at]) > 0, tasks[at].planned[-1].end, tasks[at].task_id),
    )


def _spare(task: PlanTask) -> int:
    """The minutes that a task's planned intervals have more than the task."""
    return sum(end - start for start, end in map(_minutes, task.planned)) - task.duration_minutes


def _stays(task: PlanTask, job: Job, room: Room) -> Pieces | None:
    """The planned pieces if they fit the job, taken from the room; None if they do not."""
    pieces = [_minutes(interval) for interval in task.planned]
    first, last = pieces[0][0], pieces[-1][1]
    if first < job.release or last > job.limit:
        return None
    if len(pieces) == 1 and _spare(task) > 0:  # one interval around all pieces
        return room.place(job.minutes, job.chunk, first, last)
    fits = _spare(task) == 0 and all(end - start >= job.chunk for start, end in pieces)
    apart = all(one[1] <= other[0] for one, other in pairwise(pieces))
    return pieces if fits and apart and room.take(pieces) else None


def _minutes(interval: Interval) -> tuple[int, int]:
    return floor(interval.start), floor(interval.end)
