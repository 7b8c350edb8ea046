"""How a page of a list looks in GraphQL: the Relay cursor connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.paging import Page

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list, and how to go on from it.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether there are more items after this page."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether there may be items before this page."
    )
    start_cursor: str | None = strawberry.field(
        description="Pass it as `before` for the page before this one."
    )
    end_cursor: str | None = strawberry.field(
        description="Pass it as `after` for the page after this one."
    )


@strawberry.type(description="An item and its place in the list.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(
        description="The item's place: an opaque text that is good for this list only."
    )


@strawberry.type(description="A page of a list. https://relay.dev/graphql/connections.htm")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(
        description="The items with their cursors.", metadata=field_cost(LOADED)
    )
    nodes: list[T] = strawberry.field(description="The items.", metadata=field_cost(LOADED))
    page_info: PageInfo = strawberry.field(
        description="Where the page lies in the list, and how to go on from it."
    )
    total_count: int = strawberry.field(
        description="How many items the whole list has. Counted only when it is asked for."
    )
    is_complete: bool = strawberry.field(
        description=(
            "False when the server stopped at its bound of items to look at: then the page may"
            " have fewer items than asked for, and `endCursor` continues the search."
        )
    )


@dataclass(frozen=True)
class _Edge(Generic[T]):
    node: T
    cursor: str


class Listing(Generic[T]):
    """A page as `Connection` reads it: each part is made when it is asked for."""

    def __init__(
        self, page: Page[T], cursors: Cursors, scope: str, count: Callable[[], int]
    ) -> None:
        self._page = page
        self._seal: Callable[[str], str] = lambda position: cursors.seal(position, scope)
        self._count = count

    @property
    def nodes(self) -> Sequence[T]:
        """The items."""
        return self._page.items

    @property
    def edges(self) -> list[_Edge[T]]:
        """The items with their cursors."""
        position = self._page.position
        return [_Edge(item, self._seal(position(item))) for item in self._page.items]

    @property
    def page_info(self) -> "Listing[T]":
        """Itself: the fields of PageInfo are below."""
        return self

    @property
    def has_next_page(self) -> bool:
        """Whether the list goes on."""
        return self._page.has_next

    @property
    def has_previous_page(self) -> bool:
        """Whether the page may not be the first."""
        return self._page.has_previous

    @property
    def start_cursor(self) -> str | None:
        """The cursor to page backward from."""
        return self._page.start and self._seal(self._page.start)

    @property
    def end_cursor(self) -> str | None:
        """The cursor to page forward from."""
        return self._page.end and self._seal(self._page.end)

    @property
    def is_complete(self) -> bool:
        """Whether the page is as full as the list allows."""
        return self._page.complete

    @property
    def total_count(self) -> int:
        """The length of the list; nothing to count if the page is all of it."""
        if self._page.has_next or self._page.has_previous:
            return self._count()
        return len(self._page.items)
