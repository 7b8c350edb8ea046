"""Explain a schedule: the reasons of each block, and the obstacle of each unplaced task.

Every reason can be checked against the schedule: it states what is there, not how it was found.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import sub

from graphql_api.domain.planner.chunks import Chunks
from graphql_api.domain.planner.explanation.precedence import Precedence, next_heavier
from graphql_api.domain.planner.free_time import FreeTime, Pieces
from graphql_api.domain.planner.minutes import floor, instant, length
from graphql_api.domain.planner.model import (
    Block,
    Placement,
    PlanRequest,
    PlanTask,
    Reason,
    ReasonCode,
    Unplaced,
    UnplacedCode,
)
from graphql_api.domain.planner.problem import Job, Problem

MAX_NAMED = 3  # tasks that a text names
MAX_ROWS = 50  # blocks among which they are looked for
STEPS_PER_BLOCK = 100  # to explain a block or an unplaced task


_Row = tuple[int, int, str, int]
"""Start, end, task and number of a block."""


class Explanation:
    """The blocks and the unplaced tasks of a schedule, with reasons."""

    def __init__(
        self, request: PlanRequest, problem: Problem, schedule: Sequence[Pieces | None]
    ) -> None:
        self._tasks = request.ordered
        self._problem = problem
        self._schedule = schedule
        self._weeks = request.weeks
        self._index = {task.task_id: i for i, task in enumerate(self._tasks)}
        self._outside_ends = _last_ends(p for p in request.fixed if p.task_id not in self._index)
        self._pieces = [self._all_pieces(i) for i in range(len(self._tasks))]
        self._rows = sorted(
            (start, end, self._tasks[i].task_id, part)
            for i, pieces in enumerate(self._pieces)
            for part, (start, end) in enumerate(pieces, 1)
        )
        self._busy_rows = [row for row in self._rows if row[0] < row[1]]  # without milestones

    def blocks(self) -> tuple[Block, ...]:
        """List the pieces of all tasks, by time."""
        return tuple(self._block(*row) for row in self._rows)

    def unplaced(self) -> tuple[Unplaced, ...]:
        """List the tasks that could not be scheduled, by id."""
        left_out = [i for i, pieces in enumerate(self._schedule) if pieces is None]
        return tuple(sorted(map(self._unplaced, left_out), key=lambda task: task.task_id))

    def _all_pieces(self, i: int) -> Pieces:
        """Pieces of a task, its fixed ones among them."""
        placed, fixed = self._schedule[i] or [], self._problem.fixed.get(i, [])
        return sorted([*placed, *fixed]) if self._tasks[i].duration_minutes else fixed or placed

    def _end(self, i: int) -> int | None:
        return self._problem.finish(self._problem.jobs[i], self._schedule[i])

    def _block(self, start: int, end: int, task_id: str, part: int) -> Block:
        i = self._index[task_id]
        pieces = self._pieces[i]
        self._problem.steps.count(STEPS_PER_BLOCK + len(pieces))
        return Block(
            task_id=task_id,
            start=instant(start),
            end=instant(end),
            part=part,
            parts=len(pieces),
            reasons=tuple(self._reasons(i, pieces, part)),
        )

    def _reasons(self, i: int, pieces: Pieces, part: int) -> Iterator[Reason]:
        task, (start, _) = self._tasks[i], pieces[part - 1]
        earliest, constraint = self._earliest_start(i)
        if pieces[part - 1] in self._problem.fixed.get(i, ()):
            yield Reason(ReasonCode.FIXED, "It is under way, or you have put it there.")
            constraint = None
        elif not task.duration_minutes:
            text = "It takes no time and is reached as soon as it can be."
            yield Reason(ReasonCode.MILESTONE, text)
        elif i in self._problem.kept:
            yield Reason(ReasonCode.KEPT, "It stays where it was planned.")
        else:
            yield self._position(i, pieces[part - 2][1] if part > 1 else earliest, start)
        if constraint:
            yield constraint
        if task.schedule:
            yield self._hours(task.schedule)
        if lighter := self._lighter_later.get((i, part)):
            tasks = "a task" if lighter == 1 else f"{lighter} tasks"
            yield Reason(ReasonCode.URGENCY, f"It weighs more than {tasks} planned later.")
        if reason := self._before_heavier(i, pieces, part):
            yield reason
        if task.deadline and (end := self._end(i)) is not None:
            yield _deadline(task, floor(task.deadline) - end)
        if len(pieces) > 1:
            yield Reason(ReasonCode.SPLIT, self._cut(i, [end - start for start, end in pieces]))

    def _cut(self, i: int, lengths: Sequence[int]) -> str:
        """Say in how many pieces a task is, and how long these are; fixed ones may be longer."""
        longest = self._tasks[i].max_chunk_minutes
        is_kept = longest and self._problem.jobs[i].chunks and max(lengths) <= longest
        most = f" of at most {length(longest)}" if longest and is_kept else ""
        shortest = length(min(lengths))
        return f"It is split into {len(lengths)} pieces{most}, the shortest of {shortest}."

    def _earliest_start(self, i: int) -> tuple[int, Reason | None]:
        """Earliest start of a scheduled task, and what makes it later than the plan's start."""
        job = self._problem.jobs[i]
        ends = {b: end for b in job.blockers if (end := self._end(b)) is not None}
        last = max(ends, key=lambda b: ends[b], default=None)
        if last is not None and ends[last] > job.release:
            text = f"It waits for {self._names([last])}."
            return ends[last], Reason(ReasonCode.AFTER_BLOCKER, text, (self._tasks[last].task_id,))
        outside = [b for b in self._tasks[i].blocked_by if self._outside_ends.get(b) == job.release]
        if job.release > self._problem.start and outside:
            text = "It waits for a task that is not planned here and has its time."
            return job.release, Reason(ReasonCode.AFTER_BLOCKER, text, tuple(outside[:1]))
        if job.release > self._problem.start:
            text = "It must not start earlier."
            return job.release, Reason(ReasonCode.NOT_BEFORE, text)
        return job.release, None

    def _hours(self, schedule: str) -> Reason:
        """Tell the hours that a task is done in."""
        if schedule in self._weeks:
            return Reason(ReasonCode.SCHEDULE, f"It is done in the hours of “{schedule}”.")
        text = f"The settings have no schedule “{schedule}” any more: the working hours count."
        return Reason(ReasonCode.NO_SCHEDULE, text)

    def _position(self, i: int, earliest: int, start: int) -> Reason:
        """Tell whether other tasks have the free time between a task's earliest start and block."""
        rows = self._rows_within[self._problem.jobs[i].schedule]
        low = bisect_left(rows, (earliest,))
        if low and rows[low - 1][1] > earliest:
            low -= 1
        others = self._nearest(rows, low, bisect_left(rows, (start,)))
        if not others:
            text = "It has the free time in which it ends the earliest."
            return Reason(ReasonCode.FIRST_FREE_TIME, text)
        text = f"Earlier free time goes to {self._names([self._index[o] for o in others])}."
        return Reason(ReasonCode.OTHERS_FIRST, text, tuple(others[:MAX_NAMED]))

    @cached_property
    def _rows_within(self) -> list[list[_Row]]:
        """The rows that lie within the working hours, and within each schedule."""
        calendar = self._problem.calendar
        if not calendar.schedules:
            return [self._busy_rows]
        return [
            [row for row in self._busy_rows if time.overlaps(row[0], row[1])]
            for time in (calendar, *calendar.schedules)
        ]

    def _nearest(self, rows: Sequence[_Row], low: int, high: int) -> list[str]:
        """List the last tasks in a range of rows, latest first, one more than can be named."""
        nearest: dict[str, None] = {}
        row = high
        while row > low and len(nearest) <= MAX_NAMED:
            row -= 1
            nearest[rows[row][2]] = None
        self._problem.steps.count(high - row)
        return list(nearest)

    @cached_property
    def _lighter_later(self) -> dict[tuple[int, int], int]:
        """Count, for each piece by task and part, the tasks of less weight that begin after it."""
        counts: dict[tuple[int, int], int] = {}
        weights: list[int] = []  # of the tasks so far, sorted
        for _, _, task_id, part in reversed(self._busy_rows):
            i = self._index[task_id]
            counts[i, part] = bisect_left(weights, self._tasks[i].weight)
            if part == 1:
                insort(weights, self._tasks[i].weight)
        return counts

    def _before_heavier(self, i: int, pieces: Pieces, part: int) -> Reason | None:
        """Tell why a piece goes before the next heavier task, if it need not be there."""
        other, piece = self._next_heavier.get((i, part)), pieces[part - 1]
        if other is None or self._stays(i, piece):
            return None
        if not (cause := self._precedence.cause(i, piece[0], other)):
            return None
        text = f"It goes before {self._names([other])}, which weighs more but {cause}."
        return Reason(ReasonCode.LIGHTER_FIRST, text, (self._tasks[other].task_id,))

    @cached_property
    def _next_heavier(self) -> dict[tuple[int, int], int | None]:
        """The first heavier task that begins after each piece, by its task and part."""
        keys = [(self._index[task_id], part) for _, _, task_id, part in self._busy_rows]
        firsts = [(i, part == 1) for i, part in keys]
        return dict(zip(keys, next_heavier(firsts, [t.weight for t in self._tasks]), strict=True))

    @cached_property
    def _precedence(self) -> Precedence:
        return Precedence(
            self._tasks,
            self._problem,
            earliest=lambda i: self._earliest_start(i)[0],
            stays=lambda i: self._stays(i, self._pieces[i][0]),
        )

    def _stays(self, i: int, piece: tuple[int, int]) -> bool:
        """Tell whether a piece of a task is where it is for having been, or been put, there."""
        if i in self._problem.kept or piece in self._problem.fixed.get(i, ()):
            return True
        return i in self._problem.homes and self._schedule[i] == self._problem.homes[i]

    def _names(self, indices: Sequence[int]) -> str:
        """Name the first few tasks by title, occurrences of one task once."""
        tasks = (self._tasks[i] for i in indices)
        titles = list(dict.fromkeys(f"“{task.title or task.task_id}”" for task in tasks))
        *names, last = titles[:MAX_NAMED] + ["others"] * (len(titles) > MAX_NAMED)
        return f"{', '.join(names)} and {last}" if names else last

    # Unplaced tasks

    def _unplaced(self, i: int) -> Unplaced:
        task, job = self._tasks[i], self._problem.jobs[i]
        self._problem.steps.count(STEPS_PER_BLOCK)
        blockers = tuple(b for b in task.blocked_by if not self._is_placed(b))
        if blockers:
            return self._blocked(task, blockers)
        if job.chunks and self._problem.steps.left <= 0:
            left = self._left.within(job.schedule)
            missing = _missing(task, self._usable(job, left, self._earliest_start(i)[0]))
            return Unplaced(task.task_id, UnplacedCode.NO_TIME_LEFT, _NOT_FOUND, missing)
        alone = self._starts_alone[i]
        code = self._obstacle(job, alone)
        if code is UnplacedCode.NO_TIME_LEFT:
            return self._crowded_out(i)
        calendar = self._problem.calendar.within(job.schedule)
        missing = _missing(task, self._usable(job, calendar, alone))
        text = _OBSTACLES[code] + self._in_longer_pieces(job, calendar, alone)
        return Unplaced(task.task_id, code, f"{text}.", missing)

    def _blocked(self, task: PlanTask, blockers: tuple[str, ...]) -> Unplaced:
        """Tell of blockers that are not finished in the plan."""
        code, minutes = UnplacedCode.BLOCKER_UNPLACED, task.duration_minutes
        in_part = any(self._schedule[self._index[b]] for b in blockers if b in self._index)
        text = _BLOCKED_IN_PART if in_part else f"{_OBSTACLES[code]}."
        return Unplaced(task.task_id, code, text, minutes, blockers)

    def _crowded_out(self, i: int) -> Unplaced:
        """Tell who has the time that a task needs, and whether pieces would fit beside them."""
        task, job = self._tasks[i], self._problem.jobs[i]
        start, _ = self._earliest_start(i)
        left = self._left.within(job.schedule)
        usable = self._usable(job, left, start)
        text = "Other tasks take the free time that it needs"
        if others := self._heaviest(job.schedule, self._starts_alone[i], job.deadline):
            text += f", {self._names(others)} among them"
        if self._problem.steps.left > 0 and left.find(
            job.duration, 1, start, job.deadline, job.chunks
        ):
            shorter = "shorter " if task.min_chunk_minutes else ""
            text += f"; in {shorter}pieces it would fit"
        else:
            text += self._in_longer_pieces(job, left, start)
        missing = _missing(task, usable)
        return Unplaced(task.task_id, UnplacedCode.NO_TIME_LEFT, f"{text}.", missing)

    def _usable(self, job: Job, free: FreeTime, start: int) -> int:
        """Free minutes that a job could use."""
        chunks = self._chunks(job)
        return free.capacity(job.duration, job.min_piece, start, job.deadline, chunks)

    def _in_longer_pieces(self, job: Job, free: FreeTime, start: int) -> str:
        """Tell whether it is its longest piece and its pauses that leave a job without a place."""
        affordable = job.chunks and self._problem.steps.left > 0
        if affordable and free.find(job.duration, job.min_piece, start, job.deadline):
            return "; in longer pieces it would fit"
        return ""

    def _chunks(self, job: Job) -> Chunks | None:
        """The cut of a job, as long as there are steps to consider it."""
        return job.chunks if self._problem.steps.left > 0 else None

    def _heaviest(self, schedule: int, start: int, end: int) -> list[int]:
        """List the tasks with the most time in a span, at most so many as a text names."""
        within = self._rows_within[schedule]
        low, high = bisect_left(within, (start,)), bisect_left(within, (end,))
        rows = within[max(0, low - 1) : min(high, low + MAX_ROWS)]
        self._problem.steps.count(len(rows))
        longest = sorted(rows, key=lambda row: (row[0] - row[1], row))
        ids = dict.fromkeys(row[2] for row in longest if row[1] > start)
        return [self._index[task_id] for task_id in ids][:MAX_NAMED]

    @cached_property
    def _starts_alone(self) -> list[int]:
        """Earliest start of each task if all time were free but for its blockers'."""
        starts: list[int] = []
        ends: dict[int, int] = {}  # of blockers
        blockers = {b for job in self._problem.jobs for b in job.blockers}
        for i, job in enumerate(self._problem.jobs):
            starts.append(max([job.release, *(ends[b] for b in job.blockers)]))
            if i in blockers:
                ends[i] = self._end_alone(job, starts[i])
        return starts

    def _end_alone(self, job: Job, start: int) -> int:
        """Earliest end of a job if all time from its start on were free; fixed work stays."""
        if job.fixed_end and not job.duration:
            return job.fixed_end
        if job.chunks and self._problem.steps.left <= 0:  # no sooner, at least
            return max(start + job.duration, job.fixed_end)
        calendar, end = self._problem.calendar.within(job.schedule), self._problem.end
        pieces = calendar.find(job.duration, job.min_piece, start, end, job.chunks)
        return max(pieces[-1][1] if pieces else start, job.fixed_end)

    def _is_placed(self, task_id: str) -> bool:
        i = self._index.get(task_id)
        if i is None:
            return task_id in self._outside_ends
        return self._schedule[i] is not None and not self._tasks[i].lacking_minutes

    def _obstacle(self, job: Job, earliest: int) -> UnplacedCode:
        """Classify why a job does not fit from `earliest` on: alone, or beside other tasks."""
        start, end = self._problem.start, self._problem.end
        if job.deadline < end and job.deadline <= start:
            return UnplacedCode.DEADLINE_PASSED
        if earliest >= end:
            return UnplacedCode.STARTS_AFTER_HORIZON
        calendar = self._problem.calendar.within(job.schedule)
        if alone := calendar.find(job.duration, job.min_piece, earliest, end, job.chunks):
            in_time = alone[-1][1] <= job.deadline
            return UnplacedCode.NO_TIME_LEFT if in_time else UnplacedCode.DEADLINE_TOO_SOON
        if self._longest[job.schedule] < job.shortest_piece:
            return UnplacedCode.NO_WINDOW_LONG_ENOUGH
        return UnplacedCode.HORIZON_TOO_SHORT

    @cached_property
    def _longest(self) -> list[int]:
        """Minutes of the longest interval of free time in the working hours and each schedule."""
        calendar = self._problem.calendar
        times = (calendar, *calendar.schedules)
        return [max(map(sub, time.ends, time.starts), default=0) for time in times]

    @cached_property
    def _left(self) -> FreeTime:
        """Free time that the schedule leaves."""
        free = self._problem.calendar.copy()
        for job, pieces in zip(self._problem.jobs, self._schedule, strict=True):
            if job.duration and pieces:
                free.reserve(pieces, job.schedule, job.chunks)
        return free


