import io
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from ssl import SSLError
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from graphql_api.config import Config
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import (
    Attr,
    Check,
    ConditionFailed,
    Database,
    Delete,
    Key,
    Put,
    Table,
    connect,
)
from graphql_api.infra.dynamodb.database import ItemPage

URL = "http://127.0.0.1:1/"
EMBEDDED = Config(engine_url="http://127.0.0.1:1")

# A response: a body, or a status and a body; or an error in its place.
Answer = dict[str, Any] | tuple[int, dict[str, Any] | bytes] | Exception


class Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


class FakeStore:
    """Responds to calls in a server's place: with each answer in turn, then with the last one."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[dict[str, Any]], Answer]] = [{}]
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[Any] = []

    def send(self, request, **_) -> AWSResponse:
        self.requests.append(request)
        operation = request.headers["x-amz-target"].partition(".")[2]
        self.calls.append((operation, json.loads(request.body)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(self.calls[-1][1])
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, Body(content))

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]


@pytest.fixture(scope="module")
def connection():
    return connect(EMBEDDED)


@pytest.fixture
def store(connection) -> Iterator[FakeStore]:
    answering = FakeStore()
    connection.meta.events.register("before-send.dynamodb.*", answering.send)
    yield answering
    connection.meta.events.unregister("before-send.dynamodb.*", answering.send)


@pytest.fixture
def database(connection) -> Database:
    return Database(connection, "dev-")


@pytest.fixture
def table(database) -> Table:
    return database.table("Tasks")


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The pauses between attempts; none is made."""
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def logged(caplog) -> Callable[[], list[str]]:
    """The errors that the service itself has logged."""
    caplog.set_level(logging.WARNING, "graphql_api")
    return lambda: [r.getMessage() for r in caplog.records if r.name.startswith("graphql_api")]


def failure(code: str, status: int = 400, **more) -> Answer:
    body = {
        "__type": f"com.amazonaws.dynamodb.v20120810#{code}",
        "message": f"Arn arn:aws:iam::1:user/x and more from Amazon about {code}",
        **more,
    }
    return status, body


def cancelled(*reasons: str) -> Answer:
    return failure(
        "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in reasons]
    )


def keys(count: int) -> list[dict[str, str]]:
    return [{"user_id": "u", "task_id": str(number)} for number in range(count)]


def item(key: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": text} for name, text in key.items()}


# Reading


def test_a_tables_name_has_the_prefix_of_its_deployment(table):
    assert table.name == "dev-Tasks"


@pytest.mark.parametrize(
    ("answer", "found"), [({"Item": {"a": {"N": "1"}}}, {"a": {"N": "1"}}), ({}, None)]
)
def test_an_item_is_read_consistently_in_its_typed_form(store, table, answer, found):
    store.answers = [answer]

    assert table.get(user_id="u", task_id="t") == found
    assert store.calls == [
        (
            "GetItem",
            {
                "TableName": "dev-Tasks",
                "Key": {"user_id": {"S": "u"}, "task_id": {"S": "t"}},
                "ConsistentRead": True,
            },
        )
    ]


def batch(most: int) -> Callable[[dict[str, Any]], Answer]:
    """An answer of a store that has every item, but processes only so many keys a call."""

    def answer(body: dict[str, Any]) -> Answer:
        [(name, asked)] = body["RequestItems"].items()
        done, left = asked["Keys"][:most], asked["Keys"][most:]
        unprocessed = {name: {**asked, "Keys": left}} if left else {}
        return {"Responses": {name: done}, "UnprocessedKeys": unprocessed}

    return answer


def sizes(store: FakeStore) -> list[int]:
    """How many keys each BatchGetItem asked for."""
    return [
        len(body["RequestItems"]["dev-Tasks"]["Keys"])
        for operation, body in store.calls
        if operation == "BatchGetItem"
    ]


@pytest.mark.parametrize(
    ("count", "batches"),
    [(2, [2]), (99, [99]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])],
)
def test_many_items_are_read_in_batches_of_a_hundred(store, table, count, batches):
    store.answers = [batch(100)]

    found = table.get_many(keys(count))

    assert sizes(store) == batches
    assert sorted(map(str, found)) == sorted(str(item(key)) for key in keys(count))
    assert all(body["RequestItems"]["dev-Tasks"]["ConsistentRead"] for _, body in store.calls)


