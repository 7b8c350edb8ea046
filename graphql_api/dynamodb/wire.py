"""DynamoDB's wire protocol, JSON 1.0 over signed HTTP.

boto3 is the door to AWS: credentials, region and endpoint are its client's, and so is the
event `before-send`, by which an answer can be given in the store's place. The call itself is
made here, since the arguments already have the wire's form and the answers need no other:
a GetItem takes 0.25 ms of CPU in the place of 1.0, a Query of 25 items 0.4 in the place of 3.0.
"""

import hashlib
import hmac
import http.client
import io
import random
import select
import socket
import ssl
import time
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import orjson
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.httpsession import ProxyConfiguration, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

CONNECT_SECONDS = 1.0
REQUEST_SECONDS = 5.0  # for all calls of a request, those that are tried again included
LONGEST_LINE = 65_536  # bytes of an answer's head
BACKOFF_SECONDS = 0.05  # at most before the second attempt, twice as much before each other

# What another attempt may mend, and what of it says that this one did nothing.
THROTTLED = {
    *("ProvisionedThroughputExceededException", "ThrottlingException", "Throttling"),
    *("RequestLimitExceeded", "TooManyRequestsException", "LimitExceededException"),
}
BUSY = {"TransactionInProgressException", "ReplicatedWriteConflictException"}

_steps = 0
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def give_time(seconds: float | None = REQUEST_SECONDS) -> None:
    """Let this thread's calls take so long together, from now on; None ends the request."""
    _deadline.set(None if seconds is None else time.monotonic() + seconds)


def more_time() -> None:
    """Let a long work of a request go on: it has come a step further."""
    global _steps  # noqa: PLW0603 - two at once may count as one: only whether it changes matters
    _steps += 1
    if _deadline.get() is not None:
        give_time()


def steps() -> int:
    """How often a long work of this process has come a step further."""
    return _steps


class Refused(Exception):
    """The store's answer is an error: `code` says which.

    `unsure` is whether an earlier attempt of the same call may have been carried out, though
    no answer came.
    """

    def __init__(self, code: str, body: dict[str, Any], *, unsure: bool) -> None:
        super().__init__(f"{code}: {body.get('message') or body.get('Message')}")
        self.code = code
        self.reasons = {r.get("Code") for r in body.get("CancellationReasons") or ()}
        self.unsure = unsure


class Failed(Exception):
    """No answer that could be understood came in time, or only that there are too many calls.

    `away` is False for the latter, when others may still be answered; None if the call had too
    little time to tell. `mute` is whether nothing came the last time.
    """

    def __init__(self, why: object, *, away: bool | None, mute: bool = False) -> None:
        super().__init__(why)
        self.away, self.mute = away, mute


class _NotConnected(OSError):
    """The store could not even be asked."""


@dataclass(frozen=True)
class _Answer:
    """What came back over the wire."""

    status: int
    checksum: bytes | None
    content: bytes

    def body(self) -> dict[str, Any]:
        """The JSON object that it is; ValueError if it is none or not whole."""
        if self.checksum is not None and int(self.checksum) != zlib.crc32(self.content):
            raise ValueError("its checksum is another")
        body = orjson.loads(self.content)
        if not isinstance(body, dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004 - a fault of the answer, as the others
        return body


class Wire:
    """Makes calls to one endpoint, on connections that are kept; safe to share by threads."""

    def __init__(
        self,
        client: Any,
        attempts: int = 5,
        timeout: float = 1.5,
        patience: float = REQUEST_SECONDS,
    ) -> None:
        """`timeout` is in seconds for an attempt, `patience` for a call outside of a request."""
        self._attempts = attempts
        self._timeout = timeout
        self._patience = patience
        self._events = client.meta.events
        self._credentials = client._request_signer._credentials  # noqa: SLF001 - boto3 has no public way
        self._region: str = client.meta.region_name
        self._url: str = client.meta.endpoint_url.rstrip("/") + "/"
        self._host: str = urlsplit(self._url).netloc
        self._path: str = urlsplit(self._url).path
        self._connect, self._target = _connector(self._url, client)
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation (`GetItem`, …), tried again with jitter while it may help.

        Raises Refused and Failed, and what botocore says of credentials.
        """
        content = orjson.dumps(arguments)
        why: object = "there was no time left"
        unsure, mute, away = False, False, None
        for left in self._tries():
            try:
                answer = self._send(operation, content, min(left, self._timeout))
                body = answer.body()
            except (OSError, http.client.HTTPException, ValueError) as error:
                why = f"{type(error).__name__} {error}"
                mute = isinstance(error, TimeoutError)
                unsure = unsure or not isinstance(error, _NotConnected)
                if left >= self._timeout or not isinstance(error, TimeoutError):
                    away = True
                continue
            if answer.status == http.client.OK:
                return body
            code = str(body.get("__type", "")).rpartition("#")[2]
            if answer.status < http.client.INTERNAL_SERVER_ERROR and code not in THROTTLED | BUSY:
                raise Refused(code, body, unsure=unsure)
            why, mute, away = f"{answer.status} {code}", False, code not in THROTTLED | BUSY
            unsure = unsure or code not in THROTTLED
        raise Failed(why, away=away, mute=mute)

    def _tries(self) -> Iterator[float]:
        """The seconds that are left, as often as it may be tried, with a pause between."""
        deadline = _deadline.get() or time.monotonic() + self._patience
        for attempt in range(self._attempts):
            if attempt:
                longest = min(BACKOFF_SECONDS * 2 ** (attempt - 1), deadline - time.monotonic())
                time.sleep(random.uniform(0, max(0, longest)))  # noqa: S311 - jitter is no secret  # nosec B311
            left = deadline - time.monotonic()
            if left <= 0:
                return
            yield left

    def _send(self, operation: str, content: bytes, timeout: float) -> _Answer:
        headers = self._headers(f"DynamoDB_20120810.{operation}", content)
        request = AWSPreparedRequest("POST", self._url, headers, content, stream_output=False)
        instead = self._events.emit_until_response(
            f"before-send.dynamodb.{operation}", request=request
        )[1]
        if instead is not None:
            return _Answer(instead.status_code, None, instead.content)
        ends = time.monotonic() + timeout
        connection = self._connection(timeout)
        try:
            connection.sock.sendall(_request(self._target, headers, content))
            answer, keeps = _receive(connection.sock, ends)
        except BaseException:
            connection.close()
            raise
        if keeps:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        """A connection that is open, as far as one can know."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect(min(timeout, CONNECT_SECONDS))
                _open(connection)
                break
            if not _readable(connection):
                break
            connection.close()  # it has ended while nobody used it
        connection.sock.settimeout(timeout)
        return connection

    def _frozen_credentials(self) -> Any:
        if self._credentials is None:
            raise NoCredentialsError
        try:
            return self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError, RuntimeError) as error:  # as botocore's refresh has it
            raise Failed(error, away=True) from error

    def _headers(self, target: str, content: bytes) -> dict[str, str]:
        """The headers of a request, signed (AWS Signature Version 4)."""
        credentials = self._frozen_credentials()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signed = {
            "content-type": "application/x-amz-json-1.0",
            "host": self._host,
            "x-amz-date": stamp,
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)
        listed = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = (
            f"POST\n{self._path}\n\n{listed}\n{names}\n{hashlib.sha256(content).hexdigest()}"
        )
        scope = f"{stamp[:8]}/{self._region}/dynamodb/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        key = _signing_key(credentials.secret_key, scope)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
            f" SignedHeaders={names}, Signature={signature}"
        )
        return signed


