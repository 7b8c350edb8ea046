"""A worker that hangs is ended, so that the server puts another in its place."""

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
LOOKS = 10  # in that time


def watch(hub: Hub) -> None:
    """End this process, with tracebacks, once it gets nothing done.

    faulthandler's own thread does it, which needs no lock of Python's: code that hangs in C and
    keeps that lock is found, too.
    """
    threading.Thread(target=_look, args=(hub, HUNG_SECONDS), daemon=True).start()


def _look(hub: Hub, seconds: float) -> None:
    steps = -1
    while True:
        before, steps = steps, heartbeats()
        if hub.is_making_progress() or steps != before:
            faulthandler.dump_traceback_later(seconds, exit=True)  # unless there is a next time
        time.sleep(seconds / LOOKS)


def watch_stopped(workers: Callable[[], list[BaseProcess]]) -> None:
    """Kill workers that somebody has stopped (SIGSTOP) and forgotten: they cannot end themselves.

    Neither a suspended machine nor a debugger stops them in this sense.
    """
    if sys.platform == "linux":
        threading.Thread(target=_look_after, args=(workers, STOPPED_SECONDS), daemon=True).start()


def _look_after(workers: Callable[[], list[BaseProcess]], seconds: float) -> None:
    seen: Counter[int | None] = Counter()
    while True:
        time.sleep(seconds / LOOKS)
        stopped = [worker for worker in workers() if _is_stopped(worker.pid)]
        seen = Counter({worker.pid: seen[worker.pid] + 1 for worker in stopped})
        for worker in stopped:
            if seen[worker.pid] > LOOKS:
                log.error("Worker %s has been stopped for long, and is killed", worker.pid)
                worker.kill()
                break  # granian may miss one of two that end at once


def _is_stopped(pid: int | None) -> bool:
    with contextlib.suppress(ChildProcessError):  # it has ended meanwhile
        if pid is not None:
            looks_only = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, pid, looks_only) is not None
    return False
