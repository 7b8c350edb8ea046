"""What the service counts for its operators.

Every label is of a closed set: fields of the schema, routes, codes, tables. Nothing that a client
has sent is one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from flask import Flask, Response, g, request

from graphql_api import logs
from graphql_api.accounts.passwords import Passwords
from graphql_api.counts import Counts
from graphql_api.dynamodb import Call, Database
from graphql_api.execution import Operation
from graphql_api.places import Place

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NONE, SEVERAL = "none", "several"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is counted, and what its labels are.

    A counter only grows, and a histogram has SECONDS as its bounds; of a gauge, the processes that
    live are added up, of a flag it is said whether one of them has raised it.
    """

    kind: Literal["counter", "histogram", "gauge", "flag"]
    description: str
    labels: tuple[str, ...] = ()


METRICS = {
    "requests": Metric(
        "counter",
        "Requests by GraphQL root field or route, HTTP status and error code.",
        ("operation", "status", "code"),
    ),
    "request_seconds": Metric(
        "histogram", "Seconds from a request's whole body to its answer.", ("operation",)
    ),
    "requests_in_progress": Metric(
        "gauge",
        "Requests that are being answered; there are WORKERS x THREADS places for them.",
    ),
    "dynamodb_calls": Metric(
        "counter",
        "Calls to DynamoDB by operation, and its error code or ok.",
        ("operation", "outcome"),
    ),
    "dynamodb_call_seconds": Metric(
        "histogram", "Seconds of a call, with all its attempts.", ("operation",)
    ),
    "dynamodb_units": Metric(
        "counter",
        "Capacity units that the store says it has consumed, by table.",
        ("table", "kind"),
    ),
    "dynamodb_breaker_open": Metric(
        "flag", "1 if a process takes the store for dead and refuses calls."
    ),
    "argon2_places_taken": Metric("gauge", "Passwords that are being hashed or checked."),
    "argon2_refusals": Metric(
        "counter",
        "Requests that were refused because too many passwords were being checked.",
    ),
    "slow_connections_cut": Metric("counter", "Connections cut for their slow bodies."),
}


def watch(app: Flask, database: Database, passwords: Passwords, counts: Counts) -> None:
    """Count what the service does from now on."""
    for name, metric in METRICS.items():
        if not metric.labels:  # it is there from the first moment on
            counts.add(name, by=0)
    _watch_requests(app, database, counts)
    database.listen(partial(_count_call, counts))
    passwords.places.on_place = partial(_count_place, counts)


def _watch_requests(app: Flask, database: Database, counts: Counts) -> None:
    @app.before_request
    def begin() -> None:
        counts.add("requests_in_progress")

    @app.after_request
    def count(response: Response) -> Response:
        if known := logs.current():
            operation = _operation()
            counts.add("requests", operation, str(response.status_code), _one(known.codes))
            counts.observe("request_seconds", operation, value=known.seconds, bounds=SECONDS)
        counts.set("dynamodb_breaker_open", to=database.breaker.open)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        counts.add("requests_in_progress", by=-1)


def _count_call(counts: Counts, call: Call) -> None:
    counts.add("dynamodb_calls", call.operation, call.failure or "ok")
    counts.observe("dynamodb_call_seconds", call.operation, value=call.seconds, bounds=SECONDS)
    kind = "read" if call.operation in READS else "write"
    for table, units in call.units.items():
        counts.add("dynamodb_units", table, kind, by=units)


def _count_place(counts: Counts, place: Place) -> None:
    if place is Place.REFUSED:
        counts.add("argon2_refusals")
    else:
        counts.add("argon2_places_taken", by=1 if place is Place.TAKEN else -1)


def _operation() -> str:
    """The operation's only root field, or the route."""
    if request.endpoint != "http.graphql":
        return request.endpoint or NONE
    operation: Operation | None = g.get("operation")
    return NONE if operation is None else _one(operation.fields)


def _one(names: Iterable[str]) -> str:
    found = set(names)
    return SEVERAL if len(found) > 1 else next(iter(found), NONE)
