"""Identifiers that sort by the time of their creation."""

import secrets
import uuid
from datetime import datetime


def new_id(now: datetime) -> str:
    """A UUIDv7 whose text order is the order of `now`, to the microsecond.

    RFC 9562, section 5.7, with the sub-millisecond fraction in `rand_a` (section 6.2, method 3).
    """
    microseconds = int(now.timestamp()) * 1_000_000 + now.microsecond
    milliseconds, rest = divmod(microseconds, 1_000)
    fraction = rest * 4_096 // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
