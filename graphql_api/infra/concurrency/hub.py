"""Many requests in one thread: who waits for the store lets another one go on (greenlets).

Threads in their place take turns with Python's lock, which is not fair and costs two wake-ups
a turn; here a turn is a switch. So 1.14 times as many creates are answered, 1.05 times as many
requests for a task (docs/performance.md). Nobody may wait in another way than by what is here,
or hold a lock meanwhile: all others would wait, too.
"""

import contextvars
import logging
import math
import os
import select
import selectors
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any, TypeAlias, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

T = TypeVar("T")
Work: TypeAlias = Callable[[None], object]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
ALONE, BESIDE = sys.getswitchinterval(), 0.0005  # seconds that a thread keeps Python's lock for
MOST_READY = 1_024  # sockets that one look tells of: more than ever wait at the same time
LONGEST_APART = 10.0  # seconds of work apart that is not taken to hang
STRETCH = 0.002  # seconds that new requests are begun for, before others go on

_POLLED = {READ: select.POLLIN, WRITE: select.POLLOUT}

log = logging.getLogger(__name__)

_mine = threading.local()


class _Wait:
    """A greenlet that waits, until when, and whether it still does."""

    __slots__ = ("ends", "greenlet")

    def __init__(self, ends: float) -> None:
        self.greenlet, self.ends = getcurrent(), ends


class Anywhere:
    """Tells once of each socket that it can be used, and is rung from other threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.settimeout(0)
        self._selector.register(self._ear, READ)

    def watch(self, file: int, event: int) -> None:
        """Tell of it, in the place of what was to be told of this file before."""
        if file in self._selector.get_map():  # nobody was told; or it is closed, and another is
            self._selector.unregister(file)
        self._selector.register(file, event)

    def look(self, seconds: float | None) -> list[int]:
        """What can be used, after so many seconds at the latest, or once it is rung."""
        files = [key.fd for key, _ in self._selector.select(seconds)]
        for file in files:
            if file == self._ear.fileno():
                self._ear.recv(MOST_READY)
            else:
                self._selector.unregister(file)
        return files

    def ring(self) -> None:
        """End a look."""
        self._bell.send(b"\0")


class OnLinux:
    """The same with a call of the system for each wait and ring, in the place of two and three."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN | select.EPOLLET)

    def watch(self, file: int, event: int) -> None:
        """Tell of it, in the place of what was to be told of this file before."""
        once = _POLLED[event] | select.EPOLLONESHOT
        try:
            self._epoll.modify(file, once)
        except FileNotFoundError:
            self._epoll.register(file, once)

    def look(self, seconds: float | None) -> list[int]:
        """What can be used, after so many seconds at the latest, or once it is rung."""
        return [file for file, _ in self._epoll.poll(seconds, MOST_READY)]

    def ring(self) -> None:
        """End a look."""
        os.eventfd_write(self._bell, 1)


