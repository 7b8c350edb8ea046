"""Pages of a list: what a client asks for, and what it gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql_api.errors import FIELD, BadUserInput

T = TypeVar("T")

DEFAULT_SIZE = 25
LARGEST = 100


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
            raise BadUserInput(f"{FIELD} goes with last.", "before")
        name, size = ("last", last) if backward else ("first", first)
        size = DEFAULT_SIZE if size is None else size
        if not 1 <= size <= largest:
            raise BadUserInput(f"{FIELD} must be from 1 to {largest}.", name)
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
