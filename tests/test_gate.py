"""Slow and endless clients keep nobody else waiting."""

import socket
import time
import urllib.request
from io import BytesIO
from pathlib import Path

import pytest
from service import running

from graphql_api.gate import Gate
from graphql_api.limits import BODY_BYTES

ROOT = Path(__file__).parent.parent


class Recorder:
    """A WSGI app that notes what it is called with."""

    def __init__(self):
        self.environ = None

    def __call__(self, environ, start_response):
        self.environ = environ
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]


def enter(body, *, places=1, path="/graphql", **environ):
    app = Recorder()
    request = {"PATH_INFO": path, "wsgi.input": BytesIO(body), **environ}
    answer = Gate(app, places)(request, lambda *_: None)
    return app.environ, b"".join(answer)


def test_the_body_is_read_before_the_app_is_called():
    environ, body = enter(b"hello", CONTENT_LENGTH="5")

    assert body == b"hello"
    assert environ["CONTENT_LENGTH"] == "5"


def test_a_body_without_a_length_gets_one():
    environ, body = enter(
        b"hello", HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True}
    )

    assert body == b"hello"
    assert environ["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_of_an_endless_body_one_byte_more_than_allowed_is_read():
    environ, _ = enter(b"x" * 10 * BODY_BYTES, **{"wsgi.input_terminated": True})

    assert environ["CONTENT_LENGTH"] == str(BODY_BYTES + 1)


def test_a_body_that_ends_early_does_not_reach_the_app():
    environ, body = enter(b"{}", CONTENT_LENGTH="3")

    assert (environ, body) == (None, b"")


def test_a_body_that_says_that_it_is_too_large_is_not_read():
    stream = BytesIO(b"x" * 10)

    def app(environ, _):
        assert environ["wsgi.input"] is stream
        return []

    request = {
        "PATH_INFO": "/graphql",
        "wsgi.input": stream,
        "CONTENT_LENGTH": str(BODY_BYTES + 1),
    }
    assert list(Gate(app, 1)(request, lambda *_: None)) == []
    assert stream.tell() == 0


@pytest.fixture
def port(tmp_path):
    with running(tmp_path / "data", WORKERS="2") as url:
        yield int(url.rpartition(":")[2])


@pytest.mark.whole
@pytest.mark.parametrize("sent", [b"\r\n{", b""], ids=["slow bodies", "slow heads"])
def test_three_hundred_slow_clients_do_not_stop_a_fast_one(port, sent):
    head = (
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n"
    )
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(head + sent)
        time.sleep(1)
        for path in ("/healthz", "/readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                assert answer.status == 200
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.whole
def test_a_chunked_body_beyond_the_limit_is_refused_and_one_within_is_read(port):
    def post(body):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(
                b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            )
            return b"".join(iter(lambda: connection.recv(65536), b""))

    query = b'{"query": "{ __typename }"}'

    assert post(query).endswith(b'{"data":{"__typename":"Query"}}\n')
    assert post(query + b" " * BODY_BYTES).startswith(b"HTTP/1.1 413 ")
