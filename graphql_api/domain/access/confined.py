"""Stores as an access token sees them that is confined to some of its user's tasks.

All reads and writes of tasks go through these stores (lists beside them take the same confinement,
`TaskListReader`), so what is hidden is not there for anything that is built on them: lists, counts,
plans, urgencies, the feed. A write has to leave each task that it touches in sight.
"""

from collections.abc import Collection, Iterator, Sequence

from graphql_api.domain.access.model import Confinement
from graphql_api.domain.changes.model import Change
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.projects.model import Project
from graphql_api.domain.projects.store import ProjectKey, ProjectStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.receipts import Receipt
from graphql_api.domain.tasks.store import TaskKey, TaskStore, task_not_found
from graphql_api.domain.tasks.writes import Write, states
from graphql_api.errors import ID, Forbidden, NotFound
from graphql_api.infra.dynamodb import Action, Check, Database

OUTSIDE = "This access token is confined, and a task above or below this one is outside."


class ConfinedTaskStore(TaskStore):
    """The tasks within a confinement."""

    def __init__(
        self,
        database: Database,
        changes: ChangeStore,
        confinement: Confinement,
        *,
        rehearses: bool = False,
    ) -> None:
        super().__init__(database, changes, rehearses=rehearses)
        self._confinement = confinement
        self._sees = confinement.criterion.holds

    def get(self, user_id: str, task_id: str, field: str = ID) -> Task:
        """The task, if it is seen. Raises NotFound."""
        task = super().get(user_id, task_id, field)
        if not self._sees(task):
            raise task_not_found(field)
        return task

    def get_many(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """The tasks of these keys that are seen."""
        return {key: task for key, task in super().get_many(keys).items() if self._sees(task)}

    def get_family(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """The tasks of these keys. Raises Forbidden if some are not seen."""
        found = super().get_many(keys)
        if not all(map(self._sees, found.values())):
            raise Forbidden(OUTSIDE)
        return found

    def check_family(self, changes: Sequence[Change]) -> None:
        """Raise Forbidden if some of the changes may not be told."""
        if len(self.told(changes)) < len(changes):
            raise Forbidden(OUTSIDE)

    def all(self, user_id: str) -> Iterator[Task]:
        """All tasks that are seen."""
        return filter(self._sees, super().all(user_id))

    def in_project(self, user_id: str, project_id: str) -> Iterator[list[Task]]:
        """The tasks of a project that are seen."""
        for tasks in super().in_project(user_id, project_id):
            yield list(filter(self._sees, tasks))

    def write(self, *writes: Write, beside: Sequence[Action] = ()) -> None:
        """Carry out writes within the confinement. Raises Forbidden, and as for others."""
        self._check(*writes)
        super().write(*writes, beside=beside)

    def create_once(self, write: Write, receipt: Receipt, beside: Sequence[Action] = ()) -> str:
        """Create a task within the confinement. Raises Forbidden, and as for others."""
        self._check(write)
        return super().create_once(write, receipt, beside)

    def shown(self, user_id: str, task_ids: Collection[str]) -> list[str]:
        """The ids of tasks that are seen."""
        seen = self.get_many([(user_id, task_id) for task_id in dict.fromkeys(task_ids)])
        return [task_id for task_id in task_ids if (user_id, task_id) in seen]

    def told(self, changes: Sequence[Change]) -> list[Change]:
        """The changes that tell of a task which is seen, or was before the change."""
        keys = list(dict.fromkeys((change.user_id, change.task_id) for change in changes))
        tasks = super().get_many(keys)
        return [
            change
            for change in changes
            if any(map(self._sees, states(change, tasks.get((change.user_id, change.task_id)))))
        ]

    def _check(self, *writes: Write) -> None:
        for write in writes:
            for task in (write.before, write.after):
                if task is not None:
                    self._confinement.check(task)
            self._check_family(write)

    def _check_family(self, write: Write) -> None:
        """Raise Forbidden for a write that concerns a parent or subtasks which are not seen."""
        before, after = write.before, write.after
        if before is None:
            return
        ends = before.open and (after is None or not after.open)
        concerned = list(before.child_ids) if ends or after is None else []
        if before.parent_id and (after is None or after.parent_id != before.parent_id):
            concerned.append(before.parent_id)
        self.get_family([(before.user_id, each) for each in concerned])


class ConfinedProjectStore(ProjectStore):
    """The projects that a confinement names."""

    def __init__(self, database: Database, confinement: Confinement) -> None:
        super().__init__(database)
        self._ids = confinement.project_ids

    def all(self, user_id: str) -> list[Project]:
        """The projects that are seen."""
        return [each for each in super().all(user_id) if each.project_id in self._ids]

    def get_many(self, keys: Sequence[ProjectKey]) -> dict[ProjectKey, Project]:
        """The projects of these keys that are seen."""
        return super().get_many([key for key in keys if key[1] in self._ids])

    def presence(self, user_id: str, project_id: str) -> Check:
        """Check, in a transaction, that there is a project. Raises NotFound if it is not seen."""
        if project_id not in self._ids:
            raise NotFound("Project not found or access denied", "project_id")
        return super().presence(user_id, project_id)
