"""The task: its fields, and the rules of its changes. Pure."""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from graphql_api import clock
from graphql_api.domain.blocks import model as blocks
from graphql_api.domain.blocks.model import BlockState, PlannedBlock
from graphql_api.domain.due_days.model import DueDay, checked_day, with_one_due
from graphql_api.domain.records import (
    REQUIRED,
    checked_id,
    derived,
    encoded,
    immutable,
    internal,
    rules_of,
    writable,
)
from graphql_api.domain.reminders.model import Bases, Reminder, ReminderBase, check_new
from graphql_api.domain.reminders.model import checked as checked_reminders
from graphql_api.domain.subtasks.positions import checked_position, last_position
from graphql_api.domain.text import comparable, is_invisible
from graphql_api.errors import FIELD, BadUserInput, Conflict, Path, named
from graphql_api.ids import new_id
from graphql_api.infra.dynamodb.codec import Raw

MAX_TITLE_LENGTH = 200  # characters, without surrounding space
MAX_DESCRIPTION_BYTES = 32 * 1024  # of UTF-8
MAX_TAGS = 20
MAX_TAG_LENGTH = 50  # characters, without surrounding space
MAX_SCHEDULE_LENGTH = 50  # characters, without surrounding space
MAX_MINUTES = 14_400  # ten days, of a task or of a piece of it
MIN_LONGEST = 15  # minutes of the longest piece of a task
MAX_PIECES = 50  # of a task with a longest piece
MAX_SPENT = 600_000  # minutes, ten thousand hours
MAX_TIMER = 12 * 60  # minutes that a timer counts: one that runs longer was forgotten
MAX_VERSION = 2**31 - 1  # the largest Int of GraphQL


class TaskStatus(Enum):
    """The status of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OPEN = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)


class TaskPriority(Enum):
    """The priority of a task."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class DeadlineType(Enum):
    """The meaning of a due date for the planner."""

    HARD = "hard"
    SOFT = "soft"


def _title(field: str, text: str) -> str:
    title = text.strip()
    if not 1 <= len(title) <= MAX_TITLE_LENGTH:
        raise BadUserInput(f"A title must have 1 to {MAX_TITLE_LENGTH} characters.", field)
    return title


def _description(field: str, text: str) -> str:
    if len(text.encode()) > MAX_DESCRIPTION_BYTES:
        raise BadUserInput(f"A description must have at most {MAX_DESCRIPTION_BYTES} bytes.", field)
    return text


def _tags(field: str | Path, texts: Iterable[str]) -> tuple[str, ...]:
    stripped = [tag.strip() for tag in texts]
    first = {comparable(tag): tag for tag in reversed(stripped)}
    tags = tuple(first[key] for key in dict.fromkeys(map(comparable, stripped)))
    if len(tags) > MAX_TAGS:
        raise BadUserInput(f"A task must have at most {MAX_TAGS} tags.", field)
    if not all(1 <= len(tag) <= MAX_TAG_LENGTH for tag in tags):
        raise BadUserInput(f"A tag must have 1 to {MAX_TAG_LENGTH} characters.", field)
    return tags


def tag(field: str | Path, text: str) -> str:
    """Return a tag as tasks have it. Raises BadUserInput."""
    [tag] = _tags(field, [text])
    if is_invisible(tag):
        raise BadUserInput("A tag must have a visible character.", field)
    return tag


def _other_id(field: str, text: str | None) -> str | None:
    return None if text is None else checked_id(field, text)


