"""Changes and positions in the feed of a user. Pure.

A change's id is a UUIDv7, so changes sort by time without a counter that all writes of one user
would have to share. The price: a write takes its id before it is committed, and clocks differ, so
a change may appear behind one that was read already. Readers therefore read the last WINDOW again
(`Position`), and may meet a change twice, never not at all.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from graphql_api import ids
from graphql_api.domain.records import immutable
from graphql_api.errors import BadUserInput, CursorExpired
from graphql_api.infra.dynamodb.codec import Raw

WINDOW = timedelta(seconds=15)
"""The time by which a change may be dated earlier than its commit.

At most 5 s of a request's deadline, 2 s of an attempt that still travels after it, and 8 s between
the clocks of two machines.
"""


_ID = f"({ids.TIME_ORDERED_PATTERN})"
_POSITION = re.compile(rf"{_ID}(?:\|{_ID}\|([0-9]{{1,9}}))?", re.ASCII)


class ChangeKind(Enum):
    """A kind of change: a write of a task or of its series, or something of it that is due."""

    TASK_CREATED = "task_created"
    TASK_UPDATED = "task_updated"
    TASK_COMPLETED = "task_completed"
    TASK_DELETED = "task_deleted"
    TASK_DUE = "task_due"
    TASK_OVERDUE = "task_overdue"
    REMINDER = "reminder"
    SERIES_CREATED = "series_created"
    SERIES_UPDATED = "series_updated"
    SERIES_ENDED = "series_ended"


TIMED = {ChangeKind.TASK_DUE, ChangeKind.TASK_OVERDUE, ChangeKind.REMINDER}
"""The kinds of what time brings: nothing of the task is changed."""

OF_SERIES = {ChangeKind.SERIES_CREATED, ChangeKind.SERIES_UPDATED, ChangeKind.SERIES_ENDED}
"""The kinds of what becomes of a series: they are in the history of the task that is current."""


class ActorKind(Enum):
    """A kind of actor."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    SYSTEM = "system"


@immutable
class Actor:
    """Maker of a change: a session by its device, an access token by its name, or the service."""

    kind: ActorKind
    name: str


SYSTEM = Actor(kind=ActorKind.SYSTEM, name="system")


@immutable
class Change:
    """One write of one task, kept with what is needed to take it back.

    `fields` are the names of the model's fields that were given, and `before` their values in the
    form in which the store keeps them (a field that was empty is absent); of a deletion `before` is
    the whole task, and it has the blockers that an occurrence had which has handed them on.
    `version` is the task's after the change, of a deletion the last one.
    """

    user_id: str
    change_id: str
    kind: ChangeKind
    task_id: str
    version: int
    fields: tuple[str, ...]
    before: Raw
    actor: Actor
    previous: str | None = None  # the id of the same task's change before this one
    undoes: str | None = None  # the id of the change that this one takes back
    series_id: str | None = None  # of a series, if its kind is one of theirs
    late_seconds: int | None = None  # after its instant, of one that time has brought
    undone_by: str | None = None  # of a deletion: the id of the change that has taken it back

    @property
    def at(self) -> datetime:
        """The instant of the change, to the millisecond."""
        return ids.instant(self.change_id)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a user's feed: all up to `after` was read.

    `floor` is set between the pages of one pass over the feed: where the next pass begins, which
    is WINDOW before this one began. `read` is how many changes behind it this pass has given.
    """

    after: str
    floor: str | None = None
    read: int = 0

    @classmethod
    def start(cls, now: datetime, retention: timedelta) -> "Position":
        """The position before the oldest change that is kept."""
        return cls(ids.first_id(now - retention))

    @classmethod
    def end(cls, now: datetime) -> "Position":
        """The position after all changes that no reader can miss any more."""
        return cls(ids.first_id(now - WINDOW))

    @classmethod
    def of(cls, change: Change, now: datetime) -> "Position":
        """The position after a change, or WINDOW ago if that is earlier."""
        return cls(min(change.change_id, ids.first_id(now - WINDOW)))

    @classmethod
    def parse(cls, text: str, now: datetime, retention: timedelta) -> "Position":
        """The position of a text. Raises CursorExpired where changes after it may be gone."""
        found = _POSITION.fullmatch(text)
        if found is None:
            raise BadUserInput("The cursor is not one of the change feed.", "after")
        after, floor, read = found.groups()
        if ids.instant(after) < now - retention - WINDOW:
            raise CursorExpired(retention)
        return cls(after, floor, int(read or 0))

    @staticmethod
    def is_within_pass(text: str) -> bool:
        """Return whether a position's text is one between the pages of a pass."""
        return "|" in text

    def __str__(self) -> str:
        return self.after if self.floor is None else f"{self.after}|{self.floor}|{self.read}"

    def in_pass(self, now: datetime) -> "Position":
        """Begin a pass now unless one has begun."""
        if self.floor is not None:
            return self
        return Position(self.after, max(self.after, ids.first_id(now - WINDOW)))

    @property
    def until(self) -> str:
        """The end of a pass: what is dated after its beginning is left to the next one."""
        return ids.first_id(
            ids.instant(self.floor or self.after) + WINDOW + timedelta(milliseconds=1)
        )
