"""Adapt a request before it is planned: what is frozen stays, and what is too long is cut."""

from dataclasses import replace
from functools import partial

from graphql_api.domain.planner.minutes import MINUTE
from graphql_api.domain.planner.model import PlanRequest, PlanTask
from graphql_api.domain.planner.problem import Job, Problem
from graphql_api.domain.planner.steps import Steps


def freeze(request: PlanRequest) -> PlanRequest:
    """Fix the previous pieces that begin before `freeze_until`, and plan only what is left."""
    until = request.freeze_until
    if until is None:
        return request
    ids = {task.task_id for task in request.tasks}
    frozen = {p for p in request.previous if p.start < until and p.task_id in ids}
    frozen -= {*request.fixed}
    minutes: dict[str, int] = {}
    for piece in frozen:
        length = (piece.end - piece.start) // MINUTE
        minutes[piece.task_id] = minutes.get(piece.task_id, 0) + length
    return replace(
        request,
        tasks=tuple(_lessen(task, minutes.get(task.task_id, 0)) for task in request.tasks),
        fixed=(*request.fixed, *frozen),
        previous=tuple(p for p in request.previous if p not in frozen),
    )


def cut(request: PlanRequest, steps: Steps) -> PlanRequest:
    """Give tasks that cannot have all their time what there is, if the request asks for that."""
    if not request.partial:
        return request
    problem = Problem.of(replace(request, keep_current=False), steps)
    cuts = map(partial(_cut, problem), request.ordered, problem.jobs)
    return replace(request, tasks=tuple(cuts))


def _cut(problem: Problem, task: PlanTask, job: Job) -> PlanTask:
    calendar = problem.calendar.within(job.schedule)
    usable = calendar.capacity(job.duration, job.min_piece, job.release, job.deadline, job.chunks)
    if not 0 < usable < job.duration:
        return task
    return replace(task, duration_minutes=usable, lacking_minutes=job.duration - usable)


def _lessen(task: PlanTask, minutes: int) -> PlanTask:
    if not minutes:
        return task
    return replace(task, duration_minutes=max(0, task.duration_minutes - minutes))