def test_no_keys_cost_no_call_and_one_key_a_plain_read(store, table):
    store.answers = [{"Item": {"a": {"S": "b"}}}, {}]

    assert table.get_many([]) == []
    assert table.get_many(keys(1)) == [{"a": {"S": "b"}}]
    assert table.get_many(keys(1)) == []
    assert store.operations == ["GetItem", "GetItem"]


def test_a_key_that_is_asked_for_twice_is_read_once(store, table):
    store.answers = [batch(100), {"Item": {"a": {"S": "b"}}}]
    first, second = keys(2)

    assert len(table.get_many([first, second, dict(reversed(first.items()))])) == 2
    assert sizes(store) == [2]
    assert table.get_many([first, first]) == [{"a": {"S": "b"}}]


def test_keys_without_an_item_are_left_out(store, table):
    store.answers = [{"Responses": {"dev-Tasks": [item(keys(2)[1])]}, "UnprocessedKeys": {}}]

    assert table.get_many(keys(2)) == [item(keys(2)[1])]


def test_a_batch_in_which_nothing_is_found_is_empty(store, table):
    store.answers = [{"Responses": {}, "UnprocessedKeys": {}}]

    assert table.get_many(keys(2)) == []


@pytest.mark.parametrize(
    ("most", "asked"), [(60, [100, 40]), (25, [100, 75, 50, 25]), (20, [100, 80, 60, 40, 20])]
)
def test_unprocessed_keys_are_requested_again_until_there_are_none(
    store, table, pauses, most, asked
):
    store.answers = [batch(most)]

    found = table.get_many(keys(100))

    assert sizes(store) == asked
    assert found == [item(key) for key in keys(100)]
    assert len(pauses) == len(asked) - 1


def test_pauses_between_attempts_double_and_there_is_none_after_the_last(
    store, table, pauses, monkeypatch
):
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    store.answers = [batch(0)]

    with pytest.raises(ServiceUnavailable):
        table.get_many(keys(2))

    assert pauses == [0.02, 0.04, 0.08, 0.16]


@pytest.mark.parametrize("most", [0, 1, 19])
def test_keys_that_stay_unprocessed_are_an_error_and_no_shorter_result(store, table, pauses, most):
    store.answers = [batch(most)]

    with pytest.raises(ServiceUnavailable):
        table.get_many(keys(100))

    assert len(sizes(store)) == 5
    assert all(0 <= pause <= 0.02 * 2**n for n, pause in enumerate(pauses))
    assert sum(pauses[4:]) == 0  # nobody waits after the last attempt


# Queries

MINE = Key("user_id").eq("u")


def test_names_and_values_of_a_query_are_placeholders(store, table):
    store.answers = [{"Items": [], "ScannedCount": 0, "Count": 0}]

    table.query(MINE, filter=Attr("status").is_in(["pending", "#n0 :v0"]), limit=7)

    assert store.calls == [
        (
            "Query",
            {
                "TableName": "dev-Tasks",
                "ScanIndexForward": True,
                "Limit": 7,
                "ConsistentRead": True,
                "KeyConditionExpression": "#n0 = :v0",
                "FilterExpression": "#n1 IN (:v1, :v2)",
                "ExpressionAttributeNames": {"#n0": "user_id", "#n1": "status"},
                "ExpressionAttributeValues": {
                    ":v0": {"S": "u"},
                    ":v1": {"S": "pending"},
                    ":v2": {"S": "#n0 :v0"},
                },
            },
        )
    ]


def test_a_query_of_an_index_can_continue_after_a_key_in_descending_order(store, table):
    stopped, start = {"task_id": {"S": "7"}}, {"task_id": {"S": "3"}}
    store.answers = [
        {"Items": [{"a": {"S": "b"}}], "ScannedCount": 9, "Count": 1, "LastEvaluatedKey": stopped}
    ]

    read = table.query(MINE, index="by_due_date", start=start, descending=True, limit=9)

    assert read == ItemPage([{"a": {"S": "b"}}], 9, stopped)
    assert store.calls == [
        (
            "Query",
            {
                "TableName": "dev-Tasks",
                "IndexName": "by_due_date",
                "ExclusiveStartKey": start,
                "ScanIndexForward": False,
                "Limit": 9,
                "KeyConditionExpression": "#n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "user_id"},
                "ExpressionAttributeValues": {":v0": {"S": "u"}},
            },
        )
    ]


