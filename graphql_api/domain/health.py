"""Checks that the store can be read and written, for /readyz."""

from collections.abc import Callable
from typing import NamedTuple

from graphql_api.domain.accounts.store import UserStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Database
from graphql_api.infra.dynamodb.database import WRITE


class StoreHealth(NamedTuple):
    """The state of the store for this process."""

    read: bool
    write: bool


class HealthCheck:
    """Asks the store by one read, and by one write while this process takes writes to fail."""

    def __init__(self, database: Database, probe: UserStore) -> None:
        """`database` is the one that serves requests, `probe` one of little patience."""
        self._breakers = database.breakers
        self._probe = probe

    def __call__(self) -> StoreHealth:
        """Look once; it takes a second or two at most."""
        return StoreHealth(
            read=_succeeds(self._probe.check),
            write=self._can_write(),
        )

    def _can_write(self) -> bool:
        writes = self._breakers[WRITE]
        # A store whose disk is full still takes a small write now and then.
        if writes.has_failed_lately:
            return False
        return not writes.is_open or _succeeds(self._probe.check_write)


def _succeeds(check: Callable[[], None]) -> bool:
    try:
        check()
    except ServiceUnavailable:
        return False
    return True
