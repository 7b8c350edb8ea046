"""A guard over this process's connections: clients that do not read, and addresses with too many.

The server below has no deadline for writing: an answer stays in memory until its client has read
it. And it accepts a bounded number of connections, all of which slow clients could take. So this
looks at the sockets themselves, by what the kernel knows of each (tcp(7), TCP_INFO), and shuts
down what breaks the rules. Linux only; elsewhere a proxy in front has to do it.
"""

import contextlib
import fcntl
import ipaddress
import logging
import os
import socket
import struct
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

READ_SECONDS = 10.0  # for a client to read an answer …
READ_RATE = 8_192  # … and a second more for so many bytes of it that it has read
LARGE_ANSWER = 256 * 1024  # bytes, from which on an answer counts until it is read …
MAX_UNREAD = 24 * 1024 * 1024  # … bytes in all; the slowest readers of more are cut
SCAN_SECONDS = 1.0  # between two looks at the connections …
HURRY_SECONDS = 0.2  # … and while some had to be cut

# Offsets in struct tcp_info (linux/tcp.h): __u64 tcpi_bytes_acked, then __u64 tcpi_bytes_received.
_TCP_INFO_SIZE, _BYTES_ACKED = 136, 120
_INT = struct.Struct("i")
_COUNTS = struct.Struct("QQ")

log = logging.getLogger(__name__)


Peer: TypeAlias = tuple[str, int]


class UnreadAnswers:
    """The bytes of large answers that clients have not read yet, by peer.

    What the server below has not given to the kernel yet can be seen nowhere else.
    """

    def __init__(self) -> None:
        self._answers: dict[Peer, tuple[int, float]] = {}  # bytes, and since when

    def add(self, peer: Peer, size: int, now: float) -> None:
        """Note a large answer that begins to be sent; a connection has one at a time."""
        self._answers[peer] = size, now

    def settle(self, waiting: Container[Peer], now: float) -> None:
        """Forget the answers of peers for whom nothing waits any more."""
        for peer, (_, since) in [*self._answers.items()]:
            if peer not in waiting and now - since > SCAN_SECONDS:
                self._answers.pop(peer, None)

    def size(self, peer: Peer) -> int:
        """Return the bytes that wait for a peer, 0 if they are few."""
        return self._answers.get(peer, (0, 0.0))[0]


class Seen(NamedTuple):
    """One look at a connection: bytes that the client has read and sent, and that wait for it."""

    file: int
    peer: Peer
    read: int
    sent: int
    waiting: int


@dataclass(slots=True)
class _Connection:
    """The state of a connection since it was first seen."""

    since: float
    unread_since: float | None = None  # when bytes began to wait for the client to read them
    read_before: int = 0  # bytes that it had read by then

    def is_late(self, seen: Seen, now: float) -> bool:
        """Note what was seen; whether the client reads too slowly."""
        if not seen.waiting:
            self.unread_since = None
            return False
        if self.unread_since is None:
            self.unread_since, self.read_before = now, seen.read
        allowed = READ_SECONDS + (seen.read - self.read_before) / READ_RATE
        return now - self.unread_since > allowed


