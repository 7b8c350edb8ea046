"""Greenlet hub: one thread serves many requests, and switches whenever one of them waits.

Threads in its place compete for the interpreter lock, which is unfair and costs two wake-ups a
hand-over; here a hand-over is a greenlet switch: 1.14 times the rate of creates, 1.05 times that
of reads of one task (docs/performance.md). Code in a hub waits by the functions of waiting.py
only, and holds no lock meanwhile: any other wait stops every request of the process.
"""

import contextvars
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from graphql_api.infra import process_wide
from graphql_api.infra.concurrency.poller import new_poller

T = TypeVar("T")
Work: TypeAlias = Callable[[None], object]

HUNG_SECONDS = 10.0  # of work in a thread, after which it is taken to hang
TIME_SLICE = 0.002  # seconds in which new requests are begun before those that wait go on

log = logging.getLogger(__name__)

_thread = threading.local()


def current_hub() -> "Hub | None":
    """Return the hub of this thread; None in commands, in tests and under other servers."""
    return getattr(_thread, "hub", None)


class _Wait:
    """A parked greenlet, and the time at which its wait ends at the latest."""

    __slots__ = ("deadline", "greenlet")

    def __init__(self, deadline: float) -> None:
        self.greenlet, self.deadline = getcurrent(), deadline


class Hub:
    """A thread that runs up to `concurrency` requests at once, and a pool for long work.

    All deadlines are on the clock of `time.monotonic`.
    """

    def __init__(self, threads: int, concurrency: int) -> None:
        self._concurrency, self._thread_count = concurrency, threads
        self._pending: deque[Work] = deque()  # not begun yet
        self._finished: deque[_Wait] = deque()  # waits that other threads have ended
        self._idle: list[greenlet] = []
        self._waits: set[_Wait] = set()
        self._waits_by_fd: dict[int, _Wait] = {}
        self._next_deadline = math.inf  # of the earliest wait, or earlier than that
        self._polling = False
        self._in_threads: dict[greenlet, float] = {}  # since when each has work in the pool
        self._excess = 0  # greenlets to end, after one lent its slot and has taken it back
        self._completed = 0
        self._completed_before = 0  # when progress was last asked for

    def start(self) -> None:
        """Start the thread and the pool; they end with the process."""
        self._pool = ThreadPoolExecutor(self._thread_count, "worker")
        self._poller = new_poller()
        threading.Thread(target=self._run, name="hub", daemon=True).start()

    def add_done_callback(self, work: Work, *, context: Any = None) -> None:  # noqa: ARG002 - asyncio's
        """Run the work in a greenlet; a coroutine that awaits the hub continues in one so."""
        self._pending.append(work)
        self._wake()

    def __await__(self) -> Generator["Hub", None, None]:
        """Continue a coroutine of event_loop.InlineTask in a greenlet of this hub."""
        yield self

    def is_making_progress(self) -> bool:
        """Return whether the hub is idle, or has completed a request since the last call.

        False while work in a thread takes longer than HUNG_SECONDS.
        """
        before, self._completed_before = self._completed_before, self._completed
        is_idle = self._polling and bool(self._idle)
        oldest = min(list(self._in_threads.values()), default=math.inf)
        is_hung = time.monotonic() - oldest >= HUNG_SECONDS
        return (is_idle or self._completed_before != before) and not is_hung

    def wait_for_socket(self, fd: int, event: int, deadline: float) -> bool:
        """Park until a socket is ready for READ or WRITE; False at the deadline."""
        self._poller.register(fd, event)
        self._waits_by_fd[fd] = wait = _Wait(deadline)
        return self._park(wait)

    def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run work in the pool, with this context, and lend the slot to another request."""
        me = getcurrent()
        self._in_threads[me] = time.monotonic()
        process_wide.shorten_switch_interval()
        try:
            future = self._pool.submit(contextvars.copy_context().run, work)
            self.wait_lending_slot(future, math.inf)
            return future.result()
        finally:
            del self._in_threads[me]
            if not self._in_threads:
                process_wide.restore_switch_interval()

    def wait_lending_slot(self, future: Future[Any], deadline: float) -> bool:
        """Park until the future is done, and let one more request run; False at the deadline."""
        self._idle.append(greenlet(self._work, self._hub))
        try:
            return self.wait_for(future, deadline)
        finally:
            self._excess += 1

    def wait_for(self, future: Future[Any], deadline: float) -> bool:
        """Park until the future is done; False at the deadline."""
        wait = _Wait(deadline)
        future.add_done_callback(lambda _: self._finish(wait))
        return self._park(wait)

    def sleep(self, seconds: float) -> None:
        """Park for this time."""
        self._park(_Wait(time.monotonic() + seconds))

    def _finish(self, wait: _Wait) -> None:
        """End a wait from another thread."""
        self._finished.append(wait)
        self._wake()

    def _wake(self) -> None:
        if self._polling:
            self._polling = False
            self._poller.wake()

    def _park(self, wait: _Wait) -> bool:
        """Switch to the hub until the wait ends; False if that was its deadline."""
        self._waits.add(wait)
        self._next_deadline = min(self._next_deadline, wait.deadline)
        return bool(self._hub.switch())

    def _resume(self, wait: _Wait, *, in_time: bool) -> None:
        if wait in self._waits:  # else it has ended before, in another way
            self._waits.remove(wait)
            wait.greenlet.switch(in_time)

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException:  # nobody would get a response any more: the server starts another
            log.critical("The hub has crashed", exc_info=True)
            os._exit(1)

    def _loop(self) -> None:
        """Run every greenlet that can go on, forever."""
        _thread.hub, self._hub = self, getcurrent()
        self._idle += [greenlet(self._work) for _ in range(self._concurrency)]
        while True:
            while self._finished:
                self._resume(self._finished.popleft(), in_time=True)
            self._begin_pending()
            for fd in self._poll():
                if wait := self._waits_by_fd.pop(fd, None):
                    self._resume(wait, in_time=True)
            if self._next_deadline <= time.monotonic():
                self._resume_late()

    def _begin_pending(self) -> None:
        """Begin new work; no longer than a time slice, or it could keep all others waiting."""
        until = time.monotonic() + TIME_SLICE
        while self._pending and self._idle:
            self._idle.pop().switch(self._pending.popleft())
            if time.monotonic() >= until:
                return

    def _poll(self) -> list[int]:
        self._polling = True
        ready = self._poller.poll(self._poll_timeout())
        self._polling = False
        return ready

    def _poll_timeout(self) -> float | None:
        """Return the seconds until there is something to do; called with `_polling` set."""
        if self._finished or (self._pending and self._idle):  # added since it was last looked at
            return 0
        if self._next_deadline == math.inf:
            return None
        return max(0, self._next_deadline - time.monotonic())

    def _resume_late(self) -> None:
        now = time.monotonic()
        late = [wait for wait in self._waits if wait.deadline <= now]
        self._next_deadline = min(
            (wait.deadline for wait in self._waits if wait.deadline > now), default=math.inf
        )
        for wait in late:
            self._resume(wait, in_time=False)

    def _work(self, work: Work) -> None:
        """Do one work after another: the life of a greenlet."""
        while True:
            try:
                work(None)
            except GreenletExit:  # the interpreter ends
                raise
            except BaseException:  # such as panics of granian, and cancellations
                log.exception("A request has crashed")
            self._completed += 1
            if self._excess:
                self._excess -= 1
                return
            self._idle.append(getcurrent())
            work = self._hub.switch()
