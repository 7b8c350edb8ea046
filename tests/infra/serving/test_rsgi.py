"""Bodies are read before anybody works on them; slow and endless ones keep nobody waiting."""

import asyncio
import socket
import threading
import time
import urllib.request
from contextlib import ExitStack, closing, contextmanager, suppress
from types import SimpleNamespace

import pytest
from service import running
from test_framing import HEAD, answers

from graphql_api.infra.serving import rsgi
from graphql_api.infra.serving.body_limits import BODY_BYTES
from graphql_api.infra.serving.event_loop import InlineTask
from graphql_api.infra.serving.rsgi import (
    BODY_SECONDS,
    CHECK_SECONDS,
    MIN_RATE,
    QUEUE_SECONDS,
    SMALL_BODY,
    RSGIApp,
)
from graphql_api.infra.serving.wsgi import REFUSED

whole = pytest.mark.whole

CLOSE = [("Connection", "close")]
LATE = (408, CLOSE, b"cut")


# Fakes of granian's


class Pending:
    """A future, as granian has them."""

    def __init__(self):
        self.result, self.step, self.is_cancelled = None, None, False

    def __await__(self):
        while self.result is None:
            yield self
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def add_done_callback(self, step, **_):
        self.step = step

    def cancelled(self):
        return self.is_cancelled

    def cancel(self):
        self.is_cancelled = True
        self.step(self)
        return True

    def complete(self, result):
        self.result = result
        self.step(self)


class Protocol:
    """A client that sends a body as one, or in parts, and keeps the answer that it gets."""

    def __init__(self):
        self.pending, self.ends, self.answer = [], False, None
        self.answered = threading.Event()

    def __call__(self):
        return self.__anext__()

    def __aiter__(self):
        return self

    def __anext__(self):
        if self.ends:
            raise StopAsyncIteration
        self.pending.append(Pending())
        return self.pending[-1]

    def response_bytes(self, *answer):
        self.answer = answer
        self.answered.set()

    def sends(self, part):
        self.pending[-1].complete(part)

    def ends_with(self, part):
        self.ends = True
        self.sends(part)


class AtOnce:
    """A hub in whose place the present one goes on."""

    def start(self):
        pass

    def __await__(self):
        return iter(())


def echo(environ, start_response):
    if refused := environ.get(REFUSED):
        start_response(f"{refused:d} What it is", [])
        return [b"cut"]
    start_response("200 OK", [("Length", environ["CONTENT_LENGTH"])])
    return [environ["wsgi.input"].read()]


