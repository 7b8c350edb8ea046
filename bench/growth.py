"""How the time of each operation grows with a user's tasks, and with the number of users.

    .venv/bin/python bench/growth.py [--tasks 100,10000,100000] [--users 1,100,10000]
    .venv/bin/python bench/growth.py --open dynoxide|embedded [--tasks …] [--tree BEFORE]

Each operation runs in this process against dynoxide, whose own time does not grow; the median of
`--requests` is printed, in milliseconds of wall time, with the DynamoDB calls that it made. With
`--open` it is lists of 400 open tasks behind so many finished ones, and units are printed, too; the
service is then that of this checkout or of another one.
"""

import sys
from pathlib import Path

TREE = Path(sys.argv[sys.argv.index("--tree") + 1] if "--tree" in sys.argv else __file__ + "/../..")
sys.path[0] = str(TREE.resolve())

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from typing import Any

from bench import servers
from bench.servers import IDENTITY
from bench.world import fill, prepare
from graphql_api import create_app
from graphql_api.config import Config
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.store import _item as stored
from graphql_api.infra.dynamodb import embedded

TODAY = datetime.now(UTC).date().isoformat()
PASSWORD = "correct horse battery"
FIELDS = "id title status dueAt version"
PAGE = (
    f"tasks(first: 25 %s) {{ nodes {{ {FIELDS} owner {{ username }} }} pageInfo {{ endCursor }} }}"
)


