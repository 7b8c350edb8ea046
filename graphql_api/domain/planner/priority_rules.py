"""List scheduling: topological orders in which the ready job of highest priority comes next."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

from graphql_api.domain.planner.problem import Problem

Order = list[int]
"""Jobs that are not kept, each after its blockers."""

Rule = Callable[[Problem], Sequence[int]]
"""A priority rule: a key for each job; the smallest comes first."""


def list_orders(problem: Problem) -> list[Order]:
    """Orders by earliest due date, weighted shortest processing time, and weight."""
    rules = (_earliest_due_date, _weighted_shortest_time, _greatest_weight)
    return [list_order(problem, rule) for rule in rules]


def list_order(problem: Problem, rule: Rule) -> Order:
    """Order the jobs by a rule; ties go to the first job of the problem."""
    keys, successors = rule(problem), successors_of(problem)
    open_blockers = [len(job.blockers) for job in problem.jobs]
    ready = [(keys[i], i) for i, count in enumerate(open_blockers) if not count]
    heapify(ready)
    order = []
    while ready:
        _, i = heappop(ready)
        order.append(i)
        for successor in successors[i]:
            open_blockers[successor] -= 1
            if not open_blockers[successor]:
                heappush(ready, (keys[successor], successor))
    return [i for i in order if i not in problem.kept]


def successors_of(problem: Problem) -> list[list[int]]:
    """List the jobs that each job blocks."""
    successors: list[list[int]] = [[] for _ in problem.jobs]
    for i, job in enumerate(problem.jobs):
        for blocker in job.blockers:
            successors[blocker].append(i)
    return successors


def _earliest_due_date(problem: Problem) -> Sequence[int]:
    """EDD (Jackson 1955); a blocker is due when the jobs that it blocks must start."""
    due = [min(job.due, job.deadline) for job in problem.jobs]
    for i, job in reversed(list(enumerate(problem.jobs))):
        for blocker in job.blockers:
            due[blocker] = min(due[blocker], due[i] - job.duration)
    return due


def _weighted_shortest_time(problem: Problem) -> Sequence[int]:
    """WSPT (Smith 1956): duration by weight."""
    weights = _inherited_weights(problem)
    return [job.duration * 1_000_000 // weights[i] for i, job in enumerate(problem.jobs)]


def _greatest_weight(problem: Problem) -> Sequence[int]:
    return [-weight for weight in _inherited_weights(problem)]


def _inherited_weights(problem: Problem) -> list[int]:
    """Weight of each job or, if that is greater, of a job that waits for it."""
    weights = [job.weight for job in problem.jobs]
    for i, job in reversed(list(enumerate(problem.jobs))):
        for blocker in job.blockers:
            weights[blocker] = max(weights[blocker], weights[i])
    return weights
