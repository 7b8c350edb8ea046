"""The HTTP client for hosts that users name; the only module that imports urllib3.

A host's name is resolved once, its addresses are checked, and one of those very addresses is
connected to: a second answer of its name server changes nothing. To a POST a redirect is an answer
like any other; a GET follows a few, each checked as the first. The whole exchange has one deadline,
however slowly the other side talks.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util import Timeout

from graphql_api.infra.concurrency.waiting import run_with_timeout
from graphql_api.infra.outgoing.addresses import Address, is_public

SECONDS = 10.0  # for a whole exchange: name, connection, handshake, request, answer
MAX_REDIRECTS = 3
READ_BYTES = 16 * 1024  # of an answer's body: so much is read, and forgotten
MAX_LOOKS = 8  # at hosts' addresses at a time, before anything is asked of these
MAX_URL = 2_048  # characters
PORTS = {"https": 443, "http": 80}
_MOVED = {301, 302, 303, 307, 308}


class Refused(Exception):
    """The URL must not be asked for; the message says why, and can be shown to a client."""


class Failed(Exception):
    """There was no answer; the message says why, and can be shown to a client."""


class TimedOut(Failed):
    """There was no answer within the time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and for how long it asks to be left alone, in seconds."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The body of an answer to a GET, as a whole."""

    status: int
    body: bytes


class OutgoingClient:
    """Sends requests to URLs that users have given."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        seconds: float = SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`allow_private` allows http and all addresses; `context` has the trusted authorities."""
        self._allow_private, self._seconds = allow_private, seconds
        self._given_context = context
        self._looks = threading.Semaphore(MAX_LOOKS)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """The trusted authorities: of the system, whose list who only checks URLs need not read."""
        return self._given_context or ssl.create_default_context()

    def check(self, url: str) -> SplitResult:
        """Return the parts of a URL, if its text allows it to be asked. Raises Refused."""
        schemes = ("https", "http") if self._allow_private else ("https",)
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - raises ValueError
        except ValueError:
            raise Refused("is not a URL") from None
        if parts.scheme not in schemes:
            raise Refused(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
            raise Refused("must have a host, and only characters of ASCII without spaces")
        if "@" in parts.netloc or parts.fragment or "\\" in url or parts.port == 0:
            raise Refused("must have no credentials, fragment or backslash, and no port 0")
        if len(url) > MAX_URL:
            raise Refused(f"must have at most {MAX_URL:,} characters")
        return parts

    def check_host(self, url: str, seconds: float) -> None:
        """Raise Refused if the URL's host has an address that must not be asked.

        A host that has none yet, or whose name server takes longer, is looked at when it is asked;
        so are all while MAX_LOOKS name servers have not answered.
        """
        parts = self.check(url)
        if self._looks.acquire(blocking=False):
            with contextlib.suppress(Failed):
                self._addresses(parts, seconds, self._looks.release)

    def get(self, url: str, headers: Mapping[str, str], most: int) -> Document:
        """Get a document of at most `most` bytes, where redirects lead, each checked as the first.

        Raises Refused and Failed.
        """
        deadline = time.monotonic() + self._seconds
        for _ in range(MAX_REDIRECTS + 1):
            found = self._get(url, headers, most, deadline)
            if isinstance(found, Document):
                return found
            url = urljoin(url, found)
        raise Failed("too many redirects")

    def _get(
        self, url: str, headers: Mapping[str, str], most: int, deadline: float
    ) -> Document | str:
        """Get a document, or where it has moved. Raises Refused and Failed."""
        parts = self.check(url)
        addresses = self._addresses(parts, max(0.001, deadline - time.monotonic()))
        connection = self._connection(parts, addresses[0], deadline - time.monotonic())
        with _abandoned_at(connection, deadline):
            asked = {**headers, "Accept-Encoding": "identity"}
            response = _response(connection, "GET", parts, None, asked)
            location = response.headers.get("Location")
            if response.status in _MOVED and location:
                return location
            body = response.read(most + 1, decode_content=False)
            if time.monotonic() >= deadline:  # where we have ended it, it looks as if it was all
                raise TimeoutError
            if len(body) > most:
                raise Failed(f"more than {most:,} bytes")
            return Document(response.status, body)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body; return the answer, whatever it is. Raises Refused and Failed."""
        deadline = time.monotonic() + self._seconds
        parts = self.check(url)
        addresses = self._addresses(parts, self._seconds)
        connection = self._connection(parts, addresses[0], deadline - time.monotonic())
        with _abandoned_at(connection, deadline):
            response = _response(connection, "POST", parts, body, headers)
            if time.monotonic() >= deadline:  # where we have ended it, it looks as if it was all
                raise TimeoutError
            with contextlib.suppress(HTTPError, OSError):  # the status is all that counts
                response.read(READ_BYTES, decode_content=False)
            return Answer(response.status, _seconds(response.headers.get("Retry-After")))

    def _addresses(
        self, parts: SplitResult, seconds: float, finished: Callable[[], None] = lambda: None
    ) -> list[Address]:
        """All addresses of a host, once each. Raises Refused if one of them is not public.

        `finished` is called once the name server has answered, though nobody may wait for it.
        """
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]

        def resolve() -> list[str]:
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            finally:
                finished()
            return [str(address[0]).partition("%")[0] for *_, address in found]

        try:
            texts = run_with_timeout(resolve, seconds)
        except TimeoutError:
            raise TimedOut("its host could not be resolved in time") from None
        except (OSError, UnicodeError, RuntimeError):
            raise Failed("its host could not be resolved") from None
        addresses = list(dict.fromkeys(map(ip_address, texts)))
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Refused("must not lead to a private, loopback, link-local or reserved address")
        return addresses

    def _connection(
        self, parts: SplitResult, address: Address, seconds: float
    ) -> "_PlainConnection | _TLSConnection":
        port, timeout = parts.port or PORTS[parts.scheme], Timeout(total=max(seconds, 0.001))
        if parts.scheme == "http":
            return _PlainConnection(str(address), port, timeout=timeout.connect_timeout)
        return _TLSConnection(
            str(address),
            port,
            timeout=timeout.connect_timeout,
            ssl_context=self._context,
            server_hostname=parts.hostname,  # what the certificate has to be for
        )


def _response(
    connection: "_PlainConnection | _TLSConnection",
    method: str,
    parts: SplitResult,
    body: bytes | None,
    headers: Mapping[str, str],
) -> HTTPResponse:
    """Send a request on a connection of its own, and return the answer without its body."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Connection": "close", **headers}
    connection.request(method, target, body, headers, preload_content=False)
    return connection.getresponse()