def test_the_last_page_of_a_query_has_no_last_key(store, table):
    store.answers = [{"Items": [], "ScannedCount": 3, "Count": 0}]

    assert table.query(MINE, limit=9) == ItemPage([], 3, None)


def test_a_count_is_one_page_with_its_last_key(store, table):
    stop = {"task_id": {"S": "b"}}
    store.answers = [{"Count": 3, "ScannedCount": 9, "LastEvaluatedKey": stop}]

    counted = table.count(MINE, filter=Attr("status").eq("pending"), start=stop, limit=9)

    assert counted == (3, 9, stop)
    [(_, body)] = store.calls
    assert (body["Select"], body["Limit"], body["ConsistentRead"]) == ("COUNT", 9, True)
    assert body["ExclusiveStartKey"] == stop
    assert body["FilterExpression"] == "#n1 = :v1"


# Writing


def test_a_condition_may_have_no_values(store, table):
    table.put({"a": {"S": "b"}}, Attr("status").not_exists())
    table.delete(Attr("version").eq(3), user_id="u")

    assert store.calls == [
        (
            "PutItem",
            {
                "TableName": "dev-Tasks",
                "Item": {"a": {"S": "b"}},
                "ConditionExpression": "attribute_not_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "status"},
            },
        ),
        (
            "DeleteItem",
            {
                "TableName": "dev-Tasks",
                "Key": {"user_id": {"S": "u"}},
                "ConditionExpression": "#n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "version"},
                "ExpressionAttributeValues": {":v0": {"N": "3"}},
            },
        ),
    ]


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.put({}, Attr("version").eq(1)),
        lambda table: table.delete(Attr("version").eq(1), user_id="u"),
        lambda table: table.update({"a": 1}, Attr("version").eq(1), user_id="u"),
    ],
    ids=["put", "delete", "change"],
)
def test_a_failed_condition_is_raised_and_not_logged(store, table, logged, write):
    store.answers = [failure("ConditionalCheckFailedException")]

    with pytest.raises(ConditionFailed):
        write(table)

    assert len(store.calls) == 1
    assert logged() == []


def test_an_update_sets_attributes_by_placeholders(store, table):
    table.update({"status": "done", "n": 2}, Attr("status").eq("pending"), user_id="u")

    assert store.calls == [
        (
            "UpdateItem",
            {
                "TableName": "dev-Tasks",
                "Key": {"user_id": {"S": "u"}},
                "UpdateExpression": "SET #set0 = :set0, #set1 = :set1",
                "ConditionExpression": "#n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "status", "#set0": "status", "#set1": "n"},
                "ExpressionAttributeValues": {
                    ":v0": {"S": "pending"},
                    ":set0": {"S": "done"},
                    ":set1": {"N": "2"},
                },
            },
        )
    ]


def test_an_update_may_have_a_condition_without_values(store, table):
    table.update({"n": 2}, Attr("status").exists(), user_id="u")

    [(_, body)] = store.calls
    assert body["ConditionExpression"] == "attribute_exists(#n0)"
    assert body["ExpressionAttributeValues"] == {":set0": {"N": "2"}}


def test_a_counter_is_incremented_by_the_store(store, table):
    store.answers = [{"Attributes": {"status": {"N": "8"}}}]

    count = table.increment("status", {"until": 12}, user_id="u")

    assert count == 8
    assert store.calls == [
        (
            "UpdateItem",
            {
                "TableName": "dev-Tasks",
                "Key": {"user_id": {"S": "u"}},
                "UpdateExpression": "SET #set0 = :set0 ADD #counter :one",
                "ExpressionAttributeNames": {"#counter": "status", "#set0": "until"},
                "ExpressionAttributeValues": {":one": {"N": "1"}, ":set0": {"N": "12"}},
                "ReturnValues": "UPDATED_NEW",
            },
        )
    ]


def deleting(most: int) -> Callable[[dict[str, Any]], Answer]:
    """A store to a store that deletes only so many items a call."""

    def answer(body: dict[str, Any]) -> Answer:
        [(name, asked)] = body["RequestItems"].items()
        return {"UnprocessedItems": {name: asked[most:]} if asked[most:] else {}}

    return answer


