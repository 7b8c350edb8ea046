"""Identifiers that sort by creation time."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta

ID_PATTERN = r"[\w-]{1,128}"  # with re.ASCII
TIME_ORDERED_PATTERN = (
    r"[0-9a-d][0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
"""Of those until the year 9765, whose instants a datetime can have."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(ID_PATTERN, re.ASCII)
_UUID7 = re.compile(TIME_ORDERED_PATTERN)
_MICROSECOND = timedelta(microseconds=1)


def new_id(now: datetime) -> str:
    """Generate a UUIDv7; ids sort as text by `now`, to the microsecond.

    RFC 9562, section 5.7, with the sub-millisecond fraction in `rand_a` (section 6.2, method 3).
    """
    return _uuid7(now, secrets.randbits(62))


def id_from(at: datetime, *parts: str) -> str:
    """The id that is made from an instant and some texts: the same each time."""
    digest = hashlib.sha256("#".join(parts).encode()).digest()
    return _uuid7(at, int.from_bytes(digest[:8]) >> 2)


def first_id(at: datetime) -> str:
    """The least id of an instant: all ids made before it sort below, all others not."""
    return _uuid7(at, 0)


def id_after(now: datetime, previous: str | None) -> str:
    """Generate an id that sorts after the previous one, even if the clock was set back."""
    if previous is None:
        return new_id(now)
    return new_id(max(now, instant(previous) + timedelta(milliseconds=1)))


def is_time_ordered(text: str) -> bool:
    """Tell whether the text is a UUIDv7 as `new_id` generates it."""
    return _UUID7.fullmatch(text) is not None


def instant(id: str) -> datetime:
    """Return the time at which an id was generated, to the millisecond."""
    return EPOCH + timedelta(milliseconds=_milliseconds(id))


def _milliseconds(id: str) -> int:
    return int(id[:8] + id[9:13], 16)


def _uuid7(at: datetime, random: int) -> str:
    microseconds = (at - EPOCH) // _MICROSECOND
    milliseconds, rest = divmod(microseconds, 1_000)
    fraction = rest * 4_096 // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Tell whether the text can be an id: 1 to 128 letters, digits, `_` and `-`.

    Keys, tokens and paths separate ids by other characters, which no id may contain.
    """
    return _ID.fullmatch(text) is not None
