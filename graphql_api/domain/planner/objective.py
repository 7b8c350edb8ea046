"""The cost of a plan: what people mind, in the order in which they mind it.

In descending order, each clause far above the next: work that is left out, lateness, ends close to
a deadline, moves from where tasks were, waiting. `docs/planning.md` has an example of each.
"""

from collections.abc import Callable
from typing import NamedTuple

from graphql_api.domain.planner.minutes import DAY

MARGIN = DAY  # minutes before a deadline by which a task had better be finished
HARD = 4  # times the cost of being left out, as much as the next higher priority
OVERDUE = 4  # times the cost of waiting, if the deadline is over anyway

WAIT = 1  # for a minute of waiting, and the square of the weight
MOVED = 500_000  # for a task that is not where it was, though it could be
TIGHT = 1_000  # for a minute within the margin, and the weight
LATE = 10**9  # for a minute of lateness, and the weight
LEFT_OUT = 100 * LATE  # for a minute of work, and the square of the weight

NEVER = 10**10  # a minute after all others

Price = Callable[[int], int]
"""The cost of a job by the minute at which it ends."""


class Stakes(NamedTuple):
    """The cost of a job for each minute that it waits, is tight or late, and if it is left out."""

    wait: int
    tight: int
    late: int
    left_out: int


def stakes(weight: int, duration: int, horizon: int, *, hard: bool, overdue: bool) -> Stakes:
    """Stakes of a job: being left out costs more than being as late as the plan is long.

    What is overdue when the plan begins cannot be saved: it waits, but is no later than it was.
    """
    value = weight * weight
    work = value * max(1, duration) * (HARD if hard else 1)
    return Stakes(
        wait=WAIT * value * (OVERDUE if overdue else 1),
        tight=TIGHT * weight,
        late=LATE * weight,
        left_out=LEFT_OUT * work + LATE * weight * horizon,
    )


def price(stakes: Stakes, start: int, earliest: int, safe: int, due: int, limit: int) -> Price:
    """The price of a job that cannot end before `earliest`, and is left out after `limit`.

    It waits from `start` on, had better end by `safe`, and is late after `due`. Closures, since a
    search asks for a million prices.
    """
    wait, tight, late, left_out = stakes
    safe = min(safe, limit)

    def at(end: int) -> int:
        if end < earliest:  # noqa: PLR1730 (max() is slower, a million times)
            end = earliest
        if end <= safe:
            return wait * (end - start)
        if end > limit:
            return left_out
        if end <= due:
            return wait * (end - start) + tight * (end - safe)
        return wait * (end - start) + tight * (end - safe) + late * (end - due)

    return at


def with_home(price: Price, home: int, moved: int) -> Price:
    """The price of a job that has moved unless it ends at `home`."""
    return lambda end: price(end) if end == home else price(end) + moved
