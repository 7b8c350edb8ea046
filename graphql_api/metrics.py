"""What the service counts for its operators: the only door to prometheus-client.

Imported only where metrics are switched on. Every label is of a closed set: fields of the
schema, routes, codes, tables. Nothing that a client has sent is one.
"""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from wsgiref.simple_server import ServerHandler

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client import start_http_server as start
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from graphql_api import logs
from graphql_api.accounts.passwords import Passwords
from graphql_api.dynamodb import Call, Database
from graphql_api.execution import Operation
from graphql_api.places import Place

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NONE, SEVERAL = "none", "several"

REQUESTS = Counter(
    "task_scheduler_requests",
    "Requests by GraphQL root field or route, HTTP status and error code.",
    ["operation", "status", "code"],
)
REQUEST_SECONDS = Histogram(
    "task_scheduler_request_seconds",
    "Seconds from a request's whole body to its answer.",
    ["operation"],
    buckets=SECONDS,
)
IN_PROGRESS = Gauge(
    "task_scheduler_requests_in_progress",
    "Requests that are being answered; there are WORKERS x THREADS places for them.",
    multiprocess_mode="livesum",
)
CALLS = Counter(
    "task_scheduler_dynamodb_calls",
    "Calls to DynamoDB by operation, and its error code or ok.",
    ["operation", "outcome"],
)
CALL_SECONDS = Histogram(
    "task_scheduler_dynamodb_call_seconds",
    "Seconds of a call, with all its attempts.",
    ["operation"],
    buckets=SECONDS,
)
UNITS = Counter(
    "task_scheduler_dynamodb_units",
    "Capacity units that the store says it has consumed, by table.",
    ["table", "kind"],
)
BREAKER_OPEN = Gauge(
    "task_scheduler_dynamodb_breaker_open",
    "1 if a process takes the store for dead and refuses calls.",
    multiprocess_mode="livemax",
)
PLACES_TAKEN = Gauge(
    "task_scheduler_argon2_places_taken",
    "Passwords that are being hashed or checked.",
    multiprocess_mode="livesum",
)
PLACES_REFUSED = Counter(
    "task_scheduler_argon2_refusals",
    "Requests that were refused because too many passwords were being checked.",
)
# A metric looks its labels up under a lock: they are of closed sets, and remembered.
_requests = cache(REQUESTS.labels)
_request_seconds = cache(REQUEST_SECONDS.labels)
_calls = cache(CALLS.labels)
_call_seconds = cache(CALL_SECONDS.labels)
_units = cache(UNITS.labels)

CUT = Counter("task_scheduler_slow_connections_cut", "Connections cut for their slow bodies.")


def watch(app: Flask, database: Database, passwords: Passwords) -> None:
    """Count what the service does from now on."""
    database.listen(_count_call)
    passwords.places.on_place = _count_place

    @app.before_request
    def begin() -> None:
        IN_PROGRESS.inc()

    @app.after_request
    def count(response: Response) -> Response:
        _count_request(response.status_code)
        BREAKER_OPEN.set(database.breaker.open)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        IN_PROGRESS.dec()


def serve(host: str, port: int, directory: Path) -> None:
    """Answer /metrics with what all worker processes count, from a thread; OSError if taken."""
    registry = CollectorRegistry()
    _Workers(registry, str(directory))  # type: ignore[no-untyped-call]  # as its base is
    ServerHandler.server_software = "http"  # no more than the service's own answers tell
    start(port, host, registry)


class _Workers(MultiProcessCollector):
    """The counts of all processes, and the gauges of those that live."""

    def collect(self) -> Iterable[Metric]:
        gauges = Path(self._path).glob("gauge_live*_*.db")
        for pid in {int(file.stem.rpartition("_")[2]) for file in gauges}:
            if not _lives(pid):
                mark_process_dead(pid, self._path)
        found: Iterable[Metric] = super().collect()  # type: ignore[no-untyped-call]  # as above
        return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _count_request(status: int) -> None:
    known = logs.current()
    if known is None:
        return
    operation = _operation()
    _requests(operation, status, _one(known.codes)).inc()
    _request_seconds(operation).observe(known.seconds)


def _operation() -> str:
    """The operation's only root field, or the route."""
    if request.endpoint != "http.graphql":
        return request.endpoint or NONE
    operation: Operation | None = g.get("operation")
    return NONE if operation is None else _one(operation.fields)


def _one(names: Iterable[str]) -> str:
    found = set(names)
    return SEVERAL if len(found) > 1 else next(iter(found), NONE)


def _count_call(call: Call) -> None:
    _calls(call.operation, call.failure or "ok").inc()
    _call_seconds(call.operation).observe(call.seconds)
    kind = "read" if call.operation in READS else "write"
    for table, units in call.units.items():
        _units(table, kind).inc(units)


def _count_place(place: Place) -> None:
    if place is Place.REFUSED:
        PLACES_REFUSED.inc()
    else:
        PLACES_TAKEN.inc(1 if place is Place.TAKEN else -1)
