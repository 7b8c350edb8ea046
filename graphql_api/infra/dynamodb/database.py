"""Calls to DynamoDB: arguments in, items out, errors translated to our own.

Only what every engine of this wire protocol agrees on is used: codes instead of texts, no
item of a failed condition, no ClientRequestToken, no reliance on one-page results.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.conditions import ConditionBase as Condition
from botocore.exceptions import BotoCoreError

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra import request_log
from graphql_api.infra.concurrency import retry
from graphql_api.infra.concurrency.deadline import REQUEST_SECONDS
from graphql_api.infra.dynamodb import codec
from graphql_api.infra.dynamodb.circuit_breaker import CircuitBreaker
from graphql_api.infra.dynamodb.codec import Item
from graphql_api.infra.dynamodb.expressions import condition_arguments, update_set
from graphql_api.infra.dynamodb.protocol import ServiceError, Transport, TransportError

__all__ = [
    "Action",
    "Attr",
    "Call",
    "Check",
    "Condition",
    "ConditionFailed",
    "Database",
    "Delete",
    "Item",
    "Key",
    "Put",
    "Read",
    "Table",
    "looks",
]

BATCH_GET_KEYS = 100  # BatchGetItem's own limit
BATCH_WRITE_ITEMS = 25  # BatchWriteItem's
ATTEMPTS = 5  # at a call, at unprocessed keys, at a transaction that met another one
BACKOFF_SECONDS = 0.02  # at most before the second of them, twice as much before each later one

log = logging.getLogger(__name__)


class ConditionFailed(Exception):
    """The item was not as the write's condition wants it; nothing was written.

    Unless it is `unsure`: then an earlier attempt of this very write may have been carried out
    without an answer, and be the reason why the condition does not hold any more.
    """

    def __init__(self, *, unsure: bool = False) -> None:
        super().__init__()
        self.unsure = unsure


@dataclass(frozen=True)
class Put:
    """One item of a transaction, written if its condition holds, or whatever was there."""

    table: "Table"
    item: Item
    condition: Condition | None = None

    def action(self) -> dict[str, Any]:
        """The action as TransactWriteItems wants to hear it."""
        return {"Put": _put_arguments(self.table, self.item, self.condition)}


@dataclass(frozen=True)
class Delete:
    """One key of a transaction, deleted if its condition holds, or whether or not it is there."""

    table: "Table"
    key: dict[str, str]
    condition: Condition | None = None

    def action(self) -> dict[str, Any]:
        """The action as TransactWriteItems wants to hear it."""
        arguments = {"TableName": self.table.name, "Key": codec.item(**self.key)}
        if self.condition is not None:
            arguments |= condition_arguments(ConditionExpression=self.condition)
        return {"Delete": arguments}


@dataclass(frozen=True)
class Check:
    """One key of a transaction that is written only if the item there is as wanted."""

    table: "Table"
    key: dict[str, str]
    condition: Condition

    def action(self) -> dict[str, Any]:
        """The action as TransactWriteItems wants to hear it."""
        arguments = {"TableName": self.table.name, "Key": codec.item(**self.key)}
        arguments |= condition_arguments(ConditionExpression=self.condition)
        return {"ConditionCheck": arguments}


Action: TypeAlias = Put | Delete | Check


class Call(NamedTuple):
    """A call as it went: `failure` is DynamoDB's code or the error's name, empty if it was well."""

    operation: str
    arguments: dict[str, Any]
    answer: dict[str, Any]
    seconds: float
    failure: str

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it asks."""
        given = self.arguments
        actions = given.get("TransactItems", ())
        named = [each["TableName"] for action in actions for each in action.values()]
        alone = [given["TableName"]] if "TableName" in given else []
        return tuple(dict.fromkeys([*alone, *given.get("RequestItems", ()), *named]))

    @property
    def units(self) -> dict[str, float]:
        """The capacity units that it took, by table; empty where the engine does not say."""
        told = self.answer.get("ConsumedCapacity") or []
        each = told if isinstance(told, list) else [told]
        return {table["TableName"]: table["CapacityUnits"] for table in each}


class Read(NamedTuple):
    """What a query found among the items it looked at, and the key at which it stopped."""

    items: list[Item]
    looked_at: int
    stopped: Item | None


def looks(read: Callable[[Item | None], Read]) -> Iterator[list[Item]]:
    """What one look after another finds, to the end; `read` takes the key to start after."""
    start: Item | None = None
    while True:
        found = read(start)
        yield found.items
        start = found.stopped
        if start is None:
            return


