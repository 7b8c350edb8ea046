"""Makes a plan of a request, always the same one, and says why each block is where it is."""

from graphql_api.domain.planner.explanation import Explanation
from graphql_api.domain.planner.free_time import Pieces, end_of
from graphql_api.domain.planner.local_search import best_order
from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import AtRisk, DeadlineKind, Plan, PlanRequest
from graphql_api.domain.planner.problem import Instance


def plan(request: PlanRequest) -> Plan:
    """The plan of a request: a pure function, of no clock and no chance.

    Every block is in free time, none overlaps another one, each task comes after its blockers and
    its `not_before`, whole or in pieces that are long enough, and ends before a hard deadline; a
    task for which that cannot be is left out, and so is what waits for it.
    """
    instance = Instance.of(request)
    schedule = instance.placed(best_order(instance))
    explanation = Explanation(request, instance, schedule)
    return Plan(
        blocks=explanation.blocks(),
        unplaced=explanation.unplaced(),
        at_risk=_at_risk(request, schedule),
        cost=sum(map(instance.cost, instance.jobs, map(end_of, schedule))),
        input_hash=request.input_hash,
    )


def _at_risk(request: PlanRequest, schedule: list[Pieces | None]) -> tuple[AtRisk, ...]:
    found = []
    for task, pieces in zip(request.ordered, schedule, strict=True):
        if pieces and task.deadline and task.deadline_kind is DeadlineKind.SOFT:
            late = pieces[-1][1] - floor(task.deadline)
            if late > 0:
                found.append(AtRisk(task.task_id, late))
    return tuple(sorted(found, key=lambda risk: risk.task_id))
