"""Creates tasks; with an idempotency key, once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from graphql_api.domain.changes.model import Actor, ChangeKind
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.dependencies.model import MAX_BLOCKERS
from graphql_api.domain.dependencies.store import Links
from graphql_api.domain.due_days.model import DUE_ON
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.receipts import Receipt
from graphql_api.domain.tasks.service.base import TaskWrites, blocked, comes_with_parent
from graphql_api.domain.tasks.service.bulk import BLOCKED_BY_INDEX, PARENT_INDEX
from graphql_api.domain.tasks.store import task_not_found
from graphql_api.errors import FIELD, BadUserInput, Conflict, NotFound
from graphql_api.infra.dynamodb import Action


class Creation(TaskWrites):
    """Creates tasks, with what belongs to a new one."""

    def create(
        self,
        user_id: str,
        values: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        *,
        said: str | None = None,
    ) -> Task:
        """Create a task; with an `idempotency_key`, once for all requests of that key.

        `said` is what clients repeat where that means other values tomorrow. Raises
        BadUserInput, NotFound if there is no such project, and Conflict if the key was used with
        other content or its task was deleted.
        """
        fields = dict(values)
        key = fields.pop("idempotency_key", None)
        recurrence: Recurrence | None = fields.pop("recurrence", None)
        blocker_ids = _new_blockers(fields)
        zone, unmoved = self._settings.zone(user_id, fields.get(DUE_ON))
        plain = Task.new(user_id, fields, now, timezone=zone)
        self._settings.check_schedule(user_id, plain.schedule)
        full = self._with_defaults(plain, fields, zone, now)
        task, beside = self._beginning(full, recurrence, now)
        beside += unmoved
        given = {**fields, "recurrence": recurrence} if recurrence else fields
        given = {**given, writes.BLOCKED_BY: blocker_ids} if blocker_ids else given
        write = writes.creation(task, given, actor, now)
        if task.series_id:
            begun = ChangeKind.SERIES_CREATED
            write = writes.beside_series(write, begun, task.series_id, (), actor, now)
        if key is None:
            retry_on_conflict(
                lambda: self._write(write, [*beside, *self._tying(task, blocker_ids)])
            )
            return write.result
        receipt = Receipt.of(user_id, key, said or _content(plain, recurrence, blocker_ids), now)

        def attempt() -> str:
            others = [*beside, *self._tying(task, blocker_ids)]
            return self._joining(
                write, lambda more: self._store.create_once(write, receipt, [*others, *more])
            )

        task_id = retry_on_conflict(attempt)
        if task_id == task.task_id:
            return write.result
        try:
            return self._store.get(user_id, task_id)
        except NotFound:
            raise Conflict(
                "The task that was created with this idempotency key has been deleted.",
                field="idempotency_key",
            ) from None

    def _tying(self, task: Task, blocker_ids: Sequence[str]) -> list[Action]:
        """The actions by which a new task is blocked by others, and lies below its parent."""
        links = self._dependencies.links(task.user_id)
        unchanged = self._blocking(task, blocker_ids, links) if blocker_ids else []
        placing = self._placement.actions(None, task, links)
        return [*links.actions(), *unchanged, *placing]

    def _blocking(self, task: Task, blocker_ids: Sequence[str], links: Links) -> list[Action]:
        """Let other tasks block a new one; check that they stay. Raises NotFound, BadUserInput."""
        found = self._store.get_many([(task.user_id, each) for each in blocker_ids])
        if len(found) < len(blocker_ids):
            raise task_not_found(field=writes.BLOCKED_BY)
        closed = [each.task_id for each in (task, *found.values()) if not each.open]
        if task.completed and len(closed) <= len(blocker_ids):
            raise blocked(each.task_id for each in found.values() if each.open)
        links.change(links.before.add(task.task_id, blocker_ids, closed, writes.BLOCKED_BY))
        return list(map(self._store.unchanged_check, found.values()))

    def _beginning(
        self, task: Task, recurrence: Recurrence | None, now: datetime
    ) -> tuple[Task, list[Action]]:
        """A new task as the first of a series, and what begins that. Raises BadUserInput."""
        if recurrence is None:
            return task, []
        if task.parent_id is not None:
            raise comes_with_parent("recurrence")
        series, action = self.succession.beginning(task, recurrence, now)
        return replace(task, series_id=series.series_id), [action]

    def _with_defaults(
        self, given: Task, fields: Mapping[str, Any], zone: str | None, now: datetime
    ) -> Task:
        """The new task with its project's defaults for fields that are not given."""
        key = (given.user_id, given.project_id or "")
        project = self._projects.get_many([key]).get(key) if given.project_id else None
        left = (
            {n: v for n, v in project.defaults.values.items() if n not in fields} if project else {}
        )
        if not left:
            return given
        return Task.new(given.user_id, {**fields, **left}, now, timezone=zone)


def _new_blockers(fields: dict[str, Any]) -> tuple[str, ...]:
    """Take the blockers of a new task out of its fields. Raises BadUserInput."""
    for name in (BLOCKED_BY_INDEX, PARENT_INDEX):
        if fields.pop(name, None) not in {None, ()}:
            raise BadUserInput(f"{FIELD} is for several new tasks.", name)
    ids = tuple(dict.fromkeys(fields.pop(writes.BLOCKED_BY, None) or ()))
    if len(ids) > MAX_BLOCKERS:
        raise BadUserInput(f"{FIELD} must have at most {MAX_BLOCKERS} items.", writes.BLOCKED_BY)
    return ids


def _content(task: Task, recurrence: Recurrence | None, blocker_ids: Sequence[str]) -> str:
    """A digest of what a client has given for a task."""
    content = task.content_digest()
    if recurrence:
        content = hashlib.sha256(f"{content}{recurrence}".encode()).hexdigest()
    if blocker_ids:
        content = hashlib.sha256(f"{content}{sorted(blocker_ids)}".encode()).hexdigest()
    return content
