"""In-process cache of active sessions, so that not every request reads the store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from graphql_api.domain.accounts.tokens import Identity

Known = TypeVar("Known")

TTL_SECONDS = 4.0  # an entry's lifetime: a session ended elsewhere stops working here within 5 s
CAPACITY = 10_000  # entries


class SessionCache(Generic[Known]):
    """Knowledge of sessions, or of access tokens.

    Entries expire after TTL_SECONDS, the oldest are evicted first.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._entries: OrderedDict[Identity, tuple[Known, float]] = OrderedDict()
        self._lock = Lock()
        self.epoch = 0  # incremented whenever this process ends a session

    def get(self, identity: Identity) -> Known | None:
        """Return what is known of a session, or None if there is no fresh entry."""
        entry = self._entries.get(identity)
        return entry[0] if entry and entry[1] > self._timer() else None

    def add(self, identity: Identity, known: Known, epoch: int) -> None:
        """Cache an active session that was read from the store.

        `epoch` is the cache's epoch before that read. If it has changed, the session may have
        been ended in the meantime, and is not cached.
        """
        with self._lock:
            if epoch != self.epoch:
                return
            now = self._timer()
            self._entries[identity] = known, now + TTL_SECONDS
            self._entries.move_to_end(identity)
            while len(self._entries) > CAPACITY or self._first_expiry() < now:
                self._entries.popitem(last=False)

    def _first_expiry(self) -> float:
        return next(iter(self._entries.values()))[1]

    def discard(self, identity: Identity) -> None:
        """Drop a session that was ended."""
        with self._lock:
            self.epoch += 1
            self._entries.pop(identity, None)

    def discard_user(self, user_id: str) -> None:
        """Drop all sessions of a user."""
        with self._lock:
            self.epoch += 1
            for identity in [each for each in self._entries if each.user_id == user_id]:
                del self._entries[identity]
