"""Identifiers that sort by the time of their creation."""

import re
import secrets
from datetime import UTC, datetime, timedelta

_ID = re.compile(r"[\w-]{1,128}", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def new_id(now: datetime) -> str:
    """A UUIDv7 whose text order is the order of `now`, to the microsecond.

    RFC 9562, section 5.7, with the sub-millisecond fraction in `rand_a` (section 6.2, method 3).
    """
    microseconds = (now - EPOCH) // _MICROSECOND
    milliseconds, rest = divmod(microseconds, 1_000)
    fraction = rest * 4_096 // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Whether it can be an id: of letters, digits, `_` and `-`, as UUIDs and others are.

    Keys, tokens and paths have other characters around ids, so that none is mistaken for more.
    """
    return _ID.fullmatch(text) is not None
