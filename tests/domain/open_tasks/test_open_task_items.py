"""The items of open tasks: written with their tasks, and added to data of earlier releases."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import get_type_hints

import pytest

from graphql_api.domain.blocks.closed import ClosedBlocks
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.open_tasks import store as open_store
from graphql_api.domain.open_tasks import upgrade
from graphql_api.domain.open_tasks.model import KNOWN, OpenTask
from graphql_api.domain.open_tasks.store import OpenTaskStore
from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import AppError, Conflict, ServiceUnavailable
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.tables import Tables

pytestmark = pytest.mark.engine_is_no_matter

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
DONE = TaskStatus.COMPLETED


class World:
    """Somebody in a deployment; what `old` writes has no items, as in release 0.1.0."""

    def __init__(self, config):
        self.database = Database(connect(config), config.table_prefix)
        Tables(self.database.client, config, TABLES).create_missing()
        changes = ChangeStore(self.database, timedelta(days=1))
        self.store = TaskStore(self.database, changes)
        self.tasks = Tasks.of(self.database, self.store, Feed(changes))
        older = TaskStore(self.database, changes)
        older._open.following = older._closed_blocks.following = lambda *_: []
        self.old = Tasks.of(self.database, older, Feed(changes))
        self.items = OpenTaskStore(self.database)
        self.upgrade = OpenTaskUpgrade.of(self.database)
        self.user = uuid.uuid4().hex

    def create(self, tasks=None, **values):
        return (tasks or self.tasks).create(self.user, {"title": "x", **values}, SYSTEM, NOW)

    def update(self, task, tasks=None, **values):
        return (tasks or self.tasks).update(self.user, {"id": task.task_id, **values}, SYSTEM, NOW)

    def kept(self):
        """What the items say of the user's open tasks, by id."""
        return {task.task_id: task for tasks in self.items.all(self.user) for task in tasks}

    def closed_between(self, start, end):
        """The closed tasks that may have blocks then."""
        pages = ClosedBlocks(self.database).between(self.user, start, end)
        return [task_id for ids in pages for task_id in ids]

    def wanted(self):
        """What they should say."""
        return {task.task_id: OpenTask.of(task) for task in self.store.all(self.user) if task.open}


@pytest.fixture
def world(engine):
    return World(replace(engine, table_prefix=f"{uuid.uuid4().hex}."))


@pytest.fixture
def actions(world):
    """How many actions each transaction has that is made meanwhile."""
    found = []
    world.database.on_call = lambda call: found.append(len(call.arguments.get("TransactItems", [])))
    yield found
    world.database.on_call = None


def test_each_field_in_short_is_one_of_the_task():
    spans = ("blocks_start", "blocks_end")
    whole = get_type_hints(Task) | {
        name: get_type_hints(getattr(Task, name).fget)["return"] for name in spans
    }
    short = get_type_hints(OpenTask)

    assert {field.name: short[field.name] for field in fields(OpenTask)} == {
        field.name: whole[field.name] for field in fields(OpenTask)
    }
    assert all(hasattr(Task, name) for name in KNOWN)


def test_an_item_follows_all_that_becomes_of_its_task(world):
    steps = []

    def note():
        assert world.kept() == world.wanted()
        steps.append(len(world.kept()))

    task = world.create(due_at=NOW, tags=["a"], priority=None, project_id=None)
    note()
    done = world.create(status=DONE)
    note()
    world.update(task, due_at=None, status=TaskStatus.IN_PROGRESS, title="y")
    note()
    world.update(task, status=DONE)
    note()
    change_id = world.update(done, status=TaskStatus.PENDING).task.change_id
    note()
    world.tasks.history.undo(world.user, change_id, SYSTEM, NOW)
    note()
    again = world.create()
    world.tasks.delete(world.user, again.task_id, SYSTEM, NOW)
    note()

    assert steps == [1, 1, 1, 0, 1, 0, 0]


def test_the_next_occurrence_has_its_item_with_the_end_of_the_last_one(world):
    task = world.create(due_at=NOW, recurrence=Recurrence.checked("FREQ=DAILY", "UTC"))

    following = world.update(task, status=DONE).next

    assert world.kept() == {following.task_id: OpenTask.of(following)}


def test_a_write_of_what_no_list_asks_for_leaves_the_item_alone(world, actions):
    task = world.create()
    closed = world.create(status=DONE)
    actions.clear()

    world.update(task, description="more", duration_minutes=5)
    world.update(closed, title="other", tags=["a"])
    world.update(task, title="other")

    assert [each for each in actions if each] == [2, 2, 3]  # the task, its change, and the item


def test_an_item_follows_a_due_day_to_another_time_zone(world):
    values = {"title": "x", "due_on": NOW.date()}
    task = Task.new(world.user, values, NOW, timezone="UTC")
    write = writes.creation(task, (), SYSTEM, NOW)
    world.store.write(write)
    there = world.kept()[task.task_id].due_day

    world.store.move(writes.move(write.result, "Asia/Tokyo", (), NOW))

    assert world.kept() == world.wanted()
    assert world.kept()[task.task_id].due_day != there


def test_of_two_who_complete_a_task_at_once_one_does_and_no_item_is_left(world):
    tasks = [world.create() for _ in range(8)]

    def complete(task):
        try:
            world.tasks.complete(world.user, {"id": task.task_id}, SYSTEM, NOW)
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(complete, tasks * 2))

    assert done == 8
    assert world.kept() == {}


