"""Which sessions are alive, and whose they are, as one process knows it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from graphql_api.domain.accounts.model import User
from graphql_api.domain.accounts.tokens import Viewer

SECONDS = 4  # for which an answer is good: what ends elsewhere is noticed here within 5
REMEMBERED = 10_000  # sessions


class LiveSessions:
    """Remembers for a moment which sessions were alive, so that not every request asks."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._alive: OrderedDict[Viewer, tuple[User, float]] = OrderedDict()
        self._lock = Lock()
        self.epoch = 0  # one more whenever a session has ended here

    def user(self, viewer: Viewer) -> User | None:
        """Whose session it is, if it was alive a moment ago."""
        found = self._alive.get(viewer)
        return found[0] if found and found[1] > self._timer() else None

    def add(self, viewer: Viewer, user: User, epoch: int) -> None:
        """Note that the user's session was alive at this epoch, which was taken before looking."""
        with self._lock:
            if epoch != self.epoch:  # what has ended meanwhile may be this very session
                return
            now = self._timer()
            self._alive[viewer] = user, now + SECONDS
            self._alive.move_to_end(viewer)
            while len(self._alive) > REMEMBERED or self._oldest() < now:
                self._alive.popitem(last=False)

    def _oldest(self) -> float:
        """When the first of the answers is too old."""
        return next(iter(self._alive.values()))[1]

    def discard(self, viewer: Viewer) -> None:
        """Forget a session that has ended."""
        with self._lock:
            self.epoch += 1
            self._alive.pop(viewer, None)

    def discard_all(self, user_id: str) -> None:
        """Forget all sessions of a user."""
        with self._lock:
            self.epoch += 1
            for viewer in [viewer for viewer in self._alive if viewer.user_id == user_id]:
                del self._alive[viewer]
