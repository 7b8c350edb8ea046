"""One thread serves many requests; long work goes to other threads."""

import asyncio
import socket
import sys
import threading
import time
from concurrent.futures import Future
from queue import SimpleQueue

import pytest
from greenlet import getcurrent, greenlet
from hubs import SOON, HubRig, reading, soon

from graphql_api.infra import process_wide
from graphql_api.infra.concurrency import hub
from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.concurrency.poller import READ
from graphql_api.infra.concurrency.waiting import run_in_thread, sleep, wait_for_socket

pytestmark = pytest.mark.usefixtures("each_poller")


@pytest.fixture
def pair():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_request_that_waits_lets_others_run_in_the_same_thread(pair):
    rig, (here, there) = HubRig(), pair

    rig.run(lambda: (reading(here)(), threading.get_ident()), threading.get_ident)

    thread = rig.result()
    there.send(b"x")
    assert rig.result() == (True, thread)


def test_no_more_requests_than_its_concurrency_run_at_once_and_in_order_of_arrival():
    rig, pairs = HubRig(concurrency=2), [socket.socketpair() for _ in range(4)]

    def step(number):
        def begin():
            begun.put(number)
            wait_for_socket(pairs[number][0].fileno(), READ, soon())
            return number

        return begin

    begun = SimpleQueue()
    rig.run(*map(step, range(4)))

    assert [begun.get(timeout=SOON) for _ in range(2)] == [0, 1]
    assert rig.has_no_result()
    for number in (1, 0, 2, 3):
        pairs[number][1].send(b"x")
        assert rig.result() == number
    assert [begun.get(timeout=SOON) for _ in range(2)] == [2, 3]
    for each in pairs:
        each[0].close()
        each[1].close()


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError, SystemExit])
def test_a_request_that_crashes_costs_no_slot(caplog, error):
    rig = HubRig(concurrency=1)

    def crash():
        raise error

    rig.run(crash, lambda: "done")

    assert rig.result() == "done"
    assert error.__name__ in caplog.text


def test_a_greenlet_that_ends_with_the_interpreter_is_no_crash(caplog):
    work = greenlet(Hub(1, 1)._work)
    work.switch(lambda _: getcurrent().parent.switch())

    work.throw()

    assert work.dead
    assert caplog.text == ""


def test_a_hub_that_crashes_ends_its_process(caplog, monkeypatch):
    rig, ended = HubRig(), SimpleQueue()

    def end(code):
        ended.put(code)
        threading.Event().wait()  # as nothing goes on after the real one

    monkeypatch.setattr(hub.os, "_exit", end)
    monkeypatch.setattr(rig.hub, "_finished", ["which nobody waits for"])

    rig.hub._wake()

    assert ended.get(timeout=SOON) == 1
    assert "The hub has crashed" in caplog.text


def test_an_endless_stream_of_requests_starves_none_that_waits(pair):
    here, there = pair
    rig, done = HubRig(), threading.Event()

    def again(_):
        time.sleep(0.001)
        if not done.is_set():
            rig.hub.add_done_callback(again)

    for _ in range(8):
        rig.hub.add_done_callback(again)
    rig.run(reading(here), lambda: sleep(0.01) or "paused", lambda: run_in_thread(lambda: "apart"))
    there.send(b"x")

    try:
        assert {rig.result() for _ in range(3)} == {True, "paused", "apart"}
    finally:
        done.set()


def test_the_switch_interval_is_short_while_any_thread_has_work():
    rig, go = HubRig(threads=2), [threading.Event(), threading.Event()]

    def after(step):
        return lambda: (step(), sys.getswitchinterval())[1]

    rig.run(*(after(lambda first=each: run_in_thread(lambda: first.wait(SOON))) for each in go))
    rig.run(sys.getswitchinterval)
    assert rig.result() == pytest.approx(process_wide.SWITCH_INTERVAL_BESIDE_THREADS)
    go[0].set()
    assert rig.result() == pytest.approx(process_wide.SWITCH_INTERVAL_BESIDE_THREADS)
    go[1].set()
    assert rig.result() == pytest.approx(process_wide.SWITCH_INTERVAL)


def test_work_in_a_thread_lends_its_slot_to_one_more_request():
    rig, go = HubRig(threads=2, concurrency=1), threading.Event()

    rig.run(
        lambda: run_in_thread(lambda: go.wait(SOON)),
        lambda: run_in_thread(lambda: go.wait(SOON)),
        lambda: "",
    )
    assert rig.result() == ""
    go.set()
    assert [rig.result() for _ in range(2)] == [True, True]

    here, there = socket.socketpair()
    rig.run(reading(here), lambda: "one too many")
    assert rig.has_no_result()
    there.send(b"x")
    assert [rig.result() for _ in range(2)] == [True, "one too many"]
    here.close()
    there.close()


def test_work_beyond_the_threads_waits_and_other_requests_do_not():
    rig, go = HubRig(threads=1), threading.Event()

    rig.run(
        lambda: run_in_thread(lambda: go.wait(SOON)),
        lambda: run_in_thread(lambda: "second"),
        lambda: "another",
    )

    assert rig.result() == "another"
    assert rig.has_no_result()
    go.set()
    assert [rig.result() for _ in range(2)] == [True, "second"]


def test_a_future_that_is_done_after_the_deadline_wakes_nobody():
    rig, done = HubRig(), Future()

    def step():
        in_time = hub.current_hub().wait_for(done, time.monotonic() + 0.02)
        done.set_result(None)
        before = time.monotonic()
        sleep(0.1)
        return in_time, time.monotonic() - before >= 0.1

    rig.run(step)

    assert rig.result() == (False, True)


def test_an_idle_hub_is_making_progress():
    rig = HubRig()
    rig.run(lambda: "awake")
    assert rig.result() == "awake"
    rig.becomes_idle()

    assert [rig.hub.is_making_progress() for _ in range(3)] == [True] * 3


def test_a_blocked_hub_makes_progress_only_by_completing_a_request():
    rig, begun, go = HubRig(), threading.Event(), threading.Event()
    rig.run(lambda: (begun.set(), go.wait(SOON)))
    begun.wait(SOON)

    assert rig.hub.is_making_progress() is False
    go.set()
    rig.result()
    rig.becomes_idle()
    assert rig.hub.is_making_progress() is True


def test_a_hub_whose_slots_all_wait_makes_progress_when_one_request_ends(pair):
    rig, (here, there) = HubRig(concurrency=1), pair
    rig.run(reading(here), lambda: sleep(SOON))
    rig.waits_in_every_slot()

    assert rig.hub.is_making_progress() is False
    there.send(b"x")
    assert rig.result()
    rig.waits_in_every_slot()
    assert [rig.hub.is_making_progress() for _ in range(2)] == [True, False]


def test_a_hub_makes_no_progress_while_a_thread_hangs_though_others_are_served(monkeypatch):
    rig, go = HubRig(threads=2), threading.Event()
    rig.run(lambda: run_in_thread(lambda: go.wait(SOON)), lambda: run_in_thread(lambda: "served"))
    assert rig.result() == "served"

    rig.becomes_idle()
    assert rig.hub.is_making_progress() is True
    monkeypatch.setattr(hub, "HUNG_SECONDS", 0)
    assert [rig.hub.is_making_progress() for _ in range(2)] == [False, False]
    go.set()
    rig.result()
    rig.becomes_idle()
    assert [rig.hub.is_making_progress() for _ in range(2)] == [True, True]
