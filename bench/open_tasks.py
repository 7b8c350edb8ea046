"""Ways to list open tasks behind many finished ones: calls, capacity units, and time of each.

    .venv/bin/python bench/open_tasks.py dynoxide|embedded|local [--finished 100,10000]

One user has 400 open tasks and more and more finished ones, all with due dates, the finished ones
the earlier. Each way reads the first 25 open tasks by due date and counts the open ones, creates a
task and completes it, as the service would. docs/decisions/0017-an-item-for-each-open-task.md has the results.
"""

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent.parent),
    str(Path(__file__).parent.parent / "tests" / "support"),
]

from engines import CONFIG, ENGINES
from units import consumed

from bench import servers
from graphql_api import clock
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.tables import TASKS, USERS
from graphql_api.domain.tasks.filters import (
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
    Viewpoint,
)
from graphql_api.domain.tasks.list_reader import TaskListReader
from graphql_api.domain.tasks.model import OPEN, Task, TaskStatus
from graphql_api.infra.dynamodb import Database, Delete, Key, Put, codec, connect
from graphql_api.infra.dynamodb.tables import TableDefinition, Tables

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
OPEN_TASKS, PAGE, ROUNDS = 400, 25, 15
BY_DUE_DATE = TaskOrder(TaskOrderField.DUE_AT, OrderDirection.ASC)
SPARSE = TableDefinition("Sparse", TASKS.keys, {**TASKS.indexes, "open": ("user_id", "open_order")})
SPLIT = replace(TASKS, name="Split")
_decode = codec.decoder(Task)


def task_of(user: str, number: int, *, is_open: bool) -> Task:
    """A task of usual size; finished ones were due before NOW, open ones come after."""
    status = TaskStatus.PENDING if is_open else TaskStatus.COMPLETED
    due = NOW + timedelta(hours=number) if is_open else NOW - timedelta(minutes=number + 1)
    fields = {"title": f"Task {number:06} with a usual title", "description": "x" * 200}
    values = {**fields, "tags": ["home", "later"], "due_at": due, "status": status}
    return Task.new(user, values, NOW + timedelta(seconds=number))


class Today:
    """One partition of a user, one index by due date; the filter leaves out what is finished."""

    table = "Tasks"

    def __init__(self, database: Database, user: str) -> None:
        self.database, self.user = database, user
        self.tasks, self.others = database.table(self.table), database.table("Users")
        self.lists = TaskListReader(database)

    def items(self, task: Task) -> Iterator[tuple[str, dict]]:
        """The items of a task, with their tables."""
        yield self.table, {**codec.encode(task), **codec.item(due_order=task.due_order)}

    def page(self) -> list[Task]:
        wanted, budget = TaskFilter(status=OPEN), Budget(10**9)
        window, at = Window(PAGE), Viewpoint(NOW)
        return self.lists.page(self.user, BY_DUE_DATE, wanted, window, None, budget, at).items

    def count(self) -> int:
        return self.lists.count(self.user, TaskFilter(status=OPEN), Budget(10**9), Viewpoint(NOW))

    def change(self) -> Put:
        """The change that each write has beside it, as large as one is."""
        key = {"user_id": f"changes#{self.user}", "item": uuid.uuid4().hex}
        return Put(self.others, codec.item(**key, before="x" * 150))

    def put(self, task: Task) -> None:
        puts = [Put(self.database.table(name), item) for name, item in self.items(task)]
        self.database.transact(*puts, self.change())

    def complete(self, task: Task) -> None:
        self.put(replace(task, status=TaskStatus.COMPLETED, completed_at=NOW))


class SparseIndex(Today):
    """An index of open tasks; eventually consistent."""

    table = "Sparse"

    def items(self, task: Task) -> Iterator[tuple[str, dict]]:
        [(name, item)] = super().items(task)
        yield name, {**item, **codec.item(open_order=task.due_order if task.open else None)}

    def page(self) -> list[Task]:
        where = Key("user_id").eq(self.user)
        return list(map(_decode, self.tasks.query(where, index="open", limit=PAGE + 1).items))

    def count(self) -> int:
        found = self.database.call(
            "Query",
            TableName="Sparse",
            IndexName="open",
            Select="COUNT",
            KeyConditionExpression="user_id = :u",
            ExpressionAttributeValues={":u": {"S": self.user}},
        )
        return found["Count"]


