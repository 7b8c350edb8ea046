"""DynamoDB: tables, items and transactions, and the engine that a laptop runs.

The package imports nothing of ours but configuration, errors, the clock, the log of a request and
concurrency, whose hub it lets go on while it waits for the store.
"""

from graphql_api.infra.dynamodb.database import (
    Action,
    Attr,
    Call,
    Check,
    Condition,
    ConditionFailed,
    CountPage,
    Database,
    Delete,
    Item,
    ItemPage,
    Key,
    Put,
    Table,
    full_pages,
    pages,
)
from graphql_api.infra.dynamodb.session import connect

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
    "connect",
    "full_pages",
    "pages",
]
