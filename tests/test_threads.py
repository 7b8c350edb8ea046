"""So many threads work at once; who waits for long lets a spare one work in its place."""

import socket
import threading
import time
from queue import SimpleQueue
from types import SimpleNamespace

from graphql_api.dynamodb.connection import Connection
from graphql_api.threads import Threads, apart

SOON = 10  # seconds


class Work:
    """Work that lasts until it is told to end."""

    def __init__(self, threads, *, aside=False):
        self.begun, self.go, self.ended = (threading.Event() for _ in range(3))
        self._aside = aside
        threads.add_done_callback(self, context=None)

    def __call__(self, _):
        if self._aside:
            with apart():
                self._last()
        else:
            self._last()
        self.ended.set()

    def _last(self):
        self.begun.set()
        assert self.go.wait(SOON)

    def end(self):
        self.go.set()
        assert self.ended.wait(SOON)

    def begins(self):
        return self.begun.wait(SOON)

    def waits(self):
        return not self.begun.wait(0.1)


def started(count, at_once):
    threads = Threads(count, at_once)
    threads.start()
    return threads


def test_so_many_work_at_once_and_what_came_first_comes_first():
    threads = started(4, 2)
    first, second, third, fourth = works = [Work(threads) for _ in range(4)]

    assert first.begins()
    assert second.begins()
    assert third.waits()
    first.end()
    assert third.begins()
    assert fourth.waits()
    for work in works:
        work.end()


def test_a_spare_thread_works_while_another_is_apart_and_not_after_it():
    threads = started(3, 1)
    costly, other = Work(threads, aside=True), Work(threads)

    assert costly.begins()
    assert other.begins()
    costly.end()
    other.end()
    once, twice = Work(threads), Work(threads)
    assert once.begins()
    assert twice.waits()
    once.end()
    twice.end()


def test_without_spare_threads_nobody_takes_the_place():
    threads = started(2, 1)
    costly = [Work(threads, aside=True) for _ in range(2)]
    other = Work(threads)

    assert all(work.begins() for work in costly)
    assert other.waits()
    costly[0].end()
    assert other.begins()
    costly[1].end()
    other.end()
    again = [Work(threads) for _ in range(2)]
    assert again[0].begins()
    assert again[1].waits()
    for work in again:
        work.end()


def test_apart_means_nothing_in_other_threads():
    with apart():
        pass


def test_threads_with_nothing_to_do_move():
    threads = started(2, 2)

    assert [threads.moves() for _ in range(3)] == [True] * 3


def test_busy_threads_move_only_while_they_get_something_done():
    threads = started(1, 1)
    first, second = Work(threads), Work(threads)
    assert first.begins()

    assert threads.moves() is False
    first.end()
    assert second.begins()
    assert [threads.moves() for _ in range(3)] == [True, False, False]
    second.end()


def test_a_crash_costs_no_thread(caplog):
    threads, done = started(1, 1), SimpleQueue()

    def crash(_):
        raise ZeroDivisionError

    threads.add_done_callback(crash, context=None)
    threads.add_done_callback(lambda _: done.put("done"), context=None)

    assert done.get(timeout=SOON) == "done"
    assert "ZeroDivisionError" in caplog.text


def test_who_is_apart_already_cannot_be_it_once_more():
    threads, inside = started(3, 1), threading.Event()

    def twice(_):
        with apart(), apart():
            inside.set()
            assert costly.go.wait(SOON)

    threads.add_done_callback(twice, context=None)
    costly = Work(threads)
    assert inside.wait(SOON)
    assert costly.begins()
    other = Work(threads)
    assert other.waits()
    costly.end()
    assert other.begins()
    other.end()


def test_threads_that_all_hang_apart_do_not_move():
    threads = started(1, 1)
    hung, other = Work(threads, aside=True), Work(threads)
    assert hung.begins()

    assert [threads.moves() for _ in range(2)] == [False, False]
    hung.end()
    assert other.begins()
    assert threads.moves() is True
    other.end()


class Store:
    """A store at the other end of a connection, which answers when it is told to."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def __init__(self):
        here, self._there = socket.socketpair()
        self.connection = Connection(SimpleNamespace(sock=here, close=here.close))
        self.answers = SimpleQueue()

    def ask(self, _):
        self.answers.put(self.connection.ask(b"a request", time.monotonic() + SOON))

    def answer(self):
        assert self._there.recv(100) == b"a request"
        self._there.sendall(self.ANSWER)
        return self.answers.get(timeout=SOON)[0].content

    def close(self):
        self.connection.close()
        self._there.close()


def test_while_a_store_takes_long_a_spare_thread_works():
    threads, store = started(2, 1), Store()
    threads.add_done_callback(store.ask, context=None)
    other = Work(threads)

    assert other.begins()
    other.end()
    assert store.answer() == b"{}"
    once, twice = Work(threads), Work(threads)
    assert once.begins()
    assert twice.waits()
    once.end()
    twice.end()
    store.close()


def test_a_connection_is_as_prompt_after_a_slow_answer_as_before():
    threads, store = started(2, 1), Store()

    for _ in range(3):
        threads.add_done_callback(store.ask, context=None)
        other = Work(threads)
        assert other.begins()
        other.end()
        assert store.answer() == b"{}"
    store.close()
