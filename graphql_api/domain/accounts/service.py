"""Account operations: register, log in, refresh, log out, change the password, delete."""

import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime

from graphql_api.domain.access.service import AccessTokens, is_access_token
from graphql_api.domain.accounts import model
from graphql_api.domain.accounts.deletions import Deletions
from graphql_api.domain.accounts.model import (
    Client,
    Session,
    User,
    normalized_password,
    username_key,
)
from graphql_api.domain.accounts.passwords import Passwords
from graphql_api.domain.accounts.rate_limits import (
    ACCOUNTS_BY_ADDRESS,
    BY_NAME,
    BY_NAME_AND_NETWORK,
    BY_USER,
    LOGINS_BY_ADDRESS,
    RateLimit,
    RateLimiter,
)
from graphql_api.domain.accounts.session_cache import Epoch, SessionCache
from graphql_api.domain.accounts.store import NOBODY, UserStore
from graphql_api.domain.accounts.tokens import Identity, RefreshToken, Tokens, credentials
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.errors import (
    BadUserInput,
    Conflict,
    NotFound,
    Unauthenticated,
)
from graphql_api.ids import new_id
from graphql_api.infra import request_log
from graphql_api.infra.dynamodb import ConditionFailed, Put

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """A user who has just authenticated, with new tokens."""

    user: User
    token: str
    expires_at: datetime
    refresh_token: str


