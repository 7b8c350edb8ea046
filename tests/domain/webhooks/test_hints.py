"""A process that has written tells the dispatcher, and bothers nobody without webhooks."""

from datetime import UTC, datetime

import pytest

from graphql_api.domain.webhooks import hints as module
from graphql_api.domain.webhooks.hints import Hints
from graphql_api.domain.webhooks.store import Lane
from graphql_api.errors import ServiceUnavailable

NOW = datetime(2036, 1, 1, 12, tzinfo=UTC)  # to come: DynamoDB Local deletes what has expired


class Store:
    """Users with webhooks, and the calls that were made."""

    def __init__(self, *users):
        self.users, self.calls = users, []

    def lanes(self):
        self.calls.append("lanes")
        if self.users == ("away",):
            raise ServiceUnavailable
        return [Lane(user, 0) for user in self.users]

    def hasten(self, user_id, at):
        self.calls.append((user_id, at))


@pytest.fixture
def told(monkeypatch):
    """Hints whose alarm rings when a test says so; and the times for which it was set."""

    def told(*users):
        hints, times = Hints(Store(*users), lambda: NOW), []
        monkeypatch.setattr(hints._alarm, "set", times.append)
        hints.start()
        return hints, times

    return told


def test_writes_of_users_with_webhooks_are_told_of_together(told):
    hints, times = told("ann", "bob")

    for user in ("ann", "eve", "bob", "ann"):
        hints.note(user)
    hints.give()

    assert set(times) == {module.GATHER_SECONDS}
    assert hints._store.calls[0] == "lanes"
    assert sorted(hints._store.calls[1:]) == [("ann", NOW), ("bob", NOW)]


def test_a_write_of_somebody_without_webhooks_does_nothing_once_that_is_known(told):
    hints, times = told("ann")
    hints.note("eve")
    hints.give()
    times.clear()

    hints.note("eve")
    assert times == []
    hints.note("ann")
    hints.give()

    assert hints._store.calls == ["lanes", ("ann", NOW)]


def test_who_has_webhooks_is_read_again_after_a_while(told, monkeypatch):
    hints, _ = told()
    hints.note("ann")
    hints.give()
    hints._store.users = ("ann",)

    hints.note("ann")
    monkeypatch.setattr(module.time, "monotonic", lambda at=hints._stale_at: at)
    hints.note("ann")
    hints.give()

    assert hints._store.calls == ["lanes", "lanes", ("ann", NOW)]


def test_without_the_store_nothing_is_told_and_nobody_notices(told):
    hints, _ = told("away")

    hints.note("ann")
    hints.give()

    assert hints._store.calls == ["lanes"]


def test_a_process_that_does_not_serve_tells_nothing(told):
    hints, times = told("ann")
    hints._started = False

    hints.note("ann")

    assert times == []
