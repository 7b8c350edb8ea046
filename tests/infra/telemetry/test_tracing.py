"""Traces tell what was done and how long it took, and nothing of what was in it."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from conftest import TASK, bearer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graphql_api import create_app
from graphql_api.config import Config
from graphql_api.errors import StartError
from graphql_api.infra.telemetry import tracing


@pytest.fixture(scope="module")
def exporter():
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def app(engine, exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "provider", lambda: provider)
        yield create_app(replace(engine, traces=True))


@pytest.fixture
def spans(exporter):
    """The spans that have ended since the test began, by name."""
    begin = len(exporter.get_finished_spans())
    return lambda: {span.name: span for span in exporter.get_finished_spans()[begin:]}


def test_a_request_has_spans_for_its_operation_and_its_calls(ann, spans):
    task = ann.create(title="Trace me")
    ann.rest("GET", f"/api/v1/tasks/{task['id']}")

    found = spans()
    request, operation = found["GET /api/v1/tasks/<task_id>"], found["query"]
    call = found["DynamoDB GetItem"]
    assert operation.attributes["graphql.operation.name"] == "GetTask"
    assert operation.parent.span_id == request.context.span_id
    assert call.parent.span_id == operation.context.span_id
    assert call.attributes["aws.dynamodb.table_names"] == ("Tasks",)
    assert operation.start_time <= call.start_time <= call.end_time <= operation.end_time


def test_a_call_that_fails_says_how(ann, spans):
    ann.api.rest(
        "POST", "/auth/register", json={"username": ann.username, "password": "another password"}
    )

    call = spans()["DynamoDB TransactWriteItems"]
    assert call.attributes["error.type"] == "TransactionCanceledException"
    assert call.attributes["aws.dynamodb.table_names"] == ("Users",)
    assert not call.status.is_ok


def test_spans_have_no_document_variable_token_or_address(ann, spans):
    query = "query Named($id: ID!) { task(id: $id) { title } }"
    variables = quote(json.dumps({"id": "a-private-id"}))
    url = f"/graphql?query={quote(query)}&variables={variables}&operationName=Named"
    ann.api.client.get(url, headers={"User-Agent": "private", **bearer(ann.token)})
    ann.graphql(TASK, id="another-private-id")

    text = "".join(span.to_json() for span in spans().values())
    assert "GetItem" in text
    assert [word for word in ("private", "$id", ann.token, "127.0.0.1") if word in text] == []


@pytest.mark.parametrize(
    ("variables", "on"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, 0),
    ],
)
def test_traces_are_switched_on_by_opentelemetrys_own_variables(variables, on):
    assert Config.from_env(variables).traces == on


def test_what_is_asked_for_and_not_installed_stops_the_start(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(StartError, match="requirements/otel"):
        Config.from_env({"OTEL_TRACES_EXPORTER": "otlp"})


def test_another_exporter_stops_the_start():
    with pytest.raises(StartError, match="must be otlp or none, not 'zipkin'"):
        Config.from_env({"OTEL_TRACES_EXPORTER": "zipkin"})
