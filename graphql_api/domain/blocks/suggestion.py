"""The task to do now, with reasons. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from graphql_api.domain.blocks.model import BlockState
from graphql_api.domain.blocks.service import TaskBlock, blocks_of
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.planner.minutes import MINUTE, length
from graphql_api.domain.tasks.model import MAX_MINUTES, Task
from graphql_api.domain.tasks.urgency import Coefficients, Rating
from graphql_api.errors import FIELD, BadUserInput

ALTERNATIVES = 2


class NowCode(Enum):
    """A reason for doing a task now, or none, for programs."""

    RUNNING = "running"
    PLANNED_NOW = "planned_now"
    MOST_URGENT = "most_urgent"
    NEXT_URGENT = "next_urgent"
    FITS = "fits"
    PART_FITS = "part_fits"
    UNESTIMATED = "unestimated"
    DUE = "due"
    LATE = "late"
    BLOCKING = "blocking"
    NOTHING_READY = "nothing_ready"
    NOTHING_FITS = "nothing_fits"


@dataclass(frozen=True, slots=True)
class NowReason:
    """A reason for programs (`code`) and people (`text`)."""

    code: NowCode
    text: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A task that could be done now, its block that is now, if any, and why."""

    task: Task | None
    block: TaskBlock | None
    reasons: tuple[NowReason, ...]


@dataclass(frozen=True, slots=True)
class WhatNow:
    """The best thing to do at an instant, and others that could be done."""

    as_of: datetime
    best: Suggestion
    alternatives: tuple[Suggestion, ...]


class Adviser:
    """Chooses among a user's open tasks, for an instant and, if it is known, so many minutes."""

    def __init__(
        self,
        tasks: Iterable[Task],
        dependencies: Dependencies,
        coefficients: Coefficients,
        now: datetime,
        minutes: int | None,
    ) -> None:
        """Rate the tasks. Raises BadUserInput."""
        if minutes is not None and not 1 <= minutes <= MAX_MINUTES:
            raise BadUserInput(f"{FIELD} must be from 1 to {MAX_MINUTES}.", "minutes")
        self._now, self._minutes = now, minutes
        self._dependencies = dependencies
        self._tasks = list(tasks)
        self._parents = {task.parent_id for task in self._tasks}  # done by what is below them
        self._rating = Rating(dependencies, coefficients, now)
        self._rating.rate(self._tasks)

    def advise(self) -> WhatNow:
        """The task that is under way, or else the most urgent one that is ready and fits."""
        ready = [task for task in self._tasks if self._is_ready(task)]
        fitting = sorted(filter(self._fits, ready), key=self._rank)
        running = min(filter(self._is_running, self._tasks), key=self._rank, default=None)
        chosen = [task for task in fitting if task is not running]
        suggestions = [
            self._suggestion(task, self._position(place, len(chosen)))
            for place, task in enumerate(chosen[: ALTERNATIVES + 1])
        ]
        if running:
            under_way = NowReason(NowCode.RUNNING, "It is under way.")
            suggestions = [self._suggestion(running, under_way), *suggestions]
        if not suggestions:
            return WhatNow(self._now, Suggestion(None, None, (self._nothing(ready),)), ())
        return WhatNow(self._now, suggestions[0], tuple(suggestions[1 : ALTERNATIVES + 1]))

    def _is_ready(self, task: Task) -> bool:
        waits = task.task_id in self._dependencies.blocked_ids or task.task_id in self._parents
        return task.open and task.has_come(self._now) and not waits

    def _is_running(self, task: Task) -> bool:
        block = self._block(task)
        started = block is not None and block.state is BlockState.STARTED
        return task.open and (task.running_since is not None or started)

    def _fits(self, task: Task) -> bool:
        """Return whether a task, or a part of it, can be done in the minutes that there are."""
        left = task.remaining_minutes
        if self._minutes is None or left is None or left <= self._minutes:
            return True
        return 0 < task.min_chunk_minutes <= self._minutes

    def _rank(self, task: Task) -> tuple[bool, bool, float, str]:
        """The sort key: whose timer runs, then what has an estimate, then the most urgent."""
        unknown = self._minutes is not None and task.remaining_minutes is None
        score = self._rating[task.task_id].score
        return task.running_since is None, unknown, -score, task.task_id

    def _block(self, task: Task) -> TaskBlock | None:
        """The block of a task that is now."""
        for block in blocks_of(task, self._now):
            is_now = block.start <= self._now < block.end and block.state is BlockState.PLANNED
            if is_now or block.state is BlockState.STARTED:
                return block
        return None

    def _suggestion(self, task: Task, position: NowReason) -> Suggestion:
        block = self._block(task)
        reasons = [position]
        if block and position.code is not NowCode.RUNNING:
            reasons.append(NowReason(NowCode.PLANNED_NOW, "It is planned for now."))
        reasons += [*self._length(task), *self._due(task), *self._blocking(task)]
        return Suggestion(task, block, tuple(reasons))

    def _position(self, place: int, count: int) -> NowReason:
        if place:
            return NowReason(NowCode.NEXT_URGENT, "It comes next by urgency.")
        fit = "are ready" if self._minutes is None else f"are ready and fit {self._minutes} min"
        if count == 1:
            return NowReason(NowCode.MOST_URGENT, f"It is the only one of the tasks that {fit}.")
        return NowReason(NowCode.MOST_URGENT, f"It is the most urgent of {count} tasks that {fit}.")

    def _length(self, task: Task) -> Sequence[NowReason]:
        left = task.remaining_minutes
        if left is None:
            return [NowReason(NowCode.UNESTIMATED, "It has no estimate.")]
        if not left:
            return [NowReason(NowCode.FITS, "Nothing is left of it but to complete it.")]
        if self._minutes is None or left <= self._minutes:
            return [NowReason(NowCode.FITS, f"What is left of it takes {length(left)}.")]
        if not self._fits(task):
            return []
        return [NowReason(NowCode.PART_FITS, f"A part of its {length(left)} can be done.")]

    def _due(self, task: Task) -> Sequence[NowReason]:
        deadline = task.deadline
        if deadline is None:
            return []
        minutes = (deadline - self._now) // MINUTE
        if minutes < 0:
            return [NowReason(NowCode.LATE, f"It is {length(-minutes)} late.")]
        return [NowReason(NowCode.DUE, f"It is due in {length(minutes)}.")]

    def _blocking(self, task: Task) -> Sequence[NowReason]:
        count = len(self._dependencies.open_blocked(task.task_id))
        if not count:
            return []
        waiting = "Another task waits" if count == 1 else f"{count} other tasks wait"
        return [NowReason(NowCode.BLOCKING, f"{waiting} for it.")]

    def _nothing(self, ready: Sequence[Task]) -> NowReason:
        if ready:
            return NowReason(NowCode.NOTHING_FITS, f"No ready task fits {self._minutes} min.")
        return NowReason(NowCode.NOTHING_READY, "No task can be begun now.")
