"""Kept HTTP/1.1 connections to a store (RFC 9112), used with few system calls.

A request goes out in one piece, and an answer is read in as large pieces as come. Whoever has
to wait for the store lets others go on meanwhile (waiting.py).
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

from botocore.httpsession import ProxyConfiguration, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

from graphql_api.infra.concurrency.poller import READ, WRITE
from graphql_api.infra.concurrency.waiting import run_with_timeout, wait_for_socket

LONGEST_HEAD = 65_536  # bytes of an answer's head
PIECE = 65_536  # bytes that are read at once
TOO_LONG = "it took too long"

_ESTABLISHED = b"\x01"  # tcpi_state of struct tcp_info, linux/tcp.h
_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# TLS may have to read before it can write, and the other way round.
_NEEDED: dict[type, int] = {ssl.SSLWantReadError: READ, ssl.SSLWantWriteError: WRITE}
_SO_MEMINFO = 55  # of asm-generic/socket.h; first comes SK_MEMINFO_RMEM_ALLOC


class NotConnected(OSError):
    """The store could not even be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the wire."""

    status: int
    checksum: bytes | None
    content: bytes


class Connection:
    """A connection that is open, as far as one can know; for one thread at a time."""

    def __init__(self, opened: http.client.HTTPConnection) -> None:
        self._opened = opened
        self._socket: socket.socket = opened.sock
        self._socket.settimeout(0)  # wait_for_socket waits in its place
        self._is_plain = not isinstance(self._socket, ssl.SSLSocket)

    def ask(self, request: bytes, ends: float) -> tuple[Answer, bool]:
        """The answer to a whole request, and whether another one can be asked for.

        It is there as a whole in time, however slowly it comes, or it is none: OSError,
        http.client.HTTPException, or ValueError.
        """
        unsent = memoryview(request)
        while unsent:
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except _BLOCKED as blocked:
                self._wait(_NEEDED.get(type(blocked), WRITE), ends)
        stream = _Input(self, ends)
        answer, keeps = _read(stream)
        return answer, keeps and stream.is_empty

    def receive(self, ends: float) -> bytes:
        """What comes next; nothing at the connection's end."""
        if self._is_plain:
            self._wait(READ, ends)
        elif ends <= time.monotonic():  # else there may be what was decrypted before
            raise TimeoutError(TOO_LONG)
        while True:
            try:
                return self._socket.recv(PIECE)
            except _BLOCKED as blocked:
                self._wait(_NEEDED.get(type(blocked), READ), ends)

    def has_ended(self) -> bool:
        """Whether it has ended while nobody used it, or something came that nobody asked for."""
        if sys.platform == "linux":  # these, unlike poll, keep Python's lock
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            unread = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4)
            return state != _ESTABLISHED or any(unread)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """End it."""
        self._opened.close()

    def _wait(self, event: int, ends: float) -> None:
        """Wait until something can be read, or written; TimeoutError after that time."""
        if not wait_for_socket(self._socket.fileno(), event, ends):
            raise TimeoutError(TOO_LONG)


class _Input:
    """What comes over a connection, of which a part has been read."""

    def __init__(self, connection: Connection, ends: float) -> None:
        self._connection, self._ends = connection, ends
        self._data, self._at = b"", 0

    def head(self) -> list[bytes]:
        return self._until(b"\r\n\r\n").split(b"\r\n")

    def line(self) -> bytes:
        return self._until(b"\r\n")

    def _until(self, end: bytes) -> bytes:
        while (found := self._data.find(end, self._at)) < 0:
            if len(self._data) - self._at > LONGEST_HEAD:
                raise http.client.LineTooLong("answer's head")
            piece = self._connection.receive(self._ends)
            if not piece:
                raise http.client.RemoteDisconnected("it ended before the answer did")
            self._data = self._data[self._at :] + piece
            self._at = 0
        start, self._at = self._at, found + len(end)
        return self._data[start:found]

    @property
    def is_empty(self) -> bool:
        """Whether no more has come than was read."""
        return self._at == len(self._data)

    def exactly(self, size: int) -> bytes:
        pieces = [self._data[self._at :]]
        missing = size - len(pieces[0])
        while missing > 0:
            pieces.append(self._connection.receive(self._ends))
            if not pieces[-1]:
                raise http.client.IncompleteRead(b"".join(pieces), missing)
            missing -= len(pieces[-1])
        self._data, self._at = b"".join(pieces), size
        return self._data[:size]

    def rest(self) -> bytes:
        pieces = iter(lambda: self._connection.receive(self._ends), b"")
        return b"".join([self._data[self._at :], *pieces])


