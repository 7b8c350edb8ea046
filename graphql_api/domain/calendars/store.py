"""Calendar feeds in DynamoDB, in the table of users.

    user_id     item                attributes
    <user id>   feed#<feed id>      of `model.CalendarFeed`
    <user id>   feeds               count, of them, and version

An address names its user and its feed, so nothing lies outside of the user's partition.
"""

from functools import partial

from graphql_api import ids
from graphql_api.domain.calendars.model import MAX_FEEDS, CalendarFeed
from graphql_api.domain.registers import Register
from graphql_api.errors import NotFound
from graphql_api.infra.dynamodb import (
    Attr,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    ItemPage,
    Key,
    Put,
    codec,
    pages,
)


class FeedStore:
    """Reads and writes calendar feeds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "feeds", "calendar feeds: delete one")

    def all(self, user_id: str) -> list[CalendarFeed]:
        """The user's feeds, the oldest first."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_item_of(""))
        found = pages(partial(self._page, where))
        return [codec.decode(CalendarFeed, item) for items in found for item in items]

    def find(self, user_id: str, feed_id: str) -> CalendarFeed | None:
        """One of the user's feeds, if there is such a one."""
        item = self._table.get(**_key(user_id, feed_id)) if ids.is_id(feed_id) else None
        return codec.decode(CalendarFeed, item) if item else None

    def add(self, feed: CalendarFeed) -> None:
        """Store a new feed. Raises Conflict for too many, ConditionFailed for another count."""
        counted = self._register.adding(feed.user_id, MAX_FEEDS)
        key = _key(feed.user_id, feed.feed_id)
        item = {**codec.encode(feed), **codec.item(**key)}
        try:
            self._database.transact(
                Put(self._table, item, Attr("item").not_exists()),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self.find(feed.user_id, feed.feed_id) is None:
                raise

    def remove(self, user_id: str, feed_id: str) -> None:
        """Delete a feed. Raises NotFound, and ConditionFailed for another count."""
        if self.find(user_id, feed_id) is None:
            raise NotFound("Calendar feed not found or access denied", "id")
        counted = self._register.removing(user_id)
        try:
            self._database.transact(
                Delete(self._table, _key(user_id, feed_id), Attr("item").exists()),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self.find(user_id, feed_id) is not None:
                raise

    def _page(self, where: Condition, start: Item | None) -> ItemPage:
        return self._table.query(where, start=start, limit=MAX_FEEDS)


def _item_of(feed_id: str) -> str:
    return f"feed#{feed_id}"


def _key(user_id: str, feed_id: str) -> dict[str, str]:
    return {"user_id": user_id, "item": _item_of(feed_id)}