_OBSTACLES = {
    UnplacedCode.BLOCKER_UNPLACED: "It is blocked by a task that could not be planned",
    UnplacedCode.STARTS_AFTER_HORIZON: "It cannot start before the plan ends",
    UnplacedCode.DEADLINE_PASSED: "Its hard deadline has passed",
    UnplacedCode.DEADLINE_TOO_SOON: "There is not enough free time before its hard deadline",
    UnplacedCode.NO_WINDOW_LONG_ENOUGH: "No free time is long enough for it in one piece",
    UnplacedCode.HORIZON_TOO_SHORT: "There is not enough free time before the plan ends",
}
_BLOCKED_IN_PART = "It is blocked by a task that could be planned only in part."
_NOT_FOUND = "No place was found for its pieces within the plan's limit of work."


def _missing(task: PlanTask, usable: int) -> int:
    """Minutes that a task lacks: pieces that fit one by one need not fit together."""
    return max(task.duration_minutes - usable, min(1, task.duration_minutes))


def _last_ends(pieces: Iterable[Placement]) -> dict[str, int]:
    """End of the last piece of each task, by its id."""
    ends: dict[str, int] = {}
    for piece in pieces:
        ends[piece.task_id] = max(floor(piece.end), ends.get(piece.task_id, 0))
    return ends


def _deadline(task: PlanTask, slack: int) -> Reason:
    """Tell how far the end of a task is from its deadline, in minutes before it."""
    if slack < 0:
        return Reason(ReasonCode.LATE, f"It ends {length(-slack)} after its deadline.")
    deadline = "hard deadline" if task.deadline_is_hard else "deadline"
    distance = f"{length(slack)} before" if slack else "exactly at"
    return Reason(ReasonCode.DEADLINE, f"It ends {distance} its {deadline}.")