class Refused(Exception):
    """An answer with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code = error["extensions"]["code"]


class Service:
    """The service in this process, and somebody who uses it."""

    def __init__(self, store: str, directory: str = "") -> None:
        secret = secrets.token_hex(32)
        environ = {
            **IDENTITY,
            "DYNAMODB": store,
            "DATA_DIR": directory,
            "JWT_SECRET": secret,
            "LOG_LEVEL": "ERROR",
        }
        os.environ |= environ
        self.config = embedded.prepare(Config.from_env(environ))
        self.raw = prepare(self.config)
        self.app = create_app(self.config)
        self.calls, self.units = 0, 0.0
        self.app.extensions["database"].subscribe(self._count)
        self.client = self.app.test_client()
        self.token = ""

    def _count(self, call: Any) -> None:
        self.calls += 1
        self.units += sum(call.units.values())

    def ask(self, query: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": query, "variables": variables}
        answer = self.client.post("/graphql", json=body, headers=headers).get_json()
        if "errors" in answer:
            raise Refused(answer["errors"][0])
        return answer["data"]

    def register(self, name: str) -> str:
        given = {"username": name, "password": PASSWORD}
        query = "mutation ($i: RegisterInput!) { register(input: $i) { token user { id } } }"
        made = self.ask(query, i=given)["register"]
        self.token = made["token"]
        return made["user"]["id"]


def operations(service: Service, ids: list[str]) -> dict[str, Callable[[], Any]]:
    """What is measured, by its name."""
    some = iter(ids * 1000)
    create = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
    update = "mutation ($i: UpdateTaskInput!) { updateTask(input: $i) { task { id } } }"
    delete = "mutation ($i: DeleteTaskInput!) { deleteTask(input: $i) { deletedTaskId } }"

    def remove() -> Any:
        made = service.ask(create, i={"title": "Soon gone"})["createTask"]["task"]["id"]
        return service.ask(delete, i={"id": made})

    return {
        "page of 25": lambda: service.ask(f"{{ {PAGE % ''} }}"),
        "page of 25, oldest first": lambda: service.ask(
            f"{{ {PAGE % ', orderBy: {field: CREATED_AT, direction: ASC}'} }}"
        ),
        "page of 25, by due date": lambda: service.ask(
            f"{{ {PAGE % ', orderBy: {field: DUE_AT, direction: ASC}'} }}"
        ),
        "page of 25, one status of four": lambda: service.ask(
            f"{{ {PAGE % ', filter: {status: [PENDING]}'} }}"
        ),
        "one task": lambda: service.ask(
            f"query ($id: ID!) {{ task(id: $id) {{ {FIELDS} }} }}", id=next(some)
        ),
        "create": lambda: service.ask(create, i={"title": "One more"}),
        "update": lambda: service.ask(update, i={"id": next(some), "title": secrets.token_hex(4)}),
        "create and delete": remove,
        "totalCount": lambda: service.ask("{ tasks(first: 1) { totalCount } }"),
    }


def open_lists(service: Service) -> dict[str, Callable[[], Any]]:
    """Lists of open tasks, each as a page of 25, and their counts."""
    is_open = "status: [PENDING, IN_PROGRESS]"
    today = f'{is_open}, plannedAfter: "{TODAY}T00:00:00Z", plannedBefore: "{TODAY}T23:59:59Z"'
    lists = {
        "newest": f"filter: {{{is_open}}}",
        "by due date": f"filter: {{{is_open}}}, orderBy: {{field: DUE_AT, direction: ASC}}",
        "overdue": "filter: {overdue: true}, orderBy: {field: DUE_AT, direction: ASC}",
        "planned today": f"filter: {{{today}}}, orderBy: {{field: PLANNED_START, direction: ASC}}",
        "by priority": f"filter: {{{is_open}}}, orderBy: {{field: PRIORITY, direction: DESC}}",
        "by urgency": "orderBy: {field: URGENCY, direction: DESC}",
    }
    queries = {
        name: f"tasks(first: 25, {given}) {{ nodes {{ {FIELDS} }} isComplete }}"
        for name, given in lists.items()
    } | {
        "`totalCount`": f"tasks(first: 1, filter: {{{is_open}}}) {{ totalCount }}",
        "`openCount`, `overdueCount`": "viewer { openCount overdueCount }",
        "`openCount` of a project": "projects { nodes { openCount } }",
    }
    return {name: partial(service.ask, f"{{ {query} }}") for name, query in queries.items()}


def live(service: Service, finished: int) -> None:
    """Let somebody have 400 open tasks, made through the service, and so many finished ones."""
    user = service.register(f"owner-of-{finished}")
    for first in range(0, finished, 25):
        puts = []
        for number in range(first, min(first + 25, finished)):
            made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
            given = task_of(number) | {"due_at": made, "status": TaskStatus.COMPLETED}
            puts.append({"PutRequest": {"Item": stored(Task.new(user, given, made))}})
        assert not service.raw.batch_write_item(RequestItems={"Tasks": puts}).get(
            "UnprocessedItems"
        )
    make = "mutation ($i: CreateProjectInput!) { createProject(input: $i) { project { id } } }"
    project = service.ask(make, i={"name": "Home"})["createProject"]["project"]["id"]
    create = (
        "mutation ($i: CreateTasksInput!) { createTasks(input: $i) { results { task { id } } } }"
    )
    for first in range(0, 400, 20):
        tasks = []
        for number in range(first, first + 20):
            due = datetime.now(UTC) + timedelta(hours=number - 40)
            more: dict[str, Any] = {"dueAt": due.isoformat(timespec="seconds")}
            if number % 40 == 0:
                more |= {"plannedStart": f"{TODAY}T09:00:00Z", "plannedEnd": f"{TODAY}T10:00:00Z"}
            priority = ("LOW", "MEDIUM", "HIGH")[number % 3]
            tasks.append(task_of(number) | more | {"projectId": project, "priority": priority})
        service.ask(create, i={"tasks": tasks})


def task_of(number: int) -> dict[str, Any]:
    """What all tasks have: some 500 bytes."""
    return {
        "title": f"Call number {number} about the order",
        "description": "Ask when it comes, and whether it can be left next door. " * 3,
        "tags": ["home", "later"],
    }


def measure_open(store: str, directory: str, counts: list[int], requests: int) -> None:
    """Print a table of lists of open tasks."""
    columns: dict[str, dict[str, str]] = {}
    service = Service(store, directory)
    if find_spec("graphql_api.domain.open_tasks"):
        from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade

        OpenTaskUpgrade.of(service.app.extensions["database"]).complete()
    for count in counts:
        live(service, count)
        column = columns[f"{count:,} finished"] = {}
        for name, run in open_lists(service).items():
            try:
                found = run()
                times = measure_one(service, run, requests)
                units = f", {service.units / requests:g} units" if service.units else ""
                partly = "" if found.get("tasks", {}).get("isComplete", True) else ", incomplete"
                column[name] = f"{times}{units}{partly}"
            except Refused as refused:
                column[name] = refused.code
            print(f"| {count:,} | {name} | {column[name]} |", flush=True)
    table(f"400 open tasks, load {os.getloadavg()[0]:.1f}", columns)


def measure(service: Service, ids: list[str], requests: int) -> dict[str, str]:
    found = {}
    for name, run in operations(service, ids).items():
        try:
            found[name] = measure_one(service, run, requests)
        except Refused as refused:  # what takes longer than a request may
            if refused.code not in {"SERVICE_UNAVAILABLE", "QUERY_TOO_COMPLEX"}:
                raise
            found[name] = "refused"
    return found


def measure_one(service: Service, run: Callable[[], Any], requests: int) -> str:
    run()
    service.calls, service.units, times = 0, 0.0, []
    for _ in range(requests):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return f"{statistics.median(times) * 1000:.2f} ({service.calls / requests:.0f})"


def table(what: str, columns: dict[str, dict[str, str]]) -> None:
    print(f"\n| ms (calls), {what} | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name in next(iter(columns.values())):
        print(f"| {name} | {' | '.join(column[name] for column in columns.values())} |")


def main() -> int:
    servers.end_all_when_ended()
    options = argparse.ArgumentParser()
    options.add_argument("--tasks", default="100,10000,100000")
    options.add_argument("--users", default="1,100,10000")
    options.add_argument("--requests", type=int, default=100)
    options.add_argument("--open", choices=["dynoxide", "embedded"])
    options.add_argument("--tree", type=Path, help="another checkout of this service")
    given = options.parse_args()
    if given.open:
        counts = list(map(int, given.tasks.split(",")))
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            store = given.open
            if store == "dynoxide":
                engine = stack.enter_context(servers.engine(Path(directory), on_disk=True))
                store = f"http://127.0.0.1:{engine.port}"
            stack.callback(embedded.stop)
            measure_open(store, directory, counts, given.requests)
        return 0
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {given.requests} requests each")
    by_tasks, by_users = {}, {}
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.engine(Path(directory), on_disk=True) as engine,
    ):
        service = Service(f"http://127.0.0.1:{engine.port}")
        for count in map(int, given.tasks.split(",")):
            ids = fill(service.raw, service.register(f"owner-of-{count}"), count)[-100:]
            by_tasks[f"{count:,}"] = measure(service, ids, given.requests)
        table("tasks of one user", by_tasks)
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.engine(Path(directory), on_disk=True) as engine,
    ):
        service = Service(f"http://127.0.0.1:{engine.port}")
        ids = fill(service.raw, service.register("the-first"), 1_000)[-100:]
        others = 0
        for count in map(int, given.users.split(",")):
            with ThreadPoolExecutor(4) as pool:
                list(
                    pool.map(lambda n: fill(service.raw, f"user-{n}", 5), range(others, count - 1))
                )
            others = count - 1
            by_users[f"{count:,}"] = measure(service, ids, given.requests)
        table("users, each of the others with 5 tasks", by_users)
    return 0


if __name__ == "__main__":
    sys.exit(main())
