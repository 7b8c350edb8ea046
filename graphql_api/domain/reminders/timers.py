"""Timers: what a task owes to time, computed from its state. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.tasks.model import Task

Alarms = Mapping[datetime, tuple[ChangeKind, ...]]
"""The kinds of changes that are due of a task, by their instants."""


@dataclass(frozen=True, slots=True)
class Timer:
    """An instant of a task; `change_id` is that of the write that has set it."""

    at: datetime
    user_id: str
    task_id: str
    change_id: str | None


def moved(before: Task | None, after: Task | None, now: datetime) -> tuple[set[Timer], set[Timer]]:
    """The timers to delete and those to set when a task is written: those of instants to come.

    What is due already is left to the dispatcher, who looks at the task.
    """
    had, has = (_to_come(task, now) for task in (before, after))
    task = after or before
    if task is None or had == has:
        return set(), set()
    at_task = partial(Timer, user_id=task.user_id, task_id=task.task_id, change_id=task.change_id)
    return {at_task(at) for at in had - has}, {at_task(at) for at in has - had}


def timers(task: Task) -> list[Timer]:
    """All timers that a task may have."""
    return [Timer(at, task.user_id, task.task_id, task.change_id) for at in alarms(task)]


def alarms(task: Task | None) -> Alarms:
    """Return what is to be told of a task: nothing once it is closed, or if there is none.

    A reminder comes before the due date of the same instant, and two reminders of one instant
    are one. A due date that is reached is passed at the same instant.
    """
    if task is None or not task.open or not (task.due_at or task.reminders):
        return {}
    bases = task.reminder_bases
    found: dict[datetime, tuple[ChangeKind, ...]] = {}
    for reminder in task.reminders:
        if instant := reminder.instant(bases):
            found[instant] = (ChangeKind.REMINDER,)
    if task.due_at:
        due = (ChangeKind.TASK_DUE, ChangeKind.TASK_OVERDUE)
        found[task.due_at] = (*found.get(task.due_at, ()), *due)
    return found


def _to_come(task: Task | None, now: datetime) -> set[datetime]:
    return {at for at in alarms(task) if at > now}
