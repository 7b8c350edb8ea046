"""A data loader for synchronous resolvers: it collects keys, then fetches them in one batch.

A list's resolver calls `prefetch` with the keys that its rows refer to; the first child's `get`
fetches all of them. It works level by level, because the executor completes a list only after
the list's own resolver has returned.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from graphql_api.errors import ServiceUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Loads values by key for one request; caches them, and that a value is missing (None)."""

    def __init__(self, fetch: Callable[[Sequence[K]], Mapping[K, V]]) -> None:
        self._fetch = fetch
        self._queued: dict[K, None] = {}
        self._cache: dict[K, V | None] = {}
        self._failure: ServiceUnavailable | None = None

    def prefetch(self, keys: Iterable[K]) -> None:
        """Queue keys for the next fetch; nothing is read yet."""
        self._queued.update(dict.fromkeys([key for key in keys if key not in self._cache]))

    def get(self, key: K) -> V | None:
        """The key's value. Fetches it and all queued keys unless it is cached."""
        if key not in self._cache:
            if self._failure is not None:  # to try again would take as long
                raise self._failure
            keys = list(dict.fromkeys([key, *self._queued]))
            try:
                values = self._fetch(keys)
            except ServiceUnavailable as error:
                self._failure = error
                raise
            self._cache.update((queued, values.get(queued)) for queued in keys)
            self._queued.clear()
        return self._cache[key]

    def prime(self, values: Mapping[K, V | None]) -> None:
        """Cache values that this request has read or written elsewhere."""
        self._cache.update(values)
        for key in self._queued.keys() & values:
            del self._queued[key]