class OpenSet(Today):
    """A small item for each open task, in a partition of its own; consistent."""

    def items(self, task: Task) -> Iterator[tuple[str, dict]]:
        yield from super().items(task)
        if task.open:
            yield (
                "Users",
                codec.item(
                    **self.key(task),
                    due_at=task.due_at,
                    priority=task.priority,
                    project_id=task.project_id,
                    planned_start=task.planned_start,
                ),
            )

    def key(self, task: Task) -> dict[str, str]:
        return {"user_id": f"open#{self.user}", "item": task.task_id}

    def complete(self, task: Task) -> None:
        done = replace(task, status=TaskStatus.COMPLETED, completed_at=NOW)
        [(_, item)] = self.items(done)
        self.database.transact(
            Put(self.tasks, item), Delete(self.others, self.key(task)), self.change()
        )

    def all(self) -> list[dict]:
        items, start = [], None
        while True:
            where = Key("user_id").eq(f"open#{self.user}")
            read = self.others.query(where, start=start, limit=10_000)
            items += read.items
            start = read.last_key
            if start is None:
                return items

    def page(self) -> list[Task]:
        found = sorted(self.all(), key=lambda item: (item["due_at"]["S"], item["item"]["S"]))
        keys = [{"user_id": self.user, "task_id": each["item"]["S"]} for each in found[:PAGE]]
        return list(map(_decode, self.tasks.get_many(keys)))

    def count(self) -> int:
        return len(self.all())


class Split(Today):
    """Finished tasks under a key of their own, in the table and so in its index."""

    table = "Split"

    def items(self, task: Task) -> Iterator[tuple[str, dict]]:
        [(name, item)] = super().items(task)
        closed = {} if task.open else codec.item(user_id=f"{self.user}#closed")
        yield name, {**item, **closed}

    def page(self) -> list[Task]:
        where = Key("user_id").eq(self.user) & Key("due_order").between("0", "~")
        read = self.tasks.query(where, index="by_due_date", limit=PAGE + 1)
        return list(map(_decode, read.items))

    def count(self) -> int:
        return self.tasks.count(Key("user_id").eq(self.user), limit=10_000).matches

    def complete(self, task: Task) -> None:
        done = replace(task, status=TaskStatus.COMPLETED, completed_at=NOW)
        [(_, item)] = self.items(done)
        key = {"user_id": self.user, "task_id": task.task_id}
        self.database.transact(Put(self.tasks, item), Delete(self.tasks, key), self.change())


def fill(way: Today, tasks: list[Task]) -> None:
    """Store tasks, past the service."""
    puts: dict[str, list] = {}
    for task in tasks:
        for name, item in way.items(task):
            puts.setdefault(name, []).append({"PutRequest": {"Item": item}})

    def put(part: tuple[str, list]) -> None:
        left = {part[0]: part[1]}
        while left:
            left = way.database.client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    parts = [(n, all_[i : i + 25]) for n, all_ in puts.items() for i in range(0, len(all_), 25)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, parts))


def cell(database: Database, act: Callable[[], object], rounds: int = ROUNDS) -> str:
    """Calls, units and the median of milliseconds of what is done several times."""
    with consumed(database) as calls:
        act()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    units = sum(call.reads + call.writes for call in calls)
    return f"{len(calls)} / {units:g} / {statistics.median(times):.1f}"


@contextmanager
def deployed(name: str) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        if name == "dynoxide":
            with servers.engine(Path(directory)) as engine:
                config = replace(CONFIG, dynamodb=f"http://127.0.0.1:{engine.port}")
                yield prepared(config)
        else:
            with ENGINES[name](Path(directory)) as config:
                yield prepared(config)


def prepared(config) -> Database:
    Tables(connect(config), config, (TASKS, USERS, SPARSE, SPLIT)).create_missing()
    return Database(connect(config), timeout=30, call_timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=["dynoxide", "embedded", "local"])
    parser.add_argument("--finished", default="100,10000")
    options = parser.parse_args()
    print("| way | finished | page | count | create | complete |\n|---|---|---|---|---|---|")
    with deployed(options.engine) as database:
        for finished in map(int, options.finished.split(",")):
            for kind in (Today, SparseIndex, OpenSet, Split):
                print(f"| {kind.__name__} | {finished:,} | {row(database, kind, finished)} |")


def row(database: Database, kind: type[Today], finished: int) -> str:
    user = uuid.uuid4().hex
    way = kind(database, user)
    fill(way, [task_of(user, number, is_open=False) for number in range(finished)])
    tasks = [task_of(user, number, is_open=True) for number in range(OPEN_TASKS)]
    fill(way, tasks)
    assert [task.due_at for task in sorted(way.page()[:PAGE], key=lambda task: task.task_id)] == [
        task.due_at for task in tasks[:PAGE]
    ], clock.text(NOW)
    assert way.count() == OPEN_TASKS
    reads = [cell(database, way.page), cell(database, way.count)]
    new = iter([task_of(user, number, is_open=True) for number in range(1_000, 1_200)])
    old = iter(tasks[100:300])
    writes = [
        cell(database, lambda: way.put(next(new)), 100),
        cell(database, lambda: way.complete(next(old)), 100),
    ]
    return " | ".join([*reads, *writes])


if __name__ == "__main__":
    main()
