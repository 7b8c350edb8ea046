"""How this service compares with Apollo Server, GraphQL Yoga and the floor, on the same tables.

    make bench
    make bench BENCH="--rounds 3 --seconds 2 --workloads page,task --servers service,floor"
    make bench BENCH="--before ../earlier --servers service"  # another checkout, with its .venv

All servers run at once on one engine, each with two processes, and are asked one after another
by wrk over 8 connections (logins: 2); the order turns with each round, REST's list has its turn
among GraphQL's. Before anything is timed, all must give the same data, and what they write must
be there for this service. Every answer of a run has to be as long as those that were checked,
give or take a twentieth: an error would not be.

Other work on the machine moves the figures: only ratios count. `we` is this service's figure as
a multiple of that line's: the median over the rounds of the ratio within a round. CPU is utime +
stime of all the server's processes for each request, the engine's and wrk's apart: what moves
least when other programs take their share. MB is the resident memory of the largest process.
"""

import argparse
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).parent.parent)

from bench import servers, workloads
from bench.servers import Server
from bench.workloads import WORKLOADS, Connection, Workload, World
from bench.world import populate, prepare
from graphql_api.config import Config

NAMES = {
    "service": "this service",
    "before": "before",
    "apollo": "Apollo Server",
    "yoga": "GraphQL Yoga",
    "floor": "the floor",
}
RIVALS = ("before", "apollo", "yoga", "floor")
# Of each server at each workload, untimed: V8 compiles what is hot, the later the busier the machine.
WARM_REQUESTS = 1_500
WARM_SECONDS = 5
MOST_WARM_RUNS = 6
HIT_IN_A_ROW = 30  # new connections that meet a process which knows the persisted query


@dataclass(frozen=True)
class Run:
    """What one server did in one round."""

    rate: float  # requests/s
    p50: float  # ms
    p99: float  # ms
    cpu: float  # ms a request
    memory: float  # MB of the largest process
    requests: int


