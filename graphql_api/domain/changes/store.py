"""Changes in DynamoDB, in the table of users; a partition is one day (UTC) of one user.

user_id=changes#<user id>#<day>   item=<change id>   attributes of `model.Change`, expires_at

Small partitions keep the reading of the last changes cheap on every engine, even on one that
reads whole partitions. Nothing here is ever overwritten, but for the note that a deletion was taken
back: a change that is there proves that the write it tells of was carried out, also where the
store's answer was lost.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from graphql_api import ids
from graphql_api.domain.changes.model import WINDOW, Change
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import Attr, Condition, Database, Item, Key, Put, codec, pages

MAX_PAGE = 1_000  # changes in one call

_change = codec.decoder(Change)


class ChangeStore:
    """Keeps what has happened to each user's tasks, for a while."""

    def __init__(self, database: Database, retention: timedelta) -> None:
        self.retention = retention
        self.on_change: Callable[[str], None] | None = None  # told whose changes were kept
        self._table = database.table("Users")

    def put(self, change: Change) -> Put:
        """The action that keeps a change, for the transaction of the write it tells of."""
        item = {
            **codec.encode(change),
            **codec.item(**_key(change.user_id, change.change_id)),
            "expires_at": codec.value(int((change.at + self.retention + WINDOW).timestamp())),
        }
        return Put(self._table, item, Attr("item").not_exists())

    def undone(self, change: Change, by: str) -> Put:
        """The action that notes, once, by which other one a change was taken back."""
        put = self.put(replace(change, undone_by=by))
        return Put(put.table, put.item, Attr("item").exists() & Attr("undone_by").not_exists())

    def announce(self, user_id: str) -> None:
        """Tell whoever waits for changes of this user that there are some."""
        if self.on_change:
            self.on_change(user_id)

    def find(self, user_id: str, change_id: str) -> Change | None:
        """One of the user's changes, if it is still kept."""
        return self.find_many(user_id, [change_id]).get(change_id)

    def find_many(self, user_id: str, change_ids: Sequence[str]) -> dict[str, Change]:
        """The user's changes of these distinct ids, as far as they are still kept."""
        keys = [_key(user_id, each) for each in change_ids if ids.is_time_ordered(each)]
        found = map(_decoded, self._table.get_many(keys))
        return {change.change_id: change for change in found}

    def after(self, user_id: str, after: str, limit: int, now: datetime) -> list[Change]:
        """Up to `limit` of the user's changes behind an id, in the order of their ids."""
        found: list[Change] = []
        for day in _days(ids.instant(after), now + WINDOW):
            extend_deadline()
            found += self._of_day(user_id, day, after, limit - len(found))
            if len(found) >= limit:
                break
        return found

    def all_after(self, user_id: str, after: str, now: datetime) -> list[Change] | None:
        """All of the user's changes behind an id; None if one call for each day does not have them.

        Such a call has up to MAX_PAGE, or 1 MB.
        """
        found: list[Change] = []
        for day in _days(ids.instant(after), now + WINDOW):
            read = self._table.query(_behind(user_id, day, after), limit=MAX_PAGE)
            if read.last_key is not None:
                return None
            found += map(_decoded, read.items)
        return found

    def count(self, user_id: str, after: str, last: str) -> int:
        """Count the user's changes behind an id, up to another one."""
        return sum(
            self._count_of_day(user_id, day, after, last)
            for day in _days(ids.instant(after), ids.instant(last))
        )

    def remove_all(self, user_id: str, now: datetime) -> None:
        """Delete all changes of a user."""
        for day in _days(now - self.retention - WINDOW, now + WINDOW):
            extend_deadline()
            self._remove_day(_partition(user_id, day))

    def _remove_day(self, partition: str) -> None:
        where = Key("user_id").eq(partition)
        for items in pages(lambda start: self._table.query(where, start=start, limit=MAX_PAGE)):
            keys = [{"user_id": partition, "item": item["item"]["S"]} for item in items]
            self._table.delete_many(keys)

    def _of_day(self, user_id: str, day: date, after: str, limit: int) -> list[Change]:
        where = _behind(user_id, day, after)
        found: list[Change] = []
        start: Item | None = None
        while len(found) < limit:
            read = self._table.query(where, start=start, limit=min(limit - len(found), MAX_PAGE))
            found += map(_decoded, read.items)
            start = read.last_key
            if start is None:
                break
        return found

    def _count_of_day(self, user_id: str, day: date, after: str, last: str) -> int:
        where = Key("user_id").eq(_partition(user_id, day)) & Key("item").between(after, last)
        found = 0
        start: Item | None = None
        while True:
            read = self._table.count(where, start=start, limit=MAX_PAGE)
            found += read.matches
            start = read.last_key
            if start is None:
                return found


def _days(first: datetime, last: datetime) -> Iterator[date]:
    """The days (UTC) from one instant to another."""
    for number in range((last.date() - first.date()).days + 1):
        yield first.date() + timedelta(days=number)


def _behind(user_id: str, day: date, after: str) -> Condition:
    """The changes of a day behind an id."""
    return Key("user_id").eq(_partition(user_id, day)) & Key("item").gt(after)


def _partition(user_id: str, day: date) -> str:
    return f"changes#{user_id}#{day.isoformat()}"


def _key(user_id: str, change_id: str) -> dict[str, str]:
    return {"user_id": _partition(user_id, ids.instant(change_id).date()), "item": change_id}


def _decoded(item: Item) -> Change:
    owner = item["user_id"]["S"].split("#")[1]
    return _change({**item, "user_id": {"S": owner}})
