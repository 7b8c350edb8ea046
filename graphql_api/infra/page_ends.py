"""Pages of newest items, for an engine that reads more than it is asked for."""

from collections.abc import Hashable

from graphql_api.infra.dynamodb import Condition, Item, ItemPage, Key, Table

MAX_ENDS = 10_000  # of pages, that a process remembers


class PageEnds:
    """Knows where pages of newest items end, so that the embedded engine need not look beyond.

    That reads all that a key condition allows, whatever the limit. A page that was read tells how
    far the next read of it has to look: what has come since lies before that. If items of the page
    are gone by then, the next one is shorter, and says where to go on as any page does.
    """

    def __init__(self, hash_key: str, sort_key: str) -> None:
        """Take the names of the keys of the tables that are read."""
        self._hash_key, self._sort_key = hash_key, sort_key
        self._ends: dict[Hashable, Item] = {}

    def newest(
        self,
        table: Table,
        owner: str,
        *,
        filter: Condition | None,
        start: Item | None,
        limit: int,
    ) -> ItemPage:
        """Read the last items of the owner's partition before a key, as `Table.query` does."""
        place = (table.name, owner, limit, start[self._sort_key]["S"] if start else None)
        end = self._ends.pop(place, None)
        where = Key(self._hash_key).eq(owner)
        if end is not None:
            where &= Key(self._sort_key).gte(end[self._sort_key]["S"])
        page = table.query(where, filter=filter, start=start, descending=True, limit=limit)
        page = page._replace(last_key=page.last_key or end)
        if page.scanned == limit and page.last_key:
            if len(self._ends) >= MAX_ENDS:
                self._ends.clear()
            self._ends[place] = page.last_key
        return page
