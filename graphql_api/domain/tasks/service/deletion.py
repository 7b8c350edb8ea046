"""Deletes tasks, with all below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.subtasks.model import check_size
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service.base import TaskWrites
from graphql_api.domain.tasks.writes import Write


class Deletions(TaskWrites):
    """Deletes tasks."""

    def delete(
        self,
        user_id: str,
        id: str,
        actor: Actor,
        now: datetime,
        expected_version: int | None = None,
    ) -> "Deletion":
        """Delete the task and all tasks below it, and their dependencies with them.

        Those below come first, the task itself last: what a crash has interrupted can be repeated.
        Raises NotFound, BadUserInput if there are too many, and Conflict if the task has not the
        expected version.
        """

        def attempt() -> Deletion:
            task = self._store.get(user_id, id)
            check_version("task", task.version, expected_version)
            below = self._placement.below(task)
            check_size(below, "deleted")
            all_below = [each for level in below for each in level]
            return self._delete_all(task, all_below, begun, actor, now)

        begun: dict[str, Write] = {}
        return retry_on_conflict(attempt)

    def _delete_all(
        self,
        task: Task,
        below: Sequence[Task],
        begun: dict[str, Write],
        actor: Actor,
        now: datetime,
    ) -> "Deletion":
        """Delete a task after those below it, in as few transactions as hold them.

        `begun` are the deletions of attempts before, some of which were carried out.
        """
        known = self._dependencies.get(task.user_id)
        there = self._store.get_many_for_checks([(task.user_id, each) for each in begun])
        done = [write for each, write in begun.items() if (task.user_id, each) not in there]
        gone = [writes.deletion(each, known, actor, now) for each in below]
        begun |= {each.change.task_id: each for each in gone}
        ids = [each.change.change_id for each in (*done, *gone)]
        last = writes.deletion(task, known, actor, now, ids)
        leaving = self._placement.of_removal(task)
        more = self.succession.of_deletion(task, now)
        last = more.told_by(last, actor, now)
        leaving += more.actions
        self._write_all([*reversed(gone), last], known, Dependencies.without, leaving)
        deleted = [task.task_id, *(each.change.task_id for each in (*done, *gone))]
        released = {other: None for each in deleted for other in known.blocked_by(each)}
        others = [other for other in released if other not in deleted]
        return Deletion(tuple(deleted), tuple(self._store.shown(task.user_id, others)))


@dataclass(frozen=True, slots=True)
class Deletion:
    """The ids of a deleted task and of those below it, and those of the tasks that they blocked."""

    task_ids: tuple[str, ...]
    released: tuple[str, ...]
