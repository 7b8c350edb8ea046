"""Plan tasks into free time, deterministically, with a reason for each block."""

from collections.abc import Sequence

from graphql_api.domain.planner.explanation import Explanation
from graphql_api.domain.planner.free_time import Pieces
from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import AtRisk, Plan, PlanRequest
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search.search import find_schedule
from graphql_api.domain.planner.steps import Steps


def plan(request: PlanRequest, steps: Steps | None = None) -> Plan:
    """Schedule a request's tasks: a pure function, independent of clock and chance.

    Every block lies in free time, no two overlap, each task comes after its blockers and its
    `not_before`, whole or in long enough pieces, and finishes before a hard deadline. A task for
    which that is impossible is left out, and so is every task that it blocks. `steps` bounds the
    work and reports its progress. Raises BadUserInput for free time in too many intervals.
    """
    problem = Problem.of(request, steps or Steps())
    schedule, stopped_early = find_schedule(problem)
    explanation = Explanation(request, problem, schedule)
    return Plan(
        blocks=explanation.blocks(),
        unplaced=explanation.unplaced(),
        at_risk=_at_risk(request, problem, schedule),
        cost=problem.total_cost(schedule),
        stopped_early=stopped_early,
        input_hash=request.input_hash,
    )


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
