"""The only door to DynamoDB: tables, their items, and the engine that a laptop runs."""

from graphql_api.infra.dataloader import Loader
from graphql_api.infra.dynamodb.database import (
    Action,
    Attr,
    Call,
    Check,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    Read,
    Table,
    looks,
)
from graphql_api.infra.dynamodb.session import connect

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
    "Loader",
    "Put",
    "Read",
    "Table",
    "connect",
    "looks",
]
