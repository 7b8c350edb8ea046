"""The /metrics endpoint: sums over all worker processes, by prometheus-client's multiprocess mode.

Workers write their metrics into files of a directory, which the master process reads. Its name is
in PROMETHEUS_MULTIPROC_DIR, which has to be set before this module is imported.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess, start_http_server
from prometheus_client.metrics_core import Metric

from graphql_api.infra import process_wide
from graphql_api.infra.telemetry.tally import FLUSH_SECONDS


def serve(host: str, port: int, directory: Path) -> None:
    """Answer /metrics from a thread; raises OSError if the port cannot be had."""
    process_wide.hide_server_of_metrics()
    registry = CollectorRegistry()
    WorkersCollector(registry, directory)
    start_http_server(port, host, registry)


class WorkersCollector(multiprocess.MultiProcessCollector):
    """Collects the metrics of all processes, but gauges only of those that live."""

    def __init__(self, registry: CollectorRegistry, directory: Path) -> None:
        super().__init__(registry, str(directory))  # type: ignore[no-untyped-call]
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Return all metrics, once workers have passed on what they counted until now."""
        time.sleep(2 * FLUSH_SECONDS)
        for file in self._directory.glob("gauge_live*.db"):
            process = int(file.stem.rpartition("_")[2])
            if not _is_alive(process):
                multiprocess.mark_process_dead(process, str(self._directory))
        metrics: Iterable[Metric] = super().collect()  # type: ignore[no-untyped-call]
        return metrics


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
