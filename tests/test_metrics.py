"""What operators can count: requests, calls, units, places; nothing personal in a label."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import LOGIN, PASSWORD, REGISTER, TASKS
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from service import running

from graphql_api import create_app, metrics
from graphql_api.accounts.passwords import Passwords
from graphql_api.errors import ServiceUnavailable

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def app(engine):
    return create_app(replace(engine, metrics_port=1))  # which only app.py listens on


@pytest.fixture
def counted():
    """How much a sample has grown since the test began."""
    before = samples()
    return lambda name, **labels: value(samples(), name, labels) - value(before, name, labels)


def samples():
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in REGISTRY.collect()
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


def test_who_gets_no_place_to_hash_in_is_counted(counted):
    passwords = Passwords("CHEAPEST", 1)
    passwords.places.on_place = metrics._count_place

    with passwords.place():
        assert counted("argon2_places_taken") == 1
        with pytest.raises(ServiceUnavailable), passwords.place():
            pass

    assert counted("argon2_places_taken") == 0
    assert counted("argon2_refusals_total") == 1


def test_no_label_has_anything_of_a_client(ann):
    ann.graphql("query Private { viewer { id } }")
    ann.create(title="Private")

    labels = {text for _, pairs in samples() for _, text in pairs}
    assert "createTask" in labels
    assert labels & {"Private", ann.id, ann.username, ann.token} == set()


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry"])
def test_what_is_off_is_not_even_imported(module):
    program = (
        "import sys; from graphql_api import create_app, server; from graphql_api.config import"
        " Config; create_app(Config(dynamodb='http://127.0.0.1:1', jwt_secret=b'x' * 32));"
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


def test_the_gauges_of_a_process_that_has_ended_are_forgotten(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    for pid in (os.getpid(), ended.pid):
        MmapedDict(str(tmp_path / f"gauge_livesum_{pid}.db")).close()

    list(metrics._Workers(CollectorRegistry(), str(tmp_path)).collect())

    assert [file.name for file in tmp_path.iterdir()] == [f"gauge_livesum_{os.getpid()}.db"]


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
    assert f"METRICS_PORT: 127.0.0.1:{port} cannot be listened on" in found.stderr
