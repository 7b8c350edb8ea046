"""The reason why something light goes before something heavier."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import PlanTask
from graphql_api.domain.planner.problem import Job, Problem


def next_heavier(pieces: Sequence[tuple[int, bool]], weights: Sequence[int]) -> list[int | None]:
    """The first heavier task, by number, that begins after each piece; None without any.

    A piece is the number of its task, and whether it is the task's first; they are in the order in
    which they begin. `weights` are those of the tasks.
    """
    found: list[int | None] = []
    begun: list[int] = []  # tasks that begin later, heaviest first, each before all heavier ones
    for task, is_first in reversed(pieces):
        heavier = bisect_left(begun, -weights[task], key=lambda other: -weights[other])
        found.append(begun[heavier - 1] if heavier else None)
        if is_first:
            begun[heavier:] = [task]
    return found[::-1]


class Precedence:
    """Tells why a piece of a task goes before a heavier one, by what is so in the schedule."""

    def __init__(
        self,
        tasks: Sequence[PlanTask],
        problem: Problem,
        earliest: Callable[[int], int],
        stays: Callable[[int], bool],
    ) -> None:
        """Take the tasks, their earliest starts, and whether each begins where it was or was put.

        What stays has not been put behind another task for what it is worth.
        """
        self._tasks, self._problem, self._earliest, self._stays = tasks, problem, earliest, stays

    def cause(self, i: int, start: int, other: int) -> str | None:
        """Find what keeps a heavier task from the start of another one's piece, if anything does.

        Without a cause of its own, it is the search that has not found a better order.
        """
        jobs = self._problem.jobs
        if i in jobs[other].blockers:
            return "waits for it"
        if self._earliest(other) > start:
            return "cannot begin by then"
        if (room := self._room(jobs[other], start)) < jobs[other].shortest_piece:
            has_other_hours = not room and jobs[i].schedule != jobs[other].schedule
            return "has other hours" if has_other_hours else "does not fit there"
        if self._stays(other):
            return None
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
