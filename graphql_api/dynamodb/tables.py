"""The two tables, as the service needs them to be."""

from collections.abc import Mapping
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


def prepare(client: Any, config: Config) -> None:
    """See that the tables are there and as needed; create missing ones, but never on AWS itself.

    Raises StartError. A table that is different is never changed.
    """
    where = config.endpoint or f"DynamoDB in {client.meta.region_name}"
    try:
        missing = [table for table in TABLES if not _exists(client, table, config.table_prefix)]
        if missing and _is_aws(config):
            raise StartError(
                f"DynamoDB has no table {_names(missing, config)} in {client.meta.region_name}:"
                " create it with the command in README.md, section 'On DynamoDB'"
            )
        for table in missing:
            create(client, table, config.table_prefix)
    except KeyError as error:  # botocore takes half an answer for an empty one
        raise StartError(
            f"The tables at {where} cannot be checked: the answer has no {error}"
        ) from None
    except (ClientError, BotoCoreError) as error:
        raise StartError(f"The tables at {where} cannot be checked: {error}") from None


def _is_aws(config: Config) -> bool:
    host = urlsplit(config.endpoint or "").hostname or ""
    return config.endpoint is None or host.endswith((".amazonaws.com", ".api.aws"))


def _exists(client: Any, table: Definition, prefix: str) -> bool:
    name = prefix + table.name
    try:
        description = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    needed = _readable(table.arguments(prefix))
    found = _readable(description)
    if found["keys"] != needed["keys"]:
        raise StartError(
            f"Table {name} has the key {found['keys']}, but {needed['keys']} is needed;"
            " nothing was changed (set TABLE_PREFIX to use tables of other names)"
        )
    for index, keys in needed["indexes"].items():
        if found["indexes"].get(index) != keys:
            raise StartError(
                f"Table {name} has the indexes {found['indexes'] or 'none'},"
                f" but {index} {keys} is needed; nothing was changed"
            )
    return True


def create(client: Any, table: Definition, prefix: str) -> None:
    """Create the table and wait until it can be used."""
    name = prefix + table.name
    try:
        client.create_table(**table.arguments(prefix))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":  # another start was first
            raise
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
        if found["TimeToLiveStatus"] not in {"ENABLED", "ENABLING"}:
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
