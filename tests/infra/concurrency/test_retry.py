"""Attempts: how many, with which pauses, and until when."""

import time

import pytest
from hubs import HubRig

from graphql_api.infra.concurrency import retry
from graphql_api.infra.concurrency.retry import attempts


class Clock:
    """A time that passes only in pauses, of which each is as long as it may be."""

    def __init__(self, patch):
        self.now, self.pauses = 1000.0, []
        patch.setattr(retry, "time", self)
        patch.setattr(retry, "sleep", self.sleep)
        patch.setattr(retry.random, "uniform", lambda _, longest: longest)

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_the_first_attempt_is_made_at_once(clock):
    next(attempts(5, pause=0.1))

    assert clock.pauses == []


def test_pauses_double_and_there_is_none_after_the_last_attempt(clock):
    assert len(list(attempts(5, pause=0.1))) == 5

    assert clock.pauses == [0.1, 0.2, 0.4, 0.8]


def test_pauses_grow_to_a_limit(clock):
    list(attempts(5, pause=0.1, longest_pause=0.25))

    assert clock.pauses == [0.1, 0.2, 0.25, 0.25]


def test_each_attempt_has_the_time_that_is_left(clock):
    left = []
    for seconds in attempts(10, pause=0.1, deadline=clock.now + 1):
        left.append(seconds)
        clock.now += 0.25

    assert left == pytest.approx([1, 0.65, 0.2])
    assert clock.pauses == pytest.approx([0.1, 0.2, 0])  # of which the last has no time left


def test_after_the_deadline_there_is_no_attempt(clock):
    assert list(attempts(5, pause=0.1, deadline=clock.now)) == []


def test_pauses_are_random_up_to_their_bound(monkeypatch):
    bounds = []
    monkeypatch.setattr(retry.random, "uniform", lambda *given: bounds.append(given) or 0)

    list(attempts(3, pause=0.1))

    assert bounds == [(0, 0.1), (0, 0.2)]


def test_other_requests_go_on_in_a_pause(monkeypatch):
    monkeypatch.setattr(retry.random, "uniform", lambda _, longest: longest)
    rig = HubRig(concurrency=2)

    rig.run(lambda: len(list(attempts(2, pause=0.05))), time.monotonic)

    assert isinstance(rig.result(), float)
    assert rig.result() == 2
