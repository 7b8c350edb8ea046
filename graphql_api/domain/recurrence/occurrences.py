"""Occurrences of a recurrence: local days and times become instants. Pure.

The wall clock and its zone are kept, instants are derived: nothing is computed in UTC. A time in a
gap of the clock comes later by the length of the gap, and of a time that comes twice the first is
taken (RFC 5545 3.3.5). So two local times may be one instant, as on a day that a zone has left
out: they are one occurrence.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from graphql_api.domain.recurrence.days import FIRST_YEAR, LAST_YEAR, Days
from graphql_api.domain.recurrence.model import (
    EX_DATES,
    RRULE,
    Adjustment,
    Occurrence,
    Recurrence,
    RecurrenceAnchor,
    Start,
)
from graphql_api.domain.recurrence.rules import Frequency
from graphql_api.errors import FIELD, BadUserInput

DEFAULT_PREVIEW, MAX_PREVIEW = 10, 100  # occurrences
DUE_AT, DUE_ON, FIRST = "due_at", "due_on", "first"
_MAX_TRIES = 100  # steps from a completion, until a month has the day


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The occurrences of a recurrence that has begun at a start."""

    recurrence: Recurrence
    start: Start

    def since(self, day: date | None = None) -> Iterator[Occurrence]:
        """The occurrences from a local day on, or from the start, without those left out."""
        begin = max(day or self.start.day, self.start.day)
        found = self._distinct(self._days().since(begin - timedelta(1)))
        if self.recurrence.rule.count is not None:
            last = _last_counted(self)
            found = takewhile(lambda each: each.on <= last, found)
        left_out = set(self.recurrence.ex_dates)
        ending = takewhile(self._is_before_end, found)
        return (each for each in ending if each.on >= begin and each.on not in left_out)

    def after(self, day: date) -> Iterator[Occurrence]:
        """The occurrences after a local day."""
        return self.since(day + timedelta(1))

    def check_first(self, field: str) -> None:
        """Raise BadUserInput, of the field that the start was given by, unless it is the first."""
        if not FIRST_YEAR <= self.start.day.year <= LAST_YEAR:
            raise BadUserInput(
                f"What recurs must begin in the years {FIRST_YEAR} to {LAST_YEAR}.", field
            )
        first = next(self._days().since(self.start.day), None)
        if first is None:
            raise BadUserInput("This rule never comes.", RRULE)
        if first != self.start.day:
            raise BadUserInput(
                f"The rule does not have {self.start.day:%A}, {self.start.day}: its first day from"
                f" then on is {first:%A}, {first}.",
                field,
            )
        if self.start.day in self.recurrence.ex_dates:
            raise BadUserInput("The first day must not be left out.", EX_DATES)
        if not self._is_before_end(self._resolved(self.start.day)):
            raise BadUserInput("UNTIL is before the first occurrence.", RRULE)

    def from_completion(self, done: date) -> Iterator[Occurrence]:
        """The occurrences to come if one is done on a local day, and each later one on its own."""
        rule = self.recurrence.rule
        while day := self._step(done):
            occurrence = self._resolved(day)
            if not self._is_before_end(occurrence):
                return
            if occurrence.on not in self.recurrence.ex_dates:
                adjusted = occurrence.adjusted_for
                if rule.frequency in _OF_MONTHS and adjusted is None and day.day < done.day:
                    adjusted = Adjustment.MONTH_END
                yield Occurrence(occurrence.on, occurrence.at, adjusted)
            done = day

    def preview(self) -> Iterator[Occurrence]:
        """The occurrences from the start on; one by completion as if each was done on its day."""
        if self.recurrence.anchor is RecurrenceAnchor.SCHEDULED:
            return self.since()
        return islice(self._by_completion(), self.recurrence.rule.count)

    def counted(self) -> Iterator[Occurrence]:
        """The occurrences that the rule counts: those that are left out, too."""
        return islice(
            self._distinct(self._days().since(self.start.day)), self.recurrence.rule.count
        )

    def _by_completion(self) -> Iterator[Occurrence]:
        yield self._resolved(self.start.day)
        yield from self.from_completion(self.start.day)

    def _days(self) -> Days:
        return Days.of(self.recurrence.rule, self.start.day, clamped=self.recurrence.is_clamped)

    def _distinct(self, days: Iterable[date]) -> Iterator[Occurrence]:
        """Occurrences of local days, each instant once: as the rule says, if one of two does."""
        held: Occurrence | None = None
        calendar = self._days()
        for day in days:
            found = self._resolved(day)
            if found.adjusted_for is not Adjustment.GAP and calendar.is_clamped(day):
                found = Occurrence(found.on, found.at, Adjustment.MONTH_END)
            if held and held.on != found.on:
                yield held
            if held is None or held.on != found.on or held.adjusted_for is Adjustment.GAP:
                held = found
        if held:
            yield held

    def _resolved(self, day: date) -> Occurrence:
        """The occurrence of a local day, by the clock of the zone."""
        zone = ZoneInfo(self.recurrence.timezone)
        local = datetime.combine(day, self.start.at or time()).replace(fold=0)
        if self.start.at and self.start.at.fold and day == self.start.day:  # it was given so
            return Occurrence(day, local.replace(tzinfo=zone, fold=1).astimezone(UTC))
        at = local.replace(tzinfo=zone).astimezone(UTC)
        shown = at.astimezone(zone).replace(tzinfo=None, fold=0)
        if self.start.at is None:
            return Occurrence(shown.date(), None, Adjustment.GAP if shown.date() != day else None)
        if shown != local:
            return Occurrence(shown.date(), at, Adjustment.GAP)
        later = local.replace(tzinfo=zone, fold=1)
        twice = later.utcoffset() != later.replace(fold=0).utcoffset()
        return Occurrence(day, at, Adjustment.OVERLAP if twice else None)

    def _is_before_end(self, occurrence: Occurrence) -> bool:
        """Tell whether an occurrence is not after UNTIL."""
        until = self.recurrence.rule.until
        if until is None:
            return True
        zone = ZoneInfo(self.recurrence.timezone)
        if not isinstance(until, datetime):
            return occurrence.on <= until
        end = until if until.tzinfo else until.replace(tzinfo=zone)
        if occurrence.at is None:
            return occurrence.on <= end.astimezone(zone).date()
        return occurrence.at <= end

    def _step(self, day: date) -> date | None:
        """The day that is an interval later; None after the last year."""
        rule, clamped = self.recurrence.rule, self.recurrence.is_clamped
        for times in range(1, _MAX_TRIES):
            found = _later(day, rule.frequency, rule.interval * times, clamped=clamped)
            if found:
                return found
        return None


