"""Dependencies in DynamoDB: all of a user's are one item in the user's partition.

user_id   item=dependencies   attributes of `dependencies.Dependencies`

Who closes, opens or deletes a task writes this item in the same transaction, or checks there that
it is as it was read: so it never says anything else of a task than the task itself does.
"""

from collections.abc import Sequence

from graphql_api.domain.tasks.dependencies import Dependencies
from graphql_api.infra.dynamodb import Action, Attr, Check, Database, Put, codec

ITEM = "dependencies"


class DependencyStore:
    """Keeps what each user's tasks wait for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def get(self, user_id: str) -> Dependencies:
        """The user's dependencies; those of nobody have version 0."""
        return self.get_many([user_id])[user_id]

    def get_many(self, user_ids: Sequence[str]) -> dict[str, Dependencies]:
        """Dependencies by the ids of their users."""
        items = self._table.get_many([{"user_id": key, "item": ITEM} for key in user_ids])
        kept = [codec.decode(Dependencies, item) for item in items]
        missing = {key: Dependencies.none(key) for key in user_ids}
        return missing | {dependencies.user_id: dependencies for dependencies in kept}

    def action(self, before: Dependencies, after: Dependencies) -> Action:
        """What puts the next state in place, or, if it is the same, sees that it stays."""
        new = Attr("item").not_exists()
        as_read = Attr("version").eq(before.version) if before.version else new
        if after is before:
            return Check(self._table, {"user_id": before.user_id, "item": ITEM}, as_read)
        return Put(self._table, {"item": codec.value(ITEM), **codec.encode(after)}, as_read)
