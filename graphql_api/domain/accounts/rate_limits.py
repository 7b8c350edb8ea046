"""Rate limits for logins and registrations, counted in the store for all processes together.

    user_id                 item              attributes
    rate#<kind>#<digest>    window#<number>   attempts, expires_at

Windows are fixed: window n covers the seconds [n * seconds, (n + 1) * seconds) of Unix time.
The digest is keyed, so that the table reveals neither names nor addresses.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from graphql_api.errors import RateLimited
from graphql_api.infra.dynamodb import Database


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `attempts` in each window of `seconds`."""

    kind: str
    attempts: int
    seconds: int


BY_NAME = RateLimit("name", 10, 15 * 60)
BY_NAME_AND_NETWORK = RateLimit("name+network", 20, 15 * 60)  # once BY_NAME is used up
BY_USER = RateLimit("user", 10, 15 * 60)  # a logged-in user who confirms the password
LOGINS_BY_ADDRESS = RateLimit("logins", 1_000, 15 * 60)
ACCOUNTS_BY_ADDRESS = RateLimit("accounts", 1_000, 60 * 60)


class RateLimiter:
    """Counts attempts by a key: a name, a user id or a network."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._table = database.table("Users")
        self._key = hmac.digest(secret, b"attempts", hashlib.sha256)

    def digest(self, text: str) -> str:
        """Return the keyed digest that is stored instead of a name or an address."""
        return hmac.digest(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hex()[:32]

    def hit(self, limit: RateLimit, key: str, now: datetime) -> int:
        """Count one more attempt; return the attempts in this window."""
        ends = {"expires_at": (_window(limit, now) + 1) * limit.seconds}
        return self._table.increment("attempts", ends, **self._counter(limit, key, now))

    def check(self, limit: RateLimit, attempts: int, now: datetime) -> None:
        """Raise RateLimited if these are more attempts than the limit allows."""
        if attempts > limit.attempts:
            left = limit.seconds - int(now.timestamp()) % limit.seconds
            raise RateLimited("Too many attempts, try again later.", retry_after=left)

    def reset(self, limit: RateLimit, key: str, now: datetime) -> None:
        """Forget the attempts of this window, after a successful one."""
        self._table.delete_many([self._counter(limit, key, now)])

    def _counter(self, limit: RateLimit, key: str, now: datetime) -> dict[str, str]:
        return {
            "user_id": f"rate#{limit.kind}#{self.digest(key)}",
            "item": f"window#{_window(limit, now)}",
        }


def _window(limit: RateLimit, now: datetime) -> int:
    return int(now.timestamp()) // limit.seconds