def schedule_name(field: str, text: str) -> str:
    """Return the name of a schedule as it is kept. Raises BadUserInput."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_SCHEDULE_LENGTH or is_invisible(name):
        raise BadUserInput(
            f"The name of a schedule must have 1 to {MAX_SCHEDULE_LENGTH} characters.", field
        )
    return name


def _schedule(field: str, text: str | None) -> str | None:
    return None if text is None else schedule_name(field, text)


def _position(field: str, text: str) -> str:
    return text and checked_position(field, text)


@immutable
class Task:
    """Something a user plans to do. Methods that change it return the next state.

    A field is declared here once: how it is written, stored, exported and imported derives from
    its type and its rules.
    """

    task_id: str = derived()
    user_id: str = derived()
    title: str = writable(_title, bounds=(1, MAX_TITLE_LENGTH))
    description: str = writable(_description, initial="", clearable=True)
    status: TaskStatus = writable(initial=TaskStatus.PENDING)
    priority: TaskPriority = writable(initial=TaskPriority.MEDIUM)
    due_at: datetime | None = writable(initial=None)
    tags: tuple[str, ...] = writable(_tags, initial=(), clearable=True)
    created_at: datetime = derived()
    updated_at: datetime = derived()
    completed_at: datetime | None = derived()
    version: int = derived()
    duration_minutes: int | None = writable(bounds=(0, MAX_MINUTES), default=None)
    not_before: datetime | None = writable(default=None)
    deadline_type: DeadlineType = writable(default=DeadlineType.SOFT)
    min_chunk_minutes: int = writable(bounds=(0, MAX_MINUTES), default=0)  # 0: never split
    max_chunk_minutes: int | None = writable(bounds=(MIN_LONGEST, MAX_MINUTES), default=None)
    planned_start: datetime | None = writable(default=None)
    planned_end: datetime | None = writable(default=None)
    reminders: tuple[Reminder, ...] = writable(checked_reminders, default=(), clearable=True)
    project_id: str | None = writable(_other_id, default=None)
    due_on: date | None = writable(checked_day, default=None)
    due_day: DueDay | None = internal(default=None)  # of `due_on`, where the user lives
    spent_minutes: int = derived(default=0)
    running_since: datetime | None = derived(default=None)  # as its timer was started
    planned_blocks: Raw | None = encoded()  # by number; none of a task that was planned by hand
    parent_id: str | None = writable(_other_id, default=None)
    schedule: str | None = writable(_schedule, default=None)  # of the settings, by name
    position: str = writable(_position, default="")  # empty: as it was created
    child_ids: tuple[str, ...] = internal(default=())  # of its subtasks, in no order
    series_id: str | None = internal(default=None)  # of the series that it is an occurrence of
    change_id: str | None = internal(default=None)  # of the task's last change in the feed

    @classmethod
    def new(
        cls,
        user_id: str,
        values: Mapping[str, Any],
        now: datetime,
        *,
        timezone: str | None = None,
    ) -> "Task":
        """A new task; a field that is absent or None gets its initial value.

        A due day needs the time zone of its user. Raises BadUserInput.
        """
        given = with_one_due(values)
        present = {name: value for name, value in given.items() if value is not None}
        fields = {**_INITIAL, **_checked({"title": "", **present})}
        created = clock.milliseconds(now)
        task = cls(
            task_id=new_id(now),
            user_id=user_id,
            **fields,
            created_at=created,
            updated_at=created,
            completed_at=created if fields["status"] is TaskStatus.COMPLETED else None,
            version=1,
        )
        task = task.located(timezone)
        _check_planned_times(task)
        _check_change(None, task)
        check_new((), task.reminders, task.reminder_bases, now)
        return task

    @classmethod
    def from_import(
        cls, user_id: str, values: Mapping[str, Any], *, timezone: str | None = None
    ) -> "Task":
        """A task as it was exported, with its id, times and version; `timezone` as for a new one.

        Its timer stands still, since another task's may run.

        Raises BadUserInput, but not for rules that are younger than release 0.1.0: whatever a
        release has exported can be imported.
        """
        stored = cls(user_id=user_id, **_checked(values)).located(timezone)
        task = replace(stored, running_since=None)
        with_one_due({"due_at": task.due_at, "due_on": task.due_on})
        checked_id("task_id", task.task_id)
        if task.completed is (task.completed_at is None):
            raise BadUserInput(f"{FIELD} must be set for completed tasks only.", "completed_at")
        if not 1 <= task.version <= MAX_VERSION:
            raise BadUserInput(f"{FIELD} must be from 1 to {MAX_VERSION}.", "version")
        _check_planned_times(task)
        _check_longest_piece(task, RULES)
        return task

    def edit(
        self,
        values: Mapping[str, Any],
        now: datetime,
        *,
        timezone: str | None = None,
        undoing: bool = False,
    ) -> "Task":
        """The task with these values; None clears a field that can be empty.

        A due date replaces a due day, and the other way round; another due day needs the time zone
        of its user. A timer runs only as long as the task is in progress. New reminders have to be
        in the future, unless they are old ones that come back by `undoing` something. Returns the
        same object, of the same version, if nothing changes. Raises BadUserInput.
        """
        after = replace(self, **_checked(_cleared(with_one_due(values))))
        if after == self:
            return self
        if after.due_on != self.due_on:
            after = after.located(timezone)
        if after.status is not TaskStatus.IN_PROGRESS:
            after = after.stopped(now)
        if not undoing:
            after = _with_its_blocks(self, after, now)
        _check_planned_times(after)
        _check_change(self, after)
        if not undoing:
            check_new(self.reminders, after.reminders, after.reminder_bases, now)
        at = clock.milliseconds(now)
        if after.status is not self.status:
            after = replace(after, completed_at=at if after.completed else None)
        return replace(after, updated_at=at, version=self.version + 1)

    def placed(self, pieces: Iterable[PlannedBlock]) -> "Task":
        """The task with these planned blocks in the place of its own, and the span they have."""
        kept = blocks.by_time(pieces)
        if kept == self.pieces:
            return self
        start, end = blocks.outer_span(kept)
        stored = blocks.encoded(kept)
        return replace(self, planned_start=start, planned_end=end, planned_blocks=stored)

    def marked(self, block: PlannedBlock, state: BlockState) -> "Task":
        """The task with another state of a block.

        One that is marked as done was worked through, but no longer than what was left to do.
        """
        if block.state is state:
            return self
        left = block.minutes if self.remaining_minutes is None else self.remaining_minutes
        counted = min(block.minutes, left) if state is BlockState.DONE else 0
        others = [each for each in self.pieces if each != block]
        after = self.placed([*others, replace(block, state=state, counted=counted)])
        spent = self.spent_minutes - block.counted + counted
        return replace(after, spent_minutes=min(max(spent, 0), MAX_SPENT))

    def started(self, now: datetime) -> "Task":
        """The task with its timer running. Raises Conflict if it is closed."""
        if not self.open:
            raise Conflict(f"This task is {self.status.value} already.", field="id")
        if self.running_since:
            return self
        since = clock.milliseconds(now)
        return replace(self, running_since=since, status=TaskStatus.IN_PROGRESS)

    def stopped(self, now: datetime) -> "Task":
        """The task with its timer stopped, and its minutes logged, as far as they count."""
        if self.running_since is None:
            return self
        elapsed = int((now - self.running_since).total_seconds()) // 60
        minutes = max(0, min(elapsed, MAX_TIMER, MAX_SPENT - self.spent_minutes))
        return replace(self.logged(minutes, clock.milliseconds(now)), running_since=None)

    def logged(self, minutes: int, until: datetime) -> "Task":
        """The task with minutes of work that ended at an instant; less than none correct others.

        Blocks that they fill by half are done. Raises BadUserInput.
        """
        spent = self.spent_minutes + minutes
        if not 0 <= spent <= MAX_SPENT:
            message = (
                f"All work on a task has 0 to {MAX_SPENT:,} minutes, and would have {spent:,}."
            )
            raise BadUserInput(message, "minutes")
        if not minutes:
            return self
        since = until - timedelta(minutes=max(0, minutes))
        after = self.placed(block.worked(since, until) for block in self.pieces)
        return replace(after, spent_minutes=spent)

    def touched(self, now: datetime) -> "Task":
        """The task after a change that is none of its own fields."""
        return replace(self, updated_at=clock.milliseconds(now), version=self.version + 1)

    def located(self, timezone: str | None) -> "Task":
        """The task with its due day in a time zone. Raises ValueError for one without a zone."""
        if self.due_on is None:
            return replace(self, due_day=None) if self.due_day else self
        if timezone is None:
            raise ValueError("a due day needs the time zone of its user")
        return replace(self, due_day=DueDay.of(self.due_on, timezone))

    def again(
        self,
        task_id: str,
        due: datetime | date | None,
        moved: Callable[[datetime], datetime],
        now: datetime,
        parent_id: str | None = None,
    ) -> "Task":
        """The task for the next time that this one has to be done; `moved` moves its instants.

        One that is due on a day has yet to be `located`. A reminder may have passed already: then
        it reminds of nothing.
        """
        created = clock.milliseconds(now)
        reminders = (replace(r, at=moved(r.at)) if r.at else r for r in self.reminders)
        return replace(
            self,
            task_id=task_id,
            status=TaskStatus.PENDING,
            due_at=due if isinstance(due, datetime) else None,
            due_on=None if isinstance(due, datetime) else due,
            due_day=None,
            not_before=self.not_before and moved(self.not_before),
            planned_start=None,
            planned_end=None,
            planned_blocks=None,
            spent_minutes=0,
            running_since=None,
            reminders=tuple(reminders),
            created_at=created,
            updated_at=created,
            completed_at=None,
            version=1,
            parent_id=parent_id,
            child_ids=(),
            change_id=None,
        )

    def content_digest(self) -> str:
        """A digest of the writable fields: equal for tasks that were created from equal input.

        Later fields count only where they differ from their default. So an idempotency key that
        was used before an upgrade stays valid after it.
        """
        content: tuple[Any, ...] = (
            *(getattr(self, name) for name in _ORIGINAL),
            *((name, value) for name in _LATER if (value := getattr(self, name)) != _INITIAL[name]),
        )
        return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def open(self) -> bool:
        """Return whether the task is neither completed nor cancelled."""
        return self.status in OPEN

    @property
    def completed(self) -> bool:
        """Return whether the task is completed."""
        return self.status is TaskStatus.COMPLETED

    @property
    def remaining_minutes(self) -> int | None:
        """The minutes of work that are left; None without an estimate."""
        if self.duration_minutes is None:
            return None
        return max(0, self.duration_minutes - self.spent_minutes)

    @property
    def pieces(self) -> tuple[PlannedBlock, ...]:
        """Its planned blocks, by time; one for planned times that were set by hand."""
        if self.planned_blocks:
            return blocks.decoded(self.planned_blocks)
        if self.planned_start is None or self.planned_end is None:
            return ()
        return (PlannedBlock(0, self.planned_start, self.planned_end, by_hand=True),)

    @property
    def blocks_start(self) -> datetime | None:
        """The start of the first of its planned blocks, whatever has become of them."""
        return (
            blocks.first_start(self.planned_blocks) if self.planned_blocks else self.planned_start
        )

    @property
    def blocks_end(self) -> datetime | None:
        """The end of the last of its planned blocks."""
        return blocks.last_end(self.planned_blocks) if self.planned_blocks else self.planned_end

    def state_of(self, block: PlannedBlock, now: datetime) -> BlockState:
        """The state of one of its blocks, as the clock has it."""
        if not block.is_planned:
            return block.state
        if self.completed_at and block.start <= self.completed_at:
            return BlockState.DONE
        in_it = self.status is TaskStatus.IN_PROGRESS and now < block.end
        since = self.running_since
        if block.start <= now and (in_it or (since is not None and since < block.end)):
            return BlockState.STARTED
        return BlockState.MISSED if block.end <= now else BlockState.PLANNED

    def retagged(self, add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
        """The tags with others added, then some removed. Raises BadUserInput for too many."""
        gone = {comparable(tag.strip()) for tag in remove}
        tags = _tags("add_tags", (*self.tags, *add))
        return tuple(tag for tag in tags if comparable(tag) not in gone)

    def renamed_tag(self, old: str, new: str) -> tuple[str, ...]:
        """The tags with a new name in the place of an old one. Raises BadUserInput."""
        key = comparable(old.strip())
        return _tags("to", [new if comparable(tag) == key else tag for tag in self.tags])

    @property
    def place(self) -> str:
        """The position among its siblings, by default behind those that were made before."""
        return self.position or last_position(self.created_at)

    def has_come(self, now: datetime) -> bool:
        """Return whether its earliest start has come."""
        return self.not_before is None or self.not_before <= now

    @property
    def reminder_bases(self) -> Bases:
        """The instants before which it can remind."""
        return {
            ReminderBase.DUE: self.due_begin,
            ReminderBase.PLANNED_START: self.planned_start,
        }

    @property
    def tag_keys(self) -> tuple[str, ...] | None:
        """The tags as they are compared; None without tags."""
        return tuple(map(comparable, self.tags)) or None

    @property
    def due(self) -> datetime | date | None:
        """The instant or the day at which it is due."""
        return self.due_at or self.due_on

    @property
    def due_begin(self) -> datetime | None:
        """The instant at which it is due: the beginning of a day, or the due date itself."""
        return self.due_day.begin if self.due_day else self.due_at

    @property
    def deadline(self) -> datetime | None:
        """The instant at which it is overdue: the end of a day, or the due date itself."""
        return self.due_day.end if self.due_day else self.due_at

    @property
    def due_until(self) -> datetime | None:
        """The instant by which lists sort and compare: a day's last, or the due date itself."""
        return self.due_day.last if self.due_day else self.due_at

    @property
    def due_order(self) -> str | None:
        """The sort key by due date or day, then by creation; None without one."""
        until = self.due_until
        return f"{clock.text(until)}#{self.task_id}" if until else None


