"""Reads busy calendars again when they are due."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from graphql_api.domain.busy_calendars.model import LEASE, BusyCalendar
from graphql_api.domain.busy_calendars.reading import MAX_BYTES
from graphql_api.domain.busy_calendars.service import read
from graphql_api.domain.busy_calendars.store import BusyCalendarStore, Place
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.errors import BadUserInput, ServiceUnavailable
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.dynamodb import ConditionFailed
from graphql_api.infra.outgoing.client import Failed, OutgoingClient, Refused

OK = 200

log = logging.getLogger(__name__)


class BusyCalendarDuty:
    """Has a crew read the calendars that are due, each claimed by one dispatcher."""

    def __init__(
        self,
        store: BusyCalendarStore,
        settings: SettingsStore,
        client: OutgoingClient,
        crew: Crew,
        agent: str,
        now: Callable[[], datetime],
        interval: float,
    ) -> None:
        """`interval` are the seconds between two looks."""
        self._store, self._settings, self._client = store, settings, client
        self._crew, self._agent, self._now, self._interval = crew, agent, now, interval

    def run(self, now: datetime) -> float:
        """Begin to read what is due; return the seconds until the next look."""
        for place in self._store.due(now):
            if claimed := self._claim(place, now):
                self._crew.add(claimed.user_id, partial(self.refresh, claimed))
        return self._interval

    def stop(self, seconds: float) -> None:
        """Begin nothing any more, and wait so long for what is under way."""
        self._crew.stop(seconds)

    def refresh(self, calendar: BusyCalendar) -> None:
        """Read a calendar that was claimed, and store its times, or why it has none."""
        now, times, source = self._now(), None, None
        try:
            data, source = self._text(calendar)
            zone = ZoneInfo(self._settings.get(calendar.user_id).timezone)
            times, skipped = read(data, zone, calendar.all_day, now)
            after = calendar.refreshed(len(times), skipped, now)
        except (Refused, Failed) as error:
            after = calendar.failed(f"It could not be read: {error}.", now)
        except BadUserInput as error:
            after = calendar.failed(error.message, now)
        except ServiceUnavailable:
            return  # another attempt follows when the claim has ended
        except Exception:  # whatever it is, its owner has to learn of it, and pauses have to grow
            log.exception("A busy calendar could not be read")
            after = calendar.failed("It could not be read: the service failed.", now)
        try:
            self._store.replace(calendar, after, times, source)
        except (ConditionFailed, ServiceUnavailable):
            log.info("A busy calendar was changed while it was read")

    def _claim(self, place: Place, now: datetime) -> BusyCalendar | None:
        """Move a calendar that is due; None if it is not, or somebody else has."""
        calendar = self._store.find(*place.key)
        if calendar is None or not self._store.is_placed(calendar, place):
            self._store.drop(place)
            return None
        claimed = calendar.due(now + LEASE)
        try:
            self._store.replace(calendar, claimed)
        except ConditionFailed:
            return None
        return claimed

    def _text(self, calendar: BusyCalendar) -> tuple[bytes, str | None]:
        """The text of a calendar; that of an upload is kept. Raises Refused and Failed."""
        if calendar.url is None:
            source = self._store.source(calendar) or ""
            return source.encode(), source
        headers = {"Accept": "text/calendar, */*;q=0.1", "User-Agent": self._agent}
        found = self._client.get(calendar.url, headers, MAX_BYTES)
        if found.status != OK:
            raise Failed(f"the answer was {found.status}")
        return found.body, None
