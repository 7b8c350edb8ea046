"""Blockers, blocked tasks, parents and subtasks of the tasks that a request shows, in batches."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.paging import Budget
from graphql_api.domain.subtasks.model import MAX_LEVELS, Heir, in_order, line
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dataloader import Loader

MAX_RELATED = 500  # tasks that a request returns as blockers, blocked tasks, parents and subtasks

Relation: TypeAlias = Callable[["RelatedTasks", Task], tuple[str, ...]]


class RelatedTasks:
    """Loads the tasks that tracked tasks are related to, and what these inherit.

    A user's dependencies take one read. The related tasks of all tasks tracked so far are read
    in one batch, when those of one of them are needed.
    """

    def __init__(
        self,
        dependencies: Loader[str, Dependencies],
        tasks: Loader[TaskKey, Task],
        budget: Budget,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._dependencies = dependencies
        self._tasks = tasks
        self._tracked: list[Task] = []
        self.loaded: dict[TaskKey, Task] = {}
        self._prefetched: dict[Relation, set[TaskKey]] = {}
        self._budget = budget
        self._ancestors: dict[TaskKey, Task | None] = {}

    def track(self, tasks: Iterable[Task]) -> None:
        """Add tasks whose related tasks may be needed."""
        self._tracked += tasks

    def dependencies_of(self, user_id: str) -> Dependencies:
        """All dependencies of a user."""
        return self._dependencies.get(user_id) or Dependencies.none(user_id)

    def is_ready(self, task: Task) -> bool:
        """Return whether the task can be begun now: it is open, and nothing keeps it."""
        if not task.open or not task.has_come(self._now()):
            return False
        return task.task_id not in self.dependencies_of(task.user_id).blocked_ids

    def blockers(self, task: Task) -> list[Task]:
        """The tasks that block this one. Raises QueryTooComplex beyond the budget."""
        return self._related(task, _blockers)

    def blocked(self, task: Task) -> list[Task]:
        """The tasks that this one blocks. Raises QueryTooComplex beyond the budget."""
        return self._related(task, _blocked)

    def parent(self, task: Task) -> Task | None:
        """The task that this one is below. Raises QueryTooComplex beyond the budget."""
        return next(iter(self._related(task, _parent)), None) if task.parent_id else None

    def subtasks(self, task: Task) -> list[Task]:
        """The subtasks, in their order. Raises QueryTooComplex beyond the budget."""
        return in_order(self._related(task, _subtasks)) if task.child_ids else []

    def heir(self, task: Task) -> Heir:
        """The task with what it inherits from those above it."""
        if task.parent_id is None:
            return Heir(task)
        if (task.user_id, task.parent_id) not in self._ancestors:
            self._load_ancestors(task)
        return Heir.of(task, line(task, lambda each: self._ancestors.get((task.user_id, each))))

    def _load_ancestors(self, task: Task) -> None:
        """Read the ancestors of all tracked tasks, level by level."""
        level = [*self._tracked, task]
        for _ in range(MAX_LEVELS):
            keys = {(each.user_id, each.parent_id): None for each in level if each.parent_id}
            self._tasks.prefetch(keys)
            found = {key: self._tasks.get(key) for key in keys}
            self._ancestors |= found
            level = [each for each in found.values() if each is not None]

    def _related(self, task: Task, relation: Relation) -> list[Task]:
        if _key(task) not in self._prefetched.setdefault(relation, set()):
            self._prefetch(task, relation)
        related = relation(self, task)
        self._budget.spend(len(related))
        if self._budget.left < 0:
            raise _too_many()
        keys = ((task.user_id, task_id) for task_id in related)
        return [self.loaded[key] for key in keys if key in self.loaded]

    def _prefetch(self, task: Task, relation: Relation) -> None:
        """Read the related tasks of all tracked ones; raises QueryTooComplex before it reads."""
        prefetched = self._prefetched[relation]
        tracked = {_key(each): each for each in (*self._tracked, task)}
        new = [each for key, each in tracked.items() if key not in prefetched]
        keys = [(each.user_id, related) for each in new for related in relation(self, each)]
        if len(keys) > self._budget.left:
            raise _too_many()
        self._tasks.prefetch(keys)
        tasks = {key: self._tasks.get(key) for key in keys}
        found = {key: related for key, related in tasks.items() if related is not None}
        self.loaded |= found
        prefetched.update(map(_key, new))
        if relation in {_parent, _subtasks}:
            self.track(found.values())


def _blockers(known: RelatedTasks, task: Task) -> tuple[str, ...]:
    return known.dependencies_of(task.user_id).blockers_of(task.task_id)


def _blocked(known: RelatedTasks, task: Task) -> tuple[str, ...]:
    return known.dependencies_of(task.user_id).blocked_by(task.task_id)


def _parent(_: RelatedTasks, task: Task) -> tuple[str, ...]:
    return (task.parent_id,) if task.parent_id else ()


def _subtasks(_: RelatedTasks, task: Task) -> tuple[str, ...]:
    return task.child_ids


def _key(task: Task) -> TaskKey:
    return task.user_id, task.task_id


def _too_many() -> QueryTooComplex:
    return QueryTooComplex(
        f"A request returns at most {MAX_RELATED} blockers, blocked tasks, parents and subtasks in"
        " all."
    )
