"""The HTTP server: granian, some processes of some threads each."""

import ctypes
import gc
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian, loops
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from graphql_api.config import CONNECTIONS, LOOPBACK_OF, Config
from graphql_api.errors import StartError
from graphql_api.infra import request_log
from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving import watchdog
from graphql_api.infra.serving.drain import Drain
from graphql_api.infra.serving.event_loop import Loop
from graphql_api.infra.serving.rsgi import Front
from graphql_api.infra.serving.wsgi import Wsgi
from graphql_api.infra.telemetry.counters import Counts

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
    counted: Path | None,
    *,
    threads: int,
    then: Callable[[], None],
) -> None:
    """Serve what `make_app` makes of a configuration in each worker, until a signal ends it.

    `make_app` is graphql_api.create_app; metrics are counted in the directory `counted`, if there
    is one; each worker has so many `threads` for long work, one for each slot of a bulkhead;
    `then` is called once connections are accepted.
    """
    threading.Thread(target=_when_listening, args=(config, then), daemon=True).start()
    drain = Drain()
    _settle()  # of what imports leave behind, each worker would keep up to 9 MB
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
        target_loader=partial(_worker, config, make_app, counted, threads, os.getpid(), drain),
        wrap_loader=False,
    )


@contextmanager
def metrics_served(config: Config) -> Iterator[Path | None]:
    """Serve the metrics that processes count in the directory, where they are wanted.

    StartError if their port cannot be had.
    """
    if not config.metrics_port:
        yield None
        return
    from graphql_api.infra.telemetry import prometheus  # noqa: PLC0415 - nobody else should wait for its library

    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        try:
            prometheus.serve(config.metrics_host, config.metrics_port, Path(directory))
        except OSError as error:
            names = "METRICS_HOST and METRICS_PORT"
            raise _not_to_be_had(names, config.metrics_host, config.metrics_port, error) from None
        yield Path(directory)


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
    counted: Path | None,
    threads: int,
    master: int,
    drain: Drain,
) -> Front:
    """What a worker process serves. It ends with its master, however that ends."""
    # A fork has the master's handlers, which only tell the master's loop: without this, a
    # worker that is still starting would never hear that it is to end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # The terminal speaks to the master only, and that ends its workers: told twice, a worker
    # of granian's often hangs.
    os.setsid()
    if sys.platform == "linux":
        # Who wakes up waits for its turn: else threads that wake for Python's lock interrupt the
        # one that has it. A request takes 8 % less CPU so.
        with suppress(OSError):  # some sandboxes, and musl, do not know it
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        # A master that ends in good order has ended its workers before. After one that was
        # killed, they would keep its address and its data from the next one.
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG in prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != master:
            sys.exit(1)
    request_log.install(config.log_level)  # where workers are not forked, they begin without
    leaving = threading.Event()
    drain.then(leaving.set)
    counts = Counts(counted, os.getpid()) if counted else None
    hub = Hub(threads, config.at_once)
    front = Front(make_app(config, leaving=leaving.is_set, counts=counts), hub)
    if counts:
        front.on_cut = lambda cut: counts.add("slow_connections_cut", by=cut)
    watchdog.watch(hub)
    _settle()
    return front


def _settle() -> None:
    """Let nobody look again at what the start has made, and return the memory that it freed.

    Looking for garbage among all of it stops a worker for 40 to 120 ms, once in some thousand
    requests. Returned are 2.5 MB of each worker's, with glibc.

    Before the fork as well as in each worker: so 20 MB of each stay shared, which a look would
    write to (the gc module's documentation, on freeze).
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
