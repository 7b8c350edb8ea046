"""Alarm: calls a function later, in a thread of its own."""

import threading
import time
from collections.abc import Callable


class Alarm:
    """A timer that can be set repeatedly; the earliest time wins, and setting it again is cheap.

    It is forgotten when the process ends: what must happen has to be stored as well.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._rings_at = 0.0  # of time.monotonic()

    def set(self, seconds: float) -> None:
        """Call the function after so many seconds, or earlier if it is already set to that."""
        rings_at = time.monotonic() + seconds
        with self._lock:
            if self._timer:
                if self._rings_at <= rings_at:
                    return
                self._timer.cancel()
            self._timer = None
            timer = threading.Timer(seconds, self._ring)
            timer.daemon = True
            timer.start()  # may fail: then the alarm is not set
            self._timer, self._rings_at = timer, rings_at

    def _ring(self) -> None:
        with self._lock:
            self._timer = None
        self._callback()
