"""Which tasks wait for which others. Pure.

All of a user's dependencies are one value of one version: a circle that two requests would close
together is seen by the second of them, since it finds another version than the one it checked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from graphql_api.errors import BadUserInput, Conflict

BLOCKERS = 50  # of a task
BLOCKED = 500  # by a task
DEPENDENCIES = 2_000  # of a user, so that they fit into one item of 400 KB
BLOCKER_IDS = "blocker_ids"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """A user's dependencies, with what they have to know of the tasks: which of them are closed.

    A change is a method that returns the next state; the same one if it changes nothing.
    """

    user_id: str
    blockers: Mapping[str, tuple[str, ...]]  # by the task that waits for them
    closed: tuple[str, ...]  # those of the tasks here that are completed or cancelled
    version: int

    @classmethod
    def none(cls, user_id: str) -> "Dependencies":
        """Those of a user who has never had any."""
        return cls(user_id=user_id, blockers={}, closed=(), version=0)

    def blockers_of(self, task_id: str) -> tuple[str, ...]:
        """What has to be done before the task, done or not."""
        return self.blockers.get(task_id, ())

    def blocked_by(self, task_id: str) -> tuple[str, ...]:
        """What waits for the task."""
        return self._blocked.get(task_id, ())

    def open_blockers(self, task_id: str) -> tuple[str, ...]:
        """What still has to be done before the task."""
        return tuple(other for other in self.blockers_of(task_id) if other not in self._closed)

    def open_blocked(self, task_id: str) -> tuple[str, ...]:
        """What still waits for the task."""
        return tuple(other for other in self.blocked_by(task_id) if other not in self._closed)

    @cached_property
    def waiting(self) -> frozenset[str]:
        """All tasks that something still has to be done before."""
        return frozenset(task_id for task_id in self.blockers if self.open_blockers(task_id))

    @cached_property
    def _blocked(self) -> Mapping[str, tuple[str, ...]]:
        blocked = defaultdict(list)
        for task_id, blockers in self.blockers.items():
            for blocker in blockers:
                blocked[blocker].append(task_id)
        return {blocker: tuple(sorted(waiting)) for blocker, waiting in blocked.items()}

    @cached_property
    def _closed(self) -> frozenset[str]:
        return frozenset(self.closed)

    def add(
        self, task_id: str, blocker_ids: Iterable[str], closed: Collection[str]
    ) -> "Dependencies":
        """With these blockers of the task; `closed` are those of all these tasks that are.

        Raises BadUserInput for too many, and Conflict, with the circle, for one that waits for
        the task itself.
        """
        before = self.blockers_of(task_id)
        new = [blocker for blocker in blocker_ids if blocker not in before]
        if not new:
            return self
        self._check_numbers(task_id, new)
        for blocker in new:
            self._check_circle(task_id, blocker)
        return self._with({**self.blockers, task_id: (*before, *new)}, self._closed.union(closed))

    def remove(self, task_id: str, blocker_ids: Collection[str]) -> "Dependencies":
        """Without these blockers of the task."""
        left = tuple(other for other in self.blockers_of(task_id) if other not in blocker_ids)
        return self._with({**self.blockers, task_id: left}, self._closed)

    def without(self, task_id: str) -> "Dependencies":
        """Without a task that is no more."""
        left = {
            waiting: tuple(blocker for blocker in blockers if blocker != task_id)
            for waiting, blockers in self.blockers.items()
            if waiting != task_id
        }
        return self._with(left, self._closed)

    def mark(self, task_id: str, *, closed: bool) -> "Dependencies":
        """With the task closed, or open again."""
        one = {task_id}
        return self._with(self.blockers, self._closed | one if closed else self._closed - one)

    def _with(
        self, blockers: Mapping[str, tuple[str, ...]], closed: Collection[str]
    ) -> "Dependencies":
        left = {task_id: others for task_id, others in blockers.items() if others}
        here = set(left).union(*left.values())
        after = replace(self, blockers=left, closed=tuple(sorted(here.intersection(closed))))
        return self if after == self else replace(after, version=self.version + 1)

    def _check_numbers(self, task_id: str, new: Collection[str]) -> None:
        if len(self.blockers_of(task_id)) + len(new) > BLOCKERS:
            raise BadUserInput(f"A task has at most {BLOCKERS} blockers.", BLOCKER_IDS)
        if any(len(self.blocked_by(blocker)) >= BLOCKED for blocker in new):
            raise BadUserInput(f"A task blocks at most {BLOCKED} others.", BLOCKER_IDS)
        if sum(map(len, self.blockers.values())) + len(new) > DEPENDENCIES:
            raise BadUserInput(f"There are at most {DEPENDENCIES} dependencies.", BLOCKER_IDS)

    def _check_circle(self, task_id: str, blocker: str) -> None:
        """Raise Conflict if the blocker waits for the task, by however many others."""
        reached, reached_from = [blocker], {blocker: task_id}
        for at in reached:  # grows on the way
            for other in self.blockers_of(at):
                if other == task_id:
                    raise Conflict(
                        "A task cannot wait for itself: each of these waits for the next.",
                        field=BLOCKER_IDS,
                        cycle=[*_way(reached_from, task_id, at), task_id],
                    )
                if other not in reached_from:
                    reached_from[other] = at
                    reached.append(other)


def _way(reached_from: Mapping[str, str], start: str, end: str) -> list[str]:
    """The way from a task to one that it waits for."""
    way = [end]
    while way[-1] != start:
        way.append(reached_from[way[-1]])
    return way[::-1]


def distinct_blockers(task_id: str, blocker_ids: Iterable[str]) -> tuple[str, ...]:
    """The blockers that a request names; BadUserInput for what it cannot mean."""
    distinct = tuple(dict.fromkeys(blocker_ids))
    if not 1 <= len(distinct) <= BLOCKERS:
        raise BadUserInput(f"Between 1 and {BLOCKERS} blockers can be given at once.", BLOCKER_IDS)
    if task_id in distinct:
        raise BadUserInput("A task cannot block itself.", BLOCKER_IDS)
    return distinct
