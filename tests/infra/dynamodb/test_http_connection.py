"""HTTP connections to a store, which let other requests go on while they wait."""

import socket
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hubs import SOON, HubRig, soon

from graphql_api.infra.dynamodb.http_connection import Connection

pytestmark = pytest.mark.usefixtures("each_poller")


class Store:
    """A store at the other end of a connection, which answers when it is told to."""

    def __init__(self):
        here, self.there = socket.socketpair()
        self.connection = Connection(SimpleNamespace(sock=here, close=here.close))

    def ask(self, size=1):
        return self.connection.request(b"x" * size, soon())[0].content

    def answers(self, content):
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        self.there.sendall(head + content)

    def close(self):
        self.connection.close()
        self.there.close()


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


def test_while_one_request_waits_for_its_response_another_gets_its_own(store):
    rig, quicker = HubRig(concurrency=2), Store()
    rig.run(store.ask, quicker.ask)

    quicker.answers(b"second")
    assert rig.result() == b"second"
    store.answers(b"first")
    assert rig.result() == b"first"
    rig.run(store.ask)
    store.answers(b"again")
    assert rig.result() == b"again"
    quicker.close()


@pytest.mark.parametrize("inside", [True, False])
def test_a_body_larger_than_all_buffers_is_sent_and_received_whole(store, inside):
    size = 4_000_000

    def other_side():
        left = size
        while left:
            left -= len(store.there.recv(65_536))
        store.answers(b"y" * size)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(other_side)
        if inside:
            rig = HubRig()
            rig.run(lambda: store.ask(size))
            content = rig.result()
        else:
            content = store.ask(size)
        done.result(SOON)

    assert content == b"y" * size
