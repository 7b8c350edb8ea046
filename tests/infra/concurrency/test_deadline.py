"""A request's time: where it ends, who extends it, and what the watchdog sees of that."""

import time
from contextvars import copy_context

import pytest

from graphql_api.infra.concurrency.deadline import (
    REQUEST_SECONDS,
    clear_deadline,
    deadline,
    extend_deadline,
    heartbeats,
    set_deadline,
)


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The instant at which the clock stands still."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    yield 100.0
    clear_deadline()


def test_outside_of_a_request_there_is_no_deadline():
    assert deadline() is None


def test_a_request_has_five_seconds_unless_it_is_told_otherwise(now):
    set_deadline()
    assert deadline() == now + REQUEST_SECONDS == now + 5

    set_deadline(0.5)
    assert deadline() == now + 0.5


def test_a_step_of_long_work_restarts_the_time_and_is_a_heartbeat(now):
    set_deadline(0)
    before = heartbeats()

    extend_deadline()

    assert deadline() == now + REQUEST_SECONDS
    assert heartbeats() == before + 1


def test_work_outside_of_a_request_has_heartbeats_but_gets_no_deadline():
    before = heartbeats()

    extend_deadline()

    assert deadline() is None
    assert heartbeats() == before + 1


def test_each_request_has_a_deadline_of_its_own(now):
    set_deadline(1)
    copy_context().run(set_deadline, 2)

    assert deadline() == now + 1


def test_a_request_that_has_ended_leaves_no_deadline():
    set_deadline()
    clear_deadline()

    assert deadline() is None
