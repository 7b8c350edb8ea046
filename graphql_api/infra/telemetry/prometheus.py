"""What all worker processes have counted, for Prometheus: the only door to prometheus-client.

Imported only where metrics are switched on, and only by the master process.
"""

import os
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from wsgiref.simple_server import ServerHandler

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from graphql_api.infra.telemetry import metrics
from graphql_api.infra.telemetry.counters import Key, read
from graphql_api.infra.telemetry.metrics import METRICS, SECONDS

PREFIX = "task_scheduler_"


def serve(host: str, port: int, directory: Path) -> None:
    """Answer /metrics with what is counted in a directory, from a thread; OSError if taken."""
    registry = CollectorRegistry()
    registry.register(Workers(directory))
    ServerHandler.server_software = "http"  # no more than the service's own answers tell
    start_http_server(port, host, registry)


class Workers(Collector):
    """The counts of all processes, and the gauges of those that live."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        together = _together(self._directory)
        for name, metric in METRICS.items():
            found = {key[1:]: cells for key, cells in together.items() if key[0] == name}
            yield _family(PREFIX + name, metric, found)


def _together(directory: Path) -> dict[Key, list[float]]:
    """The cells of all processes, added up."""
    together: dict[Key, list[float]] = {}
    for process, cells in read(directory):
        lives = _lives(process)
        for key, own in cells.items():
            kind = METRICS[key[0]].kind
            if not lives and kind in {"gauge", "flag"}:
                continue
            others = together.get(key, [0.0] * len(own))
            add = max if kind == "flag" else float.__add__
            together[key] = list(map(add, others, own))
    return together


def _family(name: str, metric: metrics.Metric, found: dict[Key, list[float]]) -> Metric:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, metric.description, labels=metric.labels)
        bounds = [*map(str, map(float, SECONDS)), "+Inf"]
        for key, (*counts, total) in found.items():
            histogram.add_metric(key, list(zip(bounds, accumulate(counts), strict=True)), total)
        return histogram
    made = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = made(name, metric.description, labels=metric.labels)
    for key, [value] in found.items():
        family.add_metric(key, value)
    return family


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
