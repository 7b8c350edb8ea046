"""The pieces of the previous plan that are elsewhere now, and why."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile, zip_longest

from graphql_api.domain.planner.minutes import MINUTE, floor
from graphql_api.domain.planner.model import (
    Block,
    Interval,
    Move,
    Placement,
    PlanRequest,
    PlanTask,
    Reason,
    ReasonCode,
    whole_minutes,
)
from graphql_api.domain.planner.problem import Problem

MAX_NAMED = 3  # tasks of a reason


def moves(request: PlanRequest, problem: Problem, blocks: Sequence[Block]) -> tuple[Move, ...]:
    """List the moved pieces of the request's tasks, by time."""
    return tuple(_Moves(request, problem, blocks).all()) if request.previous else ()


class _Moves:
    def __init__(self, request: PlanRequest, problem: Problem, blocks: Sequence[Block]) -> None:
        self._request, self._problem = request, problem
        self._before = _by_task(request.previous)
        self._now = _by_task(Placement(block.task_id, block.start, block.end) for block in blocks)
        self._taken = [block for block in blocks if block.start < block.end]
        self._ends = [block.end for block in self._taken]
        self._titles = {task.task_id: task.title or task.task_id for task in request.tasks}

    def all(self) -> list[Move]:
        found = (move for i, task in enumerate(self._request.ordered) for move in self._of(i, task))
        return sorted(found, key=lambda move: (move.from_.start, move.task_id))

    def _of(self, i: int, task: PlanTask) -> Iterator[Move]:
        """List what has gone, each piece with one that has come for it, by time.

        A piece that was there before has not come, whatever its number is; a fixed one always was.
        """
        before, now = self._before.get(task.task_id, []), self._now.get(task.task_id, [])
        there = {*map(whole_minutes, before), *self._problem.fixed.get(i, ())}
        still = set(map(whole_minutes, now))
        gone = [piece for piece in before if whole_minutes(piece) not in still]
        come = [piece for piece in now if whole_minutes(piece) not in there]
        for piece, to in zip_longest(gone, come[: len(gone)]):
            yield Move(task.task_id, piece, to, self._reason(i, task, piece))

    def _reason(self, i: int, task: PlanTask, piece: Interval) -> Reason:
        """Tell who has the time of a piece now, or why the task cannot have it or need not."""
        others = [other for other in self._there(piece) if other != task.task_id]
        if others:
            names = ", ".join(f"“{self._titles.get(other, other)}”" for other in others)
            return Reason(ReasonCode.OTHERS_FIRST, f"Its time goes to {names}.", tuple(others))
        if self._request.fresh:
            return Reason(ReasonCode.FRESH, "All is planned afresh, wherever it was.")
        had = sum((each.end - each.start) // MINUTE for each in self._before[task.task_id])
        if had != task.duration_minutes:
            return Reason(ReasonCode.CHANGED, "The task needs another time than it had.")
        if self._has_unsuitable(i, task):
            text = "Its pieces were longer than they may be, or too near to each other."
            return Reason(ReasonCode.CHANGED, text)
        if floor(piece.end) > self._problem.jobs[i].due:
            return Reason(ReasonCode.LATE, "It would be late there.")
        return Reason(ReasonCode.NOT_FREE, "It can no longer be done at that time.")

    def _has_unsuitable(self, i: int, task: PlanTask) -> bool:
        """Return whether the pieces of a task that may move are not what its cut allows."""
        chunks, fixed = self._problem.jobs[i].chunks, self._problem.fixed.get(i, ())
        before = map(whole_minutes, self._before[task.task_id])
        return chunks is not None and not chunks.suit(
            [each for each in before if each not in fixed]
        )

    def _there(self, piece: Interval) -> list[str]:
        """Ids of the first few tasks that have the time of a piece now."""
        later = self._taken[bisect_left(self._ends, piece.start) :][: 2 * MAX_NAMED]
        overlapping = takewhile(lambda block: block.start < piece.end, later)
        ids = (block.task_id for block in overlapping if block.end > piece.start)
        return list(dict.fromkeys(ids))[:MAX_NAMED]


def _by_task(pieces: Iterable[Placement]) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = {}
    for piece in sorted(pieces):
        found.setdefault(piece.task_id, []).append(piece.interval)
    return found
