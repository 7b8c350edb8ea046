"""Find a schedule of low cost: the best list schedule, improved in two ways.

The best order by simple rules is improved as a sequence without gaps, which is fast, and then as a
schedule, which is exact.
"""

from collections.abc import Iterator
from typing import NamedTuple

from graphql_api.domain.planner.free_time import Pieces
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search.priority_rules import (
    LOOK_AHEADS,
    Order,
    apparent_tardiness_order,
    home_order,
    list_orders,
)
from graphql_api.domain.planner.search.schedule_search import ScheduleSearch
from graphql_api.domain.planner.search.sequence_search import SequenceSearch, sequence_prices

Schedule = list[Pieces | None]


class Result(NamedTuple):
    """The schedule found, the order that it comes from, and whether the search was cut short."""

    schedule: Schedule
    order: Order
    stopped_early: bool


class _Found(NamedTuple):
    cost: int
    order: Order
    schedule: Schedule


def find_schedule(problem: Problem) -> Result:
    """Find a schedule of low cost within the problem's limit of steps.

    The first list schedule is made in any case, all others only if there are steps left for them.
    """
    steps = problem.steps
    begun = steps.used
    orders = _starts(problem)
    best = _found(problem, next(orders))
    reserve = 2 * (steps.used - begun)
    for order in orders:
        if steps.left < reserve:
            return Result(best.schedule, best.order, stopped_early=True)
        best = min(best, _found(problem, order), key=_cost)
    return _improved(problem, best, reserve)


def simple_schedule(problem: Problem) -> Schedule:
    """Make the best schedule by rules alone that look at deadlines."""
    orders = (apparent_tardiness_order(problem, look_ahead) for look_ahead in LOOK_AHEADS[-1:])
    return min((_found(problem, order) for order in orders), key=_cost).schedule


def _starts(problem: Problem) -> Iterator[Order]:
    if problem.homes:
        yield home_order(problem)
    yield from list_orders(problem)
    for look_ahead in LOOK_AHEADS:
        yield apparent_tardiness_order(problem, look_ahead)


def _found(problem: Problem, order: Order) -> _Found:
    schedule = problem.schedule(order)
    return _Found(problem.total_cost(schedule), order, schedule)


def _cost(found: _Found) -> int:
    return found.cost


def _improved(problem: Problem, best: _Found, reserve: int) -> Result:
    """Search for a better schedule, but leave `reserve` steps."""
    steps = problem.steps
    if steps.left < 2 * reserve:
        return Result(best.schedule, best.order, stopped_early=True)
    limit = min(sequence_steps(len(best.order)), steps.left - 2 * reserve)
    sequence = best.order
    for main in (True, False):
        prices = sequence_prices(problem, main=main)
        sequence = SequenceSearch(problem, sequence, prices).improve(limit)
    best = min(best, _found(problem, sequence), key=_cost)
    if steps.left < 2 * reserve:
        return Result(best.schedule, best.order, stopped_early=True)
    search = ScheduleSearch(problem, best.order)
    jobs = len(best.order)
    improved = search.improve(move_count(jobs), move_steps(jobs), reserve)
    schedule = best.schedule if improved == best.order else problem.schedule(improved)
    return Result(schedule, improved, search.stopped_early)


def sequence_steps(jobs: int) -> int:
    """Steps of the search for a sequence, by what matters most, and as many for the rest."""
    return min(3_000 * jobs, 200_000 + 100 * jobs)


def move_count(jobs: int) -> int:
    """Moves to try at most: fewer where each takes longer, or where orders are few."""
    return min(40 * jobs * jobs, max(1_500, 150_000 // max(1, jobs)))


def move_steps(jobs: int) -> int:
    """Steps of these moves at most: beyond every limit where there are few jobs."""
    return max(2_500_000, 500_000_000 // max(1, jobs))
