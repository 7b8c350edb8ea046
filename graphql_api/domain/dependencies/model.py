"""Dependencies between tasks, and their cycles. Pure.

All dependencies of a user are one value with one version. So if two requests would close a cycle
together, the second one fails: it finds another version than the one it has checked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from graphql_api.errors import FIELD, BadUserInput, Conflict

MAX_BLOCKERS = 50  # of a task
MAX_BLOCKED = 500  # by a task
MAX_DEPENDENCIES = 2_000  # of a user, so that they fit into one item of 400 KB
BLOCKER_IDS = "blocker_ids"

Children: TypeAlias = Mapping[str, Sequence[str]]
"""Ids of subtasks by that of their parent, which is done after them: it waits for them, too."""

NO_CHILDREN: Children = {}


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """A user's dependencies, and which of the tasks in them are closed: completed or cancelled.

    Methods that change it return the next state; the same object if nothing changes.
    """

    user_id: str
    blockers: Mapping[str, tuple[str, ...]]  # ids of blockers, by the id of the blocked task
    closed: tuple[str, ...]  # ids
    version: int

    @classmethod
    def none(cls, user_id: str) -> "Dependencies":
        """The dependencies of a user who never had any."""
        return cls(user_id=user_id, blockers={}, closed=(), version=0)

    def blockers_of(self, task_id: str) -> tuple[str, ...]:
        """The ids of the tasks that block the task, open or closed."""
        return self.blockers.get(task_id, ())

    def blocked_by(self, task_id: str) -> tuple[str, ...]:
        """The ids of the tasks that the task blocks, open or closed."""
        return self._blocked.get(task_id, ())

    def open_blockers(self, task_id: str) -> tuple[str, ...]:
        """The ids of the open tasks that block the task."""
        return tuple(blocker for blocker in self.blockers_of(task_id) if self._is_open(blocker))

    def open_blocked(self, task_id: str) -> tuple[str, ...]:
        """The ids of the open tasks that the task blocks."""
        return tuple(blocked for blocked in self.blocked_by(task_id) if self._is_open(blocked))

    @cached_property
    def blocked_ids(self) -> frozenset[str]:
        """The ids of all tasks with open blockers."""
        return frozenset(task_id for task_id in self.blockers if self.open_blockers(task_id))

    @cached_property
    def _blocked(self) -> Mapping[str, tuple[str, ...]]:
        blocked = defaultdict(list)
        for task_id, blockers in self.blockers.items():
            for blocker in blockers:
                blocked[blocker].append(task_id)
        return {blocker: tuple(sorted(task_ids)) for blocker, task_ids in blocked.items()}

    @cached_property
    def _closed(self) -> frozenset[str]:
        return frozenset(self.closed)

    def _is_open(self, task_id: str) -> bool:
        return task_id not in self._closed

    def add(
        self,
        task_id: str,
        blocker_ids: Iterable[str],
        closed: Collection[str],
        field: str = BLOCKER_IDS,
        children: Children = NO_CHILDREN,
    ) -> "Dependencies":
        """Add blockers to the task. `closed` are the ids of the closed ones among these tasks.

        `children` are those of the tasks that are waited for. Raises BadUserInput for too many, and
        Conflict, with the cycle, if one of them waits for the task, directly or not.
        """
        before = self.blockers_of(task_id)
        new = [blocker for blocker in blocker_ids if blocker not in before]
        if not new:
            return self
        self._check_counts(task_id, new, field)
        for blocker in new:
            self.check_cycle(task_id, blocker, children)
        return self._with({**self.blockers, task_id: (*before, *new)}, self._closed.union(closed))

    def remove(self, task_id: str, blocker_ids: Collection[str]) -> "Dependencies":
        """Remove blockers from the task."""
        left = tuple(other for other in self.blockers_of(task_id) if other not in blocker_ids)
        return self._with({**self.blockers, task_id: left}, self._closed)

    def hand_over(
        self, task_id: str, to: str, blocker_ids: Collection[str], others: Iterable[str]
    ) -> "Dependencies":
        """Let others block another task in the place of these blockers of a task."""
        left = tuple(each for each in self.blockers_of(task_id) if each not in blocker_ids)
        kept = tuple(dict.fromkeys((*self.blockers_of(to), *others)))
        return self._with({**self.blockers, task_id: left, to: kept}, self._closed)

    def without(self, task_id: str) -> "Dependencies":
        """Remove all dependencies of a deleted task."""
        left = {
            blocked: tuple(blocker for blocker in blockers if blocker != task_id)
            for blocked, blockers in self.blockers.items()
            if blocked != task_id
        }
        return self._with(left, self._closed)

    def mark(self, task_id: str, *, closed: bool) -> "Dependencies":
        """Mark the task as closed, or as open."""
        ids = {task_id}
        return self._with(self.blockers, self._closed | ids if closed else self._closed - ids)

    def _with(
        self, blockers: Mapping[str, tuple[str, ...]], closed: Collection[str]
    ) -> "Dependencies":
        left = {task_id: ids for task_id, ids in blockers.items() if ids}
        mentioned = set(left).union(*left.values())
        after = replace(self, blockers=left, closed=tuple(sorted(mentioned.intersection(closed))))
        return self if after == self else replace(after, version=self.version + 1)

    def _check_counts(self, task_id: str, new: Collection[str], field: str) -> None:
        if len(self.blockers_of(task_id)) + len(new) > MAX_BLOCKERS:
            raise BadUserInput(f"A task can have at most {MAX_BLOCKERS} blockers.", field)
        if any(len(self.blocked_by(blocker)) >= MAX_BLOCKED for blocker in new):
            raise BadUserInput(f"A task can block at most {MAX_BLOCKED} others.", field)
        if sum(map(len, self.blockers.values())) + len(new) > MAX_DEPENDENCIES:
            raise BadUserInput(f"A user can have at most {MAX_DEPENDENCIES} dependencies.", field)

    def touched(self) -> "Dependencies":
        """The same dependencies as a next version, which whoever checks a cycle now will notice."""
        return replace(self, version=self.version + 1)

    def reach(self, task_ids: Iterable[str], children: Children) -> list[str]:
        """The tasks that these wait for, directly or not, and they themselves."""
        reached = dict.fromkeys(task_ids)
        waiting = list(reached)
        for at in waiting:  # grows on the way
            new = [each for each in self._awaited(at, children) if each not in reached]
            reached.update(dict.fromkeys(new))
            waiting += new
        return waiting

    def _awaited(self, task_id: str, children: Children) -> Iterable[str]:
        """The tasks that a task waits for directly: its blockers, and its subtasks."""
        return (*self.blockers_of(task_id), *children.get(task_id, ()))

    def check_cycle(
        self, task_id: str, awaited: str, children: Children, field: str = BLOCKER_IDS
    ) -> None:
        """Raise Conflict if another task, for which one is to wait, waits for that one."""
        reached, reached_from = [awaited], {awaited: task_id}
        for at in reached:  # grows on the way
            for other in self._awaited(at, children):
                if other == task_id:
                    raise Conflict(
                        "A task cannot wait for itself: in this cycle, each is blocked by the next,"
                        " or its parent."
                        if children
                        else "A task cannot block itself: in this cycle, each is blocked by the"
                        " next.",
                        field=field,
                        cycle=[*_path(reached_from, task_id, at), task_id],
                    )
                if other not in reached_from:
                    reached_from[other] = at
                    reached.append(other)


def _path(reached_from: Mapping[str, str], start: str, end: str) -> list[str]:
    """The path from a task to one of its direct or indirect blockers."""
    path = [end]
    while path[-1] != start:
        path.append(reached_from[path[-1]])
    return path[::-1]


def distinct_blockers(task_id: str, blocker_ids: Iterable[str]) -> tuple[str, ...]:
    """The requested blockers without duplicates. Raises BadUserInput."""
    distinct = tuple(dict.fromkeys(blocker_ids))
    if not 1 <= len(distinct) <= MAX_BLOCKERS:
        raise BadUserInput(f"{FIELD} must have 1 to {MAX_BLOCKERS} items.", BLOCKER_IDS)
    if task_id in distinct:
        raise BadUserInput("A task cannot block itself.", BLOCKER_IDS)
    return distinct
