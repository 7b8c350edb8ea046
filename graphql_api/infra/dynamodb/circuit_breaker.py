"""A circuit breaker: while the store is away, nobody waits for it to fail once more."""

import time
from collections.abc import Callable
from threading import Lock

FIRST_PAUSE = 0.25  # seconds until somebody tries again, twice as long each time …
LONGEST_PAUSE = 1.0  # … up to this
RECENT = 5.0  # seconds: a store that has answered others since is only slow
TRIAL = 6.0  # seconds that a trial may take, after which another one may begin


class Breaker:
    """Open while calls are refused at once; then one call at a time tries whether to close it.

    (M. Nygard, "Release It!", 2007.)
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._lock = Lock()
        self._opens_at: float | None = None  # for a trial; None while it is closed
        self._pause = FIRST_PAUSE
        self._answered = -RECENT  # when the store did so last

    @property
    def open(self) -> bool:
        """Whether calls are refused."""
        return self._opens_at is not None

    def allows(self) -> bool:
        """Whether to call; says yes to one caller only once a trial is due."""
        if self._opens_at is None:
            return True
        with self._lock:
            now = self._timer()
            if self._opens_at is None:  # it was closed a moment ago
                return True
            if now < self._opens_at:
                return False
            self._opens_at = now + TRIAL
            return True

    def succeeded(self) -> None:
        """The store has answered."""
        self._answered = self._timer()
        if self._opens_at is not None:
            with self._lock:
                self._opens_at, self._pause = None, FIRST_PAUSE

    def failed(self, *, mute: bool = False) -> None:
        """The store was given up; `mute` if it said nothing at all."""
        if mute and self._timer() - self._answered < RECENT:
            self.untold()  # it is busy with what was asked of it here, and answers others
            return
        with self._lock:
            self._opens_at = self._timer() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def untold(self) -> None:
        """The call has ended without telling: if it was the trial, another one is due."""
        if self._opens_at is not None:
            with self._lock:
                if self._opens_at is not None:
                    self._opens_at = min(self._opens_at, self._timer() + self._pause)