def _request(target: str, headers: dict[str, str], content: bytes) -> bytes:
    """A request as it is sent, in one piece: http.client would make two system calls of it."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {target} HTTP/1.1\r\n{lines}content-length: {len(content)}\r\n\r\n"
    return head.encode("latin-1") + content


@lru_cache(4)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _close_all(connections: Iterable[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _receive(sock: socket.socket, ends: float) -> tuple[_Answer, bool]:
    """The answer that comes (RFC 9112), and whether another one can be asked for.

    It is there as a whole in time, however slowly it comes, or it is none. http.client reads
    headers as those of an e-mail, which takes a fifth of a call's CPU.
    """
    with io.BufferedReader(_Timed(sock, ends)) as stream:
        version, _, status = _line(stream).partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise http.client.BadStatusLine(repr(version))
        headers: dict[bytes, bytes] = {}
        while line := _line(stream):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        keeps = version == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            content = b"".join(iter(lambda: _chunk(stream), b""))
        elif b"content-length" in headers:
            content = _exactly(stream, int(headers[b"content-length"]))
        else:
            content, keeps = stream.read(), False
    return _Answer(int(status[:3]), headers.get(b"x-amz-crc32"), content), keeps


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise http.client.RemoteDisconnected("it ended before the answer did")
    return line.rstrip(b"\r\n")


def _chunk(stream: BinaryIO) -> bytes:
    """The next chunk of a body; nothing after the last one."""
    size = int(_line(stream).partition(b";")[0], 16)
    content = _exactly(stream, size)
    while _line(stream) and not size:  # the end of the chunk, or trailers
        pass
    return content


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise http.client.IncompleteRead(content, size - len(content))
    return content


class _Timed(io.RawIOBase):
    """A socket's stream that ends in a TimeoutError at some time; a socket's own is per read."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock, self._ends = sock, ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("it came too slowly")
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


def _open(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except TimeoutError:
        raise
    except OSError as error:
        raise _NotConnected(f"{type(error).__name__} {error}") from None


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Whether there is something to be read before anything was asked: the connection's end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _connector(
    endpoint: str, client: Any
) -> tuple[Callable[[float], http.client.HTTPConnection], str]:
    """What makes connections to the client's endpoint, and what to ask for on them.

    They go through a proxy where botocore knows of one.
    """
    url = urlsplit(endpoint)
    proxies = client.meta.config.proxies
    found = get_environ_proxies(endpoint) if proxies is None else proxies
    known = ProxyConfiguration(found)
    through = known.proxy_url_for(endpoint)
    proxy = urlsplit(through) if through else None
    host, port = (proxy or url).hostname, (proxy or url).port
    secure = _trust(client) if url.scheme == "https" else None

    def connect(timeout: float) -> http.client.HTTPConnection:
        if secure is None:
            return http.client.HTTPConnection(str(host), port, timeout=timeout)
        connection = http.client.HTTPSConnection(str(host), port, timeout=timeout, context=secure)
        if proxy is not None:
            headers = known.proxy_headers_for(through)  # the proxy's own user and password
            connection.set_tunnel(str(url.hostname), url.port, headers)
        return connection

    plainly_proxied = proxy is not None and secure is None
    return connect, endpoint if plainly_proxied else url.path


def _trust(client: Any) -> ssl.SSLContext:
    """Whom to trust: botocore's authorities, or those of AWS_CA_BUNDLE."""
    context: ssl.SSLContext = create_urllib3_context()
    session = client._endpoint.http_session  # noqa: SLF001 - boto3 has no public way
    context.load_verify_locations(get_cert_path(session._verify))  # noqa: SLF001 - as above
    return context
