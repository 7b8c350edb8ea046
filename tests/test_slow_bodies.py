"""Bodies that never come hold the waiting threads for seconds only; nobody else is cut off."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from service import running

from graphql_api.slow_bodies import RATE, SECONDS, Traffic, _Seen, _slow

ROOT = Path(__file__).parent.parent

whole = pytest.mark.whole
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what came when")


@pytest.mark.parametrize(
    ("received", "received_ago", "sent_ago", "since", "slow"),
    [
        (100, SECONDS, SECONDS, 0, True),  # nothing happens
        (100, 0.1, SECONDS, SECONDS, True),  # too little comes
        (RATE * SECONDS, 0.1, SECONDS, SECONDS, False),  # enough comes
        (100, 0.1, SECONDS, SECONDS - 0.1, False),  # it has only begun
        (100, SECONDS, 0.1, 0, False),  # it was answered just now
    ],
)
def test_who_is_slow(received, received_ago, sent_ago, since, slow):
    traffic = Traffic(received, 0, received_ago, sent_ago)

    assert _slow(traffic, _Seen(since=1000 - since, received=0), now=1000) is slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def few_threads():
    """The port of a server of eight waiting threads, see there."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "tests/few_threads.py", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    assert server.poll() is None
                    time.sleep(0.05)
            yield port
        finally:
            server.terminate()


class Client:
    """A connection on which one request is sent, as slowly as one likes."""

    def __init__(self, port: int, path: str = "/", headers: str = "Content-Length: 4000") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.send(f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode())

    def send(self, body: bytes) -> None:
        self.socket.sendall(body)

    def status(self) -> bytes:
        """The status of the answer; 100 Continue is none."""
        return self.socket.recv(4096).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")[9:12]


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
    yield
    done.set()
    thread.join()


CHUNKED = "Transfer-Encoding: chunked"
EXPECT = "Expect: 100-continue\r\nContent-Length: 4000"


@whole
@on_linux
@pytest.mark.parametrize("headers", ["Content-Length: 4000", CHUNKED, EXPECT])
def test_silent_bodies_are_cut_and_whoever_waits_behind_them_is_answered(headers):
    with few_threads() as port, ExitStack() as stack:
        silent = [Client(port, headers=headers) for _ in range(20)]
        for client in silent:
            stack.callback(client.socket.close)
        time.sleep(0.5)  # so that it is seen to have come later
        behind = Client(port, headers="Content-Length: 0")
        stack.callback(behind.socket.close)

        assert behind.status() == b"200"
        assert silent[0].socket.recv(100)  # an answer, that it was too late


@whole
@on_linux
def test_a_request_that_is_answered_is_not_cut_nor_a_body_that_comes_steadily():
    with few_threads() as port, ExitStack() as stack:
        answered = Client(port, "/later", "Content-Length: 2")
        answered.send(b"{}")
        steady = Client(port, headers="Content-Length: 1500")
        dribbling = [Client(port) for _ in range(20)]
        for client in (answered, steady, *dribbling):
            stack.callback(client.socket.close)

        # More than the least rate, and far less.
        with sending([steady], b"x" * 150), sending(dribbling, b"x"):
            assert steady.status() == b"200"
            assert answered.status() == b"200"
            assert dribbling[0].status() == b"408"


@whole
@on_linux
def test_six_hundred_slow_bodies_keep_a_fast_client_waiting_for_moments_only(tmp_path):
    with running(tmp_path / "data", WORKERS="1") as url, ExitStack() as stack:
        port = int(url.rpartition(":")[2])
        for _ in range(600):
            slow = Client(port, "/graphql", "Content-Length: 1000")
            stack.callback(slow.socket.close)

        with urllib.request.urlopen(url + "/readyz", timeout=60) as answer:
            assert answer.status == 200
