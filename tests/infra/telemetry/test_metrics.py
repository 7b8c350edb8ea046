"""What operators can count: requests, calls, units, hashes; nothing personal in a label."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import LOGIN, PASSWORD, REGISTER, TASKS
from prometheus_client import CollectorRegistry
from service import ROOT, running

from graphql_api import create_app
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.dynamodb import Call
from graphql_api.infra.request_log import RequestRecord
from graphql_api.infra.telemetry.metrics import Metrics, worker_metrics
from graphql_api.infra.telemetry.prometheus import WorkersCollector


@pytest.fixture(scope="module")
def metrics():
    return Metrics(CollectorRegistry())


@pytest.fixture(scope="module")
def registry(metrics):
    return metrics.registry


@pytest.fixture(scope="module")
def app(engine, metrics):
    return create_app(engine, metrics=metrics)


@pytest.fixture
def counted(registry, metrics):
    """How much a sample has grown since the test began."""
    metrics.tally.flush()
    before = samples(registry)

    def grown(name, **labels):
        metrics.tally.flush()
        return value(samples(registry), name, labels) - value(before, name, labels)

    return grown


def samples(collector):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in collector.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def value(found, name, labels):
    return found.get((f"task_scheduler_{name}", frozenset(labels.items())), 0)


def requests(operation, status="200", code="none"):
    return {"operation": operation, "status": status, "code": code}


def test_a_graphql_request_is_counted_by_its_root_field(ann, counted):
    ann.create(title="Count me")
    ann.graphql("query Mine { viewer { id } ...more } fragment more on Query { viewer { id } }")
    ann.graphql("query Mine { viewer { id } tasks { nodes { id } } }")

    assert counted("requests_total", **requests("createTask")) == 1
    assert counted("requests_total", **requests("viewer")) == 1
    assert counted("requests_total", **requests("several")) == 1
    assert counted("request_seconds_count", operation="createTask") == 1


def test_a_rest_request_is_counted_by_its_route(ann, counted):
    ann.rest("GET", "/api/v1/tasks/none")
    ann.rest("GET", "/nowhere")

    assert counted("requests_total", **requests("rest.GetTask", "404", "NOT_FOUND")) == 1
    assert counted("requests_total", **requests("none", "404", "NOT_FOUND")) == 1


def test_a_document_that_is_refused_has_no_operation(api, counted):
    api.graphql("{ nothing }")

    found = requests("none", "200", "GRAPHQL_VALIDATION_FAILED")
    assert counted("requests_total", **found) == 1
    api.rest("GET", "/graphql?query={nothing}")
    assert counted("requests_total", **found) == 2


def test_calls_and_what_became_of_them_are_counted(ann, counted):
    ann.graphql("{ tasks(first: 1) { nodes { id } } }")
    ann.api.graphql(REGISTER, input={"username": ann.username, "password": PASSWORD})

    well = {"operation": "Query", "outcome": "ok"}
    refused = {"operation": "TransactWriteItems", "outcome": "TransactionCanceledException"}
    assert counted("dynamodb_calls_total", **well) == 1
    assert counted("dynamodb_calls_total", **refused) == 1
    assert counted("dynamodb_call_seconds_count", operation="Query") == 1


@pytest.mark.counts_units
def test_units_are_counted_by_table_and_kind(ann, counted):
    ann.create(title="One unit, and one of the index")
    ann.graphql(TASKS)

    assert counted("dynamodb_units_total", table="Tasks", kind="write") >= 1
    assert counted("dynamodb_units_total", table="Tasks", kind="read") >= 1


def test_the_gauges_are_back_when_everything_is_answered(ann, counted):
    ann.api.graphql(LOGIN, input={"username": ann.username, "password": PASSWORD})

    assert counted("requests_in_progress") == 0
    assert counted("argon2_places_taken") == 0
    assert counted("dynamodb_breaker_open") == 0


def test_an_open_breaker_is_shown_until_it_is_closed(metrics, counted, monkeypatch):
    request = RequestRecord("id", "GET", "/", "127.0.0.1")
    states = iter([False, True, True, False, False])
    monkeypatch.setattr(metrics, "_is_breaker_open", states.__next__)
    shown = []
    for _ in range(5):
        metrics.responded(request, 200)
        shown.append(counted("dynamodb_breaker_open"))

    assert shown == [0, 1, 1, 0, 0]


def test_who_gets_no_place_to_hash_in_is_counted(metrics, counted):
    bulkhead = Bulkhead(1, "No slot is free.", queue_limit=0, queue_seconds=0)
    bulkhead.on_event = metrics.count_hash

    with bulkhead.slot():
        assert counted("argon2_places_taken") == 1
        with pytest.raises(ServiceUnavailable), bulkhead.slot():
            pass

    assert counted("argon2_places_taken") == 0
    assert counted("argon2_refusals_total") == 1


def test_no_label_has_anything_of_a_client(ann, registry):
    ann.graphql("query Private { viewer { id } }")
    ann.create(title="Private")

    labels = {text for _, pairs in samples(registry) for _, text in pairs}
    assert "createTask" in labels
    assert labels & {"Private", ann.id, ann.username, ann.token} == set()


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry", "icalendar"])
def test_what_is_off_or_not_needed_yet_is_not_even_imported(module):
    program = (
        "import sys; from graphql_api import create_app; from graphql_api.infra.serving import"
        " server; from graphql_api.config import Config;"
        " create_app(Config(dynamodb='http://127.0.0.1:1', jwt_secret=b'x' * 32));"
        f" print({module!r} in sys.modules)"
    )

    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )

    assert found.stdout == "False\n", found.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.whole
def test_one_look_sees_all_worker_processes(tmp_path):
    port = free_port()
    with running(tmp_path / "data", WORKERS="2", METRICS_PORT=str(port)) as url:
        for _ in range(20):
            urllib.request.urlopen(url + "/healthz").close()

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()

    line = r'^task_scheduler_requests_total\{code="none",operation="health\.healthz",status="200"\}'
    assert float(re.search(line + r" (\S+)$", text, re.MULTILINE)[1]) == 20


def test_an_observation_is_counted_under_every_bound_that_it_does_not_exceed(metrics, counted):
    for seconds in (0.0005, 0.005, 0.0051, 11):
        metrics.count_call(Call("Bounds", {}, {}, seconds, ""))

    def up_to(bound):
        return counted("dynamodb_call_seconds_bucket", operation="Bounds", le=bound)

    assert [up_to(b) for b in ("0.001", "0.0025", "0.005", "0.01", "10.0", "+Inf")] == [
        *(1, 1, 2, 3, 3, 4)
    ]
    assert counted("dynamodb_call_seconds_count", operation="Bounds") == 4
    assert counted("dynamodb_call_seconds_sum", operation="Bounds") == pytest.approx(11.0106)


def test_threads_that_count_at_once_lose_nothing(metrics, counted):
    def count(_):
        for turn in range(2_000):
            metrics.count_call(Call(f"Operation{turn % 7}", {}, {}, 0.1, ""))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))

    found = [
        counted("dynamodb_calls_total", operation=f"Operation{n}", outcome="ok") for n in range(7)
    ]
    assert sum(found) == 8_000


def test_what_is_counted_without_labels_is_there_from_the_first_moment_on():
    found = samples(Metrics(CollectorRegistry()).registry)

    names = {name.removeprefix("task_scheduler_") for name, _ in found}
    assert names == {
        *("requests_in_progress", "dynamodb_breaker_open", "argon2_places_taken"),
        *("argon2_refusals_total", "slow_connections_cut_total"),
    }
    assert set(found.values()) == {0}


# Several processes, each of which counts in files of its own

WORKER = """
import sys
from graphql_api.infra.concurrency.bulkhead import Event
from graphql_api.infra.dynamodb import Call
from graphql_api.infra.request_log import RequestRecord
from graphql_api.infra.telemetry.metrics import worker_metrics

