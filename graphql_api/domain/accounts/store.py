"""Users in DynamoDB: a profile each, and a reservation of each name.

user_id             item          attributes
<uuid>              profile       username, password, created_at
username#<key>      reservation   owner
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from graphql_api.domain.accounts.model import Session, User, username_key
from graphql_api.errors import Conflict, UnknownOutcome
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import (
    Attr,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    Read,
    codec,
    looks,
)

NOBODY = "nobody"
LONGEST_ID = 128  # characters; ours have 36
MOST_SESSIONS = 100  # that are listed
REMOVED_AT_ONCE = 100  # items of a user that is deleted


class UserStore:
    """Keeps users; a name belongs to one of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def add(self, user: User, *sessions: Session) -> None:
        """Keep a new user, the name and sessions, or nothing; Conflict if the name is taken."""
        reservation = _reservation(user.username)
        new = Attr("user_id").not_exists()
        profile = {"item": codec.value("profile"), **codec.encode(user)}
        taken = codec.item(**reservation, owner=user.user_id)
        try:
            self._database.write(
                Put(self._table, taken, new),
                Put(self._table, profile, new),
                *(Put(self._table, _session_item(session), new) for session in sessions),
            )
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

    def replace(self, before: User, after: User, *sessions: Session) -> None:
        """Put the user's next state in place, and new sessions with it, or nothing.

        ConditionFailed if the user is another now; UnknownOutcome if nobody can tell whether
        it is so by this write, or was.
        """
        item = {"item": codec.value("profile"), **codec.encode(after)}
        same = Attr("password").eq(before.password) & Attr("generation").eq(before.generation)
        new = Attr("user_id").not_exists()
        try:
            if sessions:
                puts = (Put(self._table, _session_item(session), new) for session in sessions)
                self._database.write(Put(self._table, item, same), *puts)
            else:
                self._table.put(item, same)
        except ConditionFailed as failure:
            if not failure.unsure:
                raise
            # Ours, if the answer to our own first attempt was lost on the way.
            if self.get(after.user_id) != after:
                raise UnknownOutcome from None

    def remove(self, user: User) -> None:
        """Delete all of the user's items; the profile and the name last, so that it can go on."""
        mine = Key("user_id").eq(user.user_id)

        def read(start: Item | None) -> Read:
            extend_deadline()
            return self._table.query(mine, start=start, limit=REMOVED_AT_ONCE)

        for items in looks(read):
            names = [item["item"]["S"] for item in items]
            self._table.delete_many(
                [{"user_id": user.user_id, "item": name} for name in names if name != "profile"]
            )
        profile = Delete(self._table, {"user_id": user.user_id, "item": "profile"})
        # If another removal was first, the name may be somebody else's by now.
        ours = Attr("owner").eq(user.user_id)
        with contextlib.suppress(ConditionFailed):
            self._database.write(profile, Delete(self._table, _reservation(user.username), ours))

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        # Nobody else can have made this random id: if it is there, it is ours.
        with contextlib.suppress(ConditionFailed):
            self._table.put(_session_item(session), Attr("user_id").not_exists())

    def session(self, user_id: str, session_id: str) -> tuple[User | None, Session | None]:
        """A session and its user, in one read."""
        keys = [{"user_id": user_id, "item": name} for name in ("profile", _name(session_id))]
        items = {item["item"]["S"]: item for item in self._table.get_many(keys)}
        user, session = items.get("profile"), items.get(_name(session_id))
        return (
            codec.decode(User, user) if user else None,
            codec.decode(Session, session) if session else None,
        )

    def sessions(self, user_id: str) -> list[Session]:
        """The user's sessions, the newest first; some of them may have ended."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_name(""))
        read = self._table.query(where, descending=True, limit=MOST_SESSIONS)
        return [codec.decode(Session, item) for item in read.items]

    def change_session(self, session: Session, changes: dict[str, Any]) -> None:
        """Change the session; ConditionFailed if its refresh token is another now."""
        same = Attr("refresh_hash").eq(session.refresh_hash)
        key = {"user_id": session.user_id, "item": _name(session.session_id)}
        self._table.change(changes, same, **key)

    def end_session(self, user_id: str, session_id: str) -> None:
        """Delete the session; ConditionFailed if there is none."""
        if len(session_id) > LONGEST_ID:  # it cannot even be the key of one
            raise ConditionFailed
        key = {"user_id": user_id, "item": _name(session_id)}
        try:
            self._table.delete(Attr("user_id").exists(), **key)
        except ConditionFailed as failure:
            if not failure.unsure:  # else it is gone, as it was to be
                raise

    def check(self) -> None:
        """One read; ServiceUnavailable if the store does not answer."""
        self._table.get(user_id="readyz", item="probe")  # a key that no login can make hot

    def _owner_of(self, reservation: dict[str, str]) -> str:
        item = self._table.get(**reservation)
        return item["owner"]["S"] if item else NOBODY


def _name(session_id: str) -> str:
    return f"session#{session_id}"


def _session_item(session: Session) -> Item:
    return {"item": codec.value(_name(session.session_id)), **codec.encode(session)}


def _reservation(username: str) -> dict[str, str]:
    return {"user_id": f"username#{username_key(username)}", "item": "reservation"}
