"""The threads that do the work: few that take turns with Python's lock, and spare ones."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeAlias

Work: TypeAlias = Callable[[None], object]

log = logging.getLogger(__name__)

_mine = threading.local()


class Threads:
    """So many threads of which so many work at once, on what comes first.

    A thread that has waited for an answer of the store takes Python's lock only if no other is
    quicker. Of three or four that compete so, one of a hundred requests waits for ten times as
    long as most; of two, for twice or thrice as long.
    """

    def __init__(self, count: int, at_once: int) -> None:
        self._count, self._at_once = count, at_once
        self._queue: SimpleQueue[Work] = SimpleQueue()
        self._busy: set[int] = set()  # which threads are; those that are apart are not
        self._done = self._seen = 0  # how much work is, now and when it was last asked
        self._needed = threading.Semaphore(at_once)  # spare threads wait for it
        self._surplus: deque[None] = deque()  # one for each thread that is to be a spare one again

    def start(self) -> None:
        """Let them work, as long as the process lives."""
        for number in range(self._count):
            threading.Thread(target=self._work, name=f"work-{number}", daemon=True).start()

    def add_done_callback(self, step: Work, *, context: Any = None) -> None:  # noqa: ARG002 - asyncio's
        """Let one of them take the step: whoever awaits this goes on in that thread."""
        self._queue.put(step)

    def __await__(self) -> Generator["Threads", None, None]:
        """Ask for a thread to go on in; see stepping.Step."""
        yield self

    def moves(self) -> bool:
        """Whether whoever comes is served at once, or somebody was since this was asked last."""
        before, self._seen = self._seen, self._done
        is_free = len(self._busy) < self._at_once and self._queue.empty()
        return is_free or self._seen != before

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Let a spare thread, if there is one, take the place of this one meanwhile."""
        me = threading.get_ident()
        self._busy.discard(me)
        self._needed.release()
        try:
            yield
        finally:
            self._surplus.append(None)
            self._busy.add(me)

    def _work(self) -> None:
        _mine.threads = self
        me, busy = threading.get_ident(), self._busy
        self._needed.acquire()
        while True:
            step = self._queue.get()
            busy.add(me)
            try:
                step(None)
            except Exception:
                log.exception("A step has crashed")
            finally:
                busy.discard(me)
                self._done += 1  # two at once may count as one: only whether it changes matters
            if self._surplus:
                self._rest()

    def _rest(self) -> None:
        try:
            self._surplus.pop()
        except IndexError:  # another one rests already
            return
        self._needed.acquire()


@contextmanager
def apart() -> Iterator[None]:
    """Let others work while the present thread waits for long, or has costly work to do."""
    threads: Threads | None = getattr(_mine, "threads", None)
    if threads is None:  # it is a test's, a command's, another server's; or it is apart already
        yield
        return
    _mine.threads = None
    try:
        with threads.replaced():
            yield
    finally:
        _mine.threads = threads
