"""Finds a schedule of low cost: the best of a few list schedules, improved by a search.

A schedule is an order of the jobs, blockers first, in which each takes the earliest time that is
left (a serial schedule generation scheme, Kolisch 1996). The search takes a job to an earlier
place in the order along with its blockers, or to a later one along with what it blocks, and keeps
what costs at most a threshold more than the present schedule; the threshold falls to nothing
(threshold accepting, Dueck and Scheuer 1990). The number of moves depends on the number of jobs
only, and chance on a fixed seed: the same problem has the same schedule, on any machine.
"""

import sys
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from graphql_api.domain.planner.free_time import Room, end_of
from graphql_api.domain.planner.priority_rules import Order, blocked, list_orders
from graphql_api.domain.planner.problem import Instance

SEED = 7

# Found by trial on the instances of bench/plans.py.
HEAT = 300  # the first threshold, in mean costs of a job's waiting for another one
FORWARD, BACK = 0.3, 0.5  # the share of moves forward, and with those back; the others do both
FAR = 0.4  # the share of moves over any distance; the others are short
NEAR = 12  # places: the length of a short move, at most


# Gaps in the free time that the tries of a search may meet: ordinary weeks take 11 million, and
# none may keep the processor for longer than a few seconds. A count, unlike a clock, is the same
# on any machine.
EFFORT = 16_000_000


def best_order(instance: Instance) -> Order:
    """The jobs that are not kept, in the order of the lowest cost found."""
    searches = [Search(instance, order) for order in list_orders(instance)]
    search = min(searches, key=lambda found: found.cost)
    return search.improved(moves(len(search.order)))


def moves(jobs: int) -> int:
    """How many moves to try: fewer where each takes longer, and none in vain where few differ."""
    return min(40 * jobs * jobs, 400_000 // max(1, jobs))


class Trial(NamedTuple):
    """A changed part of an order from a place on, and what it leads to until nothing differs."""

    low: int
    part: Order
    ends: list[int | None]
    rooms: list[Room]
    costs: list[int]
    cost: int


class Search:
    """An order of jobs and its cost, kept so that a small change is cheap to judge.

    Costs are above the least that each job can cost at all. `_rooms` and `_costs` are what is left
    and what is spent before each place of the order, and after the last one: a change is played
    from its first place on, until the room is again what it was, or it has cost too much.
    """

    def __init__(self, instance: Instance, order: Order) -> None:
        count = len(instance.jobs)
        self.order = order
        self._instance = instance
        self._blocks = blocked(instance)
        self._before = _reach([job.blockers for job in instance.jobs], range(count))
        self._after = _reach(self._blocks, range(count - 1, -1, -1))
        self._place = [-1] * count
        self._ends = [end_of(instance.kept.get(at)) for at in range(count)]
        self._least = self._least_costs()
        self._effort = 0
        self._rooms = [instance.room] * (len(order) + 1)
        self._costs = [0] * (len(order) + 1)
        if trial := self._play(0, order, sys.maxsize):
            self._accept(trial)

    @property
    def cost(self) -> int:
        """What the order costs above the least that its jobs can cost."""
        return self._costs[-1]

    def improved(self, moves: int) -> Order:
        """The best order found with so many moves, or with those that the effort allows."""
        luck = Random(SEED)  # noqa: S311 (no secret)
        best, lowest = self.order[:], self.cost
        heat = self._heat()
        for left in range(moves, 0, -1):
            if self._effort > EFFORT:
                break
            low, part = self._neighbour(luck)
            limit = self.cost + int(heat * _cooled(left / moves, luck.random()))
            if part == self.order[low : low + len(part)]:
                continue
            if trial := self._play(low, part, limit):
                self._accept(trial)
                if self.cost < lowest:
                    best, lowest = self.order[:], self.cost
        return best

    def _heat(self) -> int:
        jobs = self._instance.jobs
        return HEAT * sum(job.weight * job.minutes for job in jobs) // max(1, len(jobs))

    def _neighbour(self, luck: Random) -> tuple[int, Order]:
        """A part of the order, changed: its last job comes first, its first one last, or both.

        A job has what must come before or after it for company, so that every change is possible.
        """
        count, kind = len(self.order), luck.random()
        high = int(luck.random() * count)
        if kind < FORWARD:  # rather a job that has much to gain
            high = max(high, int(luck.random() * count), key=self._spent)
        reach = count if luck.random() < FAR else NEAR
        low = max(0, high - 1 - int(luck.random() * reach))
        part = self.order[low : high + 1]
        early = 0 if FORWARD <= kind < BACK else self._before[part[-1]]
        late = 0 if kind < FORWARD else self._after[part[0]]
        if early & late:  # the first job must come before the last one
            late = 0
        return low, [
            *(at for at in part if early >> at & 1),
            *(at for at in part if not (early | late) >> at & 1),
            *(at for at in part if late >> at & 1),
        ]

    def _spent(self, place: int) -> int:
        return self._costs[place + 1] - self._costs[place]

    def _play(self, low: int, part: Order, limit: int) -> Trial | None:
        """Change the order from a place on; None if that costs more than the limit."""
        room, ends, cost = self._rooms[low].copy(), self._ends[:], self._costs[low]
        rooms: list[Room] = []
        costs: list[int] = []
        same = low + len(part)  # from this place on, nothing but the room can differ
        for here in range(low, len(self.order)):
            if here >= same and room.same(self._rooms[here]):
                cost += self.cost - self._costs[here]
                break
            self._effort += len(room.starts)
            at = part[here - low] if here - low < len(part) else self.order[here]
            job, release = self._instance.jobs[at], self._instance.release(at, ends)
            end: int | None = None
            if release is not None:
                end = end_of(room.place(job.minutes, job.chunk, release, job.limit))
            cost += self._instance.cost(job, end) - self._least[at]
            if cost > limit:
                return None
            if end != ends[at]:
                ends[at] = end
                same = max([same, *(self._place[other] + 1 for other in self._blocks[at])])
            rooms.append(room.copy())
            costs.append(cost)
        return Trial(low, part, ends, rooms, costs, cost) if cost <= limit else None

    def _accept(self, trial: Trial) -> None:
        low, played = trial.low, trial.low + len(trial.rooms)
        self.order[low : low + len(trial.part)] = trial.part
        for place, at in enumerate(trial.part, low):
            self._place[at] = place
        self._ends = trial.ends
        self._rooms[low + 1 : played + 1] = trial.rooms
        more = trial.cost - self.cost
        rest = [cost + more for cost in self._costs[played + 1 :]]
        self._costs[low + 1 :] = trial.costs + rest

    def _least_costs(self) -> list[int]:
        """What each job costs if nothing but its blockers is in its way."""
        instance, ends = self._instance, self._ends[:]
        for at in sorted(self.order):
            job, release = instance.jobs[at], instance.release(at, ends)
            if release is not None:
                room = instance.room.copy()
                ends[at] = end_of(room.place(job.minutes, job.chunk, release, job.limit))
        return [instance.cost(job, end) for job, end in zip(instance.jobs, ends, strict=True)]


def _cooled(left: float, chance: float) -> float:
    """The share of the heat to use: mostly next to nothing, seldom much, and less towards the end.

    Products only, since powers and logarithms may differ in a bit from machine to machine.
    """
    share = left * chance * chance
    return share * share * share


def _reach(steps: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """Each job and all that can be reached from it, as bits; the order has steps before jobs."""
    found = [0] * len(steps)
    for at in order:
        found[at] = 1 << at
        for step in steps[at]:
            found[at] |= found[step]
    return found
