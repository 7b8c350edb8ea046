"""A crew: threads for work that nobody waits for, bounded in number and shared fairly."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]

log = logging.getLogger(__name__)


class Crew:
    """Does work in up to `size` threads, of which one line has up to `by_line` at a time.

    Lines take turns, and work of one line begins in the order in which it came. Threads end when
    there is no more work; whatever they do is forgotten when the process ends.
    """

    def __init__(self, size: int, by_line: int) -> None:
        self._size, self._by_line = size, by_line
        self._lines: dict[Hashable, deque[Work]] = {}
        self._busy: Counter[Hashable] = Counter()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._stopped = False

    def add(self, line: Hashable, work: Work) -> None:
        """Have work done; what it raises is logged."""
        with self._lock:
            if self._stopped:
                return
            self._lines.setdefault(line, deque()).append(work)
            if self._busy.total() >= self._size or self._busy[line] >= self._by_line:
                return
            first = self._next()
        if first:
            threading.Thread(target=self._run, args=first, name="crew", daemon=True).start()

    def stop(self, seconds: float) -> None:
        """Begin no work any more, and wait up to so many seconds for what is under way."""
        with self._idle:
            self._stopped = True
            self._lines.clear()
            self._idle.wait_for(lambda: not self._busy, seconds)

    def _next(self) -> tuple[Hashable, Work] | None:
        """Take the work whose turn it is."""
        for line in self._lines:
            if self._busy[line] < self._by_line:
                waiting = self._lines.pop(line)
                work = waiting.popleft()
                if waiting:
                    self._lines[line] = waiting  # behind all others
                self._busy[line] += 1
                return line, work
        return None

    def _run(self, line: Hashable, work: Work) -> None:
        following: tuple[Hashable, Work] | None = (line, work)
        while following:
            line, work = following
            try:
                work()
            except Exception:
                log.exception("Work of a crew failed")
            with self._lock:
                self._busy[line] -= 1
                if not self._busy[line]:
                    del self._busy[line]
                self._idle.notify_all()
                following = self._next()
