"""Writing tasks."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from graphql_api.dynamodb import ConditionFailed
from graphql_api.errors import AppError, BadUserInput, Conflict, NotFound, ServiceUnavailable
from graphql_api.tasks.model import Task
from graphql_api.tasks.store import Receipt, TaskStore, version_conflict

Item = TypeVar("Item")
T = TypeVar("T")

ATTEMPTS = 10  # at a change that others keep overtaking
MOST_ITEMS = 100  # that one request may write
KEY_LENGTH = 255  # characters of an idempotency key
KEY_TTL = timedelta(hours=24)  # for which it is remembered


class Tasks:
    """What people do with their tasks; the first argument is always whose task it is."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store

    def create(self, user_id: str, fields: Mapping[str, Any], now: datetime) -> Task:
        """A new task; with an `idempotency_key`, the same one however often it is asked for.

        Raises BadUserInput, and Conflict if the key was used with other content or its task
        is gone.
        """
        fields = dict(fields)
        key = fields.pop("idempotency_key", None)
        task = Task.new(user_id, fields, now)
        if key is None:
            self._store.add(task)
            return task
        made = self._store.add_once(task, _receipt(key, task, now))
        if made == task.task_id:
            return task
        try:
            return self._store.get(user_id, made)
        except NotFound:
            raise Conflict(
                "The task that this idempotency key made is gone.", field="idempotencyKey"
            ) from None

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


def _receipt(key: str, task: Task, now: datetime) -> Receipt:
    if not 1 <= len(key) <= KEY_LENGTH:
        raise BadUserInput(
            f"An idempotency key has 1 to {KEY_LENGTH} characters.", "idempotencyKey"
        )
    digest = hashlib.sha256(key.encode()).hexdigest()
    expires = now + KEY_TTL
    return Receipt(digest, task.same_content(), int(now.timestamp()), int(expires.timestamp()))


def each(items: Sequence[Item], do: Callable[[Item], T]) -> list[T | AppError]:
    """What becomes of each item, in order: a result, or the error that it alone has.

    Raises BadUserInput for too many items, or none. Once the store is away, the rest is not
    tried: each attempt would take its time to fail.
    """
    if not 1 <= len(items) <= MOST_ITEMS:
        raise BadUserInput(f"Between 1 and {MOST_ITEMS} tasks can be written at once.", "tasks")
    results: list[T | AppError] = []
    away: ServiceUnavailable | None = None
    for item in items:
        try:
            results.append(away or do(item))
        except ServiceUnavailable as error:
            away = error
            results.append(error)
        except AppError as error:
            results.append(error)
    return results