class ConnectionGuard:
    """Decides which connections to cut; `look` and `cut` do it to the process's own sockets."""

    def __init__(
        self,
        most: int,
        most_by_address: int | None,
        look: Callable[[], Iterable[Seen]],
        cut: Callable[[Seen], bool],
        unread: UnreadAnswers,
    ) -> None:
        """`most` connections are served at a time, and so many of one address, if that is told.

        Behind a proxy all connections are the proxy's: then there is no bound by address.
        """
        self._most, self._most_by_address = most, most_by_address
        self._look, self._cut, self._unread = look, cut, unread
        self._known: dict[tuple[int, Peer], _Connection] = {}

    def scan(self, now: float) -> int:
        """Look at all connections once, and cut those that break the rules; how many were cut."""
        seen = list(self._look())
        known = self._known
        self._known = {
            (each.file, each.peer): known.get((each.file, each.peer)) or _Connection(now)
            for each in seen
        }
        doomed = {id(each): each for each in seen if self._of(each).is_late(each, now)}
        self._unread.settle({each.peer for each in seen if each.waiting}, now)
        for each in (
            *self._beyond_the_share(seen, now),
            *self._under_pressure(seen, now),
            *self._beyond_memory(seen, now),
        ):
            doomed[id(each)] = each
        return sum(map(self._cut, doomed.values()))

    def _of(self, seen: Seen) -> _Connection:
        return self._known[seen.file, seen.peer]

    def _beyond_the_share(self, seen: list[Seen], now: float) -> Iterator[Seen]:
        """Of an address with too many connections, the slowest."""
        if self._most_by_address is None:
            return
        counts = Counter(network(each.peer[0]) for each in seen)
        for address, count in counts.items():
            if count > self._most_by_address:
                theirs = [each for each in seen if network(each.peer[0]) == address]
                yield from self._slowest(theirs, count - self._most_by_address, now)

    def _under_pressure(self, seen: list[Seen], now: float) -> Iterator[Seen]:
        """The slowest of the addresses with most, while almost no more can be accepted."""
        most = self._most * 3 // 4
        if len(seen) <= most:
            return
        counts = Counter(network(each.peer[0]) for each in seen)
        busiest = sorted(seen, key=lambda each: counts[network(each.peer[0])], reverse=True)
        yield from self._slowest(busiest[: len(seen) // 2], len(seen) - most, now)

    def _beyond_memory(self, seen: list[Seen], now: float) -> Iterator[Seen]:
        """Of those who were reading large answers at the last look, too, the slowest."""
        readers = [each for each in seen if self._unread.size(each.peer) and self._waits(each, now)]
        held = sum(self._unread.size(each.peer) for each in readers)
        for each in self._slowest(readers, len(readers), now):
            if held <= MAX_UNREAD:
                return
            held -= self._unread.size(each.peer)
            yield each

    def _waits(self, seen: Seen, now: float) -> bool:
        since = self._of(seen).unread_since
        return bool(seen.waiting) and since is not None and since < now

    def _slowest(self, seen: list[Seen], count: int, now: float) -> list[Seen]:
        """Return those that have moved the fewest bytes for the time that they have been here."""

        def rate(each: Seen) -> float:
            return (each.read + each.sent) / (now - self._of(each).since + SCAN_SECONDS)

        return sorted(seen, key=rate)[:count]


@lru_cache(4_096)
def network(host: str) -> str:
    """Return what one client has of addresses: an IPv4 address, or an IPv6 network of /64."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))


def guard(
    port: int,
    most: int,
    most_by_address: int | None,
    streams: Container[Peer],
    unread: UnreadAnswers,
) -> None:
    """Guard this process's connections in a thread of its own, as long as the process lives.

    The peers of open `streams` are left alone: those have bounds of their own.
    """
    if sys.platform != "linux":
        return
    look = Sockets(port, streams).look
    watching = ConnectionGuard(most, most_by_address, look, shut_down, unread)

    def run() -> None:
        count = 0
        while True:
            time.sleep(HURRY_SECONDS if count else SCAN_SECONDS)
            try:
                count = watching.scan(time.monotonic())
            except OSError as error:  # no more files, say: the next look may be able to
                log.warning("Connections could not be looked at: %s", error)
                continue
            if count:
                log.warning("Connections of slow clients were cut: %d", count)

    threading.Thread(target=run, name="connection guard", daemon=True).start()


class Sockets:
    """The TCP connections that clients have with this process at its port."""

    def __init__(self, port: int, streams: Container[Peer] = ()) -> None:
        self._port, self._streams = port, streams
        self._skipped: dict[str, Peer] = {}  # files of streams, which need no look of their own

    def look(self) -> Iterator[Seen]:
        """Look at each connection but those of open streams."""
        skipped, self._skipped = self._skipped, {}
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path for each is slower
            peer = skipped.get(name)
            if peer is not None and peer in self._streams:
                self._skipped[name] = peer
                continue
            with contextlib.suppress(OSError):  # it is no connection, or was closed meanwhile
                seen = _seen(int(name), self._port)
                if seen is None:
                    continue
                if seen.peer in self._streams:
                    self._skipped[name] = seen.peer
                else:
                    yield seen


def shut_down(seen: Seen) -> bool:
    """End a connection in both directions; False if it has ended meanwhile."""
    with contextlib.suppress(OSError), _borrowed(seen.file) as sock:
        if sock.getpeername()[:2] == seen.peer:
            sock.shutdown(socket.SHUT_RDWR)
            return True
    return False


def _seen(file: int, port: int) -> Seen | None:
    with _borrowed(file) as sock:
        if sock.getsockname()[1:2] != (port,):
            return None
        peer = sock.getpeername()[:2]
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        [waiting] = _INT.unpack(fcntl.ioctl(file, termios.TIOCOUTQ, bytes(_INT.size)))
    read, sent = _COUNTS.unpack_from(info, _BYTES_ACKED)
    return Seen(file, peer, read, sent, waiting)


@contextlib.contextmanager
def _borrowed(file: int) -> Iterator[socket.socket]:
    """Use a file descriptor that belongs to somebody else as a socket, and do not close it."""
    sock = socket.socket(fileno=file)  # of its own family: AF_INET would cut off IPv6 addresses
    try:
        yield sock
    finally:
        sock.detach()
