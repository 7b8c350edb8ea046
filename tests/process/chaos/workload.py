"""Clients that write to the same few tasks at once, and note what they hear."""

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from history import History, Operation

PASSWORD = "correct horse battery"
SHARED = 3  # tasks that all clients write to at a time
LIFE = 24  # operations after which a task is left alone, so that its history can be checked
NAMES = 5  # that are registered, each by several clients
GRACE = 8  # seconds in which a spent refresh token may be used again: two fewer than it is
PATIENCE = 15  # seconds for an answer


class Answer(NamedTuple):
    """Status 0 is no answer; None in its place is a request that cannot have been sent."""

    status: int
    body: Any


class Connection:
    """To the service, wherever it has been restarted meanwhile."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer | None:
        if self.http is None:
            self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                self.http.connect()
            except OSError:
                self.http = None
                return None
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"} | headers
            self.http.request(method, path, content, headers)
            answer = self.http.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return Answer(0, None)

    def close(self) -> None:
        if self.http is not None:
            self.http.close()
            self.http = None


class Slot:
    """A task that clients share, by the idempotency key that makes it."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.key, self.id, self.version, self.used = f"slot-{next(self._numbers)}", "", 0, 0


class Workload:
    """All clients, the user whose tasks they write, and the history of it all."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.history = History()
        self.stop = threading.Event()
        self.answered: list[float] = []  # when an answer that is no refusal came
        self._slots = [Slot() for _ in range(SHARED)]
        self._random = random.Random(seed)
        self._titles = itertools.count()
        self._token = self._sign_up("owner")["token"]

    def run(self, clients: int) -> list[threading.Thread]:
        """Start so many clients, each with a seed of its own."""
        threads = [
            threading.Thread(target=Client(self, n, self._random.randrange(2**32)).run)
            for n in range(clients)
        ]
        for thread in threads:
            thread.start()
        return threads

    def finish(self) -> None:
        """Look at everything that was written, now that nobody writes."""
        looker = Client(self, -1, 0)
        keys = {op.key for op in self.history.operations if op.kind == "create"}
        for key in sorted(keys):
            looker.create(key)
        for name in sorted({op.key for op in self.history.operations if op.kind == "register"}):
            looker.register(name)
        listed = looker.ask("GET", "/api/v1/tasks")
        assert listed is not None
        assert listed.status == 200
        for key in keys:
            found = [task for task in listed.body if key in task["tags"]]
            if len(found) > 1:
                self.history.violate(f"{key}: there are {len(found)} tasks of one key")
        looker.connection.close()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def title(self) -> str:
        """A title that no other write has."""
        return f"title-{next(self._titles)}"

    def slot(self, which: random.Random) -> Slot:
        """One of the shared tasks; another in its place when it has been used enough."""
        slot = which.choice(self._slots)
        slot.used += 1
        if slot.used > LIFE:
            slot.begin()
        return slot

    def _sign_up(self, name: str) -> Any:
        connection = Connection(self.port)
        answer = connection.ask("POST", "/auth/register", {"username": name, "password": PASSWORD})
        assert answer is not None
        assert answer.status == 201, answer
        connection.close()
        return answer.body


class Client:
    """One after the other, it does things at random."""

    def __init__(self, workload: Workload, number: int, seed: int) -> None:
        self.workload, self.number = workload, number
        self.random = random.Random(seed)
        self.connection = Connection(workload.port)
        self.refresh_token = ""
        self.spent_since: float | None = None  # when the token was first sent without an answer

    def run(self) -> None:
        """Do things until it is enough."""
        usual: list[tuple[int, Callable[[], object]]] = [
            (20, lambda: self.create(self.workload.slot(self.random).key)),
            (20, lambda: self.create(f"own-{self.number}-{self.workload.title()}")),
            (40, lambda: self.update(versioned=True)),
            (25, lambda: self.update(versioned=False)),
            (25, self.read),
            (6, self.delete),
            (6, self.refresh),
            (1, lambda: self.register(f"name-{self.random.randrange(NAMES)}")),
        ]
        weights, acts = zip(*usual, strict=True)
        while not self.workload.stop.is_set():
            self.random.choices(acts, weights)[0]()
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer | None:
        """Ask as the owner of the tasks."""
        answer = self.connection.ask(method, path, body, **self.workload.headers(), **headers)
        if answer is None or answer.status in {0, 503}:
            time.sleep(self.random.uniform(0, 0.1))
        else:
            self.workload.answered.append(time.monotonic())
        return answer

    def create(self, key: str) -> None:
        body = {"title": key, "tags": [key]}
        headers = {"Idempotency-Key": key}
        op = self._begin(key, "create", title=key)
        answer = self.ask("POST", "/api/v1/tasks", body, **headers)
        shown = self._note(op, answer, {409: "gone"})
        for slot in self.workload._slots:
            if shown and slot.key == key:
                slot.id, slot.version = shown["task_id"], shown["version"]

    def update(self, *, versioned: bool) -> None:
        slot = self.workload.slot(self.random)
        key, task_id, version = slot.key, slot.id, slot.version
        if not task_id:
            return self.create(key)
        expected = version if versioned else None
        title = self.workload.title()
        op = self._begin(key, "update", expected=expected, title=title)
        answer = self.ask("PATCH", f"/api/v1/tasks/{task_id}", {"title": title}, **_match(expected))
        shown = self._note(op, answer, {404: "missing", 409: "conflict", 412: "conflict"})
        self._learn(slot, key, answer, shown)
        return None

    def delete(self) -> None:
        slot = self.workload.slot(self.random)
        key, task_id, version = slot.key, slot.id, slot.version
        if not task_id:
            return
        expected = version if self.random.random() < 0.5 else None
        op = self._begin(key, "delete", expected=expected)
        answer = self.ask("DELETE", f"/api/v1/tasks/{task_id}", **_match(expected))
        shown = self._note(op, answer, {404: "missing", 409: "conflict", 412: "conflict"})
        self._learn(slot, key, answer, None)
        if shown:
            slot.used += LIFE // 2

    def read(self) -> None:
        slot = self.workload.slot(self.random)
        key, task_id = slot.key, slot.id
        if not task_id:
            return
        op = self._begin(key, "read")
        answer = self.ask("GET", f"/api/v1/tasks/{task_id}")
        self._learn(slot, key, answer, self._note(op, answer, {404: "missing"}))

    def register(self, name: str) -> None:
        op = self._begin(name, "register")
        body = {"username": name, "password": PASSWORD}
        shown = self._note(op, self.ask("POST", "/auth/register", body), {409: "conflict"})
        if shown and not self.refresh_token:
            self.refresh_token = shown["refresh_token"]

    def refresh(self) -> None:
        """Whoever has the newest refresh token stays logged in, whatever was lost on the way."""
        if not self.refresh_token:
            return
        sent = time.monotonic()
        answer = self.ask("POST", "/auth/refresh", {"refresh_token": self.refresh_token})
        if answer is None:
            return
        late = self.spent_since is not None and time.monotonic() - self.spent_since > GRACE
        if answer.status == 200:
            self.refresh_token, self.spent_since = answer.body["refresh_token"], None
        elif answer.status in {0, 503}:
            self.spent_since = self.spent_since or sent
        elif late:  # it could not be known in time that it was spent
            self.refresh_token, self.spent_since = "", None
        else:
            self.workload.history.violate(f"a refresh was refused: {answer}")

    def _begin(self, key: str, kind: Any, **wanted: Any) -> Operation:
        now = time.monotonic()
        return Operation(key, kind, "ok", now, now, client=self.number, **wanted)

    def _note(self, op: Operation, answer: Answer | None, outcomes: dict[int, Any]) -> Any:
        """Note the operation, unless it was never sent; what was shown if it went well."""
        if answer is None:
            return None
        heard: dict[str, Any] = {"returned": time.monotonic()}
        if answer.status in {200, 201}:
            body = answer.body
            heard |= {"id": body.get("task_id", ""), "version": body.get("version", 1)}
            heard["title"] = body.get("title", "")
            self.workload.history.add(op, **heard)
            return body
        if answer.status in {0, 503}:
            heard["outcome"] = "unknown"
        elif answer.status in outcomes:
            heard["outcome"] = outcomes[answer.status]
        else:
            self.workload.history.violate(f"{op}: {answer}")
            heard["outcome"] = "unknown"
        self.workload.history.add(op, **heard)
        return None

    def _learn(self, slot: Slot, key: str, answer: Answer | None, shown: Any) -> None:
        """Remember the task's version for the next change that expects one."""
        if slot.key != key or answer is None:
            return
        if shown:
            slot.version = shown["version"]
        elif answer.status == 412:
            slot.version = answer.body.get("current_version", slot.version)


def _match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}