def main() -> int:
    options = _options()
    if problem := servers.missing():
        print(f"Cannot measure: {problem}.", file=sys.stderr)
        return 2
    servers.end_all_when_ended()
    _print_machine(options)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(servers.engine(directory, on_disk=options.on_disk))
        store, secret = f"http://127.0.0.1:{engine.port}", secrets.token_hex(32)
        raw = prepare(Config.from_env({"DYNAMODB": store, "JWT_SECRET": secret}))
        # The service comes first, and is always there: people register with it.
        names = ["service", *(["before"] if options.before else [])]
        names += [name for name in options.servers if name not in names]
        running = {
            name: stack.enter_context(servers.start(name, directory, store, secret, options.before))
            for name in names
        }
        with Connection(running["service"].port) as connection:
            world = populate(raw, running, lambda request: connection.ask(request)[1])
        sizes = check(world, running, options.workloads)
        runs = measure(world, running, sizes, options, directory)
    _print_table(runs)
    if options.json:
        plain = {w: {s: [asdict(r) for r in rs] for s, rs in of.items()} for w, of in runs.items()}
        Path(options.json).write_text(json.dumps(plain, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    def names(known):
        def parse(text):
            chosen = text.split(",")
            if unknown := set(chosen) - set(known):
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not of {', '.join(known)}")
            return chosen

        return parse

    parser = argparse.ArgumentParser(description="Measure this service against its peers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--workloads", type=names(WORKLOADS), default=list(WORKLOADS))
    known = [name for name in NAMES if name != "before"]
    parser.add_argument("--servers", type=names(known), default=known)
    parser.add_argument("--before", type=Path, help="another checkout of this service to compare")
    parser.add_argument("--on-disk", action="store_true", help="keep the engine's data in a file")
    parser.add_argument("--json", help="a file for the figures of every run")
    return parser.parse_args()


def _print_machine(options: argparse.Namespace) -> None:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    load = " ".join(f"{part:.2f}" for part in os.getloadavg())
    print(
        f"{os.cpu_count()} cores, load {load}; Python {platform.python_version()}, Node {node};"
        f" {options.rounds} rounds of {options.seconds} s,"
        f" {servers.WORKERS} processes a server"
    )


def check(
    world: World, running: dict[str, Server], chosen: list[str]
) -> dict[tuple[str, str], float]:
    """See that all give the same data; the mean bytes of an answer, by workload and server."""
    sizes = {}
    for name in chosen:
        workload = WORKLOADS[name]
        expected = None
        for server in _servers_of(workload, running):
            answers, lengths = _ask_all(world, running["service"], server, workload)
            if expected is None:
                expected = answers
            if answers != expected:
                sys.exit(
                    f"{workload.title}: {server.name} answers otherwise:\n{answers}\n{expected}"
                )
            sizes[name, server.name] = sum(lengths) / len(lengths)
    print("All give the same data.\n", flush=True)
    return sizes


def _ask_all(
    world: World, service: Server, server: Server, workload: Workload
) -> tuple[list, list[int]]:
    requests = workload.requests(world, server.name, "checked")
    if workload.persisted and server.name != "floor":
        teach(world, server)
    answers, lengths = [], []
    with Connection(server.port) as connection:
        for request in requests[:100]:
            _, answer, length = connection.ask(request)
            answers.append(workload.same(answer))
            lengths.append(length)
            if workload.same is workloads.written:
                _read_back(world, service, server, answer)
    return answers, lengths


def _read_back(world: World, service: Server, writer: Server, answer: dict) -> None:
    """See that a task which a server has written is the same for this service."""
    [payload] = answer["data"].values()
    token, _ = world.writers[writer.name]
    with Connection(service.port) as connection:
        asked = workloads.graphql(workloads.READ_BACK, token, id=payload["task"]["id"])
        _, found, _ = connection.ask(asked)
    if found["data"] != payload:
        sys.exit(f"{writer.name} has not written what it says:\n{payload}\n{found}")


def teach(world: World, server: Server) -> None:
    """Send a persisted query until every process knows it."""
    by_hash, with_text = workloads.teaching(world)
    hits = 0
    while hits < HIT_IN_A_ROW:
        with Connection(server.port) as connection:
            _, answer, _ = connection.ask(by_hash)
            hits += 1
            if "errors" in answer:
                hits = 0
                _, answer, _ = connection.ask(with_text)
                assert "errors" not in answer, answer


def _servers_of(workload: Workload, running: dict[str, Server]) -> list[Server]:
    names = [*workload.servers, *(["before"] if "service" in workload.servers else [])]
    return [running[name] for name in names if name in running]


def measure(world, running, sizes, options, directory) -> dict[str, dict[str, list[Run]]]:
    """Every workload in every round, the servers one after another."""
    runs = {
        name: {server.name: [] for server in _servers_of(WORKLOADS[name], running)}
        for name in options.workloads
    }
    turns = _turns(running, options.workloads)
    for number in range(options.rounds + 1):  # the first one is to warm up
        for order in turns:
            turn = number % len(order)
            for name, server in order[turn:] + order[:turn]:
                _note(f"round {number}/{options.rounds}: {name}, {server.name}")
                workload, expected = WORKLOADS[name], sizes[name, server.name]
                if number:
                    seconds = options.seconds
                    run = load(world, server, workload, str(number), seconds, expected, directory)
                    runs[name][server.name].append(run)
                elif name != "login":  # nothing to warm up, and logins are counted
                    warm(world, server, workload, expected, directory)
    _note("")
    return runs


def _turns(running: dict[str, Server], chosen: list[str]) -> list[list[tuple[str, Server]]]:
    """Who takes turns at what: the servers at a workload, and at another one compared with it."""
    turns: dict[str, list[tuple[str, Server]]] = {}
    for name in chosen:
        workload = WORKLOADS[name]
        beside = workload.beside if workload.beside in chosen else name
        turns.setdefault(beside, []).extend((name, each) for each in _servers_of(workload, running))
    return list(turns.values())


def warm(world, server, workload, expected, directory) -> None:
    """Runs that are not counted, until there were enough requests."""
    done = 0
    for number in range(MOST_WARM_RUNS):
        run = load(world, server, workload, f"w{number}", WARM_SECONDS, expected, directory)
        done += run.requests
        if done >= WARM_REQUESTS:
            return


def load(world, server, workload, run, seconds, expected, directory) -> Run:
    """One run of wrk."""
    if workload.persisted and server.name != "floor":
        teach(world, server)
    file = directory / "requests.lua"
    file.write_text(lua(workload.requests(world, server.name, f"in round {run}")))
    cpu = server.cpu()
    told = subprocess.run(
        [
            *("wrk", "-t1", f"-c{workload.connections}", f"-d{seconds}s", "--timeout", "20s"),
            *("-s", servers.BENCH / "load.lua", f"http://127.0.0.1:{server.port}/"),
        ],
        env={**os.environ, "REQUESTS": str(file)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cpu = server.cpu() - cpu
    found = json.loads(told.splitlines()[-1])
    if found["failed"] or abs(found["bytes"] / found["requests"] / expected - 1) > 0.05:
        sys.exit(f"{workload.title}: {server.name} failed under load ({expected} bytes): {found}")
    return Run(
        rate=found["requests"] / found["microseconds"] * 1e6,
        p50=found["p50"],
        p99=found["p99"],
        cpu=cpu / found["requests"] * 1000,
        memory=server.memory()[0],
        requests=found["requests"],
    )


def lua(requests: list[bytes]) -> str:
    """The requests as a Lua table."""
    texts = ("".join(f"\\{byte:03d}" for byte in request) for request in requests)
    return "return {" + ",\n".join(f'"{text}"' for text in texts) + "}\n"


def _note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _print_table(runs: dict[str, dict[str, list[Run]]]) -> None:
    print(
        f"{'':16}{'requests/s':>11}{'min':>8}{'max':>8}{'p50 ms':>9}{'p99 ms':>9}{'p99/p50':>9}"
        f"{'CPU ms':>8}{'MB':>6}{'we: rate':>10}{'CPU':>10}"
    )
    for name, of in runs.items():
        print(f"\n{WORKLOADS[name].title}")
        for server, found in of.items():
            rates = [run.rate for run in found]
            p50, p99 = median(run.p50 for run in found), median(run.p99 for run in found)
            print(
                f"  {NAMES[server]:14}{median(rates):11,.0f}{min(rates):8,.0f}{max(rates):8,.0f}"
                f"{p50:9.1f}{p99:9.1f}{p99 / p50:9.1f}{median(run.cpu for run in found):8.2f}"
                f"{max(run.memory for run in found):6.0f}" + _ratio(of, server)
            )
        if (beside := WORKLOADS[name].beside) in runs:
            quotient = _quotient(found, runs[beside]["service"], "rate")
            print(f"  {quotient:.2f} × the rate of the same by GraphQL")
    print(f"\nload afterwards {' '.join(f'{part:.2f}' for part in os.getloadavg())}")


def _ratio(of: dict[str, list[Run]], server: str) -> str:
    if server not in RIVALS:
        return ""
    ours, theirs = of["service"], of[server]
    rate, cpu = _quotient(ours, theirs, "rate"), _quotient(ours, theirs, "cpu")
    return f"{rate:8.2f} ×{cpu:8.2f} ×"


def _quotient(ours: list[Run], theirs: list[Run], what: str) -> float:
    """The median over the rounds of our figure as a multiple of theirs."""
    pairs = zip(ours, theirs, strict=True)
    return median(getattr(one, what) / getattr(other, what) for one, other in pairs)


if __name__ == "__main__":
    sys.exit(main())
