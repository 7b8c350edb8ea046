"""Adds and removes the blockers of tasks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.dependencies.model import (
    BLOCKER_IDS,
    NO_CHILDREN,
    Dependencies,
    distinct_blockers,
)
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service.base import TaskWrites

TASK_ID = "task_id"


class Blocking(TaskWrites):
    """Lets tasks block others, or no more."""

    def add_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "DependencyChange":
        """Add blockers to the task.

        Raises NotFound if one of them is missing, BadUserInput for too many of them, and
        Conflict, with the `cycle`, if the task would block itself.
        """
        ids = distinct_blockers(task_id, blocker_ids)

        def attempt() -> DependencyChange:
            task, *blockers = self._store.get_with(user_id, task_id, ids, (TASK_ID, BLOCKER_IDS))
            links = self._dependencies.links(user_id)
            before = links.before
            closed = [each.task_id for each in (task, *blockers) if not each.open]
            is_awaited = task.parent_id is not None or before.blocked_by(task_id)
            children = (
                self._placement.children_of(user_id, blockers, links) if is_awaited else NO_CHILDREN
            )
            with self._store.hiding_cycles(user_id):
                after = before.add(task_id, ids, closed, children=children)
            if after is before:
                return DependencyChange(task, before)
            action = self._dependencies.action(before, after)
            unchanged = map(self._store.unchanged_check, blockers)
            write = writes.linking(task, before, actor, now)
            self._store.write(write, beside=[action, *unchanged])
            return DependencyChange(write.result, after)

        return retry_on_conflict(attempt)

    def remove_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "DependencyChange":
        """Remove blockers from the task. Raises NotFound and BadUserInput."""
        ids = distinct_blockers(task_id, blocker_ids)

        def attempt() -> DependencyChange:
            task = self._store.get(user_id, task_id, TASK_ID)
            before = self._dependencies.get(user_id)
            after = before.remove(task_id, ids)
            if after is before:
                return DependencyChange(task, before)
            write = writes.linking(task, before, actor, now)
            self._store.write(write, beside=[self._dependencies.action(before, after)])
            return DependencyChange(write.result, after)

        return retry_on_conflict(attempt)


@dataclass(frozen=True, slots=True)
class DependencyChange:
    """A task, and the user's dependencies after a change of its blockers."""

    task: Task
    dependencies: Dependencies
