"""Finds a schedule of low cost: the best of a few list schedules, improved by a search.

A schedule is an order of the jobs, blockers first, in which each takes the earliest time that is
left (a serial schedule generation scheme, Kolisch 1996). The search takes a job to an earlier
place in the order along with its blockers, or to a later one along with what it blocks, and keeps
what costs no more than a threshold above the present schedule, which falls to nothing (threshold
accepting, Dueck and Scheuer 1990). The number of moves depends on the size of the problem only,
and the random numbers on a fixed seed: the same problem has the same schedule, on any machine.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from random import Random
from typing import NamedTuple

from graphql_api.planning.instance import LATE, Instance
from graphql_api.planning.room import Room

SEED = 7
Order = list[int]


def best_order(instance: Instance) -> Order:
    """The order of the jobs that are not kept, of the lowest cost found."""
    orders = [_list_order(instance, rule) for rule in (_due, _shortest, _weightiest)]
    search = min((Search(instance, order) for order in orders), key=lambda found: found.cost)
    search.improve(moves(len(search.order)))
    return search.best


def moves(jobs: int) -> int:
    """How many moves a problem of so many jobs is worth: fewer where each takes longer."""
    return min(40 * jobs * jobs, 500_000 // jobs) if jobs else 0


# The list schedules: the ready job with the smallest key comes next.

Rule = Callable[[Instance], list[int]]


def _list_order(instance: Instance, rule: Rule) -> Order:
    """The jobs that are not kept, blockers first, and otherwise by a rule."""
    keys, blocks = rule(instance), _blocks(instance)
    waits = [len(job.blockers) for job in instance.jobs]
    ready = [(keys[at], at) for at, open_blockers in enumerate(waits) if not open_blockers]
    heapify(ready)
    order = []
    while ready:
        _, at = heappop(ready)
        order.append(at)
        for blocked in blocks[at]:
            waits[blocked] -= 1
            if not waits[blocked]:
                heappush(ready, (keys[blocked], blocked))
    return [at for at in order if at not in instance.kept]


def _blocks(instance: Instance) -> list[list[int]]:
    """What each job blocks."""
    blocks: list[list[int]] = [[] for _ in instance.jobs]
    for at, job in enumerate(instance.jobs):
        for blocker in job.blockers:
            blocks[blocker].append(at)
    return blocks


def _due(instance: Instance) -> list[int]:
    """Earliest deadline first; a blocker is due before what it blocks can begin."""
    keys = [min(job.due, job.limit) for job in instance.jobs]
    for at in reversed(range(len(keys))):
        for blocker in instance.jobs[at].blockers:
            keys[blocker] = min(keys[blocker], keys[at] - instance.jobs[at].minutes)
    return keys


def _shortest(instance: Instance) -> list[int]:
    """Weighted shortest processing time first (Smith 1956)."""
    weights = _inherited_weights(instance)
    return [job.minutes * 1_000_000 // weights[at] for at, job in enumerate(instance.jobs)]


def _weightiest(instance: Instance) -> list[int]:
    """Greatest weight first."""
    return [-weight for weight in _inherited_weights(instance)]


def _inherited_weights(instance: Instance) -> list[int]:
    """The weight of each job or, if that is more, of one that it blocks."""
    weights = [job.weight for job in instance.jobs]
    for at in reversed(range(len(weights))):
        for blocker in instance.jobs[at].blockers:
            weights[blocker] = max(weights[blocker], weights[at])
    return weights


class Trial(NamedTuple):
    """A changed part of an order, and what it leads to until nothing differs any more."""

    low: int
    part: Order
    ends: list[int | None]
    rooms: list[Room]
    costs: list[int]
    cost: int


class Search:
    """An order of jobs and what it costs, kept so that a small change is cheap to judge.

    `cost` counts only what is above the least that each job can cost at all. Before each place of
    the order, `rooms` has the room that is left and `costs` the cost until there; so a change is
    played from its first place on, until the room is again what it was, or it costs too much.
    """

    def __init__(self, instance: Instance, order: Order) -> None:
        self.instance = instance
        self.order = order
        self.best = order[:]
        self._blocks = _blocks(instance)
        self._before = _closure([job.blockers for job in instance.jobs])
        self._after = _closure_back(self._blocks)
        self._place = [0] * len(instance.jobs)
        self._least = _least_costs(instance)
        self._ends: list[int | None] = [None] * len(instance.jobs)
        for at, pieces in instance.kept.items():
            self._ends[at] = pieces[-1][1]
        self._rooms = [instance.room] * (len(order) + 1)
        self._costs = [0] * (len(order) + 1)
        self.cost = self.best_cost = 0
        self._seat(0, order)
        trial = self._play(0, order, None)
        assert trial
        self._accept(trial)
        self.best_cost = self.cost
        self.tried = self.taken = 0

    def _seat(self, low, part):
        for place, at in enumerate(part, low):
            self._place[at] = place

    def improve(self, moves: int) -> None:
        """Try so many moves, and remember the best order."""
        random = Random(SEED)
        n = len(self.order)
        if n < 2:
            return
        heat = self._heat()
        for left in range(moves, 0, -1):
            part = self._move(random)
            if part is None:
                continue
            share = left / moves
            u = random.random()
            limit = self.cost + int(heat * (share * u * u) ** 3)
            trial = self._play(*part, limit)
            self.tried += 1
            if trial:
                self.taken += 1
                self._accept(trial)
                if self.cost < self.best_cost:
                    self.best, self.best_cost = self.order[:], self.cost

    def _heat(self):
        js = self.instance.jobs
        return HEAT * sum(j.weight * j.minutes for j in js) // len(js)

    def _move(self, random):
        n = len(self.order)
        i = int(random.random() * n)
        k = int(random.random() * n)
        kind = random.random()
        d = 1 + int(random.random() * (n if random.random() < FAR else NEAR))
        if kind < 0.45:  # forward
            if self._ex(k) > self._ex(i):
                i = k
            low = max(0, i - d)
            high = i
        elif kind < 0.7:
            low = i
            high = min(n - 1, i + d)
        else:
            low = max(0, i - d)
            high = i
        if low == high:
            return None
        seg = self.order[low : high + 1]
        if kind < 0.45:
            mask = self._before[seg[-1]]
            new = [x for x in seg if mask >> x & 1] + [x for x in seg if not mask >> x & 1]
        elif kind < 0.7:
            mask = self._after[seg[0]]
            new = [x for x in seg if not mask >> x & 1] + [x for x in seg if mask >> x & 1]
        else:
            a = self._before[seg[-1]]
            b = self._after[seg[0]]
            if a & b:
                return None
            new = (
                [x for x in seg if a >> x & 1]
                + [x for x in seg if not (a | b) >> x & 1]
                + [x for x in seg if b >> x & 1]
            )
        if new == seg:
            return None
        return low, new

    def _ex(self, place):
        return self._costs[place + 1] - self._costs[place]

    def _play(self, low: int, part: Order, limit: int | None) -> Trial | None:
        """Change the order from a place on; None if that costs more than the limit."""
        instance, order, place, old = self.instance, self.order, self._place, self._ends
        jobs, blocks, rooms_before, least = instance.jobs, self._blocks, self._rooms, self._least
        ends = old[:]
        rooms, costs = [], []
        cost = self._costs[low]
        differs = low + len(part) - 1  # the last place that is known to differ
        room = rooms_before[low].copy()
        begin, dropped = instance.start, DROPPED * (instance.end - instance.start)
        for here in range(low, len(order)):
            if here > differs:
                was = rooms_before[here]
                if room.starts == was.starts and room.ends == was.ends:
                    rest = cost + self._costs[-1] - self._costs[here]
                    if limit is not None and rest > limit:
                        return None
                    return Trial(low, part, ends, rooms, costs, rest)
            at = part[here - low] if here - low < len(part) else order[here]
            minutes, chunk, release, last, due, weight, blockers = jobs[at]
            end: int | None = None
            for blocker in blockers:
                blocker_end = ends[blocker]
                if blocker_end is None:
                    break
                if blocker_end > release:
                    release = blocker_end
            else:
                if at not in instance.barred:
                    pieces = room.place(minutes, chunk, release, last)
                    if pieces:
                        end = pieces[-1][1]
            if end is None:
                cost += weight * dropped - least[at]
            elif end > due:
                cost += weight * (end - begin + LATE * (end - due)) - least[at]
            else:
                cost += weight * (end - begin) - least[at]
            if limit is not None and cost > limit:
                return None
            if end != old[at]:
                ends[at] = end
                for b in blocks[at]:
                    if place[b] > differs:
                        differs = place[b]
            rooms.append(room.copy())
            costs.append(cost)
        return Trial(low, part, ends, rooms, costs, cost)

    def _accept(self, trial: Trial) -> None:
        low, part, ends, rooms, costs, cost = trial
        self.order[low : low + len(part)] = part
        self._seat(low, part)
        self._ends = ends
        n = len(rooms)
        delta = cost - self._costs[-1]
        self._rooms[low + 1 : low + 1 + n] = rooms
        self._costs[low + 1 :] = costs + [c + delta for c in self._costs[low + 1 + n :]]
        self.cost = cost


DROPPED = 20
HEAT = 300
FAR = 0.4
NEAR = 8


def _closure(blockers) -> list[int]:
    """With each job, as bits, everything that must come before it."""
    found: list[int] = []
    for at, before in enumerate(blockers):
        bits = 1 << at
        for b in before:
            bits |= found[b]
        found.append(bits)
    return found


def _closure_back(blocks):
    found = [0] * len(blocks)
    for at in reversed(range(len(blocks))):
        bits = 1 << at
        for b in blocks[at]:
            bits |= found[b]
        found[at] = bits
    return found


def _least_costs(instance: Instance) -> list[int]:
    """What each job costs if nothing but its blockers is in its way."""
    ends: list[int | None] = [pieces[-1][1] if (pieces := instance.kept.get(at)) else None for at in range(len(instance.jobs))]
    costs = []
    for at, job in enumerate(instance.jobs):
        if at not in instance.kept:
            release = instance.release(at, ends)
            if release is not None:
                pieces = instance.room.copy().place(job.minutes, job.chunk, release, job.limit)
                ends[at] = pieces[-1][1] if pieces else None
        costs.append(instance.cost(job, ends[at]))
    return costs
