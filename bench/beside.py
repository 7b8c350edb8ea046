"""How long one task takes beside others who ask for what takes long: `bench/beside.py`.

One worker with production settings, on dynoxide. Four clients at a time ask for one kind of thing,
over and over, whose two users have 2,000 open tasks each; a fifth asks for one task, again and again.
"""

import argparse
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import quantiles

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.workloads import Connection, graphql, raw
from bench.world import data_of, person, prepare
from graphql_api.config import Config

CLIENTS = 4
TASKS = 2_000  # of each user whose lists are long
AT_ONCE = 100  # that createTasks takes
PAUSE = 0.002  # seconds between two requests for the task

CREATE_MANY = (
    "mutation Many($input: CreateTasksInput!) { createTasks(input: $input) { __typename } }"
)
BY_URGENCY = "{ tasks(first: 25, orderBy: {field: URGENCY, direction: DESC}) { nodes { id } } }"
SCHEMA = (
    "{ __schema { types { name description fields { name description args { name type { name kind } }"
    " type { name kind ofType { name } } } } } }"
)
LONG = f"{{ viewer {{ {'id username createdAt ' * 40} }} }}"

_numbers = count()  # what is asked for the first time has one of its own


def new(text: str) -> str:
    """The document as nobody has asked for it before."""
    return f"{text} # {next(_numbers)}"


KINDS: dict[str, Callable[[str], bytes]] = {
    "a list by urgency": lambda token: graphql(BY_URGENCY, token),
    "all tasks by REST": lambda token: raw("GET", "/api/v1/tasks", token),
    "a new long document": lambda token: graphql(new(LONG), token),
    "the schema": lambda token: graphql(new(SCHEMA), token),
}
LOADS = {
    "nobody": [],
    **{name: [kind] for name, kind in KINDS.items()},
    "all": list(KINDS.values()),
}


def main() -> int:
    options = argparse.ArgumentParser(description="See what keeps others waiting.")
    options.add_argument("--seconds", type=float, default=3)
    given = options.parse_args()
    if not servers.ENGINE.is_file():
        print("Cannot measure: the engine is needed, npm's @dynoxide/linux-x64.", file=sys.stderr)
        return 2
    servers.end_all_when_ended()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; {given.seconds} s each\n")
    print(
        f"{'one task beside':26}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'they: /s':>10}{'not 200':>9}"
    )
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(servers.engine(directory))
        store, secret = f"http://127.0.0.1:{engine.port}", secrets.token_hex(32)
        prepare(Config.from_env({"DYNAMODB": store, "JWT_SECRET": secret}))
        more = {"WORKERS": "1", "INTROSPECTION": "1"}
        service = stack.enter_context(servers.start("service", directory, store, secret, **more))
        with Connection(service.port) as connection:
            tokens = [person(connection, f"busy-{number}") for number in range(2)]
            for token in tokens:
                fill(connection, token)
            probe = person(connection, "probe")
            made = data_of(connection, graphql(workloads.CREATE, probe, input={"title": "x"}))
            one = graphql(workloads.TASK, probe, id=made["createTask"]["task"]["id"])
            for name, kinds in LOADS.items():
                with load(kinds, tokens, service.port) as answers:
                    times = sorted(measure(connection, one, given.seconds))
                    statuses = list(answers)
                p50, p99 = (
                    quantiles(times, n=100, method="inclusive")[at] * 1_000 for at in (49, 98)
                )
                others = f"{len(statuses) / given.seconds:10.0f}{sum(s != 200 for s in statuses):9}"
                print(f"{name:26}{p50:8.1f}{p99:8.1f}{times[-1] * 1_000:8.1f}{others}", flush=True)
    return 0


def fill(connection: Connection, token: str) -> None:
    """Give somebody many tasks."""
    for _ in range(TASKS // AT_ONCE):
        tasks = [{"title": f"Buy bread {number}", "tags": ["a"]} for number in range(AT_ONCE)]
        data_of(connection, graphql(CREATE_MANY, token, input={"tasks": tasks}))


@contextmanager
def load(kinds: list[Callable[[str], bytes]], tokens: list[str], port: int) -> Iterator[list[int]]:
    """Clients who ask for these kinds of things meanwhile; the statuses that they get."""
    stop, statuses = threading.Event(), []

    def work(number: int) -> None:
        with Connection(port) as connection:
            while not stop.is_set():
                request = kinds[number % len(kinds)](tokens[number // len(kinds) % len(tokens)])
                statuses.append(connection.ask(request)[0])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CLIENTS if kinds else 0)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def measure(connection: Connection, request: bytes, seconds: float) -> Iterator[float]:
    """The seconds that each answer takes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        data_of(connection, request)
        yield time.perf_counter() - began
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main())
