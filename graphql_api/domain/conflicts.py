"""Retries of read-modify-writes whose condition fails because a concurrent write came first."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from graphql_api.errors import Conflict
from graphql_api.infra.concurrency import retry
from graphql_api.infra.dynamodb import ConditionFailed

T = TypeVar("T")

MAX_ATTEMPTS = 10
PAUSE_SECONDS = 0.02  # before the second attempt, at most; twice as long before each later one …
LONGEST_PAUSE_SECONDS = 0.2  # … up to this


def conflict_attempts() -> Iterator[float]:
    """Yield once per attempt, with random pauses between: who has collided does not do so again."""
    return retry.attempts(MAX_ATTEMPTS, pause=PAUSE_SECONDS, longest_pause=LONGEST_PAUSE_SECONDS)


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Run a read-modify-write again while its condition fails; return its result.

    The condition may also have failed because an earlier attempt was carried out, though its
    response was lost: `attempt` reads again, and finds its change made.
    Raises Conflict after MAX_ATTEMPTS.
    """
    for _ in conflict_attempts():
        try:
            return attempt()
        except ConditionFailed:
            continue
    raise Conflict("Too many simultaneous changes, try again.")
