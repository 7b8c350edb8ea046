"""The cheapest schedule there is of a small problem, by trying everything, a slot at a time.

A state is what is left of each task, and which task is being worked on without a pause. It is
written from the rules: orders of tasks, rooms and gaps do not appear in it.
"""

from dataclasses import dataclass
from functools import cache

DAY = 48  # slots


@dataclass(frozen=True)
class SmallTask:
    """All times are in slots; `chunk` 0 is never split, `deadline` None is no deadline."""

    slots: int
    weight: int
    chunk: int = 0
    release: int = 0
    deadline: int | None = None
    hard: bool = False
    blockers: tuple[int, ...] = ()

    def left_out(self, horizon: int) -> int:
        """The cost of leaving it out: see `docs/planning.md`."""
        hard = 4 if self.hard and self.deadline is not None else 1
        return 10**9 * (100 * self.weight**2 * hard * self.slots + self.weight * horizon)

    def saved(self, end: int, horizon: int) -> int | None:
        """What its end then saves of the cost of leaving it out; None if it must not end then."""
        deadline = end + horizon if self.deadline is None else self.deadline
        late, tight = max(0, end - deadline), max(0, end - max(0, deadline - DAY))
        if self.hard and late:
            return None
        cost = self.weight * (10**9 * late + 1000 * tight) + self.weight**2 * end
        return self.left_out(horizon) - cost

    def may_pause(self, run: int, left: int) -> bool:
        """Whether it can pause after so many slots without a pause."""
        return left == 0 or (bool(self.chunk) and min(run, left) >= self.chunk)


def optimum(tasks: tuple[SmallTask, ...], free: tuple[bool, ...]) -> int:
    """The least cost in slots, as `docs/planning.md` counts it."""
    horizon = len(free)

    def startable(slot, left):
        for at, task in enumerate(tasks):
            done = all(left[blocker] == 0 for blocker in task.blockers)
            if free[slot] and left[at] and done and slot >= task.release:
                yield at

    @cache
    def most(slot, left, now, run):
        """The most that can be saved from a slot on; `now` has been worked on for `run` slots.

        None if what was begun cannot be ended as the rules want it.
        """
        if slot == horizon:
            complete = all(rest in {0, task.slots} for rest, task in zip(left, tasks, strict=True))
            return 0 if complete else None
        may_change = now is None or tasks[now].may_pause(run, left[now])
        options = [(0, most(slot + 1, left, None, 0))] if may_change else []
        for at in startable(slot, left):
            if may_change or at == now:
                after = (*left[:at], left[at] - 1, *left[at + 1 :])
                saved = 0 if after[at] else tasks[at].saved(slot + 1, horizon)
                options.append((saved, most(slot + 1, after, at, run + 1 if at == now else 1)))
        return max((s + m for s, m in options if s is not None and m is not None), default=None)

    left_out = sum(task.left_out(horizon) for task in tasks)
    return left_out - most(0, tuple(task.slots for task in tasks), None, 0)
