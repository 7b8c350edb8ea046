"""Tasks in DynamoDB: the owner is the partition, so only the owner's tasks can be found.

user_id   task_id   attributes of `model.Task`, and due_order for the index `by_due_date`

The receipts of idempotency keys lie among the user's items in the table of users:

    user_id   item=idempotency#<key>   task_id, content, expires_at
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.writes import Write, creation
from graphql_api.errors import Conflict, NotFound
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    Check,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    Read,
    codec,
    looks,
)

LONGEST_ID = 128  # characters; ours have 36
PAGE = 1_000  # items in one read of all of a user's tasks

_task = codec.decoder(Task)

TaskKey = tuple[str, str]  # user id, task id


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an idempotency key made a task of some content; times in epoch seconds, as TTL is."""

    key: str
    content: str
    now: int
    expires_at: int


class TaskStore:
    """Keeps each user's tasks."""

    def __init__(self, database: Database, changes: ChangeStore) -> None:
        self._database = database
        self._changes = changes
        self._table = database.table("Tasks")
        self._receipts = database.table("Users")  # they lie in the user's partition there

    def write(self, *writes: Write, beside: Sequence[Action] = ()) -> None:
        """Carry out these writes with their changes and what belongs to them, or nothing of it.

        Raises ConditionFailed if a task is not what a write takes it for any more, or a condition
        beside it does not hold.
        """
        actions = [action for write in writes for action in self._actions(write)]
        try:
            self._database.write(*actions, *beside)
        except ConditionFailed as failure:
            if not failure.unsure or not self._is_done(writes[0]):
                raise
        self._changes.announce(writes[0].change.user_id)

    def _is_done(self, write: Write) -> bool:
        """Whether a write whose answer was lost was carried out: then its change is there."""
        return self._changes.find(write.change.user_id, write.change.change_id) is not None

    def _actions(self, write: Write) -> list[Action]:
        change = self._changes.put(write.change)
        if write.after is None:
            key = {"user_id": write.change.user_id, "task_id": write.change.task_id}
            return [Delete(self._table, key, _unchanged(write.before)), change]
        return [Put(self._table, _item(write.after), _unchanged(write.before)), change]

    def create_once(self, write: Write, receipt: Receipt) -> str:
        """Create a task unless its key was used before; the id of the task that the key made.

        The receipt is written with the task or not at all. Raises Conflict for a key that
        was used with other content.
        """
        change = write.change
        key = {"user_id": change.user_id, "item": f"idempotency#{receipt.key}"}
        unused = Attr("item").not_exists() | Attr("expires_at").lt(receipt.now)
        kept = codec.item(
            **key, task_id=change.task_id, content=receipt.content, expires_at=receipt.expires_at
        )
        try:
            self._database.write(Put(self._receipts, kept, unused), *self._actions(write))
        except ConditionFailed:
            item = self._receipts.get(**key)
            if item is None or item["content"]["S"] != receipt.content:
                raise Conflict(
                    "This idempotency key was used with other content.", field="idempotency_key"
                ) from None
            return str(item["task_id"]["S"])
        self._changes.announce(change.user_id)
        return change.task_id

    def import_(self, task: Task, actor: Actor, now: datetime) -> bool:
        """Keep a task that was made elsewhere; False if the user has one of its id, which stays."""
        try:
            self.write(creation(task, _names(task), actor, now))
        except ConditionFailed:
            return False
        return True

    def get(self, user_id: str, task_id: str) -> Task:
        """The user's task; NotFound for another's as for a missing one."""
        item = self._table.get(user_id=user_id, task_id=task_id) if _possible(task_id) else None
        if item is None:
            raise task_not_found()
        return _task(item)

    def get_many(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """Tasks by their keys; keys without a task are left out."""
        items = self._table.get_many(
            [{"user_id": user, "task_id": task} for user, task in keys if _possible(task)]
        )
        tasks = map(_task, items)
        return {(task.user_id, task.task_id): task for task in tasks}

    def get_with(self, user_id: str, task_id: str, others: Sequence[str], field: str) -> list[Task]:
        """The user's task and others of distinct ids, in their order.

        Raises NotFound, with the field that names them if one of the others is missing.
        """
        tasks = self.get_many([(user_id, each) for each in (task_id, *others)])
        if (user_id, task_id) not in tasks:
            raise task_not_found()
        if len(tasks) <= len(others):
            raise task_not_found(field=field)
        return [tasks[user_id, each] for each in (task_id, *others)]

    def as_it_was(self, task: Task) -> Check:
        """What sees, in a transaction, that the task is still there and of its status."""
        key = {"user_id": task.user_id, "task_id": task.task_id}
        return Check(self._table, key, Attr("status").eq(task.status.value))

    def remove_all(self, user_id: str) -> None:
        """Delete all of the user's tasks."""
        for items in self._looks(user_id):
            ids = [item["task_id"]["S"] for item in items]
            self._table.delete_many([{"user_id": user_id, "task_id": task_id} for task_id in ids])

    def all(self, user_id: str) -> Iterator[Task]:
        """All of the user's tasks in the order of their ids, read as they are asked for."""
        for items in self._looks(user_id):
            yield from map(_task, items)

    def _looks(self, user_id: str) -> Iterator[list[Item]]:
        def read(start: Item | None) -> Read:
            extend_deadline()
            return self._table.query(Key("user_id").eq(user_id), start=start, limit=PAGE)

        return looks(read)


def task_not_found(**details: str) -> NotFound:
    """What a missing task and another user's are answered with."""
    return NotFound("Task not found or access denied", **details)


def version_conflict(task: Task, **details: Any) -> Conflict:
    """What a write gets that expected another version."""
    return Conflict(
        "The task has changed meanwhile.",
        field="expected_version",
        current_version=task.version,
        **details,
    )


def _possible(task_id: str) -> bool:
    """Whether this text can be the key of a task at all."""
    return 1 <= len(task_id) <= LONGEST_ID


def _unchanged(before: Task | None) -> Condition:
    """The condition that a task is there as it was read, or, if it was not, that it is not."""
    if before is None:
        return Attr("task_id").not_exists()
    last = Attr("change_id")
    same = last.eq(before.change_id) if before.change_id else last.not_exists()
    return Attr("version").eq(before.version) & same


def _names(task: Task) -> Collection[str]:
    """The fields of a task that are not empty."""
    return codec.encode(task).keys()


def _item(task: Task) -> Item:
    return {**codec.encode(task), **codec.item(due_order=task.due_order)}
