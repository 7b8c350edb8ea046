import gc

import pytest

from graphql_api.errors import RateLimited, ServiceUnavailable
from graphql_api.infra.concurrency.quota import Quota


@pytest.fixture
def quota() -> Quota:
    return Quota(3, 2, full="All is taken.", too_many="Two are yours.", retry_after=7)


def test_an_owner_holds_so_many_and_all_together_so_many(quota):
    quota.take("ann")
    quota.take("ann")
    with pytest.raises(RateLimited, match="Two are yours") as refused:
        quota.take("ann")
    quota.take("bob")
    with pytest.raises(ServiceUnavailable, match="All is taken"):
        quota.take("eve")

    assert refused.value.details == {"retry_after": 7}
    assert list(map(quota.holds, ("ann", "bob", "eve"))) == [True, True, False]


def test_what_was_refused_is_not_held_and_what_was_given_back_neither(quota):
    for owner in ("ann", "ann", "bob"):
        quota.take(owner)
    with pytest.raises(ServiceUnavailable):
        quota.take("eve")
    for owner in ("ann", "ann", "bob"):
        quota.give_back(owner)

    assert not any(map(quota.holds, ("ann", "bob", "eve")))
    for _ in range(2):
        quota.take("eve")


def test_what_is_collected_while_another_is_taken_is_given_back(quota):
    class Held:
        def __del__(self):
            quota.give_back("ann")

    quota.take("ann")
    quota.take("ann")
    circle = [Held()]
    circle.append(circle)
    gc.disable()
    try:
        del circle
        with quota._lock:  # as where a collection begins within `take`
            gc.collect()
    finally:
        gc.enable()

    quota.take("ann")
