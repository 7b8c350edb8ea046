"""Registers: how many things of a kind a user has, counted in the transactions that change it.

user_id=<user id>   item=<name>   count, version

Whoever adds or removes one asks for the version that was read: no two pass the bound at once.
"""

from graphql_api.infra.dynamodb import Attr, Database, Put, codec


class Register:
    """The count of one kind of things, in the table of users."""

    def __init__(self, database: Database, name: str) -> None:
        self._table = database.table("Users")
        self._name = name

    def read(self, user_id: str) -> tuple[int, int]:
        """Return how many a user has, and the version of that number."""
        item = self._table.get(user_id=user_id, item=self._name)
        return (int(item["count"]["N"]), int(item["version"]["N"])) if item else (0, 0)

    def put(self, user_id: str, count: int, version: int) -> Put:
        """Return the action that writes a count in the place of that of a version."""
        same = Attr("version").eq(version) if version else Attr("item").not_exists()
        key = {"user_id": user_id, "item": self._name}
        return Put(self._table, codec.item(**key, count=count, version=version + 1), same)
