"""Calls to DynamoDB: arguments in, items out, errors translated to our own.

Only what every engine of this wire protocol agrees on is used: codes instead of texts, no
item of a failed condition, no ClientRequestToken, no reliance on one-page results.
"""

import logging
import time
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, cast
from urllib.parse import urlsplit

import boto3
import botocore.session
from boto3.dynamodb.conditions import Attr, AttributeBase, ConditionExpressionBuilder, Key
from boto3.dynamodb.conditions import ConditionBase as Condition
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, NoRegionError

from graphql_api.config import Config
from graphql_api.errors import ServiceUnavailable, StartError
from graphql_api.infra import request_log
from graphql_api.infra.concurrency import retry
from graphql_api.infra.concurrency.deadline import REQUEST_SECONDS
from graphql_api.infra.dynamodb import codec, protocol
from graphql_api.infra.dynamodb.circuit_breaker import Breaker
from graphql_api.infra.dynamodb.codec import Item

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
    "connect",
    "looks",
]

BATCH_GET_KEYS = 100  # BatchGetItem's own limit
BATCH_WRITE_ITEMS = 25  # BatchWriteItem's
ATTEMPTS = 5  # at a call, at unprocessed keys, at a transaction that met another one
BACKOFF_SECONDS = 0.02  # at most before the second of them, twice as much before each later one

# Values that become more than one placeholder.
_BUILT = (AttributeBase, Condition, list, tuple, set)

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
            arguments |= _expressions(ConditionExpression=self.condition)
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
        return {"ConditionCheck": arguments | _expressions(ConditionExpression=self.condition)}


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


def connect(config: Config) -> Any:
    """A botocore client for the configured store."""
    session = _session(config)
    arguments: dict[str, Any] = {}
    if config.embedded:
        arguments = _local_identity()
    elif config.endpoint and urlsplit(config.endpoint).scheme == "http":
        arguments = _identity_of_a_plain_endpoint(session)
    try:
        return session.client(
            "dynamodb",
            endpoint_url=config.endpoint,
            config=ClientConfig(
                connect_timeout=1,
                read_timeout=2,
                retries={"mode": "standard", "total_max_attempts": 3},
                # Never follow AWS_ENDPOINT_URL: DYNAMODB alone says where the data is.
                ignore_configured_endpoint_urls=True,
                proxies={} if config.embedded else None,
            ),
            **arguments,
        )
    except NoRegionError:
        raise StartError("No AWS region is set: set AWS_REGION, or a region in a profile") from None
    except BotoCoreError as error:
        raise StartError(f"The AWS settings cannot be used: {error}") from None
    except ValueError as error:  # botocore is stricter about a URL than urlsplit
        raise StartError(f"DYNAMODB={config.dynamodb} cannot be used: {error}") from None


def _session(config: Config) -> Any:
    """A boto3 session; the embedded mode's reads nothing of the user's AWS settings."""
    # AWS_REGION is what every other SDK, and Lambda, says; botocore alone knows the second only.
    variables: dict[str, Any] = {
        "region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)
    }
    if config.embedded:
        hidden = ("profile", "config_file", "credentials_file", "ca_bundle", "region")
        variables = dict.fromkeys(hidden, (None, None, None, None))
    try:
        session = botocore.session.Session(session_vars=variables)
        return boto3.session.Session(botocore_session=session)
    except BotoCoreError as error:
        raise StartError(f"The AWS settings cannot be used: {error}") from None


