"""HTTP/1.1 as it should not be, sent to the running service byte by byte."""

import re
import socket

import pytest
from service import running

pytestmark = pytest.mark.whole

HEAD = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with running(tmp_path_factory.mktemp("framing") / "data", WORKERS="1") as url:
        yield int(url.rpartition(":")[2])


def answers(port: int, sent: bytes) -> list[tuple[int, bytes]]:
    """Status, and head and body of each answer until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        received = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:  # it was closed before all was read
            pass
    found = re.split(rb"(?=HTTP/1\.1 (?!100)\d{3})", received)
    return [(int(a[9:12]), a) for a in found if a.startswith(b"HTTP/1.1 ") and a[9:12] != b"100"]


BAD_FRAMING = {
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a signed length": b"Content-Length: +2\r\n\r\n{}",
    "a negative length": b"Content-Length: -1\r\n\r\n{}",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
    "a folded header": b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in a header": b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", BAD_FRAMING.values(), ids=BAD_FRAMING)
def test_a_badly_framed_request_gets_one_400_and_nothing_after_it_is_read(port, rest):
    [(status, _)] = answers(port, HEAD + rest + NEXT)

    assert status == 400


def test_after_an_error_the_next_request_of_the_connection_gets_its_own_answer(port):
    wrong = HEAD + b"Content-Length: 1\r\n\r\n{"
    verify = b"GET /auth/verify HTTP/1.1\r\nHost: a\r\n\r\n"

    first, second, third = answers(port, wrong + verify + NEXT)

    assert (first[0], b"not valid JSON" in first[1]) == (400, True)
    assert (second[0], b"UNAUTHENTICATED" in second[1]) == (401, True)
    assert (third[0], third[1].endswith(b'{"status":"ok"}\n')) == (200, True)


def test_what_follows_a_body_that_is_too_large_is_no_request(port):
    body = b"Content-Length: 70000\r\n\r\n" + NEXT * 700

    statuses = [status for status, _ in answers(port, HEAD + body)]

    assert statuses in ([413], [])  # it may be reset before the client has read the answer


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /auth/verify", b"Authorization: Bearer " + b"a" * 60_000, {401, 431}),
        (b"GET /auth/verify", b"Authorization: Bearer " + b"a" * 1_000_000, {431}),
        (b"GET /auth/verify", b"Authorization: a.b.c\r\nAuthorization: a.b.c", {401}),
        (b"GET /healthz", b"\r\n".join(b"X-%d: a" % n for n in range(200)), {431}),
        (b"GET /" + b"a" * 70_000, b"X: a", {414}),
        (b"POST /graphql", b"Content-Type: text/plain\r\nContent-Type: application/json", {415}),
        (b"POST /graphql", b"Content-Type: application/json\r\nExpect: 200-maybe", {400, 417}),
        (b"TRACE /graphql", b"X-Secret: a", {405}),
    ],
)
def test_odd_heads_are_refused(port, request_line, headers, status):
    request = request_line + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers
    try:
        [(refused, answer)] = answers(port, request + b"\r\n\r\n")
    except ValueError:  # closed before all of a long head was read
        assert len(request) > 60_000
    else:
        assert refused in status
        assert b"X-Secret" not in answer


def test_whoever_waits_to_be_told_to_go_on_is_told_so_and_answered_once(port):
    head = HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n{"

    [(status, _)] = answers(port, head)

    assert status == 400


@pytest.mark.parametrize(
    "target", [b"/", b"//graphql", b"//evil.example/%2e%2e", b"http://b.example"]
)
def test_no_redirect_goes_where_a_client_says_that_it_is(port, target):
    request = b"GET %b HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n" % target

    [(status, answer)] = answers(port, request)

    assert status in {302, 400, 404}
    assert b"evil.example" not in answer
    assert re.findall(rb"(?i)\r\nlocation: (.*?)\r\n", answer) in ([], [b"/graphql"])


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        (b"1.1", b"", 400),
        (b"1.1", b"Host: a\r\nHost: b\r\n", 400),
        (b"1.1", b"Host: a\r\nHost: a\r\n", 400),
        (b"1.1", b"Host: a\r\n", 200),
        (b"1.1", b"Host:\r\n", 200),
        (b"1.0", b"", 200),
    ],
)
def test_a_request_of_http_1_1_has_one_host(port, version, hosts, status):
    request = b"GET /healthz HTTP/" + version + b"\r\n" + hosts + b"Connection: close\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        head = connection.recv(65536)

    assert int(head[9:12]) == status
