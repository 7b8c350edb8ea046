"""The wire to a store that misbehaves, over real sockets on this machine."""

import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.config import Config
from graphql_api.infra.concurrency import deadline, retry
from graphql_api.infra.concurrency.deadline import REQUEST_SECONDS, clear_deadline, set_deadline
from graphql_api.infra.dynamodb import connect, protocol, sigv4
from graphql_api.infra.dynamodb.protocol import ServiceError, Transport, TransportError

SOON = 60  # seconds, of which a busy machine may need some
LONG = 10 * SOON

Behaviour = Callable[[socket.socket], None]  # what happens after a request has come


class Store:
    """A server that treats each request by the next of its behaviours, the last one for ever."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.listener.getsockname())
        self.begin()
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.heads: list[str] = []
        self.connections = 0

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while lines := list(iter(lambda: stream.readline().decode().rstrip(), "")):
                self.heads.append("\n".join(lines))
                fields = dict(line.lower().split(": ", 1) for line in lines[1:])
                stream.read(int(fields.get("content-length", 0)))
                now = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
                now(connection)


def answer(content: bytes = b'{"ok": 1}', status: int = 200, length: int = 0, **headers: Any):
    """Behaves well, unless what it says is not so."""
    lines = {"Content-Length": length or len(content), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    whole = f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content
    return lambda connection: connection.sendall(whole)


def then_closed(behaviour: Behaviour) -> Behaviour:
    def behave(connection):
        behaviour(connection)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError  # whose handler closes it, without a farewell


def hang(connection: socket.socket) -> None:
    connection.recv(1)  # until the other side gives up


def drip(at_once: bytes, slowly: bytes) -> Behaviour:
    """Of what it says, one more byte comes whenever one would give up."""

    def behave(connection):
        connection.sendall(at_once)
        for byte in slowly:
            time.sleep(0.02)
            connection.sendall(bytes([byte]))

    return behave


def error(code: str, status: int = 400) -> Behaviour:
    return answer(f'{{"__type": "x#{code}"}}'.encode(), status)


GOOD = b'{"ok": 1}'
SILENCE = {"seconds": 0.1, "attempts": 2}  # enough for those that must be waited for


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    store = Store()
    yield store
    store.listener.close()


@pytest.fixture
def store(server) -> Store:
    server.begin(answer())
    return server


@pytest.fixture(scope="module")
def connection(server) -> Any:
    return connect(Config(dynamodb=f"http://{server.address}"))


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between attempts, of which none is made."""
    made: list[float] = []
    monkeypatch.setattr(retry.random, "uniform", lambda _, longest: made.append(longest) or 0)
    return made


@pytest.fixture
def ask(connection, monkeypatch) -> Callable[..., Any]:
    """Makes a call on a wire of its own, without a pause between its attempts."""
    monkeypatch.setattr(retry.random, "uniform", lambda *_: 0)

    def ask(attempts: int = 4, seconds: float = SOON):
        return Transport(connection, attempts, seconds, LONG).call("GetItem", {"TableName": "t"})

    return ask


def unhurried(connection: Any) -> Transport:
    """A transport of one attempt, which may take as long as a busy machine needs."""
    return Transport(connection, attempts=1, timeout=SOON, call_timeout=LONG)


# Answers, and none


@pytest.mark.parametrize(
    "good",
    [
        answer(),
        answer(x_amz_crc32=zlib.crc32(GOOD)),
        then_closed(answer()),
        then_closed(answer(Connection="close")),
        then_closed(lambda connection: connection.sendall(b"HTTP/1.0 200 X\r\n\r\n" + GOOD)),
        lambda connection: connection.sendall(
            b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n" + GOOD + b"\r\n0\r\n\r\n"
        ),
    ],
    ids=["plain", "checksum", "closed", "closing", "without a length", "chunked"],
)
def test_a_call_returns_the_body_of_the_response(store, ask, good):
    store.begin(good)

    assert ask() == {"ok": 1}
    assert len(store.heads) == 1


