"""The reason why something light goes before something heavier."""

from collections.abc import Callable, Iterable, Sequence

from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import PlanTask
from graphql_api.domain.planner.problem import Job, Problem


def next_heavier(starts: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The first of the heavier tasks that begin after each one, given each with its weight.

    Both are in the order in which they begin. A task that is followed by none has no entry.
    """
    found: dict[int, int] = {}
    waiting: list[tuple[int, int]] = []  # weights that no later one has exceeded, descending
    for i, weight in starts:
        while waiting and waiting[-1][1] < weight:
            found[waiting.pop()[0]] = i
        waiting.append((i, weight))
    return found


class Precedence:
    """Tells why a task goes before a heavier one, by what is so in the schedule."""

    def __init__(
        self,
        tasks: Sequence[PlanTask],
        problem: Problem,
        earliest: Callable[[int], int],
    ) -> None:
        """Take the tasks, and a function that finds the earliest start of each."""
        self._tasks, self._problem, self._earliest = tasks, problem, earliest

    def cause(self, i: int, start: int, other: int) -> str | None:
        """Find what keeps a heavier task from the time of another one; None if nothing does.

        Without a cause of its own, it is the search that has not found a better order.
        """
        jobs = self._problem.jobs
        if i in jobs[other].blockers:
            return "waits for it"
        if self._earliest(other) > start:
            return "cannot begin by then"
        if self._room(jobs[other], start) < min(jobs[other].min_piece, jobs[other].duration):
            return "does not fit there"
        if self._is_due_sooner(i, other):
            return "is due later" if self._tasks[other].deadline else "has no deadline"
        is_longer = (
            jobs[i].stakes.wait * jobs[other].duration > jobs[other].stakes.wait * jobs[i].duration
        )
        return "is longer for its weight" if is_longer else None

    def _room(self, job: Job, start: int) -> int:
        """Minutes from a time on that are free of all but tasks in a job's hours."""
        return self._problem.calendar.within(job.schedule).room(start)

    def _is_due_sooner(self, i: int, other: int) -> bool:
        due, later = self._tasks[i].deadline, self._tasks[other].deadline
        if due is None or floor(due) < self._problem.start:
            return False
        return later is None or floor(due) < floor(later)
