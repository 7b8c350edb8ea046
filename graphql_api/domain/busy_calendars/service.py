"""Operations on busy calendars; the first argument is always the id of their owner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api.domain.busy_calendars import reading
from graphql_api.domain.busy_calendars.model import (
    AHEAD,
    DAYS,
    PAST,
    AllDay,
    BusyCalendar,
    BusyTime,
    merged,
)
from graphql_api.domain.busy_calendars.reading import Frame
from graphql_api.domain.busy_calendars.store import BusyCalendarStore
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.paging import MAX_LISTED, check_range
from graphql_api.domain.planner.model import Interval
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.errors import BadUserInput, QueryTooComplex
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.outgoing.client import OutgoingClient, Refused

REPLACES_ID = "replaces_id"
HOST_SECONDS = 2.0  # for a look at a host's addresses, while its user waits


class BusyCalendars:
    """Adds, lists and removes busy calendars, and has them read again."""

    def __init__(
        self,
        store: BusyCalendarStore,
        settings: SettingsStore,
        client: OutgoingClient,
        parsing: Bulkhead,
    ) -> None:
        self._store, self._settings = store, settings
        self._client, self._parsing = client, parsing

    def all(self, user_id: str) -> list[BusyCalendar]:
        """The user's calendars, the oldest first."""
        return self._store.all(user_id)

    def between(
        self, user_id: str, start: datetime, end: datetime, calendar_id: str | None = None
    ) -> list[BusyTime]:
        """The busy times that are, at least in part, within a range of time, by time.

        Of all calendars, or of one. Raises BadUserInput for a range that is too long or ends
        before it starts, NotFound, and QueryTooComplex for too many times.
        """
        check_range(start, end, DAYS)
        if calendar_id is None:
            times = self._store.times_by_calendar(user_id)
        else:
            times = self._store.times_of(user_id, calendar_id)
        found = [each for each in times if each.start < end and each.end > start]
        if len(found) > MAX_LISTED:
            raise QueryTooComplex(f"A range has at most {MAX_LISTED:,} times: ask for less of it.")
        return sorted(found, key=lambda each: (each.start, each.end, each.calendar_id))

    def add(self, user_id: str, values: Mapping[str, Any], now: datetime) -> BusyCalendar:
        """Add a calendar: one that is uploaded is read at once, one of a URL soon.

        The one of `replaces_id` goes with that. Raises BadUserInput, NotFound, and Conflict if
        there are too many.
        """
        calendar = BusyCalendar.new(user_id, values, now)
        source: str = values.get("ics") or ""
        times: list[Interval] = []
        if calendar.url is not None:
            self._check_url(calendar.url)
        else:
            zone = ZoneInfo(self._settings.get(user_id).timezone)

            def parse() -> tuple[list[Interval], int]:
                return read(source.encode(), zone, calendar.all_day, now)

            times, skipped = self._parsing.run_in_thread(parse)
            calendar = calendar.refreshed(len(times), skipped, now)

        def attempt() -> None:
            other = values.get(REPLACES_ID)
            replaced = None if other is None else self._store.get(user_id, other, REPLACES_ID)
            self._store.add(calendar, times, source or None, replaced)

        retry_on_conflict(attempt)
        return calendar

    def refresh(self, user_id: str, calendar_id: str, now: datetime) -> BusyCalendar:
        """Have a calendar read again, soon. Raises NotFound."""

        def attempt() -> BusyCalendar:
            before = self._store.get(user_id, calendar_id)
            after = before.due(now)
            self._store.replace(before, after)
            return after

        return retry_on_conflict(attempt)

    def remove(self, user_id: str, calendar_id: str) -> str:
        """Remove a calendar with its times; return its id. Raises NotFound."""
        retry_on_conflict(lambda: self._store.remove(self._store.get(user_id, calendar_id)))
        return calendar_id

    def _check_url(self, url: str) -> None:
        """Raise BadUserInput for a URL that must not be asked for."""
        try:
            self._client.check(url)
            self._client.check_host(url, HOST_SECONDS)
        except Refused as refused:
            raise BadUserInput(f"The URL {refused}.", "url") from None


def read(data: bytes, zone: ZoneInfo, all_day: AllDay, now: datetime) -> tuple[list[Interval], int]:
    """The merged times of a calendar around now, and how many events were skipped.

    Raises BadUserInput.
    """
    start, end = now - PAST, now + AHEAD
    found = reading.read(data, Frame(start, end, zone, all_day))
    return merged(found.times, start, end), found.skipped
