"""The cheapest schedule there is of a small problem, by trying everything, a slot at a time.

A state is what is left of each task, and which task is being worked on without a pause. It is
written from the rules: orders of tasks, rooms and gaps do not appear in it.
"""

from dataclasses import dataclass
from functools import cache


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


def optimum(tasks: tuple[SmallTask, ...], free: tuple[bool, ...]) -> int:
    """The least cost in slots: weight × (end + 10 × lateness), or × 20 horizons if left out."""
    horizon = len(free)
    left_out = sum(task.weight * 20 * horizon for task in tasks)

    def ready(left, at, slot):
        task = tasks[at]
        done = all(left[blocker] == 0 for blocker in task.blockers)
        return left[at] and done and slot >= task.release

    def saved(at, end):
        task = tasks[at]
        late = max(0, end - task.deadline) if task.deadline is not None else 0
        if task.hard and late:
            return None
        return task.weight * (20 * horizon - end - 10 * late)

    def may_stop(at, run, left):
        """Whether a task can pause after so many slots without one."""
        chunk = tasks[at].chunk
        return left[at] == 0 or bool(chunk and run >= chunk and left[at] >= chunk)

    @cache
    def most(slot, left, now, run):
        """The most that can be saved from a slot on; `now` has been worked on for `run` slots.

        None if what was begun cannot be ended as the rules want it.
        """
        if slot == horizon:
            complete = all(rest in {0, task.slots} for rest, task in zip(left, tasks, strict=True))
            return 0 if complete else None
        options = []
        if now is None or may_stop(now, run, left):
            options.append(most(slot + 1, left, None, 0))
        for at in range(len(tasks)) if free[slot] else ():
            goes_on = at == now
            if not ready(left, at, slot) or not (
                goes_on or now is None or may_stop(now, run, left)
            ):
                continue
            after = (*left[:at], left[at] - 1, *left[at + 1 :])
            gain = saved(at, slot + 1) if after[at] == 0 else 0
            rest = most(slot + 1, after, at, run + 1 if goes_on else 1)
            if gain is not None and rest is not None:
                options.append(gain + rest)
        found = [option for option in options if option is not None]
        return max(found, default=None)

    return left_out - most(0, tuple(task.slots for task in tasks), None, 0)
