"""The HTTP server: granian's master process, which starts, replaces and ends the workers."""

import os
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from granian import Granian, loops
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from graphql_api.config import CONNECTIONS, LOOPBACK_OF, Config
from graphql_api.errors import StartError
from graphql_api.infra import process_wide
from graphql_api.infra.concurrency.drain import Drain
from graphql_api.infra.serving import watchdog
from graphql_api.infra.serving.event_loop import EventLoop
from graphql_api.infra.serving.worker import start_worker

HEAD_MILLISECONDS = 5_000  # for a client to send a request's head
STOP_SECONDS = 10  # for requests in flight to finish
MAX_DEATHS = 5  # of workers within …
DEATHS_SECONDS = 30.0  # … after which a service that cannot run ends, and says so
EVENT_LOOP = "inline"  # the name of ours in granian's registry

loops.register(EVENT_LOOP)(EventLoop)


def resolve_address(config: Config) -> Config:
    """Return the configuration with the numeric address of its host, and a free port for 0.

    Raises StartError if the service cannot listen there.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((config.host, config.port))
            host, port = probe.getsockname()[:2]  # granian takes addresses only, no names
            return replace(config, host=host, port=port)
    except (OSError, TypeError) as error:  # TypeError: a host that IDNA cannot encode
        settings = "HOST and PORT" if config.port else "HOST"
        raise _cannot_listen(settings, config.host, config.port, error) from None


def _cannot_listen(settings: str, host: str, port: int, error: Exception) -> StartError:
    reason = getattr(error, "strerror", None) or error
    return StartError(f"{settings}: {host}:{port} cannot be listened on: {reason}")


class _Server(Granian):  # type: ignore[misc, valid-type]  # which class it is, is chosen at import
    """granian's master, which first drains: it ends `drain_seconds` after the first signal.

    A second signal ends it at once.
    """

    def __init__(self, drain: Drain, drain_seconds: int, **settings: Any) -> None:
        super().__init__("graphql_api", **settings)
        self._drain, self._drain_seconds = drain, drain_seconds
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        drain.on_start(self._stop_later)
        watchdog.watch_stopped_workers(lambda: [worker.inner for worker in self.wrks])

    def _respawn_workers(self, workers: list[int], *given: Any, **more: Any) -> None:
        """Replace workers that have died, and forget it unless too many have.

        By itself granian ends as soon as a worker dies within 5.5 seconds of its start.
        """
        super()._respawn_workers(workers, *given, **more)
        now = time.monotonic()
        self._deaths.extend(now for _ in workers)
        if len(self._deaths) < MAX_DEATHS or now - self._deaths[0] > DEATHS_SECONDS:
            self.respawned_wrks.clear()

    def _stop_later(self) -> None:
        time.sleep(self._drain_seconds)
        super().signal_handler_interrupt()

    def signal_handler_interrupt(self, *_: Any, **__: Any) -> None:
        if os.getpid() != self.pid:  # a forked worker, before it has set handlers of its own
            return
        if self._drain.is_started():
            super().signal_handler_interrupt()
        else:
            self._drain.start()

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        # SIGHUP: the terminal is gone. granian would replace the workers, and go on.
        self.signal_handler_interrupt()


def serve(
    config: Config,
    create_app: Callable[..., WSGIApplication],
    *,
    threads: int,
    on_listening: Callable[[], None],
) -> None:
    """Serve the apps that `create_app` builds, one in each worker, until a signal ends it.

    Each worker has a pool of `threads` for long work. `on_listening` is called once connections
    are accepted.
    """
    threading.Thread(target=_await_listening, args=(config, on_listening), daemon=True).start()
    drain = Drain()
    process_wide.freeze_heap()  # of what imports leave behind, each worker would keep up to 9 MB
    _Server(
        drain,
        config.drain_seconds,
        address=config.host,
        port=config.port,
        interface=Interfaces.RSGI,
        loop=EVENT_LOOP,
        workers=config.workers,
        backpressure=CONNECTIONS + config.max_streams,
        websockets=False,
        # Over HTTP/2 one connection has many bodies, and pings that look like progress.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS),
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,  # that it starts and ends is no news
        log_dictconfig={"loggers": {"_granian": {}}},  # our own handlers write what it logs
    ).serve(
        target_loader=partial(start_worker, config, create_app, threads, drain, os.getpid()),
        wrap_loader=False,
    )


def _await_listening(config: Config, on_listening: Callable[[], None]) -> None:
    address = (LOOPBACK_OF.get(config.host, config.host), config.port)
    while True:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return on_listening()


@contextmanager
def serving_metrics(config: Config) -> Iterator[None]:
    """Serve the metrics of all workers, if METRICS_PORT is set.

    Raises StartError if the service cannot listen there.
    """
    if not config.metrics_port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory  # before the library is imported
        from graphql_api.infra.telemetry import prometheus  # noqa: PLC0415 - not where it is off

        try:
            prometheus.serve(config.metrics_host, config.metrics_port, Path(directory))
        except OSError as error:
            settings = "METRICS_HOST and METRICS_PORT"
            raise _cannot_listen(
                settings, config.metrics_host, config.metrics_port, error
            ) from None
        yield
