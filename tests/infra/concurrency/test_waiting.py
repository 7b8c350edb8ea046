"""Waiting: with a hub others run meanwhile, without one the thread blocks."""

import contextvars
import socket
import threading
import time

import pytest
from hubs import SOON, HubRig, reading, soon

from graphql_api.infra.concurrency.poller import READ, WRITE
from graphql_api.infra.concurrency.waiting import (
    MANY,
    run_aside,
    run_in_thread,
    run_with_timeout,
    sleep,
    wait_for_socket,
)

pytestmark = pytest.mark.usefixtures("each_poller")


@pytest.fixture
def pair():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.mark.parametrize("inside", [True, False])
def test_a_wait_ends_when_the_socket_is_ready_or_at_its_deadline(pair, inside):
    here, there = pair

    def step():
        deadline = time.monotonic() + 0.02
        nothing = (
            wait_for_socket(here.fileno(), READ, deadline),
            deadline <= time.monotonic(),
        )
        there.send(b"x")
        readable = wait_for_socket(here.fileno(), READ, soon())
        writable = wait_for_socket(here.fileno(), WRITE, soon())
        return nothing, readable, writable, wait_for_socket(here.fileno(), READ, time.monotonic())

    expected = ((False, True), True, True, False)
    if inside:
        rig = HubRig()
        rig.run(step)
        assert rig.result() == expected
    else:
        assert step() == expected


def test_waits_end_in_the_order_of_their_deadlines(pair):
    rig, here = HubRig(), pair[0]

    def until(seconds):
        return lambda: (sleep(seconds), seconds)[1]

    rig.hub.add_done_callback(  # in the hub's thread, so that all of them begin at once
        lambda _: rig.run(
            until(1.5),
            until(0.5),
            lambda: (wait_for_socket(here.fileno(), READ, time.monotonic() + 1), 1)[1],
            lambda: 0,
        )
    )

    assert [rig.result() for _ in range(4)] == [0, 0.5, 1, 1.5]


def test_of_many_sockets_that_were_ready_in_time_none_is_late():
    count = 200
    rig, pairs = HubRig(concurrency=count + 1), [socket.socketpair() for _ in range(count)]
    ends = time.monotonic() + 4  # until then, all of them wait, and are ready

    def hold():
        for _, there in pairs:
            there.send(b"x")
        time.sleep(max(0, ends - time.monotonic()) + 0.05)

    rig.run(
        *(lambda here=here: wait_for_socket(here.fileno(), READ, ends) for here, _ in pairs), hold
    )

    assert [rig.result() for _ in range(count + 1)] == [None] + [True] * count
    for here, there in pairs:
        here.close()
        there.close()


def test_two_sockets_that_are_ready_at_once_both_wake_their_requests(pair):
    rig, (here, there) = HubRig(), pair

    rig.run(reading(here), reading(there))
    here.send(b"x")
    there.send(b"x")

    assert [rig.result() for _ in range(2)] == [True, True]


def test_without_a_hub_sleep_blocks_the_thread():
    before = time.monotonic()
    sleep(0.02)

    assert time.monotonic() - before >= 0.02


def test_sleeping_for_no_time_gives_nobody_else_a_turn():
    rig = HubRig()
    rig.run(lambda: (sleep(0), "first")[1], lambda: "second")

    assert [rig.result() for _ in range(2)] == ["first", "second"]


def test_work_in_a_thread_has_the_context_of_its_request():
    variable = contextvars.ContextVar("variable")
    rig = HubRig()

    def step():
        variable.set("mine")
        return run_in_thread(lambda: (variable.get(), threading.get_ident())), threading.get_ident()

    rig.run(step)
    (value, there), here = rig.result()

    assert value == "mine"
    assert there != here


def test_an_error_in_a_thread_is_raised_in_its_request():
    rig = HubRig()

    def step():
        with pytest.raises(ZeroDivisionError):
            run_in_thread(lambda: 1 / 0)
        return run_in_thread(lambda: run_in_thread(lambda: "and within it"))

    rig.run(step)

    assert rig.result() == "and within it"


def test_without_a_hub_work_runs_in_the_same_thread():
    assert run_in_thread(threading.get_ident) == threading.get_ident()


@pytest.mark.parametrize("inside", [True, False])
def test_work_that_exceeds_its_timeout_is_left_running(inside):
    go = threading.Event()

    def step():
        with pytest.raises(TimeoutError):
            run_with_timeout(lambda: go.wait(SOON), 0.02)
        with pytest.raises(ZeroDivisionError):
            run_with_timeout(lambda: 1 / 0, SOON)
        return run_with_timeout(lambda: "in time", SOON)

    if inside:
        rig = HubRig()
        rig.run(step)
        assert rig.result() == "in time"
    else:
        assert step() == "in time"
    go.set()


def test_work_on_many_records_is_done_aside_and_on_few_right_here():
    rig = HubRig()

    def step():
        here = threading.get_ident()
        return [run_aside(size, threading.get_ident) == here for size in (MANY, MANY + 1)]

    rig.run(step)

    assert rig.result() == [True, False]
    assert run_aside(MANY + 1, threading.get_ident) == threading.get_ident()
