"""The breaker by itself, in a time of its own."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from graphql_api.infra.dynamodb.circuit_breaker import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    RECENT,
    TRIAL_TIMEOUT,
    CircuitBreaker,
)


class Timer:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def broken() -> tuple[CircuitBreaker, Timer]:
    timer = Timer()
    breaker = CircuitBreaker(timer)
    breaker.record_failure()
    return breaker, timer


def test_a_closed_breaker_allows_all_calls():
    breaker = CircuitBreaker(Timer())

    assert [breaker.allows_call() for _ in range(3)] == [True] * 3


def test_an_open_breaker_refuses_calls_until_the_pause_is_over_and_then_allows_one():
    breaker, timer = broken()

    assert breaker.allows_call() is False
    timer.now = FIRST_PAUSE
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]


def test_a_success_closes_the_breaker_and_resets_its_pause():
    breaker, timer = broken()
    breaker.record_failure()
    breaker.record_success()

    assert [breaker.allows_call() for _ in range(2)] == [True, True]
    breaker.record_failure()
    timer.now += FIRST_PAUSE
    assert breaker.allows_call() is True


def test_a_timeout_opens_the_breaker_unless_the_store_has_just_responded_to_others():
    timer = Timer()
    breaker = CircuitBreaker(timer)

    breaker.record_success()
    timer.now = RECENT - 0.1
    breaker.record_failure(timed_out=True)
    assert not breaker.is_open
    timer.now = RECENT
    breaker.record_failure(timed_out=True)
    assert breaker.is_open


def test_each_failed_trial_doubles_the_pause_up_to_the_longest():
    breaker, timer = broken()
    pauses = []
    for _ in range(5):
        before = timer.now
        while not breaker.allows_call():
            timer.now += FIRST_PAUSE
        pauses.append(timer.now - before)
        breaker.record_failure()

    assert pauses == [0.25, 0.5, 1.0, 1.0, 1.0]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_trial_without_a_result_is_followed_by_another_after_its_timeout():
    breaker, timer = broken()
    timer.now = FIRST_PAUSE
    assert breaker.allows_call() is True

    timer.now += TRIAL_TIMEOUT - 0.01
    assert breaker.allows_call() is False
    timer.now += 0.01
    assert breaker.allows_call() is True


def test_an_inconclusive_trial_is_followed_by_another():
    breaker, timer = broken()
    timer.now = FIRST_PAUSE
    assert breaker.allows_call() is True

    breaker.record_inconclusive()

    assert breaker.allows_call() is False
    timer.now += LONGEST_PAUSE
    assert breaker.allows_call() is True


def test_an_inconclusive_call_does_not_open_a_closed_breaker():
    breaker = CircuitBreaker(Timer())

    breaker.record_inconclusive()

    assert [breaker.allows_call() for _ in range(2)] == [True, True]


class CircuitBreakers(RuleBasedStateMachine):
    """Whatever happens: a dead store is asked rarely, and one that is back is found soon."""

    def __init__(self) -> None:
        super().__init__()
        self.timer = Timer()
        self.breaker = CircuitBreaker(self.timer)
        self.closed = True
        self.asked: list[float] = []  # when, since it opened

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds):
        self.timer.now += seconds

    @rule()
    def call(self):
        if self.breaker.allows_call() and not self.closed:
            self.asked.append(self.timer.now)

    @rule()
    def fail(self):
        self.breaker.record_failure()
        self.closed = False

    @rule()
    def succeed(self):
        self.breaker.record_success()
        self.closed, self.asked = True, []

    @precondition(lambda self: not self.closed)
    @rule()
    def tell_nothing(self):
        self.breaker.record_inconclusive()

    @invariant()
    def a_store_that_is_away_is_asked_by_one_at_a_time(self):
        pairs = zip(self.asked, self.asked[1:], strict=False)
        assert all(after - before >= FIRST_PAUSE - 1e-9 for before, after in pairs)

    @invariant()
    def nobody_is_kept_out_for_longer_than_a_trial_may_take(self):
        later = CircuitBreaker(lambda: self.timer.now + TRIAL_TIMEOUT)
        later._next_trial = self.breaker._next_trial
        assert later.allows_call()

    @invariant()
    def everybody_may_call_while_it_is_closed(self):
        assert not self.closed or self.breaker.allows_call()


TestCircuitBreakers = CircuitBreakers.TestCase
TestCircuitBreakers.settings = settings(max_examples=50, deadline=None)
