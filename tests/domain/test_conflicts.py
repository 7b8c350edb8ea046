"""Read-modify-writes that collide are tried again, and say so if that does not help."""

import pytest

from graphql_api.domain import conflicts
from graphql_api.domain.conflicts import MAX_ATTEMPTS, retry_on_conflict
from graphql_api.errors import Conflict, NotFound
from graphql_api.infra.concurrency import retry
from graphql_api.infra.dynamodb import ConditionFailed


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses between attempts, each as long as it may be; none is made."""
    made = []
    monkeypatch.setattr(retry, "sleep", made.append)
    monkeypatch.setattr(retry.random, "uniform", lambda _, longest: longest)
    return made


def colliding(times, result="written"):
    """A write that others overtake so many times."""
    left = [ConditionFailed()] * times

    def write():
        if left:
            raise left.pop()
        return result

    return write


def test_a_write_that_nobody_overtakes_is_made_once_without_a_pause(pauses):
    assert retry_on_conflict(colliding(0)) == "written"
    assert pauses == []


def test_a_write_that_others_overtake_is_made_after_pauses(pauses):
    assert retry_on_conflict(colliding(3)) == "written"
    assert pauses == [0.02, 0.04, 0.08]


def test_pauses_together_leave_most_of_the_time_of_a_request(pauses):
    assert retry_on_conflict(colliding(MAX_ATTEMPTS - 1)) == "written"
    assert pauses == [0.02, 0.04, 0.08, 0.16, *[0.2] * 5]
    assert len(pauses) == MAX_ATTEMPTS - 1


def test_a_write_that_others_always_overtake_is_a_conflict():
    with pytest.raises(Conflict):
        retry_on_conflict(colliding(MAX_ATTEMPTS))


def test_any_other_error_ends_the_attempts(pauses):
    def write():
        raise NotFound("There is no such task.")

    with pytest.raises(NotFound):
        retry_on_conflict(write)
    assert pauses == []


def test_a_result_of_nothing_is_a_result():
    assert retry_on_conflict(lambda: None) is None
    assert len(list(conflicts.conflict_attempts())) == MAX_ATTEMPTS
