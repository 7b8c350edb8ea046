"""Streams of events: what reaches their transport, and when they end."""

import pytest

from graphql_api.infra.serving import streams
from graphql_api.infra.serving.streams import BURST_BYTES, COMMENT, MOST_BYTES, Stream, event


class Transport:
    """What was sent; fails as granian's does once the client has gone."""

    def __init__(self):
        self.sent, self.is_gone = [], False

    def send_bytes(self, data):
        if self.is_gone:
            raise RuntimeError
        self.sent.append(data)


@pytest.fixture
def opened():
    stream, transport = Stream(), Transport()
    closed = []
    stream.on_close = lambda: closed.append(True)
    stream.open(transport)
    transport.sent.clear()
    return stream, transport, closed


def test_what_is_sent_before_it_is_open_comes_first():
    stream, transport = Stream(), Transport()
    stream.send(b"1")
    stream.open(transport)
    stream.send(b"2")

    assert transport.sent == [COMMENT + b"1", b"2"]


def test_an_end_has_its_last_bytes_and_is_told_once(opened):
    stream, transport, closed = opened

    stream.close(b"bye")
    stream.close(b"again")
    stream.send(b"more")

    assert (transport.sent, closed) == ([b"bye"], [True])


def test_a_client_that_has_gone_fails_nobody(opened):
    stream, transport, closed = opened
    transport.is_gone = True

    stream.send(b"1")
    stream.send(b"2")
    stream.close(b"bye")

    assert (transport.sent, closed) == ([], [True])


def test_a_client_is_sent_so_much_in_some_seconds_and_then_cut_off(opened):
    stream, transport, closed = opened

    for _ in range(5):
        stream.send(b"x" * (BURST_BYTES // 4))

    assert (len(transport.sent), closed) == (4, [True])


def test_a_client_is_cut_off_in_the_end_though_it_is_sent_little_at_a_time(opened, monkeypatch):
    monkeypatch.setattr(streams, "BURST_SECONDS", -1.0)  # each event is in a time of its own
    stream, transport, closed = opened
    size = BURST_BYTES // 4

    for _ in range(MOST_BYTES // size + 5):
        stream.send(b"x" * size)

    assert (len(transport.sent), closed) == (MOST_BYTES // size, [True])


def test_an_event_has_lines_of_lf_and_one_of_data():
    assert event(b"{}", name="next", id="c") == b"id: c\nevent: next\ndata: {}\n\n"
    assert event(b"{}") == b"data: {}\n\n"
