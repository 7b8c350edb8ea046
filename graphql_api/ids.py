"""Identifiers that sort by creation time."""

import re
import secrets
from datetime import UTC, datetime, timedelta

ID_PATTERN = r"[\w-]{1,128}"  # with re.ASCII
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(ID_PATTERN, re.ASCII)
_MICROSECOND = timedelta(microseconds=1)


def new_id(now: datetime) -> str:
    """Generate a UUIDv7; ids sort as text by `now`, to the microsecond.

    RFC 9562, section 5.7, with the sub-millisecond fraction in `rand_a` (section 6.2, method 3).
    """
    microseconds = (now - EPOCH) // _MICROSECOND
    milliseconds, rest = divmod(microseconds, 1_000)
    fraction = rest * 4_096 // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Tell whether the text can be an id: 1 to 128 letters, digits, `_` and `-`.

    Keys, tokens and paths separate ids by other characters, which no id may contain.
    """
    return _ID.fullmatch(text) is not None
