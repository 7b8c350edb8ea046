"""What ten normal users notice while others do their worst: `make siege`.

The service as it is deployed (two processes, its default limits) on dynoxide. Ten users ask for a page, for one
task, and create one, over and over with a pause, while somebody else attacks. A line tells what the ten
got: answers, refusals, failed requests, p50 and p99 and the longest gap in which nobody of them was answered;
and the largest resident memory of a worker. All requests of the attackers are valid, or merely slow.
Each attack runs in a process of its own.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.servers import Server
from bench.workloads import Connection, graphql, raw
from bench.world import data_of, person, prepare
from graphql_api.config import Config

CLIENTS = 4  # of an attacker
USERS = 10
PAUSE = 0.02  # seconds between two requests of a normal user
SLOW_CLIENTS = 5_000
SLOW_ADDRESSES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
SLOW_BYTES = 560  # a second of each, just more than has to come
STALLED = 20  # clients that do not read
KILL_EVERY = 3.0  # seconds

PAGE = "{ tasks(first: 25) { nodes { id title status priority dueAt } } }"
CREATE_MANY = (
    "mutation Many($input: CreateTasksInput!) { createTasks(input: $input) {"
    " results { task { id } } } }"
)
ADD_BLOCKERS = (
    "mutation ($id: ID!, $by: [ID!]!) { addBlockers(input: {taskId: $id, blockerIds: $by})"
    " { task { id } } }"
)


def aliased(field: str, times: int = 14) -> str:
    return " ".join(f"a{number}: {field}" for number in range(times))


PLAN = (
    "query ($input: PlanInput!) { planPreview(input: $input) { stoppedEarly blocks { taskId } } }"
)
REASONS = (
    "query ($input: PlanInput!) { planPreview(input: $input) { blocks { "
    + aliased("reasons { code text }")
    + " } } }"
)
ROUND_THE_CLOCK = (
    "mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) {"
    " settings { timezone } } }"
)
URGENCY = "urgency { score terms { name value } }"
DOCUMENTS = {
    "descriptions by aliases": f"{{ tasks(first: 100) {{ nodes {{ blockedBy {{ {aliased('description')} }} }} }} }}",
    "whole descriptions": "{ tasks(first: 100) { nodes { title description } } }",
    "urgency by aliases": f"{{ tasks(first: 100) {{ nodes {{ {aliased(URGENCY)} }} }} }}",
    "urgency of blockers": f"{{ tasks(first: 100) {{ nodes {{ id blockedBy {{ {aliased(URGENCY)} }} }} }} }}",
}


class Attack(NamedTuple):
    """Something that goes on in another process until it is ended."""

    title: str
    run: Callable[[int, list[str]], None]


def main() -> int:
    options = argparse.ArgumentParser(description="See what keeps others waiting.")
    options.add_argument("--seconds", type=float, default=15, help="of each attack")
    options.add_argument("--only", help="part of the titles of attacks to run")
    given = options.parse_args()
    if not servers.ENGINE.is_file():
        print("Cannot measure: the engine is needed, npm's @dynoxide/linux-x64.", file=sys.stderr)
        return 2
    servers.end_all_when_ended()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; {given.seconds:g} s each\n")
    print(
        f"{'ten users beside':34}{'answered':>9}{'refused':>9}{'failed':>8}"
        f"{'p50 ms':>8}{'p99 ms':>8}{'gap ms':>8}{'MB':>6}   attackers' statuses"
    )
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(servers.engine(directory))
        store, secret = f"http://127.0.0.1:{engine.port}", secrets.token_hex(32)
        prepare(Config.from_env({"DYNAMODB": store, "JWT_SECRET": secret}))
        service = stack.enter_context(servers.start("service", directory, store, secret))
        with Connection(service.port) as connection:
            normal = [person(connection, f"normal-{number}") for number in range(USERS)]
            hostile = [person(connection, f"hostile-{number}") for number in range(2)]
            for token in normal:
                fill(connection, token, 25, {})
            fill_to_hurt(connection, hostile[0])
            fill_for_plans(connection, hostile[1])
        for title, attack in attacks(service):
            if not given.only or given.only in title:
                beside(title, attack, service, normal, hostile, given.seconds)
    return 0


def attacks(service: Server) -> Iterator[Attack]:
    yield Attack("nobody", quiet)
    for title, text in DOCUMENTS.items():
        yield Attack(title, Repeat(graphql_of(text)))
    yield Attack("whole lists by REST", Repeat(rest_list))
    yield Attack("the largest body", Repeat(large_body))
    yield Attack("plans", Repeat(worst_plan))
    yield Attack("a plan's reasons by aliases", Repeat(reasons))
    yield Attack(f"{STALLED} who do not read", stall)
    yield Attack(f"{SLOW_CLIENTS:,} slow clients", trickle)
    yield Attack(f"a kill every {KILL_EVERY:g} s", Killer(service))
    yield Attack("nobody, afterwards", quiet)


# What the attackers do


def quiet(port: int, tokens: list[str]) -> None:
    time.sleep(3_600)


class Repeat:
    """Clients that ask for the same over and over."""

    def __init__(self, request: Callable[[list[str]], bytes]) -> None:
        self._request = request

    def __call__(self, port: int, tokens: list[str]) -> None:
        request, seen = self._request(tokens), Counter[str]()

        def work() -> None:
            while True:
                with suppress(OSError, ConnectionError, ValueError), Connection(port) as connection:
                    while True:
                        status, answer, _ = connection.ask(request)
                        seen[outcome(status, answer)] += 1

        for _ in range(CLIENTS):
            threading.Thread(target=work, daemon=True).start()
        report(seen)


def graphql_of(text: str) -> Callable[[list[str]], bytes]:
    return lambda tokens: graphql(text, tokens[0])


def rest_list(tokens: list[str]) -> bytes:
    return raw("GET", "/api/v1/tasks", tokens[0])


def large_body(tokens: list[str]) -> bytes:
    """The largest body that is read: nothing but small objects that are wrong."""
    return graphql(CREATE_MANY, tokens[0], input={"tasks": [{}] * 16_000})


def worst_plan(tokens: list[str]) -> bytes:
    return graphql(PLAN, tokens[1], input=plan_input())


def reasons(tokens: list[str]) -> bytes:
    return graphql(REASONS, tokens[1], input=plan_input())


def plan_input() -> dict[str, object]:
    """Days of 24 hours, with a minute taken every 173, in which no part of a task fits well."""
    start = datetime(2030, 1, 7, tzinfo=UTC)
    busy = [start + timedelta(minutes=173 * number) for number in range(1, 500)]
    return {
        "from": start.isoformat(),
        "horizonDays": 60,
        "busy": [
            {"start": at.isoformat(), "end": (at + timedelta(minutes=1)).isoformat()} for at in busy
        ],
    }


def outcome(status: int, answer: object) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    code = errors[0]["extensions"]["code"] if errors else ""
    return f"{status} {code}".strip()


def stall(port: int, tokens: list[str]) -> None:
    request = graphql(DOCUMENTS["whole descriptions"], tokens[0])
    open_ones: list[socket.socket] = []
    while True:
        open_ones = [sock for sock in open_ones if not is_closed(sock)]
        while len(open_ones) < STALLED:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            sock.connect(("127.0.0.1", port))
            sock.sendall(request * 4)
            open_ones.append(sock)
        time.sleep(0.5)


def is_closed(sock: socket.socket) -> bool:
    """Look whether the server has closed, without reading what it sent."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0:1] not in (b"\x01", 1)
    except OSError:
        return True