def _local_identity() -> dict[str, str]:
    return {
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def _identity_of_a_plain_endpoint(session: Any) -> dict[str, str]:
    """What is missing for an emulator over plain HTTP, where any identity will do."""
    # Asking the instance metadata service would stall a laptop for seconds.
    session._session.get_component("credential_provider").remove("iam-role")  # noqa: SLF001 - boto3 has no public way
    local = _local_identity()
    if session.get_credentials() is not None:
        local = {"region_name": local["region_name"]}
    if session.region_name is not None:
        del local["region_name"]
    return local


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
        self._wire = protocol.Wire(client, attempts, timeout, patience)
        self.breaker = Breaker()
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
        if not self.breaker.allows():
            raise ServiceUnavailable
        request_log.count_call()
        try:
            answer = (
                self._told(operation, arguments)
                if self.on_call
                else self._wire.call(operation, arguments)
            )
        except protocol.Refused as refused:
            self.breaker.succeeded()
            if refused.code == "ConditionalCheckFailedException":
                raise ConditionFailed(unsure=refused.unsure) from None
            if refused.code == "TransactionCanceledException":
                raise _Cancelled(refused) from None
            raise _unavailable(operation, refused) from refused
        except protocol.Failed as failed:
            self._heard(away=failed.away, mute=failed.mute)
            raise _unavailable(operation, failed) from failed
        except BotoCoreError as error:  # no credentials, or none in time
            self._heard(away=True)
            raise _unavailable(operation, error) from error
        self.breaker.succeeded()
        return answer

    def _told(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call of which somebody wants to hear, with the units that it took."""
        started, answer, failure = time.perf_counter(), {}, ""
        try:
            answer = self._wire.call(operation, {**arguments, "ReturnConsumedCapacity": "TOTAL"})
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

    def _heard(self, *, away: bool | None, mute: bool = False) -> None:
        if away is None:
            self.breaker.untold()
        elif away:
            self.breaker.failed(mute=mute)
        else:
            self.breaker.succeeded()

    def write(self, *actions: Action) -> None:
        """Do all or nothing; ConditionFailed when a condition does not hold."""
        items = [action.action() for action in actions]
        token = uuid.uuid4().hex  # on AWS it makes another attempt at the same write harmless
        unsure = False
        for _ in self.attempts():
            try:
                self.call("TransactWriteItems", TransactItems=items, ClientRequestToken=token)
            except _Cancelled as cancelled:
                unsure = unsure or cancelled.unsure
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
        settings, names, wire = _settings(values)
        arguments = _expressions(ConditionExpression=condition)
        arguments["ExpressionAttributeNames"] |= names
        arguments.setdefault("ExpressionAttributeValues", {}).update(wire)
        self.database.call(
            "UpdateItem",
            TableName=self.name,
            Key=codec.item(**key),
            UpdateExpression=settings,
            **arguments,
        )

    def add(self, counter: str, values: dict[str, Any], **key: str) -> int:
        """Add one to a counter, atomically, and set attributes beside it; the new count."""
        settings, names, wire = _settings(values)
        answer = self.database.call(
            "UpdateItem",
            TableName=self.name,
            Key=codec.item(**key),
            UpdateExpression=f"{settings} ADD #counter :one",
            ExpressionAttributeNames={"#counter": counter, **names},
            ExpressionAttributeValues={":one": codec.value(1), **wire},
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
            **_expressions(ConditionExpression=condition),
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
            **_expressions(KeyConditionExpression=where, FilterExpression=only),
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
            **_expressions(KeyConditionExpression=where, FilterExpression=only),
        )
        return Counted(answer["Count"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))


class _Cancelled(Exception):
    """A transaction that was not carried out, with the reason of each of its items."""

    def __init__(self, refused: protocol.Refused) -> None:
        super().__init__()
        self.reasons, self.unsure = refused.reasons, refused.unsure


def _put_arguments(table: Table, item: Item, condition: Condition | None) -> dict[str, Any]:
    arguments = {"TableName": table.name, "Item": item}
    if condition is not None:
        arguments |= _expressions(ConditionExpression=condition)
    return arguments


def _settings(values: dict[str, Any]) -> tuple[str, dict[str, str], Item]:
    """The SET of an update, with the names and values behind its placeholders."""
    numbered = list(enumerate(values))
    settings = ", ".join(f"#set{number} = :set{number}" for number, _ in numbered)
    names = {f"#set{number}": name for number, name in numbered}
    wire = {f":set{number}": codec.value(values[name]) for number, name in numbered}
    return f"SET {settings}", names, wire


class _Shape(NamedTuple):
    """A condition on one attribute without its values: to build it takes 5 µs, to find it 2."""

    kind: str
    text: str
    names: dict[str, str]
    placeholders: tuple[str, ...]

    def arguments(self, values: list[Any]) -> dict[str, Any]:
        """The arguments of a call that has this condition with these values."""
        found = {self.kind: self.text, "ExpressionAttributeNames": self.names.copy()}
        if values:
            wire = zip(self.placeholders, map(codec.value, values), strict=True)
            found["ExpressionAttributeValues"] = dict(wire)
        return found


@lru_cache(100)
def _shape(kind: str, of: Any, attribute: Any, name: str, values: int) -> _Shape:
    standing_in = of(attribute(name), *range(values))
    built = ConditionExpressionBuilder().build_expression(
        standing_in, kind == "KeyConditionExpression"
    )
    names, placeholders = built.attribute_name_placeholders, built.attribute_value_placeholders
    return _Shape(kind, built.condition_expression, names, tuple(placeholders))


def _expressions(**conditions: Condition | None) -> dict[str, Any]:
    """Conditions as expression texts with their names and values as placeholders."""
    given = [(kind, condition) for kind, condition in conditions.items() if condition is not None]
    if len(given) == 1:
        [(kind, condition)] = given
        attribute, *plain = condition.get_expression()["values"]
        if isinstance(attribute, AttributeBase) and not any(isinstance(p, _BUILT) for p in plain):
            kinds = cast("Hashable", type(condition)), cast("Hashable", type(attribute))
            return _shape(kind, *kinds, attribute.name, len(plain)).arguments(plain)
    builder = ConditionExpressionBuilder()
    arguments: dict[str, Any] = {}
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    for kind, condition in conditions.items():
        if condition is not None:
            built = builder.build_expression(condition, kind == "KeyConditionExpression")
            arguments[kind] = built.condition_expression
            names |= built.attribute_name_placeholders
            values |= built.attribute_value_placeholders
    arguments["ExpressionAttributeNames"] = names
    if values:
        arguments["ExpressionAttributeValues"] = {
            name: codec.value(plain) for name, plain in values.items()
        }
    return arguments


def _unavailable(operation: str, error: Exception) -> ServiceUnavailable:
    log.error("DynamoDB %s failed: %s", operation, error)
    return ServiceUnavailable()
