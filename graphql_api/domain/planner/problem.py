"""The scheduling problem of a request, in whole minutes, and the cost of its schedules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from graphql_api.domain.planner.calendar import Minutes, free_intervals, horizon, limited, merge
from graphql_api.domain.planner.chunks import Chunks
from graphql_api.domain.planner.free_time import FreeTime, Pieces
from graphql_api.domain.planner.minutes import ceil, floor
from graphql_api.domain.planner.model import (
    MAX_DURATION,
    MAX_HORIZON_DAYS,
    Placement,
    PlanRequest,
    PlanTask,
    WorkingHours,
    whole_minutes,
)
from graphql_api.domain.planner.objective import (
    MARGIN,
    MOVED,
    NEVER,
    Price,
    Stakes,
    price,
    stakes,
    with_home,
)
from graphql_api.domain.planner.steps import Steps
from graphql_api.errors import BadUserInput

ALL_DAYS = MAX_HORIZON_DAYS + 1
MAX_GAPS = 500  # intervals of free time, with which the work of a plan grows
STEPS_PER_JOB = 15  # to schedule a job, besides the intervals visited


class Job(NamedTuple):
    """A task in minutes; its blockers are indices into the problem's jobs.

    It must run between `release` and `deadline`, should finish by `due`, and had better by `safe`.
    Every piece has at least `min_piece` minutes, and `chunks` cut a job that has a longest one. Its
    last fixed piece ends at `fixed_end`, 0 without any.
    """

    duration: int
    min_piece: int
    release: int
    deadline: int
    due: int
    safe: int
    stakes: Stakes
    blockers: tuple[int, ...]
    fixed_end: int
    schedule: int  # its number from 1 on; 0: the working hours
    chunks: Chunks | None

    @property
    def shortest_piece(self) -> int:
        """Minutes of the shortest piece in which it can be done."""
        return self.duration if self.duration < 2 * self.min_piece else self.min_piece


@dataclass(frozen=True, slots=True)
class Problem:
    """Jobs in topological order (blockers first) and the free time to schedule them in.

    `calendar` is all free time. `fixed` pieces lie outside it. `kept` jobs stay where they are;
    `free` is the time that they leave, where some job could use it. `homes` are where jobs were and
    stay as long as nothing more important has that time. `unplaceable` jobs have a blocker that is
    outside the problem, or not finished in it. The cost of a schedule is the sum of its jobs'
    prices (see `objective`).
    """

    start: int
    end: int
    jobs: list[Job]
    unplaceable: frozenset[int]
    fixed: dict[int, Pieces]
    kept: dict[int, Pieces]
    calendar: FreeTime
    free: FreeTime
    homes: dict[int, Pieces]
    prices: list[Price]
    steps: Steps

    @classmethod
    def of(cls, request: PlanRequest, steps: Steps) -> "Problem":
        """Build the problem of a request; jobs are in the order of `request.ordered`.

        Raises BadUserInput if free time is in more than MAX_GAPS intervals.
        """
        start, end = horizon(request)
        index = {task.task_id: i for i, task in enumerate(request.ordered)}
        fixed = _pieces(request.fixed)
        ends = {task_id: max(end for _, end in pieces) for task_id, pieces in fixed.items()}
        calendar = _free_time(request, steps)
        first = _first_minutes(request, calendar, start)
        frame = _Frame(start, end, first, index, ends, _Pauses.of(request))
        jobs = [frame.job(task) for task in request.ordered]
        finished = {*index, *ends} - {t.task_id for t in request.tasks if t.lacking_minutes}
        unplaceable = frozenset(
            i for i, task in enumerate(request.ordered) if not finished.issuperset(task.blocked_by)
        )
        held = {index[task_id]: p for task_id, p in fixed.items() if task_id in index}
        kept = {i: pieces for i, pieces in held.items() if not jobs[i].duration}
        if request.keep_current:
            kept |= _kept(request.ordered, jobs, unplaceable, kept, calendar)
        free = _left(calendar.copy(), jobs, kept)
        before = {} if request.fresh else _pieces(request.previous)
        homes = {
            i: home
            for i, task in enumerate(request.ordered)
            if (home := before.get(task.task_id)) and i not in kept and _suits(jobs[i], home)
        }
        prices = _prices(jobs, homes, start, MOVED)
        return cls(start, end, jobs, unplaceable, held, kept, calendar, free, homes, prices, steps)

    def adapted(self, request: PlanRequest, moved: int, full_days: int) -> "Problem":
        """The problem of the same request with another cost of a move, and limits of days.

        The first `full_days` have no limit of work.
        """
        prices = _prices(self.jobs, self.homes, self.start, moved)
        if full_days == ALL_DAYS:
            return replace(self, prices=prices)
        within = _within_limits(request, self.calendar, full_days, self.steps)
        free = _left(within, self.jobs, self.kept)
        return replace(self, free=free, prices=prices)

    def cost(self, i: int, end: int | None) -> int:
        """Cost of a job that finishes at `end`, or is left out (None)."""
        return self.jobs[i].stakes.left_out if end is None else self.prices[i](end)

    def total_cost(self, schedule: Iterable[Pieces | None]) -> int:
        """Cost of a schedule."""
        ends = map(self.finish, self.jobs, schedule)
        return sum(self.cost(i, end) for i, end in enumerate(ends))

    def main_cost(self, schedule: Iterable[Pieces | None]) -> int:
        """Cost of what is left out or late alone."""
        ends = map(self.finish, self.jobs, schedule)
        return sum(
            job.stakes.left_out if end is None else job.stakes.late * max(0, end - job.due)
            for job, end in zip(self.jobs, ends, strict=True)
        )

    @staticmethod
    def finish(job: Job, pieces: Pieces | None) -> int | None:
        """End of a job with these pieces and its fixed ones; None for one that is left out."""
        if not pieces:
            return None
        return max(pieces[-1][1], job.fixed_end) if job.fixed_end else pieces[-1][1]

    def earliest_start(self, job: int, ends: Sequence[int | None]) -> int | None:
        """Earliest start of a job given the ends of all jobs; None if a blocker is left out."""
        earliest = self.jobs[job].release
        for blocker in self.jobs[job].blockers:
            end = ends[blocker]
            if end is None:
                return None
            earliest = max(earliest, end)
        return None if job in self.unplaceable else earliest

    def schedule(self, order: Iterable[int]) -> list[Pieces | None]:
        """Schedule jobs one by one, each as early as possible (serial schedule generation).

        The order must have every job that is not kept, each after its blockers. The result has
        the pieces of each job, None for one that does not fit.
        """
        free = self.free.copy()
        self.steps.count(STEPS_PER_JOB * len(self.jobs))
        pieces: list[Pieces | None] = [self.kept.get(i) for i in range(len(self.jobs))]
        ends = list(map(self.finish, self.jobs, pieces))
        for i in order:
            pieces[i] = self.place(i, free, ends)
            ends[i] = self.finish(self.jobs[i], pieces[i])
        return pieces

    def place(self, i: int, free: FreeTime, ends: Sequence[int | None]) -> Pieces | None:
        """Take free time for a job where it was, or else as early as possible."""
        job, start = self.jobs[i], self.earliest_start(i, ends)
        if start is None:
            return None
        if self.homes:
            home = self.homes.get(i)
            if home and home[0][0] >= start and free.reserve(home, job.schedule, job.chunks):
                return home
        return free.allocate(
            job.duration, job.min_piece, start, job.deadline, job.schedule, job.chunks
        )

    def moved(self, schedule: Sequence[Pieces | None]) -> int:
        """Number of jobs that are not where they were."""
        return sum(schedule[i] != home for i, home in self.homes.items())


def _left(free: FreeTime, jobs: Sequence[Job], kept: Mapping[int, Pieces]) -> FreeTime:
    """The free time without the pieces that are kept, and without what is too short for any."""
    for i, pieces in kept.items():
        if jobs[i].duration:
            free.remove(pieces)
    return free.without(_smallest_piece(jobs))


def _prices(
    jobs: Sequence[Job], homes: Mapping[int, Pieces], start: int, moved: int
) -> list[Price]:
    """The price of each job, given the cost of a move."""
    prices = [price(j.stakes, start, start, j.safe, j.due, NEVER) for j in jobs]
    for i, home in homes.items():
        prices[i] = with_home(prices[i], max(home[-1][1], jobs[i].fixed_end), moved)
    return prices


def _free_time(request: PlanRequest, steps: Steps) -> FreeTime:
    """The free time of the working hours, and of each schedule that a task names."""
    apart = request.buffers.after_block

    def within(hours: WorkingHours) -> list[Minutes]:
        intervals = free_intervals(request, hours)
        if len(intervals) > MAX_GAPS:
            raise BadUserInput(
                f"Free time must have at most {MAX_GAPS} intervals: plan fewer days.",
                "horizon_days",
            )
        return intervals

    schedules = [FreeTime.of(within(hours), steps, apart) for hours in request.weeks.values()]
    return FreeTime.of(within(request.hours), steps, apart, schedules)


def _within_limits(
    request: PlanRequest, calendar: FreeTime, full_days: int, steps: Steps
) -> FreeTime:
    """The free time within the limits of the days that are not among the first ones."""
    apart = request.buffers.after_block

    def within(free: FreeTime, hours: WorkingHours, name: str) -> list[Minutes]:
        intervals = list(zip(free.starts, free.ends, strict=True))
        return limited(request, hours, intervals, full_days, name)

    weeks = zip(calendar.schedules, request.weeks.items(), strict=True)
    schedules = [
        FreeTime.of(within(free, hours, name), steps, apart) for free, (name, hours) in weeks
    ]
    return FreeTime.of(within(calendar, request.hours, ""), steps, apart, schedules)


def _smallest_piece(jobs: Iterable[Job]) -> int:
    """Minutes of the smallest piece that a job may have."""
    return min((job.min_piece for job in jobs if job.duration), default=1)


def _first_minutes(request: PlanRequest, calendar: FreeTime, start: int) -> dict[str, int]:
    """The first free minute of each schedule, and of the working hours."""
    times = zip(("", *request.weeks), (calendar, *calendar.schedules), strict=True)
    return {name: next(iter(time.starts), start) for name, time in times}


def _pieces(placements: Iterable[Placement]) -> dict[str, Pieces]:
    """Pieces of each task by id, sorted."""
    pieces: dict[str, Pieces] = {}
    for placement in placements:
        pieces.setdefault(placement.task_id, []).append(whole_minutes(placement))
    return {task_id: sorted(of_task) for task_id, of_task in pieces.items()}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The minutes between which jobs are planned, and the `first` free one by schedule.

    `index` numbers the tasks; `fixed` has the end of the last fixed piece of each task with one.
    """

    start: int
    end: int
    first: dict[str, int]
    index: dict[str, int]
    fixed: dict[str, int]
    pauses: "_Pauses"

    def job(self, task: PlanTask) -> Job:
        """Convert a task."""
        schedule = task.schedule if task.schedule in self.first else ""
        deadline = NEVER if task.deadline is None else floor(task.deadline)
        overdue = deadline < self.first[schedule]
        due = NEVER if overdue else deadline
        return Job(
            duration=task.duration_minutes,
            min_piece=min(task.min_chunk_minutes or MAX_DURATION, max(1, task.duration_minutes)),
            release=self._release(task),
            deadline=min(self.end, deadline) if task.deadline_is_hard else self.end,
            due=due,
            safe=max(self.start, due - MARGIN),
            stakes=stakes(
                task.weight,
                task.duration_minutes,
                self.end - self.start,
                hard=task.deadline_is_hard and task.deadline is not None,
                overdue=overdue,
            ),
            blockers=tuple(self.index[b] for b in task.blocked_by if b in self.index),
            fixed_end=self.fixed.get(task.task_id, 0),
            schedule=list(self.first).index(schedule),
            chunks=self.pauses.chunks(task),
        )

    def _release(self, task: PlanTask) -> int:
        """The minute from which a task can begin, blockers that are not planned considered."""
        not_before = self.start if task.not_before is None else ceil(task.not_before)
        ends = [self.fixed[b] for b in task.blocked_by if b not in self.index and b in self.fixed]
        return max(self.start, not_before, *ends)


