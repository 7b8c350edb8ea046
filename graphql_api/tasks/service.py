"""Writing tasks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql_api.dynamodb import ConditionFailed
from graphql_api.errors import Conflict
from graphql_api.tasks.model import Task
from graphql_api.tasks.store import TaskStore, version_conflict

ATTEMPTS = 10  # at a change that others keep overtaking


class Tasks:
    """What people do with their tasks; the first argument is always whose task it is."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store

    def create(self, user_id: str, fields: Mapping[str, Any], now: datetime) -> Task:
        """A new task; BadUserInput if it cannot be one."""
        task = Task.new(user_id, fields, now)
        self._store.add(task)
        return task

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> Task:
        """The task with the changed fields; `id` and `expected_version` say which task is meant.

        Without an expected version it is whatever the task was before. Raises NotFound,
        BadUserInput, and Conflict if the task is not of the expected version.
        """
        fields = dict(changes)
        task_id, expected_version = fields.pop("id"), fields.pop("expected_version", None)
        for _ in range(ATTEMPTS):
            before = self._store.get(user_id, task_id)
            if expected_version not in {None, before.version}:
                raise version_conflict(before)
            after = before.edit(fields, now)
            if after is before:
                return before
            try:
                self._store.replace(before, after)
            except ConditionFailed:
                continue
            return after
        raise Conflict("Others keep changing this task, try again.")

    def delete(self, user_id: str, id: str, expected_version: int | None = None) -> str:
        """Delete the task; its id. Raises NotFound, and Conflict as `update` does."""
        self._store.delete(user_id, id, expected_version)
        return id
