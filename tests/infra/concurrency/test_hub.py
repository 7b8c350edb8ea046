"""Many requests in one thread: who waits lets others go on, and what takes long is done aside."""

import asyncio
import contextvars
import socket
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import SimpleNamespace

import pytest
from greenlet import getcurrent, greenlet

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency import hub as hubs
from graphql_api.infra.concurrency.bulkhead import Places
from graphql_api.infra.concurrency.hub import READ, WRITE, Hub, apart, pause, ready, within
from graphql_api.infra.dynamodb.http_connection import Connection

SOON = 10  # seconds


class Rig:
    """A hub, and what its steps tell."""

    def __init__(self, threads=2, at_once=4):
        self.hub, self._told = Hub(threads, at_once), SimpleQueue()
        self.hub.start()

    def go(self, *steps):
        for step in steps:
            self.hub.add_done_callback(lambda _, step=step: self._told.put(step()))

    def hears(self):
        return self._told.get(timeout=SOON)

    def hears_nothing(self):
        with pytest.raises(Empty):
            self._told.get(timeout=0.1)
        return True


@pytest.fixture(autouse=True, params=["on Linux", "anywhere"])
def files(request, monkeypatch):
    """What tells of sockets, as it is here, and as it is on other systems."""
    if request.param == "anywhere":
        monkeypatch.setattr(hubs, "OnLinux", hubs.Anywhere)


def late():
    return time.monotonic() + SOON


def waits(other, event=READ):
    """A step that waits for a socket."""
    return lambda: ready(other.fileno(), event, late())


@pytest.fixture
def pair():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


# Turns


def test_who_waits_lets_others_go_on_in_the_same_thread(pair):
    rig, (here, there) = Rig(), pair

    rig.go(lambda: (waits(here)(), threading.get_ident()), threading.get_ident)

    thread = rig.hears()
    there.send(b"x")
    assert rig.hears() == (True, thread)


def test_so_many_are_worked_on_at_once_and_what_came_first_comes_first():
    rig, pairs = Rig(at_once=2), [socket.socketpair() for _ in range(4)]

    def step(number):
        def begin():
            begun.put(number)
            ready(pairs[number][0].fileno(), READ, late())
            return number

        return begin

    begun = SimpleQueue()
    rig.go(*map(step, range(4)))

    assert [begun.get(timeout=SOON) for _ in range(2)] == [0, 1]
    assert rig.hears_nothing()
    for number in (1, 0, 2, 3):
        pairs[number][1].send(b"x")
        assert rig.hears() == number
    assert [begun.get(timeout=SOON) for _ in range(2)] == [2, 3]
    for each in pairs:
        each[0].close()
        each[1].close()


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError, SystemExit])
def test_a_crash_costs_no_place(caplog, error):
    rig = Rig(at_once=1)

    def crash():
        raise error

    rig.go(crash, lambda: "done")

    assert rig.hears() == "done"
    assert error.__name__ in caplog.text


def test_a_greenlet_that_ends_with_the_interpreter_is_no_crash(caplog):
    work = greenlet(Hub(1, 1)._work)
    work.switch(lambda _: getcurrent().parent.switch())

    work.throw()

    assert work.dead
    assert caplog.text == ""


def test_a_hub_that_crashes_ends_its_process(caplog, monkeypatch):
    rig, ended = Rig(), SimpleQueue()

    def end(code):
        ended.put(code)
        threading.Event().wait()  # as nothing goes on after the real one

    monkeypatch.setattr(hubs.os, "_exit", end)
    monkeypatch.setattr(rig.hub, "_told", ["which nobody waits for"])

    rig.hub._ring()

    assert ended.get(timeout=SOON) == 1
    assert "The hub has crashed" in caplog.text


# Waits


@pytest.mark.parametrize("inside", [True, False])
def test_a_wait_ends_when_the_socket_can_be_used_or_at_its_end(pair, inside):
    here, there = pair

    def step():
        soon = time.monotonic() + 0.02
        nothing = ready(here.fileno(), READ, soon), soon <= time.monotonic()
        there.send(b"x")
        waiting, sending = ready(here.fileno(), READ, late()), ready(here.fileno(), WRITE, late())
        return nothing, waiting, sending, ready(here.fileno(), READ, time.monotonic())

    expected = ((False, True), True, True, False)
    if inside:
        rig = Rig()
        rig.go(step)
        assert rig.hears() == expected
    else:
        assert step() == expected


