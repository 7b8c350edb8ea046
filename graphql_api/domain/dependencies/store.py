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

    def action(self, before: Dependencies, after: Dependencies) -> Action:
        """Put the next state; if it is the same, check that it is still stored."""
        new = Attr("item").not_exists()
        as_read = Attr("version").eq(before.version) if before.version else new
        if after is before:
            return Check(self._table, {"user_id": before.user_id, "item": ITEM}, as_read)
        return Put(self._table, {"item": codec.value(ITEM), **codec.encode(after)}, as_read)
