"""Writes of tasks: each is a state before, one after, and the changes that tell of it. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from graphql_api import ids
from graphql_api.domain.changes.model import SYSTEM, Actor, Change, ChangeKind
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.reminders.timers import Relocation, Timer, alarms
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.infra.dynamodb import codec
from graphql_api.infra.dynamodb.codec import Raw

DERIVED = {
    *("updated_at", "completed_at", "version", "series_id", "change_id"),
    *("due_day", "child_ids", "running_since"),
}
"""Fields that nobody sets: no change names them, and none is taken back."""

RECURRENCE = "recurrence"
"""The name that a change has for the series of a task."""

BLOCKED_BY, BLOCKS = "blocked_by", "blocks"
"""The names that a change has for the task's places among the dependencies."""

BELOW = "below"
"""The name that a deletion or a completion has for those of the tasks below, undone with it."""

REQUEST = "request"
"""The name that a completion below another task has for the request which has asked for both."""

_FIELDS = tuple(field.name for field in fields(Task))
_GIVEN = (*(name for name in _FIELDS if name not in DERIVED), RECURRENCE)
_KEPT = [name for name in _FIELDS if name not in DERIVED or name == "completed_at"]


@dataclass(frozen=True, slots=True)
class Write:
    """One write of one task: no state before it creates the task, none after it deletes it.

    Of what time brings nothing but the task's last change is written: its version stays.
    """

    before: Task | None
    after: Task | None
    change: Change
    more: tuple[Change, ...] = ()  # which the same write tells of, after that one
    claims: tuple[Timer, ...] = ()  # that it takes, or else is not carried out

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes that it tells of, in their order."""
        return (self.change, *self.more)

    @property
    def result(self) -> Task:
        """The task as it is after the write, or was before it was deleted."""
        task = self.after or self.before
        assert task is not None  # noqa: S101  # nosec B101 - one of the two is there by construction
        return task


def creation(
    task: Task, given: Collection[str], actor: Actor, now: datetime, follows: str | None = None
) -> Write:
    """The write that creates a task of which these fields were given; told after a change."""
    change = replace(
        _change(task, ChangeKind.TASK_CREATED, follows, actor, now),
        fields=tuple(name for name in (*_GIVEN, BLOCKED_BY) if name in given),
        previous=None,
    )
    return Write(None, replace(task, change_id=change.change_id), change)


def edit(
    before: Task,
    after: Task,
    actor: Actor,
    now: datetime,
    undoes: str | None = None,
    below: Sequence[str] = (),
) -> Write:
    """The write that puts a task's next state in the place of the one before.

    `below` are the changes that have completed tasks below it for that.
    """
    named, values = _differences(before, after)
    if below:
        values = Raw({**values, **codec.item(**{BELOW: tuple(below)})})
    done = after.completed and not before.completed
    kind = ChangeKind.TASK_COMPLETED if done else ChangeKind.TASK_UPDATED
    return _following(before, after, kind, named, values, actor, now, undoes)


def completion_below(before: Task, actor: Actor, now: datetime, request: str) -> Write:
    """The write that completes a task for one above it, which a request completes after it."""
    after = before.edit({"status": TaskStatus.COMPLETED}, now)
    write = edit(before, after, actor, now)
    named = Raw({**write.change.before, **codec.item(**{REQUEST: (request,)})})
    return replace(write, change=replace(write.change, before=named))


def recurring(before: Task, after: Task, actor: Actor, now: datetime) -> Write:
    """The write by which a task comes again from now on, by another rule, or no more.

    With a field that is changed beside it, that is told, too.
    """
    named, values = _differences(before, after)
    kind = ChangeKind.TASK_UPDATED
    return _following(before, after, kind, (*named, RECURRENCE), values, actor, now)


def handing_over(write: Write, blockers: tuple[str, ...]) -> Write:
    """The write that closes an occurrence, some of whose blockers block the next one instead.

    That is no edit of a field, and is not taken back as one; yet the past has these blockers.
    """
    before = Raw({**write.change.before, **codec.item(**{BLOCKED_BY: blockers})})
    return replace(write, change=replace(write.change, before=before))


def of_series(
    task: Task, kind: ChangeKind, series_id: str, names: Iterable[str], actor: Actor, now: datetime
) -> Write:
    """The write that tells what becomes of a series, by its current task, which stays as it is."""
    write = _following(task, task, kind, names, Raw(), actor, now)
    return replace(write, change=replace(write.change, series_id=series_id))


def beside_series(
    write: Write,
    kind: ChangeKind,
    series_id: str,
    names: Iterable[str],
    actor: Actor,
    now: datetime,
) -> Write:
    """The write of a task, which also tells what becomes of its series."""
    told = replace(write.result, change_id=write.changes[-1].change_id)
    more = of_series(told, kind, series_id, names, actor, now)
    return replace(write, after=write.after and more.after, more=(*write.more, more.change))


def after_end_of_series(write: Write, series_id: str, actor: Actor, now: datetime) -> Write:
    """The write that closes or deletes a task, told after the end of its series.

    So the last change of the task is still what its user did to it, and can be undone.
    """
    task = write.before or write.result
    ended = of_series(task, ChangeKind.SERIES_ENDED, series_id, (), actor, now).change
    change_id = ids.id_after(now, ended.change_id)
    change = replace(write.change, change_id=change_id, previous=ended.change_id)
    after = write.after and replace(write.after, change_id=change_id)
    return replace(write, after=after, change=change, more=(*write.more, ended))


def linking(
    task: Task,
    before: Dependencies,
    actor: Actor,
    now: datetime,
    undoes: str | None = None,
) -> Write:
    """The write that changes what blocks a task; the task itself stays as it is."""
    blockers = Raw(codec.item(**{BLOCKED_BY: before.blockers_of(task.task_id)}))
    kind = ChangeKind.TASK_UPDATED
    return _following(task, task, kind, (BLOCKED_BY,), blockers, actor, now, undoes)


def deletion(
    task: Task,
    dependencies: Dependencies,
    actor: Actor,
    now: datetime,
    below: Sequence[str] = (),
) -> Write:
    """The write that deletes a task; its change keeps the task and what it blocked.

    `below` are the changes that have deleted the tasks below it, the uppermost first.
    """
    links = {
        BLOCKED_BY: dependencies.blockers_of(task.task_id),
        BLOCKS: dependencies.blocked_by(task.task_id),
    }
    kept = {**links, BELOW: tuple(below)} if below else links
    whole = Raw({**codec.encode(task), **codec.item(**kept)})
    written = _following(task, task, ChangeKind.TASK_DELETED, (), whole, actor, now)
    return replace(written, after=None)


def restoration(task: Task, deleted: Change, actor: Actor, now: datetime) -> Write:
    """The write that brings a deleted task back."""
    change = replace(
        _change(task, ChangeKind.TASK_CREATED, deleted.change_id, actor, now),
        undoes=deleted.change_id,
    )
    return Write(None, replace(task, change_id=change.change_id), change)


def firing(task: Task, timers: Sequence[Timer], now: datetime) -> Write:
    """The write that tells what is due by these timers of a task, the earliest first."""
    due = alarms(task)
    after, changes = _telling(task, [(t.at, kind) for t in timers for kind in due[t.at]], now)
    return Write(task, after, changes[0], changes[1:], tuple(timers))


@dataclass(frozen=True, slots=True)
class Move:
    """A write that moves the due day of a task to another time zone: its version stays."""

    before: Task
    after: Task
    changes: tuple[Change, ...]  # what has come by that
    gone: tuple[Timer, ...]
    new: tuple[Timer, ...]


def move(task: Task, timezone: str, left: Collection[datetime], now: datetime) -> Move:
    """The write that moves a due day to a time zone; `left` as in `Relocation.of`."""
    located = task.located(timezone)
    effects = Relocation.of(task, located, left, now)
    after, changes = _telling(located, effects.told, now)
    gone, new = (
        tuple(Timer(at, after.user_id, after.task_id, after.change_id) for at in instants)
        for instants in (effects.gone, effects.new)
    )
    return Move(task, after, changes, gone, new)


def _telling(
    task: Task, told: Iterable[tuple[datetime, ChangeKind]], now: datetime
) -> tuple[Task, tuple[Change, ...]]:
    """The task after changes that time brings, and these changes."""
    changes = list[Change]()
    for at, kind in told:
        late = max(0, int((now - at).total_seconds()))
        change = replace(_change(task, kind, task.change_id, SYSTEM, now), late_seconds=late)
        changes.append(change)
        task = replace(task, change_id=change.change_id)
    return task, tuple(changes)


def states(change: Change, task: Task | None) -> list[Task]:
    """The states that a change tells of: of the task as it is now, and before the change.

    Of one that is gone, only its deletion knows a state.
    """
    if change.kind is ChangeKind.TASK_DELETED:
        return [codec.decode(Task, change.before)]
    if task is None:
        return []
    names = [name for name in change.fields if name in _FIELDS]
    if change.kind is ChangeKind.TASK_CREATED or not names:
        return [task]
    return [task, replace(task, **codec.values(Task, change.before, names))]


def _differences(before: Task, after: Task) -> tuple[tuple[str, ...], Raw]:
    """The names of the fields that differ and can be set, and the values before of all that do."""
    changed = [name for name in _KEPT if getattr(before, name) != getattr(after, name)]
    return tuple(name for name in changed if name not in DERIVED), codec.some(before, changed)


def _following(
    before: Task,
    after: Task,
    kind: ChangeKind,
    names: Iterable[str],
    values: Raw,
    actor: Actor,
    now: datetime,
    undoes: str | None = None,
) -> Write:
    """A write of a task that is there, whose change follows the task's last one."""
    change = replace(
        _change(after, kind, before.change_id, actor, now),
        fields=tuple(names),
        before=values,
        undoes=undoes,
    )
    return Write(before, replace(after, change_id=change.change_id), change)


def _change(
    task: Task, kind: ChangeKind, previous: str | None, actor: Actor, now: datetime
) -> Change:
    """A change of a task that follows another one, and changes no field."""
    return Change(
        user_id=task.user_id,
        change_id=ids.id_after(now, previous),
        kind=kind,
        task_id=task.task_id,
        version=task.version,
        fields=(),
        before=Raw(),
        actor=actor,
        previous=previous,
    )
