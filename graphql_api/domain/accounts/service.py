"""What people do with their accounts: register, log in, stay logged in, log out, leave."""

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from graphql_api.domain.accounts import model, session_cache
from graphql_api.domain.accounts.model import Client, Session, User, typed_password, username_key
from graphql_api.domain.accounts.passwords import Passwords
from graphql_api.domain.accounts.rate_limits import (
    ACCOUNTS_BY_ADDRESS,
    BY_NAME,
    BY_NAME_WHERE_KNOWN,
    BY_USER,
    LOGINS_BY_ADDRESS,
    Attempts,
    Limit,
)
from graphql_api.domain.accounts.session_cache import LiveSessions
from graphql_api.domain.accounts.store import NOBODY, UserStore
from graphql_api.domain.accounts.tokens import RefreshToken, Tokens, Viewer
from graphql_api.errors import (
    BadUserInput,
    Conflict,
    NotFound,
    ServiceUnavailable,
    Unauthenticated,
)
from graphql_api.ids import new_id
from graphql_api.infra import request_log
from graphql_api.infra.dynamodb import ConditionFailed

ATTEMPTS = 5  # at a refresh that others keep overtaking

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """A user who has just proved to be that user, and the tokens that say so."""

    user: User
    token: str
    expires_at: datetime
    refresh_token: str


