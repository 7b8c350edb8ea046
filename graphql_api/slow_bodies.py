"""Bodies that never come: while they hold most of the waiting threads, their connections are cut.

granian has no time limit for bodies, and who waits for one cannot be called back. But the end
of the connection ends the wait, and the kernel knows how much came over each, and when. Only
Linux tells it; elsewhere nothing is cut.
"""

import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

SECONDS = 5.0  # for a client to send a body, or any sign of life; the same as for a head
RATE = 500  # bytes a second that earn it more time: mod_reqtimeout's MinRate, Apache httpd 2.4
LOOK_SECONDS = 1.0  # between two looks
CONTINUE_BYTES = 64  # of `HTTP/1.1 100 Continue`, and no more than that
MARGIN = 1.0  # seconds that the last byte may have come before its thread has seen it

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrival:
    """When a request has got its thread, and when its body was whole; None while it comes."""

    began: float
    whole: float | None = None


class Arrivals:
    """The requests that hold a thread of this process."""

    def __init__(self) -> None:
        self._by_thread: dict[int, Arrival] = {}

    def begin(self) -> Arrival:
        """A request has got the present thread; its body is still to come."""
        arrival = self._by_thread[threading.get_ident()] = Arrival(time.monotonic())
        return arrival

    def end(self) -> None:
        """The present thread has answered."""
        del self._by_thread[threading.get_ident()]

    def all(self) -> list[Arrival]:
        """All of them at this moment."""
        return list(self._by_thread.copy().values())


class Traffic(NamedTuple):
    """What came and went over a connection, in bytes, and for how many seconds nothing did."""

    received: int
    sent: int
    received_ago: float
    sent_ago: float

    @classmethod
    def of(cls, connection: socket.socket) -> "Traffic":
        """What the kernel knows (struct tcp_info of linux/tcp.h; only Linux has this layout)."""
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
        sent_ago, received_ago = struct.unpack_from("=I4xI", info, 44)  # milliseconds
        sent, received = struct.unpack_from("=QQ", info, 120)
        return cls(received, sent, received_ago / 1000, sent_ago / 1000)

    @property
    def between_requests(self) -> bool:
        """Whether everything that came seems to be answered; times are exact to 10 ms only."""
        return not self.received or (self.sent > 0 and self.sent_ago <= self.received_ago)


class _Seen(NamedTuple):
    """When the client's present request had not begun yet, and how much had come before it."""

    since: float
    received: int


class SlowBodies:
    """Looks, once a second, whether slow bodies hold most of the `threads`, and cuts them off."""

    def __init__(self, port: int, arrivals: Arrivals, threads: int) -> None:
        self.on_cut: Callable[[int], None] | None = None  # who wants to hear how many were
        self._port = port
        self._arrivals = arrivals
        self._most = threads // 2
        self._seen: dict[int, _Seen] = {}
        self._cut_off: set[int] = set()  # which may still be there for a moment

    def watch(self, wait: Callable[[float], None] = time.sleep) -> None:
        """Look again and again, in a thread of its own."""

        def forever() -> None:
            while True:
                wait(LOOK_SECONDS)
                try:
                    self.look()
                except OSError:  # such as too many open files: then the next look may help
                    log.exception("Slow bodies could not be looked for")

        if sys.platform == "linux":
            threading.Thread(target=forever, name="slow-bodies", daemon=True).start()

    def look(self) -> int:
        """How many connections were cut: none as long as half of the threads are free."""
        now, arrivals = time.monotonic(), self._arrivals.all()
        waits = [now - arrival.began for arrival in arrivals if arrival.whole is None]
        if len(waits) <= self._most:
            self._seen, self._cut_off = {}, set()
            return 0
        self._remember(now)
        late = sum(wait >= SECONDS for wait in waits)
        if late <= self._most:
            return 0
        # As many as wait too long, the oldest first: others only wait for one of those threads.
        slow = sorted(self._slow(now, arrivals))
        return self._cut({number for *_, number in slow[:late]})

    def _remember(self, now: float) -> None:
        before, self._seen = self._seen, {}
        for number, connection in _connections(self._port):
            traffic = Traffic.of(connection)
            seen = before.get(number)
            if seen is None or traffic.between_requests:
                seen = _Seen(now, traffic.received)
            self._seen[number] = seen
        self._cut_off &= self._seen.keys()

    def _slow(self, now: float, arrivals: list[Arrival]) -> Iterator[tuple[bool, float, int]]:
        """Who sends too slowly and has no answer in the making, by what sorts the worst first."""
        # Who is answered for so long sent the last byte about when the body was whole.
        answered = [a.whole for a in arrivals if a.whole is not None and now - a.began >= SECONDS]
        for number, connection in _connections(self._port):
            traffic, seen = Traffic.of(connection), self._seen.get(number)
            if seen is None or number in self._cut_off:
                continue
            last = now - traffic.received_ago
            spared = any(abs(last - whole) < MARGIN for whole in answered)
            if not spared and _slow(traffic, seen, now):
                # Those that were answered and are idle come last: they hold no thread. Only
                # `100 Continue` looks like an answer, and says that a thread waits for the body.
                yield traffic.between_requests and traffic.sent > CONTINUE_BYTES, seen.since, number

    def _cut(self, numbers: set[int]) -> int:
        count = 0
        for number, connection in _connections(self._port):
            if number in numbers:
                with suppress(OSError):  # it has ended by itself
                    # Its thread goes on with what there is, and can still answer.
                    connection.shutdown(socket.SHUT_RD)
                    self._cut_off.add(number)
                    count += 1
        if count:
            if self.on_cut:
                self.on_cut(count)
            log.warning("%d connections were cut: their bodies came too slowly", count)
        return count


def _slow(traffic: Traffic, seen: _Seen, now: float) -> bool:
    """Whether nothing happens on a connection, or too little arrives."""
    if min(traffic.received_ago, traffic.sent_ago) >= SECONDS:
        return True
    took = now - seen.since
    return took >= SECONDS and traffic.received - seen.received < RATE * took


def _connections(port: int) -> Iterator[tuple[int, socket.socket]]:
    """The connections to the port that are open here, with their inodes, each until the next."""
    for name in sorted(os.listdir("/proc/self/fd"), key=int):  # noqa: PTH208 - numbers, no paths
        with suppress(OSError):  # it has been closed meanwhile
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):  # noqa: PTH115 - as above
                # A duplicate stays the same connection, whatever becomes of the number.
                with socket.socket(fileno=os.dup(int(name))) as connection:
                    if _accepted(connection, port):
                        yield os.fstat(connection.fileno()).st_ino, connection


def _accepted(connection: socket.socket, port: int) -> bool:
    if connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    with suppress(OSError):  # a socket that listens has no peer
        connection.getpeername()
        return bool(connection.getsockname()[1] == port)
    return False
