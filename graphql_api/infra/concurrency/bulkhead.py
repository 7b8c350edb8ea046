"""Places for costly work: so much of it is done at a time, and so many wait for a while."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum
from threading import Lock
from typing import TypeVar

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.concurrency.waiting import has_hub, run_in_thread, wait_for

T = TypeVar("T")


class Place(Enum):
    """What has just become of a place."""

    TAKEN = "taken"
    LEFT = "left"
    REFUSED = "refused"


class Places:
    """So many places, what those hear who get none, and how many wait for one how long.

    Whoever has a thread only waits where the others can spare it: `in_threads`.
    """

    def __init__(
        self, count: int, refusal: str, *, waiting: int, seconds: float, in_threads: bool = False
    ) -> None:
        self.on_place: Callable[[Place], None] | None = None  # who wants to hear of them
        self._free = count
        self._refusal = refusal
        self._waiting, self._seconds = waiting, seconds
        self._in_threads = in_threads
        self._turns: deque[Future[None]] = deque()  # of those who wait, in the order they came
        self._lock = Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """A place, for as long as it is held; ServiceUnavailable if there is none in time."""
        if not self._taken():
            self._tell(Place.REFUSED)
            raise ServiceUnavailable(self._refusal)
        self._tell(Place.TAKEN)
        try:
            yield
        finally:
            self._leave()
            self._tell(Place.LEFT)

    def apart(self, work: Callable[[], T]) -> T:
        """What the work gives, done apart, in a place; ServiceUnavailable without one in time."""
        with self.take():
            return run_in_thread(work)

    def _taken(self) -> bool:
        may_wait = self._waiting if self._in_threads or has_hub() else 0
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._turns) >= may_wait:
                return False
            turn: Future[None] = Future()
            self._turns.append(turn)
        if not wait_for(turn, self._seconds):
            with self._lock:
                if turn in self._turns:
                    self._turns.remove(turn)
                    return False
        extend_deadline()  # to whoever has waited, or the place would be of no use
        return True

    def _leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._turns:
                self._turns.popleft().set_result(None)
            else:
                self._free += 1

    def _tell(self, place: Place) -> None:
        if self.on_place:
            self.on_place(place)