class Accounts:
    """The account operations that GraphQL and REST offer."""

    def __init__(
        self,
        users: UserStore,
        passwords: Passwords,
        tokens: Tokens,
        limiter: RateLimiter,
        deletions: Deletions,
        access_tokens: AccessTokens,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens
        self._limiter = limiter
        self._deletions = deletions
        self._sessions: SessionCache[User] = SessionCache()
        self.access_tokens = access_tokens

    def register(self, username: str, password: str, client: Client, now: datetime) -> Login:
        """Create an account and open a session.

        Raises BadUserInput, RateLimited, and Conflict if the name is taken.
        """
        username_key(username)  # validate everything before the expensive hash
        password = model.new_password(password, username)
        epoch = self._sessions.epoch
        with self._passwords.slot():
            self._limit(ACCOUNTS_BY_ADDRESS, client.network, now)
            hashed = self._passwords.hash(password)
        user = User.new(username=username, password=hashed, now=now)
        session, refresh = self._new_session(user, client, now)
        self._users.add(user, session)
        return self._login(user, refresh, now, epoch)

    def login(self, username: str, password: str, client: Client, now: datetime) -> Login:
        """Open a session. Raises Unauthenticated and RateLimited, for unknown names alike."""
        epoch = self._sessions.epoch
        user = self._verified_user(username, password, client, now)
        if user.deleting:  # the deletion was interrupted: complete it
            self._deletions.run_pass(user.user_id)
            raise _login_refused()
        self._update_hash(user, password)
        session, refresh = self._new_session(user, client, now)
        self._users.add_session(session)
        return self._login(user, refresh, now, epoch)

    def authenticate(self, authorization: str | None, now: datetime) -> tuple[Identity, User]:
        """Verify an Authorization header and its session; the user may be 4 seconds old.

        The header may have an access token, too. Raises Unauthenticated.
        """
        token = credentials(authorization)
        if is_access_token(token):
            return self.access_tokens.authenticate(token, now)
        identity = self._tokens.verify(token)
        user = self._sessions.get(identity)
        if user is None:
            epoch = self._sessions.epoch
            user, _ = self._active_session(identity.user_id, identity.session_id, now)
            self._sessions.add(identity, user, epoch)
        return identity, user

    def is_authenticated(self, authorization: str, now: datetime) -> bool:
        """Tell whether this Authorization header is still good, as of 4 seconds ago."""
        try:
            self.authenticate(authorization, now)
        except Unauthenticated:
            return False
        return True

    def refresh(self, token: str, now: datetime) -> Login:
        """Exchange a refresh token for new tokens (rotation, RFC 9700, section 4.14).

        For REFRESH_GRACE after its exchange a token gives the session's current one, for a client
        that missed the response and for its other tabs. After that, reuse ends the session,
        since the token may have been stolen. Raises Unauthenticated.
        """
        presented = RefreshToken.parse(token)
        return retry_on_conflict(lambda: self._rotate(presented, now))

    def _rotate(self, presented: RefreshToken, now: datetime) -> Login:
        """Exchange a refresh token; raises ConditionFailed if another request has just done so."""
        epoch = self._sessions.epoch
        user, session = self._users.session(presented.user_id, presented.session_id)
        if not (user and session and session.is_active(user, now)):
            raise _refresh_refused()
        if presented.hash == session.refresh_hash:
            current = self._tokens.successor(presented)
            self._users.change_session(session, session.refreshed(current.hash, now))
        else:
            current = self._current_token(presented, session, now)
        return self._login(user, current, now, epoch)

    def _current_token(self, spent: RefreshToken, session: Session, now: datetime) -> RefreshToken:
        """Derive the session's refresh token from one that was exchanged within REFRESH_GRACE."""
        exchanges = session.exchanges_since(spent.hash, now)
        if exchanges is None:
            self._end_if_reused(spent)
            raise _refresh_refused()
        current = self._tokens.descendant(spent, exchanges, session.refresh_hash)
        if current is None:  # the keys were rotated since `spent` was exchanged
            raise _refresh_refused()
        return current

    def _end_if_reused(self, token: RefreshToken) -> None:
        """End the session of a token that was issued here and exchanged: two clients have it.

        An invented token ends nothing: the ids in it can be read in any access token.
        """
        if self._tokens.has_issued(token):
            log.warning("Session %s ended: a refresh token was reused", token.session_id)
            self.logout(Identity(token.user_id, token.session_id))

    def logout(self, identity: Identity) -> int:
        """End this session; return the number of sessions that were ended."""
        try:
            self._users.end_session(identity.user_id, identity.session_id)
        except ConditionFailed:
            return 0
        finally:
            self._sessions.discard(identity)
        return 1

    def revoke(self, identity: Identity, session_id: str) -> str:
        """End one of the user's sessions; return its id. Raises NotFound."""
        try:
            self._users.end_session(identity.user_id, session_id)
        except ConditionFailed:
            raise NotFound("Session not found", "id") from None
        finally:
            self._sessions.discard(Identity(identity.user_id, session_id))
        return session_id

    def sessions(self, user: User, now: datetime) -> list[Session]:
        """List the user's active sessions, newest first."""
        return [s for s in self._users.sessions(user.user_id) if s.is_active(user, now)]

    def logout_everywhere(self, identity: Identity, now: datetime) -> int:
        """End all of the user's sessions; return their number."""
        user = self._current_user(identity)
        ended = len(self.sessions(user, now))
        self._replace(user, replace(user, generation=user.generation + 1))
        return ended

    def change_password(
        self,
        identity: Identity,
        current_password: str,
        new_password: str,
        client: Client,
        now: datetime,
    ) -> Login:
        """Change the password, end all sessions and open a new one, all or nothing.

        Raises BadUserInput for a wrong current password and for an invalid new one.
        """
        user = self._current_user(identity)
        password = model.new_password(new_password, user.username, "new_password")
        self._confirm_password(user, current_password, "current_password", now)
        with self._passwords.slot():
            hashed = self._passwords.hash(password)
        changed = replace(user, password=hashed, generation=user.generation + 1)
        session, refresh = self._new_session(changed, client, now)
        self._replace(user, changed, self._users.session_addition(session))
        return self._login(changed, refresh, now, self._sessions.epoch)

    def delete(self, identity: Identity, password: str, now: datetime) -> str:
        """Delete the account with all its data; return the user's id.

        All sessions end first. An interrupted deletion is completed in the background.
        """
        user = self._current_user(identity)
        self._confirm_password(user, password, "password", now)
        deleting = replace(user, deleting=True, generation=user.generation + 1)
        self._replace(user, deleting, self._deletions.begin(user.user_id, now))
        self.access_tokens.forget(user.user_id)
        self._deletions.run_pass(user.user_id)
        return user.user_id

    def _verified_user(self, username: str, typed: str, client: Client, now: datetime) -> User:
        """Return the user with this name and password. Raises Unauthenticated and RateLimited.

        Once the attempts at a name are used up, the right password is still accepted from a
        network in which a session of its user was opened: otherwise anybody who knows a name
        could lock its owner out. A wrong password is then refused as everywhere, and after the
        same work, so that nobody learns that there is such a session.
        """
        password, name = normalized_password(typed), _rate_limit_key(username)
        with self._passwords.slot():  # a request that gets no slot is not an attempt
            self._limit(LOGINS_BY_ADDRESS, client.network, now)
            attempts = self._limiter.hit(BY_NAME, name, now)
            user = self._find(username)
            exceeded = attempts > BY_NAME.attempts
            known_network = exceeded and self._is_known_network(user, name, client, now)
            matches = self._passwords.verify(user.password if user else None, password, typed)
        if not (known_network and matches):
            self._limiter.check(BY_NAME, attempts, now)
        if user is None or not matches:
            raise _login_refused()
        if attempts > 1 and not exceeded:
            self._limiter.reset(BY_NAME, name, now)
        return user

    def _update_hash(self, user: User, typed: str) -> None:
        """Hash the password of a user again if the present hash is weaker than new ones."""
        if not self._passwords.needs_rehash(user.password):
            return
        with self._passwords.slot():
            rehashed = replace(user, password=self._passwords.hash(normalized_password(typed)))
        # If the user has just changed, that change wins, and this login is still valid.
        with contextlib.suppress(ConditionFailed):
            self._users.replace(user, rehashed)

    def _find(self, username: str) -> User | None:
        try:
            return self._users.find(username)
        except BadUserInput:  # an invalid name is answered like an unknown one
            return None

    def _active_session(self, user_id: str, session_id: str, now: datetime) -> tuple[User, Session]:
        user, session = self._users.session(user_id, session_id)
        if user is None or session is None or not session.is_active(user, now):
            raise Unauthenticated("The session has ended.")
        return user, session

    def _current_user(self, identity: Identity) -> User:
        user = self._users.get(identity.user_id)
        if user is None:
            raise Unauthenticated("The account no longer exists.")
        return user

    def _confirm_password(self, user: User, password: str, field: str, now: datetime) -> None:
        """Raise BadUserInput unless this is the user's password.

        Attempts are counted separately from logins, which strangers can make fail.
        """
        password = normalized_password(password, field)
        with self._passwords.slot():
            attempts = self._limiter.hit(BY_USER, user.user_id, now)
            self._limiter.check(BY_USER, attempts, now)
            matches = self._passwords.verify(user.password, password)
        if not matches:
            raise BadUserInput("The password is wrong.", field)
        if attempts > 1:
            self._limiter.reset(BY_USER, user.user_id, now)

    def _limit(self, limit: RateLimit, key: str, now: datetime) -> None:
        self._limiter.check(limit, self._limiter.hit(limit, key, now), now)

    def _is_known_network(
        self, user: User | None, name: str, client: Client, now: datetime
    ) -> bool:
        """Tell whether a session of this user was opened in the client's network.

        Raises RateLimited after too many attempts at the name from there.
        """
        self._limit(BY_NAME_AND_NETWORK, f"{name}\n{client.network}", now)
        address = self._limiter.digest(client.network)
        sessions = self.sessions(user, now) if user else self._users.sessions(NOBODY)
        return any(session.address == address for session in sessions)

    def _replace(self, before: User, after: User, *additions: Put) -> None:
        try:
            self._users.replace(before, after, *additions)
        except ConditionFailed:
            raise Conflict("The account was changed by another request, try again.") from None
        finally:
            self._sessions.discard_user(before.user_id)

    def _login(self, user: User, refresh: RefreshToken, now: datetime, epoch: Epoch) -> Login:
        request_log.annotate(user_id=user.user_id)
        self._deletions.look()
        access = self._tokens.issue(user.user_id, refresh.session_id, now)
        self._sessions.add(Identity(user.user_id, refresh.session_id), user, epoch)
        return Login(user, access.token, access.expires_at, refresh.text)

    def _new_session(
        self, user: User, client: Client, now: datetime
    ) -> tuple[Session, RefreshToken]:
        session_id = new_id(now)
        refresh = self._tokens.new_refresh_token(user.user_id, session_id)
        session = Session.new(
            user,
            session_id=session_id,
            device=client.device,
            address=self._limiter.digest(client.network),
            refresh_hash=refresh.hash,
            now=now,
        )
        return session, refresh


def _rate_limit_key(username: str) -> str:
    """Return the name by which attempts are counted, valid or not."""
    try:
        return username_key(username)
    except BadUserInput:
        return username


def _login_refused() -> Unauthenticated:
    return Unauthenticated("Invalid username or password.")


def _refresh_refused() -> Unauthenticated:
    """Make the one error of refused tokens; it does not tell whether the session exists."""
    return Unauthenticated("The refresh token is invalid, or its session has ended.")
