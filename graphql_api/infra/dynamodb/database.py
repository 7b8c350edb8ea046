"""Tables, items and transactions of one deployment, with DynamoDB's errors as our own.

Only what every engine of DynamoDB's protocol agrees on is used: error codes in place of texts, no
item of a failed condition, no reliance on ClientRequestToken or on responses of a single page.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    "CountPage",
    "Database",
    "Delete",
    "Item",
    "ItemPage",
    "Key",
    "Put",
    "Table",
    "full_pages",
    "pages",
]

BATCH_GET_KEYS = 100  # BatchGetItem's own limit
BATCH_WRITE_ITEMS = 25  # BatchWriteItem's
ATTEMPTS = 5  # at a call, at unprocessed keys, at a transaction that met another one
BACKOFF_SECONDS = 0.02  # before the second of them, at most; twice as long before each later one

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
READ, WRITE = "read", "write"

log = logging.getLogger(__name__)


class ConditionFailed(Exception):
    """The condition of a write does not hold, and nothing was written.

    Unless it is `maybe_applied`: an earlier attempt of the same write got no response, may have
    been carried out, and may be the reason why the condition does not hold any more.
    """

    def __init__(self, *, maybe_applied: bool = False) -> None:
        super().__init__()
        self.maybe_applied = maybe_applied


@dataclass(frozen=True)
class Put:
    """Put an item in a transaction, in place of one under its key; if the condition holds."""

    table: "Table"
    item: Item
    condition: Condition | None = None

    def action(self) -> dict[str, Any]:
        """Return the action of TransactWriteItems."""
        return {"Put": _put_arguments(self.table, self.item, self.condition)}


@dataclass(frozen=True)
class Delete:
    """Delete the item under a key in a transaction, if there is one and the condition holds."""

    table: "Table"
    key: dict[str, str]
    condition: Condition | None = None

    def action(self) -> dict[str, Any]:
        """Return the action of TransactWriteItems."""
        return {"Delete": _key_arguments(self.table, self.key, self.condition)}


@dataclass(frozen=True)
class Check:
    """Let a transaction fail unless the condition holds for the item under a key."""

    table: "Table"
    key: dict[str, str]
    condition: Condition

    def action(self) -> dict[str, Any]:
        """Return the action of TransactWriteItems."""
        return {"ConditionCheck": _key_arguments(self.table, self.key, self.condition)}


Action: TypeAlias = Put | Delete | Check


def _joined(actions: Sequence[Action]) -> list[Action]:
    """Return the actions with one for each item: a transaction may have no more.

    What is checked of an item becomes a condition of the action that it has.
    """
    checks = [each for each in actions if isinstance(each, Check)]
    found: list[Action] = [each for each in actions if not isinstance(each, Check)]
    names = {each.table.name: tuple(sorted(each.key)) for each in checks}  # of keys
    places = {_place(each, names): n for n, each in enumerate(found)}
    for check in checks:
        at = places.setdefault(_place(check, names), len(found))
        if at == len(found):
            found.append(check)
        else:
            condition = found[at].condition
            both = check.condition if condition is None else condition & check.condition
            found[at] = replace(found[at], condition=both)
    return found


def _place(action: Action, names: Mapping[str, Sequence[str]]) -> tuple[object, ...]:
    """The table of an action and, if something of it is checked, the key of the item."""
    table = action.table.name
    if isinstance(action, Put):
        return (table, *(action.item[name]["S"] for name in names.get(table, ())))
    return (table, *(action.key[name] for name in names.get(table, ())))


class Call(NamedTuple):
    """A finished call. `failure` is DynamoDB's code or the error's name; empty for a success."""

    operation: str
    arguments: dict[str, Any]
    response: dict[str, Any]
    seconds: float
    failure: str

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that it reads or writes."""
        arguments = self.arguments
        actions = arguments.get("TransactItems", ())
        in_actions = [each["TableName"] for action in actions for each in action.values()]
        single = [arguments["TableName"]] if "TableName" in arguments else []
        return tuple(dict.fromkeys([*single, *arguments.get("RequestItems", ()), *in_actions]))

    @property
    def units(self) -> dict[str, float]:
        """The consumed capacity units by table; empty where the engine does not report them."""
        consumed = self.response.get("ConsumedCapacity") or []
        by_table = consumed if isinstance(consumed, list) else [consumed]
        return {each["TableName"]: each["CapacityUnits"] for each in by_table}


class ItemPage(NamedTuple):
    """Items of a query or scan, of those that it scanned up to the last key; None at the end."""

    items: list[Item]
    scanned: int
    last_key: Item | None


class CountPage(NamedTuple):
    """Number of matches among the items that a query scanned, up to the last key."""

    matches: int
    scanned: int
    last_key: Item | None


def pages(read: Callable[[Item | None], ItemPage]) -> Iterator[list[Item]]:
    """Yield the items of all pages; `read` gets the key after which its page begins."""
    for page in full_pages(read):
        yield page.items