def _read(stream: _Input) -> tuple[Answer, bool]:
    """An answer, read without http.client, which reads its head as that of an e-mail."""
    first, *lines = stream.head()
    version, _, status = first.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise http.client.BadStatusLine(repr(version))
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    keeps = version == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        content = b"".join(iter(lambda: _chunk(stream), b""))
    elif b"content-length" in headers:
        content = stream.exactly(int(headers[b"content-length"]))
    else:
        content, keeps = stream.rest(), False
    return Answer(int(status[:3]), headers.get(b"x-amz-crc32"), content), keeps


def _chunk(stream: _Input) -> bytes:
    """The next chunk of a body; nothing after the last one."""
    size = int(stream.line().partition(b";")[0], 16)
    content = stream.exactly(size)
    while stream.line() and not size:  # the end of the chunk, or trailers
        pass
    return content


class Endpoint:
    """Where a botocore client's store is, and how to get there, through a proxy if need be."""

    def __init__(self, client: Any) -> None:
        self.url: str = client.meta.endpoint_url.rstrip("/") + "/"
        url = urlsplit(self.url)
        self.host, self.path = url.netloc, url.path
        proxies = client.meta.config.proxies
        self._proxies = ProxyConfiguration(
            get_environ_proxies(self.url) if proxies is None else proxies
        )
        self._proxy_url = self._proxies.proxy_url_for(self.url)
        self._trust = _trust(client) if url.scheme == "https" else None
        plainly_proxied = self._proxy_url and self._trust is None
        self.target = self.url if plainly_proxied else self.path  # of a request

    def open(self, seconds: float) -> Connection:
        """A new connection; NotConnected, or TimeoutError, names and handshakes included."""
        try:
            return run_with_timeout(lambda: Connection(self._opened(seconds)), seconds)
        except RuntimeError as error:  # there can be no more threads
            raise NotConnected(str(error)) from None

    def _opened(self, seconds: float) -> http.client.HTTPConnection:
        connection = self._unopened(seconds)
        try:
            connection.connect()
        except TimeoutError:
            raise
        except OSError as error:
            raise NotConnected(f"{type(error).__name__} {error}") from None
        return connection

    def _unopened(self, seconds: float) -> http.client.HTTPConnection:
        url = urlsplit(self.url)
        to = urlsplit(self._proxy_url) if self._proxy_url else url
        if self._trust is None:
            return http.client.HTTPConnection(str(to.hostname), to.port, timeout=seconds)
        connection = http.client.HTTPSConnection(
            str(to.hostname), to.port, timeout=seconds, context=self._trust
        )
        if self._proxy_url:
            headers = self._proxies.proxy_headers_for(self._proxy_url)  # its user and password
            connection.set_tunnel(str(url.hostname), url.port, headers)
        return connection


def _trust(client: Any) -> ssl.SSLContext:
    """Whom to trust: botocore's authorities, or those of AWS_CA_BUNDLE."""
    context: ssl.SSLContext = create_urllib3_context()
    session = client._endpoint.http_session  # noqa: SLF001 - boto3 has no public way
    context.load_verify_locations(get_cert_path(session._verify))  # noqa: SLF001 - as above
    return context
