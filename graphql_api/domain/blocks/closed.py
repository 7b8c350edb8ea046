"""Closed tasks that have planned blocks, by time, in DynamoDB, in the table of users.

    user_id            item                       attributes
    closed#<user id>   <end of blocks>#<task id>  start, of the first block

So what is planned of a week is found without the tasks that were finished in others. An item is
written and deleted in the transaction of the task's own write.
"""

from collections.abc import Iterator
from datetime import datetime

from graphql_api import clock
from graphql_api.domain.tasks.model import Task
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import Action, Attr, Database, Delete, Item, Key, Put, codec, pages

PAGE = 10_000  # items in one call, which DynamoDB ends at 1 MB
_LAST = "~"  # sorts behind all times


class ClosedBlocks:
    """Keeps where the blocks of closed tasks are."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def following(self, before: Task | None, after: Task | None) -> list[Action]:
        """The actions by which the items follow a write of a task; none if they stay."""
        had, has = _item(before), _item(after)
        if had == has:
            return []
        gone = [Delete(self._table, _key(had))] if had else []
        new = [Put(self._table, has)] if has else []
        return [*gone, *new]

    def between(self, user_id: str, start: datetime, end: datetime) -> Iterator[list[str]]:
        """The ids of the tasks that may have blocks in a range of time, page by page."""
        own = Key("user_id").eq(_partition(user_id))
        where = own & Key("item").between(clock.text(start), _LAST)
        begun = Attr("start").lt(clock.text(end))
        for items in pages(
            lambda last: self._table.query(where, filter=begun, start=last, limit=PAGE)
        ):
            yield [item["item"]["S"].partition("#")[2] for item in items]

    def remove_all(self, user_id: str) -> None:
        """Delete all items of a user."""
        own = Key("user_id").eq(_partition(user_id))
        for items in pages(lambda last: self._table.query(own, start=last, limit=PAGE)):
            extend_deadline()
            self._table.delete_many([_key(item) for item in items])


def _partition(user_id: str) -> str:
    return f"closed#{user_id}"


def _key(item: Item) -> dict[str, str]:
    return {name: item[name]["S"] for name in ("user_id", "item")}


def _item(task: Task | None) -> Item | None:
    """The item of a task; None of one that is open or has no blocks."""
    if task is None or task.open or task.blocks_start is None or task.blocks_end is None:
        return None
    place = f"{clock.text(task.blocks_end)}#{task.task_id}"
    return codec.item(user_id=_partition(task.user_id), item=place, start=task.blocks_start)
