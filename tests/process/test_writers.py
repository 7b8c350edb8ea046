"""Many writers of one user in two processes, and readers who page through the feed meanwhile.

`WRITES=10000 pytest -s tests/process/test_writers.py` prints what it measures; `--engines local`
runs it on DynamoDB Local.
"""

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count, cycle
from urllib.parse import urlsplit

import pytest
from conftest import PASSWORD, bearer
from service import running

pytestmark = [pytest.mark.whole, pytest.mark.concurrent, pytest.mark.engine_is_no_matter]

SECRET = "a secret that two processes share, of 32 bytes and more"
WRITES = int(os.environ.get("WRITES", "800"))
WRITERS = 8
SHARED = 16  # tasks that all writers change
CHANGES = """query ($after: String!) { changes(after: $after, first: 100) {
  nodes { id kind task_id: taskId version } end_cursor: endCursor has_more: hasMore } }"""


@pytest.fixture(scope="module")
def urls(engine, tmp_path_factory) -> Iterator[list[str]]:
    """Two services, each with one process, on the engine's tables."""
    if engine.endpoint is None:
        pytest.skip("two processes cannot share an in-process mock")
    settings = {"DYNAMODB": engine.endpoint, "JWT_SECRET": SECRET, "WORKERS": "1"}
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(tmp_path_factory.mktemp(name), **settings))
            for name in ("here", "there")
        ]


@pytest.fixture
def connect(urls) -> Iterator[Callable[..., "Client"]]:
    """Makes clients, whose connections end with the test."""
    with ExitStack() as stack:

        def connect(token=None, only=urls):
            connections = [http.client.HTTPConnection(urlsplit(url).netloc) for url in only]
            for connection in connections:
                stack.callback(connection.close)
            return Client(connections, token)

        yield connect


class Client:
    """Connections to processes, which are asked in turn."""

    def __init__(self, connections, token):
        self.connections = cycle(connections)
        self.headers = {"Content-Type": "application/json", **bearer(token)}

    def ask(self, method, path, body=None):
        connection = next(self.connections)
        connection.request(method, path, body and json.dumps(body), self.headers)
        answer = connection.getresponse()
        return answer, json.loads(answer.read())


class Writer:
    """Creates tasks, changes them and those of all, and keeps what was acknowledged."""

    def __init__(self, client, shared):
        self.client, self.shared = client, shared
        self.written, self.refused, self.steps, self.mine = [], 0, 0, ""

    def write(self, number):
        """One write; a task of its own is created, changed twice and completed."""
        step, own = self.steps % 5, self.mine
        self.steps += 1
        if step == 0:
            kind, asked = "task_created", ("POST", "/api/v1/tasks", {"title": f"{number}"})
        elif step == 4:
            kind, asked = "task_completed", ("PATCH", own, {"status": "completed"})
        else:
            path = own if step < 3 else f"/api/v1/tasks/{self.shared[number % SHARED]}"
            kind, asked = "task_updated", ("PATCH", path, {"title": f"{number}"})
        answer, body = self.client.ask(*asked)
        if answer.status >= 400:  # others keep changing the same task
            self.refused += 1
            return
        self.written.append((body["task_id"], body["version"], kind))
        if kind == "task_created":
            self.mine = f"/api/v1/tasks/{body['task_id']}"


def by_rest(client, cursor):
    answer, page = client.ask("GET", f"/api/v1/changes?after={cursor}&limit=100")
    assert answer.status == 200, page
    return page


def by_graphql(client, cursor):
    asked = {"query": CHANGES, "variables": {"after": cursor}}
    _, answer = client.ask("POST", "/graphql", asked)
    assert "errors" not in answer, answer
    return answer["data"]["changes"]


def read_all(client, page_after, cursor, ended):
    """What comes, in the order of its first appearance, until all have ended and all is read."""
    found, pages, received = {}, 0, 0
    while True:
        is_last = ended.is_set()
        more = True
        while more:
            page = page_after(client, cursor)
            for node in page["nodes"]:
                key = (node["task_id"], node["version"], node["kind"].lower())
                found.setdefault(key)
            cursor, more = page["end_cursor"], page["has_more"]
            pages, received = pages + 1, received + len(page["nodes"])
        if is_last:
            return list(found), pages, received


def test_every_reader_has_every_change_of_many_writers_in_its_tasks_order(urls, connect, engine):
    account = {"username": f"many-{time.time_ns()}", "password": PASSWORD}
    token = connect().ask("POST", "/auth/register", account)[1]["token"]
    client = connect(token)
    answer, _ = client.ask("GET", "/api/v1/tasks")
    cursor = answer.headers["X-Changes-Cursor"]
    shared = [
        client.ask("POST", "/api/v1/tasks", {"title": f"shared {number}"})[1]["task_id"]
        for number in range(SHARED)
    ]
    writers = [Writer(connect(token, [urls[n % 2]]), shared) for n in range(WRITERS)]
    numbers, ended = count(), threading.Event()

    def write(writer):
        while (number := next(numbers)) < WRITES:
            writer.write(number)

    with ThreadPoolExecutor(WRITERS + 2) as threads:
        started = time.monotonic()
        readers = [
            threads.submit(read_all, connect(token), page_after, cursor, ended)
            for page_after in (by_rest, by_graphql)
        ]
        try:
            list(threads.map(write, writers))
        finally:
            written_in = time.monotonic() - started
            ended.set()
        results = [reader.result() for reader in readers]

    written = [each for writer in writers for each in writer.written]
    written += [(task_id, 1, "task_created") for task_id in shared]
    refused = sum(writer.refused for writer in writers)
    report = (
        f"{engine.dynamodb}: {len(written) - SHARED} writes in {written_in:.1f} s"
        f" ({len(written) / written_in:.0f}/s), {refused} refused;"
        f" all read after {time.monotonic() - started:.1f} s,"
        f" in pages and changes: {[counts for _, *counts in results]}\n"
    )
    sys.stdout.write(report)
    assert len(written) == len(set(written))
    for found, _, _ in results:
        assert sorted(found) == sorted(written)
        versions = {}
        for task_id, version, _ in found:
            versions.setdefault(task_id, []).append(version)
        assert [each for each in versions.values() if each != sorted(each)] == []