RULES = rules_of(Task)
LATER_DEFAULTS: Mapping[str, Any] = {
    field.name: field.default for field in dataclasses.fields(Task) if field.default is not MISSING
}
"""Fields that came after release 0.1.0, and their values in tasks that are older than they are."""

_WRITABLE = [name for name, rules in RULES.items() if rules.is_writable]
_ORIGINAL = [name for name in _WRITABLE if name not in LATER_DEFAULTS]
_LATER = [name for name in _WRITABLE if name in LATER_DEFAULTS]
_INITIAL = {n: rules.initial for n, rules in RULES.items() if rules.initial is not REQUIRED}
_CHECKS = {n: rules.check for n, rules in RULES.items() if rules.check}


def _cleared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace None by the initial value. Raises BadUserInput where that is not allowed."""
    for name, value in values.items():
        if value is None and not RULES[name].is_clearable:
            raise BadUserInput(f"{FIELD} cannot be null.", name)
    return {n: _INITIAL[n] if value is None else value for n, value in values.items()}


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the rule of each field. Raises BadUserInput."""
    return {n: _CHECKS[n](n, value) if n in _CHECKS else value for n, value in values.items()}


def _with_its_blocks(before: Task, after: Task, now: datetime) -> Task:
    """The next state of a task with the blocks that belong to it.

    Whoever closes a task gives back the time that is still ahead; whoever sets its planned times
    puts one block there, in the place of all that were planned.
    """
    if _span(before) == _span(after):
        closes = before.open and not after.open
        at = clock.milliseconds(now)
        return after.placed(blocks.closed(after.pieces, at)) if closes else after
    over = [block for block in before.pieces if not block.is_planned]
    by_hand = replace(after, planned_blocks=None).pieces
    number = blocks.next_number(over)
    kept = [*over, *(replace(block, number=number) for block in by_hand)] if over else []
    return replace(after, planned_blocks=blocks.encoded(kept))


