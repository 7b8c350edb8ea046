"""The dispatcher calls each duty when it is due, whatever happens to the others."""

from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.domain import dispatch
from graphql_api.domain.dispatch import RETRY_SECONDS, Dispatcher
from graphql_api.errors import ServiceUnavailable

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


class Duty:
    """A duty without threads."""

    def stop(self, _seconds):
        """Nothing goes on."""


class Every(Duty):
    """A duty that asks to be called after so many seconds, and notes when it was."""

    def __init__(self, seconds):
        self.seconds, self.calls = seconds, []

    def run(self, now):
        self.calls.append((now - NOW).total_seconds())
        return self.seconds


class Failing(Duty):
    def __init__(self, error):
        self.error, self.calls = error, 0

    def run(self, _now):
        self.calls += 1
        raise self.error


@pytest.fixture
def clock():
    return Clock()


def test_each_duty_is_called_when_it_has_asked_for_it(clock):
    often, seldom = Every(1), Every(2.5)
    dispatcher = Dispatcher([often, seldom], clock)

    for _ in range(5):
        clock.advance(dispatcher.step())

    assert often.calls == [0, 1, 2, 3]
    assert seldom.calls == [0, 2.5]


@pytest.mark.parametrize("error", [ServiceUnavailable(), ValueError("a fault")])
def test_a_duty_that_fails_is_tried_again_and_stops_no_other(clock, error):
    failing, other = Failing(error), Every(60)
    dispatcher = Dispatcher([failing, other], clock)

    assert dispatcher.step() == RETRY_SECONDS
    clock.advance(RETRY_SECONDS)
    dispatcher.step()

    assert (failing.calls, other.calls) == (2, [0])


def test_all_duties_are_called_when_the_dispatcher_is_woken(clock):
    dispatcher = Dispatcher([], clock)

    class Last(Duty):
        calls = 0

        def run(self, _now):
            self.calls += 1
            if self.calls == 1:
                dispatcher.wake()  # as a writer does meanwhile
            else:
                dispatcher.stop()
            return 3600

    last = Last()
    dispatcher = Dispatcher([last], clock)
    dispatcher.run()

    assert last.calls == 2


def test_a_clock_that_is_set_back_keeps_no_duty_waiting(clock):
    duty = Every(1)
    dispatcher = Dispatcher([duty], clock)
    dispatcher.step()

    clock.advance(-3600)
    pause = dispatcher.step()

    assert (duty.calls, pause) == ([0, -3600], 1)


@pytest.mark.parametrize(("least", "calls"), [(0, 3), (60, 3)])
def test_a_brief_run_ends_once_nothing_is_due(clock, least, calls, monkeypatch):
    class Busy(Every):
        """Has more to do twice."""

        def run(self, now):
            super().run(now)
            return 0 if len(self.calls) < 3 else self.seconds

    duty = Busy(3600)
    dispatcher = Dispatcher([duty], clock)
    now = iter(range(0, 1_000, 10))
    monkeypatch.setattr(dispatch.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(dispatcher._wake, "wait", lambda _: None)

    assert dispatcher.run_briefly(least, 100) is True
    assert len(duty.calls) == calls


def test_a_brief_run_has_an_end_and_says_that_a_duty_has_failed(clock):
    class Endless(Every):
        def run(self, now):
            clock.advance(1)
            return super().run(now)

    duty = Endless(0)

    assert Dispatcher([duty], clock).run_briefly(0, 0) is True
    assert len(duty.calls) == 1
    assert Dispatcher([Failing(ServiceUnavailable())], clock).run_briefly(0, 1) is False


def test_a_dispatcher_without_duties_waits(clock):
    assert Dispatcher([], clock).step() == 60
