"""Where the service's time goes: one workload, in this process, on one thread.

    .venv/bin/python bench/profile.py [page|task|create|…] [--requests 1000] [--top 40] [--replay]

First the phases: each function below is timed, without what it calls of the others. Then
Python's profiler over as many requests: it makes calls look dearer than they are, so take shares
from the phases and names from it. All times are CPU of the thread, so that other programs do not
count, and neither does waiting for the engine, which runs as for `make bench`. What granian takes
around a request is not here.

With --replay only one figure: the least CPU a request of many small batches, with the store's answers
replayed, and everything counted and logged. It is Python's alone, and moves by 3 % where all others move by 30.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)  # else this file would be the library's `profile`

import argparse
import cProfile
import functools
import importlib
import io
import itertools
import os
import pstats
import secrets
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import redirect_stderr
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication, WSGIEnvironment

import orjson

from bench import servers
from bench.servers import IDENTITY
from bench.workloads import WORKLOADS
from bench.world import populate, prepare
from graphql_api import create_app
from graphql_api.infra import request_log
from graphql_api.infra.serving import wsgi
from graphql_api.config import Config
from graphql_api.infra.dynamodb.http_connection import Connection

WARM = 200  # requests before anything is timed
BATCH = 25

# What belongs to a phase: functions and methods by their full names. What is called within a
# function of another phase counts there only.
PHASES = {
    "Flask, werkzeug, the middleware": ["graphql_api.infra.serving.wsgi:run_app"],
    "the view: negotiation, request": [
        "graphql_api.api.http.graphql_view:GraphQLView.respond",
        "view",
    ],
    "JSON of the request and the answer": [
        "graphql_api.api.http.requests:parse_json",
        "graphql_api.api.http.responses:json_response",
    ],
    "document: from the cache, or parsed": [
        "graphql_api.infra.executor.executor:Executor.operation"
    ],
    "execution: compiled, or graphql-core": [
        "graphql_api.infra.executor.executor:Executor.execute"
    ],
    "who asks: token and session": ["graphql_api.domain.accounts.service:Accounts.authenticate"],
    "resolvers: lists and their cursors": [
        "graphql_api.api.graphql.tasks.listing:read_list",
        "graphql_api.api.graphql.cursors:Cursors.seal",
    ],
    "stores: expressions and arguments": [
        "graphql_api.domain.tasks.list_reader:TaskListReader.page",
        "graphql_api.domain.tasks.store:TaskStore.get",
        "graphql_api.domain.tasks.store:TaskStore.get_many",
        "graphql_api.domain.tasks.store:TaskStore.add",
        "graphql_api.domain.tasks.store:TaskStore.replace",
        "graphql_api.domain.accounts.store:UserStore.get_many",
        "graphql_api.domain.accounts.store:UserStore.session",
    ],
    "codec: items to models and back": [
        "graphql_api.infra.dynamodb.codec:decode",
        "graphql_api.infra.dynamodb.codec:encode",
    ],
    "calls: retries, breaker, hooks": [
        "graphql_api.infra.dynamodb.database:Database.call",
        "graphql_api.infra.dynamodb.protocol:Transport.call",
    ],
    "calls: signature": ["graphql_api.infra.dynamodb.sigv4:sign"],
    "calls: HTTP": ["graphql_api.infra.dynamodb.protocol:Transport._send"],
}


class Clock:
    """Gives each moment to the innermost phase that is running."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._running: list[str] = []
        self._since = 0.0

    def wrap(self, phase: str, function):
        """The function, as part of this phase."""

        @functools.wraps(function)
        def timed(*args, **kwargs):
            self._turn()
            self.calls[phase] += 1
            self._running.append(phase)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._running.pop()

        return timed

    def _turn(self) -> None:
        now = time.thread_time()
        if self._running:
            self.spent[self._running[-1]] += now - self._since
        self._since = time.thread_time()  # what the clock itself takes is nobody's

    def install(self, app) -> None:
        """Time all phases from now on; a name that there is not is said and left out."""
        for phase, names in PHASES.items():
            for name in names:
                if name == "view":
                    for endpoint, view in app.view_functions.items():
                        app.view_functions[endpoint] = self.wrap(phase, view)
                    continue
                module, _, path = name.partition(":")
                *outer, last = path.split(".")
                try:
                    holder = functools.reduce(getattr, outer, importlib.import_module(module))
                    setattr(holder, last, self.wrap(phase, getattr(holder, last)))
                except (ImportError, AttributeError):
                    print(f"(there is no {name} any more: see PHASES)")