def full_pages(read: Callable[[Item | None], ItemPage]) -> Iterator[ItemPage]:
    """Yield all pages, as `pages`."""
    start: Item | None = None
    while True:
        page = read(start)
        yield page
        start = page.last_key
        if start is None:
            return


def _record_failure(breaker: CircuitBreaker, error: TransportError) -> None:
    """Tell a circuit breaker about a call without a valid response."""
    if error.unreachable is None:
        breaker.record_inconclusive()
    elif error.unreachable:
        breaker.record_failure(timed_out=error.timed_out)
    else:
        breaker.record_success()


class Database:
    """The tables of one deployment, whose names begin with its prefix."""

    def __init__(
        self,
        client: Any,
        prefix: str = "",
        *,
        attempts: int = ATTEMPTS,
        timeout: float = 1.5,
        call_timeout: float = REQUEST_SECONDS,
    ) -> None:
        """`timeout` is of one attempt, `call_timeout` of a call outside of requests; in seconds."""
        self.client = client
        self.on_call: Callable[[Call], None] | None = None
        # A full disk fails writes only, and a hot index reads only: neither stops the other.
        self.breakers = {READ: CircuitBreaker(), WRITE: CircuitBreaker()}
        self._transport = Transport(client, attempts, timeout, call_timeout)
        self._prefix = prefix
        self._attempts = attempts

    def subscribe(self, listener: Callable[[Call], None]) -> None:
        """Report each finished call to one more listener."""
        others = self.on_call

        def report(call: Call) -> None:
            if others:
                others(call)
            listener(call)

        self.on_call = report

    def table(self, name: str) -> "Table":
        """Return a table by its name without the prefix."""
        return Table(self, self._prefix + name)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation such as `GetItem`; return its response.

        Raises ConditionFailed and ServiceUnavailable.
        """
        breaker = self.breakers[READ if operation in READS else WRITE]
        if not breaker.allows_call():
            raise ServiceUnavailable
        request_log.count_call()
        try:
            response = (
                self._timed_call(operation, arguments)
                if self.on_call
                else self._transport.call(operation, arguments)
            )
        except ServiceError as error:
            breaker.record_success()
            raise _translated(operation, error) from error
        except TransportError as error:
            _record_failure(breaker, error)
            raise _unavailable(operation, error) from error
        except BotoCoreError as error:  # no credentials, or none in time
            breaker.record_failure()
            raise _unavailable(operation, error) from error
        breaker.record_success()
        return response

    def _timed_call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Make a call with its time and capacity units, and report it."""
        started, response, failure = time.perf_counter(), {}, ""
        try:
            arguments = {**arguments, "ReturnConsumedCapacity": "TOTAL"}
            response = self._transport.call(operation, arguments)
            return response  # noqa: TRY300 - an else would only stretch it
        except Exception as error:
            failure = getattr(error, "code", type(error).__name__)
            raise
        finally:
            if self.on_call:
                seconds = time.perf_counter() - started
                self.on_call(Call(operation, arguments, response, seconds, failure))

    def attempts(self) -> Iterator[float]:
        """Yield once per attempt at what the store may do only in part, or not yet."""
        return retry.attempts(self._attempts, pause=BACKOFF_SECONDS)

    def transact(self, *actions: Action) -> None:
        """Carry out all actions or none; raises ConditionFailed if a condition does not hold.

        An item may be checked and written, by one action each.
        """
        items = [action.action() for action in _joined(actions)]
        token = uuid.uuid4().hex  # on AWS it makes another attempt at the same write harmless
        maybe_applied = False
        for _ in self.attempts():
            try:
                self.call("TransactWriteItems", TransactItems=items, ClientRequestToken=token)
            except _TransactionCancelled as error:
                maybe_applied = maybe_applied or error.maybe_applied
                if "ConditionalCheckFailed" in error.reasons:
                    raise ConditionFailed(maybe_applied=maybe_applied) from None
            else:
                return
        raise ServiceUnavailable


