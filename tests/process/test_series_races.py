"""Two processes that complete the same occurrences at the same time make each next one once."""

import multiprocessing
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import Conflict
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.tables import Tables

NOW = datetime(2090, 3, 20, 8, tzinfo=UTC)
ROUNDS, DEVICES = 200, 2


def opened(config):
    database = Database(connect(config), config.table_prefix)
    store = TaskStore(database, ChangeStore(database, timedelta(days=30)))
    return Tasks.of(database, store, Feed(ChangeStore(database, timedelta(days=30)))), database


def device(config, user, ids, together, results):
    """Complete each task as soon as the other device does; tell which of them it has completed."""
    tasks, _ = opened(config)
    won = []
    for task_id in ids:
        together.wait()
        try:
            tasks.complete(user, {"id": task_id}, SYSTEM, NOW)
            won.append(task_id)
        except Conflict:
            continue
    results.put(won)


@pytest.mark.concurrent
@pytest.mark.engine_is_no_matter
def test_two_hundred_times_two_devices_make_one_next_occurrence(engine):
    config, user = replace(engine, table_prefix=f"{uuid.uuid4().hex}."), uuid.uuid4().hex
    Tables(connect(config), config, TABLES).create_missing()
    tasks, database = opened(config)
    daily = Recurrence.checked("FREQ=DAILY", "Europe/Berlin")
    fields = {"title": "Water the plants", "due_at": NOW, "recurrence": daily}
    ids = [tasks.create(user, fields, SYSTEM, NOW).task_id for _ in range(ROUNDS)]
    context = multiprocessing.get_context("spawn")
    together, results = context.Barrier(DEVICES, timeout=60), context.Queue()
    devices = [
        context.Process(target=device, args=(config, user, ids, together, results))
        for _ in range(DEVICES)
    ]
    for each in devices:
        each.start()
    won = [task_id for _ in devices for task_id in results.get(timeout=120)]
    for each in devices:
        each.join()

    assert sorted(won) == sorted(ids)
    stored = list(TaskStore(database, ChangeStore(database, timedelta(days=30))).all(user))
    assert sorted(task.task_id for task in stored if not task.open) == sorted(ids)
    store = SeriesStore(database)
    series = list(store.all(user))
    assert {each.current.task_id for each in series} == {t.task_id for t in stored if t.open}
    assert [each.number for each in series] == [2] * ROUNDS
    assert [store.count_records(user, each.series_id) for each in series] == [1] * ROUNDS