def _span(task: Task) -> tuple[datetime | None, datetime | None]:
    return task.planned_start, task.planned_end


def _check_planned_times(task: Task) -> None:
    """Raise BadUserInput unless the task has a planned start and an end after it, or neither."""
    start, end = task.planned_start, task.planned_end
    if (start is None) is not (end is None):
        missing = "planned_start" if start is None else "planned_end"
        raise BadUserInput(f"{FIELD} is required: planned times are a start and an end.", missing)
    if start is not None and end is not None and end < start:
        raise BadUserInput(f"{FIELD} must not be before the planned start.", "planned_end")


def _check_change(before: Task | None, after: Task) -> None:
    """Raise BadUserInput if what has changed breaks a rule that is younger than release 0.1.0.

    Stored tasks may break such a rule: all else of them can be edited, and they can be mended.
    """
    changed = [n for n in RULES if before is None or getattr(after, n) != getattr(before, n)]
    if "title" in changed and is_invisible(after.title):
        raise BadUserInput("A title must have a visible character.", "title")
    if "tags" in changed and any(map(is_invisible, after.tags)):
        raise BadUserInput("A tag must have a visible character.", "tags")
    if _starts_too_late(after):
        _refuse("A task must not start after its hard deadline.", _START_FIELDS, changed)
    if _has_too_long_pieces(after):
        _refuse("A piece of a task must not be longer than the task.", _PIECE_FIELDS, changed)
    _check_longest_piece(after, changed)


