import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import pytest
from engines import CONFIG
from moto import mock_aws

from graphql_api.domain.tables import TABLES, TASKS, USERS
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables

REGION = "us-east-1"


def watched(config):
    """A client, and the names of the operations that it calls."""
    database = connect(config)
    calls = []
    database.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    return database, calls


@pytest.fixture(scope="module")
def database(engine):
    return connect(engine)


@pytest.fixture
def store(engine, database):
    """A client of an engine that has no tables of this test's prefix, and its configuration."""
    return database, replace(engine, table_prefix=f"{uuid.uuid4().hex}-")


@pytest.fixture
def aws():
    """The same of DynamoDB itself, as far as moto is that."""
    with mock_aws():
        config = replace(CONFIG, dynamodb="aws", table_prefix="of-aws-")
        database = connect(config)
        yield database, config
        for name in described(database, config):  # moto forgets only when nobody else uses it
            database.delete_table(TableName=name)


def described(database, config):
    """What the store says of each of the tables that are there, but for what it counts."""
    found = {}
    for table in TABLES:
        name = config.table_prefix + table.name
        try:
            found[name] = database.describe_table(TableName=name)["Table"]
        except database.exceptions.ResourceNotFoundException:
            continue
    return found


# `concurrent` leaves moto out, which stands for AWS itself: there, nothing is created.


@pytest.mark.concurrent
def test_missing_tables_are_created_with_their_keys_index_and_expiry(store):
    database, config = store

    Tables(database, config, TABLES).prepare()

    users, tasks = (config.table_prefix + name for name in ("Users", "Tasks"))
    found = described(database, config)
    assert [key["AttributeName"] for key in found[users]["KeySchema"]] == ["user_id", "item"]
    assert [key["AttributeName"] for key in found[tasks]["KeySchema"]] == ["user_id", "task_id"]
    [index] = found[tasks]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_due_date"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["user_id", "due_order"]
    assert {table["TableStatus"] for table in found.values()} == {"ACTIVE"}
    expiry = database.describe_time_to_live(TableName=users)["TimeToLiveDescription"]
    assert expiry["AttributeName"] == "expires_at"
    assert expiry["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}


@pytest.mark.concurrent
def test_a_second_start_only_describes_the_tables(store):
    database, config = store
    Tables(database, config, TABLES).prepare()
    before = described(database, config)
    again, calls = watched(config)

    Tables(again, config, TABLES).prepare()

    assert calls == ["DescribeTable", "DescribeTable"]
    assert described(database, config) == before


@pytest.mark.concurrent
def test_only_the_missing_table_is_created(store):
    database, config = store
    Tables(database, config, TABLES).create(TASKS)
    before = described(database, config)

    Tables(database, config, TABLES).prepare()

    after = described(database, config)
    users = after.pop(config.table_prefix + "Users")
    assert (after, users["TableStatus"]) == (before, "ACTIVE")


@pytest.mark.concurrent
def test_two_starts_at_once_on_an_empty_store_both_succeed(store):
    _, config = store
    starts = 4
    together = threading.Barrier(starts)

    def start(_):
        database = connect(config)
        together.wait()
        Tables(database, config, TABLES).prepare()
        return described(database, config).keys()

    with ThreadPoolExecutor(starts) as pool:
        found = list(pool.map(start, range(starts)))

    assert found == [{config.table_prefix + "Users", config.table_prefix + "Tasks"}] * starts


def test_on_aws_missing_tables_are_named_and_nothing_is_created(aws):
    _, config = aws
    database, calls = watched(config)

    with pytest.raises(StartError) as caught:
        Tables(database, config, TABLES).prepare()

    assert str(caught.value).startswith(
        f"DynamoDB has no table of-aws-Users and of-aws-Tasks in {REGION}: create it"
    )
    assert "\n" not in str(caught.value)
    assert calls == ["DescribeTable", "DescribeTable"]
    assert described(database, config) == {}


@pytest.mark.parametrize(("there", "missing"), [("Users", "Tasks"), ("Tasks", "Users")])
def test_on_aws_one_missing_table_is_named_alone(aws, there, missing):
    database, config = aws
    [table] = [table for table in TABLES if table.name == there]
    Tables(database, config, TABLES).create(table)

    with pytest.raises(StartError, match=f"^DynamoDB has no table of-aws-{missing} in {REGION}:"):
        Tables(database, config, TABLES).prepare()

    assert list(described(database, config)) == [f"of-aws-{there}"]


def test_on_aws_correct_tables_are_used_as_they_are(aws):
    database, config = aws
    Tables(database, config, TABLES).create_missing()
    again, calls = watched(config)

    Tables(again, config, TABLES).prepare()

    assert calls == ["DescribeTable", "DescribeTable"]


def test_additional_indexes_of_a_table_are_accepted(store):
    database, config = store
    Tables(database, config, TABLES).create(USERS)
    definition = TASKS.arguments(config.table_prefix)
    definition["AttributeDefinitions"].append({"AttributeName": "title", "AttributeType": "S"})
    other = deepcopy(definition["GlobalSecondaryIndexes"][0])
    other["IndexName"] = "by_title"
    other["KeySchema"][1]["AttributeName"] = "title"
    definition["GlobalSecondaryIndexes"].append(other)
    database.create_table(**definition)

    Tables(database, config, TABLES).prepare()


def keys(hash_key, range_key=None):
    """A change of a table's keys."""

    def change(definition):
        names = [name for name in (hash_key, range_key) if name]
        definition["KeySchema"] = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ["HASH", "RANGE"], strict=False)
        ]
        indexed = [
            key["AttributeName"]
            for index in definition.get("GlobalSecondaryIndexes", [])
            for key in index["KeySchema"]
        ]
        definition["AttributeDefinitions"] = [
            {"AttributeName": name, "AttributeType": "S"} for name in {*names, *indexed}
        ]

    return change


