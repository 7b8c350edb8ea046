"""What the service counts for its operators.

Every label is of a closed set: fields of the schema, routes, codes, tables. Nothing that a client
has sent is one.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from graphql_api.infra.concurrency.bulkhead import Bulkhead, Event
from graphql_api.infra.dynamodb import Call, Database
from graphql_api.infra.request_log import Request, only
from graphql_api.infra.telemetry.counters import Counts

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


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
        "Requests that are being answered.",
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


def watch(database: Database, hashing: Bulkhead, counts: Counts) -> "Requests":
    """Count calls and hashes from now on; what is returned counts each request that it hears of."""
    for name, metric in METRICS.items():
        if not metric.labels:  # it is there from the first moment on
            counts.add(name, by=0)
    database.listen(partial(_count_call, counts))
    hashing.on_event = partial(_count_event, counts)
    return Requests(counts, database)


class Requests:
    """Counts requests, as api.http.middleware tells of them."""

    def __init__(self, counts: Counts, database: Database) -> None:
        self._counts = counts
        self._database = database

    def began(self) -> None:
        """A request is being answered."""
        self._counts.add("requests_in_progress")

    def answered(self, request: Request, status: int) -> None:
        """It has an answer."""
        count, does = self._counts, request.does
        count.add("requests", does, str(status), only(request.codes))
        count.observe("request_seconds", does, value=request.seconds, bounds=SECONDS)
        count.set("dynamodb_breaker_open", to=self._database.breaker.is_open)

    def ended(self) -> None:
        """Nothing of it is left to do."""
        self._counts.add("requests_in_progress", by=-1)


def _count_call(counts: Counts, call: Call) -> None:
    counts.add("dynamodb_calls", call.operation, call.failure or "ok")
    counts.observe("dynamodb_call_seconds", call.operation, value=call.seconds, bounds=SECONDS)
    kind = "read" if call.operation in READS else "write"
    for table, units in call.units.items():
        counts.add("dynamodb_units", table, kind, by=units)


def _count_event(counts: Counts, event: Event) -> None:
    if event is Event.REJECTED:
        counts.add("argon2_refusals")
    else:
        counts.add("argon2_places_taken", by=1 if event is Event.ACQUIRED else -1)