_START_FIELDS = ("not_before", "due_at", "due_on", "deadline_type")
_PIECE_FIELDS = ("min_chunk_minutes", "duration_minutes")
_LONGEST_FIELDS = ("max_chunk_minutes", *_PIECE_FIELDS)


def _starts_too_late(task: Task) -> bool:
    return (
        task.deadline_type is DeadlineType.HARD
        and task.not_before is not None
        and task.deadline is not None
        and task.not_before > task.deadline
    )


def _has_too_long_pieces(task: Task) -> bool:
    return task.duration_minutes is not None and task.min_chunk_minutes > task.duration_minutes


def _check_longest_piece(task: Task, changed: Collection[str]) -> None:
    """Raise BadUserInput if the task cannot be cut into pieces that are no longer than its longest.

    No stored task breaks this rule, since it is as old as the field.
    """
    longest, minutes = task.max_chunk_minutes, task.duration_minutes or 0
    if longest is None:
        return
    if longest < 2 * task.min_chunk_minutes:
        message = "The longest piece of a task must be at least twice as long as the shortest."
        _refuse(message, _LONGEST_FIELDS, changed)
    if longest < minutes and not task.min_chunk_minutes:
        least = named("min_chunk_minutes")
        message = f"A task that is longer than its longest piece needs {least}, too."
        _refuse(message, _LONGEST_FIELDS, changed)
    if minutes > MAX_PIECES * longest:
        message = f"The longest piece of a task must not make more than {MAX_PIECES} pieces of it."
        _refuse(message, _LONGEST_FIELDS, changed)


def _refuse(message: str, fields: Iterable[str], changed: Collection[str]) -> None:
    """Raise BadUserInput with the first of these fields that has changed, if one has."""
    for name in fields:
        if name in changed:
            raise BadUserInput(message, name)
