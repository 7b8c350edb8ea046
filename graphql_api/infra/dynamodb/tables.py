"""Tables: create those that are missing, and compare those that exist with their definitions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from graphql_api.config import Config
from graphql_api.errors import StartError

WAITER = {"Delay": 1, "MaxAttempts": 60}  # seconds between two looks at a table being created
CREATE_COMMAND = "python -m graphql_api tables create"

_EXPIRING = {"ENABLED", "ENABLING"}
_USABLE = {"ACTIVE", "UPDATING"}


@dataclass(frozen=True)
class TableDefinition:
    """A table and its indexes: the names of the HASH and RANGE keys, all of type string.

    Items expire at the time in their `ttl_attribute`, if there is one.
    """

    name: str
    keys: tuple[str, str]
    indexes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    ttl_attribute: str | None = None

    def arguments(self, prefix: str) -> dict[str, Any]:
        """Return the arguments of CreateTable."""
        attributes = sorted({*self.keys, *(key for keys in self.indexes.values() for key in keys)})
        indexes = [
            {
                "IndexName": name,
                "KeySchema": _key_schema(keys),
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, keys in self.indexes.items()
        ]
        return {
            "TableName": prefix + self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in attributes
            ],
            "KeySchema": _key_schema(self.keys),
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        }


@dataclass(frozen=True)
class Finding:
    """One line about a table; `wrong` if the service cannot use it as it is."""

    text: str
    wrong: bool = False


class Tables:
    """The tables of a deployment, as they are defined and as they are in its store.

    All methods raise StartError if the store cannot be asked. A table that differs from its
    definition is never changed.
    """

    def __init__(self, client: Any, config: Config, definitions: Sequence[TableDefinition]) -> None:
        self._client = client
        self._prefix = config.table_prefix
        self._definitions = definitions
        self._place = f"at {config.endpoint}" if config.endpoint else f"in {_region(client)}"
        self._is_aws = _is_aws(config.endpoint)

    def prepare(self) -> list[str]:
        """Create missing tables, but never on AWS itself; return the new names.

        Raises StartError if any differs.
        """
        if self._is_aws:
            self.require()
            return []
        with self._start_errors():
            missing = self._missing()
            for definition in missing:
                self.create(definition)
        return list(map(self._name, missing))

    def require(self) -> None:
        """Raise StartError if a table is missing, or differs."""
        with self._start_errors():
            missing = self._missing()
        if missing:
            names = " and ".join(map(self._name, missing))
            raise StartError(
                f"DynamoDB has no table {names} {self._place}: create it with `{CREATE_COMMAND}`"
            )

    def create_missing(self) -> list[str]:
        """Create missing tables, on AWS too, and let items expire; return the new names."""
        with self._start_errors():
            missing = self._missing()
            for definition in missing:
                self.create(definition)
            for definition in self._definitions:  # their creator may have stopped before this
                if definition.ttl_attribute and definition not in missing:
                    self._wait_until_active(definition)
        return list(map(self._name, missing))

    def check(self) -> list[Finding]:
        """Describe each table, and what is wrong with it."""
        with self._start_errors():
            return [finding for each in self._definitions for finding in self._findings(each)]

    def create(self, definition: TableDefinition) -> None:
        """Create a table and wait until it can be used."""
        try:
            self._client.create_table(**definition.arguments(self._prefix))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":  # created meanwhile
                raise
        self._wait_until_active(definition)

    def count_all(self) -> int:
        """Return how many items all tables had when the store last counted."""
        with self._start_errors():
            found = [self._describe(self._name(each)) for each in self._definitions]
        return sum(int(each.get("ItemCount", 0)) for each in found if each)

    def count_items(self, name: str, hash_key: str) -> int:
        """Return how many items a table of another service had when the store last counted.

        Raises StartError if it does not exist, or has another key.
        """
        with self._start_errors():
            description = self._describe(name)
        if description is None:
            raise StartError(f"DynamoDB has no table {name} {self._place}")
        found, needed = _summary(description)["keys"], f"{hash_key} (HASH, S)"
        if found != needed:
            raise StartError(f"Table {name} has the key {found}, but {needed} is needed")
        return int(description.get("ItemCount", 0))

    def _name(self, definition: TableDefinition) -> str:
        return self._prefix + definition.name

    @contextmanager
    def _start_errors(self) -> Iterator[None]:
        """Raise the store's errors as StartError."""
        try:
            yield
        except KeyError as error:  # botocore takes half a response for an empty one
            raise StartError(
                f"The tables {self._place} cannot be checked: the answer has no {error}"
            ) from None
        except (ClientError, BotoCoreError) as error:
            raise StartError(f"The tables {self._place} cannot be checked: {error}") from None

    def _missing(self) -> list[TableDefinition]:
        """Return the tables that do not exist; raises StartError if one that does differs."""
        missing = []
        for definition in self._definitions:
            description = self._describe(self._name(definition))
            if description is None:
                missing.append(definition)
                continue
            for difference in self._differences(description, definition):
                raise StartError(
                    f"{difference}; nothing was changed (set TABLE_PREFIX to use other tables)"
                )
        return missing

    def _describe(self, name: str) -> dict[str, Any] | None:
        try:
            description: dict[str, Any] = self._client.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return description

    def _differences(
        self, description: dict[str, Any], definition: TableDefinition
    ) -> Iterator[str]:
        name = self._name(definition)
        needed, found = _summary(definition.arguments(self._prefix)), _summary(description)
        if found["keys"] != needed["keys"]:
            yield f"Table {name} has the key {found['keys']}, but {needed['keys']} is needed"
        for index, keys in needed["indexes"].items():
            if found["indexes"].get(index) != keys:
                indexes = found["indexes"] or "none"
                yield f"Table {name} has the indexes {indexes}, but {index} {keys} is needed"

    def _findings(self, definition: TableDefinition) -> Iterator[Finding]:
        name = self._name(definition)
        description = self._describe(name)
        if description is None:
            yield Finding(f"Table {name} is missing: create it with `{CREATE_COMMAND}`", wrong=True)
            return
        wrong = list(self._differences(description, definition))
        states = _states(description)
        wrong += [f"{what} is {state}" for what, state in states if state not in _USABLE]
        yield from (Finding(text, wrong=True) for text in wrong)
        if not wrong:
            yield Finding(f"Table {name} is as needed")
        if definition.ttl_attribute:
            yield self._expiry(name, definition.ttl_attribute)
        yield Finding(f"Hint: point-in-time recovery of {name} is {self._recovery(name)}")

    def _expiry(self, name: str, needed: str) -> Finding:
        found = self._client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        attribute = found.get("AttributeName")
        if found["TimeToLiveStatus"] in _EXPIRING and attribute == needed:
            return Finding(f"Items of {name} expire by {needed}")
        present = f"expire by {attribute}" if attribute else "do not expire"
        return Finding(
            f"Items of {name} {present}, but must expire by {needed}: `{CREATE_COMMAND}`",
            wrong=True,
        )

    def _recovery(self, name: str) -> str:
        """Return whether the table can be restored to any second; not every engine knows."""
        try:
            response = self._client.describe_continuous_backups(TableName=name)
        except (ClientError, BotoCoreError):
            return "unknown here"
        backups = response["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {})
        return "on" if recovery.get("PointInTimeRecoveryStatus") == "ENABLED" else "off"

    def _wait_until_active(self, definition: TableDefinition) -> None:
        """Wait until a table can be used, and let its items expire."""
        name = self._name(definition)
        self._client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=WAITER)
        if definition.ttl_attribute:
            self._let_items_expire(name, definition.ttl_attribute)

    def _let_items_expire(self, name: str, attribute: str) -> None:
        try:
            self._client.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
            )
        except ClientError:  # to enable it twice is an error, and another start may have done so
            found = self._client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            if found["TimeToLiveStatus"] not in _EXPIRING:
                raise


