"""Graceful shutdown: a service that is told to stop says so first, while it still answers."""

import multiprocessing
import threading
from collections.abc import Callable


class Drain:
    """A one-way signal to the master and all workers, forked or spawned, that the service drains.

    It is a pipe with a byte that nobody reads: a process that is killed leaves no lock behind, and
    a signal handler may start it.
    """

    def __init__(self) -> None:
        self._reader, self._writer = multiprocessing.Pipe(duplex=False)

    def start(self) -> None:
        """Signal all processes."""
        self._writer.send_bytes(b"!")

    def is_started(self) -> bool:
        """Return whether the signal was given."""
        return self._reader.poll()

    def on_start(self, callback: Callable[[], None]) -> None:
        """Call the callback from a thread of its own, once the signal is given."""

        def wait() -> None:
            self._reader.poll(None)
            callback()

        threading.Thread(target=wait, daemon=True).start()
