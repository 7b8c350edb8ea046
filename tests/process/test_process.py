"""The program itself, started as its users start it, over HTTP and signals only."""

import contextlib
import http.client
import importlib.util
import itertools
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest
from conftest import TASKS, Api, Person, codes
from engines import CONFIG
from service import ROOT

from graphql_api.config import WELL_KNOWN_SECRETS
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import embedded
from graphql_api.infra.serving import server

pytestmark = pytest.mark.whole

APP = (sys.executable, str(ROOT / "app.py"))
# Not CONFIG's: whoever the suite has registered on an engine would count against these, too.
SECRET = "a secret of started processes, 32 bytes and more"
SOON = 120  # seconds: more than anything here takes, even while other programs are busy
LONG = 5 * SOON


def unhurried(*more: str) -> tuple[str, ...]:
    """The program, which gives itself as much time as a busy machine may need.

    What it stops waiting for after LONG, a test has given up on after SOON.
    """
    lines = (
        "import runpy",
        "from graphql_api.domain.accounts import session_cache",
        "from graphql_api.infra.concurrency.deadline import set_deadline",
        "from graphql_api.infra.serving import server",
        f"server.STOP_SECONDS = session_cache.TTL_SECONDS = {LONG}",
        f"set_deadline.__defaults__ = ({LONG},)",
        *more,
        "runpy.run_path('app.py', run_name='__main__')",
    )
    return (sys.executable, "-c", "\n".join(lines))


linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the processes of the service are found through /proc"
)


# What a user has: programs that run, requests, signals


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def get_json(self) -> Any:
        return json.loads(self.body)


class Program:
    """A server in a process of its own. What it prints is in files, so that it never blocks."""

    _numbers = itertools.count()

    def __init__(self, arguments, directory: Path, url: str = "", **settings) -> None:
        number = next(self._numbers)
        self.output, self.errors = (directory / f"{name}-{number}" for name in ("out", "err"))
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env=environment(directory, **settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                process_group=0,  # as a shell gives it one, for Ctrl-C to reach all of it
            )
        self._url = url
        self.seconds = 0.0

    @property
    def url(self) -> str:
        """Where it listens, as its first line says."""
        if not self._url:
            self.eventually(lambda: "\n" in self.output.read_text())
            self._url = self.output.read_text().split()[3].removesuffix("/graphql")
        return self._url

    def ready(self) -> None:
        """Wait until it answers."""
        self.eventually(lambda: self.get("/healthz").status == 200)

    def eventually(self, happens) -> None:
        """Wait until it happens while the program runs; a refused connection is not yet."""
        deadline = time.monotonic() + SOON
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if happens():
                    return
            assert self.process.poll() is None, self.errors.read_text()
            assert time.monotonic() < deadline, self.errors.read_text()
            time.sleep(0.02)

    def get(self, path: str, *, timeout: float = SOON, **headers: str) -> Answer:
        return self._ask(urllib.request.Request(self.url + path, headers=headers), timeout)

    def post(self, path: str, json: Any, headers: dict[str, str]) -> Answer:  # as Api posts
        body = _json(json)
        headers = {"Content-Type": "application/json", **headers}
        return self._ask(urllib.request.Request(self.url + path, body, headers), SOON)

    def _ask(self, request: urllib.request.Request, timeout: float) -> Answer:
        try:
            with _direct.open(request, timeout=timeout) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def end(self, number: int = signal.SIGTERM, *, group: bool = False) -> int:
        """Send it, or it and its workers, a signal, and wait; its exit code."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(SOON)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(SOON)
            except subprocess.TimeoutExpired:  # with it, the workers that it did not end
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


_json = lambda value: json.dumps(value).encode()  # noqa: E731 - `json` is an argument's name, too
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment(home: Path, **settings: object) -> dict[str, str]:
    """Nothing of the person's who runs the tests but where the programs are."""
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "PORT": "0", "WORKERS": "2"}
    given["DRAIN_SECONDS"] = "0"
    given |= {name: str(value) for name, value in settings.items()}
    if "DYNAMODB" not in given:
        try:
            embedded._binary()
        except StartError as error:
            pytest.skip(str(error))
    return given


