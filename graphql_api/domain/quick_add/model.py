"""The question to quick add, and its reading of a text. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, TypeAlias

from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.settings.model import DateOrder
from graphql_api.domain.tasks.model import TaskPriority

MAX_TEXT_LENGTH = 500  # characters
TEXT = "text"


class SpanKind(Enum):
    """The meaning of a part of the text."""

    DATE = "date"
    TIME = "time"
    RECURRENCE = "recurrence"
    TAG = "tag"
    PRIORITY = "priority"
    PROJECT = "project"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text that is not in the title; places are in code points."""

    start: int
    end: int
    kind: SpanKind
    text: str


@dataclass(frozen=True, slots=True)
class ProjectName:
    """A project that `@` may name."""

    project_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a reading depends on beside the text."""

    now: datetime  # local: aware, with the zone's own clock
    timezone: str
    date_order: DateOrder = DateOrder.MONTH_FIRST
    first_weekday: int = 0  # 0 is Monday
    projects: tuple[ProjectName, ...] = ()

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.date()


@dataclass(frozen=True, slots=True)
class Day:
    """A day, and perhaps a part of it, such as `evening`."""

    day: date
    part: time | None = None
    is_end: bool = False  # of a repetition, if there is one
    is_also_today: bool = False  # a weekday said on that weekday


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day."""

    at: time


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that is counted from now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Repeat:
    """A rule by RFC 5545, and perhaps a part of its days, such as `evening`."""

    rrule: str
    part: time | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Words that no field of a task holds, such as `a range of times`: they stay in the title."""

    what: str


Meaning: TypeAlias = Day | Clock | Moment | Repeat | Unread


@dataclass(frozen=True, slots=True)
class Phrase:
    """Some words with a meaning."""

    end: int  # the number of the token behind it
    meaning: Meaning
    reading: str = ""  # of what could be read otherwise
    is_shy: bool = False  # at the beginning, it is rather a part of the title
    is_word: bool = False  # so it is at the end, unless something stands behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickAdd:
    """A text as it was read: never both `due_at` and `due_on`."""

    title: str
    due_at: datetime | None = None
    due_on: date | None = None
    recurrence: Recurrence | None = None
    tags: tuple[str, ...] = ()
    priority: TaskPriority | None = None
    project_id: str | None = None
    duration_minutes: int | None = None
    spans: tuple[Span, ...] = ()
    ambiguities: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The fields of the new task; those that the text does not say are left out."""
        named = {name: getattr(self, name) for name in _TASK_FIELDS}
        return {name: value for name, value in named.items() if value}


_TASK_FIELDS = (
    *("title", "due_at", "due_on", "recurrence", "tags", "priority", "project_id"),
    "duration_minutes",
)