def trickle(port: int, tokens: list[str]) -> None:
    """Bodies that come a little faster than the slowest that are allowed, of three addresses."""
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000000\r\n\r\n"
    ).encode()
    clients: dict[int, socket.socket] = {}
    while True:
        started = time.monotonic()
        for number, address in zip(range(SLOW_CLIENTS), cycle(SLOW_ADDRESSES)):
            try:
                if number not in clients:
                    sock = socket.socket()
                    sock.settimeout(0.2)
                    sock.bind((address, 0))
                    sock.connect(("127.0.0.1", port))
                    sock.sendall(head)
                    sock.setblocking(False)  # noqa: FBT003
                    clients[number] = sock
                clients[number].send(b"x" * SLOW_BYTES)
            except BlockingIOError:
                pass
            except OSError:
                if (sock := clients.pop(number, None)) is not None:
                    sock.close()
        time.sleep(max(0.0, 1 - (time.monotonic() - started)))


class Killer:
    """Ends a worker now and then, by SIGKILL."""

    def __init__(self, service: Server) -> None:
        self._service = service

    def __call__(self, port: int, tokens: list[str]) -> None:
        while True:
            time.sleep(KILL_EVERY)
            master, *workers = self._service.tree()
            if workers:
                os.kill(secrets.choice(workers), signal.SIGKILL)


def report(seen: Counter[str]) -> None:
    """Tell the parent what was answered until now, again and again."""
    while True:
        time.sleep(0.5)
        told = json.dumps(seen.most_common(3))
        Path(os.environ["SIEGE_REPORT"]).write_text(told)


