"""The RSGI app (RSGI 1.6): reads bodies within their time, then runs a WSGI app in a hub.

A body that is still arriving takes no slot of the hub, so that slow clients keep nobody waiting.
"""

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving.body_limits import BODY_BYTES, fits
from graphql_api.infra.serving.connections import LARGE_ANSWER, Peer, UnreadAnswers
from graphql_api.infra.serving.files import close_when_sent
from graphql_api.infra.serving.streams import STREAM, Stream, Transport
from graphql_api.infra.serving.wsgi import (
    NO_HOST,
    REFUSED,
    Headers,
    RSGIScope,
    build_environ,
    has_one_host,
    run_app,
    split_address,
)

BODY_SECONDS = 5.0  # for a client to send a body; the same as for a head
MIN_RATE = 500  # bytes a second that earn it more time: mod_reqtimeout's MinRate, Apache httpd 2.4
CHECK_SECONDS = 1.0  # between two checks for late bodies
QUEUE_SECONDS = 5.0  # to wait for a slot of the hub: a later response would come too late
SMALL_BODY = 4_096  # bytes, up to which a body is awaited as a whole

CLOSE = ("Connection", "close")

log = logging.getLogger(__name__)


class InvalidChunksError(Exception):
    """A chunked body ends early, or with what is no chunk, or with trailers."""


class RSGIProtocol(AsyncIterable[bytes], Protocol):
    """The client's side of a request (RSGI 1.6): its body, once, and where its response goes."""

    def __call__(self) -> Awaitable[bytes]:
        """Read the whole body; RuntimeError if it ends early, which iteration does not tell."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the response."""

    def response_file(self, status: int, headers: Headers, file: str) -> None:
        """Send a file as the body, as fast as the client reads it."""

    def response_stream(self, status: int, headers: Headers) -> Transport:
        """Begin a response that goes on until nobody refers to the transport any more."""

    def client_disconnect(self) -> Any:
        """Return a future that is done when the client has gone, or a stream has ended."""


class RSGIApp:
    """RSGI application around a WSGI application, which a hub runs once the body is there."""

    def __init__(self, app: WSGIApplication, hub: Hub) -> None:
        self.on_slow_bodies: Callable[[int], None] | None = None
        self._app = app
        self._hub = hub
        self._health_hub = Hub(1, 1)  # health checks are answered even while all others hang
        self.streams: set[Peer] = set()  # the peers of those that are open
        self.unread = UnreadAnswers()
        self._pending_bodies: dict[Any, float] = {}  # deadlines of futures of bytes

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the hubs and the check for late bodies, in a worker."""
        self._hub.start()
        self._health_hub.start()

        def check() -> None:
            loop.call_later(CHECK_SECONDS, check)
            self._cancel_late_bodies()

        check()

    async def __rsgi__(self, scope: RSGIScope, protocol: RSGIProtocol) -> None:
        """Answer a request."""
        try:
            body, length = await self._read_body(scope.headers, protocol)
        except (asyncio.CancelledError, RuntimeError):  # it comes too slowly, or has ended early
            await self._refuse(scope, protocol, HTTPStatus.REQUEST_TIMEOUT)
            return
        except InvalidChunksError:
            await self._refuse(scope, protocol, HTTPStatus.BAD_REQUEST)
            return
        arrived = time.monotonic()
        await (self._health_hub if scope.path == "/healthz" else self._hub)
        environ = build_environ(scope, body, length)
        if not has_one_host(environ):
            environ[REFUSED] = NO_HOST
        if time.monotonic() - arrived > QUEUE_SECONDS:  # its client may have gone, or tried again
            environ[REFUSED] = HTTPStatus.SERVICE_UNAVAILABLE
        environ[STREAM] = True
        status, headers, content = run_app(self._app, environ)
        if isinstance(file := environ[STREAM], io.IOBase):
            # It is read as fast as the client does, and has no name by which anybody finds it.
            protocol.response_file(status, headers, f"/dev/fd/{file.fileno()}")
            close_when_sent(file)
        elif isinstance(stream := environ[STREAM], Stream):
            # The handler returns: a stream holds no coroutine, thread or greenlet.
            peer = _peer(scope)
            self.streams.add(peer)

            def end(_: Any) -> None:
                self.streams.discard(peer)
                stream.close()

            protocol.client_disconnect().add_done_callback(end)
            stream.open(protocol.response_stream(status, headers))
        else:
            if len(content) >= LARGE_ANSWER:
                self.unread.add(_peer(scope), len(content), time.monotonic())
            protocol.response_bytes(status, headers, content)

    async def _refuse(self, scope: RSGIScope, protocol: RSGIProtocol, refusal: HTTPStatus) -> None:
        """Let the app say why the body is refused, and close the connection."""
        await self._hub
        environ = {**build_environ(scope, b"", "0"), REFUSED: refusal}
        status, headers, body = run_app(self._app, environ)
        others = [header for header in headers if header != CLOSE]
        protocol.response_bytes(status, [*others, CLOSE], body)

    async def _read_body(
        self, headers: Mapping[str, str], protocol: RSGIProtocol
    ) -> tuple[bytes, str]:
        """Return the body and its length; a body is not read if its length is too large.

        Raises CancelledError for one that is late, RuntimeError for one that is shorter than its
        length, and InvalidChunksError.
        """
        length = headers.get("content-length")
        if length is None:
            if "transfer-encoding" not in headers:
                return b"", "0"
            body = await self._read_chunks(protocol)
            return body, str(len(body))
        if length == "0" or not fits(length):
            return b"", length
        size = int(length)
        if size <= SMALL_BODY:
            return await self._within(protocol(), _deadline(time.monotonic(), size)), length
        body = b"".join(await self._read_parts(protocol, size - 1))
        if len(body) < size:
            raise RuntimeError
        return body, length

    async def _read_chunks(self, protocol: RSGIProtocol) -> bytes:
        parts = await self._read_parts(protocol, BODY_BYTES)
        # granian gives an empty part at the end, and one more for what is no chunk and for
        # trailers, which it does not tell apart.
        if parts[-2:] == [b"", b""]:
            raise InvalidChunksError
        return b"".join(parts)

    async def _read_parts(self, protocol: RSGIProtocol, limit: int) -> list[bytes]:
        """Return the parts of a body, up to the first that makes it longer than the limit."""
        parts: list[bytes] = []
        size, started, stream = 0, time.monotonic(), aiter(protocol)
        while size <= limit:
            try:
                part = await self._within(anext(stream), _deadline(started, size))
            except StopAsyncIteration:
                break
            parts.append(part)
            size += len(part)
        return parts

    async def _within(self, pending: Awaitable[bytes], deadline: float) -> bytes:
        """Await bytes of a body; CancelledError after the deadline."""
        self._pending_bodies[pending] = deadline
        try:
            return await pending
        finally:
            del self._pending_bodies[pending]

    def _cancel_late_bodies(self) -> None:
        now = time.monotonic()
        late = [pending for pending, deadline in [*self._pending_bodies.items()] if deadline < now]
        count = sum(pending.cancel() for pending in late)  # True for each that was not done
        if count:
            log.warning("Cut off %d bodies that arrived too slowly", count)
            if self.on_slow_bodies:
                self.on_slow_bodies(count)


def _peer(scope: RSGIScope) -> Peer:
    host, port = split_address(scope.client)
    return host, int(port)


def _deadline(started: float, size: int) -> float:
    """Return when the next part of a body is late, of which `size` bytes have arrived."""
    return started + BODY_SECONDS + size / MIN_RATE
