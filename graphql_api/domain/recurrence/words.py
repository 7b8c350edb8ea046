"""Recurrences in English: `every last Friday of the month at 17:00, Berlin time`. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from graphql_api.domain.recurrence.days import complete
from graphql_api.domain.recurrence.model import Recurrence, RecurrenceAnchor, Start
from graphql_api.domain.recurrence.rules import Frequency, Rule

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple(f"{date(2000, month, 1):%B}" for month in range(1, 13))
_UNITS = {
    Frequency.DAILY: "day",
    Frequency.WEEKLY: "week",
    Frequency.MONTHLY: "month",
    Frequency.YEARLY: "year",
}
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_OFFICE_DAYS = {(0, day) for day in range(5)}


def text(recurrence: Recurrence, start: Start) -> str:
    """The recurrence in words: when, at which time of which zone, until when, and but for which."""
    rule = recurrence.rule
    if recurrence.anchor is RecurrenceAnchor.COMPLETION:
        found = f"{_every(rule)} after it is done"
    else:
        found = _days(complete(rule, start.day))
        found += _month_end(complete(rule, start.day), clamped=recurrence.is_clamped)
    if start.at is not None:
        form = "%H:%M:%S" if start.at.second else "%H:%M"
        found += f" at {start.at.strftime(form)}"
    found += f", {_zone(recurrence.timezone)}"
    if rule.count:
        found += f", {rule.count} times" if rule.count > 1 else ", once"
    found += _until(rule, recurrence.timezone)
    if left_out := len(recurrence.ex_dates):
        days = _day(recurrence.ex_dates[0]) if left_out == 1 else f"{left_out} days"
        found += f", but not on {days}"
    return found


def _every(rule: Rule) -> str:
    unit = _UNITS[rule.frequency]
    return f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"


def _days(rule: Rule) -> str:
    match rule.frequency:
        case Frequency.DAILY:
            return _daily(rule)
        case Frequency.WEEKLY:
            return _weekly(rule)
        case Frequency.MONTHLY:
            return _monthly(rule)
        case Frequency.YEARLY:
            return _yearly(rule)


def _daily(rule: Rule) -> str:
    weekdays = len(rule.days) < len(WEEKDAYS)
    if rule.interval == 1 and weekdays and not rule.month_days and not rule.positions:
        return f"every {_weekdays(rule)}{_in_months(rule)}"
    found = _every(rule)
    if rule.month_days:
        found += f" that is the {_month_days(rule)} of a month"
    if weekdays and rule.days:
        found += f", if it is a {_weekdays(rule, 'or')}"
    return found + _in_months(rule)


def _weekly(rule: Rule) -> str:
    days = _weekdays(rule)
    found = f"every {days}" if rule.interval == 1 else f"{_every(rule)} on {days}"
    if rule.positions:
        found = f"{_every(rule)} on the {_positions(rule)} of {_listed_days(rule)}"
    if rule.week_start and (rule.interval > 1 or rule.positions):
        found += f", weeks beginning on {WEEKDAYS[rule.week_start]}"
    return found + _in_months(rule)


def _monthly(rule: Rule) -> str:
    if rule.positions:
        return f"{_every(rule)} on the {_positions(rule)} of {_candidates(rule)}{_in_months(rule)}"
    if rule.interval == 1 and not rule.month_days and not rule.months:
        return f"every {_nth_days(rule)} of the month"
    return f"{_every(rule)} on {_in_month(rule)}{_in_months(rule)}"


def _yearly(rule: Rule) -> str:
    if rule.positions:
        found = f"{_every(rule)} on the {_positions(rule)} of {_candidates(rule)}"
        return found + _weeks(rule) + _in_months(rule)
    if rule.year_days:
        found = f"{_every(rule)} on day {_numbers(rule.year_days)} of the year"
        if rule.month_days:
            found += f", if it is the {_month_days(rule)} of a month"
        if rule.days:
            found += f", if it is a {_weekdays(rule, 'or')}"
        return found + _weeks(rule) + _in_months(rule)
    if rule.weeks:
        return f"{_every(rule)} on {_in_month(rule)}{_weeks(rule)}{_in_months(rule)}"
    if len(rule.month_days) == len(rule.months) == 1 and not rule.days and rule.month_days[0] > 0:
        return f"{_every(rule)} on {rule.month_days[0]} {MONTHS[rule.months[0] - 1]}"
    if rule.months:
        months = _joined([MONTHS[month - 1] for month in rule.months])
        return f"{_every(rule)} on {_in_month(rule)} of {months}"
    each = "every month" if rule.month_days else "the year"
    return f"{_every(rule)} on {_in_month(rule)} of {each}"


def _in_month(rule: Rule) -> str:
    """The days of a month: by number, by weekday, or by both."""
    if not rule.month_days:
        is_every = not any(ordinal for ordinal, _ in rule.days)
        return f"{'every ' if is_every else 'the '}{_nth_days(rule)}"
    found = f"the {_month_days(rule)}"
    return found + (f", if it is the {_nth_days(rule, 'or')}" if rule.days else "")


def _candidates(rule: Rule) -> str:
    found = []
    if rule.month_days:
        found.append(f"the {_month_days(rule)}")
    if rule.days:
        found.append(_listed_days(rule))
    return " that are ".join(found) or "its days"


def _listed_days(rule: Rule) -> str:
    if set(rule.days) == _OFFICE_DAYS:
        return "the days from Monday to Friday"
    return f"the days {_nth_days(rule)}"


def _weekdays(rule: Rule, word: str = "and") -> str:
    if set(rule.days) == _OFFICE_DAYS:
        return "weekday"
    return _joined([WEEKDAYS[day] for _, day in sorted(rule.days)], word)


def _nth_days(rule: Rule, word: str = "and") -> str:
    return _joined([f"{_ordinal(nth)} {WEEKDAYS[day]}".strip() for nth, day in rule.days], word)


def _month_days(rule: Rule) -> str:
    names = [_nth(day) if day > 0 else f"{_ordinal(day)} day" for day in rule.month_days]
    return _joined(names)


def _month_end(rule: Rule, *, clamped: bool) -> str:
    late = [day for day in rule.month_days if day > 28]  # noqa: PLR2004 - every month has 28
    if not late or rule.positions:
        return ""
    return ", or else the last day of the month" if clamped else ", where the month has it"


def _positions(rule: Rule) -> str:
    return _joined([_ordinal(each) for each in rule.positions])


def _weeks(rule: Rule) -> str:
    return f" of week {_numbers(rule.weeks)}" if rule.weeks else ""


def _in_months(rule: Rule) -> str:
    return f" in {_joined([MONTHS[month - 1] for month in rule.months])}" if rule.months else ""


def _numbers(numbers: Iterable[int]) -> str:
    return _joined([str(each) if each > 0 else f"{-each} from the end" for each in numbers])


def _ordinal(number: int) -> str:
    """The word for a place: `third`, `third to last`; nothing for 0."""
    size = abs(number)
    word = _ORDINALS[size] if size < len(_ORDINALS) else _nth(size)
    if number >= 0:
        return word
    return "last" if number == -1 else f"{word} to last"


def _nth(number: int) -> str:
    teens = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _joined(words: Sequence[str], word: str = "and") -> str:
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else words[0]


def _until(rule: Rule, timezone: str) -> str:
    until = rule.until
    if until is None:
        return ""
    if not isinstance(until, datetime):
        return f", until {_day(until)}"
    local = until.astimezone(ZoneInfo(timezone)) if until.tzinfo else until
    return f", until {_day(local)} at {local:%H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _zone(timezone: str) -> str:
    city = timezone.rpartition("/")[2].replace("_", " ")
    return city if city in {"UTC", "GMT"} or "/" not in timezone else f"{city} time"
