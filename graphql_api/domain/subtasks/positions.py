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
_POSITION = re.compile(rf"[0-9A-Za-z]{{1,{MAX_POSITION_LENGTH}}}", re.ASCII)


def last_position(now: datetime) -> str:
    """A position behind all that were made before: an integer of fractional indexing."""
    rest, digits = int(now.timestamp() * 1000), ""
    for _ in range(7):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return "g" + digits  # g: seven digits follow


def checked_position(field: str, text: str) -> str:
    """Return a position that a client has given. Raises BadUserInput."""
    if not _POSITION.fullmatch(text):
        message = f"{FIELD} must have 1 to {MAX_POSITION_LENGTH} of the characters 0-9, A-Z, a-z."
        raise BadUserInput(message, field)
    return text
