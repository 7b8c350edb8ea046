"""Pages of a list: the requested window or range, the page, and the budget for reading it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from graphql_api.errors import FIELD, BadUserInput

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100
MAX_DAYS = 62  # of a range of time …
MAX_LISTED = 2_000  # … and what is listed of it


def check_range(start: datetime, end: datetime, days: int = MAX_DAYS) -> None:
    """Raise BadUserInput for a range of time that is too long or ends before it starts."""
    if end < start:
        raise BadUserInput("A range must not end before it starts.", "to")
    if end - start > timedelta(days=days):
        raise BadUserInput(f"A range must have at most {days} days.", "to")


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
    requested, and `start` and `end` are still the positions to continue from. `total` is the
    length of the whole list, where reading the page has told it.
    """

    items: Sequence[T]
    position: Callable[[T], str]
    has_next: bool
    has_previous: bool
    start: str | None
    end: str | None
    complete: bool
    total: int | None = None

    @classmethod
    def of(
        cls,
        items: Sequence[T],
        position: Callable[[T], str],
        window: Window,
        *,
        has_cursor: bool,
        has_more: bool,
        complete: bool = True,
        total: int | None = None,
    ) -> "Page[T]":
        """Build the page of a window from its items, in the list's order.

        `has_cursor` tells whether the window begins behind an item, `has_more` whether others
        follow in the direction in which it is read.
        """
        return cls(
            items=items,
            position=position,
            has_next=has_cursor if window.backward else has_more,
            has_previous=has_more if window.backward else has_cursor,
            start=position(items[0]) if items else None,
            end=position(items[-1]) if items else None,
            complete=complete,
            total=total,
        )

    def stopped_at(self, position: str, window: Window) -> "Page[T]":
        """The page that the budget has ended at a position, from which it can be read on."""
        if window.backward:
            return replace(self, start=position, complete=False)
        return replace(self, end=position, complete=False)


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of an item in a list that is sorted by a value, then by id."""

    value: str | int | None
    id: str

    @classmethod
    def parse(cls, position: str) -> "Rank":
        """The rank that a position stands for."""
        return cls(*json.loads(position))

    @property
    def position(self) -> str:
        """The rank as a position in a cursor."""
        return json.dumps([self.value, self.id], ensure_ascii=False, separators=(",", ":"))

    @property
    def key(self) -> tuple[str | int, str]:
        """The sort key among those that have a value, or among those that have none."""
        return "" if self.value is None else self.value, self.id

    def is_after(self, other: "Rank", *, descending: bool) -> bool:
        """Return whether it comes after another one; those without a value come last."""
        if (self.value is None) is not (other.value is None):
            return self.value is None
        return self.key < other.key if descending else self.key > other.key


def sorted_page(
    items: Iterable[T],
    rank_of: Callable[[T], Rank],
    window: Window,
    position: str | None,
    *,
    descending: bool,
    complete: bool = True,
) -> Page[T]:
    """The page after a position, or before it, of items in any order.

    A position is the rank of an item, so it stays valid when other items come and go.
    """
    ranked = [(rank_of(item), item) for item in items]
    mark = None if position is None else Rank.parse(position)
    ahead = in_reading_order(ranked, mark, descending=descending, backward=window.backward)
    shown = [item for _, item in ahead[: window.size]]
    return Page.of(
        shown[::-1] if window.backward else shown,
        lambda item: rank_of(item).position,
        window,
        has_cursor=position is not None,
        has_more=len(ahead) > window.size,
        complete=complete,
        total=len(ranked) if complete else None,
    )


def in_reading_order(
    ranked: Iterable[tuple[Rank, T]], mark: Rank | None, *, descending: bool, backward: bool
) -> list[tuple[Rank, T]]:
    """The items behind a mark, the next one first; backward, those before it."""
    ahead = [
        (rank, item)
        for rank, item in ranked
        if mark is None
        or (rank != mark and rank.is_after(mark, descending=descending) is not backward)
    ]
    ahead.sort(key=lambda each: each[0].key, reverse=descending is not backward)
    ahead.sort(key=lambda each: (each[0].value is None) is not backward)
    return ahead


class Budget:
    """The units that a request may still spend, over all its lists."""

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        """Deduct units; `left` may become negative."""
        self.left -= units