def test_the_wait_that_ends_first_is_ended_first(pair):
    rig, here = Rig(), pair[0]

    def until(seconds):
        return lambda: (pause(seconds), seconds)[1]

    rig.go(
        until(0.3),
        until(0.1),
        lambda: (ready(here.fileno(), READ, time.monotonic() + 0.2), 0.2)[1],
        lambda: 0,
    )

    assert [rig.hears() for _ in range(4)] == [0, 0.1, 0.2, 0.3]


def test_of_many_that_came_in_time_none_is_said_to_be_late():
    count = 200
    rig, pairs = Rig(at_once=count + 1), [socket.socketpair() for _ in range(count)]
    ends = time.monotonic() + 1

    def hold():
        for _, there in pairs:
            there.send(b"x")
        time.sleep(max(0, ends - time.monotonic()) + 0.05)

    rig.go(*(lambda here=here: ready(here.fileno(), READ, ends) for here, _ in pairs), hold)

    assert [rig.hears() for _ in range(count + 1)] == [None] + [True] * count
    for here, there in pairs:
        here.close()
        there.close()


def test_a_pause_elsewhere_is_a_pause():
    before = time.monotonic()
    pause(0.02)

    assert time.monotonic() - before >= 0.02


def test_a_pause_of_no_time_lets_nobody_go_first():
    rig = Rig()
    rig.go(lambda: (pause(0), "first")[1], lambda: "second")

    assert [rig.hears() for _ in range(2)] == ["first", "second"]


def test_two_who_are_woken_at_the_same_time_go_on_both(pair):
    rig, (here, there) = Rig(), pair

    rig.go(waits(here), waits(there))
    here.send(b"x")
    there.send(b"x")

    assert [rig.hears() for _ in range(2)] == [True, True]


# What takes long


def test_what_is_apart_is_done_in_another_thread_with_the_same_context():
    variable = contextvars.ContextVar("variable")
    rig = Rig()

    def step():
        variable.set("mine")
        return apart(lambda: (variable.get(), threading.get_ident())), threading.get_ident()

    rig.go(step)
    (value, there), here = rig.hears()

    assert value == "mine"
    assert there != here


def test_threads_take_turns_more_often_as_long_as_something_is_apart():
    rig, go = Rig(threads=2), [threading.Event(), threading.Event()]

    def after(step):
        return lambda: (step(), sys.getswitchinterval())[1]

    rig.go(*(after(lambda first=each: apart(lambda: first.wait(SOON))) for each in go))
    rig.go(sys.getswitchinterval)
    assert rig.hears() == pytest.approx(hubs.BESIDE)
    go[0].set()
    assert rig.hears() == pytest.approx(hubs.BESIDE)
    go[1].set()
    assert rig.hears() == pytest.approx(hubs.ALONE)


def test_what_is_apart_takes_no_place():
    rig, go = Rig(threads=2, at_once=1), threading.Event()

    rig.go(lambda: apart(lambda: go.wait(SOON)), lambda: apart(lambda: go.wait(SOON)), lambda: "")
    assert rig.hears() == ""
    go.set()
    assert [rig.hears() for _ in range(2)] == [True, True]

    here, there = socket.socketpair()
    rig.go(waits(here), lambda: "one too many")
    assert rig.hears_nothing()
    there.send(b"x")
    assert [rig.hears() for _ in range(2)] == [True, "one too many"]
    here.close()
    there.close()


def test_beyond_the_threads_it_waits_and_others_do_not():
    rig, go = Rig(threads=1), threading.Event()

    rig.go(lambda: apart(lambda: go.wait(SOON)), lambda: apart(lambda: "second"), lambda: "another")

    assert rig.hears() == "another"
    assert rig.hears_nothing()
    go.set()
    assert [rig.hears() for _ in range(2)] == [True, "second"]