BAD = {
    "reset": reset,
    "closed without a word": then_closed(lambda _: None),
    "no HTTP": then_closed(lambda connection: connection.sendall(b"SSH-2.0-x\r\n")),
    "half a head": then_closed(lambda connection: connection.sendall(b"HTTP/1.1 200 X\r\nCont")),
    "half a body": then_closed(answer(length=100)),
    "half a chunk": then_closed(
        lambda connection: connection.sendall(
            b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n" + GOOD
        )
    ),
    "half an object": answer(b'{"ok": '),
    "another checksum": answer(x_amz_crc32=zlib.crc32(b'{"ok": 2}')),
    "a checksum that is none": answer(x_amz_crc32="x"),
    "a page": answer(b"<html>Sign in</html>"),
    "no object": answer(b"[1]"),
    "no UTF-8": answer(b'{"ok": "\xff"}'),
    "nothing": answer(b""),
    "an error of a proxy": answer(b"<html>Bad gateway</html>", 502),
    "an error of the store": error("InternalServerError", 500),
    "throttled": error("ThrottlingException"),
    "a transaction that is still going on": error("TransactionInProgressException"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_call_that_fails_twice_succeeds_at_the_third_attempt(store, ask, bad):
    store.begin(bad, bad, answer())

    assert ask() == {"ok": 1}
    assert len(store.heads) == 3


ANSWERING = {"throttled", "a transaction that is still going on"}


@pytest.mark.parametrize("name", BAD)
def test_a_call_that_keeps_failing_raises_whether_the_store_is_unreachable(
    ask, store, pauses, name
):
    store.begin(BAD[name])

    with pytest.raises(TransportError) as caught:
        ask()

    assert caught.value.unreachable is (name not in ANSWERING)
    assert len(store.heads) == 4
    assert pauses == [0.05, 0.1, 0.2]


@pytest.mark.parametrize("name", BAD)
def test_a_service_error_is_maybe_applied_after_an_attempt_without_a_response(store, ask, name):
    store.begin(BAD[name], error("ConditionalCheckTransportErrorException"))

    with pytest.raises(ServiceError) as caught:
        ask()

    assert caught.value.code == "ConditionalCheckTransportErrorException"
    assert caught.value.maybe_applied is (name != "throttled")


def test_a_service_error_at_the_first_attempt_is_final_and_not_maybe_applied(store, ask):
    store.begin(error("ConditionalCheckTransportErrorException"))

    with pytest.raises(ServiceError) as caught:
        ask()

    assert caught.value.maybe_applied is False
    assert len(store.heads) == 1


def test_a_call_without_a_connection_was_not_applied(store, connection, monkeypatch, pauses):
    store.begin(error("ConditionalCheckTransportErrorException"))
    refusing = Transport(connection)
    unopened, refuse = refusing._endpoint._unopened, [True]

    def connect_later(timeout):
        opened = unopened(timeout)
        if refuse:
            refuse.pop()
            opened.port = 1
        return opened

    monkeypatch.setattr(refusing._endpoint, "_unopened", connect_later)
    with pytest.raises(ServiceError) as caught:
        refusing.call("PutItem", {})

    assert caught.value.maybe_applied is False
    assert (len(store.heads), len(pauses)) == (1, 1)


HEAD = b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n"
SLOW = {
    "mute": hang,
    "slow to begin": drip(b"", HEAD + b"X: " + b"x" * 500),
    "slow to end": drip(HEAD + b"\r\n", b" " * 491 + GOOD),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a_slow_response_times_out_however_much_of_it_has_come(store, ask, slow):
    store.begin(slow)

    with pytest.raises(TransportError) as caught:
        ask(**SILENCE)

    assert caught.value.unreachable is True
    assert len(store.heads) == 2


def test_after_a_timeout_the_next_attempt_opens_a_new_connection(store, ask):
    store.begin(hang, answer())

    assert ask(**SILENCE) == {"ok": 1}
    assert store.connections == 2


# Connections


def test_a_connection_is_reused_for_the_next_call(store, connection):
    kept = unhurried(connection)

    assert [kept.call("GetItem", {}) for _ in range(3)] == [{"ok": 1}] * 3
    assert store.connections == 1


def test_after_a_chunked_response_the_connection_is_reused(store, connection):
    kept = unhurried(connection)
    chunks = b'4;name=value\r\n{"ok\r\n5\r\n": 1}\r\n0\r\nTrailer: x\r\n\r\n'
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    store.begin(lambda asking: asking.sendall(head + chunks))

    assert [kept.call("GetItem", {}) for _ in range(2)] == [{"ok": 1}] * 2
    assert store.connections == 1


def test_a_response_may_end_with_its_connection(store, connection):
    kept = unhurried(connection)
    store.begin(then_closed(lambda asking: asking.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD)))

    assert [kept.call("GetItem", {}) for _ in range(2)] == [{"ok": 1}] * 2
    assert store.connections == 2


def test_a_connection_that_was_closed_while_idle_costs_no_attempt(store, connection):
    kept = unhurried(connection)
    store.begin(then_closed(answer()))

    for _ in range(3):
        assert kept.call("GetItem", {}) == {"ok": 1}
        while not kept._idle[0].is_stale():  # its end is still on its way
            time.sleep(0.001)

    assert store.connections == 3


def test_an_unrequested_response_is_never_taken_for_that_of_the_next_call(store, connection):
    kept = unhurried(connection)
    twice = answer(b'{"ok": 1}HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{"no": 1}', length=9)
    store.begin(twice, answer())

    assert [kept.call("GetItem", {}) for _ in range(2)] == [{"ok": 1}] * 2


def test_a_late_unrequested_response_is_never_taken_for_that_of_the_next_call(store, connection):
    kept = unhurried(connection)
    asked: list[socket.socket] = []
    store.begin(lambda asking: (asked.append(asking), answer()(asking)), answer(b'{"ok": 2}'))

    assert kept.call("GetItem", {}) == {"ok": 1}
    answer(b'{"no": 1}')(asked[0])
    while not kept._idle[0].is_stale():
        time.sleep(0.001)
    assert kept.call("GetItem", {}) == {"ok": 2}
    assert store.connections == 2


@pytest.mark.parametrize("operation", protocol.REQUIRED_MEMBERS)
def test_a_response_without_its_required_member_is_refused_and_its_connection_closed(
    store, connection, operation
):
    its = {protocol.REQUIRED_MEMBERS[operation]: 0}
    asking = Transport(connection, attempts=2)
    store.begin(answer(), answer(orjson.dumps(its)))

    assert asking.call(operation, {}) == its
    assert (len(store.heads), store.connections) == (2, 2)


def test_a_call_without_time_left_opens_no_connection(store, connection, monkeypatch):
    late = Transport(connection, attempts=1)
    monkeypatch.setattr(sigv4, "sign", lambda *_: time.sleep(0.06) or {})
    set_deadline(0.05)

    with pytest.raises(TransportError) as caught:
        late.call("GetItem", {})

    clear_deadline()
    assert caught.value.unreachable is None  # the request had too little time to tell
    assert store.connections == 0


def test_without_another_thread_no_connection_is_opened(connection, monkeypatch):
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    alone = Transport(connection, attempts=1)
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(TransportError, match="can't start new thread"):
        alone.call("GetItem", {})


def test_a_large_request_that_the_store_does_not_read_times_out():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = connect(Config(dynamodb="http://{}:{}".format(*deaf.getsockname())))
        sending = Transport(client, attempts=1, timeout=0.2, call_timeout=LONG)
        began = time.monotonic()
        with pytest.raises(TransportError):
            sending.call("PutItem", {"large": "x" * 20_000_000})
        assert 0.2 <= time.monotonic() - began < SOON


def test_all_connections_of_simultaneous_calls_are_kept_and_closed_at_the_end(
    store, connection, monkeypatch
):
    together = threading.Barrier(5)

    def meet(asking):
        together.wait(SOON)
        answer()(asking)

    store.begin(meet)
    monkeypatch.setattr(protocol, "CONNECT_SECONDS", SOON)
    kept = unhurried(connection)
    threads = [threading.Thread(target=kept.call, args=("GetItem", {})) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    idle = list(kept._idle)
    del kept, threads, thread

    assert len(idle) == store.connections == 5
    assert all(kept._opened.sock is None for kept in idle)


# Time


class Clock(SimpleNamespace):
    """A time that passes only when it is spent."""

    def __init__(self) -> None:
        super().__init__(now=1000.0, strftime=time.strftime, gmtime=time.gmtime)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds

    @classmethod
    def instead(cls, patch):
        """A clock in the place of the one that the protocol and the deadline read."""
        clock = cls()
        for module in (protocol, deadline, retry):
            patch.setattr(module, "time", clock)
        patch.setattr(retry, "sleep", clock.sleep)
        return clock


def spending(connection, clock: Clock, *seconds: float, attempts: int = 4) -> Transport:
    """A wire on which each attempt takes so long, or all of the time that it is given."""
    left = list(seconds)
    slow = Transport(connection, attempts)

    def send(_operation, _content, timeout):
        wanted = left.pop(0) if left else timeout
        clock.now += min(wanted, timeout)
        raise TimeoutError if wanted >= timeout else ConnectionResetError

    slow._send = send
    return slow


@given(
    calls=st.lists(st.lists(st.floats(0, 2), max_size=4), min_size=1, max_size=8),
    attempts=st.integers(1, 20),
)
def test_all_calls_of_a_request_end_by_its_deadline(connection, calls, attempts):
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock.instead(patch)
        set_deadline()
        began = clock.now
        for seconds in calls:
            with pytest.raises(TransportError):
                spending(connection, clock, *seconds, attempts=attempts).call("GetItem", {})
        clear_deadline()

    assert clock.now - began <= REQUEST_SECONDS + 1e-6


def test_outside_of_a_request_each_call_has_its_own_timeout(connection, monkeypatch):
    clock = Clock.instead(monkeypatch)

    for _ in range(3):
        before = clock.now
        with pytest.raises(TransportError) as caught:
            spending(connection, clock).call("GetItem", {})
        assert clock.now - before == REQUEST_SECONDS
        assert caught.value.unreachable is True


def test_a_call_cut_short_by_the_deadline_does_not_call_the_store_unreachable(
    connection, monkeypatch
):
    clock = Clock.instead(monkeypatch)
    set_deadline(0.1)
    hurried = spending(connection, clock)
    said = []
    for _ in range(2):  # with too little time, then with none
        with pytest.raises(TransportError) as caught:
            hurried.call("GetItem", {})
        said.append(caught.value.unreachable)
    clear_deadline()

    assert said == [None, None]


# Who asks


def test_without_credentials_nothing_is_sent(store, connection):
    unknown = Transport(connection)
    unknown._credentials = None

    with pytest.raises(NoCredentialsError):
        unknown.call("GetItem", {})

    assert store.heads == []


class Expired(Credentials):
    def __init__(self, error: Exception) -> None:
        super().__init__("key", "secret")
        self.error = error

    def get_frozen_credentials(self):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Credentials were refreshed, but they are still expired."),
        ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"),
        CredentialRetrievalError(provider="sso", error_msg="log in again"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_cannot_be_renewed_fail_as_an_unreachable_store_does(
    store, connection, error
):
    expired = Transport(connection)
    expired._credentials = Expired(error)

    with pytest.raises(protocol.TransportError) as caught:
        expired.call("GetItem", {})

    assert caught.value.unreachable is True
    assert store.heads == []


# Proxies


@pytest.fixture
def proxied(monkeypatch, store) -> Callable[..., str]:
    """The first line that a proxy at the store's address hears of a call, and its headers."""

    def call(endpoint: str, **variables: str) -> list[str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        connected = connect(Config(dynamodb=endpoint))
        with suppress(TransportError):
            Transport(connected, attempts=1).call("GetItem", {})
        return store.heads[0].splitlines() if store.heads else []

    return call


def test_plain_http_goes_through_the_proxy_of_the_environment(store, proxied):
    line, *_ = proxied("http://store.invalid:8000/x", HTTP_PROXY=store.address)

    assert line == "POST http://store.invalid:8000/x/ HTTP/1.1"


def test_https_goes_through_a_tunnel_with_the_user_of_the_proxy(store, proxied):
    store.begin(then_closed(answer(b"no", 403)))

    proxy = f"http://ann:secret@{store.address}"
    line, *headers = proxied("https://store.invalid", HTTPS_PROXY=proxy)

    assert line.startswith("CONNECT store.invalid:443 HTTP/1.")
    assert "Proxy-Authorization: Basic YW5uOnNlY3JldA==" in headers


def test_no_proxy_is_used_where_no_proxy_says_so(store, proxied):
    line, *_ = proxied(
        f"http://{store.address}", HTTP_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1"
    )

    assert line == "POST / HTTP/1.1"


class Renewing(RefreshableCredentials):
    """Credentials that somebody else is renewing, for as long as one likes."""

    def __init__(self, expires: datetime) -> None:
        super().__init__("old", "secret", "token", expires, dict, "test")
        self.asked = 0

    def get_frozen_credentials(self):
        self.asked += 1
        if self.asked == 1:
            NEVER.wait()
        return ReadOnlyCredentials("new", "secret", "token")


NEVER = threading.Event()


def test_a_renewal_of_credentials_that_never_ends_costs_one_attempt(store, connection):
    renewed = Transport(connection, attempts=2, timeout=0.1, call_timeout=LONG)
    renewed._credentials = Renewing(datetime.now(UTC))

    began = time.monotonic()
    assert renewed.call("GetItem", {}) == {"ok": 1}
    assert 0.1 <= time.monotonic() - began < SOON
    assert "Credential=new/" in store.heads[0]


def test_a_name_lookup_that_never_ends_costs_no_more_than_an_attempt(
    store, connection, monkeypatch
):
    lost = Transport(connection, attempts=2, timeout=0.1, call_timeout=LONG)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: NEVER.wait())

    began = time.monotonic()
    with pytest.raises(TransportError) as caught:
        lost.call("PutItem", {})
    assert 0.2 <= time.monotonic() - began < SOON
    assert caught.value.unreachable is True
    assert store.heads == []
