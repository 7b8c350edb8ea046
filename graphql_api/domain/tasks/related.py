"""Blockers and blocked tasks of the tasks that a request shows, loaded in batches."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.paging import Budget
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dataloader import Loader

MAX_RELATED = 500  # tasks that a request returns as blockers and blocked tasks

Relation: TypeAlias = Callable[[Dependencies, str], tuple[str, ...]]


class RelatedTasks:
    """Loads the blockers and blocked tasks of tracked tasks.

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
        return self._related(task, Dependencies.blockers_of)

    def blocked(self, task: Task) -> list[Task]:
        """The tasks that this one blocks. Raises QueryTooComplex beyond the budget."""
        return self._related(task, Dependencies.blocked_by)

    def _related(self, task: Task, relation: Relation) -> list[Task]:
        if _key(task) not in self._prefetched.setdefault(relation, set()):
            self._prefetch(task, relation)
        related = relation(self.dependencies_of(task.user_id), task.task_id)
        self._budget.spend(len(related))
        if self._budget.left < 0:
            raise _too_many()
        keys = ((task.user_id, task_id) for task_id in related)
        return [self.loaded[key] for key in keys if key in self.loaded]

    def _prefetch(self, task: Task, relation: Relation) -> None:
        """Read the related tasks of all tracked ones; raises QueryTooComplex before it reads."""
        prefetched = self._prefetched[relation]
        tracked = dict.fromkeys([*map(_key, self._tracked), _key(task)])
        new = [key for key in tracked if key not in prefetched]
        keys = [
            (user_id, related)
            for user_id, task_id in new
            for related in relation(self.dependencies_of(user_id), task_id)
        ]
        if len(keys) > self._budget.left:
            raise _too_many()
        self._tasks.prefetch(keys)
        tasks = ((key, self._tasks.get(key)) for key in keys)
        self.loaded.update((key, related) for key, related in tasks if related is not None)
        prefetched.update(new)


def _key(task: Task) -> TaskKey:
    return task.user_id, task.task_id


def _too_many() -> QueryTooComplex:
    return QueryTooComplex(
        f"A request returns at most {MAX_RELATED} blockers and blocked tasks in all."
    )
