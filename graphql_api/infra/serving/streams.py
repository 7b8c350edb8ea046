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
"""Key of the environ: True where the server can stream, then the answer's Stream, or its file."""

HEADERS = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),  # nginx would collect events
)
COMMENT = b":\n\n"
"""A comment, which keeps a silent connection open: every client ignores it."""

BURST_SECONDS = 10.0
BURST_BYTES = 256 * 1024
"""More bytes in these seconds than that end a stream: nobody knows whether its client reads."""
MOST_BYTES = 4 * 1024 * 1024
"""More bytes in all than that end one, too: a client that reads comes back after the last event."""


class Transport(Protocol):
    """The RSGI transport of a stream: it ends when nobody refers to it any more."""

    def send_bytes(self, data: bytes) -> Any:
        """Send; never blocks, and tells nothing of what still waits."""


class Stream:
    """One client's stream of events; what is sent before it is open waits for that.

    All of its methods may be called from any thread. `on_close` is called once, when either side
    has ended it.
    """

    __slots__ = (
        *("_burst", "_closed", "_early", "_lock", "_sent", "_since", "_transport"),
        "on_close",
    )

    def __init__(self) -> None:
        self.on_close: Callable[[], None] | None = None
        self._transport: Transport | None = None
        self._early: list[bytes] | None = []
        self._lock = threading.Lock()
        self._burst, self._sent, self._since = 0, 0, 0.0
        self._closed = False

    def open(self, transport: Transport) -> None:
        """Begin, in the server: comments first, so that the client sees the headers at once."""
        with self._lock:
            early, self._early = self._early or [], None
            transport.send_bytes(COMMENT + b"".join(early))
            if not self._closed:
                self._transport = transport

    def send(self, data: bytes) -> None:
        """Send events; a client that has been sent too much in too short a time is cut off."""
        now = time.monotonic()
        with self._lock:
            if now - self._since > BURST_SECONDS:
                self._since, self._burst = now, 0
            self._burst += len(data)
            self._sent += len(data)
            fits = self._burst <= BURST_BYTES and self._sent <= MOST_BYTES
            if fits:
                self._put(data)
        if not fits:
            self.close()

    def send_sign_of_life(self) -> None:
        """Keep a silent connection open."""
        self.send(COMMENT)

    def close(self, last: bytes = b"") -> None:
        """End it, after these last bytes; also called when the client has gone."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._put(last)
            self._transport = None  # nobody refers to it any more: the response ends
        if self.on_close:
            self.on_close()

    def _put(self, data: bytes) -> None:
        if self._early is not None:
            self._early.append(data)
        elif self._transport is not None and data:
            try:
                self._transport.send_bytes(data)
            except RuntimeError:  # granian's: the client has gone, as `close` hears in a moment
                self._transport = None


def event(data: bytes, *, name: str | None = None, id: str | None = None) -> bytes:
    """One event, whose data is one line, as orjson's is."""
    head = (f"id: {id}\n" if id else "") + (f"event: {name}\n" if name else "")
    return head.encode() + b"data: " + data + b"\n\n"
