"""Server-sent events over RSGI: streams that hold neither a thread nor a greenlet.

A WSGI app cannot answer with a stream here: it puts a Stream into the environ instead, and the
server opens that with the status and headers of its answer (see `rsgi`). Events are
https://html.spec.whatwg.org/multipage/server-sent-events.html: LF line ends, one data line.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

STREAM = "graphql_api.stream"
"""Key of the environ: True where the server can stream, and then the Stream of the answer."""

HEADERS = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),  # nginx would collect events
)
COMMENT = b":\n\n"
"""What keeps a silent connection open: every client ignores it."""

BURST_SECONDS = 10.0
BURST_BYTES = 256 * 1024
"""More bytes in these seconds than that end a stream: nobody knows whether its client reads."""


class Transport(Protocol):
    """The RSGI transport of a stream: it ends when nobody refers to it any more."""

    def send_bytes(self, data: bytes) -> Any:
        """Send; never blocks, and tells nothing of what still waits."""


class Stream:
    """One client's stream of events, from any thread; what comes before it is open waits."""

    __slots__ = ("_begun", "_burst", "_lock", "_since", "_transport", "closed")

    def __init__(
        self, begun: Callable[["Stream"], None], closed: Callable[["Stream"], None]
    ) -> None:
        """`begun` is called when the stream is open, `closed` once when either side ends it."""
        self._begun = begun
        self.closed: Callable[[Stream], None] | None = closed
        self._transport: Transport | None = None
        self._lock = threading.Lock()
        self._burst, self._since = 0, 0.0

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self.closed is None

    def open(self, transport: Transport) -> None:
        """Begin, in the server."""
        with self._lock:
            self._transport = transport
        self._begun(self)

    def send(self, data: bytes) -> None:
        """Send events; a client that has been sent too much in too short a time is cut off."""
        with self._lock:
            transport = self._transport
        if transport is None:
            return
        now = time.monotonic()
        if now - self._since > BURST_SECONDS:
            self._since, self._burst = now, 0
        self._burst += len(data)
        if self._burst > BURST_BYTES:
            self.close()
        else:
            transport.send_bytes(data)

    def close(self, last: bytes = b"") -> None:
        """End it, after these last bytes; also called when the client has gone."""
        with self._lock:
            transport, self._transport = self._transport, None
            closed, self.closed = self.closed, None
        if transport is not None and last:
            transport.send_bytes(last)
        if closed:
            closed(self)


def event(data: bytes, *, name: str | None = None, id: str | None = None) -> bytes:
    """One event, whose data is one line, as orjson's is."""
    head = (f"id: {id}\n" if id else "") + (f"event: {name}\n" if name else "")
    return head.encode() + b"data: " + data + b"\n\n"
