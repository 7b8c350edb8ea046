"""Why a schedule is as it is: a block's reasons, and what kept a task out.

Every reason can be checked against the schedule: it says what is there, not what was thought.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from functools import cached_property

from graphql_api.domain.planner.calendar import Minutes, free_time
from graphql_api.domain.planner.free_time import Pieces, Room
from graphql_api.domain.planner.minutes import DAY, floor, instant
from graphql_api.domain.planner.model import (
    Block,
    DeadlineKind,
    PlanRequest,
    PlanTask,
    Reason,
    ReasonCode,
    Unplaced,
    UnplacedCode,
)
from graphql_api.domain.planner.problem import Instance, Job

NAMED = 3  # tasks that a text names; the others are counted


class Explanation:
    """A schedule of a request, put into words."""

    def __init__(
        self, request: PlanRequest, instance: Instance, schedule: Sequence[Pieces | None]
    ) -> None:
        self._request = request
        self._tasks = request.ordered
        self._instance = instance
        self._schedule = schedule
        self._position = {task.task_id: at for at, task in enumerate(self._tasks)}
        self._rows = sorted(
            (start, end, self._tasks[at].task_id, part)
            for at, pieces in enumerate(schedule)
            for part, (start, end) in enumerate(pieces or (), 1)
        )
        self._taken = [row for row in self._rows if row[0] < row[1]]  # not by milestones

    def blocks(self) -> tuple[Block, ...]:
        """The pieces of all tasks, by time."""
        return tuple(self._block(*row) for row in self._rows)

    def unplaced(self) -> tuple[Unplaced, ...]:
        """What kept out each task that has no place, by id."""
        out = [at for at, pieces in enumerate(self._schedule) if pieces is None]
        return tuple(sorted(map(self._kept_out, out), key=lambda task: task.task_id))

    def _block(self, start: int, end: int, task_id: str, part: int) -> Block:
        at = self._position[task_id]
        pieces = self._schedule[at] or []
        return Block(
            task_id=task_id,
            start=instant(start),
            end=instant(end),
            part=part,
            parts=len(pieces),
            reasons=tuple(self._reasons(at, pieces, part)),
        )

    def _reasons(self, at: int, pieces: Pieces, part: int) -> Iterator[Reason]:
        task, (start, _) = self._tasks[at], pieces[part - 1]
        earliest, binding = self._earliest(at)
        if not task.duration_minutes:
            yield Reason(ReasonCode.MILESTONE, "It takes no time: it is reached once it can be.")
        elif at in self._instance.kept:
            yield Reason(ReasonCode.KEPT, "It stays where it was planned.")
        else:
            yield self._place(pieces[part - 2][1] if part > 1 else earliest, start)
        if binding:
            yield binding
        if lighter := self._lighter_later.get(at):
            text = f"It weighs more than {lighter} of the tasks that come later."
            yield Reason(ReasonCode.URGENCY, text)
        if task.deadline:
            yield _deadline(task, floor(task.deadline) - pieces[-1][1])
        if len(pieces) > 1:
            shortest = min(end - start for start, end in pieces)
            text = f"It is split into {len(pieces)} parts, the shortest of {_length(shortest)}."
            yield Reason(ReasonCode.SPLIT, text)

    def _earliest(self, at: int) -> tuple[int, Reason | None]:
        """When a placed task can begin, and what keeps it from beginning with the plan."""
        job = self._instance.jobs[at]
        ends = {b: pieces[-1][1] for b in job.blockers if (pieces := self._schedule[b])}
        last = max(ends, key=lambda b: ends[b], default=None)
        if last is not None and ends[last] > job.release:
            text = f"It waits for {self._names([last])}."
            return ends[last], Reason(ReasonCode.AFTER_BLOCKER, text, (self._tasks[last].task_id,))
        if job.release > self._instance.start:
            text = "It is not to begin before a time that was set."
            return job.release, Reason(ReasonCode.NOT_BEFORE, text)
        return job.release, None

    def _place(self, earliest: int, start: int) -> Reason:
        """Whether other tasks have the time before a block that its task could have had."""
        low = bisect_left(self._taken, (earliest,))
        if low and self._taken[low - 1][1] > earliest:
            low -= 1
        rows = self._taken[low : bisect_left(self._taken, (start,))]
        if not rows:
            text = "It is the free time in which the task ends the earliest."
            return Reason(ReasonCode.FIRST_FREE_TIME, text)
        others = list(dict.fromkeys(row[2] for row in reversed(rows)))  # the nearest ones first
        text = f"Free time before it goes to {self._names([self._position[o] for o in others])}."
        return Reason(ReasonCode.OTHERS_FIRST, text, tuple(others[:NAMED]))

    @cached_property
    def _lighter_later(self) -> dict[int, int]:
        """How many tasks of less weight begin after each task."""
        found: dict[int, int] = {}
        weights: list[int] = []
        for _, _, task_id, part in reversed(self._taken):
            if part == 1:
                at = self._position[task_id]
                found[at] = bisect_left(weights, self._tasks[at].weight)
                insort(weights, self._tasks[at].weight)
        return found

    def _names(self, found: Sequence[int]) -> str:
        """The first few tasks by title, and how many there are besides."""
        titles = [f"“{self._tasks[at].title or self._tasks[at].task_id}”" for at in found[:NAMED]]
        more = [f"{len(found) - NAMED} more"] if len(found) > NAMED else []
        *names, last = titles + more
        return f"{', '.join(names)} and {last}" if names else last

    # What kept a task out

    def _kept_out(self, at: int) -> Unplaced:
        task, job = self._tasks[at], self._instance.jobs[at]
        blockers = tuple(b for b in task.blocked_by if not self._is_placed(b))
        if blockers:
            code, missing = UnplacedCode.BLOCKER_UNPLACED, task.duration_minutes
        else:
            release, _ = self._earliest(at)
            code = self._obstacle(job, release)
            found = self._left.usable(job.minutes, job.chunk, release, job.limit)
            # Pieces that all fit one by one need not fit together: then a minute is missing.
            missing = max(task.duration_minutes - found, min(1, task.duration_minutes))
        return Unplaced(task.task_id, code, _OBSTACLES[code], missing, blockers)

    def _is_placed(self, task_id: str) -> bool:
        at = self._position.get(task_id)
        return at is not None and self._schedule[at] is not None

    def _obstacle(self, job: Job, release: int) -> UnplacedCode:
        """Why a task has no place from its release on: alone in the free time, or with others."""
        start, end = self._instance.start, self._instance.end
        if job.limit < end and job.limit <= start:
            return UnplacedCode.DEADLINE_PASSED
        if release >= end:
            return UnplacedCode.STARTS_AFTER_HORIZON
        if self._fits(job, release, job.limit):
            return UnplacedCode.NO_TIME_LEFT
        if self._fits(job, release, end):
            return UnplacedCode.DEADLINE_TOO_SOON
        longest = max((closes - opens for opens, closes in self._free), default=0)
        if longest < (job.minutes if job.minutes < 2 * job.chunk else job.chunk):
            return UnplacedCode.NO_WINDOW_LONG_ENOUGH
        return UnplacedCode.HORIZON_TOO_SHORT

    def _fits(self, job: Job, release: int, limit: int) -> bool:
        return Room.of(self._free).place(job.minutes, job.chunk, release, limit) is not None

    @cached_property
    def _free(self) -> list[Minutes]:
        return free_time(self._request)

    @cached_property
    def _left(self) -> Room:
        """The free time that the plan leaves."""
        room = Room.of(self._free)
        room.take([(start, end) for start, end, _, _ in self._taken])
        return room


_OBSTACLES = {
    UnplacedCode.BLOCKER_UNPLACED: "It waits for a task that has no place in the plan.",
    UnplacedCode.STARTS_AFTER_HORIZON: "It cannot begin before the plan ends.",
    UnplacedCode.DEADLINE_PASSED: "Its hard deadline has passed.",
    UnplacedCode.DEADLINE_TOO_SOON: "There is not enough free time before its hard deadline.",
    UnplacedCode.NO_WINDOW_LONG_ENOUGH: "No free time is long enough for it in one piece.",
    UnplacedCode.HORIZON_TOO_SHORT: "There is not enough free time before the plan ends.",
    UnplacedCode.NO_TIME_LEFT: "The free time that it could have goes to other tasks.",
}


def _deadline(task: PlanTask, spare: int) -> Reason:
    """How far the end of a task is from its deadline."""
    if spare < 0:
        return Reason(ReasonCode.LATE, f"It ends {_length(-spare)} after its deadline.")
    kind = "hard deadline" if task.deadline_kind is DeadlineKind.HARD else "deadline"
    return Reason(ReasonCode.DEADLINE, f"It ends {_length(spare)} before its {kind}.")


def _length(minutes: int) -> str:
    """A length of time in words: 2 d 3 h 15 min."""
    days, rest = divmod(minutes, DAY)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
