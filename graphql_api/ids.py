"""Identifiers that sort by the time of their creation."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> str:
    """A UUIDv7 whose text order is the order of `now`, to the microsecond.

    RFC 9562, section 5.7, with the sub-millisecond fraction in `rand_a` (section 6.2, method 3).
    """
    microseconds = (now - EPOCH) // timedelta(microseconds=1)
    milliseconds, rest = divmod(microseconds, 1_000)
    fraction = rest * 4_096 // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
