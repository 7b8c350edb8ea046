"""Conflicts with concurrent writes: retries of read-modify-writes, and expected versions."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

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


def check_version(what: str, version: int, expected: int | None) -> None:
    """Raise Conflict if another version of something was expected than there is."""
    if expected not in {None, version}:
        raise version_conflict(what, version)


def version_conflict(what: str, version: int, **details: Any) -> Conflict:
    """Return the error of a write of something that expected another version."""
    return Conflict(
        f"The {what} has been changed since.",
        field="expected_version",
        current_version=version,
        **details,
    )
