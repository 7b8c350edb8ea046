"""List schedules: orders of jobs, blockers first, in which the most pressing ready job is next."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

from graphql_api.domain.planner.problem import Instance

Order = list[int]
"""Jobs that are not kept, each after its blockers."""

Rule = Callable[[Instance], Sequence[int]]
"""What a job has to be pressed for, as a key for each: the smallest is the most pressing."""


def list_orders(instance: Instance) -> list[Order]:
    """The order of each rule."""
    return [list_order(instance, rule) for rule in (_due, _shortest, _weightiest)]


def list_order(instance: Instance, rule: Rule) -> Order:
    """The jobs by a rule; the first of equals is the first of the instance."""
    keys, blocks = rule(instance), blocked(instance)
    waits = [len(job.blockers) for job in instance.jobs]
    ready = [(keys[at], at) for at, blockers in enumerate(waits) if not blockers]
    heapify(ready)
    order = []
    while ready:
        _, at = heappop(ready)
        order.append(at)
        for other in blocks[at]:
            waits[other] -= 1
            if not waits[other]:
                heappush(ready, (keys[other], other))
    return [at for at in order if at not in instance.kept]


def blocked(instance: Instance) -> list[list[int]]:
    """What each job blocks."""
    blocks: list[list[int]] = [[] for _ in instance.jobs]
    for at, job in enumerate(instance.jobs):
        for blocker in job.blockers:
            blocks[blocker].append(at)
    return blocks


def _due(instance: Instance) -> Sequence[int]:
    """Earliest deadline first; a blocker is due when what it blocks must begin."""
    dues = [min(job.due, job.limit) for job in instance.jobs]
    for at, job in reversed(list(enumerate(instance.jobs))):
        for blocker in job.blockers:
            dues[blocker] = min(dues[blocker], dues[at] - job.minutes)
    return dues


def _shortest(instance: Instance) -> Sequence[int]:
    """Weighted shortest processing time first (Smith 1956)."""
    weights = _weights(instance)
    return [job.minutes * 1_000_000 // weights[at] for at, job in enumerate(instance.jobs)]


def _weightiest(instance: Instance) -> Sequence[int]:
    """Greatest weight first."""
    return [-weight for weight in _weights(instance)]


def _weights(instance: Instance) -> list[int]:
    """The weight of each job or, if that is more, of one that it blocks."""
    weights = [job.weight for job in instance.jobs]
    for at, job in reversed(list(enumerate(instance.jobs))):
        for blocker in job.blockers:
            weights[blocker] = max(weights[blocker], weights[at])
    return weights
