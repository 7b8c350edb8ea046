"""Who may come in: requests with their whole bodies, as granian has them (RSGI 1.6).

A body that is still coming holds no place, so that slow clients keep nobody else waiting.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving.body_limits import BODY_BYTES, fits
from graphql_api.infra.serving.streams import STREAM, Stream, Transport
from graphql_api.infra.serving.wsgi import REFUSED, Given, Headers, Wsgi, answer, environ

SECONDS = 5.0  # for a client to send a body; the same as for a head
RATE = 500  # bytes a second that earn it more time: mod_reqtimeout's MinRate, Apache httpd 2.4
LOOK_SECONDS = 1.0  # between two looks for those who are late
WAIT_SECONDS = 5.0  # for a turn, after which an answer would come too late
SMALL = 4_096  # bytes that are waited for as a whole, at the least rate

CLOSE = ("Connection", "close")

log = logging.getLogger(__name__)


class BrokenOffError(Exception):
    """A body in chunks has ended early, or with what is no chunk, or with trailers."""


class Side(AsyncIterable[bytes], Protocol):
    """The client's side of a request: its body, once, and where its answer goes."""

    def __call__(self) -> Awaitable[bytes]:
        """The whole body; RuntimeError if it ends early, which its parts do not tell."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer."""

    def response_stream(self, status: int, headers: Headers) -> Transport:
        """Begin an answer that goes on until nobody refers to the transport any more."""

    def client_disconnect(self) -> Any:
        """Give a future that is done when the client has gone, or the answer has ended."""


class Front:
    """RSGI application: reads bodies, and lets a hub answer by a WSGI app."""

    def __init__(self, app: Wsgi, hub: Hub) -> None:
        self.on_cut: Callable[[int], None] | None = None  # who wants to hear how many were
        self._app = app
        self._hub = hub
        self._aside = Hub(1, 1)  # for what is to be answered even while all others hang
        self._coming: dict[Any, float] = {}  # futures of bytes, and when they are late

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, in a worker."""
        self._hub.start()
        self._aside.start()

        def look() -> None:
            loop.call_later(LOOK_SECONDS, look)
            self._cut_late()

        look()

    async def __rsgi__(self, given: Given, side: Side) -> None:
        """Answer a request."""
        try:
            body, length = await self._body(given.headers, side)
        except (asyncio.CancelledError, RuntimeError):  # it comes too slowly, or has ended early
            await self._refuse(given, side, HTTPStatus.REQUEST_TIMEOUT)
            return
        except BrokenOffError:
            await self._refuse(given, side, HTTPStatus.BAD_REQUEST)
            return
        came = time.monotonic()
        await (self._aside if given.path == "/healthz" else self._hub)
        request = environ(given, body, length)
        if time.monotonic() - came > WAIT_SECONDS:  # whoever asks may have gone, or asks again
            request[REFUSED] = HTTPStatus.SERVICE_UNAVAILABLE
        request[STREAM] = True
        status, headers, content = answer(self._app, request)
        if isinstance(stream := request[STREAM], Stream):
            # The handler returns: a stream holds no coroutine, thread or greenlet.
            side.client_disconnect().add_done_callback(lambda _: stream.close())
            stream.open(side.response_stream(status, headers))
        else:
            side.response_bytes(status, headers, content)

    async def _refuse(self, given: Given, side: Side, why: HTTPStatus) -> None:
        """Let the app say what is wrong with the body, and end the connection."""
        await self._hub
        status, headers, body = answer(self._app, {**environ(given, b"", "0"), REFUSED: why})
        side.response_bytes(status, [*(each for each in headers if each != CLOSE), CLOSE], body)

    async def _body(self, headers: Mapping[str, str], side: Side) -> tuple[bytes, str]:
        """The body and its length; unread, if it says that it is too long.

        Raises CancelledError if it comes too slowly, RuntimeError if less comes than it says, and
        BrokenOffError.
        """
        length = headers.get("content-length")
        if length is None:
            if "transfer-encoding" not in headers:
                return b"", "0"
            parts = await self._parts(side, BODY_BYTES)
            # granian gives an empty part at the end, and one more if that is none, or if there are
            # trailers: nobody can tell these apart.
            if parts[-2:] == [b"", b""]:
                raise BrokenOffError
            body = b"".join(parts)
            return body, str(len(body))
        if length == "0" or not fits(length):
            return b"", length
        size = int(length)
        if size <= SMALL:
            return await self._in_time(side(), _end(time.monotonic(), size)), length
        body = b"".join(await self._parts(side, size - 1))
        if len(body) < size:
            raise RuntimeError
        return body, length

    async def _parts(self, side: Side, most: int) -> list[bytes]:
        """A body, or the first of it that is more than so many bytes."""
        parts: list[bytes] = []
        size, began, stream = 0, time.monotonic(), aiter(side)
        while size <= most:
            try:
                part = await self._in_time(anext(stream), _end(began, size))
            except StopAsyncIteration:
                break
            parts.append(part)
            size += len(part)
        return parts

    async def _in_time(self, coming: Awaitable[bytes], end: float) -> bytes:
        """What comes; CancelledError if it is late."""
        self._coming[coming] = end
        try:
            return await coming
        finally:
            del self._coming[coming]

    def _cut_late(self) -> None:
        now = time.monotonic()
        late = [coming for coming, end in list(self._coming.items()) if end < now]
        count = sum(coming.cancel() for coming in late)  # which answers whether it could
        if count:
            log.warning("Bodies that came too slowly were cut off: %d", count)
            if self.on_cut:
                self.on_cut(count)


def _end(began: float, size: int) -> float:
    """When a body of so many bytes is late."""
    return began + SECONDS + size / RATE
