"""Live changes: each subscriber gets each change once, from its position on, whoever writes it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from test_feed import Memory, change

from graphql_api.domain.changes import live
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.live import LiveFeed, LiveOptions, Subscription
from graphql_api.domain.changes.model import Position
from graphql_api.errors import RateLimited, ServiceUnavailable

SOON = 20  # seconds within which everything here must have happened, on a very busy machine


class Receiver:
    """What a subscriber has got; `wait_for` waits until there is so much."""

    def __init__(self):
        self.got, self.closed = [], threading.Event()
        self._changed = threading.Condition()
        self.last = b""

    def send_sign_of_life(self):
        self.send(b":")

    def send(self, data):
        with self._changed:
            self.got.append(data.decode())
            self._changed.notify_all()

    def close(self, last=b""):
        self.last = last
        self.closed.set()

    def wait_until(self, text):
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.got, SOON), self.got
        return self.got

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, SOON), self.got
        return self.got


class World:
    """A feed in memory, and the subscribers to it."""

    def __init__(self, most=10, most_by_user=5, interval=0.01):
        self.memory = Memory()
        self.alive, self.rendered, self.read = True, [], []
        self.now = datetime.now(UTC)
        options = LiveOptions(most, most_by_user, interval)
        self.live = LiveFeed(
            Feed(self.memory), options, lambda: datetime.now(UTC), lambda _: self.alive
        )

    def write(self, *tasks, ago=0):
        for task in tasks:
            self.memory.add(change(datetime.now(UTC) - timedelta(seconds=ago), task=task))

    def subscribe(self, *, after=None, key="k", user="u"):
        receiver = Receiver()

        def render(each, read_at):
            self.rendered.append(each.task_id)
            self.read.append(read_at)
            return each.task_id.encode()

        since = datetime.now(UTC)
        subscription = Subscription(user, "token", key, render, receiver, b"bye", after, since)
        self.live.subscribe(subscription)
        return receiver, subscription


@pytest.fixture
def world():
    world = World()
    yield world
    world.live.end()


def test_a_subscriber_gets_what_is_written_from_now_on(world):
    world.write("before", ago=1)
    receiver, _ = world.subscribe()

    world.write("after")

    assert receiver.wait_for(1) == ["after"]


@pytest.mark.parametrize("others", [0, 1])
def test_a_subscriber_gets_what_is_written_before_it_is_known_that_there_is_one(world, others):
    for _ in range(others):
        marker, _ = world.subscribe(after=Position.end(world.now))
        world.write("begin", ago=1)
        marker.wait_for(1)
    after, may_read = world.memory.after, threading.Event()

    def wait(*arguments):
        assert may_read.wait(SOON)
        return after(*arguments)

    world.memory.after = wait
    receiver, _ = world.subscribe()
    world.write("x")
    may_read.set()

    assert receiver.wait_for(1) == ["x"]
    world.write("y")
    assert receiver.wait_for(2) == ["x", "y"]


def test_a_change_that_cannot_be_rendered_ends_its_stream_and_no_other(world):
    def fail(*_):
        raise ServiceUnavailable

    receiver, _ = world.subscribe()
    failing = Receiver()
    since = datetime.now(UTC)
    world.live.subscribe(Subscription("u", "token", "other", fail, failing, b"bye", None, since))

    world.write("x")

    assert failing.closed.wait(SOON)
    assert failing.last == b"bye"
    assert receiver.wait_for(1) == ["x"]


def test_a_subscriber_with_a_position_first_gets_what_came_after_it(world):
    world.write(*(f"{number}" for number in range(250)), ago=100)
    receiver, _ = world.subscribe(after=Position.start(world.now, timedelta(days=1)))
    receiver.wait_for(250)

    world.write("new")

    got = receiver.wait_for(251)
    assert sorted(got[:250], key=int) == [f"{number}" for number in range(250)]
    assert got[250:] == ["new"]


def test_who_catches_up_is_sent_no_more_at_once_than_can_be_read(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.BATCH_SECONDS", 3600)
    world.write(*(f"{number} {'x' * 10_000}" for number in range(20)), ago=100)
    receiver, _ = world.subscribe(after=Position.start(world.now, timedelta(days=1)))
    receiver.wait_for(5)  # of 10 KB each, of 48 KB
    other, _ = world.subscribe(after=Position.end(world.now))
    world.write("new")
    other.wait_for(1)

    assert len(receiver.got) == 5


def test_a_change_that_waits_for_its_reader_has_the_position_of_when_it_was_read(
    world, monkeypatch
):
    monkeypatch.setattr(live, "BATCH_BYTES", 1)
    monkeypatch.setattr(live, "BATCH_SECONDS", 0.05)
    world.write("a", "b", "c", ago=20)

    receiver, _ = world.subscribe(after=Position.end(world.now - timedelta(seconds=60)))
    receiver.wait_for(3)

    assert len(set(world.read[:3])) == 1


def test_who_catches_up_gets_all_in_the_end(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.BATCH_SECONDS", 0.01)
    texts = [f"{number} {'x' * 10_000}" for number in range(20)]
    world.write(*texts, ago=100)
    receiver, _ = world.subscribe(after=Position.start(world.now, timedelta(days=1)))
    receiver.wait_for(20)
    world.write("new")

    assert receiver.wait_for(21) == [*texts, "new"]


def test_each_change_is_rendered_once_for_all_who_want_the_same(world):
    receivers = [world.subscribe()[0] for _ in range(3)]
    other, _ = world.subscribe(key="another document")
    begun, _ = world.subscribe(after=Position.end(world.now))
    world.write("begin", ago=1)
    begun.wait_for(1)  # after all others, which asked before it
    world.rendered.clear()

    world.write("x")

    for receiver in (*receivers, other, begun):
        assert receiver.wait_until("x")[-1:] == ["x"]
    assert world.rendered == ["x", "x"]


def test_whoever_has_left_gets_nothing_more(world):
    staying, _ = world.subscribe(after=Position.end(world.now))
    leaving, subscription = world.subscribe(after=Position.end(world.now))
    world.write("1")
    assert (staying.wait_for(1), leaving.wait_for(1)) == (["1"], ["1"])

    world.live.unsubscribe(subscription)
    world.write("2")
    staying.wait_for(2)
    world.write("3")
    staying.wait_for(3)

    assert "3" not in leaving.got


def test_what_was_written_here_is_delivered_without_waiting_for_a_poll():
    world = World(interval=3600)
    receiver, _ = world.subscribe(after=Position.end(world.now))
    world.write("first")
    world.live.notify("u")
    receiver.wait_for(1)

    world.write("second")
    world.live.notify("u")

    assert receiver.wait_for(2) == ["first", "second"]
    world.live.end()


def test_what_was_written_here_does_not_wait_for_the_polls_of_others(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.GROUP", 1)
    receivers = [
        world.subscribe(user=user, after=Position.end(world.now))[0] for user in ("u", "a", "b")
    ]
    world.write("begin")
    for receiver in receivers:
        receiver.wait_for(1)
    after, read, done = world.memory.after, [], threading.Event()

    def note(user, *where):
        if user == "a" and not read:
            read.append(user)
            world.write("x")
            world.live.notify("u")
        elif read:
            read.append(user)
            done.set()
        return after(user, *where)

    world.memory.after = note
    assert done.wait(SOON)

    assert read[:2] == ["a", "u"]


def test_many_users_are_polled_and_each_gets_all():
    world = World(most=50)
    receivers = [world.subscribe(user=f"{number}")[0] for number in range(50)]
    world.write("x")

    assert [receiver.wait_for(1) for receiver in receivers] == [["x"]] * 50
    world.live.end()


def test_a_store_that_fails_between_two_pages_loses_no_change(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.PAGE", 2)
    receiver, _ = world.subscribe(after=Position.end(world.now))
    marker, _ = world.subscribe(after=Position.end(world.now))
    world.write("begin")
    assert (receiver.wait_for(1), marker.wait_for(1)) == (["begin"], ["begin"])
    after, failures = world.memory.after, []

    def fail(user, where, *rest):
        if where > Position.end(world.now).after and len(failures) < 3:  # not the first page
            failures.append(where)
            raise ServiceUnavailable
        return after(user, where, *rest)

    world.memory.after = fail
    world.write(*"12345")

    assert receiver.wait_for(6) == ["begin", *"12345"]
    assert len(failures) == 3


def test_nobody_is_polled_for_who_has_no_subscriber(world):
    _, subscription = world.subscribe()
    world.live.unsubscribe(subscription)
    receiver, _ = world.subscribe(user="v", after=Position.end(world.now))
    world.write("x")
    receiver.wait_for(1)

    assert set(world.live._readers) == {"v"}


def test_a_user_and_a_process_have_a_number_of_subscriptions_at_most():
    world = World(most=3, most_by_user=2)
    _, first = world.subscribe()
    world.subscribe()

    with pytest.raises(RateLimited):
        world.subscribe()
    world.subscribe(user="v")
    with pytest.raises(ServiceUnavailable, match="poll"):
        world.subscribe(user="w")
    world.live.unsubscribe(first)
    world.subscribe()
    world.live.end()


def test_a_silent_subscriber_gets_signs_of_life(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.SIGN_OF_LIFE_SECONDS", 0.01)
    receiver, _ = world.subscribe()

    assert set(receiver.wait_for(2)) == {":"}


def test_a_subscription_ends_with_its_session(world, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.changes.live.CHECK_SECONDS", 0.05)
    receiver, _ = world.subscribe()
    assert not receiver.closed.wait(0.2)

    world.alive = False

    assert receiver.closed.wait(SOON)
    assert receiver.last == b"bye"


def test_all_subscriptions_end_with_the_process(world):
    receiver, _ = world.subscribe()

    world.live.end()

    assert receiver.closed.wait(SOON)
    with pytest.raises(ServiceUnavailable):
        world.subscribe()


def test_a_store_that_is_away_for_a_while_loses_no_change(world):
    receiver, _ = world.subscribe(after=Position.end(world.now))
    after, failures = world.memory.after, []

    def fail(*arguments):
        if len(failures) < 5:
            failures.append(arguments)
            raise ServiceUnavailable
        return after(*arguments)

    world.memory.after = fail
    world.write("x")

    assert receiver.wait_for(1) == ["x"]
    assert len(failures) == 5
