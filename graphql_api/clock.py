"""Instants as the service stores and returns them: aware, UTC, to the millisecond."""

import re
from datetime import UTC, datetime

import orjson

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WITH_MICROSECONDS = len('"2026-11-22T09:30:00.123456+00:00"')


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def milliseconds(instant: datetime) -> datetime:
    """Truncate an instant to milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)


def text(instant: datetime) -> str:
    """Format as RFC 3339 in UTC with milliseconds and `Z`, which sorts as text by time."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    try:
        quoted = orjson.dumps(utc)  # 0.2 µs, isoformat takes 1 µs; it omits zero microseconds
    except TypeError:  # a subclass of datetime
        return utc.isoformat(timespec="milliseconds")[:23] + "Z"
    if len(quoted) < _WITH_MICROSECONDS:
        return quoted[1:20].decode() + ".000Z"
    return quoted[1:24].decode() + "Z"


def parse(value: str) -> datetime:
    """Parse an RFC 3339 text. Raises ValueError."""
    if not _RFC3339.fullmatch(value):
        raise ValueError("Use RFC 3339 with an offset, for example 2026-11-22T09:30:00Z.")
    try:
        instant: datetime | None = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or value[-3:] > ":59":  # Python accepts +12:60 as +13:00
        raise ValueError("This date or time does not exist.")
    return milliseconds(instant)