class Accounts:
    """What people do with their accounts."""

    def __init__(
        self,
        users: UserStore,
        passwords: Passwords,
        tokens: Tokens,
        attempts: Attempts,
        remove_tasks: Callable[[str], None],
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens
        self._attempts = attempts
        self._remove_tasks = remove_tasks
        self._live = LiveSessions()

    def register(self, username: str, password: str, client: Client, now: datetime) -> Login:
        """A new account; Conflict if the name is taken, BadUserInput if it cannot be one."""
        username_key(username)  # all is checked before the costly hash
        password = model.new_password(password, username)
        epoch = self._live.epoch
        with self._passwords.place():
            self._count(ACCOUNTS_BY_ADDRESS, client.network, now)
            hashed = self._passwords.hash(password)
        user = User.new(username=username, password=hashed, now=now)
        session, refresh = self._new_session(user, client, now)
        self._users.add(user, session)
        return self._login(user, refresh, now, epoch)

    def login(self, username: str, password: str, client: Client, now: datetime) -> Login:
        """A new session for whoever knows the password; else Unauthenticated, for all the same.

        Raises RateLimited after too many attempts, for a name that nobody has as for others.
        """
        typed, password = password, typed_password(password)
        name = _countable(username)
        epoch = self._live.epoch
        with self._passwords.place():  # who gets none has not tried
            self._count(LOGINS_BY_ADDRESS, client.network, now)
            attempts = self._attempts.count(BY_NAME, name, now)
            user = self._find(username)
            if attempts > BY_NAME.attempts:
                self._check_where_known(user, client, attempts, now)
            right = self._passwords.verify(user.password if user else None, password, typed)
        if user is None or not right:
            raise Unauthenticated("Invalid username or password.")
        if attempts > 1:
            self._attempts.forget(BY_NAME, name, now)
        if user.deleting:  # it was interrupted, and whoever wanted it is here to see it through
            self._remove(user)
            raise Unauthenticated("Invalid username or password.")
        if self._passwords.outdated(user.password):
            with self._passwords.place():
                renewed = replace(user, password=self._passwords.hash(password))
            # Somebody else has just changed it: theirs stays, and this login is still good.
            with contextlib.suppress(ConditionFailed):
                self._users.replace(user, renewed)
        session, refresh = self._new_session(user, client, now)
        self._users.add_session(session)
        return self._login(user, refresh, now, epoch)

    def viewer(self, authorization: str | None, now: datetime) -> tuple[Viewer, User]:
        """Who is behind an Authorization header; Unauthenticated if nobody is any more.

        Both may be as they were 4 seconds ago.
        """
        viewer = self._tokens.viewer(authorization)
        user = self._live.user(viewer)
        if user is None:
            epoch = self._live.epoch
            user, _ = self._session(viewer.user_id, viewer.session_id, now)
            self._live.add(viewer, user, epoch)
        return viewer, user

    def refresh(self, token: str, now: datetime) -> Login:
        """Other tokens for a refresh token, which is spent by that (RFC 9700, section 4.14).

        Who asks again within a moment gets the same one again: a client that did not get the
        answer, or its other tab. A token that was spent before that ends the session, since
        two have it: Unauthenticated.
        """
        presented = RefreshToken.parse(token)
        fresh = self._tokens.successor(presented)
        for _ in range(ATTEMPTS):
            epoch = self._live.epoch
            user, session = self._session(presented.user_id, presented.session_id, now)
            if session.just_replaced(presented.hash, now) and session.refresh_hash == fresh.hash:
                return self._login(user, fresh, now, epoch)
            if presented.hash != session.refresh_hash:
                self._end_reused(Viewer(session.user_id, session.session_id))
            try:
                self._users.change_session(session, session.refreshed(fresh.hash, now))
            except ConditionFailed:
                continue
            return self._login(user, fresh, now, epoch)
        raise Conflict("Others keep refreshing this session, try again.")

    def logout(self, viewer: Viewer) -> int:
        """End the viewer's session; how many have ended."""
        try:
            self._users.end_session(viewer.user_id, viewer.session_id)
        except ConditionFailed:
            return 0
        finally:
            self._live.discard(viewer)
        return 1

    def revoke(self, viewer: Viewer, session_id: str) -> str:
        """End one of the viewer's sessions; its id. NotFound if there is none such."""
        try:
            self._users.end_session(viewer.user_id, session_id)
        except ConditionFailed:
            raise NotFound("Session not found") from None
        finally:
            self._live.discard(Viewer(viewer.user_id, session_id))
        return session_id

    def sessions(self, user: User, now: datetime) -> list[Session]:
        """The user's sessions that are alive, the newest first."""
        return [s for s in self._users.sessions(user.user_id) if s.alive(user, now)]

    def logout_everywhere(self, viewer: Viewer, now: datetime) -> int:
        """End all of the viewer's sessions at once; how many have ended."""
        user = self._known(viewer)
        ended = len(self.sessions(user, now))
        self._replace(user, replace(user, generation=user.generation + 1))
        return ended

    def change_password(
        self,
        viewer: Viewer,
        current_password: str,
        new_password: str,
        client: Client,
        now: datetime,
    ) -> Login:
        """Another password, and a new session in the place of all others, at once.

        Raises BadUserInput for a wrong current password as for an unfit new one.
        """
        user = self._known(viewer)
        password = model.new_password(new_password, user.username, "newPassword")
        self._prove(user, current_password, "currentPassword", now)
        with self._passwords.place():
            hashed = self._passwords.hash(password)
        changed = replace(user, password=hashed, generation=user.generation + 1)
        session, refresh = self._new_session(changed, client, now)
        self._replace(user, changed, session)
        return self._login(changed, refresh, now, self._live.epoch)

    def delete(self, viewer: Viewer, password: str, now: datetime) -> str:
        """Delete the account and all that is the user's; the id that the user had.

        All sessions end first. If it is interrupted, the next login goes on with it.
        """
        user = self._known(viewer)
        self._prove(user, password, "password", now)
        deleting = replace(user, deleting=True, generation=user.generation + 1)
        self._replace(user, deleting)
        self._remove(deleting)
        return user.user_id

    def _find(self, username: str) -> User | None:
        try:
            return self._users.find(username)
        except BadUserInput:  # nobody can have this name, and nobody learns so at the login
            return None

    def _session(self, user_id: str, session_id: str, now: datetime) -> tuple[User, Session]:
        user, session = self._users.session(user_id, session_id)
        if user is None or session is None or not session.alive(user, now):
            raise Unauthenticated("The session has ended.")
        return user, session

    def _known(self, viewer: Viewer) -> User:
        user = self._users.get(viewer.user_id)
        if user is None:
            raise Unauthenticated("The account no longer exists.")
        return user

    def _prove(self, user: User, password: str, field: str, now: datetime) -> None:
        """Raise BadUserInput unless this is the user's password.

        Guesses are counted apart from those at the login, where strangers could make them.
        """
        password = typed_password(password, field)
        with self._passwords.place():
            attempts = self._attempts.count(BY_USER, user.user_id, now)
            self._attempts.check(BY_USER, attempts, now)
            right = self._passwords.verify(user.password, password)
        if not right:
            raise BadUserInput("The password is wrong.", field)
        if attempts > 1:
            self._attempts.forget(BY_USER, user.user_id, now)

    def _count(self, limit: Limit, whose: str, now: datetime) -> None:
        self._attempts.check(limit, self._attempts.count(limit, whose, now), now)

    def _check_where_known(
        self, user: User | None, client: Client, attempts: int, now: datetime
    ) -> None:
        """Let those in a little longer who come from where a session of theirs is.

        Else whoever knows a name could lock its owner out.
        """
        address = self._attempts.digest(client.network)
        sessions = self.sessions(user, now) if user else self._users.sessions(NOBODY)
        known = any(session.address == address for session in sessions)
        self._attempts.check(BY_NAME_WHERE_KNOWN if known else BY_NAME, attempts, now)

    def _replace(self, before: User, after: User, *sessions: Session) -> None:
        try:
            self._users.replace(before, after, *sessions)
        except ConditionFailed:
            raise Conflict("The account has changed meanwhile, try again.") from None
        finally:
            self._live.discard_all(before.user_id)

    def _remove(self, user: User) -> None:
        self._remove_tasks(user.user_id)
        self._users.remove(user)
        # Other processes may take a session for alive for a moment more, and write for it.
        later = threading.Timer(session_cache.SECONDS + 1, self._remove_again, (user,))
        later.daemon = True
        later.start()

    def _remove_again(self, user: User) -> None:
        with contextlib.suppress(ServiceUnavailable):
            self._remove_tasks(user.user_id)
            self._users.remove(user)

    def _login(self, user: User, refresh: RefreshToken, now: datetime, epoch: int) -> Login:
        request_log.note(user_id=user.user_id)
        access = self._tokens.issue(user.user_id, refresh.session_id, now)
        self._live.add(Viewer(user.user_id, refresh.session_id), user, epoch)
        return Login(user, access.token, access.expires_at, refresh.text)

    def _new_session(
        self, user: User, client: Client, now: datetime
    ) -> tuple[Session, RefreshToken]:
        session_id = new_id(now)
        refresh = RefreshToken.new(user.user_id, session_id)
        session = Session.new(
            user,
            session_id=session_id,
            device=client.device,
            address=self._attempts.digest(client.network),
            refresh_hash=refresh.hash,
            now=now,
        )
        return session, refresh

    def _end_reused(self, viewer: Viewer) -> NoReturn:
        log.warning("A spent refresh token was used again: session %s ends", viewer.session_id)
        self.logout(viewer)
        raise Unauthenticated("The session has ended.")


def _countable(username: str) -> str:
    """The name as attempts are counted by, whether or not anybody can have it."""
    try:
        return username_key(username)
    except BadUserInput:
        return username
