"""What operators can count: requests, calls, units, places; nothing personal in a label."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from conftest import LOGIN, PASSWORD, REGISTER, TASKS
from service import ROOT, running

from graphql_api import create_app
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.telemetry import metrics
from graphql_api.infra.telemetry.counters import CELLS, Counts
from graphql_api.infra.telemetry.prometheus import Workers


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("counts")


@pytest.fixture(scope="module")
def counts(directory):
    return Counts(directory, os.getpid())


@pytest.fixture(scope="module")
def app(engine, counts):
    return create_app(engine, counts=counts)


@pytest.fixture
def counted(directory):
    """How much a sample has grown since the test began."""
    before = samples(directory)

    def grown(name, **labels):
        return value(samples(directory), name, labels) - value(before, name, labels)

    return grown


def samples(directory):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in Workers(directory).collect()
        for sample in metric.samples
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
    ann.create(title="A call")
    ann.api.graphql(REGISTER, input={"username": ann.username, "password": PASSWORD})

    well = {"operation": "PutItem", "outcome": "ok"}
    refused = {"operation": "TransactWriteItems", "outcome": "TransactionCanceledException"}
    assert counted("dynamodb_calls_total", **well) == 1
    assert counted("dynamodb_calls_total", **refused) == 1
    assert counted("dynamodb_call_seconds_count", operation="PutItem") == 1


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


def test_who_gets_no_place_to_hash_in_is_counted(counts, counted):
    bulkhead = Bulkhead(1, "No slot is free.", queue_limit=0, queue_seconds=0)
    bulkhead.on_event = partial(metrics._count_event, counts)

    with bulkhead.slot():
        assert counted("argon2_places_taken") == 1
        with pytest.raises(ServiceUnavailable), bulkhead.slot():
            pass

    assert counted("argon2_places_taken") == 0
    assert counted("argon2_refusals_total") == 1


def test_no_label_has_anything_of_a_client(ann, directory):
    ann.graphql("query Private { viewer { id } }")
    ann.create(title="Private")

    labels = {text for _, pairs in samples(directory) for _, text in pairs}
    assert "createTask" in labels
    assert labels & {"Private", ann.id, ann.username, ann.token} == set()


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry"])
def test_what_is_off_is_not_even_imported(module):
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


def test_an_observation_is_counted_under_every_bound_that_it_does_not_exceed(tmp_path):
    counts = Counts(tmp_path, os.getpid())
    for seconds in (0.0005, 0.005, 0.0051, 11):
        counts.observe("request_seconds", "viewer", value=seconds, bounds=metrics.SECONDS)

    found = samples(tmp_path)

    def up_to(bound):
        return value(found, "request_seconds_bucket", {"operation": "viewer", "le": bound})

    assert [up_to(b) for b in ("0.001", "0.0025", "0.005", "0.01", "10.0", "+Inf")] == [
        *(1, 1, 2, 3, 3, 4)
    ]
    assert value(found, "request_seconds_count", {"operation": "viewer"}) == 4
    assert value(found, "request_seconds_sum", {"operation": "viewer"}) == pytest.approx(11.0106)


def test_the_counters_of_a_process_that_has_ended_stay_and_its_gauges_are_forgotten(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    for process in (os.getpid(), ended.pid):
        counts = Counts(tmp_path, process)
        counts.add("argon2_refusals")
        counts.add("requests_in_progress", by=2)
        counts.set("dynamodb_breaker_open", to=process == ended.pid)

    found = samples(tmp_path)

    assert value(found, "argon2_refusals_total", {}) == 2
    assert value(found, "requests_in_progress", {}) == 2
    assert value(found, "dynamodb_breaker_open", {}) == 0


def test_threads_that_count_at_once_lose_nothing(tmp_path):
    counts = Counts(tmp_path, os.getpid())

    def count(_):
        for turn in range(2_000):
            counts.add("dynamodb_calls", f"Operation{turn % 7}", "ok")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))

    found = [cells for name, cells in samples(tmp_path).items() if "calls_total" in name[0]]
    assert (len(found), sum(found)) == (7, 8_000)


@pytest.mark.parametrize("name", ["{}", "a name that takes much of the room for texts {}"])
def test_a_key_that_finds_no_room_is_logged_and_does_no_harm(tmp_path, caplog, name):
    counts = Counts(tmp_path, os.getpid())
    for number in [*range(CELLS), *range(CELLS)]:
        counts.add("dynamodb_calls", name.format(number), "ok")

    found = samples(tmp_path)

    calls = {dict(labels)["operation"]: value for (_, labels), value in found.items()}
    assert 2_000 < len(calls) < CELLS
    assert set(calls.values()) == {2}
    assert len(caplog.records) == CELLS - len(calls)


def test_a_process_of_an_id_that_was_there_before_counts_beside_it(tmp_path):
    Counts(tmp_path, os.getpid()).add("argon2_refusals", by=3)
    counts = Counts(tmp_path, os.getpid())
    counts.add("requests", "viewer", "200", "none")
    counts.add("argon2_refusals")

    found = samples(tmp_path)

    assert value(found, "argon2_refusals_total", {}) == 4
    assert value(found, "requests_total", requests("viewer")) == 1


def test_a_file_that_is_just_being_made_is_left_out(tmp_path):
    (tmp_path / f"{os.getpid()}-x.counts").write_bytes(b"")

    assert samples(tmp_path) == {}


def test_requests_are_answered_though_nobody_can_see_the_counts_any_more(engine, tmp_path):
    app = create_app(engine, counts=Counts(tmp_path, os.getpid()))
    for file in tmp_path.iterdir():
        file.unlink()
    tmp_path.rmdir()

    assert app.test_client().get("/nowhere").status_code == 404


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
