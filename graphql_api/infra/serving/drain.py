"""A service that is to end says so first, while it still answers."""

import multiprocessing
import threading
from collections.abc import Callable


class Drain:
    """Whether the service is to end: known to its master and all workers, forked or spawned.

    It is a pipe with a byte that nobody takes out, so that no process which is killed can leave
    a lock behind, and a signal's handler may begin it.
    """

    def __init__(self) -> None:
        self._told, self._tell = multiprocessing.Pipe(duplex=False)

    def begin(self) -> None:
        """Tell all processes."""
        self._tell.send_bytes(b"!")

    def begun(self) -> bool:
        """Whether they have been told."""
        return self._told.poll()

    def then(self, act: Callable[[], None]) -> None:
        """Act, in a thread of its own, once this has begun."""

        def wait() -> None:
            self._told.poll(None)
            act()

        threading.Thread(target=wait, daemon=True).start()
