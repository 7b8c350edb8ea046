"""Who may come in: a bounded number of requests at a time, each with its whole body."""

import time
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any

from graphql_api.limits import BODY_BYTES, fits
from graphql_api.slow_bodies import Arrivals

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Gate:
    """WSGI middleware that reads the body before it takes one of the places to work in.

    A client that sends slowly holds one of the server's many threads while it does, but none
    of the places, so that it keeps nobody else waiting.
    """

    def __init__(self, app: Wsgi, places: int) -> None:
        self._app = app
        self._places = BoundedSemaphore(places)
        self._left = self._seen = 0  # how many have left, now and when it was last asked
        self.arrivals = Arrivals()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        arrival = self.arrivals.begin()
        try:
            declared = environ.get("CONTENT_LENGTH", "")
            if not declared.isdecimal():
                _put(_read(environ["wsgi.input"], BODY_BYTES + 1), environ)
            elif fits(declared):  # else it is refused unread
                # No more than that: to look for the end takes as long as to read.
                body = _read(environ["wsgi.input"], int(declared))
                if len(body) < int(declared):
                    return _cut_off(start_response)
                _put(body, environ)
            arrival.whole = time.monotonic()
            if environ["PATH_INFO"] == "/healthz":  # needs nothing that could be short
                return self._app(environ, start_response)
            with self._places:
                try:
                    return self._app(environ, start_response)
                finally:
                    self._left += 1  # two at once may count as one: only whether it changes matters
        finally:
            self.arrivals.end()

    def moves(self) -> bool:
        """Whether there is a free place, or has been one since this was asked last."""
        before, self._seen = self._seen, self._left
        if self._places.acquire(blocking=False):
            self._places.release()
            return True
        return self._seen != before


def _put(body: bytes, environ: dict[str, Any]) -> None:
    """Let the app find the whole body."""
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    # Werkzeug would cut a body without a declared length instead of refusing it.
    environ.pop("wsgi.input_terminated", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _cut_off(start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The answer to a client whose body has ended early, or has come too slowly."""
    start_response("408 Request Timeout", [("Content-Length", "0"), ("Connection", "close")])
    return []


def _read(stream: Any, left: int) -> bytes:
    """So many bytes, or all that there are."""
    parts: list[bytes] = []
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
