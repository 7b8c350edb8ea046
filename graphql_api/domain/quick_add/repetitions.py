"""Repetition in words: `every last friday`, `alle 2 Wochen`, `montags`. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphql_api.domain.quick_add import words
from graphql_api.domain.quick_add.dates import NTH, month_and_day, number_of
from graphql_api.domain.quick_add.model import Asked, Phrase, Repeat
from graphql_api.domain.quick_add.tokens import Reader
from graphql_api.domain.recurrence.rules import DAYS, MAX_COUNT, MAX_INTERVAL

LONGEST_MONTH, MOST_WEEKS = 31, 5
_FREQUENCIES = {
    words.DAY: "FREQ=DAILY",
    words.WEEK: "FREQ=WEEKLY",
    words.MONTH: "FREQ=MONTHLY",
    words.YEAR: "FREQ=YEARLY",
}
_OFFICE_DAYS = ",".join(DAYS[:5])
_COUNT = re.compile(r"(\d{1,4})x?", re.ASCII)


def repetition_phrase(reader: Reader, asked: Asked) -> Phrase | None:
    """The rule that the next words stand for."""
    begin = reader.at
    for read in (_adverb, _on_weekdays, _every, _of_every_month):
        reader.at = begin
        if found := read(reader, asked):
            return _counted(reader, _with_part(reader, found))
    return None


def _with_part(reader: Reader, found: Phrase) -> Phrase:
    """The phrase with the part of the day that follows: `every friday evening`."""
    reader.at = found.end
    part = reader.value(words.PARTS_OF_DAY)
    if part is None or not isinstance(found.meaning, Repeat):
        return found
    return replace(found, end=reader.at, meaning=replace(found.meaning, part=part))


def _counted(reader: Reader, found: Phrase) -> Phrase:
    """The phrase with how many times it is, if that follows."""
    reader.at = found.end
    count = reader.matches(_COUNT)
    if not count or not (reader.takes(words.TIMES) or count[0].endswith("x")):
        return found
    if not isinstance(found.meaning, Repeat) or not 1 <= int(count[1]) <= MAX_COUNT:
        return found
    rule = f"{found.meaning.rrule};COUNT={int(count[1])}"
    return replace(found, end=reader.at, meaning=replace(found.meaning, rrule=rule))


def _adverb(reader: Reader, _: Asked) -> Phrase | None:
    """`weekly`, `monatlich`, `werktags`."""
    if reader.takes({"werktags"}):
        return _phrase(reader, f"FREQ=WEEKLY;BYDAY={_OFFICE_DAYS}")
    rule = reader.value(words.ADVERBS)
    return Phrase(reader.at, Repeat(rule), is_shy=True) if rule else None


def _on_weekdays(reader: Reader, _: Asked) -> Phrase | None:
    """`montags und donnerstags`."""
    days = _listed(reader, words.ON_WEEKDAYS)
    return _phrase(reader, _weekly(days)) if days else None


def _every(reader: Reader, asked: Asked) -> Phrase | None:
    """The rule behind `every`."""
    if not reader.takes(words.EVERY):
        return None
    begin = reader.at
    for read in (_part, _unit, _weekdays, _day_of_year, _nth, _other):
        reader.at = begin
        if found := read(reader, asked):
            return found
    return None


def _part(reader: Reader, _: Asked) -> Phrase | None:
    """`morning`: each day at that part of it."""
    part = reader.value({**words.PARTS_OF_DAY, "morgen": words.PARTS_OF_DAY["morning"]})
    return Phrase(reader.at, Repeat("FREQ=DAILY", part)) if part else None


def _unit(reader: Reader, asked: Asked) -> Phrase | None:
    """`day`, `2 weeks on monday`, `other month on the 15th`, `weekday`."""
    if reader.takes(words.WORKDAYS):
        return _phrase(reader, f"FREQ=WEEKLY;BYDAY={_OFFICE_DAYS}")
    if reader.takes(words.WEEKENDS):
        return _phrase(reader, "FREQ=WEEKLY;BYDAY=SA,SU")
    interval = _interval(reader)
    unit = reader.value(words.UNITS)
    if unit is None or not 1 <= interval <= MAX_INTERVAL or _takes_of_month(reader):
        return None
    rule = _FREQUENCIES[unit] + (f";INTERVAL={interval}" if interval > 1 else "")
    return _phrase(reader, rule + _within(reader, asked, unit, interval))


def _interval(reader: Reader) -> int:
    """Every how many: `other`, `2nd`, `3`, or nothing for 1; 0 for `first` and `last`."""
    if reader.takes(words.OTHER):
        return 2
    ordinal = _ordinal(reader)
    if ordinal is not None:
        return ordinal if ordinal > 1 else 0
    number = number_of(reader)
    return 1 if number is None else number


def _ordinal(reader: Reader) -> int | None:
    """The number of `second`, `2nd`, `zweiten` and `2.`; -1 is the last one."""
    found = reader.value(words.ORDINALS)
    if found is None and (digits := reader.matches(NTH, whole=True) or reader.matches(NTH)):
        found = int(digits[1])
    return found


def _within(reader: Reader, asked: Asked, unit: str, interval: int) -> str:
    """The days of a week, a month or a year that follow, as a part of a rule."""
    begin = reader.at
    if not reader.takes({"on", "am"}):
        return ""
    reader.takes(words.THE)
    found = ""
    if unit == words.WEEK and (days := _listed(reader, words.WEEKDAYS)):
        found = f";BYDAY={_names(days)}{_week_start(asked, days, interval)}"
    elif unit == words.MONTH:
        found = _day_of_month(reader)
    elif unit == words.YEAR and (day := month_and_day(reader)):
        found = f";BYMONTH={day[0]};BYMONTHDAY={day[1]}"
    if not found:
        reader.at = begin
    return found


def _week_start(asked: Asked, days: Sequence[int], interval: int) -> str:
    """The first day of the week, where it makes a difference."""
    if interval == 1 or len(days) == 1 or not asked.first_weekday:
        return ""
    return f";WKST={DAYS[asked.first_weekday]}"


def _weekdays(reader: Reader, _: Asked) -> Phrase | None:
    """`monday, wednesday and friday`."""
    days = _listed(reader, words.WEEKDAYS)
    return _phrase(reader, _weekly(days)) if days else None


def _nth(reader: Reader, _: Asked) -> Phrase | None:
    """`last friday`, `first monday of the month`, `15th`, `last day of the month`."""
    part = _day_of_month(reader)
    is_second = part.startswith(f";BYDAY={words.SECOND}")
    if not part or (not _takes_of_month(reader) and is_second):
        return None
    return _phrase(reader, f"FREQ=MONTHLY{part}")


def _other(reader: Reader, _: Asked) -> Phrase | None:
    """`other friday`; `second friday` could be that of the month, too."""
    is_second = not reader.takes(words.OTHER)
    if is_second and _ordinal(reader) != words.SECOND:
        return None
    days = _listed(reader, words.WEEKDAYS)
    if not days:
        return None
    reading = "every two weeks, not once a month" if is_second else ""
    rule = f"FREQ=WEEKLY;INTERVAL=2;BYDAY={_names(days)}"
    return Phrase(reader.at, Repeat(rule), reading)


def _day_of_year(reader: Reader, _: Asked) -> Phrase | None:
    """`5 May`, `December 24`."""
    day = month_and_day(reader)
    return _phrase(reader, f"FREQ=YEARLY;BYMONTH={day[0]};BYMONTHDAY={day[1]}") if day else None


def _of_every_month(reader: Reader, _: Asked) -> Phrase | None:
    """`on the 15th of every month`, `am letzten Freitag jedes Monats`, `first monday of each …`."""
    reader.takes({"on", "am"})
    reader.takes(words.THE)
    part = _day_of_month(reader)
    reader.takes(words.OF)
    if part and reader.takes(words.EVERY) and reader.takes({"month", "monat", "monats"}):
        return _phrase(reader, f"FREQ=MONTHLY{part}")
    return None


def _day_of_month(reader: Reader) -> str:
    """A day of a month as a part of a rule; empty if there is none."""
    begin = reader.at
    number = _ordinal(reader)
    if number is not None:
        if reader.takes(words.WORKDAYS):
            return f";BYDAY={_OFFICE_DAYS};BYSETPOS={number}"
        if reader.takes({"day", "tag"}):
            return f";BYMONTHDAY={number}" if number <= LONGEST_MONTH else ""
        weekday = reader.value(words.WEEKDAYS)
        if weekday is not None:
            return f";BYDAY={number}{DAYS[weekday]}" if number <= MOST_WEEKS else ""
    reader.at = begin
    found = reader.matches(NTH, whole=True) or reader.matches(NTH)
    return f";BYMONTHDAY={int(found[1])}" if found and 1 <= int(found[1]) <= LONGEST_MONTH else ""


def _takes_of_month(reader: Reader) -> bool:
    """Take `of the month` and `im Monat`."""
    begin = reader.at
    if reader.takes(words.OF):
        reader.takes(words.THE | words.EVERY)
        if reader.takes({"month", "monat", "monats"}):
            return True
    reader.at = begin
    return False


def _listed(reader: Reader, table: Mapping[str, int]) -> tuple[int, ...]:
    """The weekdays that are listed next, with commas or `and` between them."""
    found: list[int] = []
    end = reader.at
    while (day := reader.value(table)) is not None:
        found.append(day)
        end = reader.at
        reader.takes(words.AND)
    reader.at = end
    return tuple(dict.fromkeys(found))


def _weekly(days: Sequence[int]) -> str:
    return f"FREQ=WEEKLY;BYDAY={_names(days)}"


def _names(days: Sequence[int]) -> str:
    return ",".join(DAYS[day] for day in sorted(days))


def _phrase(reader: Reader, rule: str) -> Phrase:
    return Phrase(reader.at, Repeat(rule))
