"""The local days of a rule, from any day on: dateutil's, and missing days of months. Pure.

dateutil expands one year at a time, from a year that is computed: an old rule costs no more than a
young one, and a rule that never comes costs as many years as are looked at. By itself dateutil
would look on until the year 9999, since it compares UNTIL with days that it has found. What a rule
leaves to its first day is made explicit before; INTERVAL and BYSETPOS are counted here, the latter
after missing days were filled in.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime
from functools import lru_cache
from heapq import merge
from itertools import chain, dropwhile, groupby

from dateutil import rrule

from graphql_api.domain.recurrence.rules import MONTH_WEEKS, YEAR_WEEKS, Frequency, Rule

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""The years of a rule: instants of the first and the last days of time have no local time."""

EMPTY_YEARS = 40
"""Years of a rule without a day after which it has ended: 29 February is a Monday every 28 years,
but 40 where a century is no leap year."""

MOST_YEARS = 100
"""Years of a rule that are looked at together: more than a series, or who plans one, will see."""

FEBRUARY, WEEK, YEAR_MONTHS = 2, 7, 12
_MONTHS = tuple(range(1, 13))
_OTHER_MONTHS = tuple(month for month in _MONTHS if month != FEBRUARY)
_EVERY_DAY = tuple((0, day) for day in range(WEEK))


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a rule that begins on a day, without its end."""

    rule: Rule
    first: date
    clamped: bool  # a month that lacks a day has it at its end

    @classmethod
    def of(cls, rule: Rule, first: date, *, clamped: bool) -> "Days":
        """The days of a rule that leaves what it does not say to its first day."""
        return cls(complete(rule, first), first, clamped)

    def since(self, day: date) -> Iterator[date]:
        """The days of the rule from a day on."""
        earliest = max(day, self.first)
        found = self._from_year(self._year_of_period(earliest))
        if self.rule.positions:
            periods = (list(group) for _, group in groupby(found, self._index))
            found = (day for period in periods for day in self._chosen(period))
        return dropwhile(lambda each: each < earliest, found)

    def is_clamped(self, day: date) -> bool:
        """Tell whether a day of the rule stands for one that its month lacks."""
        if not self.clamped or not self.rule.month_days:
            return False
        length = monthrange(day.year, day.month)[1]
        return not {day.day, day.day - length - 1} & set(self.rule.month_days)

    def _from_year(self, year: int) -> Iterator[date]:
        """The days from a year on, before BYSETPOS; EMPTY_YEARS without one are the end."""
        step = self.rule.interval if self.rule.frequency is Frequency.YEARLY else 1
        empty = 0
        for each in range(year, min(year + MOST_YEARS * step, LAST_YEAR + 1), step):
            found = self._of_year(each)
            yield from found
            empty = 0 if found else empty + 1
            if empty == EMPTY_YEARS:
                return

    def _of_year(self, year: int) -> Sequence[date]:
        parts = [_expansion(rule, year) for rule in _variants(self.rule, self.clamped)]
        days = parts[0] if len(parts) == 1 else list(merge(*parts))
        interval = self.rule.interval
        if interval == 1:
            return days
        return [day for day in days if self._index(day) % interval == 0]

    def _index(self, day: date) -> int:
        """The number of days, weeks, months or years between the first one and a day's."""
        match self.rule.frequency:
            case Frequency.DAILY:
                return (day - self.first).days
            case Frequency.WEEKLY:
                return (day.toordinal() - self._week(self.first)) // WEEK
            case Frequency.MONTHLY:
                return (day.year - self.first.year) * YEAR_MONTHS + day.month - self.first.month
            case Frequency.YEARLY:
                return day.year - self.first.year

    def _year_of_period(self, day: date) -> int:
        """The year in which a day's week or year of the rule begins."""
        if self.rule.frequency is Frequency.WEEKLY and self.rule.positions:
            return date.fromordinal(max(1, self._week(day))).year
        if self.rule.frequency is Frequency.YEARLY:
            return day.year - self._index(day) % self.rule.interval
        return day.year

    def _week(self, day: date) -> int:
        """The first day of a day's week, as an ordinal."""
        return day.toordinal() - (day.weekday() - self.rule.week_start) % WEEK

    def _chosen(self, days: list[date]) -> list[date]:
        """The days of a period at the rule's positions."""
        size = len(days)
        indexes = {each - 1 if each > 0 else size + each for each in self.rule.positions}
        return [days[index] for index in sorted(indexes) if 0 <= index < size]


