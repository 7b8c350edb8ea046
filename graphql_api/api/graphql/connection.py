"""Connections: pages of a list as the Relay specification has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.paging import Page

T = TypeVar("T")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items may precede this page.")
    start_cursor: str | None = strawberry.field(
        description="Pass it as `before` to get the previous page."
    )
    end_cursor: str | None = strawberry.field(
        description="Pass it as `after` to get the next page."
    )


@strawberry.type(description="An item and its cursor.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(
        description="An opaque position of the item, valid for this list only."
    )


@strawberry.type(description="A page of a list. https://relay.dev/graphql/connections.htm")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(
        description="The items with their cursors.", metadata=field_cost(LOADED)
    )
    nodes: list[T] = strawberry.field(description="The items.", metadata=field_cost(LOADED))
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")
    total_count: int = strawberry.field(
        description="The number of items in the whole list; counted only if it is requested."
    )
    is_complete: bool = strawberry.field(
        description=(
            "False if the server has stopped at its limit of items to read. Then the page may have"
            " fewer items than requested, and `endCursor` continues the search."
        )
    )


@dataclass(frozen=True)
class _Edge(Generic[T]):
    node: T
    cursor: str


class Listing(Generic[T]):
    """A page as `Connection` reads it; each part is computed only if it is requested."""

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
        """The listing itself, which has the fields of PageInfo, too."""
        return self

    @property
    def has_next_page(self) -> bool:
        """Return whether items follow the page."""
        return self._page.has_next

    @property
    def has_previous_page(self) -> bool:
        """Return whether items may precede the page."""
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
        """False if the budget has ended the reading."""
        return self._page.complete

    @property
    def total_count(self) -> int:
        """The length of the list; not counted if the page is all of it."""
        if self._page.has_next or self._page.has_previous or not self._page.complete:
            return self._count()
        return len(self._page.items)
