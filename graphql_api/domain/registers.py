"""Registers: how many things of a kind a user has, counted in the transactions that change it.

user_id=<user id>   item=<name>   count, version

Whoever adds or removes one asks for the version that was read: no two pass the bound at once.
"""

from graphql_api.errors import Conflict
from graphql_api.infra.dynamodb import Attr, Database, Put, codec


class Register:
    """The count of one kind of things, in the table of users."""

    def __init__(self, database: Database, name: str, kind: str) -> None:
        """`kind` is the end of the sentence that says how many a user may have."""
        self._table = database.table("Users")
        self._name, self._kind = name, kind

    def adding(self, user_id: str, most: int) -> Put:
        """Return the action that counts one more. Raises Conflict if there are as many as may be.

        Its condition fails if others have changed the count meanwhile.
        """
        count, version = self._read(user_id)
        if count >= most:
            raise Conflict(f"A user may have at most {most} {self._kind}.")
        return self._put(user_id, count + 1, version)

    def removing(self, user_id: str) -> Put:
        """Return the action that counts one less, on the same condition."""
        count, version = self._read(user_id)
        return self._put(user_id, max(0, count - 1), version)

    def _read(self, user_id: str) -> tuple[int, int]:
        """Return how many a user has, and the version of that number."""
        item = self._table.get(user_id=user_id, item=self._name)
        return (int(item["count"]["N"]), int(item["version"]["N"])) if item else (0, 0)

    def _put(self, user_id: str, count: int, version: int) -> Put:
        same = Attr("version").eq(version) if version else Attr("item").not_exists()
        key = {"user_id": user_id, "item": self._name}
        return Put(self._table, codec.item(**key, count=count, version=version + 1), same)