@pytest.fixture
def start(tmp_path) -> Iterator[Any]:
    """Starts the service, on one data directory a test unless told otherwise."""
    with contextlib.ExitStack() as running:

        def start(arguments=APP, **settings) -> Program:
            settings = {"DATA_DIR": tmp_path / "data", **settings}
            return running.enter_context(Program(arguments, tmp_path, **settings))

        yield start


class Life(NamedTuple):
    """What a service left when it had ended."""

    code: int
    ann: Person
    task: dict
    secret: bytes


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The data directory of the service that tests share."""
    return tmp_path_factory.mktemp("shared") / "data"


@pytest.fixture(scope="module")
def first_life(data) -> Life:
    """A service that was there before the one that tests share, on the same data."""
    with Program(APP, data.parent, DATA_DIR=data) as service:
        ann = Api(service).register("ann")
        task = ann.create(title="Water the plants")
        secret = (data / "jwt_secret").read_bytes()
        code = service.end()
    data.chmod(0o755)
    return Life(code, ann, task, secret)


@pytest.fixture(scope="module")
def service(data, first_life) -> Iterator[Program]:
    """A service that tests share."""
    with Program(APP, data.parent, DATA_DIR=data) as service:
        service.ready()
        service.seconds = cpu_seconds(service.process.pid)
        first_life.ann.api.client = service
        yield service


def refusal(directory: Path, arguments=APP, **settings) -> str:
    """The line that a start ends with which must not succeed."""
    settings = {"DATA_DIR": directory / "data", **settings}
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env=environment(directory, **settings),
        capture_output=True,
        text=True,
        timeout=SOON,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("Cannot start: ")
    return line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that nobody else can listen on, and that nobody answers on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def titles(person) -> list[str]:
    """The person's tasks."""
    answer = person.graphql(TASKS)
    return [task["title"] for task in answer["data"]["tasks"]["nodes"]]


# What the system knows: processes, files


def family(pid: int) -> dict[int, str]:
    """The processes that descend from this one, with their command lines."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                parents[int(entry.name)] = parent_and_state(entry)[0]
    found, generation = {}, {pid}
    while generation:
        generation = {child for child, parent in parents.items() if parent in generation}
        for child in generation:
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{child}/cmdline").read_bytes()
                found[child] = line.replace(b"\0", b" ").decode()
    return found


def parent_and_state(entry: Path) -> tuple[int, str]:
    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    return int(parent), state


def cpu_seconds(pid: int) -> float:
    """The processor's time that a process has used, which does not pass while others run."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def running(pid: int) -> bool:
    """Whether there is such a process. One whose parent has yet to hear of its end is none."""
    try:
        return parent_and_state(Path(f"/proc/{pid}"))[1] not in "ZX"
    except OSError:
        return False


def engines(program: Program) -> list[int]:
    found = family(program.process.pid)
    return [pid for pid, line in found.items() if "roto-server" in line.partition(" ")[0]]


def workers(program: Program) -> list[int]:
    """Its worker processes: its children but the engine, and Python's own helper for spawning."""
    found = family(program.process.pid)
    return [
        pid
        for pid, line in found.items()
        if "roto-server" not in line and "resource_tracker" not in line
    ]


