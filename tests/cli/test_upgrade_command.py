"""The commands that bring data up to date: tables of earlier releases, and days of time zones."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from commands import Operator

from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.tables import Tables

pytestmark = pytest.mark.engine_is_no_matter

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HINT = (
    "Lists of open tasks read finished ones, too, until `python -m graphql_api tables upgrade`.\n"
)


def test_tables_of_an_earlier_release_are_upgraded_once_and_new_ones_need_it_not(engine):
    config = replace(engine, table_prefix=f"{uuid.uuid4().hex}-")
    operator = Operator(config)
    Tables(connect(config), config, TABLES).create_missing()
    database = Database(connect(config), config.table_prefix)
    store = TaskStore(database, ChangeStore(database, timedelta(days=1)))
    store._open.following = lambda *_: []  # as release 0.1.0 wrote
    store.add_imported(Task.new("ann", {"title": "old"}, NOW), SYSTEM, NOW)

    before = operator.run("tables", "check")
    upgraded, again = operator.run("tables", "upgrade"), operator.run("tables", "upgrade")
    after = operator.run("tables", "check")

    assert before.exit_code == after.exit_code == 0
    assert before.output.endswith(HINT)
    assert [each.output for each in (upgraded, again)] == [
        "Open tasks\nAll data is up to date.\n"
    ] * 2
    assert HINT not in after.output
    assert [len(tasks) for tasks in store._open.all("ann")] == [1]

    fresh = Operator(replace(engine, table_prefix=f"{uuid.uuid4().hex}-"))
    fresh.run("tables", "create")
    assert HINT not in fresh.run("tables", "check").output


def test_days_of_older_data_of_time_zones_are_moved_and_others_stay(engine):
    config = replace(engine, table_prefix=f"{uuid.uuid4().hex}-")
    Tables(connect(config), config, TABLES).create_missing()
    database = Database(connect(config), config.table_prefix)
    store = TaskStore(database, ChangeStore(database, timedelta(days=1)))
    fields = {"title": "x", "due_on": date(2030, 6, 3)}
    right = [Task.new("ann", fields, NOW, timezone=zone) for zone in ("UTC", "Africa/Cairo")]
    for task, hour in zip(right, (timedelta(0), timedelta(hours=1)), strict=True):
        day = replace(task.due_day, begin=task.due_day.begin + hour, end=task.due_day.end + hour)
        store.add_imported(replace(task, due_day=day), SYSTEM, NOW)

    moved, again = Operator(config).run("relocate"), Operator(config).run("relocate")

    assert [each.output for each in (moved, again)] == [
        f"Due days that lay elsewhere: {count}.\n" for count in (1, 0)
    ]
    found = sorted(store.all("ann"), key=lambda task: task.task_id)
    assert [(each.due_day, each.version) for each in found] == [
        (each.due_day, 1) for each in sorted(right, key=lambda task: task.task_id)
    ]
