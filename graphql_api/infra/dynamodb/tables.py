"""The two tables, as the service needs them to be."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from graphql_api.config import Config
from graphql_api.errors import StartError

WAIT = {"Delay": 1, "MaxAttempts": 60}  # seconds between two looks at a table being created


@dataclass(frozen=True)
class Definition:
    """A table's keys: attribute names of HASH and RANGE, all of type string."""

    name: str
    keys: tuple[str, str]
    indexes: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def arguments(self, prefix: str) -> dict[str, Any]:
        """What CreateTable wants to hear."""
        attributes = sorted({*self.keys, *(key for keys in self.indexes.values() for key in keys)})
        indexes = [
            {
                "IndexName": name,
                "KeySchema": _schema(keys),
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
            "KeySchema": _schema(self.keys),
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        }


USERS = Definition("Users", ("user_id", "item"))
TASKS = Definition("Tasks", ("user_id", "task_id"), {"by_due_date": ("user_id", "due_order")})
TABLES = (USERS, TASKS)
TTL_ATTRIBUTE = "expires_at"
CREATE = "python -m graphql_api tables create"

_EXPIRING = {"ENABLED", "ENABLING"}


def prepare(client: Any, config: Config) -> None:
    """See that the tables are there and as needed; create missing ones, but never on AWS itself.

    Raises StartError. A table that is different is never changed.
    """
    if _is_aws(config):
        require(client, config)
        return
    with _told(client, config):
        for table in _missing(client, config):
            create(client, table, config.table_prefix)


def require(client: Any, config: Config) -> None:
    """See that the tables are there and as needed, and change nothing; else StartError."""
    with _told(client, config):
        missing = _missing(client, config)
    if missing:
        raise StartError(
            f"DynamoDB has no table {_names(missing, config)} {_where(client, config)}:"
            f" create it with `{CREATE}`"
        )


def create_missing(client: Any, config: Config) -> list[str]:
    """Create what is missing, on AWS too, and let items expire; the names of the new tables.

    Raises StartError. A table that is different is never changed.
    """
    with _told(client, config):
        missing = _missing(client, config)
        for table in missing:
            create(client, table, config.table_prefix)
        if USERS not in missing:  # whoever created it may have stopped before this
            _settle(client, USERS, config.table_prefix)
    return [config.table_prefix + table.name for table in missing]


@dataclass(frozen=True)
class Finding:
    """Something to know about a table, in one line; `wrong` if the service needs it otherwise."""

    text: str
    wrong: bool = False


def check(client: Any, config: Config) -> list[Finding]:
    """All there is to know about the tables; StartError if the store cannot be asked."""
    with _told(client, config):
        return [
            finding for table in TABLES for finding in _findings(client, table, config.table_prefix)
        ]


def count(client: Any, config: Config, name: str, hash_key: str) -> int:
    """How many items a table of this one key has, as the store last counted them.

    StartError if there is no such table.
    """
    with _told(client, config):
        description = _described(client, name)
    if description is None:
        raise StartError(f"DynamoDB has no table {name} {_where(client, config)}")
    found, needed = _readable(description)["keys"], f"{hash_key} (HASH, S)"
    if found != needed:
        raise StartError(f"Table {name} has the key {found}, but {needed} is needed")
    return int(description.get("ItemCount", 0))


@contextmanager
def _told(client: Any, config: Config) -> Iterator[None]:
    """What goes wrong with the store as a StartError."""
    try:
        yield
    except KeyError as error:  # botocore takes half an answer for an empty one
        where = _where(client, config)
        raise StartError(
            f"The tables {where} cannot be checked: the answer has no {error}"
        ) from None
    except (ClientError, BotoCoreError) as error:
        where = _where(client, config)
        raise StartError(f"The tables {where} cannot be checked: {error}") from None


def _where(client: Any, config: Config) -> str:
    return f"at {config.endpoint}" if config.endpoint else f"in {client.meta.region_name}"


def _is_aws(config: Config) -> bool:
    host = urlsplit(config.endpoint or "").hostname or ""
    return config.endpoint is None or host.endswith((".amazonaws.com", ".api.aws"))


def _missing(client: Any, config: Config) -> list[Definition]:
    """The tables that are not there; StartError if one that is there is different."""
    missing = []
    for table in TABLES:
        description = _described(client, config.table_prefix + table.name)
        if description is None:
            missing.append(table)
            continue
        for difference in _differences(description, table, config.table_prefix):
            raise StartError(
                f"{difference}; nothing was changed (set TABLE_PREFIX to use other tables)"
            )
    return missing


def _described(client: Any, name: str) -> dict[str, Any] | None:
    try:
        description: dict[str, Any] = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return description


def _differences(description: dict[str, Any], table: Definition, prefix: str) -> Iterator[str]:
    """Each way in which a table is not as needed."""
    name = prefix + table.name
    needed, found = _readable(table.arguments(prefix)), _readable(description)
    if found["keys"] != needed["keys"]:
        yield f"Table {name} has the key {found['keys']}, but {needed['keys']} is needed"
    for index, keys in needed["indexes"].items():
        if found["indexes"].get(index) != keys:
            indexes = found["indexes"] or "none"
            yield f"Table {name} has the indexes {indexes}, but {index} {keys} is needed"


def _findings(client: Any, table: Definition, prefix: str) -> Iterator[Finding]:
    name = prefix + table.name
    description = _described(client, name)
    if description is None:
        yield Finding(f"Table {name} is missing: create it with `{CREATE}`", wrong=True)
        return
    wrong = list(_differences(description, table, prefix))
    wrong += [f"{what} is {state}" for what, state in _states(description) if state not in _USABLE]
    yield from (Finding(text, wrong=True) for text in wrong)
    if not wrong:
        yield Finding(f"Table {name} is as needed")
    if table is USERS:
        yield _expiry(client, name)
    yield Finding(f"Hint: point-in-time recovery of {name} is {_recovery(client, name)}")


_USABLE = {"ACTIVE", "UPDATING"}


def _states(description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The table and its indexes, each with the state that it is in."""
    name = description["TableName"]
    yield f"Table {name}", description["TableStatus"]
    for index in description.get("GlobalSecondaryIndexes", []):
        yield f"Index {index['IndexName']} of {name}", index.get("IndexStatus", "ACTIVE")


def _expiry(client: Any, name: str) -> Finding:
    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    attribute = found.get("AttributeName")
    if found["TimeToLiveStatus"] in _EXPIRING and attribute == TTL_ATTRIBUTE:
        return Finding(f"Items of {name} expire by {TTL_ATTRIBUTE}")
    how = f"by {attribute}" if attribute else "not at all"
    return Finding(
        f"Items of {name} expire {how}, but {TTL_ATTRIBUTE} is needed: `{CREATE}`", wrong=True
    )


def _recovery(client: Any, name: str) -> str:
    """Whether the table can be restored to a moment before; not every engine can tell."""
    try:
        found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    except (ClientError, BotoCoreError):
        return "not known here"
    recovery = found.get("PointInTimeRecoveryDescription", {})
    return "on" if recovery.get("PointInTimeRecoveryStatus") == "ENABLED" else "off"


def create(client: Any, table: Definition, prefix: str) -> None:
    """Create the table and wait until it can be used."""
    try:
        client.create_table(**table.arguments(prefix))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":  # another start was first
            raise
    _settle(client, table, prefix)


def _settle(client: Any, table: Definition, prefix: str) -> None:
    """Wait until the table can be used, and let its items expire."""
    name = prefix + table.name
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=WAIT)
    if table is USERS:
        _let_items_expire(client, name)


def _let_items_expire(client: Any, name: str) -> None:
    try:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
        )
    except ClientError:  # to enable it twice is an error, and another start may have been first
        found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if found["TimeToLiveStatus"] not in _EXPIRING:
            raise


def _schema(keys: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": keys[0], "KeyType": "HASH"},
        {"AttributeName": keys[1], "KeyType": "RANGE"},
    ]


def _readable(description: dict[str, Any]) -> dict[str, Any]:
    """Keys and indexes of a description as short texts: `user_id (HASH, S), item (RANGE, S)`.

    An index also says which attributes it holds: lists are read from it alone.
    """
    kinds = {a["AttributeName"]: a["AttributeType"] for a in description["AttributeDefinitions"]}

    def text(schema: list[dict[str, str]]) -> str:
        keys = sorted(schema, key=lambda key: key["KeyType"])
        return ", ".join(
            f"{key['AttributeName']} ({key['KeyType']}, {kinds.get(key['AttributeName'])})"
            for key in keys
        )

    indexes = description.get("GlobalSecondaryIndexes", [])
    return {
        "keys": text(description["KeySchema"]),
        "indexes": {
            index[
                "IndexName"
            ]: f"{text(index['KeySchema'])}; {index['Projection']['ProjectionType']}"
            for index in indexes
        },
    }


def _names(tables: list[Definition], config: Config) -> str:
    return " and ".join(config.table_prefix + table.name for table in tables)
