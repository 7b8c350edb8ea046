"""What is due is told once, in time or late, and whatever crashes."""

import itertools
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Api

from graphql_api import create_app, ids
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM, ChangeKind
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.model import Reminder
from graphql_api.domain.reminders.store import SHARDS, TimerStore
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.tables import Tables

NOW = datetime(2036, 3, 1, 12, tzinfo=UTC)  # to come: DynamoDB Local deletes what has expired
DUE, OVERDUE, REMINDER = ChangeKind.TASK_DUE, ChangeKind.TASK_OVERDUE, ChangeKind.REMINDER
INTERVAL = 1.0


class Crash(BaseException):
    """The process ends here, as by kill -9."""


def after(**delta):
    return NOW + timedelta(**delta)


class World:
    """A deployment of its own, with the time that a test gives it."""

    def __init__(self, config):
        self.config = config
        self.database = Database(connect(config), config.table_prefix)
        self.changes = ChangeStore(self.database, timedelta(days=30))
        self.store = TaskStore(self.database, self.changes)
        self.tasks = Tasks.of(self.database, self.store, Feed(self.changes))
        self.history = self.tasks.history
        self.timers = TimerStore(self.database)
        self.clock = NOW
        self.duty = TimerDuty(self.timers, self.store, INTERVAL, lambda: self.clock)
        self.user = uuid.uuid4().hex

    def create(self, now=NOW, **fields):
        return self.tasks.create(self.user, {"title": "x", **fields}, SYSTEM, now)

    def update(self, task, now=NOW, **fields):
        return self.tasks.update(self.user, {"id": task.task_id, **fields}, SYSTEM, now).task

    def dispatch(self, now):
        """Let the dispatcher look once; return the seconds until it looks again."""
        self.clock = now
        return self.duty.run(now)

    def told(self, user=None):
        """The kinds of what time has brought, with their lateness, in the order of the feed."""
        found = self.changes.after(user or self.user, ids.first_id(NOW), 10_000, after(days=3))
        return [(each.kind, each.late_seconds) for each in found if each.late_seconds is not None]

    def kept(self):
        """The instants of the user's timers that are in the store."""
        found = [
            self.timers.due(shard, datetime.max.replace(tzinfo=UTC)) for shard in range(SHARDS)
        ]
        timers = [timer for pages in found for page in pages for timer in page]
        return sorted(timer.at for timer in timers if timer.user_id == self.user)


@pytest.fixture(scope="module")
def config(engine):
    config = replace(engine, table_prefix=f"{uuid.uuid4().hex}.")
    Tables(connect(config), config, TABLES).create_missing()
    return config


@pytest.fixture
def world(config):
    return World(config)


@pytest.fixture
def actions(world):
    """How many actions each transaction has that is made meanwhile."""
    found = []

    def note(call):
        found.append(len(call.arguments.get("TransactItems", [])))

    world.database.on_call = note
    yield found
    world.database.on_call = None


def test_what_is_due_is_told_at_its_instant_and_not_before(world):
    task = world.create(
        due_at=after(hours=1),
        reminders=[
            Reminder(at=after(minutes=10)),
            Reminder(minutes_before=20),
            Reminder(minutes_before=0),
        ],
    )
    assert world.kept() == [after(minutes=10), after(minutes=40), after(hours=1)]

    told = []
    for minutes in (9, 10, 39, 40, 59, 60, 61):
        assert world.dispatch(after(minutes=minutes)) == INTERVAL
        told.append([kind for kind, _ in world.told()])

    assert told == [
        [],
        [REMINDER],
        [REMINDER],
        [REMINDER] * 2,
        [REMINDER] * 2,
        *([[REMINDER, REMINDER, REMINDER, DUE, OVERDUE]] * 2),
    ]
    assert world.kept() == []
    [*_, last] = world.changes.after(world.user, ids.first_id(NOW), 10, after(days=1))
    assert (last.task_id, last.version, last.actor, last.fields) == (task.task_id, 1, SYSTEM, ())


def test_what_is_told_late_says_by_how_much(world):
    world.create(due_at=after(hours=30), reminders=[Reminder(at=after(minutes=1))])

    world.dispatch(after(hours=30, seconds=5.9))

    assert world.told() == [(REMINDER, 30 * 3600 - 55), (DUE, 5), (OVERDUE, 5)]


def test_changes_are_dated_when_they_are_written_however_long_that_takes(world, monkeypatch):
    """Readers do not wait for a change that appears long after its date."""
    for _ in range(20):
        world.create(due_at=after(hours=1))
    write, transactions = world.store.write, []

    def slowly(*writes):
        write(*writes)
        transactions.append(writes)
        world.clock += timedelta(seconds=10)

    monkeypatch.setattr(world.store, "write", slowly)

    world.dispatch(after(hours=1))

    found = world.changes.after(world.user, ids.first_id(NOW), 100, after(days=1))
    dates = {each.at.replace(microsecond=0) for each in found if each.late_seconds is not None}
    assert dates == {after(hours=1, seconds=10 * n) for n in range(len(transactions))}
    assert {late for _, late in world.told()} == {10 * n for n in range(len(transactions))}


