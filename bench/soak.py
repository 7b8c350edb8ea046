"""Whether the memory of the workers stays flat under a long mixed load: `make soak SECONDS=600`.

The service runs with production settings, METRICS_PORT and two workers, on dynoxide. After a
warm-up the resident memory of each worker is read over and over; the exit code is 1 if it grows by
1 MB a minute or more (the slope of a least-squares line), or if any answer is not as expected.
"""

import argparse
import hashlib
import os
import random
import secrets
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from statistics import linear_regression
from typing import Any

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.servers import Server
from bench.workloads import Connection, World, graphql, raw
from bench.world import populate, prepare
from graphql_api.config import Config

MOST = 1.0  # MB a minute
CONNECTIONS = 6
WARM_SECONDS = 120  # until all caches are full
SAMPLE_SECONDS = 5
LOOKS = 20  # in each sample, of which the least counts: a password takes 64 MiB while it is checked
LOGIN_SECONDS = 2  # an address has 1,000 logins in a quarter of an hour

DELETE = "mutation Delete($input: DeleteTaskInput!) { deleteTask(input: $input) { deletedTaskId } }"

_numbers = count()  # what is asked for the first time has one of its own


@dataclass
class Seen:
    """What was answered."""

    requests: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self, kind: str) -> None:
        with self.lock:
            self.requests[kind] += 1


class User:
    """Somebody who asks for one thing after another, on a connection that is kept."""

    def __init__(self, world: World, port: int, seen: Seen) -> None:
        self.world, self.port, self.seen = world, port, seen
        self.writer, self.ids = world.writers["service"]
        self.names = cycle(random.sample(world.names, len(world.names)))
        self.connection: Connection | None = None

    def work(self, act: Callable[[], None], stop: threading.Event, pause: float = 0) -> None:
        while not stop.wait(pause) if pause else not stop.is_set():
            try:
                self.connection = self.connection or Connection(self.port)
                act()
            except Exception as error:  # whatever it is, it was not expected
                self.seen.unexpected.append(f"{type(error).__name__}: {error}")
                self.connection = None
                time.sleep(0.1)

    def ask(self, kind: str, request: bytes, status: int = 200) -> Any:
        found, answer, _ = self.connection.ask(request)
        refused = isinstance(answer, dict) and "errors" in answer
        if found != status or refused != (status != 200):
            raise ValueError(f"{kind}: {found} {answer}")
        self.seen.one(kind)
        return answer if refused or isinstance(answer, list) else answer["data"]

    def anything(self) -> None:
        """Ask for one of the kinds of things, the more common ones more often."""
        [act] = random.choices(*zip(*KINDS.items()))
        act(self)

    def page(self) -> None:
        request = graphql(workloads.PAGE, self.world.reader, first=workloads.FIRST)
        assert len(self.ask("page", request)["tasks"]["nodes"]) == workloads.FIRST

    def task(self) -> None:
        wanted = random.choice(self.world.ids)
        request = graphql(workloads.TASK, self.world.reader, id=wanted)
        assert self.ask("task", request)["task"]["id"] == wanted

    def rest(self) -> None:
        request = raw("GET", f"/api/v1/tasks?limit={workloads.FIRST}", self.world.reader)
        assert len(self.ask("rest", request)) == workloads.FIRST

    def update(self) -> None:
        given = {"id": random.choice(self.ids), "tags": [secrets.token_hex(4)]}
        self.ask("update", graphql(workloads.UPDATE, self.writer, input=given))

    def create_and_delete(self) -> None:
        given = {"title": f"Buy bread {next(_numbers)}", "dueAt": "2030-06-03T09:00:00.000Z"}
        made = self.ask("create", graphql(workloads.CREATE, self.writer, input=given))
        gone = {"id": made["createTask"]["task"]["id"]}
        self.ask("delete", graphql(DELETE, self.writer, input=gone))

    def new_document(self) -> None:
        number = next(_numbers)
        text = f"query New{number} {{ a{number}: tasks(first: 2) {{ nodes {{ id title }} }} }}"
        self.ask("new document", graphql(text, self.world.reader))

    def new_persisted(self) -> None:
        text = f"query Kept{next(_numbers)} {{ viewer {{ username }} }}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        body = {"query": text, "extensions": extensions}
        self.ask("new persisted", raw("POST", "/graphql", self.world.reader, body))

    def refused(self) -> None:
        hostile = random.choice((workloads.HOSTILE, f"{{ nope{next(_numbers)} }}", "{"))
        self.ask("refused", graphql(hostile, self.world.reader), 400)

    def log_in(self) -> None:
        given = {"username": next(self.names), "password": workloads.PASSWORD}
        made = self.ask("login", graphql(workloads.LOGIN, input=given))["login"]
        self.ask("viewer", graphql("{ viewer { username } }", made["token"]))