def test_what_goes_wrong_apart_is_raised_here():
    rig = Rig()

    def step():
        with pytest.raises(ZeroDivisionError):
            apart(lambda: 1 / 0)
        return apart(lambda: apart(lambda: "and within it"))

    rig.go(step)

    assert rig.hears() == "and within it"


def test_elsewhere_nothing_is_apart():
    assert apart(threading.get_ident) == threading.get_ident()


@pytest.mark.parametrize("inside", [True, False])
def test_what_has_no_bound_of_its_own_is_left_to_itself(inside):
    go = threading.Event()

    def step():
        with pytest.raises(TimeoutError):
            within(0.02, lambda: go.wait(SOON))
        with pytest.raises(ZeroDivisionError):
            within(SOON, lambda: 1 / 0)
        return within(SOON, lambda: "in time")

    if inside:
        rig = Rig()
        rig.go(step)
        assert rig.hears() == "in time"
    else:
        assert step() == "in time"
    go.set()


def test_what_is_finished_too_late_wakes_nobody():
    rig, done = Rig(), Future()

    def step():
        in_time = hubs._hub().finished(done, time.monotonic() + 0.02)
        done.set_result(None)
        before = time.monotonic()
        pause(0.1)
        return in_time, time.monotonic() - before >= 0.1

    rig.go(step)

    assert rig.hears() == (False, True)


# Places


def holds(places, go):
    """A step that has a place until it may go."""

    def hold():
        with places.take():
            apart(lambda: go.wait(SOON))
        return "left"

    return hold


def enters(places, name):
    """A step that tells its name once it has a place."""

    def enter():
        try:
            with places.take():
                return name
        except ServiceUnavailable as error:
            return error.message

    return enter


def test_who_waits_for_a_place_gets_it_in_the_order_of_coming():
    rig, go = Rig(), threading.Event()
    places = Places(1, "None is free.", waiting=2, seconds=SOON)

    rig.go(holds(places, go), *(enters(places, name) for name in ["first", "second", "third"]))

    assert rig.hears() == "None is free."  # the third: no more than two may wait
    go.set()
    assert [rig.hears() for _ in range(3)] == ["left", "first", "second"]


def test_who_has_waited_long_enough_is_told_and_keeps_no_turn():
    rig, go = Rig(), threading.Event()
    places = Places(1, "None is free.", waiting=1, seconds=0.02)

    rig.go(holds(places, go), enters(places, "too late"))
    assert rig.hears() == "None is free."
    go.set()
    assert rig.hears() == "left"
    rig.go(enters(places, "now"))
    assert rig.hears() == "now"


def test_who_waits_for_a_place_keeps_nobody_from_work():
    rig, go = Rig(at_once=1), threading.Event()
    places = Places(1, "None is free.", waiting=8, seconds=SOON)
    rig.go(holds(places, go), *[enters(places, "waited")] * 8)

    for _ in range(5):
        rig.go(lambda: "answered")
        assert rig.hears() == "answered"

    go.set()
    assert sorted(rig.hears() for _ in range(9)) == ["left", *["waited"] * 8]
    rig.go(lambda: "answered")
    assert rig.hears() == "answered"


def test_after_all_have_waited_no_more_work_at_once_than_before(pair):
    here, there = pair
    rig, go = Rig(at_once=1), threading.Event()
    places = Places(1, "None is free.", waiting=8, seconds=SOON)
    rig.go(holds(places, go), *[enters(places, "waited")] * 8)
    go.set()
    assert sorted(rig.hears() for _ in range(9)) == ["left", *["waited"] * 8]

    rig.go(waits(here), lambda: "after it")
    assert rig.hears_nothing()
    there.send(b"x")
    assert [rig.hears(), rig.hears()] == [True, "after it"]


def test_a_thread_waits_for_a_place_where_it_may():
    places = Places(1, "None is free.", waiting=1, seconds=SOON, in_threads=True)
    go, taken = threading.Event(), threading.Event()

    def hold():
        with places.take():
            taken.set()
            go.wait(SOON)

    with ThreadPoolExecutor() as pool:
        pool.submit(hold)
        taken.wait(SOON)
        later = pool.submit(enters(places, "waited"))
        go.set()
        assert later.result(SOON) == "waited"


