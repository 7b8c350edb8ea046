"""Moves the due days of whoever moves to another time zone, whatever crashes; or of everybody.

The request that changes the zone stores a durable job in the same transaction. It then works for a
moment, which is enough for most users; else the dispatcher goes on. A day has its instants in its
task, so lists and timers are right when the task is written. Who writes a task meanwhile checks
that the zone is the one that was read, or finds the task changed.

When the data of time zones has changed, an operator has all days written anew.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import datetime

from graphql_api.domain.jobs import JobDuty, Jobs
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.reminders.timers import timers
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import move
from graphql_api.infra.dynamodb import ConditionFailed, Database, Put

PAGE = 1_000  # tasks that are read at a time


class Relocations(JobDuty):
    """Moves due days to another time zone, in requests and as a duty of the dispatcher."""

    def __init__(
        self,
        database: Database,
        tasks: TaskStore,
        now: Callable[[], datetime],
        interval: float = 5.0,
    ) -> None:
        super().__init__(Jobs(database, "relocation"), now, interval)
        self._settings, self._timers = SettingsStore(database), TimerStore(database)
        self._tasks = tasks

    def begin(self, settings: Settings, now: datetime) -> Put:
        """Schedule the move to a new zone; return the write that makes it durable."""
        return self.schedule(_job_id(settings), now)

    def finish(self, settings: Settings) -> bool:
        """Do in a request what a moment is enough for; return whether that was all."""
        return self.work_briefly(_job_id(settings))

    def work(self, job_id: str, seconds: float) -> bool:
        """Move days for some seconds, until a whole pass has found none to move."""
        user_id, end = job_id.partition("#")[0], time.monotonic() + seconds
        is_settled = False
        while not is_settled:
            is_settled = True
            zone = self._settings.get(user_id).timezone
            for task in self._tasks.due_on_days(user_id):
                if _is_displaced(task, zone):
                    if self._is_over(end):
                        return False
                    is_settled = False
                    self._move(task, zone)
        return True

    def renew(self) -> int:
        """Move all users' days to where this process's data of time zones has them.

        Returns how many these were.
        """
        count = 0
        for tasks, _ in self._tasks.scan(PAGE):
            for task in tasks:
                if task.due_day and _is_displaced(task, task.due_day.timezone):
                    self._move(task, task.due_day.timezone)
                    count += 1
        return count

    def _move(self, task: Task, zone: str) -> None:
        """Move one day; if its task is changed meanwhile, the next pass does it."""
        left = {timer.at for timer in self._timers.still(timers(task))}
        with contextlib.suppress(ConditionFailed):
            self._tasks.move(move(task, zone, left, self._now()))


def _is_displaced(task: Task, zone: str) -> bool:
    """Tell whether the due day of a task has other instants than it has in a time zone."""
    return task.due_day != task.located(zone).due_day


def _job_id(settings: Settings) -> str:
    """The id of a job, another one for each change of settings: none ends that of a later one."""
    return f"{settings.user_id}#{settings.version}"
