"""Find a good order of the jobs, as if free time had no gaps: a sequence on a single machine.

A job in the sequence ends when the minutes of work up to its end are over, which is a sum and no
search for free time; so a move is priced by the jobs alone whose ends it shifts. The best insertion
or swap of each job is made until there is none, then a few jobs are shuffled and the moves around
them tried again (iterated local search: Congram, Potts and van de Velde 2002; den Besten, Stützle
and Dorigo 2001), a number of times that depends on the number of jobs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple

from graphql_api.domain.planner.objective import Price, price
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search.priority_rules import Order, successors_of
from graphql_api.domain.planner.search.work_time import WorkTime
from graphql_api.domain.planner.steps import Steps

SEED = 7
REACH = 20  # positions that a job is moved over, at most; or more, where there are few jobs
SHUFFLED, WITHIN = 6, 40  # jobs that a kick shuffles, and positions that they are taken from
STEPS_PER_PRICE = 1
STEPS_PER_SCAN = 10  # of the places that a job could have


def sequence_prices(problem: Problem, *, main: bool = False) -> list[Price]:
    """Price of each job by the minutes of work until its end; only what matters most if `main`."""
    axis = WorkTime(problem.free)
    earliest: list[int] = []
    for job in problem.jobs:
        ends = (
            axis.before(problem.kept[b][-1][1]) if b in problem.kept else earliest[b]
            for b in job.blockers
        )
        earliest.append(max([axis.before(job.release), *ends]) + job.duration)
    return [
        price(
            job.stakes._replace(wait=0, tight=0) if main else job.stakes,
            start=0,
            earliest=earliest[i],
            safe=axis.before(job.safe),
            due=axis.before(job.due),
            limit=axis.before(job.deadline),
        )
        for i, job in enumerate(problem.jobs)
    ]


Rearrange = Callable[[Order], Order]
"""A permutation of a segment of the sequence."""


def _last_first(segment: Order) -> Order:
    return [segment[-1], *segment[:-1]]


def _first_last(segment: Order) -> Order:
    return [*segment[1:], segment[0]]


def _swapped(segment: Order) -> Order:
    return [segment[-1], *segment[1:-1], segment[0]]


class Move(NamedTuple):
    """A permutation of the segment from position `low` to `high`, and what it adds to the cost."""

    change: int
    low: int
    high: int
    rearrange: Rearrange


def _change(move: Move) -> int:
    return move.change


_NO_MOVE = Move(0, 0, 0, list)


class SequenceSearch:
    """A sequence of jobs, with the end and the cost of each by position."""

    def __init__(self, problem: Problem, order: Order, prices: list[Price]) -> None:
        self.order = order[:]
        self._jobs = problem.jobs
        self._steps: Steps = problem.steps
        self._duration = [job.duration for job in problem.jobs]
        self._blockers: list[Sequence[int]] = [job.blockers for job in problem.jobs]
        self._successors = successors_of(problem)
        self._price = prices
        self._reach = max(REACH, 10_000 // max(1, len(order)))
        self._position = [-1] * len(problem.jobs)
        self._ends = [0] * len(order)
        self._costs = [0] * len(order)
        self._set(0, self.order)

    @property
    def cost(self) -> int:
        """Cost of the sequence."""
        return sum(self._costs)

    def improve(self, limit: int) -> Order:
        """Return the best order found within so many steps; a little more, to end a descent."""
        last, rng = self._steps.used + limit, Random(SEED)  # noqa: S311 (no secret)
        self._descend(self.order, last)
        while self._steps.used < last and self.cost:
            before, cost = self._snapshot(), self.cost
            self._descend(self._kick(rng), last)
            if self.cost > cost:
                self.order, self._position, self._ends, self._costs = before
        return self.order

    def _set(self, low: int, segment: Order) -> None:
        """Put a segment at a position, and end its jobs anew."""
        end = self._ends[low - 1] if low else 0
        for position, job in enumerate(segment, low):
            end += self._duration[job]
            self.order[position] = job
            self._position[job] = position
            self._ends[position] = end
            self._costs[position] = self._price[job](end)
        self._steps.count(STEPS_PER_PRICE * len(segment))

    def _snapshot(self) -> tuple[Order, list[int], list[int], list[int]]:
        self._steps.count(len(self.order) // 5)
        return self.order[:], self._position[:], self._ends[:], self._costs[:]

    def _kick(self, rng: Random) -> Order:
        """Shuffle a few neighbours; returns the jobs around them. Blockers stay before."""
        count = len(self.order)
        at = int(rng.random() * count)
        chosen = sorted({min(count - 1, at + int(rng.random() * WITHIN)) for _ in range(SHUFFLED)})
        low, high = chosen[0], chosen[-1]
        jobs = [self.order[position] for position in chosen]
        segment = self.order[low : high + 1]
        for position, job in zip(chosen, [*jobs[1:], jobs[0]], strict=True):
            segment[position - low] = job
        if self._is_feasible(segment):
            self._set(low, segment)
        return self.order[max(0, low - 1) : high + 2]

    def _is_feasible(self, segment: Order) -> bool:
        seen: set[int] = set()
        for job in reversed(segment):
            if not seen.isdisjoint(self._blockers[job]):
                return False
            seen.add(job)
        return True

    def _descend(self, jobs: Iterable[int], last: int) -> None:
        """Make the best move of each job, and of those that moves concern, until none is left."""
        queue = deque(jobs)
        waiting = set(queue)
        while queue and self._steps.used < last:
            job = queue.popleft()
            waiting.discard(job)
            at = self._position[job]
            move = min(self._best_earlier(at), self._best_later(at), key=_change)
            if move.change >= 0:
                continue
            self._set(move.low, move.rearrange(self.order[move.low : move.high + 1]))
            for other in self.order[max(0, move.low - 1) : move.high + 2]:
                if other not in waiting:
                    waiting.add(other)
                    queue.append(other)

    def _first_position(self, job: int) -> int:
        """The earliest position that a job can have after its blockers."""
        if not self._blockers[job]:
            return 0
        return 1 + max((self._position[b] for b in self._blockers[job]), default=-1)

    def _last_position(self, job: int) -> int:
        """The last position that a job can have before those that it blocks."""
        ends = (self._position[s] for s in self._successors[job] if self._position[s] >= 0)
        return min(ends, default=len(self.order)) - 1

    def _best_earlier(self, at: int) -> Move:
        """The best earlier position of a job; those in between end later by its duration."""
        order, ends, costs, durations = self.order, self._ends, self._costs, self._duration
        job = order[at]
        price, duration, cost = self._price[job], durations[job], costs[at]
        first = max(self._first_position(job), at - self._reach)
        most = cost - price(ends[first] - durations[order[first]] + duration)
        best, low, loss, k = 0, at, 0, at
        for k in range(at - 1, first - 1, -1):
            other = order[k]
            loss += self._price[other](ends[k] + duration) - costs[k]
            if loss >= most:
                break
            change = loss + price(ends[k] - durations[other] + duration) - cost
            if change < best:
                best, low = change, k
        self._steps.count(2 * STEPS_PER_PRICE * (at - k) + STEPS_PER_SCAN)
        return Move(best, low, at, _last_first) if best else _NO_MOVE

    def _best_later(self, at: int) -> Move:
        """The best later position of a job, or the best later job to change places with.

        Those in between end earlier by its duration, or shift by the difference of both.
        """
        order, ends, costs, durations = self.order, self._ends, self._costs, self._duration
        prices, job = self._price, order[at]
        price, duration, cost = prices[job], durations[job], costs[at]
        last = min(self._last_position(job), at + self._reach)
        most = sum(costs[at + 1 : last + 1])  # that all others together can gain
        best, gain, between, k = _NO_MOVE, 0, 0, at
        for k in range(at + 1, last + 1):
            loss = price(ends[k]) - cost
            if loss >= most:
                break
            other = order[k]
            gain += costs[k] - prices[other](ends[k] - duration)
            if loss - gain < best.change:
                best = Move(loss - gain, at, k, _first_last)
            in_between = between if durations[other] < duration else 0
            if loss - costs[k] - in_between < best.change:
                change = self._swap(at, k, best.change)
                if change < best.change:
                    best = Move(change, at, k, _swapped)
            between += costs[k]
        self._steps.count(2 * STEPS_PER_PRICE * (k - at) + STEPS_PER_SCAN)
        return best

    def _swap(self, low: int, high: int, limit: int) -> int:
        """Change of the cost if two jobs change places; may be `limit` if it is no less."""
        order, ends, costs, durations = self.order, self._ends, self._costs, self._duration
        job, other = order[low], order[high]
        if self._blockers[other] and self._first_position(other) > low:
            return limit
        change = self._price[job](ends[high]) - costs[low] - costs[high]
        change += self._price[other](ends[low] - durations[job] + durations[other])
        prices, shift, k = self._price, durations[other] - durations[job], low
        for k in range(low + 1, high):
            change += prices[order[k]](ends[k] + shift) - costs[k]
            if shift > 0 and change >= limit:
                break
        self._steps.count(STEPS_PER_PRICE * (k - low) + STEPS_PER_SCAN)
        return change
