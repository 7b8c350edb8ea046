"""Minutes that tasks lack, and the days on which they do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.minutes import MINUTE
from graphql_api.domain.planner.model import (
    AtRisk,
    Block,
    Overload,
    PlanRequest,
    Unplaced,
    UnplacedCode,
)

_NOT_ENOUGH = "There is not enough free time for all of it: it has what there is."


def with_lacking(request: PlanRequest, unplaced: Sequence[Unplaced]) -> tuple[Unplaced, ...]:
    """Add tasks that have only a part of their time, and what others of them lack anyway."""
    found = {task.task_id: task for task in unplaced}
    for task in request.tasks:
        task_id, minutes = task.task_id, task.lacking_minutes
        if minutes and (left := found.get(task_id)):
            found[task_id] = replace(left, missing_minutes=left.missing_minutes + minutes)
        elif minutes:
            is_hard = task.deadline and task.deadline_is_hard
            code = UnplacedCode.DEADLINE_TOO_SOON if is_hard else UnplacedCode.HORIZON_TOO_SHORT
            found[task_id] = Unplaced(task_id, code, _NOT_ENOUGH, minutes)
    return tuple(found[task_id] for task_id in sorted(found))


def overload(
    request: PlanRequest,
    blocks: Sequence[Block],
    unplaced: Sequence[Unplaced],
    at_risk: Sequence[AtRisk],
) -> tuple[Overload, ...]:
    """List the local days until which there is more to do than time, and by how many minutes.

    A task lacks time until the day of its deadline, or else until the last day of the plan: the
    minutes that are missing, or those that it is worked on after its deadline.
    """
    zone = ZoneInfo(request.hours.timezone)
    last = request.from_ + timedelta(days=request.horizon_days)
    deadlines = {task.task_id: task.deadline for task in request.tasks}
    minutes: dict[date, dict[str, int]] = {}

    def add(task_id: str, missing: int) -> None:
        day = _within(deadlines[task_id], request.from_, last).astimezone(zone).date()
        of_day = minutes.setdefault(day, {})
        of_day[task_id] = of_day.get(task_id, 0) + missing

    for task in unplaced:
        if task.missing_minutes and task.code is not UnplacedCode.BLOCKER_UNPLACED:
            add(task.task_id, task.missing_minutes)
    late = {risk.task_id for risk in at_risk}
    for block in blocks:
        deadline = deadlines.get(block.task_id)
        if block.task_id in late and deadline and block.end > deadline:
            add(block.task_id, (block.end - max(block.start, deadline)) // MINUTE)
    return tuple(
        Overload(day, sum(of_day.values()), tuple(sorted(of_day)))
        for day, of_day in sorted(minutes.items())
    )


def _within(deadline: datetime | None, first: datetime, last: datetime) -> datetime:
    return last if deadline is None else min(max(deadline, first), last)
