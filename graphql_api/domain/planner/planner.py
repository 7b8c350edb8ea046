"""Plan tasks into free time, deterministically, with a reason for each block."""

from collections.abc import Sequence

from graphql_api.domain.planner.adaptation import cut, freeze
from graphql_api.domain.planner.explanation.blocks import Explanation
from graphql_api.domain.planner.explanation.moves import moves
from graphql_api.domain.planner.explanation.shortage import overload, with_lacking
from graphql_api.domain.planner.free_time import Pieces
from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import AtRisk, Plan, PlanRequest
from graphql_api.domain.planner.objective import MOVED
from graphql_api.domain.planner.problem import ALL_DAYS, Problem
from graphql_api.domain.planner.search.priority_rules import Order, home_order
from graphql_api.domain.planner.search.search import find_schedule, simple_schedule
from graphql_api.domain.planner.steps import Steps

DEAR = 10**13  # for a move, where too many tasks would


def plan(request: PlanRequest, steps: Steps | None = None) -> Plan:
    """Schedule a request's tasks: a pure function, independent of clock and chance.

    Every block lies in free time, no two overlap, each task comes after its blockers and its
    `not_before`, whole or in long enough pieces, and finishes before a hard deadline. A task for
    which that is impossible is left out, in part or whole, and so is every task that it blocks.
    `steps` bounds the work and reports its progress. Raises BadUserInput for free time in too many
    intervals.
    """
    steps = steps or Steps()
    adapted = cut(freeze(request), steps)
    problem, schedule, stopped_early = _schedule(adapted, steps)
    explanation = Explanation(adapted, problem, schedule)
    blocks = explanation.blocks()
    unplaced = with_lacking(adapted, explanation.unplaced())
    at_risk = _at_risk(adapted, problem, schedule)
    return Plan(
        blocks=blocks,
        unplaced=unplaced,
        at_risk=at_risk,
        cost=problem.total_cost(schedule),
        stopped_early=stopped_early,
        input_hash=request.input_hash,
        moved=moves(request, problem, blocks),
        overload=overload(request, blocks, unplaced, at_risk),
    )


def _schedule(request: PlanRequest, steps: Steps) -> tuple[Problem, Sequence[Pieces | None], bool]:
    """Find a schedule within the limits of days, where nothing is late or left out for them."""
    whole = Problem.of(request, steps)
    if not request.buffers.limits_days:
        return _few_moves(request, whole, ALL_DAYS)[:3]
    limited = whole.adapted(request, MOVED, 0)
    if not limited.main_cost(simple_schedule(limited)):
        return _few_moves(request, whole, 0)[:3]
    problem, schedule, stopped_early, order = _few_moves(request, whole, ALL_DAYS)
    least = problem.main_cost(schedule)
    low, high = 0, request.horizon_days + 1  # so many days without a limit suffice
    while low < high and not _is_spent(problem):
        middle = (low + high) // 2
        limited = whole.adapted(request, MOVED, middle)
        attempt = limited.schedule(order)
        if limited.main_cost(attempt) <= least:
            problem, schedule, high = limited, attempt, middle
        else:
            low = middle + 1
    return problem, schedule, stopped_early


def _is_spent(problem: Problem) -> bool:
    """Return whether no steps are left, where jobs with a longest piece need many."""
    return problem.steps.left < 0 and any(job.chunks for job in problem.jobs)


def _few_moves(
    request: PlanRequest, whole: Problem, full_days: int
) -> tuple[Problem, Sequence[Pieces | None], bool, Order]:
    """Find a schedule in which no more tasks move than the request allows."""
    for moved in (MOVED, DEAR):
        problem = whole.adapted(request, moved, full_days)
        found = find_schedule(problem)
        if request.max_moves is None or problem.moved(found.schedule) <= request.max_moves:
            return problem, found.schedule, found.stopped_early, found.order
    order = home_order(problem)
    return problem, problem.schedule(order), found.stopped_early, order


def _at_risk(
    request: PlanRequest, problem: Problem, schedule: Sequence[Pieces | None]
) -> tuple[AtRisk, ...]:
    late = []
    for task, end in zip(request.ordered, map(problem.finish, problem.jobs, schedule), strict=True):
        if end is not None and task.deadline:
            minutes = end - floor(task.deadline)
            if minutes > 0:
                late.append(AtRisk(task.task_id, minutes))
    return tuple(sorted(late, key=lambda risk: risk.task_id))
