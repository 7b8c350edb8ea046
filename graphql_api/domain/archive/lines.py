"""All that is a user's, as JSON Lines (https://jsonlines.org), read while others go on.

    {"type": "export", "format": …, "version": …, "changes_cursor": …, "user": {…}}
    {"type": "settings", …}
    {"type": "project", …} and further ones of the types view, series, calendar_feed,
    busy_calendar, webhook, access_token
    {"type": "task", …}
    {"type": "end", "lines": <number of those before>}

The cursor is older than all that follows: changes after it complete the picture. A file without its
last line is not whole.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from graphql_api import clock
from graphql_api.domain.access.model import AccessToken, Scope
from graphql_api.domain.access.store import AccessTokenStore
from graphql_api.domain.accounts.model import User
from graphql_api.domain.archive import export_format, series_format, settings_format, views_format
from graphql_api.domain.busy_calendars.model import BusyCalendar
from graphql_api.domain.busy_calendars.store import BusyCalendarStore
from graphql_api.domain.calendars.store import FeedStore
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.views.store import ViewStore
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.infra.dynamodb import Database

_CALENDAR_FEED = ("feed_id", "name", "content", "detail", "view_id", "created_at")
_BUSY_CALENDAR = ("calendar_id", "name", "url", "all_day", "created_at")
_WEBHOOK = ("webhook_id", "url", "kinds", "filter", "status", "created_at")
_ACCESS_TOKEN = (
    *("token_id", "name", "scopes", "tags", "project_ids"),
    *("created_at", "expires_at", "last_used_at"),
)


@dataclass(frozen=True)
class Archives:
    """Reads all that is a user's from its stores."""

    tasks: TaskStore
    projects: ProjectStore
    views: ViewStore
    series: SeriesStore
    settings: SettingsStore
    dependencies: DependencyStore
    calendar_feeds: FeedStore
    busy_calendars: BusyCalendarStore
    webhooks: WebhookStore
    access_tokens: AccessTokenStore

    @classmethod
    def of(cls, database: Database, tasks: TaskStore) -> "Archives":
        """Open the stores beside that of tasks."""
        return cls(
            tasks,
            ProjectStore(database),
            ViewStore(database),
            SeriesStore(database),
            SettingsStore(database),
            DependencyStore(database),
            FeedStore(database),
            BusyCalendarStore(database),
            WebhookStore(database),
            AccessTokenStore(database),
        )

    def lines(self, user: User, cursor: str, token: AccessToken | None) -> Iterator[bytes]:
        """Yield the lines, a page of tasks in memory at a time; to a token what its scopes are for.

        `cursor` is that of the change feed, from before this begins.
        """
        count = 0
        for kind, entry in self._entries(user, cursor, token):
            count += 1
            yield _line(kind, entry)
        yield _line("end", {"lines": count})

    def _entries(
        self, user: User, cursor: str, token: AccessToken | None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        user_id = user.user_id
        yield (
            "export",
            {
                "format": export_format.FORMAT,
                "version": export_format.VERSION,
                "changes_cursor": cursor,
                "user": export_format.user_entry(user),
            },
        )
        if Scope.PLAN_READ in _scopes(token):
            yield "settings", settings_format.entry(self.settings.get(user_id))
        for project in self.projects.all(user_id):
            yield "project", export_format.project_entry(project)
        for view in self.views.all(user_id):
            yield "view", views_format.entry(view)
        for series in self.series.all(user_id):
            yield "series", series_format.entry(series, self.series.all_records(series))
        yield from self._ways_in_and_out(user_id, token)
        dependencies = self.dependencies.get(user_id)
        for task in self.tasks.all(user_id):
            yield "task", export_format.task_entry(task, dependencies)

    def _ways_in_and_out(
        self, user_id: str, token: AccessToken | None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The calendars, webhooks and access tokens, without their secrets."""
        scopes = _scopes(token)
        if Scope.CALENDAR_READ in scopes:
            for feed in self.calendar_feeds.all(user_id):
                yield "calendar_feed", _entry_of(feed, _CALENDAR_FEED)
            for calendar in self.busy_calendars.all(user_id):
                yield "busy_calendar", self._busy_calendar_entry(calendar)
        if Scope.WEBHOOKS in scopes:
            for webhook in self.webhooks.all(user_id):
                yield "webhook", _entry_of(webhook, _WEBHOOK)
        if token is None:
            for each in self.access_tokens.all(user_id):
                yield "access_token", _entry_of(each, _ACCESS_TOKEN)

    def _busy_calendar_entry(self, calendar: BusyCalendar) -> dict[str, Any]:
        """Its fields, and the text that was uploaded."""
        source = None if calendar.url else self.busy_calendars.source(calendar)
        return {**_entry_of(calendar, _BUSY_CALENDAR), "ics": source}


def _scopes(token: AccessToken | None) -> Collection[Scope]:
    return token.scopes if token else tuple(Scope)


def _line(kind: str, entry: dict[str, Any]) -> bytes:
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps({"type": kind, **entry}, _plain, options)


def _plain(value: Any) -> str:
    """The text of an instant, a day or a time of day."""
    return clock.text(value) if isinstance(value, datetime) else str(value.isoformat())


def _entry_of(record: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}
