"""Metrics for operators, counted by prometheus-client; imported only where they are wanted.

Every label has a closed set of values: fields of the schema, routes, codes, tables. None of them
is anything that a client has sent.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess

from graphql_api.infra.concurrency.bulkhead import Bulkhead, Event
from graphql_api.infra.dynamodb import Call, Database
from graphql_api.infra.dynamodb.database import READ, READS, WRITE
from graphql_api.infra.request_log import RequestRecord, single_or_several
from graphql_api.infra.telemetry.tally import Tally

NAMESPACE = "task_scheduler"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one process: an observer of requests, calls, password hashes and slow bodies.

    Children of labels are cached: to look one up by its labels takes prometheus-client 1 µs.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, NAMESPACE, registry=registry)

        def gauge(name: str, text: str, mode: Literal["livesum", "livemax"]) -> Gauge:
            return Gauge(name, text, (), NAMESPACE, registry=registry, multiprocess_mode=mode)

        def seconds(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(name, text, labels, NAMESPACE, registry=registry, buckets=SECONDS)

        requests = counter(
            "requests",
            "Requests by GraphQL root field or route, HTTP status and error code.",
            *("operation", "status", "code"),
        )
        request_seconds = seconds(
            "request_seconds", "Seconds from a request's whole body to its answer.", "operation"
        )
        calls = counter(
            "dynamodb_calls",
            "Calls to DynamoDB by operation, and its error code or ok.",
            *("operation", "outcome"),
        )
        call_seconds = seconds(
            "dynamodb_call_seconds", "Seconds of a call, with all its attempts.", "operation"
        )
        units = counter(
            "dynamodb_units",
            "Capacity units that the store says it has consumed, by table.",
            *("table", "kind"),
        )
        self._requests = cache(requests.labels)
        self._request_seconds = cache(request_seconds.labels)
        self._calls = cache(calls.labels)
        self._call_seconds = cache(call_seconds.labels)
        self._units = cache(units.labels)
        self._requests_in_progress = gauge(
            "requests_in_progress", "Requests that are being answered.", "livesum"
        )
        self._breaker_open = gauge(
            "dynamodb_breaker_open",
            "1 if a process takes the store for dead and refuses calls.",
            "livemax",
        )
        self._hashes = gauge(
            "argon2_places_taken", "Passwords that are being hashed or checked.", "livesum"
        )
        self._refused_hashes = counter(
            "argon2_refusals",
            "Requests that were refused because too many passwords were being checked.",
        )
        self._slow_bodies = counter(
            "slow_connections_cut", "Connections cut for their slow bodies."
        )
        self.tally = Tally()
        self._was_breaker_open = False
        self._is_breaker_open: Callable[[], bool] = lambda: False

    def observe(self, database: Database, hashing: Bulkhead) -> None:
        """Count the calls and password hashes of an application from now on."""
        database.subscribe(self.count_call)
        hashing.on_event = self.count_hash
        self._is_breaker_open = lambda: any(
            breaker.is_open for breaker in database.breakers.values()
        )

    def started(self) -> None:
        """Count a request in progress."""
        self.tally.add(self._requests_in_progress)

    def responded(self, request: RequestRecord, status: int) -> None:
        """Count a request by its response, and the seconds it took."""
        code = single_or_several(request.codes)
        self.tally.add(self._requests(request.endpoint, str(status), code))
        self.tally.observe(self._request_seconds(request.endpoint), request.seconds)
        if (is_open := self._is_breaker_open()) != self._was_breaker_open:  # to set it takes 3 µs
            self._was_breaker_open = is_open
            self._breaker_open.set(is_open)

    def finished(self) -> None:
        """End a request in progress."""
        self.tally.add(self._requests_in_progress, -1)

    def count_call(self, call: Call) -> None:
        """Count a call to DynamoDB, its seconds and its capacity units."""
        self.tally.add(self._calls(call.operation, call.failure or "ok"))
        self.tally.observe(self._call_seconds(call.operation), call.seconds)
        kind = READ if call.operation in READS else WRITE
        for table, units in call.units.items():
            self.tally.add(self._units(table, kind), units)

    def count_hash(self, event: Event) -> None:
        """Count a password hash that begins, ends, or is refused."""
        if event is Event.REJECTED:
            self._refused_hashes.inc()
        else:
            self._hashes.inc(1 if event is Event.ACQUIRED else -1)

    def count_slow_bodies(self, count: int) -> None:
        """Count connections that were cut for their slow bodies."""
        self._slow_bodies.inc(count)


def worker_metrics() -> Metrics:
    """Return metrics that the exporter of the master process shows with those of other workers.

    What an ended process of the same id has left in its gauges is removed first.
    """
    multiprocess.mark_process_dead(os.getpid())
    return Metrics(CollectorRegistry())
