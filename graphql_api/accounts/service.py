"""Registering and logging in."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from graphql_api.accounts.model import User, new_password, typed_password, username_key
from graphql_api.accounts.passwords import Passwords
from graphql_api.accounts.store import UserStore
from graphql_api.accounts.tokens import Tokens
from graphql_api.dynamodb import ConditionFailed
from graphql_api.errors import BadUserInput, Unauthenticated


@dataclass(frozen=True, slots=True)
class Login:
    """A user who has just proved to be that user, and the token that says so."""

    user: User
    token: str
    expires_at: datetime


class Accounts:
    """What people do with their accounts."""

    def __init__(self, users: UserStore, passwords: Passwords, tokens: Tokens) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens

    def register(self, username: str, password: str, now: datetime) -> Login:
        """A new account; Conflict if the name is taken, BadUserInput if it cannot be one."""
        username_key(username)  # both are checked before the costly hash
        hashed = self._passwords.hash(new_password(password))
        user = User.new(username=username, password=hashed, now=now)
        self._users.add(user)
        return self._login(user, now)

    def login(self, username: str, password: str, now: datetime) -> Login:
        """A token for whoever knows the password; else Unauthenticated, the same for everybody."""
        password = typed_password(password)
        user = self._find(username)
        if not self._passwords.verify(user.password if user else None, password) or user is None:
            raise Unauthenticated("Invalid username or password.")
        if self._passwords.outdated(user.password):
            renewed = replace(user, password=self._passwords.hash(password))
            # Somebody else has just changed it: theirs stays, and this login is still good.
            with contextlib.suppress(ConditionFailed):
                self._users.replace(user, renewed)
        return self._login(user, now)

    def viewer(self, authorization: str | None) -> str:
        """The id of the user behind an Authorization header; Unauthenticated if there is none."""
        return self._tokens.viewer(authorization)

    def _find(self, username: str) -> User | None:
        try:
            return self._users.find(username)
        except BadUserInput:  # nobody can have this name, and nobody learns so at the login
            return None

    def _login(self, user: User, now: datetime) -> Login:
        access = self._tokens.issue(user.user_id, now)
        return Login(user, access.token, access.expires_at)
