"""List scheduling: topological orders in which the ready job of highest priority comes next."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush, nsmallest

from graphql_api.domain.planner.objective import NEVER
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search.work_time import WorkTime

Order = list[int]
"""Jobs that are not kept, each after its blockers."""

Rule = Callable[[Problem], Sequence[int]]
"""A priority rule: a key for each job; the smallest comes first."""

LOOK_AHEADS = (0.5, 1.0, 2.0, 4.0)  # in mean durations
ROUNDS = 100  # in which apparent tardiness costs are computed, at least
STEPS_PER_INDEX = 6


def list_orders(problem: Problem) -> list[Order]:
    """Orders by earliest due date, weighted shortest processing time, and weight."""
    rules = (_earliest_due_date, _weighted_shortest_time, _greatest_weight)
    return [list_order(problem, rule) for rule in rules]


def home_order(problem: Problem) -> Order:
    """First the jobs that have a place, as they come there, with their blockers; then by weight."""
    return list_order(problem, _home_first)


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


def apparent_tardiness_order(problem: Problem, look_ahead: float) -> Order:
    """Order by apparent tardiness cost (ATC, Vepsalainen and Morton 1987).

    The next job has the highest weight per minute, discounted by its slack until its due date.
    Large problems take several jobs at once, so that there are about ROUNDS rounds.
    """
    axis, successors = WorkTime(problem.free), successors_of(problem)
    rank = _atc_ranks(problem, axis, look_ahead)
    releases = [axis.before(job.release) for job in problem.jobs]
    open_blockers = [len(job.blockers) for job in problem.jobs]
    ready = [i for i, count in enumerate(open_blockers) if not count]
    at_once = -(-len(problem.jobs) // ROUNDS)
    order, now = [], 0
    while ready:
        problem.steps.count(STEPS_PER_INDEX * len(ready))
        released = [i for i in ready if releases[i] <= now] or ready
        chosen = [i for _, i in nsmallest(at_once, rank(released, now))]
        taken = set(chosen)
        ready = [i for i in ready if i not in taken]
        for i in chosen:
            order.append(i)
            now += 0 if i in problem.kept else problem.jobs[i].duration
            for successor in successors[i]:
                open_blockers[successor] -= 1
                if not open_blockers[successor]:
                    ready.append(successor)
    return [i for i in order if i not in problem.kept]


_Rank = tuple[float, int]
"""The negative ATC index of a job, and the job: the smallest comes first."""


def _atc_ranks(
    problem: Problem, axis: WorkTime, look_ahead: float
) -> Callable[[Sequence[int], int], list[_Rank]]:
    """Rank jobs at a minute of work."""
    jobs = problem.jobs
    weights = _inherited(problem, [job.stakes.late for job in jobs])
    durations = [max(1, job.duration) for job in jobs]
    rates = [weight / minutes for weight, minutes in zip(weights, durations, strict=True)]
    due = _earliest_due_date(problem)
    in_time = [axis.before(due[i]) - job.duration for i, job in enumerate(jobs)]
    latest = [axis.before(job.deadline) - job.duration for job in jobs]
    scale = look_ahead * sum(durations) / max(1, len(durations))

    def rank(some: Sequence[int], now: int) -> list[_Rank]:
        ranks = []
        for i in some:  # some 100,000 in a plan: no calls
            index = 0.0 if now > latest[i] else rates[i]
            if now < in_time[i]:  # about exp(-slack): powers may differ between machines
                share = 1 / (1 + (in_time[i] - now) / scale / 8)
                share *= share
                share *= share
                index *= share * share
            ranks.append((-index, i))
        return ranks

    return rank


def successors_of(problem: Problem) -> list[list[int]]:
    """List the jobs that each job blocks."""
    successors: list[list[int]] = [[] for _ in problem.jobs]
    for i, job in enumerate(problem.jobs):
        for blocker in job.blockers:
            successors[blocker].append(i)
    return successors


def _home_first(problem: Problem) -> Sequence[int]:
    keys = [NEVER - job.stakes.wait for job in problem.jobs]
    for i, home in problem.homes.items():
        keys[i] = home[0][0]
    for i, job in reversed(list(enumerate(problem.jobs))):
        for blocker in job.blockers:
            keys[blocker] = min(keys[blocker], keys[i])
    return keys


def _earliest_due_date(problem: Problem) -> Sequence[int]:
    """EDD (Jackson 1955); a blocker is due when the jobs that it blocks must start."""
    due = [min(job.due, job.deadline) for job in problem.jobs]
    for i, job in reversed(list(enumerate(problem.jobs))):
        for blocker in job.blockers:
            due[blocker] = min(due[blocker], due[i] - job.duration)
    return due


def _weighted_shortest_time(problem: Problem) -> Sequence[int]:
    """WSPT (Smith 1956): duration by weight."""
    weights = _inherited(problem, [job.stakes.wait for job in problem.jobs])
    return [job.duration * 1_000_000 // weights[i] for i, job in enumerate(problem.jobs)]


def _greatest_weight(problem: Problem) -> Sequence[int]:
    return [-weight for weight in _inherited(problem, [job.stakes.wait for job in problem.jobs])]


def _inherited(problem: Problem, weights: list[int]) -> list[int]:
    """Weight of each job or, if that is greater, of a job that waits for it."""
    for i, job in reversed(list(enumerate(problem.jobs))):
        for blocker in job.blockers:
            weights[blocker] = max(weights[blocker], weights[i])
    return weights
