"""The tables and what is in them while they are measured."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import workloads
from bench.servers import IDENTITY
from bench.workloads import Connection, World
from graphql_api.config import Config
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus
from graphql_api.domain.tasks.store import _item as stored

TASKS = 1_000  # of the reader
WRITERS_TASKS = 100
CROWD = 100  # other users …
CROWDS_TASKS = 20  # … with so many tasks each
LOGINS = 40  # users who log in: attempts are counted by name


def prepare(config: Config) -> Any:
    """The tables on a new engine; the client to fill them with."""
    os.environ |= IDENTITY
    raw = connect(config)
    Tables(raw, config, TABLES).create_missing()
    return raw


def data_of(connection: Connection, request: bytes) -> Any:
    """The data of an answer, which has to have some."""
    status, answer, _ = connection.ask(request)
    assert status == 200 and "errors" not in answer, answer
    return answer["data"]


def person(connection: Connection, name: str) -> str:
    """The token of somebody new."""
    given = {"username": name, "password": workloads.PASSWORD}
    asked = workloads.graphql(workloads.REGISTER, input=given)
    return data_of(connection, asked)["register"]["token"]


def populate(raw: Any, servers: Iterable[str], ask: Callable[[bytes], Any]) -> World:
    """People, and what they have to do; `ask` sends a request to the service."""

    def register(name: str) -> tuple[str, str]:
        given = {"username": name, "password": workloads.PASSWORD}
        payload = ask(workloads.graphql(workloads.REGISTER, input=given))["data"]["register"]
        return payload["token"], payload["user"]["id"]

    world = World()
    world.reader, reader = register("reader")
    world.ids = fill(raw, reader, TASKS)[-100:]
    for server in servers:
        token, writer = register(f"writer-for-{server}")
        world.writers[server] = token, fill(raw, writer, WRITERS_TASKS)
    world.names = [f"visitor-{number}" for number in range(LOGINS)]
    for name in world.names:
        register(name)
    for number in range(CROWD):
        fill(raw, f"somebody-{number}", CROWDS_TASKS)
    return world


def fill(raw: Any, user: str, count: int) -> list[str]:
    """A user's tasks, 25 a call; their ids."""
    statuses, priorities = list(TaskStatus), list(TaskPriority)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ids = []
    for first in range(0, count, 25):
        puts = []
        for number in range(first, min(first + 25, count)):
            now = start + timedelta(minutes=number)
            given = {
                "title": f"Call number {number} about the order",
                "description": "Ask when it comes, and whether it can be left next door. " * 2,
                "status": statuses[number % len(statuses)],
                "priority": priorities[number // 3 % len(priorities)],
                "due_at": now + timedelta(days=30) if number % 3 == 0 else None,
                "tags": ("calls", f"week-{number % 52}")[: number % 3],
            }
            task = Task.new(user, given, now)
            puts.append({"PutRequest": {"Item": stored(task)}})
            ids.append(task.task_id)
        answer = raw.batch_write_item(RequestItems={"Tasks": puts})
        assert not answer.get("UnprocessedItems")
    return ids