@lru_cache(maxsize=256)
def _last_counted(occurrences: Occurrences) -> date:
    """The local day of the last occurrence by COUNT: up to 1,000 are looked at to find it."""
    return max(each.on for each in occurrences.counted())


def preview(
    recurrence: Recurrence, due_at: datetime | None, due_on: date | None, first: int | None
) -> list[Occurrence]:
    """The first occurrences of what begins at an instant, or on a whole day.

    Raises BadUserInput.
    """
    size = DEFAULT_PREVIEW if first is None else first
    if not 1 <= size <= MAX_PREVIEW:
        raise BadUserInput(f"{FIELD} must be from 1 to {MAX_PREVIEW}.", FIRST)
    if due_on and due_at:
        raise BadUserInput("Give a due date or a due day, not both.", DUE_ON)
    if due_on:
        start, field = Start(due_on), DUE_ON
    elif due_at:
        start, field = Start.of(due_at, recurrence.timezone), DUE_AT
    else:
        raise BadUserInput("Give the first due date, or the first day.", DUE_AT)
    occurrences = Occurrences(recurrence, start)
    occurrences.check_first(field)
    return list(islice(occurrences.preview(), size))


_LAST_DAY = date(LAST_YEAR, 12, 31).toordinal()
_OF_MONTHS = {Frequency.MONTHLY, Frequency.YEARLY}


def _later(day: date, frequency: Frequency, units: int, *, clamped: bool) -> date | None:
    """The day that is some units later; None if there is none."""
    if frequency not in _OF_MONTHS:
        later = day.toordinal() + units * (7 if frequency is Frequency.WEEKLY else 1)
        return date.fromordinal(later) if later <= _LAST_DAY else None
    months = units * (12 if frequency is Frequency.YEARLY else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > LAST_YEAR:
        return None
    length = monthrange(year, month + 1)[1]
    if day.day > length and not clamped:
        return None
    return date(year, month + 1, min(day.day, length))
