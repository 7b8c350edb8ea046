"""How the time of each operation grows with a user's tasks, and with the number of users.

    .venv/bin/python bench/growth.py [--tasks 100,10000,100000] [--users 1,100,10000]

Each operation runs in this process against dynoxide, whose own time does not grow; the median of
`--requests` is printed, in milliseconds of wall time, with the DynamoDB calls that it made.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import servers
from bench.servers import IDENTITY
from bench.world import fill, prepare
from graphql_api import create_app
from graphql_api.config import Config

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

    def __init__(self, engine: servers.Server) -> None:
        secret = secrets.token_hex(32)
        environ = {
            **IDENTITY,
            "DYNAMODB": f"http://127.0.0.1:{engine.port}",
            "JWT_SECRET": secret,
            "LOG_LEVEL": "ERROR",
        }
        os.environ |= environ
        self.config = Config.from_env(environ)
        self.raw = prepare(self.config)
        self.app = create_app(self.config)
        self.calls = 0
        self.app.extensions["database"].listen(self._count)
        self.client = self.app.test_client()
        self.token = ""

    def _count(self, _call: Any) -> None:
        self.calls += 1

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
    service.calls, times = 0, []
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
    given = options.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {given.requests} requests each")
    by_tasks, by_users = {}, {}
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.engine(Path(directory), on_disk=True) as engine,
    ):
        service = Service(engine)
        for count in map(int, given.tasks.split(",")):
            ids = fill(service.raw, service.register(f"owner-of-{count}"), count)[-100:]
            by_tasks[f"{count:,}"] = measure(service, ids, given.requests)
        table("tasks of one user", by_tasks)
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.engine(Path(directory), on_disk=True) as engine,
    ):
        service = Service(engine)
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