def all_end(pids) -> bool:
    deadline = time.monotonic() + SOON
    while any(map(running, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextlib.contextmanager
def stopped(pid: int | None) -> Iterator[None]:
    """Holds the process, if there is one."""
    if pid is not None:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if pid is not None:
            os.kill(pid, signal.SIGCONT)


def each_worker_answers(program: Program, path: str = "/healthz", **headers: str) -> None:
    """Wait until one of two workers answers while the other is held, and the other way round."""
    program.ready()
    program.eventually(lambda: len(workers(program)) == 2)
    for held in workers(program):
        with stopped(held):
            # A connection that came to the worker that is held gets no answer.
            program.eventually(lambda: program.get(path, timeout=2, **headers).status == 200)


@contextlib.contextmanager
def sigint_handler(handler: Any) -> Iterator[None]:
    """Handles SIGINT so in this process; those that it starts inherit whether it is ignored."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# Starting and stopping


def test_no_worker_stops_to_look_for_garbage_in_what_it_has_started_with():
    program = """
import gc
from graphql_api.infra import process_wide

before = len(gc.get_objects())
process_wide.freeze_heap()
print(gc.get_freeze_count() > before * 0.8, len(gc.get_objects()) < before * 0.01)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.usefixtures("service")
def test_accounts_tokens_and_tasks_outlive_a_stop(first_life):
    ann = first_life.ann

    assert first_life.code == 0
    assert ann.task(first_life.task["id"]) == first_life.task
    assert titles(ann) == ["Water the plants"]


def test_accounts_tokens_and_tasks_outlive_a_crash(start):
    first = start()
    ann = Api(first).register("ann")
    task = ann.create(title="Water the plants")

    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    ann.api.client = start()

    assert ann.task(task["id"]) == task
    assert titles(ann) == ["Water the plants"]


@linux
def test_a_second_start_takes_seconds_of_the_processor_until_it_answers(service):
    assert service.seconds < 5  # 1.4 were measured


@pytest.mark.parametrize("drain", [0, 1])
def test_a_stop_comes_at_once_even_while_the_workers_are_still_starting(start, drain):
    service = start(unhurried(), DRAIN_SECONDS=drain)
    assert service.url

    assert service.end() == 0  # a worker that did not hear of it would be killed after LONG


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_of_it_as_from_a_terminal_ends_it_soon_and_with_success(start, number):
    service = start(unhurried(), DRAIN_SECONDS=1)
    each_worker_answers(service)  # and so hears signals by handlers of its own

    assert service.end(number, group=True) == 0  # not killed after LONG
    assert "Traceback" not in service.errors.read_text()


@pytest.mark.parametrize(
    "inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["terminal", "shell's &"]
)
def test_ctrl_c_ends_a_start_that_waits_for_its_store_without_a_traceback(start, inherited):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(SOON)
        store = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with sigint_handler(inherited):
            service = start(DYNAMODB=store, JWT_SECRET=SECRET, WORKERS=1)
        client, _ = mute.accept()
        with client:
            assert service.end(signal.SIGINT) == 130

    assert (service.output.read_text(), service.errors.read_text()) == ("", "")


def test_it_listens_where_it_was_told_to_says_so_and_sigint_ends_it_with_success(start):
    port = free_port()
    service = start(HOST="localhost", PORT=port)
    service.ready()

    assert service.output.read_text().splitlines()[0] == (
        f"Smart Task Scheduler: http://127.0.0.1:{port}/graphql (GraphiQL)"
    )
    assert service.get("/graphql", Accept="text/html").status == 200
    assert service.end(signal.SIGINT) == 0
    assert {json.loads(line)["message"] for line in service.errors.read_text().splitlines()} == {
        "request"
    }


def test_a_port_of_the_systems_choice_is_the_one_that_is_printed(service, data):
    first, page, second = service.output.read_text().splitlines()

    assert first.endswith("/graphql (GraphiQL)")
    assert page == f"Your plan: {service.url}/plan"
    assert service.url.startswith("http://127.0.0.1:")
    assert service.url != "http://127.0.0.1:0"
    assert service.get("/healthz").get_json() == {"status": "ok"}
    assert second == f"Data: {data}"


# Its processes


@linux
def test_all_workers_use_one_engine(service):
    found = engines(service)

    assert len(found) == 1
    assert parent_and_state(Path(f"/proc/{found[0]}"))[0] == service.process.pid
    assert len(workers(service)) == 2


@linux
def test_nothing_of_it_is_left_after_kill_9_even_while_workers_are_still_starting(start):
    service = start()
    assert service.url
    pids = family(service.process.pid)
    # Clients that keep their connections open are no reason to stay.
    with contextlib.ExitStack() as clients:
        for _ in range(4):
            client = http.client.HTTPConnection(service.url.removeprefix("http://"))
            clients.callback(client.close)
            client.request("GET", "/healthz")
            assert client.getresponse().read()

        service.end(signal.SIGKILL)

        assert len(pids) >= 2
        assert all_end(pids), {pid: line for pid, line in pids.items() if running(pid)}


@linux
def test_a_worker_that_hears_nothing_any_more_ends_with_its_killed_master(start):
    service = start(WORKERS=1)
    service.ready()
    pids = family(service.process.pid)
    [worker] = workers(service)
    os.kill(worker, signal.SIGSTOP)

    service.end(signal.SIGKILL)

    assert all_end(pids), {pid: line for pid, line in pids.items() if running(pid)}


@linux
def test_a_killed_worker_is_replaced_and_the_service_goes_on(service):
    [victim, other] = workers(service)

    os.kill(victim, signal.SIGKILL)

    service.eventually(lambda: len(set(workers(service)) - {victim}) == 2)
    assert other in workers(service)
    for _ in range(20):
        service.eventually(lambda: service.get("/readyz").status == 200)
    assert titles(Api(service).register("ann")) == []


@linux
def test_workers_that_are_killed_as_soon_as_they_start_are_replaced_too(start):
    service = start()
    service.ready()

    for _ in range(3):
        [victim, _] = before = workers(service)
        os.kill(victim, signal.SIGKILL)
        service.eventually(lambda: len({*workers(service)} - {victim}) == 2)  # noqa: B023
        assert len({*workers(service)} - {*before}) == 1

    service.eventually(lambda: service.get("/readyz").status == 200)
    assert service.end() == 0


@linux
def test_a_service_whose_workers_cannot_run_ends_and_says_so(tmp_path):
    broken = unhurried(
        "from graphql_api.infra.serving import worker",
        "worker.Hub.__init__ = lambda *_: __import__('os')._exit(3)",
    )
    with Program(broken, tmp_path, DATA_DIR=tmp_path / "data", WORKERS=1) as service:
        assert service.process.wait(SOON) == 1

        lines = map(json.loads, service.errors.read_text().splitlines())
        assert [line["message"] for line in lines] == [
            *["Unexpected exit from worker-1"] * 6,
            "Worker crash loop detected, exiting",
        ]


@linux
def test_a_killed_engine_is_started_once_more_and_its_second_death_ends_the_service(start):
    service = start()
    ann = Api(service).register("ann")
    task = ann.create(title="Water the plants")

    for _ in range(2):
        [engine] = engines(service)
        assert ann.task(task["id"]) == task
        os.kill(engine, signal.SIGKILL)
        with contextlib.suppress(AssertionError):  # the second time, the service ends
            service.eventually(lambda engine=engine: set(engines(service)) - {engine})
            service.eventually(lambda: service.get("/readyz").status == 200)

    assert service.process.wait(SOON) == 1
    assert "Traceback" not in service.errors.read_text()


# Its data directory


@pytest.mark.usefixtures("service")
def test_nobody_else_can_read_the_data_even_if_the_directory_was_open_before(data):
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    assert mode(data) == 0o700
    assert mode(data / "jwt_secret") == 0o600
    assert {oct(mode(path)) for path in files if path.parent != data} == {oct(0o600)}


@pytest.mark.usefixtures("service")
def test_the_secret_is_made_once(data, first_life):
    assert (data / "jwt_secret").read_bytes() == first_life.secret
    assert len(first_life.secret.strip()) == 64


def test_a_second_service_on_the_same_data_is_refused_and_the_first_goes_on(
    service, data, tmp_path
):
    line = refusal(tmp_path, DATA_DIR=data)

    assert line == f"Cannot start: DATA_DIR {data} is in use by another running service."
    assert service.get("/readyz").status == 200
    assert titles(Api(service).register("ann")) == []


# Starts that cannot succeed


def test_bad_settings_are_all_named_in_one_line(tmp_path):
    settings = {
        "PORT": "x",
        "WORKERS": "0",
        "GRAPHIQL": "maybe",
        "DYNAMODB": "ftp://x",
        "JWT_SECRET": "short",
        "JWT_TTL": "0",
        "CORS_ORIGINS": "nonsense",
    }

    line = refusal(tmp_path, **settings)

    problems = line.removeprefix("Cannot start: ").split("; ")
    assert sorted(problem.split()[0] for problem in problems) == sorted(settings)
    assert "'short'" not in line


def test_a_well_known_secret_is_refused_and_not_repeated(tmp_path):
    known = min(WELL_KNOWN_SECRETS).decode()

    line = refusal(tmp_path, JWT_SECRET=known)

    assert line.startswith("Cannot start: JWT_SECRET is well known")
    assert known not in line


def test_a_port_that_is_taken_is_named(tmp_path, taken):
    assert refusal(tmp_path, PORT=taken) == (
        f"Cannot start: HOST and PORT: 127.0.0.1:{taken} cannot be listened on:"
        " Address already in use."
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "é..x"])
def test_a_host_that_is_not_this_machines_is_named(host):
    with pytest.raises(StartError, match=f"^HOST: {host}:0 cannot be listened on: "):
        server.resolve_address(replace(CONFIG, host=host, port=0))


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    assert refusal(tmp_path, DATA_DIR=tmp_path / "file" / "data") == (
        f"Cannot start: DATA_DIR {tmp_path}/file/data cannot be used: Not a directory."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write wherever it likes")
def test_a_data_directory_that_belongs_to_nobody_who_may_write_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        line = refusal(tmp_path)
    finally:
        tmp_path.chmod(0o700)

    assert line == f"Cannot start: DATA_DIR {tmp_path}/data cannot be used: Permission denied."


def test_an_engine_that_is_not_installed_is_named_with_the_way_out(tmp_path):
    hidden = "import shutil; shutil.which = lambda *_, **__: None"
    run = "import runpy; runpy.run_path('app.py', run_name='__main__')"

    line = refusal(tmp_path, (sys.executable, "-c", f"{hidden}; {run}"))

    assert line.startswith("Cannot start: The embedded engine (roto-aws) is not installed; ")
    assert "set DYNAMODB=<url>" in line


def test_a_store_that_nobody_answers_for_is_named(tmp_path, taken):
    line = refusal(tmp_path, DYNAMODB=f"http://127.0.0.1:{taken}", JWT_SECRET=SECRET)

    assert line.startswith(
        f"Cannot start: The tables at http://127.0.0.1:{taken} cannot be checked: "
    )


@pytest.mark.parametrize("manifest", [None, "{not json", "[1, 2]"])
def test_documents_that_cannot_be_read_are_refused_once_and_by_name(tmp_path, manifest):
    path = tmp_path / "documents.json"
    if manifest is not None:
        path.write_text(manifest)

    assert f"TRUSTED_DOCUMENTS {path}" in refusal(tmp_path, TRUSTED_DOCUMENTS=path)


def test_aws_without_a_region_is_refused(tmp_path):
    assert refusal(tmp_path, DYNAMODB="aws", JWT_SECRET=SECRET) == (
        "Cannot start: No AWS region is set: set AWS_REGION, or a region in a profile."
    )


def test_aws_without_a_secret_is_refused(tmp_path):
    assert refusal(tmp_path, DYNAMODB="aws", AWS_REGION="us-east-1") == (
        "Cannot start: JWT_SECRET is required with DYNAMODB=aws (at least 32 bytes)."
    )


def test_a_damaged_data_directory_is_refused_by_the_file_and_free_again(tmp_path):
    def refused(name):
        with pytest.raises(StartError) as caught:
            embedded.prepare(replace(CONFIG, jwt_secret=b"", data_dir=tmp_path))
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)

    for name in ("engine.json", "engine.log"):
        (tmp_path / name).mkdir()
        refused(name)
        (tmp_path / name).rmdir()
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "dynamodb.db").write_bytes(b"not a database, but long enough" * 99)
    refused("engine.log")


