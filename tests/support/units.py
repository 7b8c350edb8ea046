"""What calls cost: the capacity units that DynamoDB says they have consumed."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import _item
from graphql_api.infra.dynamodb import Database

READS = {"GetItem", "BatchGetItem", "Query"}
AT_ONCE = 25  # what BatchWriteItem takes
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Call(NamedTuple):
    """One call, and the units that it took of its tables and their indexes together.

    Of a write that was refused nobody tells them.
    """

    operation: str
    reads: float
    writes: float


@contextmanager
def consumed(database: Database) -> Iterator[list[Call]]:
    """The calls that are made meanwhile."""
    calls: list[Call] = []

    def note(call):
        actions = call.arguments.get("TransactItems", [])
        parts = Counter(each["TableName"] for action in actions for each in action.values())
        # Of a table's parts in a transaction DynamoDB Local 3.3.1 counts one, AWS each; ours
        # are equal once they are rounded up.
        units = sum(units * parts.get(table, 1) for table, units in call.units.items())
        reads = call.operation in READS
        calls.append(Call(call.operation, units if reads else 0, 0 if reads else units))

    database.on_call = note
    try:
        yield calls
    finally:
        database.on_call = None


def task_item(user_id: str, number: int) -> dict[str, Any]:
    """A task as it is kept: each of a user's takes as many bytes, and every second has a date."""
    fields = {
        "title": f"Task {number:06} with a title of usual length",
        "description": "x" * 200,
        "tags": ["home", "later"],
        "due_at": BEGIN + timedelta(days=number) if number % 2 else None,
    }
    return _item(Task.new(user_id, fields, BEGIN + timedelta(seconds=number)))


def fill(raw: Any, user_id: str, numbers: range, table: str = "Tasks") -> None:
    """Give a user tasks of these numbers, past the service."""

    def put(start: int) -> None:
        some = numbers[start : start + AT_ONCE]
        left = {table: [{"PutRequest": {"Item": task_item(user_id, number)}} for number in some]}
        while left:
            left = raw.batch_write_item(RequestItems=left)["UnprocessedItems"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(0, len(numbers), AT_ONCE)))


def size(item: dict[str, Any]) -> int:
    """The bytes of an item, as DynamoDB counts them (names, values; lists 3 and 1 for each)."""

    def of(value: dict[str, Any]) -> int:
        [(kind, plain)] = value.items()
        match kind:
            case "S":
                return len(plain.encode())
            case "N":
                return (len(plain) + 1) // 2 + 1
            case "L":
                return 3 + sum(1 + of(each) for each in plain)
        raise ValueError(kind)

    return sum(len(name) + of(value) for name, value in item.items())
