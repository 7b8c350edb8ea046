"""The operations on access tokens; the first argument is mostly whose they are."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from graphql_api import clock
from graphql_api.domain.access.model import AccessToken
from graphql_api.domain.access.secret_text import PREFIX, SecretText
from graphql_api.domain.access.store import AccessTokenStore
from graphql_api.domain.accounts.model import User
from graphql_api.domain.accounts.session_cache import SessionCache
from graphql_api.domain.accounts.tokens import Identity
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.errors import NotFound, ServiceUnavailable, Unauthenticated
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.dynamodb import ConditionFailed


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token, and its text, which is shown this once."""

    token: AccessToken
    text: str


class AccessTokens:
    """Creates, lists, revokes and verifies access tokens."""

    def __init__(self, store: AccessTokenStore, projects: ProjectStore) -> None:
        self._store, self._projects = store, projects
        self._cache: SessionCache[tuple[User, AccessToken]] = SessionCache()
        self._crew = Crew(size=2, by_line=1)

    def create(self, user_id: str, values: Mapping[str, Any], now: datetime) -> NewToken:
        """Create a token. Raises BadUserInput, NotFound for a project, Conflict for too many."""
        text = SecretText.new(user_id)
        token = AccessToken.new(user_id, now, hash=text.hash, **values)
        for project_id in token.project_ids:
            self._projects.get(user_id, project_id, "project_ids")
        retry_on_conflict(lambda: self._store.add(token))
        return NewToken(token, text.text)

    def all(self, user_id: str) -> list[AccessToken]:
        """The user's tokens, the newest first, expired ones included."""
        return self._store.all(user_id)

    def revoke(self, user_id: str, token_id: str) -> str:
        """End a token; return its id. Raises NotFound."""

        def attempt() -> AccessToken:
            for token in self._store.all(user_id):
                if token.token_id == token_id:
                    self._store.remove(token)
                    return token
            raise NotFound("Access token not found", field="id")

        token = retry_on_conflict(attempt)
        self._cache.discard(Identity(user_id, token.hash))
        return token.token_id

    def forget(self, user_id: str) -> None:
        """Look again at the tokens of a user who has been deleted."""
        self._cache.discard_user(user_id)

    def authenticate(self, text: str, now: datetime) -> tuple[Identity, User]:
        """Verify a token's text; the user and the token may be 4 seconds old.

        Raises Unauthenticated.
        """
        secret = SecretText.parse(text)
        key = Identity(secret.user_id, secret.hash)
        user, token = self._cache.get(key) or self._read(key, now)
        if token.is_expired(now):
            raise Unauthenticated(
                f"The access token has expired at {clock.text(token.expires_at)}: make another one."
            )
        return Identity(user.user_id, "", token), user

    def _read(self, key: Identity, now: datetime) -> tuple[User, AccessToken]:
        epoch = self._cache.epoch
        user, token = self._store.find(key.user_id, key.session_id)
        if user is None or user.deleting or token is None:
            raise Unauthenticated("There is no such access token: it was revoked, or never was.")
        self._cache.add(key, (user, token), epoch)
        if not token.is_use_noted(now):
            self._crew.add(token.hash, partial(self._note_use, token, now))
        return user, token

    def _note_use(self, token: AccessToken, now: datetime) -> None:
        """Remember a use beside the request; that one is forgotten harms nobody."""
        with contextlib.suppress(ConditionFailed, ServiceUnavailable):
            self._store.note_use(token, clock.milliseconds(now))


def is_access_token(credentials: str) -> bool:
    """Return whether the credentials of a request claim to be an access token."""
    return credentials.startswith(PREFIX)
