"""Bulkheads: limits on how much costly work runs at once, and how much waits for that.

(M. Nygard, "Release It!", 2007: a flood of one kind of work cannot sink all others.)
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import TypeVar

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.concurrency.waiting import has_hub, run_in_thread, wait_for

T = TypeVar("T")


class Event(Enum):
    """Something that has just happened at a bulkhead."""

    ACQUIRED = "acquired"
    RELEASED = "released"
    REJECTED = "rejected"


class Bulkhead:
    """Lets `size` run at once; up to `queue_limit` others wait for up to `queue_seconds` each.

    Everybody else is rejected with the message. Without a hub a request waits in a thread of its
    server, which other requests may need: only where `waits_in_threads` says that it may.
    """

    def __init__(
        self,
        size: int,
        message: str,
        *,
        queue_limit: int,
        queue_seconds: float,
        waits_in_threads: bool = False,
    ) -> None:
        self.size = size
        self.on_event: Callable[[Event], None] | None = None
        self._free = size
        self._message = message
        self._queue_limit, self._queue_seconds = queue_limit, queue_seconds
        self._waits_in_threads = waits_in_threads
        self._queue: deque[Future[None]] = deque()  # first come, first served
        self._lock = Lock()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot; raises ServiceUnavailable if none becomes free in time."""
        if not self._acquired():
            self._report(Event.REJECTED)
            raise ServiceUnavailable(self._message)
        self._report(Event.ACQUIRED)
        try:
            yield
        finally:
            self._release()
            self._report(Event.RELEASED)

    def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run work in a thread and a slot; raises ServiceUnavailable without one in time."""
        with self.slot():
            return run_in_thread(work)

    def _acquired(self) -> bool:
        queue_limit = self._queue_limit if self._waits_in_threads or has_hub() else 0
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= queue_limit:
                return False
            turn: Future[None] = Future()
            self._queue.append(turn)
        if not wait_for(turn, self._queue_seconds):
            with self._lock:
                if turn in self._queue:
                    self._queue.remove(turn)
                    return False
        extend_deadline()  # the wait has used up the request's time, and the slot would be wasted
        return True

    def _release(self) -> None:
        """Hand the slot to the first in the queue."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set_result(None)
            else:
                self._free += 1

    def _report(self, event: Event) -> None:
        if self.on_event:
            self.on_event(event)


@dataclass(slots=True)
class _Share:
    """The bulkhead of one key, and how many have or want a slot of it."""

    bulkhead: Bulkhead
    users: int = 0


class Shares:
    """A bulkhead for each key, so that none can take all that there is; kept while it is used."""

    def __init__(self, bulkhead: Callable[[], Bulkhead]) -> None:
        """`bulkhead` builds the one of a key."""
        self._bulkhead = bulkhead
        self._shares: dict[str, _Share] = {}
        self._lock = Lock()

    @contextmanager
    def slot(self, key: str) -> Iterator[None]:
        """Hold a slot of the key's; raises ServiceUnavailable if none becomes free in time."""
        with self._lock:
            share = self._shares.get(key)
            if share is None:
                share = self._shares[key] = _Share(self._bulkhead())
            share.users += 1
        try:
            with share.bulkhead.slot():
                yield
        finally:
            with self._lock:
                share.users -= 1
                if not share.users:
                    del self._shares[key]
