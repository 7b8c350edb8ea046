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

Epoch = tuple[int, float]  # how many ends this process knows of, and the time of its clock


class SessionCache(Generic[Known]):
    """Knowledge of sessions, or of access tokens.

    Entries expire after TTL_SECONDS, the oldest are evicted first.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._entries: OrderedDict[Identity, tuple[Known, float]] = OrderedDict()
        self._lock = Lock()
        self._ended = 0  # sessions, or all of a user at once, by this process

    def get(self, identity: Identity) -> Known | None:
        """Return what is known of a session, or None if there is no fresh entry."""
        entry = self._entries.get(identity)
        return entry[0] if entry and entry[1] > self._timer() else None

    @property
    def epoch(self) -> Epoch:
        """The state before a read, which `add` takes."""
        return self._ended, self._timer()

    def add(self, identity: Identity, known: Known, epoch: Epoch) -> None:
        """Cache an active session that was read from the store.

        `epoch` is from before that read, from which on it is known, however long the read took. If
        this process has ended a session since, it may be this one, which is not cached.
        """
        with self._lock:
            ended, since = epoch
            now, expiry = self._timer(), since + TTL_SECONDS
            if ended != self._ended or expiry <= now:
                return
            self._entries[identity] = known, expiry
            self._entries.move_to_end(identity)
            while len(self._entries) > CAPACITY or self._first_expiry() < now:
                self._entries.popitem(last=False)

    def _first_expiry(self) -> float:
        return next(iter(self._entries.values()))[1]

    def discard(self, identity: Identity) -> None:
        """Drop a session that was ended."""
        with self._lock:
            self._ended += 1
            self._entries.pop(identity, None)

    def discard_user(self, user_id: str) -> None:
        """Drop all sessions of a user."""
        with self._lock:
            self._ended += 1
            for identity in [each for each in self._entries if each.user_id == user_id]:
                del self._entries[identity]
