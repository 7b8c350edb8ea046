"""Series in DynamoDB, in the user's partition of the table of users.

user_id   item=series#<series id>                      attributes of `model.Series`
user_id   item=occurrence#<series id>#<day>#<task id>  attributes of `model.Record`

A series names its current occurrence, and every write of it asks for the version that was read: of
two devices that close the same occurrence, one makes the next.
"""

from collections.abc import Iterable, Iterator, Sequence

from graphql_api.domain.series.model import Record, Series
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import NotFound
from graphql_api.ids import is_id
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    ConditionFailed,
    Database,
    Delete,
    Key,
    Put,
    codec,
    pages,
)

SeriesKey = tuple[str, str]  # user id, series id
PAGE = 500  # series in one call
BATCH = 50  # records in one transaction

_series = codec.decoder(Series)
_record = codec.decoder(Record)


class SeriesStore:
    """Reads series, and makes the actions of transactions that write them."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def get(self, user_id: str, series_id: str) -> Series:
        """One of the user's series. Raises NotFound."""
        found = self.get_many([(user_id, series_id)])
        if not found:
            raise series_not_found()
        return found[user_id, series_id]

    def get_many(self, keys: Sequence[SeriesKey]) -> dict[SeriesKey, Series]:
        """Series by key; keys without a series are left out."""
        items = self._table.get_many([_key(*key) for key in keys if is_id(key[1])])
        return {(each.user_id, each.series_id): each for each in map(_series, items)}

    def of_tasks(self, tasks: Iterable[Task]) -> list[Series]:
        """The series that some tasks are in."""
        keys = {(task.user_id, task.series_id): None for task in tasks if task.series_id}
        return list(self.get_many(list(keys)).values())

    def all(self, user_id: str) -> Iterator[Series]:
        """All series of a user, in the order in which they began."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with("series#")
        for items in pages(lambda start: self._table.query(where, start=start, limit=PAGE)):
            yield from map(_series, items)

    def records(self, user_id: str, series_id: str, after: str, limit: int) -> list[Record]:
        """Up to `limit` past occurrences before a place, the latest first; "" is the end."""
        prefix = _prefix(series_id)
        before = prefix + (after or "~")
        where = Key("user_id").eq(user_id) & Key("item").between(prefix, before)
        read = self._table.query(where, limit=limit + 1, descending=True)
        found = [_record(item) for item in read.items if item["item"]["S"] != before]
        return found[:limit]

    def all_records(self, series: Series) -> Iterator[Record]:
        """All past occurrences of a series, the latest first."""
        after = ""
        while found := self.records(series.user_id, series.series_id, after, PAGE):
            yield from found
            after = found[-1].key

    def add_imported(self, series: Series, past: Sequence[Record]) -> bool:
        """Store an imported series; False if there is one of this id, which stays as it is."""
        item = {**codec.encode(series), **codec.item(**_key(series.user_id, series.series_id))}
        try:
            self._table.put(item, Attr("item").not_exists())
        except ConditionFailed:
            return False
        actions = self.record_actions(series, past)
        for start in range(0, len(actions), BATCH):
            self._table.database.transact(*actions[start : start + BATCH])
        return True

    def count_records(self, user_id: str, series_id: str) -> int:
        """The number of past occurrences."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_prefix(series_id))
        read = pages(lambda start: self._table.query(where, start=start, limit=PAGE))
        return sum(map(len, read))

    def put(self, before: Series | None, after: Series) -> Action:
        """The action that writes a series, if it still is as it was read."""
        unchanged = Attr("version").eq(before.version) if before else Attr("item").not_exists()
        item = {**codec.encode(after), **codec.item(**_key(after.user_id, after.series_id))}
        return Put(self._table, item, unchanged)

    def record_actions(self, series: Series, records: Sequence[Record]) -> list[Action]:
        """The actions that keep what has become of occurrences."""
        return [
            Put(
                self._table,
                {**codec.encode(each), **codec.item(**_record_key(series, each.key))},
            )
            for each in records
        ]

    def forget_actions(self, series: Series, keys: Sequence[str]) -> list[Action]:
        """The actions that delete what was kept of occurrences."""
        return [Delete(self._table, _record_key(series, key)) for key in keys]


def series_not_found() -> NotFound:
    """The error for a missing series, and for another user's."""
    return NotFound("There is no series with this id.", field="id")


def _key(user_id: str, series_id: str) -> dict[str, str]:
    return {"user_id": user_id, "item": f"series#{series_id}"}


def _prefix(series_id: str) -> str:
    return f"occurrence#{series_id}#"


def _record_key(series: Series, key: str) -> dict[str, str]:
    return {"user_id": series.user_id, "item": _prefix(series.series_id) + key}
