"""Lists of open tasks behind many finished ones: this tree beside another one, request by request.

    .venv/bin/python bench/open_tasks.py BEFORE dynoxide|embedded [--finished 20000] [--requests 40]

BEFORE is another checkout of this service, with a .venv of its own. Each has somebody with 400 open
tasks and many finished ones, all with due dates; both are asked the same in turn, one request at a
time. Medians in milliseconds, and how many times as many requests this tree answers.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.workloads import Connection, graphql
from bench.world import data_of, person

OPEN_TASKS, AT_ONCE = 400, 100
NOW = datetime.now(UTC)
OPEN = "status: [PENDING, IN_PROGRESS]"
NODES = "nodes { id title status dueAt version } isComplete"
CREATE_ALL = """mutation ($input: CreateTasksInput!) {
  createTasks(input: $input) { results { task { id } } } }"""
COMPLETE = """mutation ($input: UpdateTaskInput!) {
  updateTask(input: $input) { task { id completedAt } } }"""
READS = {
    "open, by due date": f"tasks(first: 25, filter: {{{OPEN}}}, orderBy: {{field: DUE_AT, direction: ASC}}) {{ {NODES} }}",
    "open, newest": f"tasks(first: 25, filter: {{{OPEN}}}) {{ {NODES} }}",
    "open, by priority": f"tasks(first: 25, filter: {{{OPEN}}}, orderBy: {{field: PRIORITY, direction: DESC}}) {{ {NODES} }}",
    "overdue": f"tasks(first: 25, filter: {{overdue: true}}, orderBy: {{field: DUE_AT, direction: ASC}}) {{ {NODES} }}",
    "by urgency": f"tasks(first: 25, orderBy: {{field: URGENCY, direction: DESC}}) {{ {NODES} }}",
    "open, a word": f'tasks(first: 25, filter: {{{OPEN}, search: "number 7"}}) {{ {NODES} }}',
    "totalCount of open ones": f"tasks(first: 1, filter: {{{OPEN}}}) {{ totalCount }}",
    "openCount, overdueCount": "viewer { openCount overdueCount }",
    "all, newest": f"tasks(first: 25) {{ {NODES} }}",
}


class Side:
    """One of the two trees, and somebody who uses it."""

    def __init__(self, port: int, finished: int) -> None:
        self.port = port
        with Connection(port) as connection:
            self.token = person(connection, "somebody")
        done = [task(number, is_open=False) for number in range(finished)]
        parts = [done[first : first + AT_ONCE] for first in range(0, finished, AT_ONCE)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._create, parts))
        self._create([task(number, is_open=True) for number in range(AT_ONCE)])
        waiting = [task(number, is_open=True) for number in range(AT_ONCE, OPEN_TASKS)]
        self.ids: list[str] = []
        for first in range(0, len(waiting), AT_ONCE):
            self.ids += self._create(waiting[first : first + AT_ONCE])

    def _create(self, tasks: list[dict[str, Any]]) -> list[str]:
        with Connection(self.port) as connection:
            made = data_of(connection, graphql(CREATE_ALL, self.token, input={"tasks": tasks}))
        return [each["task"]["id"] for each in made["createTasks"]["results"]]

    def writes(self) -> dict[str, Callable[[], bytes]]:
        """Make a request of each kind of write."""
        again, done = iter(self.ids[:150] * 100), iter(self.ids[150:])

        def change(**given: Any) -> bytes:
            return graphql(workloads.UPDATE, self.token, input={"id": next(again), **given})

        return {
            "create": lambda: graphql(
                workloads.CREATE, self.token, input=task(OPEN_TASKS, is_open=True)
            ),
            "change a description": lambda: change(description=secrets.token_hex(50)),
            "change a title": lambda: change(title=secrets.token_hex(10)),
            "complete": lambda: graphql(
                COMPLETE, self.token, input={"id": next(done), "status": "COMPLETED"}
            ),
        }


def task(number: int, *, is_open: bool) -> dict[str, Any]:
    """A task of usual size; every tenth open one is late, as were the finished ones."""
    late = not is_open or number % 10 == 0
    due = NOW - timedelta(minutes=number + 1) if late else NOW + timedelta(hours=number)
    return {
        "title": f"Call number {number} about the order",
        "description": "Ask when it comes, and whether it can be left next door. " * 3,
        "tags": ["home", "later"],
        "priority": ("LOW", "MEDIUM", "HIGH")[number % 3],
        "dueAt": due.isoformat(timespec="seconds"),
        "status": "PENDING" if is_open else "COMPLETED",
    }


def compare(name: str, sides: list[Side], requests: list[Callable[[], bytes]], count: int) -> None:
    """Print a line about one kind of request."""
    times: list[list[float]] = [[], []]
    for number in range(count):
        for turn in (0, 1) if number % 2 else (1, 0):
            request = requests[turn]()
            with Connection(sides[turn].port) as connection:
                begun = time.perf_counter()
                connection.ask(request)  # its answer may be an error
                times[turn].append(time.perf_counter() - begun)
    now, before = (statistics.median(each[len(each) // 10 :]) * 1000 for each in times)
    print(f"| {name} | {before:.2f} | {now:.2f} | {before / now:.2f} |", flush=True)


def main() -> None:
    servers.end_all_when_ended()
    parser = argparse.ArgumentParser()
    parser.add_argument("before", type=Path)
    parser.add_argument("engine", choices=["dynoxide", "embedded"])
    parser.add_argument("--finished", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        there, store = Path(directory), "embedded"
        if given.engine == "dynoxide":
            store = f"http://127.0.0.1:{stack.enter_context(servers.engine(there)).port}"
        sides = []
        for name in ("service", "before"):
            settings = {"TABLE_PREFIX": f"{name}-", "WORKERS": "1"}
            secret = secrets.token_hex(32)
            server = servers.start(name, there, store, secret, given.before, **settings)
            sides.append(Side(stack.enter_context(server).port, given.finished))
        print(f"| {given.engine}, {given.finished:,} finished, ms | before | now | rate |")
        print("|---|---|---|---|")
        for name, query in READS.items():
            asked = [graphql(f"{{ {query} }}", side.token) for side in sides]
            compare(name, sides, [lambda r=r: r for r in asked], given.requests)
        writes = [side.writes() for side in sides]
        for name in writes[0]:
            compare(name, sides, [each[name] for each in writes], 3 * given.requests)


if __name__ == "__main__":
    main()