class Table:
    """One table. All reads are consistent, but for those of an index."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name

    def get(self, **key: str) -> Item | None:
        """Read the item under a key; None if there is none."""
        response = self.database.call(
            "GetItem", TableName=self.name, Key=codec.item(**key), ConsistentRead=True
        )
        return response.get("Item")

    def get_many(self, keys: Sequence[dict[str, str]]) -> list[Item]:
        """Read the items under keys, each once, in any order; those that are missing are left out.

        DynamoDB refuses a batch that names a key twice.
        """
        keys = list({frozenset(key.items()): key for key in keys}.values())
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
            response = self.database.call("BatchGetItem", RequestItems=request)
            yield from response["Responses"].get(self.name, [])
            request = response.get("UnprocessedKeys") or {}
            if not request:
                return
        raise ServiceUnavailable  # never a silently short result

    def put(self, item: Item, condition: Condition) -> None:
        """Put an item in place of one under its key; raises ConditionFailed."""
        self.database.call("PutItem", **_put_arguments(self, item, condition))

    def update(self, values: dict[str, Any], condition: Condition, **key: str) -> None:
        """Set attributes of the item under a key; raises ConditionFailed."""
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

    def increment(self, counter: str, values: dict[str, Any], **key: str) -> int:
        """Add one to a counter and set attributes beside it, atomically; return the new count."""
        clause, names, encoded = update_set(values)
        response = self.database.call(
            "UpdateItem",
            TableName=self.name,
            Key=codec.item(**key),
            UpdateExpression=f"{clause} ADD #counter :one",
            ExpressionAttributeNames={"#counter": counter, **names},
            ExpressionAttributeValues={":one": codec.value(1), **encoded},
            ReturnValues="UPDATED_NEW",
        )
        return int(response["Attributes"][counter]["N"])

    def delete_many(self, keys: Sequence[dict[str, str]]) -> None:
        """Delete the items under these keys, if they exist."""
        for start in range(0, len(keys), BATCH_WRITE_ITEMS):
            chunk = keys[start : start + BATCH_WRITE_ITEMS]
            self._delete_batch([{"DeleteRequest": {"Key": codec.item(**key)}} for key in chunk])

    def _delete_batch(self, requests: list[dict[str, Any]]) -> None:
        unprocessed: dict[str, Any] = {self.name: requests}
        for _ in self.database.attempts():
            response = self.database.call("BatchWriteItem", RequestItems=unprocessed)
            unprocessed = response.get("UnprocessedItems") or {}
            if not unprocessed:
                return
        raise ServiceUnavailable

    def delete(self, condition: Condition, **key: str) -> None:
        """Delete the item under a key; raises ConditionFailed."""
        self.database.call("DeleteItem", **_key_arguments(self, key, condition))

    def query(
        self,
        where: Condition,
        *,
        index: str | None = None,
        filter: Condition | None = None,
        start: Item | None = None,
        descending: bool = False,
        limit: int,
    ) -> ItemPage:
        """Read one page of the items of a key, scanning no more than `limit` of them.

        It begins after the key `start`. An index is read as DynamoDB offers it: eventually
        consistent.
        """
        response = self.database.call(
            "Query",
            TableName=self.name,
            ScanIndexForward=not descending,
            Limit=limit,
            **({"IndexName": index} if index else {"ConsistentRead": True}),
            **({"ExclusiveStartKey": start} if start else {}),
            **condition_arguments(KeyConditionExpression=where, FilterExpression=filter),
        )
        return ItemPage(
            response["Items"], response["ScannedCount"], response.get("LastEvaluatedKey")
        )

    def scan(
        self, *, filter: Condition | None = None, start: Item | None = None, limit: int
    ) -> ItemPage:
        """Read one page of the whole table, scanning no more than `limit` items."""
        response = self.database.call(
            "Scan",
            TableName=self.name,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
            **({} if filter is None else condition_arguments(FilterExpression=filter)),
        )
        return ItemPage(
            response["Items"], response["ScannedCount"], response.get("LastEvaluatedKey")
        )

    def count(
        self,
        where: Condition,
        *,
        filter: Condition | None = None,
        start: Item | None = None,
        limit: int,
    ) -> CountPage:
        """Count the matching items of a key, scanning no more than `limit` of them."""
        response = self.database.call(
            "Query",
            TableName=self.name,
            Select="COUNT",
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
            **condition_arguments(KeyConditionExpression=where, FilterExpression=filter),
        )
        return CountPage(
            response["Count"], response["ScannedCount"], response.get("LastEvaluatedKey")
        )


class _TransactionCancelled(Exception):
    """A transaction that was not carried out, with the reasons of its actions."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__()
        self.reasons, self.maybe_applied = error.reasons, error.maybe_applied


def _put_arguments(table: Table, item: Item, condition: Condition | None) -> dict[str, Any]:
    arguments = {"TableName": table.name, "Item": item}
    if condition is not None:
        arguments |= condition_arguments(ConditionExpression=condition)
    return arguments


def _key_arguments(
    table: Table, key: dict[str, str], condition: Condition | None
) -> dict[str, Any]:
    arguments = {"TableName": table.name, "Key": codec.item(**key)}
    if condition is not None:
        arguments |= condition_arguments(ConditionExpression=condition)
    return arguments


def _translated(operation: str, error: ServiceError) -> Exception:
    """Return our own error for one of DynamoDB."""
    if error.code == "ConditionalCheckFailedException":
        return ConditionFailed(maybe_applied=error.maybe_applied)
    if error.code == "TransactionCanceledException":
        return _TransactionCancelled(error)
    return _unavailable(operation, error)


def _unavailable(operation: str, error: Exception) -> ServiceUnavailable:
    log.error("DynamoDB %s failed: %s", operation, error)
    return ServiceUnavailable()
