"""Which sessions are alive, as one process knows it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from graphql_api.accounts.tokens import Viewer

SECONDS = 4  # for which an answer is good: what ends elsewhere is noticed here within 5
REMEMBERED = 10_000  # sessions


class LiveSessions:
    """Remembers for a moment which sessions were alive, so that not every request asks."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._until: OrderedDict[Viewer, float] = OrderedDict()
        self._lock = Lock()
        self.epoch = 0  # one more whenever a session has ended here

    def __contains__(self, viewer: Viewer) -> bool:
        return self._until.get(viewer, 0) > self._timer()

    def add(self, viewer: Viewer, epoch: int) -> None:
        """Note that the session was alive at this epoch, which was taken before looking."""
        with self._lock:
            if epoch != self.epoch:  # what has ended meanwhile may be this very session
                return
            self._until[viewer] = self._timer() + SECONDS
            self._until.move_to_end(viewer)
            while len(self._until) > REMEMBERED:
                self._until.popitem(last=False)

    def discard(self, viewer: Viewer) -> None:
        """Forget a session that has ended."""
        with self._lock:
            self.epoch += 1
            self._until.pop(viewer, None)

    def discard_all(self, user_id: str) -> None:
        """Forget all sessions of a user."""
        with self._lock:
            self.epoch += 1
            for viewer in [viewer for viewer in self._until if viewer.user_id == user_id]:
                del self._until[viewer]