def complete(rule: Rule, first: date) -> Rule:
    """The rule with what it leaves to its first day.

    RFC 5545 3.3.10: "Information, not contained in the rule, necessary to determine the various
    recurrence instance start times and dates are derived from the Start Time". So a week of the
    year without a weekday has that of the first day; libraries disagree there.
    """
    if rule.days or rule.month_days or rule.year_days:
        return rule
    match rule.frequency:
        case Frequency.DAILY:
            return replace(rule, days=_EVERY_DAY)
        case Frequency.YEARLY if not rule.weeks:
            return replace(rule, months=rule.months or (first.month,), month_days=(first.day,))
        case Frequency.MONTHLY:
            return replace(rule, month_days=(first.day,))
        case _:
            return replace(rule, days=((0, first.weekday()),))


@lru_cache(maxsize=1_024)
def _variants(rule: Rule, clamped: bool) -> tuple[Rule, ...]:  # noqa: FBT001 - a field of Days
    """Rules that have the rule's days together, each month's last one where it lacks a day.

    The 31st is the last day of every month, and the 29th and 30th are that of February.
    """
    if rule.frequency is Frequency.MONTHLY:  # whose -1FR is a month's last, also in a year
        rule = replace(rule, months=rule.months or _MONTHS)
    rule = replace(rule, days=_alike(rule))
    if not clamped or not {29, 30, 31} & set(rule.month_days):
        return (rule,)
    found = []
    for some, longest in (((FEBRUARY,), 28), (_OTHER_MONTHS, 30)):
        if its := tuple(month for month in rule.months or _MONTHS if month in some):
            days = tuple(dict.fromkeys(-1 if day > longest else day for day in rule.month_days))
            found.append(replace(rule, months=its, month_days=days))
    return tuple(found)


def _alike(rule: Rule) -> tuple[tuple[int, int], ...]:
    """The rule's weekdays, all with an ordinal or none: dateutil wants days that are of both."""
    if all(ordinal for ordinal, _ in rule.days) or not any(ordinal for ordinal, _ in rule.days):
        return rule.days
    most = MONTH_WEEKS if rule.months else YEAR_WEEKS
    found = (
        [(nth, day)] if nth else [(each, day) for each in range(1, most + 1)]
        for nth, day in rule.days
    )
    return tuple(dict.fromkeys(chain.from_iterable(found)))


@lru_cache(maxsize=128)
def _expansion(rule: Rule, year: int) -> tuple[date, ...]:
    """The days of one year that dateutil finds, whatever the rule's interval."""
    found = rrule.rrule(
        rrule.YEARLY,
        dtstart=datetime(year, 1, 1),  # noqa: DTZ001 - a local day
        interval=MAXYEAR,
        wkst=rule.week_start,
        byweekday=[rrule.weekday(day, ordinal or None) for ordinal, day in rule.days] or None,
        bymonthday=rule.month_days or None,
        byyearday=rule.year_days or None,
        bymonth=rule.months or None,
    )
    days = (each.date() for each in found)
    return tuple(day for day in days if not rule.weeks or _is_in_weeks(day, rule))


def _is_in_weeks(day: date, rule: Rule) -> bool:
    """Tell whether a day is in one of the rule's weeks, which dateutil gets wrong in January.

    The first week of a year is the first one with four days or more in it.
    """
    week = day.toordinal() - (day.weekday() - rule.week_start) % WEEK
    year = date.fromordinal(week + 3).year
    first, next_first = (_first_week(each, rule.week_start) for each in (year, year + 1))
    number, count = (week - first) // WEEK + 1, (next_first - first) // WEEK
    return number in rule.weeks or number - count - 1 in rule.weeks


def _first_week(year: int, week_start: int) -> int:
    """The first day of a year's first week, as an ordinal: that week has 4 January."""
    fourth = date(year, 1, 4)
    return fourth.toordinal() - (fourth.weekday() - week_start) % WEEK
