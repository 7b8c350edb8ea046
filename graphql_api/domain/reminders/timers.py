"""Timers: what a task owes to time, computed from its state. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Self

from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.reminders.model import Reminder
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
    are one. A due date that is reached is passed at the same instant; a due day when it has ended.
    """
    found: dict[datetime, tuple[ChangeKind, ...]] = {}
    for event, instant in _events(task):
        at, kind = _told(event, instant)
        known = found.get(at, ())
        found[at] = known if kind in known else (*known, kind)
    return found


@dataclass(frozen=True, slots=True)
class Relocation:
    """The effects on time of a task whose due day is moved to another time zone.

    `told` is what has come by that, and when. What was told before is not told again: it gets no
    timer.
    """

    told: tuple[tuple[datetime, ChangeKind], ...]
    gone: frozenset[datetime]  # of timers
    new: frozenset[datetime]

    @classmethod
    def of(cls, before: Task, after: Task, left: Collection[datetime], now: datetime) -> Self:
        """The effects; `left` are the timers that are still there: of what was not told."""
        was, will = dict(_events(before)), dict(_events(after))
        moving = {event for event in will if will[event] != was[event]}
        owed = [event for event in moving if was[event] in left]
        staying = {at for event, at in will.items() if event not in moving}
        gone, new = {was[event] for event in owed}, {will[event] for event in owed}
        return cls(
            told=tuple(sorted(_told(event, will[event]) for event in owed if will[event] <= now)),
            gone=frozenset(gone - new - staying),
            new=frozenset({at for at in new if at > now} - staying),
        )


def _told(event: Reminder | ChangeKind, at: datetime) -> tuple[datetime, ChangeKind]:
    return at, ChangeKind.REMINDER if isinstance(event, Reminder) else event


def _events(task: Task | None) -> Iterator[tuple[Reminder | ChangeKind, datetime]]:
    """Yield what is to be told of a task, in this order, each with its instant."""
    if task is None or not task.open or not (task.due_begin or task.reminders):
        return
    bases = task.reminder_bases
    for reminder in task.reminders:
        if instant := reminder.instant(bases):
            yield reminder, instant
    if task.due_begin and task.deadline:
        yield ChangeKind.TASK_DUE, task.due_begin
        yield ChangeKind.TASK_OVERDUE, task.deadline


def _to_come(task: Task | None, now: datetime) -> set[datetime]:
    return {at for at in alarms(task) if at > now}
