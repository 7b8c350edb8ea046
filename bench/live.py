"""What subscribers cost, and how fast they hear of a change: `bench/live.py`, beside GraphQL Yoga.

One process of this service and one of Yoga, on dynoxide. First many subscribers do nothing: the
memory that each takes, and the CPU of a minute. Then some of one user hear of tasks that this user
creates: the time from sending the mutation until each has the event.
"""

import argparse
import json
import resource
import secrets
import select
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.servers import Server
from bench.workloads import Connection, graphql
from bench.world import person, prepare
from graphql_api.config import Config

SUBSCRIPTION = "subscription { changes { kind task { id title status } } }"
CREATE = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }"
PEERS = ("service", "yoga-live")
AT_ONCE = 50  # subscribers that connect at a time
WARM = 3  # changes that are not counted


def subscription(token: str) -> bytes:
    body = json.dumps({"query": SUBSCRIPTION}).encode()
    head = (
        "POST /graphql HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def subscribers(server: Server, tokens: list[str], count: int) -> Iterator[list[socket.socket]]:
    """Open streams, of each token as many as of the others."""
    with ExitStack() as stack:
        found: list[socket.socket] = []
        while len(found) < count:
            group = []
            for number in range(len(found), min(len(found) + AT_ONCE, count)):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                one.sendall(subscription(tokens[number % len(tokens)]))
                group.append(one)
            for one in group:
                one.settimeout(60)
                head = one.recv(4096)
                if b" 200 " not in head or b"text/event-stream" not in head.lower():
                    sys.exit(f"{server.name} refuses subscriber {len(found)}: {head!r}")
                found.append(one)
        yield found


def idle(server: Server, tokens: list[str], count: int, seconds: float) -> tuple[float, float]:
    """KB of each idle subscriber, and seconds of CPU a minute for all."""
    with subscribers(server, tokens[:1], 20):
        time.sleep(2)  # until everything is there that the first ones need
    before = largest(server)
    with subscribers(server, tokens, count):
        time.sleep(5)
        memory = largest(server) - before
        started, cpu = time.monotonic(), server.cpu()
        time.sleep(seconds)
        used = (server.cpu() - cpu) * 60 / (time.monotonic() - started)
    time.sleep(3)
    return memory * 1000 / count, used


def largest(server: Server) -> float:
    return server.memory()[0]


def fan_out(server: Server, token: str, count: int, changes: int) -> list[float]:
    """Milliseconds from sending a mutation to each subscriber's having its event."""
    times: list[float] = []
    with subscribers(server, [token], count) as streams, Connection(server.port) as writer:
        epoll = select.epoll()
        by_number = {one.fileno(): one for one in streams}
        for one in streams:
            one.setblocking(False)
            epoll.register(one, select.EPOLLIN)
        time.sleep(1)
        for number in range(WARM + changes):
            title = f"change {number} {secrets.token_hex(4)}"
            waiting = set(by_number)
            started = time.perf_counter()
            request = graphql(CREATE, token, input={"title": title})
            writer._socket.sendall(request)  # whose answer is read when all have heard of it
            while waiting:
                ready = epoll.poll(30)
                if not ready:
                    sys.exit(f"{server.name}: {len(waiting)} have not heard of {title}")
                for fileno, _ in ready:
                    data = by_number[fileno].recv(65536)
                    if title.encode() in data:
                        waiting.discard(fileno)
                        if number >= WARM:
                            times.append((time.perf_counter() - started) * 1000)
            answer(writer)
            time.sleep(0.05)
        epoll.close()
    return times


def answer(connection: Connection) -> None:
    """Read the answer to a request that was sent already."""
    status, body, _ = connection.ask(b"")
    if status != 200 or "errors" in body:
        sys.exit(f"unexpected: {status} {body}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000, help="subscribers that do nothing")
    parser.add_argument("--users", type=int, default=1, help="of whom the idle ones are")
    parser.add_argument("--seconds", type=float, default=60, help="for which they do nothing")
    parser.add_argument("--hearing", type=int, default=1_000, help="subscribers of one user")
    parser.add_argument("--changes", type=int, default=30, help="of which each hears")
    options = parser.parse_args()
    if complaint := servers.missing():
        sys.exit(complaint)
    servers.end_all_when_ended()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    secret = secrets.token_hex(32)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(servers.engine(directory))
        store = f"http://127.0.0.1:{engine.port}"
        prepare(Config(dynamodb=store, jwt_secret=secret.encode()))
        most = str(max(options.idle, options.hearing) + 100)
        settings = {"WORKERS": "1", "MAX_STREAMS": most, "MAX_STREAMS_PER_USER": most}
        found = {
            name: stack.enter_context(servers.start(name, directory, store, secret, **settings))
            for name in PEERS
        }
        with Connection(found["service"].port) as connection:
            tokens = [person(connection, f"subscriber-{number}") for number in range(options.users)]
        print(f"load {Path('/proc/loadavg').read_text().split()[0]}")
        rows = {}
        for name, server in found.items():
            if options.idle:
                rows[name] = idle(server, tokens, options.idle, options.seconds)
                size, cpu = rows[name]
                print(f"{name}: {options.idle} idle: {size:.1f} KB each, {cpu:.2f} s CPU a minute")
        hearing = {}
        for name, server in found.items():
            if options.hearing:
                times = fan_out(server, tokens[0], options.hearing, options.changes)
                cuts = quantiles(times, n=100)
                hearing[name] = cuts[49], cuts[98]
                print(
                    f"{name}: {options.hearing} hear: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"
                )
        service, yoga = PEERS
        for what, measured in (("bytes, CPU", rows), ("p50, p99", hearing)):
            if measured:
                pairs = zip(measured[service], measured[yoga], strict=True)
                print(
                    f"{what} to Yoga's:",
                    ", ".join(f"{ours / theirs:.2f}" for ours, theirs in pairs),
                )
        print(f"load {Path('/proc/loadavg').read_text().split()[0]}")


if __name__ == "__main__":
    main()
