"""Guessing is expensive: attempts are counted in the store, by all processes together.

    user_id                 item              attributes
    rate#<kind>#<digest>    window#<number>   attempts, expires_at

A digest is keyed, so that the table does not tell names or addresses.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from graphql_api.errors import RateLimited
from graphql_api.infra.dynamodb import Database


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in each window of so many seconds."""

    kind: str
    attempts: int
    seconds: int


BY_NAME = Limit("name", 10, 15 * 60)
BY_NAME_WHERE_KNOWN = Limit("name", 30, 15 * 60)  # from an address of a living session
BY_USER = Limit("user", 10, 15 * 60)  # who is logged in, and proves it once more
LOGINS_BY_ADDRESS = Limit("logins", 1_000, 15 * 60)
ACCOUNTS_BY_ADDRESS = Limit("accounts", 1_000, 60 * 60)


class Attempts:
    """Counts attempts of a name or an address."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._table = database.table("Users")
        self._key = hmac.digest(secret, b"attempts", hashlib.sha256)

    def digest(self, text: str) -> str:
        """What is kept in the place of a name or an address."""
        return hmac.digest(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hex()[:32]

    def count(self, limit: Limit, whose: str, now: datetime) -> int:
        """Count one more; how many there are in this window."""
        ends = {"expires_at": (_window(limit, now) + 1) * limit.seconds}
        return self._table.add("attempts", ends, **self._counter(limit, whose, now))

    def check(self, limit: Limit, attempts: int, now: datetime) -> None:
        """Raise RateLimited if there were more than the limit allows."""
        if attempts > limit.attempts:
            left = limit.seconds - int(now.timestamp()) % limit.seconds
            raise RateLimited("Too many attempts, try again later.", retry_after=left)

    def forget(self, limit: Limit, whose: str, now: datetime) -> None:
        """Forget the attempts of this window, after one that was right."""
        self._table.delete_many([self._counter(limit, whose, now)])

    def _counter(self, limit: Limit, whose: str, now: datetime) -> dict[str, str]:
        return {
            "user_id": f"rate#{limit.kind}#{self.digest(whose)}",
            "item": f"window#{_window(limit, now)}",
        }


def _window(limit: Limit, now: datetime) -> int:
    return int(now.timestamp()) // limit.seconds
