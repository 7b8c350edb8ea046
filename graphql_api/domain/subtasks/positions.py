"""Positions among siblings: texts that sort character by character. Pure.

They are keys of fractional indexing in base 62, which libraries of that name make between any two
others (https://www.figma.com/blog/realtime-editing-of-ordered-sequences/): so to move something is
to write it alone. Of two equal positions, the older one comes first.
"""

import re
from datetime import datetime

from graphql_api.errors import FIELD, BadUserInput

MAX_POSITION_LENGTH = 64  # characters

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]  # each page asks for many
_BASE = len(_DIGITS)
_POSITION = re.compile(rf"[0-9A-Za-z]{{1,{MAX_POSITION_LENGTH}}}", re.ASCII)


def last_position(now: datetime) -> str:
    """A position behind all that were made before: an integer of fractional indexing."""
    high, low = divmod(int(now.timestamp() * 1000), _BASE**4)
    (first, second), (third, last) = divmod(high, _BASE**2), divmod(low, _BASE**2)
    return (
        f"g{_DIGITS[first % _BASE]}{_PAIRS[second]}{_PAIRS[third]}{_PAIRS[last]}"  # g: seven digits
    )


def checked_position(field: str, text: str) -> str:
    """Return a position that a client has given. Raises BadUserInput."""
    if not _POSITION.fullmatch(text):
        message = f"{FIELD} must have 1 to {MAX_POSITION_LENGTH} of the characters 0-9, A-Z, a-z."
        raise BadUserInput(message, field)
    return text