def test_a_write_that_is_refused_leaves_task_and_item_as_they_were(world):
    task = world.create()
    stale = world.store.get(world.user, task.task_id)
    world.update(task, title="new")

    with pytest.raises(AppError):
        world.tasks.update(
            world.user, {"id": stale.task_id, "expected_version": 1, "status": DONE}, SYSTEM, NOW
        )

    assert world.kept() == world.wanted()
    assert [each.title for each in world.kept().values()] == ["new"]


def test_a_deleted_account_leaves_no_item(world):
    for status in (TaskStatus.PENDING, DONE):
        world.create(status=status, planned_start=NOW, planned_end=NOW)

    world.store.remove_all(world.user)

    assert (world.kept(), world.closed_between(NOW, NOW)) == ({}, [])


def test_an_upgrade_finds_the_blocks_of_closed_tasks(world):
    planned = {"planned_start": NOW, "planned_end": NOW + timedelta(hours=1)}
    task = world.create(world.old, status=DONE, **planned)
    world.create(world.old, status=DONE)
    assert world.closed_between(NOW, NOW + timedelta(days=1)) == []

    for _ in range(2):
        list(world.upgrade.run())

    assert world.closed_between(NOW, NOW + timedelta(days=1)) == [task.task_id]


# Data of earlier releases


def filled_by_old_processes(world):
    """Tasks without items, with stale items, and with items of tasks that are gone."""
    changed, closed, deleted = (world.create() for _ in range(3))
    world.update(changed, world.old, title="changed")
    world.update(closed, world.old, status=DONE)
    world.old.delete(world.user, deleted.task_id, SYSTEM, NOW)
    for number in range(7):
        world.create(world.old, title=f"{number}")
    world.create(world.old, status=DONE)
    assert world.kept() != world.wanted()


def test_an_upgrade_makes_the_items_what_the_tasks_say_and_notes_it_at_its_end(world, monkeypatch):
    monkeypatch.setattr(upgrade, "TOGETHER", 3)
    filled_by_old_processes(world)
    assert world.upgrade.is_needed

    scanned = sum(world.upgrade.run())

    assert world.kept() == world.wanted()
    assert len(world.kept()) == 8
    assert scanned >= 10
    assert not OpenTaskUpgrade.of(world.database).is_needed


def test_an_upgrade_that_crashes_anywhere_is_completed_by_the_next_one(world, monkeypatch):
    monkeypatch.setattr(upgrade, "TOGETHER", 2)
    filled_by_old_processes(world)
    transact, left = world.database.transact, 0

    def crash(*actions):
        nonlocal left
        left -= 1
        if left < 0:
            raise ServiceUnavailable
        transact(*actions)

    monkeypatch.setattr(world.database, "transact", crash)
    for crash_after in range(20):
        left = crash_after
        try:
            list(world.upgrade.run())
            break
        except ServiceUnavailable:
            assert OpenTaskUpgrade.of(world.database).is_needed
        if crash_after == 1:  # an old process that was still there
            monkeypatch.setattr(world.database, "transact", transact)
            world.create(world.old, title="late")
            monkeypatch.setattr(world.database, "transact", crash)

    assert crash_after == 4
    assert world.kept() == world.wanted()
    assert "late" in {task.title for task in world.kept().values()}
    assert not OpenTaskUpgrade.of(world.database).is_needed


def test_what_is_written_while_an_upgrade_runs_is_kept(world, monkeypatch):
    filled_by_old_processes(world)
    tasks = [task for task in world.store.all(world.user) if task.title.isdigit()]
    get_many = world.upgrade._store.get_many

    def write_meanwhile(keys):
        """Others write between what an upgrade has read and what it writes."""
        found = get_many(keys)
        if tasks:
            world.update(tasks.pop(), title="meanwhile")
            world.update(tasks.pop(), status=DONE)
            world.tasks.delete(world.user, tasks.pop().task_id, SYSTEM, NOW)
        return found

    monkeypatch.setattr(world.upgrade._store, "get_many", write_meanwhile)

    list(world.upgrade.run())

    assert world.kept() == world.wanted()
    assert "meanwhile" in {task.title for task in world.kept().values()}


def test_a_process_learns_within_a_minute_that_an_upgrade_has_come_to_its_end(world):
    running = OpenTaskStore(world.database)

    looks = [running.is_complete()]
    OpenTaskStore(world.database).note_complete()
    looks.append(running.is_complete())
    running._next_look -= open_store.LOOK_SECONDS
    looks.append(running.is_complete())

    assert looks == [False, False, True]


def test_only_lists_warn_that_an_upgrade_is_needed(world, caplog):
    OpenTaskStore(world.database).is_complete()
    by_lists = list(caplog.messages)

    world.upgrade.complete()

    assert [open_store.COMMAND in message for message in by_lists] == [True]
    assert (world.upgrade.is_needed, caplog.messages) == (False, by_lists)


def test_items_that_lack_a_field_of_this_release_are_not_used(world, monkeypatch):
    monkeypatch.setattr(open_store, "NAMES", open_store.NAMES[:-1])
    world.items.note_complete()
    monkeypatch.undo()

    assert not OpenTaskStore(world.database).is_complete()