def test_it_is_in_the_history_of_the_task_whose_version_stays(world):
    task = world.create(due_at=after(hours=1))
    world.dispatch(after(hours=1))
    changed = world.update(task, after(hours=2), title="y", expected_version=1)

    feed = Feed(world.changes)
    kinds = [each.kind for each in feed.history(world.user, changed.change_id)]

    assert changed.version == 2
    updated, created = ChangeKind.TASK_UPDATED, ChangeKind.TASK_CREATED
    assert kinds == [updated, OVERDUE, DUE, created]


@pytest.mark.parametrize("meanwhile", ["before", "after"])
@pytest.mark.parametrize("write", ["moved", "done", "cancelled", "deleted", "cleared"])
def test_a_task_that_was_moved_done_or_deleted_meanwhile_tells_nothing(world, write, meanwhile):
    """Before it is due the timers go with the write, after that the dispatcher finds them."""
    task = world.create(due_at=after(hours=1), reminders=[Reminder(minutes_before=0)])
    now = after(minutes=59) if meanwhile == "before" else after(minutes=61)
    if write == "deleted":
        world.tasks.delete(world.user, task.task_id, SYSTEM, now)
    else:
        fields = {
            "moved": {"due_at": after(days=2)},
            "done": {"status": TaskStatus.COMPLETED},
            "cancelled": {"status": TaskStatus.CANCELLED},
            "cleared": {"due_at": None, "reminders": None},
        }
        world.update(task, now, **fields[write])
    to_come = [after(days=2)] if write == "moved" else []
    assert world.kept() == ([] if meanwhile == "before" else [after(hours=1)]) + to_come

    world.dispatch(after(hours=3))

    assert world.told() == []
    assert world.kept() == to_come


def test_a_task_that_changes_under_a_dispatchers_hands_is_looked_at_again(world, monkeypatch):
    moved = world.create(due_at=after(hours=1))
    renamed = world.create(due_at=after(hours=1))
    late, get_many = after(hours=2), world.store.get_many

    def read_and_be_overtaken(keys):
        found = get_many(keys)
        monkeypatch.undo()
        world.update(moved, late, due_at=after(days=2))
        world.update(renamed, late, title="y")
        return found

    monkeypatch.setattr(world.store, "get_many", read_and_be_overtaken)

    world.dispatch(late)
    world.dispatch(late)

    assert Counter(world.told()) == {(DUE, 3600): 1, (OVERDUE, 3600): 1}
    assert world.store.get(world.user, renamed.task_id).title == "y"
    assert world.kept() == [after(days=2)]


def test_a_timer_that_was_set_anew_is_not_deleted_as_one_for_nothing(world):
    task = world.create(due_at=after(hours=1))
    shards = (world.timers.due(shard, after(hours=1)) for shard in range(SHARDS))
    [seen] = [
        timer for pages in shards for page in pages for timer in page if timer.user_id == world.user
    ]
    world.update(task, due_at=None)
    world.update(task, due_at=after(hours=1))

    world.timers.discard(seen)

    assert world.kept() == [after(hours=1)]


def test_of_two_dispatchers_each_change_is_told_by_one(world):
    """Both have read the same timers before either of them tells any."""
    for _ in range(30):
        world.create(due_at=after(hours=1))
    other = World(world.config)
    now = after(hours=1)
    seen = [page for shard in range(SHARDS) for page in world.timers.due(shard, now)]
    groups = [group for page in seen for group in world.duty._groups(page)]
    world.clock = other.clock = now
    world.duty._tell(groups[0][:2])  # one is ahead with some
    for page in seen:
        for group in other.duty._groups(page):
            other.duty._tell(group)

    for group in groups:
        world.duty._tell(group)

    assert Counter(kind for kind, _ in world.told()) == {DUE: 30, OVERDUE: 30}
    assert world.kept() == []


@pytest.mark.thorough
def test_whatever_call_a_dispatcher_crashes_before_the_next_one_loses_nothing(world):
    events = world.database.client.meta.events
    calls, crashing_at, crashed = itertools.count(), 0, True

    def crash(**_):
        if next(calls) == crashing_at:
            raise Crash

    while crashed:
        world.user = uuid.uuid4().hex
        soon = {"due_at": after(hours=1)}
        world.create(reminders=[Reminder(minutes_before=5)], **soon)
        world.create(**soon)
        world.tasks.delete(world.user, world.create(**soon).task_id, SYSTEM, after(hours=2))
        calls = itertools.count()
        events.register_first("before-send.dynamodb", crash)
        try:
            world.dispatch(after(hours=3))
            crashed = False
        except Crash:
            pass
        finally:
            events.unregister("before-send.dynamodb", crash)

        World(world.config).dispatch(after(hours=4))

        assert Counter(kind for kind, _ in world.told()) == {REMINDER: 1, DUE: 2, OVERDUE: 2}
        assert world.kept() == []
        crashing_at += 1
    assert crashing_at > SHARDS + 3


