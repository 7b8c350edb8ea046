"""Answers that are files: closed once the server has sent them.

granian (2.8) opens the file anew by its path and tells nobody when it has sent it: unlike that of a
streamed answer, its `client_disconnect` is never done (`findings/granian-file-sent.sh`). So a
thread looks at the files of this process until only ours is left.
"""

import io
import os
import threading
import time
from contextlib import suppress

FIRST_LOOK_SECONDS, MOST_SECONDS = 0.01, 1.0  # between two looks: they become rarer
OPEN_SECONDS = 60.0
"""After which a file that was not seen open has been sent between two looks, or never will be."""


def close_when_sent(file: io.IOBase) -> threading.Thread:
    """Close a file that has been handed to the server, once the server has closed it.

    Return the thread that does so.
    """
    thread = threading.Thread(target=_close_when_sent, args=(file,), name="sent file", daemon=True)
    thread.start()
    return thread


def _close_when_sent(file: io.IOBase) -> None:
    handed, pause, was_open = time.monotonic(), FIRST_LOOK_SECONDS, False
    with file:
        while True:
            is_open = _is_open_elsewhere(file.fileno())
            if was_open and not is_open:
                return
            was_open = is_open
            if not was_open and time.monotonic() - handed > OPEN_SECONDS:
                return
            time.sleep(pause)
            pause = min(2 * pause, MOST_SECONDS)


def _is_open_elsewhere(number: int) -> bool:
    """Return whether another descriptor of this process has the same file as this one."""
    ours = os.fstat(number)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - a Path for each is slower
        with suppress(OSError):  # it was closed meanwhile
            if int(name) != number and os.path.samestat(os.fstat(int(name)), ours):
                return True
    return False