def deletions(store: FakeStore) -> list[list[str]]:
    """The task ids that each BatchWriteItem was to delete."""
    return [
        [asked["DeleteRequest"]["Key"]["task_id"]["S"] for asked in items]
        for _, body in store.calls
        for items in body["RequestItems"].values()
    ]


@pytest.mark.parametrize(
    ("count", "batches"), [(0, []), (1, [1]), (25, [25]), (26, [25, 1]), (60, [25, 25, 10])]
)
def test_many_items_are_deleted_in_batches_of_25(store, table, count, batches):
    store.answers = [deleting(25)]

    table.delete_many(keys(count))

    asked = deletions(store)
    assert [len(batch) for batch in asked] == batches
    assert [task_id for batch in asked for task_id in batch] == [str(n) for n in range(count)]
    assert set(store.operations) <= {"BatchWriteItem"}


def test_unprocessed_deletions_are_retried_until_there_are_none(store, table, pauses):
    store.answers = [deleting(5)]

    table.delete_many(keys(25))

    assert [len(batch) for batch in deletions(store)] == [25, 20, 15, 10, 5]
    assert len(pauses) == 4


def test_deletions_that_stay_unprocessed_are_an_error(store, table):
    store.answers = [deleting(1)]

    with pytest.raises(ServiceUnavailable):
        table.delete_many(keys(25))

    assert len(store.calls) == 5


def puts(table: Table, count: int = 2) -> list[Put]:
    return [Put(table, {"n": {"N": str(n)}}, Attr("status").not_exists()) for n in range(count)]


def test_several_items_are_written_and_deleted_in_one_transaction(store, database, table):
    database.transact(*puts(table), Delete(table, {"user_id": "u"}))

    assert store.calls == [
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {
                        "Put": {
                            "TableName": "dev-Tasks",
                            "Item": {"n": {"N": str(n)}},
                            "ConditionExpression": "attribute_not_exists(#n0)",
                            "ExpressionAttributeNames": {"#n0": "status"},
                        }
                    }
                    for n in range(2)
                ]
                + [{"Delete": {"TableName": "dev-Tasks", "Key": {"user_id": {"S": "u"}}}}],
                # botocore adds it: its own retries are not a second write.
                "ClientRequestToken": store.calls[0][1]["ClientRequestToken"],
            },
        )
    ]


def test_what_a_transaction_checks_of_an_item_that_it_writes_is_a_condition_of_that(
    store, database, table
):
    here, there = {"user_id": "u"}, {"user_id": "v"}
    written = Put(table, {"user_id": {"S": "u"}, "n": {"N": "1"}}, Attr("n").exists())

    database.transact(
        Check(table, here, Attr("m").exists()),
        written,
        Check(table, there, Attr("m").exists()),
        Check(table, there, Attr("o").not_exists()),
    )

    [(_, arguments)] = store.calls
    put, check = arguments["TransactItems"]
    assert put["Put"]["Item"] == written.item
    assert put["Put"]["ConditionExpression"] == (
        "(attribute_exists(#n0) AND attribute_exists(#n1))"
    )
    assert put["Put"]["ExpressionAttributeNames"] == {"#n0": "n", "#n1": "m"}
    assert check["ConditionCheck"]["Key"] == {"user_id": {"S": "v"}}
    assert check["ConditionCheck"]["ConditionExpression"] == (
        "(attribute_exists(#n0) AND attribute_not_exists(#n1))"
    )


@pytest.mark.parametrize("times", [1, 4])
def test_a_transaction_that_conflicts_with_another_is_retried(
    store, database, table, pauses, logged, times
):
    store.answers = [cancelled("None", "TransactionConflict")] * times + [{}]

    database.transact(*puts(table))

    assert len(store.calls) == times + 1
    assert len({str(body["TransactItems"]) for _, body in store.calls}) == 1
    assert len(pauses) == times
    assert logged() == []


@pytest.mark.parametrize(
    "reasons",
    [
        ("ConditionalCheckFailed", "None"),
        ("None", "ConditionalCheckFailed"),
        ("TransactionConflict", "ConditionalCheckFailed"),
    ],
)
def test_a_transaction_with_a_failed_condition_is_not_retried(
    store, database, table, logged, reasons
):
    store.answers = [cancelled("TransactionConflict", "None"), cancelled(*reasons)]

    with pytest.raises(ConditionFailed):
        database.transact(*puts(table))

    assert len(store.calls) == 2
    assert logged() == []


