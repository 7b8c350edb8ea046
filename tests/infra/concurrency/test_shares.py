"""Nobody takes all that there is: each key has a bulkhead of its own, while it is used."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Event

import pytest

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.bulkhead import Bulkhead, Shares

SOON = 60  # seconds


@pytest.fixture
def shares():
    return Shares(partial(Bulkhead, 2, "Try again.", queue_limit=0, queue_seconds=0))


def test_a_key_has_its_slots_and_others_have_theirs(shares):
    with ExitStack() as held:
        held.enter_context(shares.slot("ann"))
        held.enter_context(shares.slot("ann"))
        held.enter_context(shares.slot("bob"))

        with pytest.raises(ServiceUnavailable, match="Try again"), shares.slot("ann"):
            raise AssertionError

    with shares.slot("ann"):
        pass


def test_whoever_waits_gets_the_slot_of_the_same_key():
    shares = Shares(
        partial(Bulkhead, 1, "Try again.", queue_limit=1, queue_seconds=SOON, waits_in_threads=True)
    )
    begun = Event()

    def second():
        begun.set()
        with shares.slot("ann"):
            return True

    with ThreadPoolExecutor() as threads:
        with shares.slot("ann"):
            later = threads.submit(second)
            assert begun.wait(SOON)
            assert not later.done()
        assert later.result(SOON)


def test_nothing_is_kept_of_a_key_that_is_not_used(shares):
    with pytest.raises(KeyError), shares.slot("ann"):
        raise KeyError

    assert shares._shares == {}
