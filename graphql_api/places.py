"""Places for costly work: so much of it is done at a time, and who finds none is told at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from threading import BoundedSemaphore

from graphql_api.errors import ServiceUnavailable
from graphql_api.hub import pause

LOOK_SECONDS = 0.02  # between two looks for a place that has become free


class Place(Enum):
    """What has just become of a place."""

    TAKEN = "taken"
    LEFT = "left"
    REFUSED = "refused"


class Places:
    """So many places, and what those hear who get none."""

    def __init__(self, count: int, refusal: str) -> None:
        self.on_place: Callable[[Place], None] | None = None  # who wants to hear of them
        self._free = BoundedSemaphore(count)
        self._refusal = refusal

    @contextmanager
    def take(self, patience: float = 0) -> Iterator[None]:
        """A place, for as long as it is held; ServiceUnavailable after so many seconds without."""
        if not self._taken(patience):
            self._tell(Place.REFUSED)
            raise ServiceUnavailable(self._refusal)
        self._tell(Place.TAKEN)
        try:
            yield
        finally:
            self._free.release()
            self._tell(Place.LEFT)

    def _taken(self, patience: float) -> bool:
        ends = time.monotonic() + patience
        while not self._free.acquire(blocking=False):
            if ends <= time.monotonic():
                return False
            pause(LOOK_SECONDS)
        return True

    def _tell(self, place: Place) -> None:
        if self.on_place:
            self.on_place(place)