class Hub:
    """A thread for so many requests at once, and so many beside it for what takes long."""

    def __init__(self, threads: int, at_once: int) -> None:
        self._at_once, self._count = at_once, threads
        self._steps: deque[Work] = deque()  # those that nobody has begun
        self._told: deque[_Wait] = deque()  # what other threads have finished
        self._idle: list[greenlet] = []
        self._waits: set[_Wait] = set()
        self._waiting: dict[int, _Wait] = {}  # by the file that they wait for
        self._ends = math.inf  # of the first of the waits, or earlier
        self._sleeps = False
        self._apart: dict[greenlet, float] = {}  # who has work in the threads beside, since when
        self._surplus = 0  # greenlets that are one too many since such work, or a wait, has ended
        self._done = 0  # how much is …
        self._seen = 0  # … when it was last asked

    def start(self) -> None:
        """Let it work, as long as the process lives."""
        self._threads = ThreadPoolExecutor(self._count, "apart")
        self._files = OnLinux() if sys.platform == "linux" else Anywhere()
        threading.Thread(target=self._run, name="hub", daemon=True).start()

    def add_done_callback(self, step: Work, *, context: Any = None) -> None:  # noqa: ARG002 - asyncio's
        """Let it take the step: whoever awaits this goes on in a greenlet of its own."""
        self._steps.append(step)
        self._ring()

    def __await__(self) -> Generator["Hub", None, None]:
        """Ask for a greenlet to go on in; see stepping.Step."""
        yield self

    def moves(self) -> bool:
        """Whether whoever comes is served at once, or somebody was since this was asked last.

        And nothing that is apart takes longer than anything does that says no `extend_deadline`.
        """
        before, self._seen = self._seen, self._done
        served = (self._sleeps and bool(self._idle)) or self._seen != before
        oldest = min(list(self._apart.values()), default=math.inf)
        return served and time.monotonic() - oldest < LONGEST_APART

    def ready(self, file: int, event: int, ends: float) -> bool:
        """Whether a socket could be read or written before that time."""
        self._files.watch(file, event)
        self._waiting[file] = wait = _Wait(ends)
        return self._park(wait)

    def apart(self, work: Callable[[], T]) -> T:
        """What the work gives, done in one of the threads beside.

        Meanwhile threads take turns more often, of which each request needs some: beside four
        lists by urgency a task takes 13 ms in the place of 52 (p50).
        """
        me = getcurrent()
        self._apart[me] = time.monotonic()
        sys.setswitchinterval(BESIDE)
        try:
            done = self._threads.submit(contextvars.copy_context().run, work)
            self.comes(done, math.inf)
            return done.result()
        finally:
            del self._apart[me]
            if not self._apart:
                sys.setswitchinterval(ALONE)

    def comes(self, turn: Future[Any], ends: float) -> bool:
        """Whether a turn comes before that time; meanwhile, one more request is worked on."""
        self._idle.append(greenlet(self._work, self._hub))
        try:
            return self.finished(turn, ends)
        finally:
            self._surplus += 1

    def finished(self, done: Future[Any], ends: float) -> bool:
        """Whether what another thread does was finished before that time."""
        wait = _Wait(ends)
        done.add_done_callback(lambda _: self._tell(wait))
        return self._park(wait)

    def pause(self, seconds: float) -> None:
        """Let others go on meanwhile."""
        self._park(_Wait(time.monotonic() + seconds))

    def _tell(self, wait: _Wait) -> None:
        self._told.append(wait)
        self._ring()

    def _ring(self) -> None:
        if self._sleeps:
            self._sleeps = False
            self._files.ring()

    def _park(self, wait: _Wait) -> bool:
        """Let others go on until the wait is over; whether that was before its end."""
        self._waits.add(wait)
        self._ends = min(self._ends, wait.ends)
        return bool(self._hub.switch())

    def _end(self, wait: _Wait, *, in_time: bool) -> None:
        if wait in self._waits:  # else that has ended it before
            self._waits.remove(wait)
            wait.greenlet.switch(in_time)

    def _run(self) -> None:
        try:
            self._turn()
        except BaseException:  # nobody would be answered any more: the server renews the process
            log.critical("The hub has crashed", exc_info=True)
            os._exit(1)

    def _turn(self) -> None:
        """Give each one a turn who can go on, for ever."""
        _mine.hub, self._hub = self, getcurrent()
        self._idle += [greenlet(self._work) for _ in range(self._at_once)]
        while True:
            while self._told:
                self._end(self._told.popleft(), in_time=True)
            look_at = time.monotonic() + STRETCH
            while self._steps and self._idle:
                self._idle.pop().switch(self._steps.popleft())
                if time.monotonic() >= look_at:  # else those who come could keep all others waiting
                    break
            self._sleeps = True
            files = self._files.look(self._patience())
            self._sleeps = False
            for file in files:
                if wait := self._waiting.pop(file, None):
                    self._end(wait, in_time=True)
            if self._ends <= time.monotonic():
                self._end_late()

    def _patience(self) -> float | None:
        """The seconds to wait for what may happen; asked after `_sleeps` is set."""
        if self._told or (self._steps and self._idle):  # they have come meanwhile
            return 0
        return None if self._ends == math.inf else max(0, self._ends - time.monotonic())

    def _end_late(self) -> None:
        now = time.monotonic()
        late = [wait for wait in self._waits if wait.ends <= now]
        self._ends = min((wait.ends for wait in self._waits if wait.ends > now), default=math.inf)
        for wait in late:
            self._end(wait, in_time=False)

    def _work(self, step: Work) -> None:
        while True:
            try:
                step(None)
            except GreenletExit:  # the interpreter ends
                raise
            except BaseException:  # as panics of granian's, and cancellations, are
                log.exception("A step has crashed")
            self._done += 1
            if self._surplus:
                self._surplus -= 1
                return
            self._idle.append(getcurrent())
            step = self._hub.switch()


def _hub() -> Hub | None:
    """The present thread's; none if it is a test's, a command's, or another server's."""
    return getattr(_mine, "hub", None)


def ready(file: int, event: int, ends: float) -> bool:
    """Whether a socket could be read or written before that time; others go on meanwhile."""
    left = ends - time.monotonic()
    if left <= 0:
        return False
    if hub := _hub():
        return hub.ready(file, event, ends)
    poll = select.poll()
    poll.register(file, _POLLED[event])
    return bool(poll.poll(math.ceil(left * 1_000)))


def pause(seconds: float) -> None:
    """Wait, while others go on; not at all for no time, as before the first attempt at a write."""
    if seconds <= 0:
        return
    if hub := _hub():
        hub.pause(seconds)
    else:
        time.sleep(seconds)


def apart(work: Callable[[], T]) -> T:
    """What the work gives, however long it takes; others go on meanwhile."""
    hub = _hub()
    return hub.apart(work) if hub else work()


def comes(turn: Future[None], seconds: float) -> bool:
    """Whether a turn comes in time; others go on meanwhile, as many as without whoever waits."""
    if hub := _hub():
        return hub.comes(turn, time.monotonic() + seconds)
    return bool(wait_for([turn], seconds).done)


def waits_freely() -> bool:
    """Whether others can go on while the present request waits; not if it has a thread."""
    return _hub() is not None


def within(seconds: float, work: Callable[[], T]) -> T:
    """What the work gives; TimeoutError if it takes longer, and is left to itself.

    For what has no bound of its own: a name that nobody resolves, credentials that nobody
    renews. RuntimeError if there can be no more threads.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if hub := _hub():
        hub.finished(done, time.monotonic() + seconds)
        seconds = 0
    return done.result(max(0, seconds))
