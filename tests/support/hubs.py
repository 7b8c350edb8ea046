"""A hub for tests of what runs in one."""

import time
from queue import Empty, SimpleQueue

import pytest

from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.concurrency.poller import READ
from graphql_api.infra.concurrency.waiting import wait_for_socket

SOON = 60  # seconds


class HubRig:
    """A hub, and the results of the steps that it runs."""

    def __init__(self, threads=2, concurrency=4):
        self.hub, self._results = Hub(threads, concurrency), SimpleQueue()
        self.hub.start()

    def run(self, *steps):
        for step in steps:
            self.hub.add_done_callback(lambda _, step=step: self._results.put(step()))

    def result(self):
        """The next result of a step, in the order in which they finish."""
        return self._results.get(timeout=SOON)

    def becomes_idle(self):
        """Wait until it has a free slot and nothing to do."""
        _eventually(lambda: self.hub._polling and self.hub._idle)

    def waits_in_every_slot(self):
        """Wait until it has no free slot, and each request in one waits for something."""
        _eventually(lambda: self.hub._polling and not self.hub._idle)

    def has_no_result(self):
        with pytest.raises(Empty):
            self._results.get(timeout=0.1)
        return True


def _eventually(happens):
    deadline = soon()
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def soon():
    """The deadline of a wait that should end before it."""
    return time.monotonic() + SOON


def reading(other, event=READ):
    """A step that waits for a socket."""
    return lambda: wait_for_socket(other.fileno(), event, soon())
