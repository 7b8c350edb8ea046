"""Instants as whole minutes since 1970 in UTC, which is what a plan is counted in."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60  # minutes


def floor(at: datetime) -> int:
    """The last whole minute that is not after an aware instant."""
    return (at - EPOCH) // MINUTE


def ceil(at: datetime) -> int:
    """The first whole minute that is not before an aware instant."""
    return -((EPOCH - at) // MINUTE)


def instant(minute: int) -> datetime:
    """The instant, in UTC, of a minute."""
    return EPOCH + minute * MINUTE
