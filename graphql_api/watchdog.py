"""A worker that hangs ends itself, so that the server puts another in its place."""

import faulthandler
import threading
import time

from graphql_api import dynamodb
from graphql_api.gate import Gate

HUNG_SECONDS = 25.0  # five times what a request may wait for the store
LOOKS = 10  # in that time


def watch(gate: Gate) -> None:
    """End this process, with its threads' tracebacks, once the gate lets nobody in any more.

    faulthandler's own thread does it, which needs no lock of Python's: code that hangs in C and
    keeps that lock is found, too.
    """
    threading.Thread(target=_look, args=(gate, HUNG_SECONDS), daemon=True).start()


def _look(gate: Gate, seconds: float) -> None:
    steps = -1
    while True:
        before, steps = steps, dynamodb.steps()
        if gate.moves() or steps != before:
            faulthandler.dump_traceback_later(seconds, exit=True)  # unless there is a next time
        time.sleep(seconds / LOOKS)
