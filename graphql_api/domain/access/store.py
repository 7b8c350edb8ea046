"""Access tokens in DynamoDB, in their user's partition, so that they are deleted with the account.

user_id     item               attributes
<user id>   token#<hash>       of `model.AccessToken`
<user id>   tokens             count, of them, and version
"""

from datetime import datetime

from graphql_api.domain.access.model import MAX_TOKENS, AccessToken
from graphql_api.domain.accounts.model import User
from graphql_api.domain.registers import Register
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Delete, Key, Put, codec


class AccessTokenStore:
    """Keeps the access tokens of users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "tokens", "access tokens: revoke one")

    def add(self, token: AccessToken) -> None:
        """Store a new token. Raises Conflict for too many, ConditionFailed for another count."""
        counted = self._register.adding(token.user_id, MAX_TOKENS)
        key = _key(token.user_id, token.hash)
        try:
            self._database.transact(
                Put(
                    self._table,
                    {**codec.encode(token), **codec.item(**key)},
                    Attr("item").not_exists(),
                ),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._table.get(**key) is None:
                raise

    def remove(self, token: AccessToken) -> None:
        """Delete a token. Raises ConditionFailed if it is gone, or for another count."""
        counted = self._register.removing(token.user_id)
        key = _key(token.user_id, token.hash)
        try:
            self._database.transact(
                Delete(self._table, key, Attr("item").exists()),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._table.get(**key) is not None:
                raise

    def find(self, user_id: str, hash: str) -> tuple[User | None, AccessToken | None]:
        """Read a token and its user in one call."""
        keys = [{"user_id": user_id, "item": "profile"}, _key(user_id, hash)]
        items = {item["item"]["S"]: item for item in self._table.get_many(keys)}
        user, token = items.get("profile"), items.get(_item(hash))
        return (
            codec.decode(User, user) if user else None,
            codec.decode(AccessToken, token) if token else None,
        )

    def all(self, user_id: str) -> list[AccessToken]:
        """The user's tokens, the newest first, expired ones included."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_item(""))
        found = self._table.query(where, limit=2 * MAX_TOKENS).items
        tokens = [codec.decode(AccessToken, item) for item in found]
        return sorted(tokens, key=lambda token: token.token_id, reverse=True)

    def note_use(self, token: AccessToken, now: datetime) -> None:
        """Remember that a token was used. Raises ConditionFailed if it is gone."""
        key = _key(token.user_id, token.hash)
        self._table.update({"last_used_at": now}, Attr("item").exists(), **key)


def _item(hash: str) -> str:
    return f"token#{hash}"


def _key(user_id: str, hash: str) -> dict[str, str]:
    return {"user_id": user_id, "item": _item(hash)}