@pytest.mark.parametrize("content", [b"", b"short\n"])
def test_a_damaged_secret_is_never_used(tmp_path, content):
    (tmp_path / "jwt_secret").write_bytes(content)

    with pytest.raises(StartError, match="jwt_secret is damaged: restore it, or remove it"):
        embedded._secret(tmp_path)


# Other WSGI servers


def served_by(name: str, port: int) -> tuple[str, ...]:
    """How the server is told to serve `app:app`, with two worker processes if it has such."""
    module = (sys.executable, "-m", name)
    return {
        "granian": (
            *(*module, "--interface", "wsgi", "--workers", "2", "--respawn-failed-workers"),
            # Its workers do not hear a signal while they start, and it would wait for ever.
            *("--workers-kill-timeout", "1"),
            *("--host", "127.0.0.1", "--port", str(port), "app:app"),
        ),
        "gunicorn": (*module, "--workers", "2", "--bind", f"127.0.0.1:{port}", "app:app"),
        "flask": (*module, "--app", "app", "run", "--port", str(port)),
    }[name]


@pytest.fixture
def serve(tmp_path) -> Iterator[Any]:
    """Starts another server for the service."""
    with contextlib.ExitStack() as running:

        def serve(name: str) -> Program:
            if importlib.util.find_spec(name) is None:
                pytest.skip(f"{name} is not installed")
            port = free_port()
            program = Program(
                served_by(name, port),
                tmp_path,
                f"http://127.0.0.1:{port}",
                DATA_DIR=tmp_path / "data",
            )
            running.enter_context(program)
            program.ready()
            return program

        yield serve


