"""A bulkhead: some run at once, some wait for a while, all others are rejected."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from hubs import SOON, HubRig, reading

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.deadline import REQUEST_SECONDS, deadline, set_deadline
from graphql_api.infra.concurrency.waiting import run_in_thread

FULL = "No slot is free."


def holds(bulkhead, go):
    """A step that holds a slot until it may go."""

    def hold():
        with bulkhead.slot():
            run_in_thread(lambda: go.wait(SOON))
        return "left"

    return hold


def enters(bulkhead, name):
    """A step that gives its name once it has a slot."""

    def enter():
        try:
            with bulkhead.slot():
                return name
        except ServiceUnavailable as error:
            return error.message

    return enter


def test_requests_get_slots_in_the_order_of_arrival_and_none_beyond_the_queue():
    rig, go = HubRig(), Event()
    bulkhead = Bulkhead(1, FULL, queue_limit=2, queue_seconds=SOON)

    rig.run(holds(bulkhead, go), *(enters(bulkhead, name) for name in ["first", "second", "third"]))

    assert rig.result() == FULL  # the third: no more than two may wait
    go.set()
    assert [rig.result() for _ in range(3)] == ["left", "first", "second"]


def test_a_request_that_waited_too_long_is_rejected_and_leaves_the_queue():
    rig, go = HubRig(), Event()
    bulkhead = Bulkhead(1, FULL, queue_limit=1, queue_seconds=0.02)

    rig.run(holds(bulkhead, go), enters(bulkhead, "too late"))
    assert rig.result() == FULL
    go.set()
    assert rig.result() == "left"
    rig.run(enters(bulkhead, "now"))
    assert rig.result() == "now"


def test_requests_in_the_queue_take_no_slot_of_the_hub():
    rig, go = HubRig(concurrency=1), Event()
    bulkhead = Bulkhead(1, FULL, queue_limit=8, queue_seconds=SOON)
    rig.run(holds(bulkhead, go), *[enters(bulkhead, "waited")] * 8)

    for _ in range(5):
        rig.run(lambda: "answered")
        assert rig.result() == "answered"

    go.set()
    assert sorted(rig.result() for _ in range(9)) == ["left", *["waited"] * 8]
    rig.run(lambda: "answered")
    assert rig.result() == "answered"


def test_after_the_queue_has_emptied_the_hub_has_as_many_slots_as_before():
    here, there = socket.socketpair()
    rig, go = HubRig(concurrency=1), Event()
    bulkhead = Bulkhead(1, FULL, queue_limit=8, queue_seconds=SOON)
    rig.run(holds(bulkhead, go), *[enters(bulkhead, "waited")] * 8)
    go.set()
    assert sorted(rig.result() for _ in range(9)) == ["left", *["waited"] * 8]

    rig.run(reading(here), lambda: "after it")
    assert rig.has_no_result()
    there.send(b"x")
    assert [rig.result(), rig.result()] == [True, "after it"]
    here.close()
    there.close()


def test_without_a_hub_a_thread_waits_where_it_may():
    bulkhead = Bulkhead(1, FULL, queue_limit=1, queue_seconds=SOON, waits_in_threads=True)
    go, taken = Event(), Event()

    def hold():
        with bulkhead.slot():
            taken.set()
            go.wait(SOON)

    with ThreadPoolExecutor() as pool:
        pool.submit(hold)
        taken.wait(SOON)
        later = pool.submit(enters(bulkhead, "waited"))
        go.set()
        assert later.result(SOON) == "waited"


def test_without_a_hub_a_thread_that_waited_too_long_is_rejected():
    bulkhead = Bulkhead(1, FULL, queue_limit=1, queue_seconds=0.02, waits_in_threads=True)

    with bulkhead.slot():
        assert enters(bulkhead, "in")() == FULL
    assert enters(bulkhead, "in")() == "in"


def test_without_a_hub_a_thread_that_may_not_wait_is_rejected_at_once():
    bulkhead = Bulkhead(1, FULL, queue_limit=8, queue_seconds=SOON)

    with bulkhead.slot():
        assert enters(bulkhead, "in")() == FULL
    assert enters(bulkhead, "in")() == "in"


def test_a_request_that_has_waited_gets_its_full_time_again():
    bulkhead = Bulkhead(1, FULL, queue_limit=1, queue_seconds=SOON, waits_in_threads=True)
    left = []

    def wait():
        set_deadline(0)
        began = time.monotonic()
        with bulkhead.slot():
            left.append(deadline() - began)

    with ThreadPoolExecutor() as threads:
        with bulkhead.slot():
            waiting = threads.submit(wait)
            while not bulkhead._queue:
                time.sleep(0.001)
        waiting.result(SOON)

    assert left[0] > REQUEST_SECONDS
