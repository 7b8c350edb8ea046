"""Open tasks in DynamoDB, in the table of users: an item for each, in a partition of its user.

    user_id          item        attributes
    open#<user id>   <task id>   of `model.OpenTask`
    deployment       open_tasks  fields, which the items of all open tasks have

An item is written and deleted in the transaction of the task's own write, so that the two never
disagree; only when it changes. Processes of release 0.1.0 write none: lists use the items once
`upgrade` has added what is missing, and has noted that.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial

from graphql_api.domain.open_tasks.model import NAMES, OpenTask
from graphql_api.domain.tasks.model import Task
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.concurrency.waiting import run_aside
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    Database,
    Delete,
    Item,
    Key,
    Put,
    codec,
    full_pages,
    pages,
)

PAGE = 10_000  # items in one call, which DynamoDB ends at 1 MB
LOOK_SECONDS = 60.0  # between two looks of a process at whether the items are complete
PREFIX = "open#"  # of partitions
COMMAND = "python -m graphql_api tables upgrade"

_MARK = {"user_id": "deployment", "item": "open_tasks"}
_decode = codec.decoder(OpenTask)

log = logging.getLogger(__name__)

OpenKey = tuple[str, str]  # user id, task id


class OpenTaskStore:
    """Keeps what lists need to know of the open tasks of users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._is_complete = False
        self._next_look = 0.0

    def following(self, before: Task | None, after: Task | None) -> list[Action]:
        """The action by which the item follows a write of its task; none if it stays as it is."""
        task, had, has = after or before, OpenTask.if_open(before), OpenTask.if_open(after)
        return [] if task is None or had == has else [self.action(_key_of(task), has)]

    def action(self, key: OpenKey, task: OpenTask | None) -> Action:
        """The action that makes the item of a task what it should be, or deletes it."""
        return Put(self._table, _item(key, task)) if task else Delete(self._table, _key(key))

    def all(self, user_id: str) -> Iterator[list[OpenTask]]:
        """A user's open tasks by id, page by page."""
        for items in self._pages(user_id):
            yield run_aside(len(items), partial(_open_tasks, items))

    def some(
        self, user_id: str, limit: int, after: str | None, *, descending: bool
    ) -> tuple[list[OpenTask], bool]:
        """Up to so many of a user's open tasks by id, behind one, and whether that was the end."""
        where = Key("user_id").eq(_partition(user_id))
        start = codec.item(**_key((user_id, after))) if after else None
        read = self._table.query(where, start=start, limit=limit, descending=descending)
        return _open_tasks(read.items), read.last_key is None

    def count(self, user_id: str) -> Iterator[int]:
        """Count a user's open tasks, page by page, which reads no attributes of them."""
        where = Key("user_id").eq(_partition(user_id))
        start: Item | None = None
        while True:
            counted = self._table.count(where, start=start, limit=PAGE)
            yield counted.matches
            start = counted.last_key
            if start is None:
                return

    def get_many(self, keys: Sequence[OpenKey]) -> dict[OpenKey, OpenTask]:
        """Open tasks by key; keys without an item are left out."""
        return dict(map(_entry, self._table.get_many(list(map(_key, keys)))))

    def scan(self, size: int) -> Iterator[tuple[dict[OpenKey, OpenTask], int]]:
        """Yield the items among so many of the table at a time, and how many these are."""
        ours = Attr("user_id").begins_with(PREFIX)
        for read in full_pages(
            lambda start: self._table.scan(filter=ours, start=start, limit=size)
        ):
            yield dict(map(_entry, read.items)), read.scanned

    def remove_all(self, user_id: str) -> None:
        """Delete all items of a user."""
        for items in self._pages(user_id):
            extend_deadline()
            self._table.delete_many([_key((user_id, item["item"]["S"])) for item in items])

    def _pages(self, user_id: str) -> Iterator[list[Item]]:
        where = Key("user_id").eq(_partition(user_id))
        return pages(lambda start: self._table.query(where, start=start, limit=PAGE))

    def is_complete(self) -> bool:
        """Return whether each open task of the deployment has an item with all fields.

        A process looks once a minute, until it is so.
        """
        if not self._is_complete and time.monotonic() >= self._next_look:
            self._is_complete = self.is_noted()
            if not self._is_complete and not self._next_look:
                log.warning("Lists of open tasks read the finished ones: run `%s`", COMMAND)
            self._next_look = time.monotonic() + LOOK_SECONDS
        return self._is_complete

    def is_noted(self) -> bool:
        """Return whether the store has the note that `note_complete` leaves."""
        mark = self._table.get(**_MARK) or {}
        return set(NAMES) <= set(codec.texts(codec.Raw(mark), "fields"))

    def note_complete(self) -> None:
        """Note that each open task of the deployment has an item with all fields."""
        self._database.transact(Put(self._table, codec.item(**_MARK, fields=NAMES)))
        self._is_complete = True


def _partition(user_id: str) -> str:
    return PREFIX + user_id


def _key_of(task: Task) -> OpenKey:
    return task.user_id, task.task_id


def _key(key: OpenKey) -> dict[str, str]:
    return {"user_id": _partition(key[0]), "item": key[1]}


def _item(key: OpenKey, task: OpenTask) -> Item:
    item = {**codec.encode(task), **codec.item(**_key(key))}
    del item["task_id"]  # its key says it
    return item


def _open_task(item: Item) -> OpenTask:
    return _decode({**item, "task_id": item["item"]})


def _open_tasks(items: Sequence[Item]) -> list[OpenTask]:
    return list(map(_open_task, items))


def _entry(item: Item) -> tuple[OpenKey, OpenTask]:
    return (item["user_id"]["S"].removeprefix(PREFIX), item["item"]["S"]), _open_task(item)