KINDS: dict[Callable[[User], None], int] = {
    User.task: 30,
    User.page: 20,
    User.rest: 10,
    User.update: 10,
    User.create_and_delete: 10,
    User.new_document: 10,
    User.new_persisted: 10,
    User.refused: 5,
}


def main() -> int:
    options = argparse.ArgumentParser(description="See whether memory stays flat under load.")
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--warm-seconds", type=int, default=WARM_SECONDS)
    given = options.parse_args()
    if not servers.ENGINE.is_file():
        print("Cannot measure: the engine is needed, npm's @dynoxide/linux-x64.", file=sys.stderr)
        return 2
    servers.end_all_when_ended()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; {CONNECTIONS} connections"
        f" for {given.seconds} s, after {given.warm_seconds} s to warm up",
        flush=True,
    )
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(servers.engine(directory, on_disk=True))
        store, secret = f"http://127.0.0.1:{engine.port}", secrets.token_hex(32)
        raw_client = prepare(Config.from_env({"DYNAMODB": store, "JWT_SECRET": secret}))
        metrics = servers.free_port()
        more = {"METRICS_PORT": str(metrics), "JWT_TTL": str(86_400)}
        service = stack.enter_context(servers.start("service", directory, store, secret, **more))
        with Connection(service.port) as connection:
            world = populate(raw_client, ["service"], lambda request: connection.ask(request)[1])
        seen = Seen()
        stack.enter_context(load(world, service, metrics, seen))
        time.sleep(given.warm_seconds)
        begun, before = time.monotonic(), seen.requests.total()
        samples = sample(service, given.seconds)
        rate = (seen.requests.total() - before) / (time.monotonic() - begun)
    return report(samples, seen, rate)


@contextmanager
def load(world: World, service: Server, metrics: int, seen: Seen) -> Iterator[None]:
    """Users who ask meanwhile, and Prometheus."""
    stop = threading.Event()

    def scrape() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
            assert b"task_scheduler_requests_total" in answer.read()
        seen.one("metrics")

    users = [User(world, service.port, seen) for _ in range(CONNECTIONS + 2)]
    work = [(user, user.anything, 0) for user in users[2:]]
    work += [(users[0], users[0].log_in, LOGIN_SECONDS), (users[1], scrape, 15)]
    threads = [
        threading.Thread(target=user.work, args=(act, stop, pause), daemon=True)
        for user, act, pause in work
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:  # their last requests are answered before the service ends
            thread.join()


def sample(service: Server, seconds: float) -> list[tuple[float, dict[int, float]]]:
    """The minute, and the resident MB of each worker, every few seconds."""
    samples, begun = [], time.monotonic()
    while (passed := time.monotonic() - begun) < seconds or len(samples) < 2:
        looks = []
        for _ in range(LOOKS):
            looks.append(service.resident())
            time.sleep(SAMPLE_SECONDS / LOOKS)
        looks[0].pop(service.process.pid, None)
        least = {pid: min(look.get(pid, 0.0) for look in looks) for pid in looks[0]}
        samples.append((passed / 60, least))
    return samples


def report(samples: list[tuple[float, dict[int, float]]], seen: Seen, rate: float) -> int:
    """Print what was found; 1 if it is not as it should be."""
    minutes = [minute for minute, _ in samples]
    problems = [f"unexpected: {each[:300]}" for each in seen.unexpected[:5]]
    if len({frozenset(found) for _, found in samples}) > 1:
        problems.append("a worker has ended and was replaced")
    print(f"\n{'':15}{'first MB':>10}{'last':>8}{'max':>8}{'MB/min':>9}")
    for pid in samples[0][1]:
        sizes = [found.get(pid, 0.0) for _, found in samples]
        slope = linear_regression(minutes, sizes).slope
        print(f"worker {pid:<8}{sizes[0]:10.1f}{sizes[-1]:8.1f}{max(sizes):8.1f}{slope:9.2f}")
        if slope >= MOST:
            problems.append(f"worker {pid} grows by {slope:.2f} MB a minute")
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in seen.requests.most_common())
    print(f"\n{seen.requests.total():,} requests, {rate:,.0f}/s: {kinds}")
    print(f"{len(seen.unexpected)} unexpected answers")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
