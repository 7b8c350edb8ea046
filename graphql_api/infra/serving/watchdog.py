"""Watchdog: ends workers that hang or were stopped, so that the server replaces them."""

import contextlib
import faulthandler
import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from graphql_api.infra.concurrency.deadline import heartbeats
from graphql_api.infra.concurrency.hub import Hub

log = logging.getLogger(__name__)

HUNG_SECONDS = 25.0  # five times what a request may wait for the store
STOPPED_SECONDS = 30.0
CHECKS = 10  # in that time


def watch_hub(hub: Hub) -> None:
    """End this process, with tracebacks on standard error, once its hub makes no progress.

    faulthandler's own thread does it, without the interpreter lock: code that hangs in C and keeps
    the lock is found, too.
    """
    threading.Thread(target=_postpone_end, args=(hub, HUNG_SECONDS), daemon=True).start()


def _postpone_end(hub: Hub, seconds: float) -> None:
    count = -1
    while True:
        before, count = count, heartbeats()
        if hub.is_making_progress() or count != before:
            faulthandler.dump_traceback_later(seconds, exit=True)  # in place of the one before
        time.sleep(seconds / CHECKS)


def watch_stopped_workers(workers: Callable[[], list[BaseProcess]]) -> None:
    """Kill workers that have been stopped (SIGSTOP) for long: they cannot end themselves.

    Neither a suspended machine nor a debugger stops them in this sense.
    """
    if sys.platform == "linux":
        threading.Thread(target=_kill_stopped, args=(workers, STOPPED_SECONDS), daemon=True).start()


def _kill_stopped(workers: Callable[[], list[BaseProcess]], seconds: float) -> None:
    checks: Counter[int | None] = Counter()  # at which each was found stopped, in a row
    while True:
        time.sleep(seconds / CHECKS)
        stopped = [worker for worker in workers() if _is_stopped(worker.pid)]
        checks = Counter({worker.pid: checks[worker.pid] + 1 for worker in stopped})
        for worker in stopped:
            if checks[worker.pid] > CHECKS:
                log.error("Worker %d has been stopped for too long and is killed", worker.pid)
                worker.kill()
                break  # granian may miss one of two that end at once


def _is_stopped(pid: int | None) -> bool:
    with contextlib.suppress(ChildProcessError):  # it has ended meanwhile
        if pid is not None:
            options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, pid, options) is not None
    return False
