"""Recurrence of a task: its rule and what goes with it, and occurrences. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from enum import Enum
from zoneinfo import ZoneInfo

from graphql_api.domain.records import immutable
from graphql_api.domain.recurrence import rules
from graphql_api.domain.recurrence.rules import Rule
from graphql_api.domain.settings.model import checked_timezone
from graphql_api.errors import BadUserInput

MAX_EX_DATES = 366  # days left out of a rule
EX_DATES, RRULE, TIMEZONE = "ex_dates", "rrule", "timezone"
PARTS = {EX_DATES, RRULE, TIMEZONE}  # that can be refused


class RecurrenceAnchor(Enum):
    """The instant that the next occurrence is counted from."""

    SCHEDULED = "scheduled"
    COMPLETION = "completion"


class MonthEnd(Enum):
    """The fate of an occurrence in months that lack its day."""

    LAST_VALID_DAY = "last_valid_day"
    SKIP = "skip"


class MissedPolicy(Enum):
    """The fate of occurrences that have passed when the current one is closed."""

    KEEP_ONE = "keep_one"
    KEEP_ALL = "keep_all"
    SKIP = "skip"


class Adjustment(Enum):
    """Say why an occurrence is not where its rule says."""

    GAP = "gap"
    OVERLAP = "overlap"
    MONTH_END = "month_end"


class OccurrenceStatus(Enum):
    """The state of an occurrence."""

    UPCOMING = "upcoming"
    DONE = "done"
    SKIPPED = "skipped"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Start:
    """The first occurrence in local time: a day and, unless it is a whole one, a time of day."""

    day: date
    at: time | None = None

    @classmethod
    def of(cls, instant: datetime, timezone: str) -> "Start":
        """The local day and time of an instant. Raises BadUserInput for one without them."""
        try:
            local = instant.astimezone(ZoneInfo(timezone))
        except OverflowError:
            raise BadUserInput("This instant has no local time there.", "due_at") from None
        return cls(local.date(), local.time())

    @classmethod
    def of_due(cls, due: datetime | date, timezone: str) -> "Start":
        """The start of what is due at an instant or on a day. Raises BadUserInput as `of` does."""
        return cls.of(due, timezone) if isinstance(due, datetime) else cls(due)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a rule: its local day and, unless it is a whole one, its instant."""

    on: date
    at: datetime | None
    adjusted_for: Adjustment | None = None
    status: OccurrenceStatus = OccurrenceStatus.UPCOMING
    task_id: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None


@immutable
class Recurrence:
    """A rule, the zone of its wall clock, and what happens where it does not fit."""

    rrule: str
    timezone: str
    anchor: RecurrenceAnchor = RecurrenceAnchor.SCHEDULED
    month_end: MonthEnd = MonthEnd.LAST_VALID_DAY
    missed: MissedPolicy = MissedPolicy.KEEP_ONE
    ex_dates: tuple[date, ...] = ()

    @classmethod
    def checked(
        cls,
        rrule: str,
        timezone: str,
        anchor: RecurrenceAnchor = RecurrenceAnchor.SCHEDULED,
        month_end: MonthEnd = MonthEnd.LAST_VALID_DAY,
        missed: MissedPolicy = MissedPolicy.KEEP_ONE,
        ex_dates: Iterable[date] = (),
    ) -> "Recurrence":
        """A recurrence whose parts are valid and go together. Raises BadUserInput."""
        days = tuple(sorted(set(ex_dates)))
        if len(days) > MAX_EX_DATES:
            raise BadUserInput(f"At most {MAX_EX_DATES} days can be left out.", EX_DATES)
        found = cls(
            rrule=rules.canonical(rrule),
            timezone=checked_timezone(timezone),
            anchor=anchor,
            month_end=month_end,
            missed=missed,
            ex_dates=days,
        )
        found.validate()
        return found

    def validate(self) -> None:
        """Check that the rule fits the anchor and comes. Raises BadUserInput."""
        rule = self.rule
        if self.anchor is RecurrenceAnchor.COMPLETION and rule.has_by_parts:
            raise BadUserInput(
                "A rule that counts from completion has FREQ and INTERVAL, and no BY parts.", RRULE
            )
        if not rules.may_come(rule, clamped=self.is_clamped):
            raise BadUserInput("This rule never comes: no such month has such a day.", RRULE)

    def has_days_of(self, other: "Recurrence") -> bool:
        """Tell whether another recurrence comes by the same rule, clock and anchor."""
        return (self.rrule, self.timezone, self.anchor) == (
            other.rrule,
            other.timezone,
            other.anchor,
        )

    def changed(self, after: "Recurrence") -> tuple[str, ...]:
        """The names of the parts in which another recurrence differs."""
        names = (field.name for field in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(after, name))

    @property
    def rule(self) -> Rule:
        """The parsed rule."""
        return rules.parse(self.rrule)

    @property
    def is_clamped(self) -> bool:
        """Tell whether months that lack a day of the rule have it at their end."""
        return self.month_end is MonthEnd.LAST_VALID_DAY
