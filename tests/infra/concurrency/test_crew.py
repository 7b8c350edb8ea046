"""A crew does work in a bounded number of threads, and each line has its turn."""

import threading
from queue import SimpleQueue

import pytest

from graphql_api.infra.concurrency.crew import Crew

SOON = 60.0  # seconds, in which what has to happen does


class Task:
    """Work that ends when it is told to."""

    def __init__(self, started: SimpleQueue, name: str) -> None:
        self.started, self.name, self.ends = started, name, threading.Event()

    def __call__(self) -> None:
        self.started.put(self.name)
        self.ends.wait(SOON)


@pytest.fixture
def started():
    return SimpleQueue()


def names(started, count):
    return sorted(started.get(timeout=SOON) for _ in range(count))


def add(crew, started, *names):
    tasks = [Task(started, name) for name in names]
    for task in tasks:
        crew.add(task.name[0], task)
    return tasks


def test_one_line_has_some_of_the_threads_and_leaves_the_others(started):
    crew = Crew(size=3, by_line=2)
    first, second, third, other, last = add(crew, started, "a1", "a2", "a3", "b1", "c1")

    assert names(started, 3) == ["a1", "a2", "b1"]
    assert started.empty()
    first.ends.set()
    assert names(started, 1) == ["a3"]
    for task in (second, third, other):
        task.ends.set()
    assert names(started, 1) == ["c1"]
    last.ends.set()


def test_lines_take_turns(started):
    crew = Crew(size=1, by_line=1)
    tasks = add(crew, started, "a1", "a2", "a3", "b1", "b2", "c1")

    order = []
    for _ in tasks:
        [name] = names(started, 1)
        order.append(name)
        next(task for task in tasks if task.name == name).ends.set()

    assert order == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_work_that_fails_takes_no_thread_along(started, caplog):
    crew = Crew(size=1, by_line=1)

    crew.add("a", lambda: 1 / 0)
    [after] = add(crew, started, "a2")

    assert names(started, 1) == ["a2"]
    assert "Work of a crew failed" in caplog.text
    after.ends.set()


def test_threads_end_when_there_is_no_more_work(started):
    crew = Crew(size=2, by_line=2)
    tasks = add(crew, started, "a1", "a2")
    names(started, 2)
    threads = [each for each in threading.enumerate() if each.name == "crew"]

    for task in tasks:
        task.ends.set()
    for thread in threads:
        thread.join(SOON)

    assert not any(thread.is_alive() for thread in threads)
    [again] = add(crew, started, "a3")
    assert names(started, 1) == ["a3"]
    again.ends.set()


def test_a_crew_that_is_stopped_begins_nothing_and_waits_for_what_goes_on(started):
    crew = Crew(size=1, by_line=1)
    first, _ = add(crew, started, "a1", "a2")
    names(started, 1)
    crew.stop(0)
    add(crew, started, "a3")
    first.ends.set()
    crew.stop(SOON)

    assert started.empty()
    assert not crew._busy