@linux
@pytest.mark.parametrize("name", ["granian", "gunicorn", "flask"])
def test_every_worker_of_another_server_uses_one_engine_and_sees_the_same_data(serve, name):
    program = serve(name)
    ann = Api(program).register("ann")
    ann.create(title="Water the plants")

    def seen(_) -> list[str] | None:
        try:
            answer = program.get("/api/v1/tasks", timeout=1, Authorization=f"Bearer {ann.token}")
        except OSError:  # the connection came to the worker that is held
            return None
        return [task["title"] for task in answer.get_json()]

    def answered(pool) -> bool:
        found = [answer for answer in pool.map(seen, range(8)) if answer is not None]
        assert all(answer == ["Water the plants"] for answer in found)
        return bool(found)

    assert len(workers(program)) == (0 if name == "flask" else 2)
    for held in workers(program) or [None]:  # the one worker, then the other
        with stopped(held), ThreadPoolExecutor(8) as pool:
            program.eventually(partial(answered, pool))
    assert len(engines(program)) == 1
    pids = family(program.process.pid)
    program.end()
    assert all_end(pids)


@linux
def test_a_new_worker_takes_the_engine_over_from_a_killed_one(serve):
    program = serve("granian")
    ann = Api(program).register("ann")
    ann.create(title="Water the plants")
    [engine] = engines(program)
    owner, _ = parent_and_state(Path(f"/proc/{engine}"))
    assert owner in workers(program)

    os.kill(owner, signal.SIGKILL)

    program.eventually(lambda: engines(program) not in ([], [engine]))
    for _ in range(20):  # by the new worker and by the one that knew the old engine
        program.eventually(lambda: program.get("/readyz").status == 200)
    assert titles(ann) == ["Water the plants"]
    assert len(engines(program)) == 1


