"""Pages of a list: what a client asks for, what it gets, and the cursors between the two."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql_api.errors import BadUserInput

T = TypeVar("T")

DEFAULT_SIZE = 25
LARGEST = 100
MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is asked for: `size` items after a cursor, or, backward, before it."""

    size: int = DEFAULT_SIZE
    cursor: str | None = None
    backward: bool = False

    @classmethod
    def of(
        cls,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        largest: int = LARGEST,
    ) -> "Window":
        """The window that a connection's arguments describe; BadUserInput if they do not."""
        backward = last is not None or before is not None
        if backward and after is not None:
            raise BadUserInput(
                "Page forward by first and after, or backward by last and before.", "after"
            )
        if before is not None and last is None:
            raise BadUserInput("before goes with last.", "before")
        name, size = ("last", last) if backward else ("first", first)
        size = DEFAULT_SIZE if size is None else size
        if not 1 <= size <= largest:
            raise BadUserInput(f"{name} must be from 1 to {largest}.", name)
        return cls(size, before if backward else after, backward)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, in the list's order, and what tells the position of an item in it.

    `complete` is False when reading stopped at its bound: then there may be fewer items than
    asked for, and `start` and `end` are where to go on from all the same.
    """

    items: Sequence[T]
    position: Callable[[T], str]
    has_next: bool
    has_previous: bool
    start: str | None
    end: str | None
    complete: bool


class Budget:
    """How many items one request may still look at, over all its lists."""

    def __init__(self, items: int) -> None:
        self.left = items

    def spend(self, items: int) -> None:
        """Note that so many more were looked at."""
        self.left -= items


class Cursors:
    """Positions as opaque texts, signed for one list (its user, order and filter)."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        # The first signs; the others still verify while keys are rotated.
        self._keys = [hmac.digest(secret, b"cursor", hashlib.sha256) for secret in secrets]

    def seal(self, position: str, scope: str) -> str:
        """The cursor of a position."""
        mac = _mac(self._keys[0], position, scope)
        return base64.urlsafe_b64encode(mac + position.encode()).decode().rstrip("=")

    def open(self, cursor: str, scope: str, field: str) -> str:
        """The position of a cursor of this list; BadUserInput for any other text."""
        try:
            raw = base64.b64decode(
                cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True
            )
            mac, position = raw[:MAC_BYTES], raw[MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            mac, position = b"", ""
        if not any(hmac.compare_digest(mac, _mac(key, position, scope)) for key in self._keys):
            raise BadUserInput(f"{field} is not a cursor of this list.", field)
        return position


def _mac(key: bytes, position: str, scope: str) -> bytes:
    return hmac.digest(key, f"{scope}\0{position}".encode(), hashlib.sha256)[:MAC_BYTES]