metrics = worker_metrics()
metrics._is_breaker_open = lambda: {open}

class Request:
    endpoint, codes, seconds = "viewer", (), 0.1

for _ in range({requests}):
    metrics.started()
    metrics.responded(Request, 200)
metrics.count_hash(Event.REJECTED)
metrics.count_slow_bodies(2)
metrics.tally.flush()
print("counted", flush=True)
sys.stdin.read()
"""


class Worker:
    """A process that has counted some requests in progress, and ends once it is told to."""

    def __init__(self, directory, *, requests, is_open=False):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER.format(requests=requests, open=is_open)],
            cwd=ROOT,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "counted\n"

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start_worker(tmp_path):
    workers = []

    def start(**counts):
        workers.append(Worker(tmp_path, **counts))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def test_the_counters_of_a_killed_worker_stay_and_its_gauges_are_forgotten(tmp_path, start_worker):
    collector = WorkersCollector(CollectorRegistry(), tmp_path)
    start_worker(requests=2)
    killed = start_worker(requests=3, is_open=True)

    both = samples(collector)
    killed.kill()
    left = samples(collector)

    for found in (both, left):
        assert value(found, "requests_total", requests("viewer")) == 5
        assert value(found, "request_seconds_count", {"operation": "viewer"}) == 5
        assert value(found, "argon2_refusals_total", {}) == 2
        assert value(found, "slow_connections_cut_total", {}) == 4
    assert value(both, "requests_in_progress", {}) == 5
    assert value(both, "dynamodb_breaker_open", {}) == 1
    assert value(left, "requests_in_progress", {}) == 2
    assert value(left, "dynamodb_breaker_open", {}) == 0


def test_a_worker_does_not_go_on_with_the_gauges_of_one_of_its_id(tmp_path, monkeypatch):
    """Its counters it does: what they had was counted, whoever did it."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    for prefix in ("gauge_livesum", "gauge_livemax", "counter"):
        (tmp_path / f"{prefix}_7.db").write_bytes(b"")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    worker_metrics()

    assert [file.name for file in tmp_path.iterdir()] == ["counter_7.db"]


@pytest.mark.whole
def test_a_port_that_is_taken_is_said_at_the_start(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={"PORT": "0", "METRICS_PORT": port, "DATA_DIR": str(tmp_path), "PATH": ""},
            check=False,
            capture_output=True,
            text=True,
        )

    assert found.returncode == 2
    assert f"METRICS_HOST and METRICS_PORT: 127.0.0.1:{port} cannot be listened on" in found.stderr
