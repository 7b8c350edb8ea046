"""The busy calendar: where its events come from, and the times that they take. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from graphql_api import clock
from graphql_api.domain.calendars.model import checked_name
from graphql_api.domain.planner.model import Interval
from graphql_api.domain.records import immutable
from graphql_api.errors import BadUserInput
from graphql_api.ids import EPOCH, new_id

MAX_CALENDARS = 10  # of a user
MAX_TIMES = 3_000  # of a calendar, merged: an item of DynamoDB has 400 KB
PAST, AHEAD = timedelta(days=7), timedelta(days=366)  # for which times are kept
EVERY = timedelta(hours=1)  # a calendar of a URL is read again
EVERY_DAY = timedelta(days=1)  # what was uploaded is, since the time ahead goes on
DAYS = (PAST + AHEAD).days  # of all that is kept
LONGEST_PAUSE = timedelta(days=1)  # after failures
LEASE = timedelta(minutes=5)  # within which whoever has begun to read is done
ICS = "ics"  # the field of a calendar's text
WEBCAL = "webcal://"  # what programs call an address of a calendar

_MINUTE = timedelta(minutes=1)


class AllDay(Enum):
    """The meaning of events on whole days."""

    IGNORE = "ignore"
    BUSY = "busy"


@immutable
class BusyCalendar:
    """A calendar that a user has uploaded, or that is read from a URL again and again.

    `version` counts all changes, also those of who reads it; `due_at` is when it is read again.
    """

    user_id: str
    calendar_id: str
    name: str
    url: str | None
    all_day: AllDay
    created_at: datetime
    due_at: datetime
    version: int = 1
    refreshed_at: datetime | None = None  # successfully
    last_error: str | None = None
    failures: int = 0  # in a row
    times: int = 0  # merged
    skipped: int = 0  # events that could not be read

    @classmethod
    def new(cls, user_id: str, values: Mapping[str, Any], now: datetime) -> "BusyCalendar":
        """A new calendar, which is due at once. Raises BadUserInput."""
        url, ics = values.get("url"), values.get("ics")
        if url is None and ics is None:
            raise BadUserInput("Give the URL of a calendar, or its text.", "url")
        if url is not None and ics is not None:
            raise BadUserInput("Give the URL of a calendar or its text, not both.", "url")
        if url is not None and url.lower().startswith(WEBCAL):
            url = "https://" + url[len(WEBCAL) :]
        return cls(
            user_id=user_id,
            calendar_id=new_id(now),
            name=checked_name("name", values["name"]),
            url=url,
            all_day=values.get("all_day") or AllDay.IGNORE,
            created_at=clock.milliseconds(now),
            due_at=clock.milliseconds(now),
        )

    def refreshed(self, times: int, skipped: int, now: datetime) -> "BusyCalendar":
        """The calendar after it was read."""
        return replace(
            self,
            refreshed_at=clock.milliseconds(now),
            due_at=clock.milliseconds(now + (EVERY if self.url else EVERY_DAY)),
            last_error=None,
            failures=0,
            times=times,
            skipped=skipped,
            version=self.version + 1,
        )

    def failed(self, error: str, now: datetime) -> "BusyCalendar":
        """The calendar after it could not be read: its times stay, and pauses grow."""
        pause = min(EVERY * 2 ** min(self.failures, 10), LONGEST_PAUSE)
        return replace(
            self,
            due_at=clock.milliseconds(now + pause),
            last_error=error,
            failures=self.failures + 1,
            version=self.version + 1,
        )

    def due(self, at: datetime) -> "BusyCalendar":
        """The calendar that is read at another time."""
        return replace(self, due_at=clock.milliseconds(at), version=self.version + 1)


@dataclass(frozen=True, slots=True)
class BusyTime:
    """A span of time that a calendar takes."""

    calendar_id: str
    start: datetime
    end: datetime


def merged(times: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """The times within a range, in order, without gaps or overlaps. Raises BadUserInput."""
    found: list[Interval] = []
    clipped = (Interval(max(t.start, start), min(t.end, end)) for t in times)
    for each in sorted((t for t in clipped if t.start < t.end), key=lambda t: (t.start, t.end)):
        if found and each.start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    if len(found) > MAX_TIMES:
        raise BadUserInput(f"It has more than {MAX_TIMES:,} busy times in a year.", ICS)
    return found


def encoded(times: Iterable[Interval]) -> str:
    """Merged times as a text: minutes since 1970 and the length of each, outwards."""
    pairs = [((t.start - EPOCH) // _MINUTE, -((EPOCH - t.end) // _MINUTE)) for t in times]
    return " ".join(f"{start}+{end - start}" for start, end in pairs)


def decoded(text: str) -> list[Interval]:
    """The times of a text of `encoded`."""
    pairs = (each.split("+") for each in text.split())
    return [
        Interval(EPOCH + int(start) * _MINUTE, EPOCH + (int(start) + int(length)) * _MINUTE)
        for start, length in pairs
    ]
