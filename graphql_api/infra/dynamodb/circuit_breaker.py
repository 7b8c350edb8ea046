"""Circuit breaker: while the store is down, calls fail at once in place of waiting for it.

(M. Nygard, "Release It!", 2007.)
"""

import time
from collections.abc import Callable
from threading import Lock

FIRST_PAUSE = 0.25  # seconds until the first trial call; twice as long before each later one …
LONGEST_PAUSE = 1.0  # … up to this
RECENT = 5.0  # seconds: a store that has responded to other calls since then is only slow
LATELY = 5.0  # seconds for which a failure is told, though other calls may have succeeded
TRIAL_TIMEOUT = 6.0  # seconds after which a trial call without a result may be followed by another


class CircuitBreaker:
    """Closed while the store responds. Open, it lets through one trial call at a time."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._lock = Lock()
        self._next_trial: float | None = None  # None while it is closed
        self._pause = FIRST_PAUSE
        self._last_success, self._last_failure = -RECENT, -LATELY

    @property
    def is_open(self) -> bool:
        """True while calls fail at once."""
        return self._next_trial is not None

    @property
    def has_failed_lately(self) -> bool:
        """True for some seconds after a failure, even if other calls succeed."""
        return self._timer() - self._last_failure < LATELY

    def allows_call(self) -> bool:
        """Return whether to make a call; while open, True for one caller once a trial is due."""
        if self._next_trial is None:
            return True
        with self._lock:
            now = self._timer()
            if self._next_trial is None:  # it was closed a moment ago
                return True
            if now < self._next_trial:
                return False
            self._next_trial = now + TRIAL_TIMEOUT
            return True

    def record_success(self) -> None:
        """Close it: the store has responded."""
        self._last_success = self._timer()
        if self._next_trial is not None:
            with self._lock:
                self._next_trial, self._pause = None, FIRST_PAUSE

    def record_failure(self, *, timed_out: bool = False) -> None:
        """Open it, unless the call timed out at a store that has just responded to others."""
        self._last_failure = self._timer()
        if timed_out and self._timer() - self._last_success < RECENT:
            self.record_inconclusive()
            return
        with self._lock:
            self._next_trial = self._timer() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def record_inconclusive(self) -> None:
        """Allow another trial, if the call was one: it has shown nothing about the store."""
        if self._next_trial is not None:
            with self._lock:
                if self._next_trial is not None:
                    self._next_trial = min(self._next_trial, self._timer() + self._pause)
