"""A worker process: an app that a hub of greenlets runs, its metrics and its watchdog."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from graphql_api.config import CONNECTIONS, Config
from graphql_api.infra import process_wide, request_log
from graphql_api.infra.concurrency.drain import Drain
from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving import connections, watchdog
from graphql_api.infra.serving.rsgi import RSGIApp

if TYPE_CHECKING:
    from graphql_api.infra.telemetry.metrics import Metrics


def start_worker(
    config: Config,
    create_app: Callable[..., WSGIApplication],
    threads: int,
    drain: Drain,
    master: int,
) -> RSGIApp:
    """Prepare this process as a worker of `master`, and return the app that granian serves.

    `create_app` is called with the configuration, with `is_draining` and with `metrics`.
    """
    process_wide.leave_terminal()
    process_wide.schedule_as_batch()
    process_wide.raise_file_limit()
    process_wide.return_large_memory()
    process_wide.die_with(master)
    request_log.configure(config.log_level)  # which a spawned process does not inherit
    draining = threading.Event()
    drain.on_start(draining.set)
    metrics = _metrics() if config.metrics_port else None
    hub = Hub(threads, config.concurrency)
    app = RSGIApp(create_app(config, is_draining=draining.is_set, metrics=metrics), hub)
    if metrics:
        app.on_slow_bodies = metrics.count_slow_bodies
    watchdog.watch_hub(hub)
    # Behind a proxy all connections are the proxy's, and it has to bound them.
    share = None if config.trusted_proxies else config.max_connections_per_address
    connections.guard(config.port, CONNECTIONS, share, app.streams, app.unread)
    process_wide.freeze_heap()
    process_wide.keep_returning_memory()
    return app


def _metrics() -> "Metrics":
    from graphql_api.infra.telemetry.metrics import worker_metrics  # noqa: PLC0415 - not where they are off

    return worker_metrics()
