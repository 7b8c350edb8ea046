"""What is asked of the servers, and what in their answers has to be the same."""

import hashlib
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

EVERY = ("service", "apollo", "yoga", "floor")
GRAPHQL = ("service", "apollo", "yoga")
PASSWORD = "correct horse battery"
FIRST = 25

PAGE = """
query Page($first: Int!) {
  tasks(first: $first) {
    nodes { id title description status createdAt updatedAt owner { id username } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
LIST = """
query List($first: Int!) {
  tasks(first: $first) {
    nodes {
      id ownerId title description status priority dueAt tags createdAt updatedAt completedAt version
      durationMinutes notBefore deadlineType minChunkMinutes plannedStart plannedEnd
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
TASK = "query Task($id: ID!) { task(id: $id) { id title description status createdAt updatedAt } }"
WRITTEN = """{
  task { id title description status priority dueAt tags createdAt updatedAt version }
}"""
CREATE = f"mutation Create($input: CreateTaskInput!) {{ createTask(input: $input) {WRITTEN} }}"
UPDATE = f"mutation Update($input: UpdateTaskInput!) {{ updateTask(input: $input) {WRITTEN} }}"
READ_BACK = f"query ReadBack($id: ID!) {WRITTEN}".replace("task {", "task(id: $id) {")
LOGIN = "mutation LogIn($input: LoginInput!) { login(input: $input) { token user { username } } }"
REGISTER = (
    "mutation ($input: RegisterInput!) { register(input: $input) { token user { id username } } }"
)
HOSTILE = "{ " + " ".join(f"a{number}: nope" for number in range(400)) + " }"
DOCUMENTS = (
    "query A($id: ID!) { task(id: $id) { id title } }",
    "query B($id: ID!) { task(id: $id) { id status priority dueAt } }",
    "query C($id: ID!) { task(id: $id) { title tags version owner { username } } }",
    "query D($id: ID!) { task(id: $id) { ...Times } } fragment Times on Task { createdAt updatedAt }",
    "query E { viewer { id username createdAt } }",
    "query F { tasks(first: 5) { nodes { id title } } }",
    "query G { tasks(first: 10) { nodes { id status } pageInfo { hasNextPage } } }",
    "query H { viewer { username } tasks(first: 3) { nodes { title } } }",
    "query I($id: ID!) { a: task(id: $id) { id } b: task(id: $id) { title } }",
    "query J { tasks(first: 10) { nodes { id title owner { username } } } }",
)


@dataclass
class World:
    """Who there is, and what they have."""

    reader: str = ""  # a token
    ids: list[str] = field(default_factory=list)  # of tasks of the reader
    writers: dict[str, tuple[str, list[str]]] = field(default_factory=dict)  # by server
    names: list[str] = field(default_factory=list)  # who log in


def raw(method: str, path: str, token: str = "", body: Any = None, *more: str) -> bytes:
    """A request as it goes over the wire, with the headers that a GraphQL client sends."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/graphql-response+json, application/json;q=0.9",
        "Apollo-Require-Preflight: true",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += more
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def graphql(query: str, token: str = "", **variables: Any) -> bytes:
    return raw("POST", "/graphql", token, {"query": query, "variables": variables})


# Each of these gives the requests of one run, for a server of this name.


def page(world: World, server: str, run: str) -> list[bytes]:
    if server == "floor":
        return [raw("GET", f"/tasks?n={FIRST}&owners=1", world.reader)]
    return [graphql(PAGE, world.reader, first=FIRST)]


def one_task(world: World, server: str, run: str) -> list[bytes]:
    if server == "floor":
        return [raw("GET", f"/tasks/{task}", world.reader) for task in world.ids]
    return [graphql(TASK, world.reader, id=task) for task in world.ids]


NEW_TASK = {
    "description": "Of the kind with the seeds.",
    "priority": "HIGH",
    "dueAt": "2030-06-03T09:00:00.000Z",
    "tags": ["home", "errands"],
}


def create(world: World, server: str, run: str) -> list[bytes]:
    token, _ = world.writers[server]
    given = {**NEW_TASK, "title": f"Buy bread {run}"}
    if server == "floor":
        return [raw("POST", "/tasks", token, given)]
    return [graphql(CREATE, token, input=given)]


def update(world: World, server: str, run: str) -> list[bytes]:
    token, ids = world.writers[server]
    changes = [(task, f"Buy bread {run} {turn}") for turn in "ab" for task in ids]
    if server == "floor":
        return [raw("PUT", f"/tasks/{task}", token, {"title": title}) for task, title in changes]
    return [graphql(UPDATE, token, input={"id": task, "title": title}) for task, title in changes]


WITH_CHANGES = "X-Changes: 1"  # the peers keep a change for each write then, as the service does


def _with_changes(query: str, token: str, given: dict[str, Any]) -> bytes:
    asked = {"query": query, "variables": {"input": given}}
    return raw("POST", "/graphql", token, asked, WITH_CHANGES)


def create_with_change(world: World, server: str, run: str) -> list[bytes]:
    token, _ = world.writers[server]
    return [_with_changes(CREATE, token, {**NEW_TASK, "title": f"Buy bread {run}"})]


def update_with_change(world: World, server: str, run: str) -> list[bytes]:
    token, ids = world.writers[server]
    return [
        _with_changes(UPDATE, token, {"id": task, "title": f"Buy bread {run} {turn}"})
        for turn in "ab"
        for task in ids
    ]


def complete_with_change(world: World, server: str, run: str) -> list[bytes]:
    token, ids = world.writers[server]
    return [
        _with_changes(UPDATE, token, {"id": task, "status": status})
        for status in ("PENDING", "COMPLETED")
        for task in ids
    ]


def login(world: World, server: str, run: str) -> list[bytes]:
    return [graphql(LOGIN, input={"username": name, "password": PASSWORD}) for name in world.names]


def listing(world: World, server: str, run: str) -> list[bytes]:
    return [graphql(LIST, world.reader, first=FIRST)]


def rest(world: World, server: str, run: str) -> list[bytes]:
    return [raw("GET", f"/api/v1/tasks?limit={FIRST}", world.reader)]


def _persisted(query: str) -> dict[str, Any]:
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


def persisted_get(world: World, server: str, run: str) -> list[bytes]:
    if server == "floor":
        return one_task(world, server, run)
    extensions = json.dumps(_persisted(TASK))
    return [
        raw(
            "GET",
            f"/graphql?{urlencode(dict(variables=variables, extensions=extensions))}",
            world.reader,
        )
        for task in world.ids
        for variables in [json.dumps({"id": task})]
    ]


def persisted_post(world: World, server: str, run: str) -> list[bytes]:
    if server == "floor":
        return one_task(world, server, run)
    extensions = _persisted(TASK)
    return [
        raw("POST", "/graphql", world.reader, {"variables": {"id": task}, "extensions": extensions})
        for task in world.ids
    ]


def teaching(world: World) -> tuple[bytes, bytes]:
    """A persisted query by its hash alone, and with its text."""
    asked = {"variables": {"id": world.ids[0]}, "extensions": _persisted(TASK)}
    return (
        raw("POST", "/graphql", world.reader, asked),
        raw("POST", "/graphql", world.reader, {"query": TASK, **asked}),
    )


def documents(world: World, server: str, run: str) -> list[bytes]:
    return [
        graphql(text, world.reader, **({"id": world.ids[0]} if "$id" in text else {}))
        for text in DOCUMENTS
    ]


def hostile(world: World, server: str, run: str) -> list[bytes]:
    return [graphql(HOSTILE, world.reader)]


# What of an answer has to be the same.

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def data(answer: dict) -> Any:
    """The data, but for the text of a cursor, which is each server's own."""
    assert "errors" not in answer, answer
    found = answer["data"]
    if "pageInfo" in (found.get("tasks") or {}):
        assert found["tasks"]["pageInfo"].pop("endCursor", "not asked for")
    return found


def written(answer: dict) -> Any:
    """The task, but for what is made by chance or by the clock."""
    [payload] = data(answer).values()
    task = payload["task"]
    assert _ID.fullmatch(task["id"]), task
    assert _TIME.fullmatch(task["createdAt"]), task
    assert _TIME.fullmatch(task["updatedAt"]), task
    return {name: task[name] for name in task.keys() - {"id", "createdAt", "updatedAt", "version"}}


def logged_in(answer: dict) -> Any:
    return data(answer)["login"]["user"]


def refusal(answer: dict) -> Any:
    """That nothing was executed; what is said of it is each server's own."""
    assert answer["errors"], answer
    return answer.get("data")


def anything(answer: Any) -> Any:
    assert len(answer) == FIRST, answer
    return answer


@dataclass(frozen=True)
class Workload:
    """Something to ask, of whom, and what of the answers has to be the same."""

    title: str
    requests: Callable[[World, str, str], list[bytes]]
    servers: tuple[str, ...] = EVERY
    same: Callable[[Any], Any] = data
    persisted: bool = False
    connections: int = 8
    beside: str = ""  # another workload, which it takes turns with and is compared with


WORKLOADS = {
    "page": Workload("page of 25 with owners", page),
    "task": Workload("one task", one_task),
    "create": Workload("create", create, same=written),
    "update": Workload("update", update, same=written),
    "create-change": Workload("create, with its change", create_with_change, GRAPHQL, written),
    "update-change": Workload("update, with its change", update_with_change, GRAPHQL, written),
    "complete-change": Workload(
        "complete, with its change", complete_with_change, GRAPHQL, written
    ),
    "list": Workload("page of 25, all fields, no owners", listing, GRAPHQL),
    "rest": Workload("the same by REST", rest, ("service",), anything, beside="list"),
    "persisted-get": Workload("one task, persisted, by GET", persisted_get, persisted=True),
    "persisted-post": Workload("one task, persisted, by POST", persisted_post, persisted=True),
    "documents": Workload("10 documents in turn", documents, GRAPHQL),
    "hostile": Workload("a refused hostile document", hostile, GRAPHQL, refusal),
    # Its costs are Argon2's, and the peers have no accounts: shown, not compared. The service
    # refuses more than three at once in a process.
    "login": Workload("login, 2 connections", login, ("service",), logged_in, connections=2),
}


class Connection:
    """A kept connection that tells how many bytes each answer took on the wire."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._input = self._socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, Any, int]:
        """The status, the JSON of the body, and the length of the whole answer in bytes."""
        self._socket.sendall(request)
        lines = [self._line()]
        while lines[-1] != b"\r\n":
            lines.append(self._line())
        size = sum(map(len, lines))
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in lines[1:-1])
        }
        if b"content-length" in headers:
            body = self._input.read(int(headers[b"content-length"]))
            size += len(body)
        else:
            body, framing = self._chunks()
            size += len(body) + framing
        return int(lines[0].split()[1]), json.loads(body), size

    def _chunks(self) -> tuple[bytes, int]:
        body, framing = b"", 0
        while True:
            line = self._line()
            length = int(line, 16)
            body += self._input.read(length)
            self._line()
            framing += len(line) + 2
            if not length:
                return body, framing

    def _line(self) -> bytes:
        line = self._input.readline()
        if not line:
            raise ConnectionError("The server has closed the connection.")
        return line