class Counted(NamedTuple):
    """How many items a query found among those it looked at, and the key at which it stopped."""

    matches: int
    looked_at: int
    stopped: Item | None


class Database:
    """The tables of one deployment behind one client."""

    def __init__(
        self,
        client: Any,
        prefix: str = "",
        *,
        attempts: int = ATTEMPTS,
        timeout: float = 1.5,
        patience: float = REQUEST_SECONDS,
    ) -> None:
        """`timeout` is in seconds for an attempt, `patience` for a call outside of a request."""
        self.client = client
        self.on_call: Callable[[Call], None] | None = None  # who wants to hear of each call
        self._transport = Transport(client, attempts, timeout, patience)
        self.breaker = CircuitBreaker()
        self._prefix = prefix
        self._attempts = attempts

    def listen(self, listener: Callable[[Call], None]) -> None:
        """Let somebody hear of each call, beside those who do already."""
        before = self.on_call

        def both(call: Call) -> None:
            if before:
                before(call)
            listener(call)

        self.on_call = both

    def table(self, name: str) -> "Table":
        """The table of this name in this deployment."""
        return Table(self, self._prefix + name)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One DynamoDB operation (`GetItem`, …); its failures as our errors."""
        if not self.breaker.allows_call():
            raise ServiceUnavailable
        request_log.count_call()
        try:
            answer = (
                self._timed_call(operation, arguments)
                if self.on_call
                else self._transport.call(operation, arguments)
            )
        except ServiceError as error:
            self.breaker.record_success()
            if error.code == "ConditionalCheckFailedException":
                raise ConditionFailed(unsure=error.maybe_applied) from None
            if error.code == "TransactionCanceledException":
                raise _Cancelled(error) from None
            raise _unavailable(operation, error) from error
        except TransportError as error:
            self._record_failure(error)
            raise _unavailable(operation, error) from error
        except BotoCoreError as error:  # no credentials, or none in time
            self.breaker.record_failure()
            raise _unavailable(operation, error) from error
        self.breaker.record_success()
        return answer

    def _timed_call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call of which somebody wants to hear, with the units that it took."""
        started, answer, failure = time.perf_counter(), {}, ""
        try:
            arguments = {**arguments, "ReturnConsumedCapacity": "TOTAL"}
            answer = self._transport.call(operation, arguments)
            return answer  # noqa: TRY300 - an else would only stretch it
        except Exception as error:
            failure = getattr(error, "code", type(error).__name__)
            raise
        finally:
            if self.on_call:
                seconds = time.perf_counter() - started
                self.on_call(Call(operation, arguments, answer, seconds, failure))

    def attempts(self) -> Iterator[float]:
        """Yield once per attempt at what the store may do only in part, or not yet."""
        return retry.attempts(self._attempts, pause=BACKOFF_SECONDS)

    def _record_failure(self, error: TransportError) -> None:
        """Tell the circuit breaker about a call without a valid response."""
        if error.unreachable is None:
            self.breaker.record_inconclusive()
        elif error.unreachable:
            self.breaker.record_failure(timed_out=error.timed_out)
        else:
            self.breaker.record_success()

    def write(self, *actions: Action) -> None:
        """Do all or nothing; ConditionFailed when a condition does not hold."""
        items = [action.action() for action in actions]
        token = uuid.uuid4().hex  # on AWS it makes another attempt at the same write harmless
        unsure = False
        for _ in self.attempts():
            try:
                self.call("TransactWriteItems", TransactItems=items, ClientRequestToken=token)
            except _Cancelled as cancelled:
                unsure = unsure or cancelled.maybe_applied
                if "ConditionalCheckFailed" in cancelled.reasons:
                    raise ConditionFailed(unsure=unsure) from None
            else:
                return
        raise ServiceUnavailable


