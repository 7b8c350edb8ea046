"""Users and sessions in DynamoDB.

    user_id             item            attributes
    <uuid>              profile         of `model.User`
    <uuid>              session#<id>    of `model.Session`
    username#<key>      reservation     owner (a user id)

The reservation is written in one transaction with its profile, so that a name is taken once.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from graphql_api.domain.accounts.model import Session, User, username_key
from graphql_api.errors import Conflict, UnknownOutcome
from graphql_api.ids import is_id
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import (
    Attr,
    ConditionFailed,
    Database,
    Delete,
    Item,
    ItemPage,
    Key,
    Put,
    codec,
    pages,
)

NOBODY = "nobody"  # a user id without items, to do the same reads for an unknown name
MAX_SESSIONS = 100  # in a list
DELETE_PAGE = 100  # items read at a time while a user is deleted


PROBE = {"user_id": "readyz", "item": "probe"}  # a key that no client can make hot


class UserStore:
    """Stores users, their names and their sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def add(self, user: User, *sessions: Session) -> None:
        """Store a new user with sessions, all or nothing. Raises Conflict if the name is taken."""
        reservation = _reservation(user.username)
        new = Attr("user_id").not_exists()
        profile = {"item": codec.value("profile"), **codec.encode(user)}
        taken = codec.item(**reservation, owner=user.user_id)
        try:
            self._database.transact(
                Put(self._table, taken, new),
                Put(self._table, profile, new),
                *map(self.session_addition, sessions),
            )
        except ConditionFailed:
            # If it is ours, the response to our own first attempt was lost.
            if self._owner_of(reservation) != user.user_id:
                raise Conflict("User already exists", field="username") from None

    def find(self, username: str) -> User | None:
        """Find a user by name; an unknown name takes as many reads."""
        return self.get(self._owner_of(_reservation(username)))

    def get(self, user_id: str) -> User | None:
        """Read a user."""
        return self.get_many([user_id]).get(user_id)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Read users, by id; ids without a user are left out."""
        items = self._table.get_many([{"user_id": key, "item": "profile"} for key in user_ids])
        return {user.user_id: user for user in (codec.decode(User, item) for item in items)}

    def replace(self, before: User, after: User, *additions: Put) -> None:
        """Replace the user's state and add other items, all or nothing.

        Raises ConditionFailed if the user has changed since `before` was read, UnknownOutcome
        if the response was lost and the user has changed again.
        """
        item = {"item": codec.value("profile"), **codec.encode(after)}
        unchanged = Attr("password").eq(before.password) & Attr("generation").eq(before.generation)
        try:
            if additions:
                self._database.transact(Put(self._table, item, unchanged), *additions)
            else:
                self._table.put(item, unchanged)
        except ConditionFailed as failure:
            if not failure.maybe_applied:
                raise
            # If the state is ours, the response to our own first attempt was lost.
            if self.get(after.user_id) != after:
                raise UnknownOutcome from None

    def remove(self, user_id: str) -> None:
        """Delete all of a user's items; profile and name last, so that a retry finds the user."""
        own, profile = Key("user_id").eq(user_id), None

        def read(start: Item | None) -> ItemPage:
            extend_deadline()
            return self._table.query(own, start=start, limit=DELETE_PAGE)

        for items in pages(read):
            by_name = {item["item"]["S"]: item for item in items}
            profile = by_name.pop("profile", profile)
            self._table.delete_many([{"user_id": user_id, "item": name} for name in by_name])
        if profile:
            self._remove_profile(codec.decode(User, profile))

    def _remove_profile(self, user: User) -> None:
        profile = Delete(self._table, {"user_id": user.user_id, "item": "profile"})
        # If another deletion was faster, the name may have a new owner.
        ours = Attr("owner").eq(user.user_id)
        with contextlib.suppress(ConditionFailed):
            self._database.transact(profile, Delete(self._table, _reservation(user.username), ours))

    def session_addition(self, session: Session) -> Put:
        """Return the write that stores a new session, as a part of a transaction."""
        return Put(self._table, _session_item(session), Attr("user_id").not_exists())

    def add_session(self, session: Session) -> None:
        """Store a new session."""
        # The id is random: if it exists, the response to our own first attempt was lost.
        with contextlib.suppress(ConditionFailed):
            self._table.put(_session_item(session), Attr("user_id").not_exists())

    def session(self, user_id: str, session_id: str) -> tuple[User | None, Session | None]:
        """Read a session and its user in one call."""
        keys = [{"user_id": user_id, "item": name} for name in ("profile", _name(session_id))]
        items = {item["item"]["S"]: item for item in self._table.get_many(keys)}
        user, session = items.get("profile"), items.get(_name(session_id))
        return (
            codec.decode(User, user) if user else None,
            codec.decode(Session, session) if session else None,
        )

    def sessions(self, user_id: str) -> list[Session]:
        """List the user's sessions, newest first, including ended ones."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_name(""))
        read = self._table.query(where, descending=True, limit=MAX_SESSIONS)
        return [codec.decode(Session, item) for item in read.items]

    def change_session(self, session: Session, changes: dict[str, Any]) -> None:
        """Change a session. Raises ConditionFailed if its refresh token has changed."""
        unchanged = Attr("refresh_hash").eq(session.refresh_hash)
        key = {"user_id": session.user_id, "item": _name(session.session_id)}
        self._table.update(changes, unchanged, **key)

    def end_session(self, user_id: str, session_id: str) -> None:
        """Delete a session. Raises ConditionFailed if it does not exist."""
        if not is_id(session_id):  # cannot be part of a key
            raise ConditionFailed
        key = {"user_id": user_id, "item": _name(session_id)}
        try:
            self._table.delete(Attr("user_id").exists(), **key)
        except ConditionFailed as failure:
            if not failure.maybe_applied:  # otherwise our own first attempt has deleted it
                raise

    def check(self) -> None:
        """Read once. Raises ServiceUnavailable if the store does not respond."""
        self._table.get(**PROBE)

    def check_write(self) -> None:
        """Write once. Raises ServiceUnavailable if the store does not carry that out."""
        self._database.transact(Put(self._table, codec.item(**PROBE)))

    def _owner_of(self, reservation: dict[str, str]) -> str:
        item = self._table.get(**reservation)
        return item["owner"]["S"] if item else NOBODY


def _name(session_id: str) -> str:
    return f"session#{session_id}"


def _session_item(session: Session) -> Item:
    return {"item": codec.value(_name(session.session_id)), **codec.encode(session)}


def _reservation(username: str) -> dict[str, str]:
    return {"user_id": f"username#{username_key(username)}", "item": "reservation"}
