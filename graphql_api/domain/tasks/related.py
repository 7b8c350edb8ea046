"""What the tasks of one request wait for, and what waits for them: read together."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from graphql_api.domain.paging import Budget
from graphql_api.domain.tasks.dependencies import Dependencies
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dynamodb import Loader

MOST_LINKED = 500  # tasks that one request shows beside others

Relation: TypeAlias = Callable[[Dependencies, str], tuple[str, ...]]


class Neighbours:
    """The tasks around those that a request shows.

    The dependencies are one read a user, and the neighbours of all tasks shown so far are
    fetched together, as soon as those of one of them are asked for.
    """

    def __init__(
        self,
        dependencies: Loader[str, Dependencies],
        tasks: Loader[TaskKey, Task],
        rows: Budget,
    ) -> None:
        self._dependencies = dependencies
        self._tasks = tasks
        self._shown: list[Task] = []
        self.found: dict[TaskKey, Task] = {}  # all that were shown beside others
        self._announced: dict[Relation, set[TaskKey]] = {}
        self._rows = rows

    def show(self, tasks: Iterable[Task]) -> None:
        """Note tasks whose neighbours may be asked for."""
        self._shown += tasks

    def among(self, user_id: str) -> Dependencies:
        """The user's dependencies."""
        return self._dependencies.get(user_id) or Dependencies.none(user_id)

    def ready(self, task: Task) -> bool:
        """Whether the task can be done now."""
        return task.open and task.task_id not in self.among(task.user_id).waiting

    def blockers(self, task: Task) -> list[Task]:
        """What has to be done before the task."""
        return self._related(task, Dependencies.blockers_of)

    def blocked(self, task: Task) -> list[Task]:
        """What waits for the task."""
        return self._related(task, Dependencies.blocked_by)

    def _related(self, task: Task, relation: Relation) -> list[Task]:
        if _key(task) not in self._announced.setdefault(relation, set()):
            self._announce(task, relation)
        keys = [(task.user_id, i) for i in relation(self.among(task.user_id), task.task_id)]
        self._rows.spend(len(keys))
        if self._rows.left < 0:
            raise _too_many()
        return [self.found[key] for key in keys if key in self.found]

    def _announce(self, task: Task, relation: Relation) -> None:
        """Read what is related to all tasks shown; QueryTooComplex before any of it is read."""
        announced = self._announced[relation]
        shown = dict.fromkeys([*map(_key, self._shown), _key(task)])
        new = [key for key in shown if key not in announced]
        wanted = [(user, other) for user, key in new for other in relation(self.among(user), key)]
        if len(wanted) > self._rows.left:
            raise _too_many()
        self._tasks.want(wanted)
        found = ((other, self._tasks.get(other)) for other in wanted)
        self.found.update((key, other) for key, other in found if other is not None)
        announced.update(new)


def _key(task: Task) -> TaskKey:
    return task.user_id, task.task_id


def _too_many() -> QueryTooComplex:
    return QueryTooComplex(
        f"A request gets at most {MOST_LINKED} tasks that wait for others or block them."
    )
