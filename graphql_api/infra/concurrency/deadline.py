"""The deadline of the current request, and the heartbeat of work that may extend it.

Storage calls stop at the deadline. Long work that advances in steps calls `extend_deadline`
after each of them, which also tells the watchdog that the process makes progress.
"""

import time
from contextvars import ContextVar

REQUEST_SECONDS = 5.0  # for all storage calls of a request, retries included

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_heartbeats = 0


def set_deadline(seconds: float = REQUEST_SECONDS) -> None:
    """Give the current request this many seconds from now on."""
    _deadline.set(time.monotonic() + seconds)


def clear_deadline() -> None:
    """End the current request's deadline: calls outside of requests have bounds of their own."""
    _deadline.set(None)


def extend_deadline() -> None:
    """Restart the request's time after a completed step of long work; count a heartbeat."""
    global _heartbeats  # noqa: PLW0603 - two threads at once may count as one: only change matters
    _heartbeats += 1
    if _deadline.get() is not None:
        set_deadline()


def deadline() -> float | None:
    """Return the deadline on the clock of `time.monotonic`; None outside of requests."""
    return _deadline.get()


def heartbeats() -> int:
    """Return how many steps of long work this process has completed."""
    return _heartbeats