class _Abandonable:
    """A connection that another thread can end, in whatever state it is."""

    line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # of urllib3's connection
        self.line = connected.dup()  # the handshake takes the socket itself away
        return connected

    def abandon(self) -> None:
        """End it: whoever waits for it gets an error at once."""
        if self.line:
            with contextlib.suppress(OSError):
                self.line.shutdown(socket.SHUT_RDWR)


class _PlainConnection(_Abandonable, HTTPConnection):
    """A connection for http."""


class _TLSConnection(_Abandonable, HTTPSConnection):
    """A connection for https."""


@contextlib.contextmanager
def _abandoned_at(connection: _PlainConnection | _TLSConnection, deadline: float) -> Iterator[None]:
    """Use a connection until a deadline, and close it. Raises Failed for all that goes wrong."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), connection.abandon)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            raise TimedOut("no answer in time") from None
        raise Failed(_reason(error)) from None
    finally:
        timer.cancel()
        connection.close()
        if connection.line:
            connection.line.close()


def _reason(error: Exception) -> str:
    """Say what went wrong in words that tell nothing of this machine."""
    if isinstance(error, NewConnectionError):
        return "no connection"
    if isinstance(error, ssl.SSLError) or "certificate" in str(error).lower():
        return "no secure connection: its certificate or its TLS is not valid"
    return "no valid answer"


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else None  # noqa: PLR2004 - eleven days
