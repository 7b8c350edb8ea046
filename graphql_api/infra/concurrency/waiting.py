"""Ways to wait that let other requests go on.

In a hub they switch to another greenlet; in any other thread (commands, tests, other servers)
they block it, which is what threads are for.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from graphql_api.infra.concurrency.hub import current_hub
from graphql_api.infra.concurrency.poller import poll_once

T = TypeVar("T")

MANY = 1_000  # records, to decode or sort which takes some 20 ms


def has_hub() -> bool:
    """Return whether other requests go on in this thread while the present one waits."""
    return current_hub() is not None


def wait_for_socket(fd: int, event: int, deadline: float) -> bool:
    """Wait until a socket is ready for READ or WRITE; False at the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        return False
    if hub := current_hub():
        return hub.wait_for_socket(fd, event, deadline)
    return poll_once(fd, event, math.ceil(left * 1_000))


def sleep(seconds: float) -> None:
    """Wait for this time; return at once for zero or less, without a turn for others."""
    if seconds <= 0:
        return
    if hub := current_hub():
        hub.sleep(seconds)
    else:
        time.sleep(seconds)


def run_in_thread(work: Callable[[], T]) -> T:
    """Run work that keeps the CPU for long in a thread of the hub; without a hub, right here."""
    hub = current_hub()
    return hub.run_in_thread(work) if hub else work()


def run_aside(size: int, work: Callable[[], T]) -> T:
    """Run work on so many records in a thread of the hub if they are many, or else right here."""
    return run_in_thread(work) if size > MANY else work()


def wait_for(future: Future[None], seconds: float) -> bool:
    """Wait until the future is done, and let another request run meanwhile; False if too late."""
    if hub := current_hub():
        return hub.wait_lending_slot(future, time.monotonic() + seconds)
    return bool(wait([future], seconds).done)


def run_with_timeout(work: Callable[[], T], seconds: float) -> T:
    """Run work that has no timeout of its own: name resolution, refreshing of credentials.

    Raises TimeoutError if it takes longer, and leaves it running in its thread; RuntimeError if
    the system has no more threads.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if hub := current_hub():
        hub.wait_for(future, time.monotonic() + seconds)
        seconds = 0
    return future.result(max(0, seconds))
