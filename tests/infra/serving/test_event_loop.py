"""A coroutine goes on in the thread that wakes it."""

import asyncio
import threading
from queue import SimpleQueue

import pytest

from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving.event_loop import EventLoop, InlineTask

SOON = 10  # seconds


@pytest.fixture
def loop():
    loop = EventLoop()
    yield loop
    loop.close()


def elsewhere(act):
    """What it gives in another thread."""
    given = SimpleQueue()
    thread = threading.Thread(target=lambda: given.put(act()))
    thread.start()
    thread.join(SOON)
    return given.get_nowait()


def test_each_step_is_done_by_the_thread_that_it_asks_for():
    hub, seen = Hub(1, 1), SimpleQueue()
    hub.start()

    async def hop():
        seen.put(threading.current_thread().name)
        await hub
        seen.put(threading.current_thread().name)

    InlineTask(hop())()

    assert [seen.get(timeout=SOON) for _ in range(2)] == ["MainThread", "hub"]


def test_what_granian_schedules_is_done_at_once(loop):
    def schedule():
        done = []
        loop.call_soon_threadsafe(done.append, threading.get_ident(), context=object())
        return done == [threading.get_ident()]

    assert elsewhere(schedule)


def test_a_task_of_another_thread_runs_inline_and_one_of_the_loop_as_always(loop):
    def begin():
        done = []

        async def note():
            done.append(True)

        loop.create_task(note())
        return done

    async def own():
        await asyncio.sleep(0)
        return "own"

    assert elsewhere(begin) == [True]
    assert loop.run_until_complete(own()) == "own"


def test_the_loop_itself_hears_of_other_threads(loop):
    end = asyncio.Event()

    async def wait():
        threading.Thread(target=lambda: loop.call_soon_threadsafe(end.set)).start()
        await asyncio.wait_for(end.wait(), SOON)

    loop.run_until_complete(wait())
    assert end.is_set()