class Table:
    """One table: typed items in and out, always read consistently."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name

    def get(self, **key: str) -> Item | None:
        """The item under this key, if there is one."""
        answer = self.database.call(
            "GetItem", TableName=self.name, Key=codec.item(**key), ConsistentRead=True
        )
        return answer.get("Item")

    def get_many(self, keys: Sequence[dict[str, str]]) -> list[Item]:
        """The items under these distinct keys, in any order; missing ones are left out."""
        if len(keys) == 1:  # a plain read does less work on both sides
            found = self.get(**keys[0])
            return [found] if found else []
        items: list[Item] = []
        for start in range(0, len(keys), BATCH_GET_KEYS):
            chunk = keys[start : start + BATCH_GET_KEYS]
            items.extend(self._get_batch([codec.item(**key) for key in chunk]))
        return items

    def _get_batch(self, keys: list[Item]) -> Iterator[Item]:
        request = {self.name: {"Keys": keys, "ConsistentRead": True}}
        for _ in self.database.attempts():
            answer = self.database.call("BatchGetItem", RequestItems=request)
            yield from answer["Responses"].get(self.name, [])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return
        raise ServiceUnavailable  # never a silently short answer

    def put(self, item: Item, condition: Condition) -> None:
        """Write the item; ConditionFailed when the one in its place is not as wanted."""
        self.database.call("PutItem", **_put_arguments(self, item, condition))

    def change(self, values: dict[str, Any], condition: Condition, **key: str) -> None:
        """Set attributes of the item; ConditionFailed when it is not as wanted."""
        clause, names, encoded = update_set(values)
        arguments = condition_arguments(ConditionExpression=condition)
        arguments["ExpressionAttributeNames"] |= names
        arguments.setdefault("ExpressionAttributeValues", {}).update(encoded)
        self.database.call(
            "UpdateItem",
            TableName=self.name,
            Key=codec.item(**key),
            UpdateExpression=clause,
            **arguments,
        )

    def add(self, counter: str, values: dict[str, Any], **key: str) -> int:
        """Add one to a counter, atomically, and set attributes beside it; the new count."""
        clause, names, encoded = update_set(values)
        answer = self.database.call(
            "UpdateItem",
            TableName=self.name,
            Key=codec.item(**key),
            UpdateExpression=f"{clause} ADD #counter :one",
            ExpressionAttributeNames={"#counter": counter, **names},
            ExpressionAttributeValues={":one": codec.value(1), **encoded},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"][counter]["N"])

    def delete_many(self, keys: Sequence[dict[str, str]]) -> None:
        """Delete the items under these keys, whether or not they are there."""
        for start in range(0, len(keys), BATCH_WRITE_ITEMS):
            chunk = keys[start : start + BATCH_WRITE_ITEMS]
            self._delete_batch([{"DeleteRequest": {"Key": codec.item(**key)}} for key in chunk])

    def _delete_batch(self, requests: list[dict[str, Any]]) -> None:
        unprocessed: dict[str, Any] = {self.name: requests}
        for _ in self.database.attempts():
            answer = self.database.call("BatchWriteItem", RequestItems=unprocessed)
            unprocessed = answer.get("UnprocessedItems") or {}
            if not unprocessed:
                return
        raise ServiceUnavailable

    def delete(self, condition: Condition, **key: str) -> None:
        """Delete the item; ConditionFailed when it is not as wanted."""
        self.database.call(
            "DeleteItem",
            TableName=self.name,
            Key=codec.item(**key),
            **condition_arguments(ConditionExpression=condition),
        )

    def query(
        self,
        where: Condition,
        *,
        index: str | None = None,
        only: Condition | None = None,
        start: Item | None = None,
        descending: bool = False,
        limit: int,
    ) -> Read:
        """One look at no more than `limit` items.

        An index is read as DynamoDB offers it: eventually consistent.
        """
        answer = self.database.call(
            "Query",
            TableName=self.name,
            ScanIndexForward=not descending,
            Limit=limit,
            **({"IndexName": index} if index else {"ConsistentRead": True}),
            **({"ExclusiveStartKey": start} if start else {}),
            **condition_arguments(KeyConditionExpression=where, FilterExpression=only),
        )
        return Read(answer["Items"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))

    def scan(self, *, start: Item | None = None, limit: int) -> Read:
        """One look at no more than `limit` items of the whole table, whosever they are."""
        answer = self.database.call(
            "Scan",
            TableName=self.name,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return Read(answer["Items"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))

    def count(
        self,
        where: Condition,
        *,
        only: Condition | None = None,
        start: Item | None = None,
        limit: int,
    ) -> "Counted":
        """How many items match in one look at no more than `limit` of them."""
        answer = self.database.call(
            "Query",
            TableName=self.name,
            Select="COUNT",
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
            **condition_arguments(KeyConditionExpression=where, FilterExpression=only),
        )
        return Counted(answer["Count"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))


class _Cancelled(Exception):
    """A transaction that was not carried out, with the reason of each of its items."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__()
        self.reasons, self.maybe_applied = error.reasons, error.maybe_applied


def _put_arguments(table: Table, item: Item, condition: Condition | None) -> dict[str, Any]:
    arguments = {"TableName": table.name, "Item": item}
    if condition is not None:
        arguments |= condition_arguments(ConditionExpression=condition)
    return arguments


def _unavailable(operation: str, error: Exception) -> ServiceUnavailable:
    log.error("DynamoDB %s failed: %s", operation, error)
    return ServiceUnavailable()
