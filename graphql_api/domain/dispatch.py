"""The dispatcher: does what is due beside requests, such as reminders and webhooks, in one thread.

Several dispatchers may run on one store: each duty claims its work there, by conditional writes.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from graphql_api.errors import ServiceUnavailable

RETRY_SECONDS = 5.0  # until a duty that has failed is called again
IDLE_SECONDS = 60.0  # without any duty
STOP_SECONDS = 2.0  # that a duty may take to return, once it is told to

log = logging.getLogger(__name__)


class Duty(Protocol):
    """Work that is due from time to time. It is quick: what takes long has threads of its own."""

    def run(self, now: datetime) -> float:
        """Do what is due; return the seconds until it should be called again."""

    def stop(self, seconds: float) -> None:
        """Begin nothing any more, and wait so long for threads to end what they do."""


class Dispatcher:
    """Calls each duty when it has asked for it, or when it is woken."""

    def __init__(self, duties: Sequence[Duty], now: Callable[[], datetime]) -> None:
        self._duties, self._now = duties, now
        self._due = dict.fromkeys(range(len(duties)), 0.0)  # of the clock's timestamp, by duty
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._woken: set[int] = set()  # numbers of duties
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._stepped_at = 0.0  # of the clock's timestamp

    def start(self) -> None:
        """Run in a background thread, which ends with the process."""
        self._thread = threading.Thread(target=self.run, name="dispatcher", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Run in this thread until `stop` is called."""
        while not self._stopped.is_set():
            self._wake.wait(self.step())
            self._heed()

    def run_briefly(self, least: float, most: float) -> bool:
        """Run in this thread until nothing is due; return whether no duty has failed.

        It takes so many seconds at least, in which threads of the duties may end their work, and
        at most.
        """
        begun, failures = time.monotonic(), self._failures
        while True:
            pause = self.step()
            passed = time.monotonic() - begun
            if passed >= most or (pause > 0 and passed >= least):
                return self._failures == failures
            self._wake.wait(min(pause, max(0.0, least - passed)))
            self._heed()

    def _heed(self) -> None:
        """Make due whom somebody has woken."""
        if self._wake.is_set():
            self._wake.clear()
            woken, self._woken = self._woken, set()
            self._due.update(dict.fromkeys(woken, 0.0))

    def wake(self, duty: Duty | None = None) -> None:
        """Call a duty soon, or all of them: there may be something to do."""
        self._woken.update(n for n, each in enumerate(self._duties) if duty in {None, each})
        self._wake.set()

    def stop(self) -> None:
        """Call no duty any more, and wait a moment for the present one to return."""
        self._stopped.set()
        self._wake.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)
        for duty in self._duties:
            duty.stop(STOP_SECONDS)

    def step(self) -> float:
        """Call the duties that are due; return the seconds until the next one is.

        After the clock was set back all of them are, else they would wait until it has caught up.
        """
        if self._now().timestamp() < self._stepped_at:
            self._due = dict.fromkeys(self._due, 0.0)
        self._stepped_at = self._now().timestamp()
        for number, duty in enumerate(self._duties):
            if self._stopped.is_set():
                break
            now = self._now()
            if self._due[number] <= now.timestamp():
                self._due[number] = now.timestamp() + self._attempt(duty, now)
        if not self._due:
            return IDLE_SECONDS
        return max(0.0, min(self._due.values()) - self._now().timestamp())

    def _attempt(self, duty: Duty, now: datetime) -> float:
        """Call a duty; one that fails is called again, and keeps no other one from its work."""
        try:
            return duty.run(now)
        except ServiceUnavailable:  # which the store's client has logged
            pass
        except Exception:
            log.exception("%s failed", type(duty).__name__)
        self._failures += 1
        return RETRY_SECONDS
