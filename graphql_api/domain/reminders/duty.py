"""The duty of the dispatcher that tells what is due: each timer once, whoever comes first.

A timer is taken in the transaction that writes what it tells of, if its task is as it was read: a
process that ends anywhere loses none, and two of them tell nothing twice. A task that was moved,
done or deleted meanwhile has nothing to tell at that instant: its timer is only deleted.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.reminders.store import SHARDS, TimerStore
from graphql_api.domain.reminders.timers import Timer, alarms
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import MAX_ACTIONS, TaskStore
from graphql_api.domain.tasks.writes import firing
from graphql_api.infra.concurrency.deadline import clear_deadline, set_deadline
from graphql_api.infra.dynamodb import ConditionFailed

RUN_SECONDS = 5.0  # of one run, so that other duties have their turn


@dataclass(frozen=True, slots=True)
class Debt:
    """The debt of a task: it has to be told by these timers."""

    task: Task
    timers: tuple[Timer, ...]

    @property
    def actions(self) -> int:
        """The number of actions that tell it: the task, and each timer with its changes."""
        due = alarms(self.task)
        return 1 + sum(1 + len(due[timer.at]) for timer in self.timers)


class TimerDuty:
    """Tells what is due, in the change feed."""

    def __init__(
        self,
        timers: TimerStore,
        tasks: TaskStore,
        interval: float,
        now: Callable[[], datetime],
    ) -> None:
        """`interval` are the seconds between two looks."""
        self._timers, self._tasks = timers, tasks
        self._interval, self._now = interval, now

    def run(self, now: datetime) -> float:
        """Tell what is due; return the seconds until the next look, 0 if there is more."""
        end = time.monotonic() + RUN_SECONDS
        # Each process has its own order, so that they are seldom at the same timers.
        for shard in random.sample(range(SHARDS), SHARDS):
            for timers in self._timers.due(shard, now):
                for group in self._groups(timers):
                    self._tell(group)
                    if time.monotonic() > end:
                        return 0
        return self._interval

    def stop(self, seconds: float) -> None:
        """Do nothing: it has no threads."""

    def _tell(self, group: Sequence[Debt]) -> None:
        """Tell of some tasks together; where one is refused, of the others without it.

        Changes get their ids here, and are committed within the time of a request, or not at all:
        readers do not wait for them any longer (`changes.model`).
        """
        now = self._now()
        set_deadline()
        try:
            self._tasks.write(*(firing(each.task, each.timers, now) for each in group))
        except ConditionFailed:
            clear_deadline()
            if len(group) == 1:
                return  # another process has told it, or else the next look does
            left = self._timers.still([timer for each in group for timer in each.timers])
            again = self._debts(left)
            middle = (len(again) + 1) // 2
            for half in (again[:middle], again[middle:]):
                if half:
                    self._tell(half)
        finally:
            clear_deadline()

    def _groups(self, timers: Iterable[Timer]) -> Iterator[list[Debt]]:
        """The debts by some timers, in groups that fit into one transaction each."""
        group: list[Debt] = []
        size = 0
        for debt in self._debts(timers):
            if size + debt.actions > MAX_ACTIONS:
                yield group
                group, size = [], 0
            group.append(debt)
            size += debt.actions
        if group:
            yield group

    def _debts(self, timers: Iterable[Timer]) -> list[Debt]:
        """The debts of tasks by some timers; those for nothing are deleted."""
        by_task: dict[tuple[str, str], list[Timer]] = {}
        for timer in timers:
            by_task.setdefault((timer.user_id, timer.task_id), []).append(timer)
        tasks = self._tasks.get_many(list(by_task))
        debts = []
        for key, its in by_task.items():
            owed = alarms(tasks.get(key))
            due = tuple(timer for timer in sorted(its, key=_instant) if timer.at in owed)
            if due:
                debts.append(Debt(tasks[key], due))
            for timer in its:
                if timer.at not in owed:
                    self._timers.discard(timer)
        return debts


def _instant(timer: Timer) -> datetime:
    return timer.at
