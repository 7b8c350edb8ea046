"""A data loader for synchronous resolvers: announce keys first, fetch them all at the first need.

A list's resolver calls `want` with the keys that its rows point to; the first child's `get`
fetches every announced key in one batch. It works level by level, because the executor
completes a list only after the list's own resolver has returned.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from graphql_api.errors import ServiceUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Loads values by key for one request; a missing value is None and is remembered too."""

    def __init__(self, fetch: Callable[[Sequence[K]], Mapping[K, V]]) -> None:
        self._fetch = fetch
        self._wanted: dict[K, None] = {}
        self._known: dict[K, V | None] = {}
        self._failure: ServiceUnavailable | None = None

    def want(self, keys: Iterable[K]) -> None:
        """Announce keys that will probably be asked for; costs nothing yet."""
        self._wanted.update(dict.fromkeys([key for key in keys if key not in self._known]))

    def get(self, key: K) -> V | None:
        """The key's value; fetches every announced key if this one is not known yet."""
        if key not in self._known:
            if self._failure is not None:  # what has just failed would only take its time again
                raise self._failure
            keys = list(dict.fromkeys([key, *self._wanted]))
            try:
                found = self._fetch(keys)
            except ServiceUnavailable as error:
                self._failure = error
                raise
            self._known.update((wanted, found.get(wanted)) for wanted in keys)
            self._wanted.clear()
        return self._known[key]

    def prime(self, known: Mapping[K, V | None]) -> None:
        """Remember values that this request has read or written elsewhere."""
        self._known.update(known)
        for key in self._wanted.keys() & known:
            del self._wanted[key]
