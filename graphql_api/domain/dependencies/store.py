"""Dependencies in DynamoDB: all of a user are one item in the user's partition of Users.

user_id   item=dependencies   attributes of `dependencies.Dependencies`

A write that closes, reopens or deletes a task also writes this item in the same transaction, or
checks there that it is unchanged. So the item always agrees with the tasks.
"""

from collections.abc import Sequence

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.infra.dynamodb import Action, Attr, Check, Database, Put, codec

ITEM = "dependencies"


class DependencyStore:
    """Reads and writes the dependencies of users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def get(self, user_id: str) -> Dependencies:
        """The user's dependencies; version 0 if the user never had any."""
        return self.get_many([user_id])[user_id]

    def get_many(self, user_ids: Sequence[str]) -> dict[str, Dependencies]:
        """Dependencies by user id."""
        items = self._table.get_many([{"user_id": key, "item": ITEM} for key in user_ids])
        stored = [codec.decode(Dependencies, item) for item in items]
        defaults = {key: Dependencies.none(key) for key in user_ids}
        return defaults | {dependencies.user_id: dependencies for dependencies in stored}

    def links(self, user_id: str) -> "Links":
        """The user's dependencies, for a transaction that may change them."""
        return Links(self, user_id)

    def action(self, before: Dependencies, after: Dependencies) -> Action:
        """Put the next state; if it is the same, check that it is still stored."""
        new = Attr("item").not_exists()
        as_read = Attr("version").eq(before.version) if before.version else new
        if after is before:
            return Check(self._table, {"user_id": before.user_id, "item": ITEM}, as_read)
        return Put(self._table, {"item": codec.value(ITEM), **codec.encode(after)}, as_read)


class Links:
    """A user's dependencies as one transaction changes them: read once, if at all, written once."""

    def __init__(self, store: DependencyStore, user_id: str) -> None:
        self._store, self._user_id = store, user_id
        self._before: Dependencies | None = None
        self._after: Dependencies | None = None

    @property
    def before(self) -> Dependencies:
        """The dependencies as they are stored."""
        if self._before is None:
            self._before = self._store.get(self._user_id)
        return self._before

    @property
    def now(self) -> Dependencies:
        """The dependencies as they are to be."""
        return self._after or self.before

    @property
    def is_read(self) -> bool:
        """Return whether anything of the transaction depends on them."""
        return self._before is not None

    def change(self, after: Dependencies) -> None:
        """Put the next state in the place of the one before."""
        self._after = after

    def actions(self) -> list[Action]:
        """The action that writes them, or checks that they are unchanged; none if nobody asked."""
        return [self._store.action(self.before, self.now)] if self.is_read else []
