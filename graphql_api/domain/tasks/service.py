"""Writing tasks."""

import hashlib
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.dependencies import BLOCKER_IDS, Dependencies, distinct_blockers
from graphql_api.domain.tasks.dependency_store import DependencyStore
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import Receipt, TaskStore, version_conflict
from graphql_api.errors import (
    AppError,
    BadUserInput,
    Conflict,
    FieldNames,
    NotFound,
    ServiceUnavailable,
)
from graphql_api.infra.concurrency.waiting import sleep
from graphql_api.infra.dynamodb import Action, ConditionFailed

Item = TypeVar("Item")
T = TypeVar("T")

ATTEMPTS = 10  # at a change that others keep overtaking …
PAUSE = 0.02  # … seconds at most before the second, and so much more before each later one
MOST_ITEMS = 100  # that one request may write
KEY_LENGTH = 255  # characters of an idempotency key
KEY_TTL = timedelta(hours=24)  # for which it is remembered


class Tasks:
    """What people do with their tasks; the first argument is always whose task it is."""

    def __init__(self, store: TaskStore, dependencies: DependencyStore, history: History) -> None:
        self._store = store
        self._dependencies = dependencies
        self._history = history

    def create(self, user_id: str, fields: Mapping[str, Any], actor: Actor, now: datetime) -> Task:
        """A new task; with an `idempotency_key`, the same one however often it is asked for.

        Raises BadUserInput, and Conflict if the key was used with other content or its task
        is gone.
        """
        fields = dict(fields)
        key = fields.pop("idempotency_key", None)
        task = Task.new(user_id, fields, now)
        write = writes.creation(task, fields, actor, now)
        if key is None:
            self._store.write(write)
            return write.result
        made = self._store.create_once(write, _receipt(key, task, now))
        if made == task.task_id:
            return write.result
        try:
            return self._store.get(user_id, made)
        except NotFound:
            raise Conflict(
                "The task that this idempotency key made is gone.", field="idempotency_key"
            ) from None

    def update(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Change fields of a task; `id` and `expected_version` say which task is meant.

        Without an expected version it is whatever the task was before; with `merge_disjoint` a
        later version will do as long as none of the fields has been changed since. Raises
        NotFound, BadUserInput, and Conflict if the task is not of the expected version, or,
        unless the changes `force` it, if it is completed while it is blocked.
        """
        fields = dict(changes)
        task_id, expected_version = fields.pop("id"), fields.pop("expected_version", None)
        force, merge = bool(fields.pop("force", None)), bool(fields.pop("merge_disjoint", None))
        for _ in attempts():
            before = self._store.get(user_id, task_id)
            merged = expected_version not in {None, before.version}
            if merged:
                self._check_mergeable(before, expected_version, fields.keys() if merge else None)
            after = before.edit(fields, now)
            if after is before:
                return Update(before, merged=merged)
            write = writes.edit(before, after, actor, now)
            try:
                self._store.write(write, beside=self._closing(before, after, force=force))
            except ConditionFailed:
                continue
            return Update(write.result, merged=merged)
        raise overtaken()

    def _check_mergeable(self, task: Task, version: int, names: Collection[str] | None) -> None:
        """Raise Conflict unless none of these fields was changed after a version.

        No names stand for a change that is not to be merged.
        """
        if names is None or version > task.version:
            raise version_conflict(task)
        since = self._history.fields_since(task, version)
        if since is None:
            raise version_conflict(task)
        if both := since & set(names):
            raise version_conflict(task, fields=FieldNames(sorted(both)))

    def delete(
        self,
        user_id: str,
        id: str,
        actor: Actor,
        now: datetime,
        expected_version: int | None = None,
    ) -> "Deleted":
        """Delete the task, and release what it blocked.

        Raises NotFound, and Conflict if the task is not of the expected version.
        """
        for _ in attempts():
            task = self._store.get(user_id, id)
            if expected_version not in {None, task.version}:
                raise version_conflict(task)
            before = self._dependencies.get(user_id)
            action = self._dependencies.action(before, before.without(id))
            try:
                self._store.write(writes.deletion(task, before, actor, now), beside=[action])
            except ConditionFailed:
                continue
            return Deleted(id, before.blocked_by(id))
        raise overtaken()

    def add_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "Linked":
        """The task, which waits for these others from now on.

        Raises NotFound if one of them is missing, BadUserInput for too many of them, and
        Conflict, with the `cycle`, if one of them waits for the task.
        """
        ids = distinct_blockers(task_id, blocker_ids)
        for _ in attempts():
            task, *others = self._store.get_with(user_id, task_id, ids, BLOCKER_IDS)
            before = self._dependencies.get(user_id)
            closed = [each.task_id for each in (task, *others) if not each.open]
            after = before.add(task_id, ids, closed)
            if after is before:
                return Linked(task, before)
            beside = [
                self._dependencies.action(before, after),
                *map(self._store.as_it_was, others),
            ]
            write = writes.linking(task, before, actor, now)
            try:
                self._store.write(write, beside=beside)
            except ConditionFailed:
                continue
            return Linked(write.result, after)
        raise overtaken()

    def remove_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "Linked":
        """The task, which waits for none of these any more. Raises NotFound and BadUserInput."""
        ids = distinct_blockers(task_id, blocker_ids)
        for _ in attempts():
            task = self._store.get(user_id, task_id)
            before = self._dependencies.get(user_id)
            after = before.remove(task_id, ids)
            if after is before:
                return Linked(task, before)
            write = writes.linking(task, before, actor, now)
            try:
                self._store.write(write, beside=[self._dependencies.action(before, after)])
            except ConditionFailed:
                continue
            return Linked(write.result, after)
        raise overtaken()

    def _closing(self, before: Task, after: Task, *, force: bool) -> list[Action]:
        """What has to be written with a change that closes or opens a task: who waits for it."""
        if before.status is after.status or (before.open and after.open):
            return []
        known = self._dependencies.get(after.user_id)
        blockers = known.open_blockers(after.task_id)
        if after.completed and blockers and not force:
            raise Conflict(
                "Others are to be done before this task.", field="status", blockers=list(blockers)
            )
        marked = known.mark(after.task_id, closed=not after.open)
        return [self._dependencies.action(known, marked)]


@dataclass(frozen=True, slots=True)
class Update:
    """A task after an update, and whether that was merged with changes made since."""

    task: Task
    merged: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """A task that is no more, and those that it blocked."""

    task_id: str
    released: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """A task, and the dependencies among which it is now."""

    task: Task
    dependencies: Dependencies


def attempts() -> Iterator[None]:
    """One for each attempt at a write that others may overtake, with pauses of random length."""
    for number in range(ATTEMPTS):
        sleep(random.uniform(0, PAUSE * number))  # noqa: S311 - jitter is no secret
        yield


def overtaken() -> Conflict:
    """What a write gets that others were always faster than."""
    return Conflict("Others keep changing this, try again.")


def _receipt(key: str, task: Task, now: datetime) -> Receipt:
    if not 1 <= len(key) <= KEY_LENGTH:
        raise BadUserInput(
            f"An idempotency key has 1 to {KEY_LENGTH} characters.", "idempotency_key"
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
