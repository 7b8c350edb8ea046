"""Operations on calendar feeds; the first argument is always the id of their owner."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from graphql_api.domain.blocks.service import blocks_of
from graphql_api.domain.calendars import events, icalendar
from graphql_api.domain.calendars.icalendar import Event
from graphql_api.domain.calendars.model import (
    SECRET_BYTES,
    CalendarFeed,
    FeedContent,
    parse_token,
)
from graphql_api.domain.calendars.store import FeedStore
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.tasks.filters import (
    ANY_VIEWPOINT,
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
)
from graphql_api.domain.tasks.list_reader import MAX_READ, TaskListReader
from graphql_api.domain.tasks.model import OPEN
from graphql_api.domain.views.service import Views
from graphql_api.errors import NotFound

PAST, AHEAD = timedelta(days=31), timedelta(days=366)
MAX_EVENTS = 1_000  # of each kind
PATH = "/calendars"

_BY_DUE = TaskOrder(TaskOrderField.DUE_AT, OrderDirection.ASC)


class CalendarFeeds:
    """Creates, lists and deletes feeds, and renders them for whoever knows their address."""

    def __init__(
        self, store: FeedStore, lists: TaskListReader, views: Views, public_url: str
    ) -> None:
        """`public_url` is what addresses begin with."""
        self._store, self._lists, self._views = store, lists, views
        self._public_url = public_url

    def all(self, user_id: str) -> list[CalendarFeed]:
        """The user's feeds, the oldest first."""
        return self._store.all(user_id)

    def create(
        self, user_id: str, values: Mapping[str, Any], now: datetime
    ) -> tuple[CalendarFeed, str]:
        """Create a feed; return it with its address, which nobody can tell again.

        Raises BadUserInput, NotFound for its view, and Conflict if there are too many.
        """
        if values.get("view_id") is not None:
            self._views.usable(user_id, values["view_id"])
        secret = secrets.token_urlsafe(SECRET_BYTES)
        feed = CalendarFeed.new(user_id, values, secret, now)
        retry_on_conflict(lambda: self._store.add(feed))
        return feed, f"{self._public_url}{PATH}/{feed.token(secret)}.ics"

    def delete(self, user_id: str, feed_id: str) -> str:
        """Delete a feed, whose address then leads nowhere; return its id. Raises NotFound."""
        retry_on_conflict(lambda: self._store.remove(user_id, feed_id))
        return feed_id

    def open(self, token: str) -> CalendarFeed:
        """The feed that an address leads to. Raises NotFound, the same whatever is wrong."""
        if parsed := parse_token(token):
            user_id, feed_id, secret = parsed
            feed = self._store.find(user_id, feed_id)
            if feed and feed.opens_with(secret):
                return feed
        raise NotFound("There is no such calendar.")

    def text(self, feed: CalendarFeed, now: datetime) -> bytes:
        """The calendar of a feed: the last month, and the year ahead.

        Raises QueryTooComplex, and NotFound for a view that is gone, or names a project that is.
        """
        return icalendar.text(feed.name, self._events(feed, now))

    def _events(self, feed: CalendarFeed, now: datetime) -> Iterator[Event]:
        start, end = now - PAST, now + AHEAD
        lists = self._lists
        if feed.view_id is not None:
            lists = lists.within(self._views.criterion(feed.user_id, feed.view_id, now))
        if FeedContent.BLOCKS in feed.content:
            planned = lists.planned_between(feed.user_id, start, end, Budget(MAX_READ))
            blocks = (
                block
                for task in planned
                for block in blocks_of(task, now)
                if block.start < end and block.end > start
            )
            first = sorted(blocks, key=lambda each: (each.start, each.block_id))[:MAX_EVENTS]
            yield from events.of_blocks(first, feed.detail)
        if FeedContent.DUE in feed.content:
            due = TaskFilter(status=OPEN, due_after=start, due_before=end)
            found = lists.page(
                feed.user_id,
                _BY_DUE,
                due,
                Window(MAX_EVENTS),
                None,
                Budget(MAX_READ),
                ANY_VIEWPOINT,
            )
            yield from islice(events.of_due(found.items, feed.detail), MAX_EVENTS)
