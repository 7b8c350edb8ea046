"""Pages of a list: the requested window, the page, and the budget for reading it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql_api.errors import FIELD, BadUserInput

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Window:
    """A requested part of a list: `size` items after a cursor or, backward, before it."""

    size: int = DEFAULT_PAGE_SIZE
    cursor: str | None = None
    backward: bool = False

    @classmethod
    def of(
        cls,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        max_size: int = MAX_PAGE_SIZE,
    ) -> "Window":
        """The window of a connection's arguments. Raises BadUserInput."""
        backward = last is not None or before is not None
        if backward and after is not None:
            raise BadUserInput(
                "Page forward by first and after, or backward by last and before.", "after"
            )
        if before is not None and last is None:
            raise BadUserInput(f"{FIELD} goes with last.", "before")
        name, size = ("last", last) if backward else ("first", first)
        size = DEFAULT_PAGE_SIZE if size is None else size
        if not 1 <= size <= max_size:
            raise BadUserInput(f"{FIELD} must be from 1 to {max_size}.", name)
        return cls(size, before if backward else after, backward)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, in the list's order. `position` returns the position of an item.

    `complete` is False when the budget ended the reading: then there may be fewer items than
    requested, and `start` and `end` are still the positions to continue from.
    """

    items: Sequence[T]
    position: Callable[[T], str]
    has_next: bool
    has_previous: bool
    start: str | None
    end: str | None
    complete: bool


class Budget:
    """The units that a request may still spend, over all its lists."""

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        """Deduct units; `left` may become negative."""
        self.left -= units
