"""Improve a schedule by local search.

A schedule is an order of the jobs, blockers first, in which each is scheduled as early as possible
(serial schedule generation, Kolisch 1996). A move takes a job to an earlier position along with
its blockers, or to a later one along with its successors, and is accepted if it costs at most a
threshold more than the present order; the threshold falls to zero (threshold accepting, Dueck and
Scheuer 1990). The number of moves and steps depends on the size of the problem and the random
numbers on a fixed seed, so that the same problem gets the same schedule on any machine.
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from graphql_api.domain.planner.free_time import FreeTime
from graphql_api.domain.planner.objective import LATE
from graphql_api.domain.planner.problem import STEPS_PER_JOB, Problem
from graphql_api.domain.planner.search.priority_rules import Order, successors_of
from graphql_api.domain.planner.steps import MAX_STEPS

SEED = 7

# Tuned on the instances of bench/plans.py and bench/families.py.
INITIAL_TEMPERATURE = 300  # the first threshold, in mean costs of a job's waiting for another one
FORWARD, BOTH = 0.3, 0.5  # cumulative shares of moves forward and in both directions; then back
TROUBLE = 0.7  # the share of moves forward of jobs that are left out or late, if there are any
FAR = 0.4  # the share of moves over any distance, up to 200 jobs; the others are short
FAR_JOBS = 80  # divided by the jobs, is that share for more jobs
NEAR = 12  # positions that a short move crosses, at most
WINDOW = 100  # positions after a move by which it has to be worth it
NO_LIMIT = 10**30  # above every cost
MAX_SNAPSHOTS = 250  # of free time along the order, which bound the memory of a search


class Candidate(NamedTuple):
    """A segment of the order to replace, from position `low` on, and its consequences.

    `snapshots` are the free time before some of the re-scheduled positions, by position; `costs`
    the cost so far after each of them.
    """

    low: int
    segment: Order
    ends: list[int | None]
    snapshots: dict[int, FreeTime]
    costs: list[int]
    cost: int


class ScheduleSearch:
    """An order of jobs and its cost, indexed so that a small change is cheap to evaluate.

    `_costs` are the costs before each position of the order, and after the last one; `_snapshots`
    the free time before every `_stride`-th one. A change is re-scheduled from the snapshot before
    it until the free time is what it was before, or the cost is too high: in all, or, a window
    behind the change, compared with what it was up to there.
    """

    def __init__(self, problem: Problem, order: Order) -> None:
        count = len(problem.jobs)
        self.order = order[:]
        self.stopped_early = False
        self._problem = problem
        self._successors = successors_of(problem)
        self._before = _closure([job.blockers for job in problem.jobs], range(count))
        self._after = _closure(self._successors, range(count - 1, -1, -1))
        self._position = [-1] * count
        self._ends = [
            problem.finish(job, problem.kept.get(i)) for i, job in enumerate(problem.jobs)
        ]
        self._stride = 1 + len(order) // MAX_SNAPSHOTS
        self._snapshots = {0: problem.free}
        self._costs = [0] * (len(order) + 1)
        if candidate := self._evaluate(0, order, NO_LIMIT):
            self._accept(candidate)

    @property
    def cost(self) -> int:
        """Cost of the order's jobs."""
        return self._costs[-1]

    def improve(self, moves: int, limit: int = MAX_STEPS, reserve: int = 0) -> Order:
        """Return the best order found in that many moves, or in about `limit` steps.

        Stops early where fewer than `reserve` steps are left.
        """
        rng, steps = Random(SEED), self._problem.steps  # noqa: S311 (no secret)
        begun = steps.used
        best, lowest = self.order[:], self.cost
        temperature = self._initial_temperature()
        for left in range(moves, 0, -1):
            if steps.left < reserve:
                self.stopped_early = True
                break
            share = min(left / moves, 1 - (steps.used - begun) / limit)
            if share <= 0:
                break
            low, segment = self._neighbour(rng)
            most = self.cost + int(temperature * _cooling(share, rng.random()))
            if segment == self.order[low : low + len(segment)]:
                continue
            if candidate := self._evaluate(low, segment, most):
                self._accept(candidate)
                if self.cost < lowest:
                    best, lowest = self.order[:], self.cost
        return best

    def _initial_temperature(self) -> int:
        jobs = self._problem.jobs
        total = sum(job.stakes.wait * job.duration for job in jobs)
        return INITIAL_TEMPERATURE * total // max(1, len(jobs))

    def _neighbour(self, rng: Random) -> tuple[int, Order]:
        """Change a random segment: move its last job first, its first job last, or both.

        A job takes along what must stay before or after it, so that every move is feasible.
        """
        count, kind = len(self.order), rng.random()
        high = int(rng.random() * count)
        if kind < FORWARD:  # prefer a job with much to gain
            other = int(rng.random() * count)
            in_trouble = self._in_trouble(rng) if rng.random() < TROUBLE else None
            high = max(high, other, key=self._excess_cost) if in_trouble is None else in_trouble
        reach = count if rng.random() < min(FAR, FAR_JOBS / count) else NEAR
        low = max(0, high - 1 - int(rng.random() * reach))
        segment = self.order[low : high + 1]
        self._problem.steps.count(5 * len(segment))
        early = 0 if FORWARD <= kind < BOTH else self._before[segment[-1]]
        late = 0 if kind < FORWARD else self._after[segment[0]]
        if early & late:  # the first job must stay before the last one
            late = 0
        return low, [
            *(job for job in segment if early >> job & 1),
            *(job for job in segment if not (early | late) >> job & 1),
            *(job for job in segment if late >> job & 1),
        ]

    def _in_trouble(self, rng: Random) -> int | None:
        """A random position of a job that is left out or late; None if there is none."""
        self._problem.steps.count(len(self.order) // 3)
        found = [k for k, (a, b) in enumerate(pairwise(self._costs)) if b - a >= LATE]
        return found[int(rng.random() * len(found))] if found else None

    def _excess_cost(self, position: int) -> int:
        """Cost of a job above what it would be without other jobs and working hours."""
        i = self.order[position]
        job = self._problem.jobs[i]
        least = self._problem.cost(i, job.release + job.duration)
        return self._costs[position + 1] - self._costs[position] - least

    def _evaluate(self, low: int, segment: Order, limit: int) -> Candidate | None:
        """Re-schedule from a position on; None if that costs more than the limit."""
        problem, ends, cost = self._problem, self._ends[:], self._costs[low]
        jobs, stride, free = problem.jobs, self._stride, self._free_before(low)
        before, allowed = self._costs, limit - self.cost
        snapshots: dict[int, FreeTime] = {}
        costs: list[int] = []
        settled = low + len(segment)  # from this position on, only the free time can differ
        for position, i in enumerate([*segment, *self.order[settled:]], low):
            if position % stride == 0 and position > low:
                if position >= settled and free.equals(self._snapshots[position]):
                    cost += self.cost - self._costs[position]
                    break
                snapshots[position] = free.copy()
            end = problem.finish(jobs[i], problem.place(i, free, ends))
            cost += problem.cost(i, end)
            costs.append(cost)
            is_behind = position >= settled + WINDOW
            if cost > limit or (is_behind and cost - before[position + 1] > allowed):
                cost = limit + 1
                break
            if end != ends[i]:
                ends[i] = end
                if later := self._successors[i]:
                    settled = max([settled, *(self._position[s] + 1 for s in later)])
        problem.steps.count(STEPS_PER_JOB * len(costs))
        return Candidate(low, segment, ends, snapshots, costs, cost) if cost <= limit else None

    def _free_before(self, position: int) -> FreeTime:
        """Free time before a position: its nearest snapshot, and what the jobs since then take."""
        snapshot = position - position % self._stride
        free, ends = self._snapshots[snapshot].copy(), self._ends
        for i in self.order[snapshot:position]:
            self._allocate(i, free, ends)
        return free

    def _allocate(self, i: int, free: FreeTime, ends: Sequence[int | None]) -> int | None:
        """Take free time for a job as early as possible; returns its end."""
        self._problem.steps.count(STEPS_PER_JOB)
        problem = self._problem
        return problem.finish(problem.jobs[i], problem.place(i, free, ends))

    def _accept(self, candidate: Candidate) -> None:
        low, end = candidate.low, candidate.low + len(candidate.costs)
        self.order[low : low + len(candidate.segment)] = candidate.segment
        for position, job in enumerate(candidate.segment, low):
            self._position[job] = position
        self._ends = candidate.ends
        self._snapshots |= candidate.snapshots
        change = candidate.cost - self.cost
        unchanged = [cost + change for cost in self._costs[end + 1 :]]
        self._costs[low + 1 :] = candidate.costs + unchanged


def _cooling(left: float, chance: float) -> float:
    """Share of the initial temperature to use: mostly near zero, seldom high, falling over time.

    Products only: powers and logarithms may differ in their last bit between machines.
    """
    share = left * chance * chance
    return share * share * share


def _closure(edges: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """Each job and all that its edges reach, as bits; the order has targets before sources."""
    closure = [0] * len(edges)
    for i in order:
        closure[i] = 1 << i
        for target in edges[i]:
            closure[i] |= closure[target]
    return closure