def _region(client: Any) -> str:
    region: str = client.meta.region_name
    return region


def _is_aws(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    return endpoint is None or host.endswith((".amazonaws.com", ".api.aws"))


def _key_schema(keys: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": keys[0], "KeyType": "HASH"},
        {"AttributeName": keys[1], "KeyType": "RANGE"},
    ]


def _states(description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the table and each index with its state, such as ACTIVE."""
    name = description["TableName"]
    yield f"Table {name}", description["TableStatus"]
    for index in description.get("GlobalSecondaryIndexes", []):
        yield f"Index {index['IndexName']} of {name}", index.get("IndexStatus", "ACTIVE")


def _summary(description: dict[str, Any]) -> dict[str, Any]:
    """Return keys and indexes as short texts: `owner (HASH, S), item (RANGE, S)`.

    That of an index names its projection, too: lists are read from the index alone.
    """
    types = {a["AttributeName"]: a["AttributeType"] for a in description["AttributeDefinitions"]}

    def text(schema: list[dict[str, str]]) -> str:
        keys = sorted(schema, key=lambda key: key["KeyType"])
        return ", ".join(
            f"{key['AttributeName']} ({key['KeyType']}, {types.get(key['AttributeName'])})"
            for key in keys
        )

    indexes = description.get("GlobalSecondaryIndexes", [])
    return {
        "keys": text(description["KeySchema"]),
        "indexes": {
            index["IndexName"]: (
                f"{text(index['KeySchema'])}; {index['Projection']['ProjectionType']}"
            )
            for index in indexes
        },
    }
