"""The guard over connections: who does not read, and who has too many, is cut."""

import socket
import sys
from contextlib import ExitStack

import pytest

from graphql_api.infra.serving import connections
from graphql_api.infra.serving.connections import (
    MAX_UNREAD,
    READ_RATE,
    READ_SECONDS,
    ConnectionGuard,
    Seen,
    Sockets,
    UnreadAnswers,
    network,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")


class World:
    """Connections as they are said to be, and those that were cut."""

    def __init__(self, most=1_000, most_by_address=None):
        self.seen, self.cut = {}, []
        self.unread = UnreadAnswers()
        self.guard = ConnectionGuard(
            most, most_by_address, self.seen.values, self._cut, self.unread
        )

    def add(self, number, address="192.0.2.1", read=0, sent=0, waiting=0):
        self.seen[number] = Seen(number, (address, 1_000 + number), read, sent, waiting)

    def _cut(self, seen):
        self.cut.append(seen.file)
        del self.seen[seen.file]
        return True


def test_a_client_that_reads_nothing_is_cut_after_its_time():
    world = World()
    world.add(1, waiting=100)
    world.add(2)

    counts = [world.guard.scan(now) for now in (0, READ_SECONDS, READ_SECONDS + 1)]

    assert counts == [0, 0, 1]
    assert world.cut == [1]


def test_a_client_has_a_second_more_for_each_so_many_bytes_that_it_reads():
    world = World()
    for second in range(100):
        world.add(1, read=second * READ_RATE, waiting=100)
        world.add(2, read=second * READ_RATE // 2, waiting=100)
        world.guard.scan(second)

    assert set(world.cut) == {2}


def test_a_client_that_has_read_all_begins_anew_with_the_next_answer():
    world = World()
    for second in range(0, 60, 3):
        world.add(1, read=second, waiting=second % 2)
        world.guard.scan(second)

    assert world.cut == []


def test_another_connection_of_the_same_file_is_not_taken_for_the_one_before():
    world = World()
    world.add(1, waiting=100)
    world.guard.scan(0)
    world.add(1, address="192.0.2.9", waiting=100)

    assert world.guard.scan(READ_SECONDS + 1) == 0


def test_the_slowest_of_an_address_with_too_many_connections_are_cut():
    world = World(most_by_address=3)
    for number in range(6):
        world.add(number, sent=number)
    world.add(9, address="192.0.2.2")

    assert world.guard.scan(1) == 3
    assert world.cut == [0, 1, 2]


def test_no_address_has_a_share_behind_a_proxy():
    world = World(most_by_address=None)
    for number in range(700):
        world.add(number)

    assert world.guard.scan(0) == 0


def test_under_pressure_the_address_with_most_connections_makes_room():
    world = World(most=100)
    for number in range(90):
        world.add(number, address="192.0.2.1", sent=number)
    for number in range(90, 100):
        world.add(number, address=f"198.51.100.{number}")

    assert world.guard.scan(0) == 25
    assert sorted(world.cut) == list(range(25))


def test_an_ipv6_network_is_one_client_and_a_mapped_address_is_its_ipv4_one():
    assert network("2001:db8:0:1::7") == network("2001:db8:0:1:ffff::9") == "2001:db8:0:1::/64"
    assert network("2001:db8:0:2::7") != network("2001:db8:0:1::7")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == "fe80::/64"


def test_of_those_who_hold_large_answers_for_long_the_slowest_are_cut():
    world = World()
    size = MAX_UNREAD // 4
    for number in range(7):
        world.unread.add(("192.0.2.1", 1_000 + number), size, 0)
    for second in (1, 2):
        for number in range(7):
            world.add(number, read=number * second * READ_RATE, waiting=100 if number < 6 else 0)
        assert world.guard.scan(second) == (2 if second == 2 else 0)

    assert world.cut == [0, 1]


def test_whoever_has_read_a_large_answer_holds_nothing():
    world = World()
    world.unread.add(("192.0.2.1", 1_001), MAX_UNREAD * 2, 0)
    world.add(1, read=MAX_UNREAD * 2)
    world.guard.scan(0.5)
    assert world.unread.size(("192.0.2.1", 1_001)) == MAX_UNREAD * 2  # it may not have begun

    world.guard.scan(1.5)

    assert world.unread.size(("192.0.2.1", 1_001)) == 0
    assert world.cut == []


@pytest.fixture
def served():
    """A listener's port, and a function that makes connections: the client's end and ours."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def connect():
            client = stack.enter_context(socket.create_connection(listener.getsockname()))
            server = stack.enter_context(listener.accept()[0])
            return client, server

        yield listener.getsockname()[1], connect


@linux
def test_each_connection_with_a_client_is_seen_with_what_waits_for_it(served):
    port, connect = served
    (client, server), _ = connect(), connect()
    client.sendall(b"12345")
    assert server.recv(5) == b"12345"
    server.settimeout(0)
    server.send(b"x" * 10**7)

    seen = {each.file: each for each in Sockets(port).look()}

    assert len(seen) == 2
    one = seen[server.fileno()]
    assert (one.peer, one.sent) == (client.getsockname(), 5)
    assert one.waiting > 65_536


@linux
def test_a_connection_that_is_shut_down_ends_for_both(served):
    port, connect = served
    client, server = connect()
    [seen] = Sockets(port).look()

    assert connections.shut_down(seen)
    assert client.recv(1) == b""
    server.close()
    assert not connections.shut_down(seen)


@linux
def test_streams_are_left_alone_as_long_as_they_are_open(served):
    port, connect = served
    (streaming, _), (other, _) = connect(), connect()
    streams = {streaming.getsockname()}
    sockets = Sockets(port, streams)

    assert [seen.peer for seen in sockets.look()] == [other.getsockname()]
    assert [seen.peer for seen in sockets.look()] == [other.getsockname()]
    streams.clear()
    assert {seen.peer for seen in sockets.look()} == {
        streaming.getsockname(),
        other.getsockname(),
    }


@linux
def test_clients_over_ipv6_are_seen_by_their_whole_addresses():
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    with listener, socket.create_connection(listener.getsockname()[:2]) as client:
        server, _ = listener.accept()
        with server:
            [seen] = Sockets(listener.getsockname()[1]).look()

            assert seen.peer == client.getsockname()[:2]
            assert seen.peer[0] == "::1"
