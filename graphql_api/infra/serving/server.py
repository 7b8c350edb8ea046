"""The HTTP server: granian, some processes of some threads each."""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian import Granian, loops
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from graphql_api.config import CONNECTIONS, LOOPBACK_OF, Config
from graphql_api.errors import StartError
from graphql_api.infra import process_wide, request_log
from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving import watchdog
from graphql_api.infra.serving.drain import Drain
from graphql_api.infra.serving.event_loop import Loop
from graphql_api.infra.serving.rsgi import Front
from graphql_api.infra.serving.wsgi import Wsgi

if TYPE_CHECKING:
    from graphql_api.infra.telemetry.metrics import Metrics

HEADER_MILLISECONDS = 5_000  # for a client to send its request's head
STOP_SECONDS = 10  # for requests in flight to finish
STEPPING = "stepping"  # the name of our loop

loops.register(STEPPING)(Loop)


def listening(config: Config) -> Config:
    """The same configuration with an address and a port that is free.

    StartError if the wanted ones cannot be had.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((config.host, config.port))
            host, port = probe.getsockname()[:2]  # granian takes addresses only, no names
            return replace(config, host=host, port=port)
    except (OSError, TypeError) as error:  # TypeError: a host that IDNA cannot encode
        names = "HOST and PORT" if config.port else "HOST"
        raise _not_to_be_had(names, config.host, config.port, error) from None


def _not_to_be_had(names: str, host: str, port: int, error: Exception) -> StartError:
    """That an address, which these settings name, cannot be listened on."""
    why = getattr(error, "strerror", None) or error
    return StartError(f"{names}: {host}:{port} cannot be listened on: {why}")


class _Server(Granian):  # type: ignore[misc, valid-type]  # which class it is, is chosen at import
    """granian, which ends some seconds after its drain has begun, or at a second signal."""

    def __init__(self, drain: Drain, seconds: int, **settings: Any) -> None:
        super().__init__("graphql_api", **settings)
        self._drain, self._seconds = drain, seconds
        drain.then(self._end)
        watchdog.watch_stopped(lambda: [worker.inner for worker in self.wrks])

    def _end(self) -> None:
        time.sleep(self._seconds)
        super().signal_handler_interrupt()

    def signal_handler_interrupt(self, *_: Any, **__: Any) -> None:
        if os.getpid() != self.pid:  # a worker that was forked, and has no handlers of its own yet
            return
        if self._drain.begun():
            super().signal_handler_interrupt()
        else:
            self._drain.begin()

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        self.signal_handler_interrupt()  # its terminal is gone: that would only renew the workers


def serve(
    config: Config,
    make_app: Callable[..., Wsgi],
    *,
    threads: int,
    then: Callable[[], None],
) -> None:
    """Serve what `make_app` makes of a configuration in each worker, until a signal ends it.

    `make_app` is graphql_api.app.start_app; each worker has so many `threads` for long work, one
    for each slot of a bulkhead; `then` is called once connections are accepted.
    """
    threading.Thread(target=_when_listening, args=(config, then), daemon=True).start()
    drain = Drain()
    process_wide.freeze_heap()  # of what imports leave behind, each worker would keep up to 9 MB
    _Server(
        drain,
        config.drain_seconds,
        address=config.host,
        port=config.port,
        interface=Interfaces.RSGI,
        loop=STEPPING,
        workers=config.workers,
        backpressure=CONNECTIONS,
        websockets=False,
        # Over HTTP/2 one connection has many bodies, and pings that look like progress.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,  # that it starts and ends is no news
        log_dictconfig={"loggers": {"_granian": {}}},  # whose handlers are ours
    ).serve(
        target_loader=partial(_worker, config, make_app, threads, os.getpid(), drain),
        wrap_loader=False,
    )


@contextmanager
def metrics_served(config: Config) -> Iterator[None]:
    """Serve the metrics of all workers, where they are wanted.

    StartError if their port cannot be had.
    """
    if not config.metrics_port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory  # before the library is imported
        from graphql_api.infra.telemetry import prometheus  # noqa: PLC0415 - nobody else should wait for it

        try:
            prometheus.serve(config.metrics_host, config.metrics_port, Path(directory))
        except OSError as error:
            names = "METRICS_HOST and METRICS_PORT"
            raise _not_to_be_had(names, config.metrics_host, config.metrics_port, error) from None
        yield


def _when_listening(config: Config, then: Callable[[], None]) -> None:
    address = (LOOPBACK_OF.get(config.host, config.host), config.port)
    while True:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return then()


def _worker(
    config: Config,
    make_app: Callable[..., Wsgi],
    threads: int,
    master: int,
    drain: Drain,
) -> Front:
    """What a worker process serves. It ends with its master, however that ends."""
    process_wide.leave_terminal()
    process_wide.schedule_as_batch()
    process_wide.die_with(master)
    request_log.configure(config.log_level)  # where workers are not forked, they begin without
    leaving = threading.Event()
    drain.then(leaving.set)
    metrics = _metrics() if config.metrics_port else None
    hub = Hub(threads, config.at_once)
    front = Front(make_app(config, leaving=leaving.is_set, metrics=metrics), hub)
    if metrics:
        front.on_cut = metrics.count_slow_bodies
    watchdog.watch(hub)
    process_wide.freeze_heap()
    return front


def _metrics() -> "Metrics":
    from graphql_api.infra.telemetry.metrics import worker_metrics  # noqa: PLC0415 - as above

    return worker_metrics()