def kind(attribute, letter):
    def change(definition):
        for described in definition["AttributeDefinitions"]:
            if described["AttributeName"] == attribute:
                described["AttributeType"] = letter

    return change


def no_index(definition):
    del definition["GlobalSecondaryIndexes"]
    keys("user_id", "task_id")(definition)


def index_on(attribute):
    def change(definition):
        definition["GlobalSecondaryIndexes"][0]["KeySchema"][1]["AttributeName"] = attribute
        keys("user_id", "task_id")(definition)

    return change


def index_named(name):
    def change(definition):
        definition["GlobalSecondaryIndexes"][0]["IndexName"] = name

    return change


def index_of_keys_only(definition):
    definition["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "KEYS_ONLY"}


USERS_NEED = "user_id (HASH, S), item (RANGE, S)"
TASKS_NEED = "user_id (HASH, S), task_id (RANGE, S)"
INDEX_NEEDS = "by_due_date user_id (HASH, S), due_order (RANGE, S); ALL"


@pytest.mark.parametrize(
    ("table", "change", "found", "needed"),
    [
        (USERS, keys("user_id"), "user_id (HASH, S)", USERS_NEED),
        (USERS, keys("username"), "username (HASH, S)", USERS_NEED),
        (
            USERS,
            keys("item", "user_id"),
            "item (HASH, S), user_id (RANGE, S)",
            USERS_NEED,
        ),
        (
            USERS,
            kind("item", "N"),
            "user_id (HASH, S), item (RANGE, N)",
            USERS_NEED,
        ),
        (
            USERS,
            kind("user_id", "B"),
            "user_id (HASH, B), item (RANGE, S)",
            USERS_NEED,
        ),
        (TASKS, keys("task_id"), "task_id (HASH, S)", TASKS_NEED),
        (TASKS, no_index, "none", INDEX_NEEDS),
        (TASKS, index_named("by_date"), "by_date", INDEX_NEEDS),
        (TASKS, index_on("due_date"), "due_date (RANGE, S); ALL", INDEX_NEEDS),
        (TASKS, kind("due_order", "N"), "due_order (RANGE, N); ALL", INDEX_NEEDS),
        (TASKS, index_of_keys_only, "due_order (RANGE, S); KEYS_ONLY", INDEX_NEEDS),
    ],
)
def test_a_table_that_differs_stops_the_start_and_is_not_changed(
    store, table, change, found, needed
):
    database, config = store
    definition = table.arguments(config.table_prefix)
    change(definition)
    database.create_table(**definition)
    before = described(database, config)

    with pytest.raises(StartError) as caught:
        Tables(database, config, TABLES).prepare()

    told = str(caught.value)
    assert told.startswith(f"Table {config.table_prefix}{table.name} has ")
    assert "\n" not in told
    has, needs = told.split(", but ")
    assert found in has
    assert needs.startswith(f"{needed} is needed; nothing was changed")
    # Neither was the other table created, which is missing.
    assert described(database, config) == before


@pytest.mark.parametrize("answer", [{}, {"Table": {}}])
def test_an_incomplete_response_stops_the_start_with_the_place(monkeypatch, answer):
    config = replace(CONFIG, dynamodb="http://127.0.0.1:1")
    database = connect(config)
    monkeypatch.setattr(database, "describe_table", lambda **_: answer)

    with pytest.raises(StartError, match="cannot be checked: the answer has no "):
        Tables(database, config, TABLES).prepare()
