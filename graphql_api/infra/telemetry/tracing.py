"""Traces of requests, operations and calls: the only door to OpenTelemetry.

An optional extra (requirements/otel.txt), set up by OpenTelemetry's own variables and imported
only where they ask for it. Spans have names and codes: no document, variable, key or item.
"""

import time
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from graphql_api.infra.dynamodb import Call, Database
from graphql_api.infra.executor.executor import Executor, Operation

NAME = "smart-task-scheduler"
LONGEST_NAME = 100
# What the instrumentation of WSGI says of a client and its URL: a query string may be a document.
PRIVATE = {
    *("http.target", "http.url", "url.path", "url.full", "url.query"),
    *("http.user_agent", "user_agent.original"),
    *("net.peer.ip", "net.peer.port", "client.address", "client.port"),
}


def provider() -> TracerProvider:
    """Build what sends spans by OTLP over HTTP; OTEL_SERVICE_NAME and the others say more."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - not for tests
        OTLPSpanExporter,
    )

    resource = Resource.create({"service.name": NAME})
    made = TracerProvider(resource=resource)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


def traced(
    app: WSGIApplication, route: str, database: Database, *executors: Executor
) -> WSGIApplication:
    """Wrap an app in a span for each request, with spans of its operation and its calls in it.

    `route` is the key of the environ under which the app leaves the path of the matched route.
    """
    traces = provider()
    tracer = traces.get_tracer(NAME)
    database.subscribe(lambda call: _call(tracer, call))
    for executor in executors:
        executor.around = lambda operation: _operation(tracer, operation)

    def name(span: Span, environ: WSGIEnvironment, *_: Any) -> None:
        _name_and_hide(span, environ["REQUEST_METHOD"], environ.get(route))

    return OpenTelemetryMiddleware(app, response_hook=name, tracer_provider=traces)


def _name_and_hide(span: Span, method: str, route: str | None) -> None:
    """Name a span by its route, and blank the attributes that may hold what is private."""
    span.update_name(f"{method} {route}" if route else method)
    if route:
        span.set_attribute("http.route", route)
    if isinstance(span, ReadableSpan):  # else it is not kept
        for name in PRIVATE.intersection(span.attributes or ()):
            span.set_attribute(name, "")  # an attribute cannot be taken back


def _operation(tracer: Tracer, operation: Operation) -> AbstractContextManager[Any]:
    """A span of OpenTelemetry's conventions for GraphQL, without the document."""
    kind = operation.node.operation.value
    attributes = {"graphql.operation.type": kind}
    if operation.name:
        attributes["graphql.operation.name"] = operation.name[:LONGEST_NAME]
    return tracer.start_as_current_span(kind, attributes=attributes)


def _call(tracer: Tracer, call: Call) -> None:
    """A span of a call that has just ended (OpenTelemetry's conventions for DynamoDB)."""
    now = time.time_ns()
    attributes: dict[str, AttributeValue] = {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": call.operation,
        "aws.dynamodb.table_names": call.tables,
    }
    span = tracer.start_span(
        f"DynamoDB {call.operation}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        start_time=now - int(call.seconds * 1e9),
    )
    if call.failure:
        span.set_attribute("error.type", call.failure)
        span.set_status(Status(StatusCode.ERROR))
    span.end(now)