# Other stores


@pytest.mark.concurrent  # moto is in no other process's reach
def test_the_same_code_runs_on_any_endpoint_with_its_tools_off(start, engine, tmp_path):
    service = start(
        DYNAMODB=engine.endpoint,
        TABLE_PREFIX=f"{tmp_path.name}-{engine.dynamodb == 'embedded'}-",
        JWT_SECRET=SECRET,
    )
    ann = Api(service).register("ann")
    task = ann.create(title="Water the plants", dueAt="2030-01-01T00:00:00Z", tags=["home"])

    assert ann.task(task["id"]) == task
    assert titles(ann) == ["Water the plants"]
    assert service.get("/readyz").status == 200
    # No page, and no answer about the schema.
    page = service.get("/graphql", Accept="text/html")
    assert (page.status, b"<html" in page.body) == (406, False)
    schema = Api(service).graphql("{ __schema { types { name } } }")
    assert set(codes(schema)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert service.output.read_text().splitlines() == [
        f"Smart Task Scheduler: {service.url}/graphql",
        f"Your plan: {service.url}/plan",
        f"Store: {engine.endpoint}",
    ]
    assert not (tmp_path / "data").exists()
    assert service.end() == 0


def test_while_the_store_is_away_it_is_alive_but_not_ready(start, tmp_path):
    port = free_port()
    environment(tmp_path)  # skips where there is no engine
    with subprocess.Popen(
        [embedded._binary(), "--port", str(port), "--ephemeral"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as store:
        try:
            while not accepts(port):
                assert store.poll() is None
                time.sleep(0.02)
            service = start(DYNAMODB=f"http://127.0.0.1:{port}", JWT_SECRET=SECRET)
            service.ready()
            ann = Api(service).register("ann")

            def away() -> None:
                answer = service.get("/readyz")
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
                assert answer.get_json()["code"] == "SERVICE_UNAVAILABLE"
                assert service.get("/healthz").status == 200

            assert service.get("/readyz").status == 200
            store.send_signal(signal.SIGSTOP)  # it takes connections and is mute
            away()
            store.send_signal(signal.SIGCONT)
            service.eventually(lambda: service.get("/readyz").status == 200)
            store.kill()
            store.wait()
            away()
        finally:
            store.kill()

        assert codes(ann.graphql(TASKS)) == ["SERVICE_UNAVAILABLE"]
        assert "Traceback" not in service.errors.read_text()