@dataclass(frozen=True, slots=True)
class _Pauses:
    """The minutes between the pieces of a task with a longest one, and its `fixed` pieces."""

    minutes: int
    fixed: dict[str, Pieces]

    @classmethod
    def of(cls, request: PlanRequest) -> "_Pauses":
        """The pauses of a request."""
        cut = {task.task_id for task in request.tasks if task.max_chunk_minutes}
        fixed: dict[str, Pieces] = {}
        for piece in request.fixed if cut else ():
            if piece.task_id in cut and piece.start < piece.end:
                fixed.setdefault(piece.task_id, []).append((floor(piece.start), ceil(piece.end)))
        return cls(max(request.buffers.break_minutes, request.buffers.after_block), fixed)

    def chunks(self, task: PlanTask) -> Chunks | None:
        """The cut of a task; None for one that is never split, or has no longest piece."""
        if not (task.min_chunk_minutes and task.max_chunk_minutes):
            return None
        fixed = self.fixed.get(task.task_id, ())
        apart = merge((start - self.minutes, end + self.minutes) for start, end in fixed)
        return Chunks(task.max_chunk_minutes, self.minutes, apart)


def _suits(job: Job, pieces: Pieces) -> bool:
    """Return whether a job can stay in these pieces and would not be late there."""
    is_in_time = pieces[0][0] >= job.release and pieces[-1][1] <= min(job.deadline, job.due)
    return is_in_time and _is_cut_into(job, pieces)