# What the ten notice


class Outcomes:
    """The answers that normal users got, in the order of their ends."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.ends: list[float] = []
        self.refused = self.failed = 0
        self._lock = threading.Lock()

    def answered(self, began: float) -> None:
        now = time.monotonic()
        with self._lock:
            self.seconds.append(now - began)
            self.ends.append(now)


def beside(
    title: str,
    attack: Callable[[int, list[str]], None],
    service: Server,
    normal: list[str],
    hostile: list[str],
    seconds: float,
) -> None:
    """Run one attack, and print the line of what the ten noticed."""
    outcomes, stop = Outcomes(), threading.Event()
    with attacked(attack, service.port, hostile) as told:
        time.sleep(1)
        began, peak = time.monotonic(), 0.0
        threads = [
            threading.Thread(target=user, args=(service.port, token, outcomes, stop))
            for token in normal
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < began + seconds:
            time.sleep(0.05)
            peak = max([peak, *service.memory()])
        stop.set()
        for thread in threads:
            thread.join(30)
        statuses = told.read_text() if told.exists() else ""
    ends = [began, *sorted(outcomes.ends), time.monotonic()]
    gap = max(later - earlier for earlier, later in zip(ends, ends[1:], strict=False))
    times = outcomes.seconds or [seconds]
    p50, p99 = (
        quantiles([*times, times[-1]], n=100, method="inclusive")[at] * 1e3 for at in (49, 98)
    )
    print(
        f"{title:34}{len(outcomes.seconds):9,}{outcomes.refused:9,}{outcomes.failed:8,}"
        f"{p50:8.1f}{p99:8.1f}{gap * 1e3:8.0f}{peak:6.0f}   {statuses}",
        flush=True,
    )


@contextmanager
def attacked(
    attack: Callable[[int, list[str]], None], port: int, tokens: list[str]
) -> Iterator[Path]:
    """An attack in a process of its own, and the file in which it tells what it was answered."""
    with tempfile.TemporaryDirectory() as directory:
        told = Path(directory) / "told"
        os.environ["SIEGE_REPORT"] = str(told)
        process = multiprocessing.get_context("fork").Process(
            target=attack, args=(port, tokens), daemon=True
        )
        process.start()
        try:
            yield told
        finally:
            process.kill()
            process.join()


def user(port: int, token: str, outcomes: Outcomes, stop: threading.Event) -> None:
    """Ask for a page, one task, and to create one, until told to stop; connections are kept."""
    number = count()
    connection: http.client.HTTPConnection | None = None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    requests = cycle(
        [
            lambda: {"query": PAGE},
            lambda: {"query": "{ viewer { id username } }"},
            lambda: {
                "query": workloads.CREATE,
                "variables": {"input": {"title": f"{next(number)}"}},
            },
        ]
    )
    while not stop.is_set():
        began = time.monotonic()
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", "/graphql", json.dumps(next(requests)()), headers)
            answer = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            outcomes.failed += 1
            connection = None
        else:
            if "errors" in answer:
                outcomes.refused += 1
            else:
                outcomes.answered(began)
        time.sleep(PAUSE)


# What they have


def fill(connection: Connection, token: str, number: int, fields: dict[str, object]) -> list[str]:
    """Give somebody so many tasks with these fields; their ids."""
    ids: list[str] = []
    while len(ids) < number:
        size = min(1 if "description" in fields else 50, number - len(ids))
        tasks = [{"title": f"Buy bread {len(ids) + turn}", **fields} for turn in range(size)]
        data = data_of(connection, graphql(CREATE_MANY, token, input={"tasks": tasks}))
        ids += [result["task"]["id"] for result in data["createTasks"]["results"]]
    return ids


def fill_to_hurt(connection: Connection, token: str) -> None:
    """300 tasks with descriptions of nothing but line ends, 100 of them blocked by five others."""
    ids = fill(connection, token, 300, {"description": "\n" * 31_900})
    for number, task in enumerate(ids[200:]):
        by = [ids[(number * 2 + turn) % 200] for turn in range(5)]
        data_of(connection, graphql(ADD_BLOCKERS, token, id=task, by=by))


def fill_for_plans(connection: Connection, token: str) -> None:
    days = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
    hours = [{"day": day, "intervals": [{"start": "00:00", "end": "00:00"}]} for day in days]
    data_of(connection, graphql(ROUND_THE_CLOCK, token, input={"workingHours": hours}))
    fields = {"durationMinutes": 14_400, "minChunkMinutes": 172}
    fill(connection, token, 2_000, fields)


if __name__ == "__main__":
    sys.exit(main())