class Rig:
    """A request to an RSGI app whose WSGI app answers with the body."""

    def __init__(self, path="/graphql", app=echo, hub=None, **headers):
        self.protocol = Protocol()
        self.app = RSGIApp(app, hub or AtOnce())
        scope = SimpleNamespace(
            http_version="1.1",
            scheme="http",
            method="POST",
            path=path,
            query_string="",
            server="127.0.0.1:5000",
            client="10.0.0.1:1234",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        InlineTask(self.app.__rsgi__(scope, self.protocol))()

    @property
    def answer(self):
        return self.protocol.answer


def echoed(body, length=None):
    return (200, [("Length", length or str(len(body)))], body)


# What is waited for, and what is not


def test_a_request_without_a_body_is_answered_at_once():
    assert Rig().answer == echoed(b"")
    assert Rig(content_length="0").answer == echoed(b"")


def test_a_small_body_is_waited_for_as_a_whole():
    rig = Rig(content_length="5")
    assert rig.answer is None

    rig.protocol.sends(b"hello")

    assert rig.answer == echoed(b"hello")


@pytest.mark.parametrize("headers", [{"content_length": "5000"}, {"transfer_encoding": "chunked"}])
def test_a_larger_body_or_one_in_chunks_is_waited_for_part_by_part(headers):
    rig = Rig(**headers)

    rig.protocol.sends(b"x" * 3000)
    assert rig.answer is None
    rig.protocol.ends_with(b"y" * 2000)

    assert rig.answer == echoed(b"x" * 3000 + b"y" * 2000)


def test_a_body_in_chunks_that_breaks_off_does_not_reach_the_app():
    whole, broken = Rig(transfer_encoding="chunked"), Rig(transfer_encoding="chunked")

    for rig in (whole, broken):
        rig.protocol.sends(b"{}")
    broken.protocol.sends(b"")
    for rig in (whole, broken):
        rig.protocol.ends_with(b"")

    assert whole.answer == echoed(b"{}")
    assert broken.answer == (400, *LATE[1:])


def test_of_an_endless_body_hardly_more_than_allowed_is_read():
    rig = Rig(transfer_encoding="chunked")

    rig.protocol.sends(b"x" * BODY_BYTES)
    assert rig.answer is None
    rig.protocol.sends(b"x")

    assert rig.answer == echoed(b"x" * (BODY_BYTES + 1))


@pytest.mark.parametrize("length", [str(BODY_BYTES + 1), "9" * 5000])
def test_a_body_that_says_that_it_is_too_large_is_not_read(length):
    rig = Rig(content_length=length)

    assert rig.protocol.pending == []
    assert rig.answer == echoed(b"", length)


def test_a_body_that_ends_early_does_not_reach_the_app():
    small, large = Rig(content_length="5"), Rig(content_length="5000")

    small.protocol.sends(RuntimeError("RSGI transport is closed"))
    large.protocol.ends_with(b"x" * 4999)

    assert small.answer == large.answer == LATE


def test_a_health_check_is_answered_while_all_else_hangs():
    class Hung(AtOnce):
        def __await__(self):
            yield SimpleNamespace(add_done_callback=lambda *_, **__: None)

    rig = Rig("/healthz", hub=Hung())
    rig.app.__rsgi_init__(SimpleNamespace(call_later=lambda *_: None))

    assert rig.protocol.answered.wait(10)
    assert rig.answer == echoed(b"")
    assert Rig("/readyz", hub=Hung()).answer is None


def test_what_an_app_opens_it_closes():
    closed = []

    class Parts(list):
        def close(self):
            closed.append(self)

    def app(_, start_response):
        start_response("207 Multi-Status", [])
        return Parts([b"a", b"b"])

    assert Rig(app=app).answer == (207, [], b"ab")
    assert closed == [[b"a", b"b"]]


def test_a_connection_that_is_ended_is_said_to_be_so_once():
    def draining(_, start_response):
        start_response("408 Request Timeout", CLOSE)
        return [b"cut"]

    rig = Rig(app=draining, content_length="5")
    rig.protocol.sends(RuntimeError("RSGI transport is closed"))

    assert rig.answer == LATE


# How long


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is told to go on."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(rsgi.time, "monotonic", lambda: clock.now)
    return clock


def after_a_check(rig):
    rig.app._cancel_late_bodies()
    return rig.answer


def test_a_small_body_may_take_as_long_as_at_the_least_rate(clock):
    rig = Rig(content_length=str(MIN_RATE * 2))

    clock.now += BODY_SECONDS + 2
    assert after_a_check(rig) is None
    clock.now += 0.1
    assert after_a_check(rig) == LATE
    assert after_a_check(rig) == LATE  # once is enough


@pytest.mark.parametrize(
    "headers", [{"content_length": str(SMALL_BODY + 1)}, {"transfer_encoding": "chunked"}]
)
def test_each_part_of_a_body_earns_it_more_time(clock, headers):
    rig = Rig(**headers)

    clock.now += BODY_SECONDS
    assert after_a_check(rig) is None
    rig.protocol.sends(b"x" * MIN_RATE)
    clock.now += 1
    assert after_a_check(rig) is None
    rig.protocol.sends(b"x")
    clock.now += 0.1

    assert after_a_check(rig) == LATE


def test_who_is_cut_is_counted_and_who_has_sent_all_is_not(clock):
    cut = []
    late, done = Rig(content_length="5"), Rig(content_length="5")
    for rig in (late, done):
        rig.app.on_slow_bodies = cut.append
    done.protocol.sends(b"hello")
    clock.now += 60

    assert after_a_check(late) == LATE
    assert after_a_check(done) == echoed(b"hello")
    assert cut == [1]


@pytest.mark.parametrize(
    ("waited", "expected"), [(0, echoed(b"")), (0.1, (503, [], b"cut"))], ids=["just so", "late"]
)
def test_who_has_waited_too_long_for_a_turn_is_told_so_at_once(clock, waited, expected):
    turn = Pending()
    rig = Rig(hub=turn)

    clock.now += QUEUE_SECONDS + waited
    assert rig.answer is None
    turn.complete("now")

    assert rig.answer == expected


def test_late_bodies_are_looked_for_again_and_again(clock):
    loop, rig = asyncio.new_event_loop(), Rig(content_length="5")
    clock.now += 60
    try:
        rig.app.__rsgi_init__(loop)
        assert rig.answer == LATE
        [again] = loop._scheduled
        assert again.when() == pytest.approx(loop.time() + CHECK_SECONDS)
    finally:
        loop.close()


# The whole service


class Client:
    """A connection on which one request is sent, as slowly as one likes."""

    def __init__(self, port: int, path: str = "/graphql", headers: str = "Content-Length: 4000"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
        self.send(head.encode() + b"\r\n\r\n")

    def send(self, body: bytes) -> None:
        self.socket.sendall(body)

    def status(self) -> bytes:
        """The status of the answer; 100 Continue is none."""
        proceed = b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = self.socket.recv(4096).removeprefix(proceed) or self.socket.recv(4096)
        return answer[9:12]

    def is_ended(self) -> bool:
        with suppress(ConnectionError):
            while self.socket.recv(4096):
                pass
        return True


@contextmanager
def sending(clients: list[Client], body: bytes):
    """Let the clients send this, five times a second, as long as they are listened to."""
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.2):
            for client in clients:
                with suppress(OSError):
                    client.send(body)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with running(tmp_path_factory.mktemp("rsgi") / "data", WORKERS="1") as url:
        yield int(url.rpartition(":")[2])


TYPENAME = b'{"data":{"__typename":"Query"}}\n'
CHUNKED = "Transfer-Encoding: chunked"
EXPECT = "Expect: 100-continue\r\nContent-Length: 1000"


@whole
def test_bodies_that_never_come_are_cut_and_those_that_come_steadily_are_not(port):
    with ExitStack() as stack:
        silent = [
            Client(port, headers=headers) for headers in ("Content-Length: 9", CHUNKED, EXPECT)
        ]
        dribbling = Client(port, headers="Content-Length: 5000")
        steady = Client(port, headers="Content-Length: 9000")
        for client in (*silent, dribbling, steady):
            stack.callback(client.socket.close)

        with sending([steady], b" " * 200), sending([dribbling], b" "):
            assert [client.status() for client in (*silent, dribbling)] == [b"408"] * 4
            assert all(client.is_ended() for client in silent)
            assert steady.status() == b"400"  # all of it has come, and is no JSON


@whole
@pytest.mark.parametrize("sent", [b"\r\n{", b""], ids=["slow bodies", "slow heads"])
def test_six_hundred_slow_clients_do_not_stop_a_fast_one(port, sent):
    head = (
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n"
    )
    with ExitStack() as stack:
        for _ in range(600):
            slow = socket.create_connection(("127.0.0.1", port))
            stack.callback(slow.close)
            slow.sendall(head + sent)
        time.sleep(1)

        for path in ("/healthz", "/readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                assert answer.status == 200


@whole
def test_a_chunked_body_beyond_the_limit_is_refused_and_one_within_is_read(port):
    def post(body):
        framing = b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        [(status, whole)] = answers(port, HEAD + framing + chunks)
        return status, whole.endswith(TYPENAME)

    query = b'{"query": "{ __typename }"}'

    assert post(query) == (200, True)
    assert post(query + b" " * BODY_BYTES) == (413, False)


@whole
@pytest.mark.parametrize("cut", [b"", b"0\r\n", b"9\r\n    ", b"no size\r\n"])
def test_a_chunked_body_that_breaks_off_is_not_executed(port, cut):
    query = b'{"query": "{ __typename }"}'
    with closing(Client(port, headers=CHUNKED).socket) as client:
        client.sendall(b"%x\r\n%b\r\n" % (len(query), query) + cut)
        client.shutdown(socket.SHUT_WR)

        refused = client.recv(4096)
        assert refused.startswith(b"HTTP/1.1 400")
        assert b'{"message":"The body broke off, or it has trailers.",' in refused
        assert b"x-request-id: " in refused.lower()


@whole
def test_a_large_body_within_the_limit_is_read(port):
    query = b'{"query": "{ __typename }"}' + b" " * (BODY_BYTES - 27)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", query, {"Content-Type": "application/json"}
    )

    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == TYPENAME


@whole
@pytest.mark.parametrize("query", ["query=%7B__typename%7D&x=é", "query={__typename}&x=€"])
def test_a_url_that_is_not_encoded_is_read_as_utf_8(port, query):
    head = f"GET /graphql?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    [(status, whole)] = answers(port, head.encode())
    assert (status, whole.endswith(TYPENAME)) == (200, True)


@whole
def test_a_content_encoding_that_is_no_text_is_refused(port):
    headers = b"Connection: close\r\nContent-Encoding: gz\xe9\r\nContent-Length: 2\r\n\r\n{}"

    assert [status for status, _ in answers(port, HEAD + headers)] == [415]
