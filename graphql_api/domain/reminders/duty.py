"""The duty of the dispatcher that tells what is due: each timer once, whoever comes first.

A timer is taken in the transaction that writes what it tells of, if its task is as it was read: a
process that ends anywhere loses none, and two of them tell nothing twice. A task that was moved,
done or deleted meanwhile has nothing to tell at that instant: its timer is only deleted.
"""

import random
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from graphql_api.domain.reminders.store import SHARDS, TimerStore
from graphql_api.domain.reminders.timers import Timer
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import Write
from graphql_api.infra.dynamodb import ConditionFailed

RUN_SECONDS = 5.0  # of one run, so that other duties have their turn


class TimerDuty:
    """Tells what is due, in the change feed."""

    def __init__(self, timers: TimerStore, tasks: TaskStore, interval: float) -> None:
        """`interval` are the seconds between two looks."""
        self._timers, self._tasks, self._interval = timers, tasks, interval

    def run(self, now: datetime) -> float:
        """Tell what is due; return the seconds until the next look, 0 if there is more."""
        end = time.monotonic() + RUN_SECONDS
        # Each process has its own order, so that they are seldom at the same timers.
        for shard in random.sample(range(SHARDS), SHARDS):
            for timers in self._timers.due(shard, now):
                self._tell(timers, now)
                if time.monotonic() > end:
                    return 0
        return self._interval

    def _tell(self, timers: Sequence[Timer], now: datetime) -> None:
        """Tell what some timers are for, and delete those that have nothing to tell."""
        found, idle = self._writes(timers, now)
        for timer in idle:
            self._timers.discard(timer)
        for group in self._tasks.transactions(found):
            self._carry_out(group, now)

    def _carry_out(self, group: Sequence[Write], now: datetime) -> None:
        """Carry out writes together; where one is refused, the others without it."""
        try:
            self._tasks.write(*group)
        except ConditionFailed:
            if len(group) == 1:
                return  # told by another process meanwhile, or else with the next look
            left = self._timers.still([timer for write in group for timer in write.claims])
            again, _ = self._writes(left, now)
            middle = (len(again) + 1) // 2
            for half in (again[:middle], again[middle:]):
                if half:
                    self._carry_out(half, now)

    def _writes(self, timers: Iterable[Timer], now: datetime) -> tuple[list[Write], list[Timer]]:
        """The writes by which timers tell what they are for, and the timers for nothing."""
        by_task: dict[tuple[str, str], list[Timer]] = {}
        for timer in timers:
            by_task.setdefault((timer.user_id, timer.task_id), []).append(timer)
        tasks = self._tasks.get_many(list(by_task))
        found, idle = [], []
        for key, its in by_task.items():
            write = writes.firing(tasks[key], its, now) if key in tasks else None
            if write:
                found.append(write)
            claimed = write.claims if write else ()
            idle += [timer for timer in its if timer not in claimed]
        return found, idle