def test_a_transaction_whose_answer_was_lost_tells_once(world, monkeypatch):
    world.create(due_at=after(hours=1))
    transact = world.database.transact

    def lose_the_answer(*actions):
        transact(*actions)
        raise ServiceUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.database, "transact", lose_the_answer)
        with pytest.raises(ServiceUnavailable):
            world.dispatch(after(hours=1))
    world.dispatch(after(hours=1))

    assert world.told() == [(DUE, 0), (OVERDUE, 0)]


@pytest.mark.concurrent  # moto copies its tables for each transaction
def test_a_thousand_in_one_minute_are_told_by_a_few_dozen_calls(world):
    fill(world, 1_000)
    calls = []
    world.database.on_call = lambda call: calls.append(call.operation)

    pause = world.dispatch(after(hours=1))
    while pause == 0:  # on a machine that is slow
        pause = world.dispatch(after(hours=1))
    world.database.on_call = None

    assert Counter(kind for kind, _ in world.told()) == {REMINDER: 1_000}
    # 33 to a transaction of 100 actions, and a last one that is not full in each shard.
    made = Counter(calls)
    assert 31 <= made["TransactWriteItems"] <= 31 + SHARDS
    assert 10 <= made["BatchGetItem"] <= 10 + SHARDS
    assert made["Query"] >= SHARDS
    assert set(made) == {"Query", "BatchGetItem", "TransactWriteItems"}


def fill(world, count):
    """Give the user tasks with a reminder each within one minute, many to a transaction."""
    values = [
        {"title": f"{n}", "reminders": [Reminder(at=after(minutes=59, milliseconds=n))]}
        for n in range(count)
    ]
    made = [writes.creation(Task.new(world.user, each, NOW), each, SYSTEM, NOW) for each in values]
    for group in world.store.transactions(made):
        world.store.write(*group)


def test_writes_without_due_date_and_reminders_cost_what_they_did(world, actions):
    """A task, its change and its item, and at its end one for what depends on it."""
    task = world.create()
    world.update(task, title="y")
    world.update(task, status=TaskStatus.COMPLETED)
    world.tasks.delete(world.user, task.task_id, SYSTEM, NOW)

    assert [count for count in actions if count] == [3, 3, 4, 3]


def test_an_instant_costs_one_action_when_it_is_set_and_one_when_it_goes(world, actions):
    task = world.create(due_at=after(hours=1), reminders=[Reminder(minutes_before=5)])
    world.update(task, title="y")
    world.update(task, due_at=after(hours=2))
    world.update(task, reminders=None)
    world.tasks.delete(world.user, task.task_id, SYSTEM, NOW)

    assert [count for count in actions if count] == [5, 3, 7, 3, 5]


def test_what_is_undone_brings_its_timers_back(world):
    task = world.create(due_at=after(hours=1), reminders=[Reminder(at=after(minutes=1))])
    world.tasks.delete(world.user, task.task_id, SYSTEM, after(minutes=2))
    [*_, deletion] = world.changes.after(world.user, ids.first_id(NOW), 10, after(hours=1))
    assert world.kept() == [after(minutes=1)]  # which was due

    restored = world.history.undo(world.user, deletion.change_id, SYSTEM, after(minutes=3))
    assert restored.reminders == task.reminders
    assert world.kept() == [after(minutes=1), after(hours=1)]

    cleared = world.update(task, after(minutes=4), reminders=None)
    world.history.undo(world.user, cleared.change_id, SYSTEM, after(minutes=5))
    assert world.store.get(world.user, task.task_id).reminders == task.reminders


def test_what_time_has_brought_cannot_be_undone(world):
    world.create(due_at=after(hours=1))
    world.dispatch(after(hours=1))
    [*_, due, overdue] = world.changes.after(world.user, ids.first_id(NOW), 10, after(days=1))

    for change in (due, overdue):
        with pytest.raises(Exception, match="What time has brought cannot be undone"):
            world.history.undo(world.user, change.change_id, SYSTEM, after(hours=2))


def test_a_deleted_account_leaves_no_timer(world):
    api = Api(create_app(world.config).test_client())
    ann = api.register("ann")
    ann.create(title="x", dueAt="2030-01-01T00:00:00Z", reminders=[{"minutesBefore": 5}])
    ann.create(title="y")
    world.user = ann.id
    assert len(world.kept()) == 2

    ann.rest("DELETE", "/auth/account", json={"password": "correct horse battery"})

    assert world.kept() == []