def _is_cut_into(job: Job, pieces: Pieces) -> bool:
    """Return whether pieces, by time, are all of a job, and cut as it may be."""
    lengths = [end - start for start, end in pieces]
    disjoint = all(earlier[1] <= later[0] for earlier, later in pairwise(pieces))
    whole = sum(lengths) == job.duration > 0 and min(lengths) >= job.min_piece
    return whole and disjoint and (job.chunks is None or job.chunks.suit(pieces))


def _kept(
    tasks: Sequence[PlanTask],
    jobs: Sequence[Job],
    unplaceable: frozenset[int],
    done: dict[int, Pieces],
    free: FreeTime,
) -> dict[int, Pieces]:
    """Find the jobs that can stay where they are planned, besides those that are all fixed.

    Each needs its whole duration there, in free time that no other job has, between its release
    and its deadline, after blockers that stay as well. Milestones follow their blockers.
    """
    free = free.copy()
    planned = {i: p for i in _exact_first(tasks) if (p := _reserve(tasks[i], jobs[i], free))}
    kept: dict[int, Pieces] = dict(done)
    for i, job in enumerate(jobs):
        ends = [max(kept[b][-1][1], jobs[b].fixed_end) for b in job.blockers if b in kept]
        if i in kept or i in unplaceable or len(ends) < len(job.blockers):
            continue
        start = max([job.release, *ends])
        pieces = planned.get(i) if job.duration else free.allocate(0, 0, start, job.deadline)
        if pieces and pieces[0][0] >= start:
            kept[i] = pieces
    return kept


def _exact_first(tasks: Sequence[PlanTask]) -> list[int]:
    """Sort planned tasks: those with exact pieces first, since the others have some slack."""
    planned = [i for i, task in enumerate(tasks) if task.planned and task.duration_minutes]
    return sorted(
        planned,
        key=lambda i: (_slack(tasks[i]) > 0, tasks[i].planned[-1].end, tasks[i].task_id),
    )


def _slack(task: PlanTask) -> int:
    """Minutes of the task's planned intervals beyond its duration."""
    planned = map(whole_minutes, task.planned)
    return sum(end - start for start, end in planned) - task.duration_minutes


def _reserve(task: PlanTask, job: Job, free: FreeTime) -> Pieces | None:
    """Reserve the planned pieces if they suit the job; None if they do not."""
    pieces = list(map(whole_minutes, task.planned))
    start, end = pieces[0][0], pieces[-1][1]
    if start < job.release or end > job.deadline:
        return None
    if len(pieces) == 1 and _slack(task) > 0:  # one interval around all pieces
        return free.allocate(job.duration, job.min_piece, start, end, job.schedule, job.chunks)
    is_cut = _is_cut_into(job, pieces)
    return pieces if is_cut and free.reserve(pieces, job.schedule, job.chunks) else None
