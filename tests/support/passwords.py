"""Passwords for tests of hashes themselves, as many at once as they want."""

from graphql_api.domain.accounts.passwords import Passwords
from graphql_api.infra.concurrency.bulkhead import Bulkhead


def hashing(profile: str = "CHEAPEST", slots: int = 1) -> Passwords:
    return Passwords(profile, Bulkhead(slots, "Full.", queue_limit=0, queue_seconds=0))