def test_a_thread_is_told_too_that_it_has_waited_long_enough():
    places = Places(1, "None is free.", waiting=1, seconds=0.02, in_threads=True)

    with places.take():
        assert enters(places, "in")() == "None is free."
    assert enters(places, "in")() == "in"


def test_a_thread_that_others_need_waits_for_no_place():
    places = Places(1, "None is free.", waiting=8, seconds=SOON)

    with places.take():
        assert enters(places, "in")() == "None is free."
    assert enters(places, "in")() == "in"


def test_requests_that_never_wait_and_never_end_starve_nobody_who_waits(pair):
    here, there = pair
    rig, done = Rig(), threading.Event()

    def again(_):
        time.sleep(0.001)
        if not done.is_set():
            rig.hub.add_done_callback(again)

    for _ in range(8):
        rig.hub.add_done_callback(again)
    rig.go(waits(here), lambda: pause(0.01) or "paused", lambda: apart(lambda: "apart"))
    there.send(b"x")

    try:
        assert {rig.hears() for _ in range(3)} == {True, "paused", "apart"}
    finally:
        done.set()


# Whether it moves


def test_a_hub_with_nothing_to_do_moves():
    rig = Rig()
    rig.go(lambda: "awake")
    assert rig.hears() == "awake"
    time.sleep(0.05)

    assert [rig.hub.moves() for _ in range(3)] == [True] * 3


def test_a_hub_that_is_held_moves_only_while_it_gets_something_done():
    rig, begun, go = Rig(), threading.Event(), threading.Event()
    rig.go(lambda: (begun.set(), go.wait(SOON)))
    begun.wait(SOON)

    assert rig.hub.moves() is False
    go.set()
    rig.hears()
    time.sleep(0.05)
    assert rig.hub.moves() is True


def test_a_hub_all_of_whose_places_wait_moves_when_one_of_them_ends(pair):
    rig, (here, there) = Rig(at_once=1), pair
    rig.go(waits(here), lambda: pause(SOON))
    time.sleep(0.05)

    assert rig.hub.moves() is False
    there.send(b"x")
    assert rig.hears()
    assert [rig.hub.moves() for _ in range(2)] == [True, False]


def test_a_hub_does_not_move_while_something_hangs_apart_though_others_are_served(monkeypatch):
    monkeypatch.setattr(hubs, "LONGEST_APART", 0.1)
    rig, go = Rig(threads=2), threading.Event()
    rig.go(lambda: apart(lambda: go.wait(SOON)), lambda: apart(lambda: "served"))
    assert rig.hears() == "served"

    assert rig.hub.moves() is True
    time.sleep(0.15)
    assert [rig.hub.moves() for _ in range(2)] == [False, False]
    go.set()
    rig.hears()
    time.sleep(0.05)
    assert [rig.hub.moves() for _ in range(2)] == [True, True]


# Connections to a store


class Store:
    """A store at the other end of a connection, which answers when it is told to."""

    def __init__(self):
        here, self.there = socket.socketpair()
        self.connection = Connection(SimpleNamespace(sock=here, close=here.close))

    def ask(self, size=1):
        return self.connection.ask(b"x" * size, late())[0].content

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


def test_while_one_waits_for_its_answer_another_gets_its_own(store):
    rig, quicker = Rig(at_once=2), Store()
    rig.go(store.ask, quicker.ask)

    quicker.answers(b"second")
    assert rig.hears() == b"second"
    store.answers(b"first")
    assert rig.hears() == b"first"
    rig.go(store.ask)
    store.answers(b"again")
    assert rig.hears() == b"again"
    quicker.close()


@pytest.mark.parametrize("inside", [True, False])
def test_what_is_larger_than_buffers_is_sent_and_received_as_a_whole(store, inside):
    size = 4_000_000

    def other_side():
        left = size
        while left:
            left -= len(store.there.recv(65_536))
        store.answers(b"y" * size)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(other_side)
        if inside:
            rig = Rig()
            rig.go(lambda: store.ask(size))
            content = rig.hears()
        else:
            content = store.ask(size)
        done.result(SOON)

    assert content == b"y" * size