def main() -> int:
    options = _options()
    if problem := servers.missing():
        print(f"Cannot measure: {problem}.", file=sys.stderr)
        return 2
    servers.end_all_when_ended()
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.engine(Path(directory)) as engine,
    ):
        store = {"DYNAMODB": f"http://127.0.0.1:{engine.port}", "JWT_SECRET": secrets.token_hex(32)}
        os.environ |= IDENTITY
        config = Config.from_env(store)
        raw = prepare(config)
        app = make_app(config, Path(directory))
        ask = functools.partial(_answer, app)
        world = populate(raw, ["service"], lambda request: orjson.loads(ask(_environ(request))))
        given = WORKLOADS[options.workload].requests(world, "service", "profiled")
        # One after another over all that follows, so that every update changes something.
        environs = itertools.cycle([_environ(request) for request in given])
        _time(ask, environs, WARM)
        if options.replay:
            replay()
            with redirect_stderr(Path(os.devnull).open("w")):
                request_log.configure(config.log_level)
            least = min(_time(ask, environs, BATCH)[1] for _ in range(options.requests // BATCH))
            print(f"{WORKLOADS[options.workload].title}: {least * 1000:.0f} µs of CPU a request")
            return 0
        whole, cpu = _time(ask, environs, options.requests)
        profiler = cProfile.Profile(time.thread_time)
        profiler.runcall(_time, ask, environs, options.requests)
        clock = Clock()
        clock.install(app)
        _time(ask, environs, options.requests)
    print(f"{WORKLOADS[options.workload].title}, {options.requests} requests, one thread,")
    print(f"load {' '.join(f'{part:.2f}' for part in os.getloadavg())}")
    print(f"without a profiler: {cpu:.3f} ms of CPU a request, {whole:.3f} ms with all waiting\n")
    _print_phases(clock, options.requests)
    stats = pstats.Stats(profiler).strip_dirs().sort_stats("tottime")
    stats.print_stats(options.top)
    if options.callers:
        stats.print_callers(options.callers)
    return 0


def make_app(config: Config, directory: Path) -> WSGIApplication:
    """The service as a worker has it, which counts in files of this directory."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)  # before the library is imported
    from graphql_api.infra.telemetry.metrics import worker_metrics

    return create_app(config, metrics=worker_metrics())


def replay() -> None:
    """Let each call have the answer that the first of its kind gets; writes are all of a kind."""
    ask, answers = Connection.request, {}

    def replayed(connection, request, ends):
        head, _, body = request.partition(b"\r\n\r\n")
        operation = head.partition(b"x-amz-target: ")[2].partition(b"\r")[0]
        key = operation if operation.endswith(b"Item") and b"Get" not in operation else body
        if key not in answers:
            answers[key] = ask(connection, request, ends)
        return answers[key]

    Connection.request = replayed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Show where the service's time goes.")
    own = [name for name, workload in WORKLOADS.items() if not workload.persisted]
    parser.add_argument("workload", nargs="?", choices=own, default="page")
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--top", type=int, default=40, help="functions by their own time")
    parser.add_argument("--replay", action="store_true", help="with the store's answers replayed")
    parser.add_argument("--callers", help="a pattern: who calls these functions")
    return parser.parse_args()


def _environ(request: bytes) -> WSGIEnvironment:
    """A request of the wire as WSGI has it (PEP 3333)."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, protocol = first.split(" ")
    url = urlsplit(target)
    given = SimpleNamespace(
        http_version=protocol.removeprefix("HTTP/"),
        scheme="http",
        method=method,
        path=unquote(url.path),
        query_string=url.query,
        server="127.0.0.1:5000",
        client="127.0.0.1:1234",
        headers={
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        },
    )
    return wsgi.build_environ(given, body, str(len(body)))


def _answer(app: WSGIApplication, environ: WSGIEnvironment) -> bytes:
    """The body of the answer."""
    fresh = {**environ, "wsgi.input": io.BytesIO(environ["wsgi.input"].getvalue())}
    return wsgi.run_app(app, fresh)[2]


def _time(ask, environs: Iterator[dict], count: int) -> tuple[float, float]:
    """Milliseconds a request, and how much of them is CPU."""
    start, cpu = time.perf_counter(), time.thread_time()
    for environ in itertools.islice(environs, count):
        ask(environ)
    took, burnt = time.perf_counter() - start, time.thread_time() - cpu
    return took / count * 1000, burnt / count * 1000


def _print_phases(clock: Clock, requests: int) -> None:
    total = sum(clock.spent.values())
    print(f"{'phase':40}{'CPU ms':>13}{'share':>8}{'calls':>8}")
    for phase in PHASES:
        spent = clock.spent[phase]
        print(
            f"{phase:40}{spent / requests * 1000:13.3f}{spent / total:8.1%}"
            f"{clock.calls[phase] / requests:8.1f}"
        )
    print(f"{'together':40}{total / requests * 1000:13.3f}")


if __name__ == "__main__":
    sys.exit(main())
