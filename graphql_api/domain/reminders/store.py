"""The time index in DynamoDB, in the table of users: one item for each instant of a task to come.

user_id=timers#<shard>   item=<instant>#<user id>#<task id>   change_id, expires_at

It is written and deleted in the transactions of the task's writes, and says only that there is
something to look at: what is to be told then, the task says. Items leave with their instant, so a
shard begins with what is due, however long nobody has looked. Shards keep a minute in which very
many are due from being one partition's work; their number can never be changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from graphql_api import clock
from graphql_api.domain.reminders.timers import Timer, moved, timers
from graphql_api.domain.tasks.model import Task
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    codec,
    pages,
)

SHARDS = 8
PAGE = 500  # timers in one call
LIFETIME = timedelta(days=30)  # after its instant, in which somebody has to dispatch

_AFTER_ALL = "~"  # sorts behind what follows an instant


class TimerStore:
    """Keeps the instants at which something is to be told of tasks."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def following(self, before: Task | None, after: Task | None, now: datetime) -> list[Action]:
        """The actions by which the timers follow a write of a task; none for most writes."""
        return self.replacing(*moved(before, after, now))

    def replacing(self, gone: Iterable[Timer], new: Iterable[Timer]) -> list[Action]:
        """The actions by which timers take the place of others."""
        return [*(Delete(self._table, _key(timer)) for timer in gone), *map(self._put, new)]

    def claim(self, timer: Timer) -> Delete:
        """The action that takes a timer, for the transaction that does what it is for."""
        return Delete(self._table, _key(timer), Attr("change_id").eq(timer.change_id))

    def due(self, shard: int, now: datetime) -> Iterator[list[Timer]]:
        """The timers of a shard that are due, the earliest first, page by page."""
        where = Key("user_id").eq(_partition(shard)) & Key("item").lt(clock.text(now) + _AFTER_ALL)
        for items in pages(lambda start: self._table.query(where, start=start, limit=PAGE)):
            yield [_timer(item) for item in items]

    def still(self, some: Sequence[Timer]) -> list[Timer]:
        """Return those of some timers that are still there."""
        return [_timer(item) for item in self._table.get_many(list(map(_key, some)))]

    def discard(self, timer: Timer) -> None:
        """Delete a timer for which there is nothing to tell, unless it was set anew."""
        try:
            self._table.delete(Attr("change_id").eq(timer.change_id), **_key(timer))
        except ConditionFailed:
            return

    def remove(self, tasks: Sequence[Task]) -> None:
        """Delete all timers of some tasks, if there are any."""
        keys = [_key(timer) for task in tasks for timer in timers(task)]
        self._table.delete_many(keys)

    def _put(self, timer: Timer) -> Put:
        expires_at = int(timer.at.timestamp() + LIFETIME.total_seconds())
        item = codec.item(**_key(timer), change_id=timer.change_id, expires_at=expires_at)
        return Put(self._table, item)


def _partition(shard: int) -> str:
    return f"timers#{shard}"


def _key(timer: Timer) -> dict[str, str]:
    shard = crc32(timer.task_id.encode()) % SHARDS
    item = f"{clock.text(timer.at)}#{timer.user_id}#{timer.task_id}"
    return {"user_id": _partition(shard), "item": item}


def _timer(item: Item) -> Timer:
    at, user_id, task_id = item["item"]["S"].split("#")
    return Timer(clock.parse(at), user_id, task_id, item["change_id"]["S"])
