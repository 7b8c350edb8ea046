"""The command that brings tables of earlier releases up to date."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
