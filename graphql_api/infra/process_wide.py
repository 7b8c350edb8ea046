"""Settings of the whole process, of Python and of libraries: all of them here, with their reasons.

They take effect when they are called, not by the import of this module.
"""

import ctypes
import gc
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# Seconds for which a thread keeps the interpreter lock: Python's own default, and …
SWITCH_INTERVAL = sys.getswitchinterval()
# … while long work runs in other threads. A request needs the lock several times: beside four
# lists by urgency one task takes 13 ms in place of 52 (p50).
SWITCH_INTERVAL_BESIDE_THREADS = 0.0005

PR_SET_PDEATHSIG = 1  # prctl(2)
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h of glibc
TRIM_SECONDS = 0.2


def shorten_switch_interval() -> None:
    """Let threads hand over the interpreter lock sooner, while long work runs in some of them."""
    sys.setswitchinterval(SWITCH_INTERVAL_BESIDE_THREADS)


def restore_switch_interval() -> None:
    """Let threads keep the interpreter lock for Python's default again."""
    sys.setswitchinterval(SWITCH_INTERVAL)


def drop_unused_log_fields() -> None:
    """Keep the logging module from looking up what no log line shows.

    A line takes 16 µs in place of 22 so (Python's Logging HOWTO, "Optimization").
    """
    logging._srcfile = None  # noqa: SLF001 - as documented
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def bound_field_comparisons() -> None:
    """Bound graphql-core's comparison of fields with one name, in which a document may be costly.

    Its own bound of 500,000 steps takes 300 ms; clients' documents take none or a few.
    """
    from graphql.validation.rules import (  # noqa: PLC0415 - only where documents are validated
        overlapping_fields_can_be_merged as rule,
    )

    rule.MAX_COMPLEXITY_BUDGET = 10_000


def hide_server_of_metrics() -> None:
    """Let /metrics answer with the service's own Server header, not with Python's version."""
    from wsgiref.simple_server import ServerHandler  # noqa: PLC0415 - only where metrics are served

    ServerHandler.server_software = "http"


def freeze_heap() -> None:
    """Exempt all objects made so far from garbage collection, and return free memory.

    To look for garbage among them stops a worker for 40 to 120 ms, once in some thousand requests.
    Before a fork it also keeps 20 MB of each worker shared, which a collection would write to (the
    gc module's documentation, on freeze). To trim returns 2.5 MB of each worker.
    """
    gc.collect()
    gc.freeze()
    _trim()


def leave_terminal() -> None:
    """End at SIGTERM, and only then: the terminal's Ctrl-C is the master's business.

    A fork has the master's handler, which only tells the master's loop: a worker that is still
    starting would never end. Told by the terminal, too, a worker of granian's often hangs.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()


def ending_signal() -> Callable[[], None]:
    """Take SIGTERM and SIGINT from now on; return a function that waits for one of them."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    def wait() -> None:
        while not ended.wait(1):  # one that comes in another thread does not end a wait
            pass

    return wait


def raise_file_limit() -> None:
    """Allow this process as many open files as its user may have: each stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS knows a lower bound, and does not say so
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def return_large_memory() -> None:
    """Let glibc give the memory of large texts back as soon as they are gone (mallopt(3)).

    It would raise its threshold to the largest that was freed, and keep what is smaller for itself:
    answers of some megabytes in several threads left 100 MB with a worker.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            libc = ctypes.CDLL(None)
            libc.mallopt(M_MMAP_THRESHOLD, 128 * 1024)
            libc.mallopt(M_ARENA_MAX, 2)


def keep_returning_memory() -> None:
    """Return what large answers have left in pieces, again and again.

    glibc keeps free memory below what is in use: 370 MB of a worker after all attacks of
    bench/siege.py, of which 220 are left so. It takes 5 µs, or 2 ms where there is much to return,
    without the interpreter lock.
    """
    threading.Thread(target=_trim_again_and_again, daemon=True).start()


def _trim_again_and_again() -> None:
    while True:
        time.sleep(TRIM_SECONDS)
        _trim()


def _trim() -> None:
    """Return free memory wherever it lies (malloc_trim(3))."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library, such as musl
            ctypes.CDLL(None).malloc_trim(0)


def schedule_as_batch() -> None:
    """Let threads that wake up wait for their turn, on Linux.

    They would interrupt the one that has the interpreter lock, for which they wait. A request
    takes 8 % less CPU so.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # some sandboxes, and musl, do not know it
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def die_with(master: int) -> None:
    """End this process when its master does, however that ends, on Linux.

    A master that ends in good order ends its workers first. After one that was killed they would
    keep its address and its data from the next one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != master:  # it has ended before
            sys.exit(1)
