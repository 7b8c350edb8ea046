"""Hints: a process that has written tells the dispatcher, in whichever process that is.

Nothing depends on a hint but how soon a change is delivered, so it has no place in a write's
transaction. A write costs nothing more for it: who has webhooks is read once in REFRESH_SECONDS
while anybody writes, and a hint is given by a thread aside, once for all that is written at a time.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime

from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.alarm import Alarm

REFRESH_SECONDS = 10.0
GATHER_SECONDS = 0.05  # in which further writes are told of by the same hint


class Hints:
    """Tells of writes by users who have webhooks."""

    def __init__(self, store: WebhookStore, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._alarm = Alarm(self.give)
        self._lock = threading.Lock()
        self._users: frozenset[str] = frozenset()
        self._stale_at = 0.0  # of time.monotonic()
        self._written: set[str] = set()
        self._started = False

    def start(self) -> None:
        """Begin to tell: this process serves, and lives for a while."""
        self._started = True

    def note(self, user_id: str) -> None:
        """Note that this user's feed has a new change."""
        if self._started and (user_id in self._users or time.monotonic() >= self._stale_at):
            with self._lock:
                self._written.add(user_id)
            self._alarm.set(GATHER_SECONDS)

    def give(self) -> None:
        """Hasten the lanes of those who have written."""
        with self._lock:
            written, self._written = self._written, set()
        with contextlib.suppress(ServiceUnavailable):
            if time.monotonic() >= self._stale_at:
                self._users = frozenset(lane.item for lane in self._store.lanes())
                self._stale_at = time.monotonic() + REFRESH_SECONDS
            for user_id in written & self._users:
                self._store.hasten(user_id, self._now())
