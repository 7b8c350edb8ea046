"""Users in DynamoDB: a profile each, and a reservation of each name.

user_id             item          attributes
<uuid>              profile       username, password, created_at
username#<key>      reservation   owner
"""

from collections.abc import Sequence

from graphql_api.accounts.model import User, username_key
from graphql_api.dynamodb import Attr, ConditionFailed, Database, Put, codec
from graphql_api.errors import Conflict

NOBODY = "nobody"


class UserStore:
    """Keeps users; a name belongs to one of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def add(self, user: User) -> None:
        """Keep a new user and reserve the name, both or neither; Conflict if it is taken."""
        reservation = _reservation(user.username)
        new = Attr("user_id").not_exists()
        profile = {"item": codec.value("profile"), **codec.encode(user)}
        taken = codec.item(**reservation, owner=user.user_id)
        try:
            self._database.write(Put(self._table, taken, new), Put(self._table, profile, new))
        except ConditionFailed:
            # Ours, if the answer to our own first attempt was lost on the way.
            if self._owner_of(reservation) != user.user_id:
                raise Conflict("User already exists", field="username") from None

    def find(self, username: str) -> User | None:
        """The user of this name; as many reads for a name that nobody has."""
        return self.get(self._owner_of(_reservation(username)))

    def get(self, user_id: str) -> User | None:
        """The user of this id."""
        return self.get_many([user_id]).get(user_id)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Users by their ids; ids without a user are left out."""
        items = self._table.get_many([{"user_id": key, "item": "profile"} for key in user_ids])
        return {user.user_id: user for user in (codec.decode(User, item) for item in items)}

    def replace(self, before: User, after: User) -> None:
        """Put the user's next state in place; ConditionFailed if the password is another now."""
        item = {"item": codec.value("profile"), **codec.encode(after)}
        self._table.put(item, Attr("password").eq(before.password))

    def check(self) -> None:
        """One read; ServiceUnavailable if the store does not answer."""
        self._table.get(user_id=NOBODY, item="profile")

    def _owner_of(self, reservation: dict[str, str]) -> str:
        item = self._table.get(**reservation)
        return item["owner"]["S"] if item else NOBODY


def _reservation(username: str) -> dict[str, str]:
    return {"user_id": f"username#{username_key(username)}", "item": "reservation"}
