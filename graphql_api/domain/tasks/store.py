"""Tasks in DynamoDB: the owner is the partition, so only the owner's tasks can be found.

user_id   task_id   attributes of `model.Task`, and due_order for the index `by_due_date`

The receipts of idempotency keys lie among the user's items in the table of users:

    user_id   item=idempotency#<key>   task_id, content, expires_at

and so do those of the last deletions, in a few places that are used again and again:

    user_id   item=deleted#<place>     write

A `write` is a random token, by which a write whose answer was lost is known again as ours.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql_api.domain.tasks.model import Task
from graphql_api.errors import Conflict, NotFound, UnknownOutcome
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

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Tasks")
        self._receipts = database.table("Users")  # they lie in the user's partition there

    def add(self, task: Task) -> None:
        """Keep a new task."""
        try:
            self._table.put(_item(task), Attr("task_id").not_exists())
        except ConditionFailed:
            # Nobody else can have made this random id: it is our own first attempt, whose
            # answer was lost on the way.
            return

    def restore(self, task: Task) -> bool:
        """Keep a task that was made before; False if the user has one of its id, which stays."""
        try:
            self._table.put(_item(task), Attr("task_id").not_exists())
        except ConditionFailed:
            return False
        return True

    def add_once(self, task: Task, receipt: Receipt) -> str:
        """Keep a new task unless its key was used before; the id of the task that the key made.

        The receipt is written with the task or not at all. Raises Conflict for a key that
        was used with other content.
        """
        key = {"user_id": task.user_id, "item": f"idempotency#{receipt.key}"}
        unused = Attr("item").not_exists() | Attr("expires_at").lt(receipt.now)
        kept = codec.item(
            **key, task_id=task.task_id, content=receipt.content, expires_at=receipt.expires_at
        )
        try:
            self._database.write(
                Put(self._receipts, kept, unused),
                Put(self._table, _item(task), Attr("task_id").not_exists()),
            )
        except ConditionFailed:
            item = self._receipts.get(**key)
            if item is None or item["content"]["S"] != receipt.content:
                raise Conflict(
                    "This idempotency key was used with other content.", field="idempotency_key"
                ) from None
            return str(item["task_id"]["S"])
        return task.task_id

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

    def replace(self, before: Task, after: Task, *beside: Action) -> None:
        """Put the task's next state in place, and do what belongs to it, or nothing.

        ConditionFailed if it has changed meanwhile, or a condition beside it does not hold.
        """
        write = uuid.uuid4().hex
        put = self._next(before, after, write)
        try:
            if beside:
                self._database.write(put, *beside)
            else:
                self._table.put(put.item, put.condition)
        except ConditionFailed as failure:
            if not failure.unsure or not self._was_ours(after, write):
                raise

    def replace_all(self, pairs: Sequence[tuple[Task, Task]]) -> None:
        """Put the next states of a few tasks in place, or of none.

        ConditionFailed if one of them has changed meanwhile, by this very call, too, if its
        answer was lost: the caller looks at the tasks again.
        """
        self._database.write(
            *(self._next(before, after, uuid.uuid4().hex) for before, after in pairs)
        )

    def _next(self, before: Task, after: Task, write: str) -> Put:
        """What puts a task's next state in place, if it has not changed meanwhile."""
        item = {**_item(after), **codec.item(write=write)}
        return Put(self._table, item, Attr("version").eq(before.version))

    def delete(self, user_id: str, task_id: str, version: int | None, *beside: Action) -> None:
        """Delete the user's task, if it still is of this version, and do what belongs to it.

        Raises NotFound or Conflict; ConditionFailed if only a condition beside it does not hold.
        """
        if not _possible(task_id):
            raise task_not_found()
        condition: Condition = Attr("task_id").exists()
        if version is not None:
            condition &= Attr("version").eq(version)
        write = uuid.uuid4().hex
        receipt = {"user_id": user_id, "item": f"deleted#{write[0]}"}
        try:
            self._database.write(
                Delete(self._table, {"user_id": user_id, "task_id": task_id}, condition),
                Put(self._receipts, codec.item(**receipt, write=write)),
                *beside,
            )
        except ConditionFailed as failure:
            if failure.unsure and _written(self._receipts.get(**receipt)) == write:
                return
            found = self._table.get(user_id=user_id, task_id=task_id)
            if found:
                task = _task(found)
                if version in {None, task.version}:
                    raise
                raise version_conflict(task) from None
            if failure.unsure:
                raise UnknownOutcome from None
            raise task_not_found() from None

    def _was_ours(self, after: Task, write: str) -> bool:
        """Whether the task has come to be so by this write; False if somebody else was first.

        Raises UnknownOutcome if so much has happened since that nobody can tell.
        """
        item = self._table.get(user_id=after.user_id, task_id=after.task_id)
        if item is None or _task(item).version > after.version:
            raise UnknownOutcome
        return _written(item) == write

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


def version_conflict(task: Task) -> Conflict:
    """What a write gets that expected another version."""
    return Conflict(
        "The task has changed meanwhile.", field="expected_version", current_version=task.version
    )


def _written(item: Item | None) -> str | None:
    """The token of the write that has put the item there."""
    return item["write"]["S"] if item and "write" in item else None


def _possible(task_id: str) -> bool:
    """Whether this text can be the key of a task at all."""
    return 1 <= len(task_id) <= LONGEST_ID


def _item(task: Task) -> Item:
    return {**codec.encode(task), **codec.item(due_order=task.due_order)}
