"""Reminders of a task and their rules. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum

from graphql_api.domain.records import immutable
from graphql_api.errors import BadUserInput

MAX_REMINDERS = 10  # of a task
MAX_MINUTES_BEFORE = 366 * 24 * 60  # a year

REMINDERS, AT, MINUTES_BEFORE = "reminders", "at", "minutes_before"


class ReminderBase(Enum):
    """The instant of a task before which it reminds."""

    DUE = "due"
    PLANNED_START = "planned_start"


Bases = Mapping[ReminderBase, datetime | None]  # the instants that a task has


@immutable
class Reminder:
    """A reminder: at an instant, or so many minutes before an instant of the task."""

    at: datetime | None = None
    minutes_before: int | None = None
    base: ReminderBase | None = None  # of minutes

    def instant(self, bases: Bases) -> datetime | None:
        """The instant at which it reminds; None while the task has no such instant."""
        if self.base is None or self.minutes_before is None:
            return self.at
        base = bases[self.base]
        return base and _earlier(base, self.minutes_before)


def _earlier(instant: datetime, minutes: int) -> datetime | None:
    try:
        return instant - timedelta(minutes=minutes)
    except OverflowError:  # before the year 1
        return None


def checked(field: str, reminders: Iterable[Reminder]) -> tuple[Reminder, ...]:
    """The reminders of a task as it keeps them: each once. Raises BadUserInput."""
    kept = {_checked(field, index, each): None for index, each in enumerate(reminders)}
    if len(kept) > MAX_REMINDERS:
        raise BadUserInput(f"A task must have at most {MAX_REMINDERS} reminders.", field)
    return tuple(kept)


def check_new(
    before: Iterable[Reminder], after: Iterable[Reminder], bases: Bases, now: datetime
) -> None:
    """Raise BadUserInput for a reminder that is new and would never remind."""
    known = set(before)
    for index, reminder in enumerate(after):
        if reminder in known:
            continue
        at = AT if reminder.base is None else MINUTES_BEFORE
        instant = reminder.instant(bases)
        if instant is None:
            _refuse("The task has no such instant to remind before.", REMINDERS, index, at)
        elif instant <= now:
            _refuse("A reminder must be in the future.", REMINDERS, index, at)


def _checked(field: str, index: int, reminder: Reminder) -> Reminder:
    minutes = reminder.minutes_before
    if minutes is None:
        if reminder.at is None:
            _refuse("A reminder needs an instant, or minutes before one.", field, index, AT)
        return Reminder(at=reminder.at)
    if reminder.at is not None:
        message = "A reminder has an instant, or minutes before one, not both."
        _refuse(message, field, index, MINUTES_BEFORE)
    if not 0 <= minutes <= MAX_MINUTES_BEFORE:
        message = f"A reminder must be 0 to {MAX_MINUTES_BEFORE} minutes before."
        _refuse(message, field, index, MINUTES_BEFORE)
    return Reminder(minutes_before=minutes, base=reminder.base or ReminderBase.DUE)


def _refuse(message: str, field: str, index: int, member: str) -> None:
    raise BadUserInput(message, (field, index, member))
