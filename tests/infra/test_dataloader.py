import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dataloader import Loader


class Store:
    """Knows the squares of even numbers, and which batches it was asked for."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def fetch(self, keys):
        self.batches.append(list(keys))
        return {key: key * key for key in keys if key % 2 == 0}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def loader(store) -> Loader[int, int]:
    return Loader(store.fetch)


def test_announcing_keys_costs_nothing(loader, store):
    loader.prefetch([2, 4])

    assert store.batches == []


@pytest.mark.parametrize("first", [2, 4, 6])
def test_the_first_get_fetches_every_announced_key_in_one_batch(loader, store, first):
    loader.prefetch([2, 4])
    loader.prefetch(iter([6]))

    values = [loader.get(key) for key in (first, 2, 4, 6)]

    assert values == [first * first, 4, 16, 36]
    assert [sorted(batch) for batch in store.batches] == [[2, 4, 6]]


def test_a_key_that_nobody_announced_is_fetched_with_those_that_were(loader, store):
    loader.prefetch([2, 4])

    assert loader.get(8) == 64
    assert loader.get(4) == 16
    assert [sorted(batch) for batch in store.batches] == [[2, 4, 8]]


def test_a_key_is_fetched_once_however_often_it_is_announced(loader, store):
    loader.prefetch([2, 2, 4])
    loader.prefetch([4, 2])

    loader.get(2)
    loader.prefetch([2, 4])
    loader.get(6)

    assert [sorted(batch) for batch in store.batches] == [[2, 4], [6]]


def test_a_missing_value_is_none_and_is_not_asked_for_again(loader, store):
    loader.prefetch([3])

    assert [loader.get(3), loader.get(3)] == [None, None]
    loader.prefetch([3])
    assert loader.get(3) is None
    assert store.batches == [[3]]


def test_what_was_primed_is_not_fetched(loader, store):
    loader.prefetch([2, 4])

    loader.prime({2: -1})

    assert loader.get(2) == -1
    assert store.batches == []
    assert loader.get(4) == 16
    assert store.batches == [[4]]


def test_what_was_primed_replaces_what_was_fetched(loader):
    assert loader.get(2) == 4

    loader.prime({2: None})

    assert loader.get(2) is None


def failing(store, error, times):
    """A fetch that fails so many times before it succeeds."""
    attempts = iter(range(times))

    def fetch(keys):
        if next(attempts, None) is not None:
            store.batches.append([])
            raise error
        return store.fetch(keys)

    return fetch


def test_a_fetch_that_fails_leaves_the_loader_usable(store):
    loader = Loader(failing(store, RuntimeError("once more, please"), 2))

    loader.prefetch([2, 4])
    for key in (2, 4):
        with pytest.raises(RuntimeError):
            loader.get(key)

    assert [loader.get(4), loader.get(2)] == [16, 4]
    assert [sorted(batch) for batch in store.batches] == [[], [], [2, 4]]


def test_a_store_that_is_away_is_not_asked_again_by_the_same_request(store):
    loader = Loader(failing(store, ServiceUnavailable(), 1))

    loader.prefetch([2, 4])
    for key in (2, 4, 6):
        with pytest.raises(ServiceUnavailable):
            loader.get(key)

    assert store.batches == [[]]


def test_what_is_known_stays_known_when_the_store_goes_away(store):
    loader = Loader(failing(store, ServiceUnavailable(), 1))
    loader.prime({2: 4})

    with pytest.raises(ServiceUnavailable):
        loader.get(6)
    loader.prime({8: 64})

    assert [loader.get(2), loader.get(8)] == [4, 64]


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("want"), st.lists(st.integers(0, 9))),
            st.tuples(st.just("get"), st.integers(0, 9)),
        )
    )
)
def test_in_any_order_every_value_is_right_and_every_key_is_fetched_once_at_most(steps):
    store = Store()
    loader = Loader(store.fetch)

    got = []
    for step, argument in steps:
        if step == "want":
            loader.prefetch(argument)
        else:
            got.append((argument, loader.get(argument)))

    assert got == [(key, key * key if key % 2 == 0 else None) for key, _ in got]
    fetched = [key for batch in store.batches for key in batch]
    assert len(fetched) == len(set(fetched))
    assert len(store.batches) <= len({key for key, _ in got})
