"""Instants as whole minutes since 1970 in UTC: the planner's unit of time."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60  # minutes


def floor(at: datetime) -> int:
    """Round an aware instant down to a minute."""
    return (at - EPOCH) // MINUTE


def ceil(at: datetime) -> int:
    """Round an aware instant up to a minute."""
    return -((EPOCH - at) // MINUTE)


def instant(minute: int) -> datetime:
    """Convert a minute back to an instant in UTC."""
    return EPOCH + minute * MINUTE


def length(minutes: int) -> str:
    """Format a duration: 2 d 3 h 15 min."""
    days, rest = divmod(minutes, DAY)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
