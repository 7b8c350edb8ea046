"""Due days: days without a time, which begin and end where their user lives. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api.domain.records import immutable
from graphql_api.errors import FIELD, BadUserInput

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)  # other days have no instants everywhere
DUE_AT, DUE_ON = "due_at", "due_on"
_MILLISECOND = timedelta(milliseconds=1)


@immutable
class DueDay:
    """The instants of a day in a time zone, as they were when it was set.

    They are kept, since lists are sorted by them and timers are set to them: who moves to another
    zone, or has newer data of it, has the day written anew (`relocation`).
    """

    timezone: str  # IANA
    begin: datetime
    end: datetime  # when the next day begins

    @classmethod
    def of(cls, day: date, timezone: str) -> "DueDay":
        """The day in a time zone; it begins with the first instant that clocks show of it."""
        return cls(
            timezone=timezone, begin=_midnight(day, timezone), end=_midnight(day + _DAY, timezone)
        )

    @property
    def last(self) -> datetime:
        """The last millisecond of the day, by which it is sorted and compared."""
        return self.end - _MILLISECOND


_DAY = timedelta(days=1)


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def checked_day(field: str, day: date | None) -> date | None:
    """Return a day that is due. Raises BadUserInput for one that is too far away."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise BadUserInput(f"{FIELD} must be from {FIRST_DAY} to {LAST_DAY}.", field)
    return day


def with_one_due(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values of a task of which a new due date replaces a due day, and the other way round.

    Raises BadUserInput for both.
    """
    given = [name for name in (DUE_AT, DUE_ON) if values.get(name) is not None]
    if len(given) > 1:
        raise BadUserInput("A task is due at an instant or on a day, not both.", DUE_ON)
    if not given:
        return values
    [name] = given
    return {**values, (DUE_ON if name == DUE_AT else DUE_AT): None}
