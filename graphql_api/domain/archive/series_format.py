"""Series in the JSON document of export and import, each with its past occurrences.

{"series_id": …, "rrule": …, "timezone": …, …, "start": …, "start_on": …, "number": …,
 "current": {"task_id": …, "on": …, "at": …},
 "occurrences": [{"on": …, "at": …, "status": …, "task_id": …, "closed_at": …, …}, …]}
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from graphql_api import clock
from graphql_api.domain.changes.model import Actor, ActorKind
from graphql_api.domain.records import checked_id
from graphql_api.domain.recurrence.model import (
    Adjustment,
    MissedPolicy,
    MonthEnd,
    OccurrenceStatus,
    Recurrence,
    RecurrenceAnchor,
)
from graphql_api.domain.recurrence.zone_data import UNKNOWN
from graphql_api.domain.series.model import Current, Record, Series, Tally
from graphql_api.errors import BadUserInput

Json = dict[str, Any]


def entry(series: Series, past: Iterable[Record]) -> Json:
    """The entry of a series."""
    recurrence, current = series.recurrence, series.current
    return {
        "series_id": series.series_id,
        "rrule": recurrence.rrule,
        "timezone": recurrence.timezone,
        "anchor": recurrence.anchor.value,
        "month_end": recurrence.month_end.value,
        "missed": recurrence.missed.value,
        "ex_dates": [day.isoformat() for day in recurrence.ex_dates],
        "start": series.start and clock.text(series.start),
        "start_on": series.start_on and series.start_on.isoformat(),
        "current": {
            "task_id": current.task_id,
            "on": current.on.isoformat(),
            "at": current.at and clock.text(current.at),
            "adjusted_for": current.adjusted_for and current.adjusted_for.value,
        },
        "number": series.number,
        "created_at": clock.text(series.created_at),
        "version": series.version,
        "zone_data": series.zone_data,
        "ended_at": series.ended_at and clock.text(series.ended_at),
        "occurrences": [_record_entry(each) for each in past],
    }


def _record_entry(record: Record) -> Json:
    return {
        "on": record.on.isoformat(),
        "at": record.at and clock.text(record.at),
        "status": record.status.value,
        "task_id": record.task_id,
        "closed_at": clock.text(record.closed_at),
        "actor": {"kind": record.actor.kind.value, "name": record.actor.name},
        "adjusted_for": record.adjusted_for and record.adjusted_for.value,
    }


def series(user_id: str, entry: Any) -> tuple[Series, list[Record]]:
    """Convert an entry to a series of this user and its past occurrences. Raises BadUserInput."""
    try:
        past = [_record(each) for each in entry["occurrences"]]
        return replace(_series(user_id, entry), tally=Tally.of(past)), past
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadUserInput(f"This is no series: {error!r}") from None


def _series(user_id: str, entry: Json) -> Series:
    checked_id("series_id", entry["series_id"])
    current = entry["current"]
    return Series(
        user_id=user_id,
        series_id=entry["series_id"],
        recurrence=Recurrence.checked(
            entry["rrule"],
            entry["timezone"],
            RecurrenceAnchor(entry["anchor"]),
            MonthEnd(entry["month_end"]),
            MissedPolicy(entry["missed"]),
            map(date.fromisoformat, entry["ex_dates"]),
        ),
        start=_instant(entry["start"]),
        start_on=_day(entry.get("start_on")),  # which version 1 lacks
        current=Current(
            task_id=str(current["task_id"]),
            on=date.fromisoformat(current["on"]),
            at=_instant(current["at"]),
            adjusted_for=_adjustment(current),
        ),
        number=int(entry["number"]),
        created_at=clock.parse(entry["created_at"]),
        version=int(entry["version"]),
        zone_data=str(entry.get("zone_data", UNKNOWN)),
        ended_at=_instant(entry["ended_at"]),
    )


def _record(entry: Json) -> Record:
    task_id = entry["task_id"]
    return Record(
        on=date.fromisoformat(entry["on"]),
        at=_instant(entry["at"]),
        status=OccurrenceStatus(entry["status"]),
        task_id=None if task_id is None else str(task_id),
        closed_at=clock.parse(entry["closed_at"]),
        actor=Actor(kind=ActorKind(entry["actor"]["kind"]), name=str(entry["actor"]["name"])),
        adjusted_for=_adjustment(entry),
    )


def _adjustment(entry: Json) -> Adjustment | None:
    return None if entry["adjusted_for"] is None else Adjustment(entry["adjusted_for"])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else clock.parse(text)
