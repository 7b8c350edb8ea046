"""HTTP/1.1 connections (RFC 9112) that are kept open and take few system calls.

A request is sent in one piece, and a response is read in pieces as large as they come. While a
request waits for the store, others go on (waiting.py).
"""

import http.client
import select
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from graphql_api.infra.concurrency.poller import READ, WRITE
from graphql_api.infra.concurrency.waiting import run_with_timeout, wait_for_socket
from graphql_api.infra.dynamodb import session

MAX_HEAD_BYTES = 65_536
RECEIVE_BYTES = 65_536

_TCP_ESTABLISHED = b"\x01"  # tcpi_state of struct tcp_info, linux/tcp.h
_SO_MEMINFO = 55  # asm-generic/socket.h; its first member is SK_MEMINFO_RMEM_ALLOC
_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# TLS may have to read before it can write, and the other way round.
_AWAITED: dict[type, int] = {ssl.SSLWantReadError: READ, ssl.SSLWantWriteError: WRITE}


class ConnectionFailed(OSError):
    """No connection was made, so that the request was not sent."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its status, the value of x-amz-crc32, and its body."""

    status: int
    checksum: bytes | None
    content: bytes


class Connection:
    """An open connection, for one request at a time."""

    def __init__(self, opened: http.client.HTTPConnection) -> None:
        self._opened = opened
        self._socket: socket.socket = opened.sock
        self._socket.settimeout(0)  # wait_for_socket waits in its place
        self._is_plain = not isinstance(self._socket, ssl.SSLSocket)

    def request(self, content: bytes, deadline: float) -> tuple[Response, bool]:
        """Send a request, head and body; return the response, and whether more can follow.

        Raises OSError, http.client.HTTPException or ValueError unless the whole response has
        come before the deadline.
        """
        unsent = memoryview(content)
        while unsent:
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except _BLOCKED as blocked:
                self._wait(_AWAITED.get(type(blocked), WRITE), deadline)
        reader = _Reader(self, deadline)
        response, is_reusable = _read_response(reader)
        return response, is_reusable and reader.is_empty

    def receive(self, deadline: float) -> bytes:
        """Return the next piece; empty at the end of the connection. Raises TimeoutError."""
        if self._is_plain:
            self._wait(READ, deadline)
        elif deadline <= time.monotonic():  # else there may be decrypted bytes already
            raise timed_out()
        while True:
            try:
                return self._socket.recv(RECEIVE_BYTES)
            except _BLOCKED as blocked:
                self._wait(_AWAITED.get(type(blocked), READ), deadline)

    def is_stale(self) -> bool:
        """Return whether an idle connection has ended, or got bytes that no request asked for."""
        if sys.platform == "linux":  # these calls, unlike poll, keep the interpreter lock
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            unread = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4)
            return state != _TCP_ESTABLISHED or any(unread)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()

    def _wait(self, event: int, deadline: float) -> None:
        if not wait_for_socket(self._socket.fileno(), event, deadline):
            raise timed_out()


def timed_out() -> TimeoutError:
    """Make the error of a request whose time has passed."""
    return TimeoutError("it took too long")


class _Reader:
    """Reads what comes over a connection by lines and lengths."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline
        self._data, self._position = b"", 0

    def head(self) -> list[bytes]:
        return self._until(b"\r\n\r\n").split(b"\r\n")

    def line(self) -> bytes:
        return self._until(b"\r\n")

    def _until(self, end: bytes) -> bytes:
        while (found := self._data.find(end, self._position)) < 0:
            if len(self._data) - self._position > MAX_HEAD_BYTES:
                raise http.client.LineTooLong("head of the response")
            piece = self._connection.receive(self._deadline)
            if not piece:
                raise http.client.RemoteDisconnected("the connection ended before the response")
            self._data = self._data[self._position :] + piece
            self._position = 0
        start, self._position = self._position, found + len(end)
        return self._data[start:found]

    @property
    def is_empty(self) -> bool:
        """True if no more has come than was read."""
        return self._position == len(self._data)

    def exactly(self, size: int) -> bytes:
        pieces = [self._data[self._position :]]
        missing = size - len(pieces[0])
        while missing > 0:
            pieces.append(self._connection.receive(self._deadline))
            if not pieces[-1]:
                raise http.client.IncompleteRead(b"".join(pieces), missing)
            missing -= len(pieces[-1])
        self._data, self._position = b"".join(pieces), size
        return self._data[:size]

    def rest(self) -> bytes:
        pieces = iter(lambda: self._connection.receive(self._deadline), b"")
        return b"".join([self._data[self._position :], *pieces])


def _read_response(reader: _Reader) -> tuple[Response, bool]:
    """Read a response without http.client, which parses its head as that of an e-mail."""
    first, *lines = reader.head()
    version, _, status = first.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise http.client.BadStatusLine(repr(version))
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    is_reusable = version == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        content = b"".join(iter(lambda: _read_chunk(reader), b""))
    elif b"content-length" in headers:
        content = reader.exactly(int(headers[b"content-length"]))
    else:
        content, is_reusable = reader.rest(), False
    return Response(int(status[:3]), headers.get(b"x-amz-crc32"), content), is_reusable


def _read_chunk(reader: _Reader) -> bytes:
    """Read the next chunk of a body; empty after the last one."""
    size = int(reader.line().partition(b";")[0], 16)
    content = reader.exactly(size)
    while reader.line() and not size:  # the end of the chunk, or trailers
        pass
    return content


class Endpoint:
    """The address of a boto3 client's store, reached through a proxy where one is set."""

    def __init__(self, client: Any) -> None:
        self.url = session.endpoint_of(client)
        self.address = urlsplit(self.url)
        self._proxies = session.proxies_of(client)
        self._proxy_url = self._proxies.proxy_url_for(self.url)
        self._trust = session.trust_of(client) if self.address.scheme == "https" else None
        is_plain_proxied = self._proxy_url and self._trust is None
        self.target = self.url if is_plain_proxied else self.address.path  # of a request

    def connect(self, seconds: float) -> Connection:
        """Open a connection; raises ConnectionFailed, or TimeoutError after this time.

        Name resolution and the TLS handshake are within that time.
        """
        try:
            return run_with_timeout(lambda: Connection(self._opened(seconds)), seconds)
        except RuntimeError as error:  # the system has no more threads
            raise ConnectionFailed(str(error)) from None

    def _opened(self, seconds: float) -> http.client.HTTPConnection:
        connection = self._unopened(seconds)
        try:
            connection.connect()
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionFailed(f"{type(error).__name__} {error}") from None
        return connection

    def _unopened(self, seconds: float) -> http.client.HTTPConnection:
        peer = urlsplit(self._proxy_url) if self._proxy_url else self.address
        if self._trust is None:
            return http.client.HTTPConnection(str(peer.hostname), peer.port, timeout=seconds)
        connection = http.client.HTTPSConnection(
            str(peer.hostname), peer.port, timeout=seconds, context=self._trust
        )
        if self._proxy_url:
            headers = self._proxies.proxy_headers_for(self._proxy_url)  # its user and password
            connection.set_tunnel(str(self.address.hostname), self.address.port, headers)
        return connection
