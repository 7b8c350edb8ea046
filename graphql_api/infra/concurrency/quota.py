"""A bound of how much each owner, and all together, hold at a time."""

from collections import Counter
from threading import RLock

from graphql_api.errors import RateLimited, ServiceUnavailable


class Quota:
    """Counts what is held, such as streams or files that are open, by its owner.

    What is held may be given back by the garbage collector, in the middle of anything that its
    thread does: hence the reentrant lock.
    """

    def __init__(
        self, most: int, most_of_one: int, *, full: str, too_many: str, retry_after: int
    ) -> None:
        """Take the bounds, what is said at each, and after how many seconds an owner may retry."""
        self._most, self._most_of_one = most, most_of_one
        self._full, self._too_many, self._retry_after = full, too_many, retry_after
        self._held: Counter[str] = Counter()
        self._lock = RLock()

    def take(self, owner: str) -> None:
        """Count one more. Raises RateLimited, and ServiceUnavailable if all hold too much."""
        with self._lock:
            if self._held[owner] >= self._most_of_one:
                raise RateLimited(self._too_many, self._retry_after)
            if self._held.total() >= self._most:
                raise ServiceUnavailable(self._full)
            self._held[owner] += 1

    def give_back(self, owner: str) -> None:
        """Count one less; once for each that was taken."""
        with self._lock:
            left = self._held.pop(owner) - 1
            if left:
                self._held[owner] = left

    def holds(self, owner: str) -> bool:
        """Return whether an owner holds anything."""
        return self._held[owner] > 0