@pytest.mark.parametrize("reasons", [("TransactionConflict", "None"), ()])
def test_a_transaction_that_always_conflicts_is_an_error(store, database, table, pauses, reasons):
    store.answers = [cancelled(*reasons)]

    with pytest.raises(ServiceUnavailable):
        database.transact(*puts(table))

    assert len(store.calls) == 5
    assert all(0 <= pause <= 0.02 * 2**n for n, pause in enumerate(pauses))
    assert sum(pauses[4:]) == 0


# Failures

CALLS = {
    "GetItem": lambda table: table.get(user_id="u"),
    "BatchGetItem": lambda table: table.get_many(keys(2)),
    "Query": lambda table: table.query(MINE, limit=1),
    "PutItem": lambda table: table.put({}, Attr("a").not_exists()),
    "DeleteItem": lambda table: table.delete(Attr("a").exists(), user_id="u"),
    "UpdateItem": lambda table: table.update({"a": 1}, Attr("a").exists(), user_id="u"),
    "BatchWriteItem": lambda table: table.delete_many(keys(2)),
    "TransactWriteItems": lambda table: table.database.transact(*puts(table)),
}

FAILURES = {
    "throttled": (failure("ThrottlingException"), 5),
    "beyond the throughput": (failure("ProvisionedThroughputExceededException"), 5),
    "beyond the account's limit": (failure("RequestLimitExceeded"), 5),
    "internal error": (failure("InternalServerError", 500), 5),
    "unavailable": (failure("ServiceUnavailable", 503), 5),
    "a proxy's page": ((502, b"<html>Bad gateway</html>"), 5),
    "an empty 500": ((500, b""), 5),
    "expired credentials": (failure("ExpiredTokenException"), 1),
    "unknown credentials": (failure("UnrecognizedClientException"), 1),
    "no permission": (failure("AccessDeniedException"), 1),
    "no such table": (failure("ResourceNotFoundException"), 1),
    "a request that cannot be": (failure("ValidationException"), 1),
    "no connection": (ConnectionRefusedError(111, "refused"), 5),
    "no connection in time": (TimeoutError("timed out"), 5),
    "no answer at all": (RemoteDisconnected("closed"), 5),
    "no trust": (SSLError("certificate"), 5),
    "a page in the place of an answer": ((200, b"<html>Sign in</html>"), 5),
    "half an answer": ((200, b'{"Item": {"user_id": {"S": "u'), 5),
    "an answer that is no object": ((200, b"[]"), 5),
}


@pytest.mark.parametrize(("answer", "attempts"), FAILURES.values(), ids=FAILURES)
def test_every_failure_is_service_unavailable_and_logged_once(
    store, table, logged, answer, attempts
):
    store.answers = [answer]

    with pytest.raises(ServiceUnavailable) as caught:
        table.get(user_id="u")

    assert caught.value.message == "The service is unavailable, try again."
    assert (caught.value.code, caught.value.details) == ("SERVICE_UNAVAILABLE", {"retry_after": 1})
    [line] = logged()
    assert line.startswith("DynamoDB GetItem failed: ")
    assert len(store.calls) == attempts


@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_reports_failures_alike(store, table, logged, operation):
    store.answers = [failure("AccessDeniedException")]

    with pytest.raises(ServiceUnavailable) as caught:
        CALLS[operation](table)

    assert str(caught.value) == "The service is unavailable, try again."
    assert store.operations == [operation]
    assert len(logged()) == 1


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_succeeds_at_the_third_attempt_is_no_failure(store, table, logged, operation):
    good = {
        "Responses": {},
        "UnprocessedKeys": {},
        "Items": [],
        "ScannedCount": 0,
        "Attributes": {},
    }
    store.answers = [failure("ThrottlingException"), (500, b""), good]

    CALLS[operation](table)

    assert store.operations == [operation] * 3
    assert logged() == []


def test_a_database_of_one_attempt_does_not_retry(store):
    connection = connect(EMBEDDED)
    connection.meta.events.register("before-send.dynamodb.*", store.send)
    store.answers = [failure("ThrottlingException")]

    with pytest.raises(ServiceUnavailable):
        Database(connection, attempts=1).table("Tasks").get(user_id="u")

    assert len(store.calls) == 1
