"""Reads of whole tables, past the service."""

from collections.abc import Iterator
from typing import Any


def scanned(client: Any, table: str) -> Iterator[dict[str, Any]]:
    """Return all items of a table: one answer of Scan ends after 1 MB, which a session fills."""
    start: dict[str, Any] = {}
    while True:
        page = client.scan(TableName=table, ConsistentRead=True, **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
