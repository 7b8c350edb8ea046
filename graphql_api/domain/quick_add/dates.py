"""Days in words: `tomorrow`, `next friday`, `12/11`, `am 24. Dezember`. Pure."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta

from graphql_api.domain.quick_add import words
from graphql_api.domain.quick_add.model import Asked, Day, Phrase, Unread
from graphql_api.domain.quick_add.tokens import Reader
from graphql_api.domain.recurrence.days import FIRST_YEAR, LAST_YEAR
from graphql_api.domain.settings.model import DateOrder

_BEFORE_NIGHT = words.TODAY | words.TOMORROW | words.OVERMORROW | words.WEEKDAYS.keys()
WEEK, YEAR_MONTHS, LEAP_YEARS, CENTURY = 7, 12, 8, 2_000
SATURDAY = 5
NEAR = timedelta(days=183)  # a day without a year that is not as long ago could be meant

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?", re.ASCII)
_RANGE = re.compile(r"\d{1,2}\.?[-\u2013]\d{1,2}\.?", re.ASCII)
_DOTTED_RANGE = re.compile(r"\d{1,2}\.(?:\d{1,2}\.)?[-\u2013]\d{1,2}\.\d{1,2}\.", re.ASCII)
NTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|ten|\.)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Found:
    """A day that words stand for."""

    day: date
    reading: str = ""
    is_shy: bool = False
    is_word: bool = False
    part: time | None = None
    is_also_today: bool = False


def day_phrase(reader: Reader, asked: Asked) -> Phrase | None:
    """The day that the next words stand for."""
    before, opening = _opening(reader)
    begin = reader.at
    for read in _READERS:
        reader.at = begin
        found = read(reader, asked, before)
        if found and FIRST_YEAR < found.day.year < LAST_YEAR:
            is_end = bool(words.UNTIL & opening)
            day = Day(found.day, found.part, is_end, found.is_also_today)
            shy, word = (each and not opening for each in (found.is_shy, found.is_word))
            return Phrase(reader.at, day, found.reading, is_shy=shy, is_word=word)
    return None


def night_phrase(reader: Reader, _: Asked) -> Phrase | None:
    """`heute Nacht` and `Samstagnacht`, which stay in the title."""
    reader.takes(words.THIS)
    if not reader.takes(_BEFORE_NIGHT) or not reader.takes(words.NIGHT):
        return None
    return Phrase(reader.at, Unread("a night"))


def days_phrase(reader: Reader, asked: Asked) -> Phrase | None:
    """`vom 3. bis 5. Dezember`, `3-5 December`, `monday to friday`: they stay in the title."""
    reader.takes(words.BEFORE_DAYS)
    begin = reader.at
    if _glued_days(reader):
        return Phrase(reader.at, Unread("a range of days"))
    if not {token.word for token in reader.tokens[begin : reader.end]} & words.WITHIN_DAYS:
        return None
    for read in (_days_of_month, _month_and_days, _days_apart):
        reader.at = begin
        if read(reader, asked):
            return Phrase(reader.at, Unread("a range of days"))
    return None


def _glued_days(reader: Reader) -> bool:
    """`3.12.-5.12.`, `3.-5. Dezember`, `December 3-5`."""
    if reader.matches(_DOTTED_RANGE, whole=True):
        return True
    is_first = reader.takes(words.MONTHS)
    return bool(reader.matches(_RANGE)) and (is_first or reader.takes(words.MONTHS))


def _days_of_month(reader: Reader, asked: Asked) -> bool:
    """`3. bis 5. Dezember`, `3. bis zum 5.`, `3 to 5 December`."""
    is_nth = bool(reader.matches(NTH, whole=True))
    if not is_nth and not reader.matches(_DAY_OF_MONTH):
        return False
    if not reader.takes(words.WITHIN_DAYS):
        return False
    begin = reader.at
    reader.takes({"zum"})
    if month_and_day(reader):
        return True
    reader.at = begin
    return is_nth and bool(_nth(reader, asked, "bis") or _dotted(reader, asked, "bis"))


def _month_and_days(reader: Reader, _: Asked) -> bool:
    """`December 3 to 5`."""
    if not reader.takes(words.MONTHS) or not reader.matches(_DAY_OF_MONTH):
        return False
    is_range = reader.takes(words.WITHIN_DAYS) and bool(reader.matches(_DAY_OF_MONTH))
    return is_range and reader.bare not in words.MONTHS


def _days_apart(reader: Reader, asked: Asked) -> bool:
    """`Montag bis Freitag`, `28 November to 5 December`."""
    if not day_phrase(reader, asked) or not reader.takes(words.WITHIN_DAYS):
        return False
    return day_phrase(reader, asked) is not None


def _opening(reader: Reader) -> tuple[str, set[str]]:
    """The words before a day, the last one of them first."""
    begin = reader.at
    while reader.takes(words.BEFORE_A_DAY) or (reader.at > begin and reader.takes(words.THE)):
        pass
    taken = [token.bare for token in reader.tokens[begin : reader.at]]
    return (taken[-1] if taken else ""), set(taken)


def told(day: date) -> str:
    """A day in words: `Friday, 11 December 2026`."""
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def _near(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """`today`, `tomorrow`, `the day after tomorrow`, and perhaps a part of it."""
    if reader.takes(words.TODAY):
        days = 0
    elif reader.takes(words.TOMORROW):
        days = 1
    elif reader.takes(words.OVERMORROW) or _takes_overmorrow(reader):
        days = 2
    elif reader.takes(words.TONIGHT):
        return _with_part(_Found(asked.today), words.PARTS_OF_DAY["night"])
    else:
        return None
    return _and_part(reader, _Found(asked.today + timedelta(days)))


def _takes_overmorrow(reader: Reader) -> bool:
    begin = reader.at
    reader.takes(words.THE)
    if reader.takes_all({"day"}, {"after"}, {"tomorrow"}):
        return True
    reader.at = begin
    return False


def _and_part(reader: Reader, found: _Found) -> _Found | None:
    """A day with the part of it that the next word names; None with a night."""
    if reader.bare in words.NIGHT:
        return None
    begin = reader.at
    reader.takes({"am"})
    part = reader.value(words.PARTS_OF_DAY)
    if part is None and reader.at == begin and reader.takes({"morgen"}):
        part = words.PARTS_OF_DAY["morning"]
    if part is None:
        reader.at = begin
        return found
    return _with_part(found, part)


def _with_part(found: _Found, part: time) -> _Found:
    return _Found(found.day, found.reading, part=part, is_also_today=found.is_also_today)


def _this_part(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """A part of today: `this evening`."""
    part = reader.value(words.PARTS_OF_DAY) if reader.takes({"this"}) else None
    return _with_part(_Found(asked.today), part) if part else None


def _weekday(reader: Reader, asked: Asked, before: str) -> _Found | None:
    """`friday`, `this friday`, `next friday`, or the weekday of a date: `Friday, 11 December`."""
    is_next, is_this = reader.takes(words.NEXT), False
    if not is_next:
        is_this = reader.takes(words.THIS)
    english = reader.bare in words.ENGLISH_WEEKDAYS
    name = reader.bare
    weekday = reader.value(words.WEEKDAYS)
    if weekday is None or (before == "am" and english):  # 9 am friday
        return None
    if is_next:
        return _and_part(reader, _next(weekday, asked))
    if not is_this and (dated := _dated(reader, asked, weekday)):
        return dated
    coming = asked.today + timedelta((weekday - asked.today.weekday() - 1) % WEEK + 1)
    is_today = weekday == asked.today.weekday()
    found = _Found(
        coming,
        told(coming) if is_today else "",
        is_shy=not is_this,
        is_word=not is_this and name in words.ALSO_WORDS,
        is_also_today=is_today,
    )
    return _and_part(reader, found)


def _next(weekday: int, asked: Asked) -> _Found:
    """A weekday of next week; half of the world means the coming one by `next friday`."""
    begin = _next_week(asked)
    day = begin + timedelta((weekday - begin.weekday()) % WEEK)
    coming = asked.today + timedelta((weekday - asked.today.weekday() - 1) % WEEK + 1)
    other = "" if coming == day else f", not {told(coming)}"
    return _Found(day, told(day) + other)


def _next_week(asked: Asked) -> date:
    """The first day of next week."""
    passed = (asked.today.weekday() - asked.first_weekday) % WEEK
    return asked.today + timedelta(WEEK - passed)


def _dated(reader: Reader, asked: Asked, weekday: int) -> _Found | None:
    """The date behind its weekday, which may not be right."""
    begin = reader.at
    for read in (_iso, _slashed, _dotted, _named):
        reader.at = begin
        found = read(reader, asked, "on")
        if found:
            is_right = found.day.weekday() == weekday
            return _Found(found.day, found.reading if is_right else told(found.day))
    reader.at = begin
    return None


def _period(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """`next week`, `next month`, `this weekend`, `end of the month`."""
    if reader.takes(words.NEXT):
        unit = reader.value(words.UNITS)
        if unit is None or unit == words.DAY:
            return None
        return _told(_first_of_next(unit, asked))
    if reader.takes(words.MONTH_ENDS) or _takes_month_end(reader):
        length = monthrange(asked.today.year, asked.today.month)[1]
        return _Found(asked.today.replace(day=length))
    reader.takes(words.THIS)
    if reader.takes(words.WEEKENDS):
        return _told(asked.today + timedelta((SATURDAY - asked.today.weekday()) % WEEK))
    return None


def _told(day: date) -> _Found:
    return _Found(day, told(day), is_shy=True)


def _first_of_next(unit: str, asked: Asked) -> date:
    if unit == words.WEEK:
        return _next_week(asked)
    if unit == words.YEAR:
        return date(asked.today.year + 1, 1, 1)
    return _months_later(asked.today.replace(day=1), 1)


def _takes_month_end(reader: Reader) -> bool:
    begin = reader.at
    if reader.takes({"end", "ende"}):
        reader.takes({"of"})
        reader.takes({"the", "des"})
        if reader.takes({"month", "monats"}):
            return True
    reader.at = begin
    return False


def _later(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """`in 3 days`, `heute in einer Woche`, `a week from now`, `2 days from tomorrow`."""
    begin = asked.today + timedelta(reader.takes(words.TOMORROW))
    is_behind = begin != asked.today or reader.takes(words.TODAY)
    is_in = reader.takes({"in"})
    number = number_of(reader)
    unit = reader.value(words.UNITS)
    if number is None or unit is None or (is_behind and not is_in):
        return None
    if not is_in and not reader.takes_all({"from"}, words.TODAY | {"now"}):
        if not reader.takes_all({"from"}, words.TOMORROW):
            return None
        begin += timedelta(1)
    if unit in {words.DAY, words.WEEK}:
        return _Found(begin + timedelta(number * (WEEK if unit == words.WEEK else 1)))
    return _Found(_months_later(begin, number * (YEAR_MONTHS if unit == words.YEAR else 1)))


def number_of(reader: Reader) -> int | None:
    """The number that the next word is."""
    found = reader.value(words.NUMBERS)
    if found is None and (digits := reader.matches(_NUMBER)):
        found = int(digits[0])
    return found


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * YEAR_MONTHS + day.month - 1 + months, YEAR_MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _iso(reader: Reader, _asked: Asked, _: str) -> _Found | None:
    """`2026-12-11`."""
    found = reader.matches(_ISO)
    day = _date(*map(int, found.groups())) if found else None
    return _Found(day) if day else None


def _slashed(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """`12/11` and `12/11/2026`, in the order of the settings unless only the other one is a day."""
    found = reader.matches(_SLASHED)
    if not found or found[0] == "24/7":
        return None
    pair = (int(found[1]), int(found[2]))
    orders = (pair, pair[::-1])
    if asked.date_order is DateOrder.DAY_FIRST:
        orders = orders[::-1]
    days = [_with_year(month, day, found[3], asked) for month, day in orders]
    if days[0] and days[1] and days[0] != days[1]:
        return _Found(days[0].day, told(days[0].day), is_shy=True)
    read = days[0] or days[1]
    return _Found(read.day, read.reading, is_shy=True) if read else None


def _dotted(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """`11.12.` and `11.12.2026`: with full stops, the day always comes first."""
    found = reader.matches(_DOTTED, whole=True) or reader.matches(_DOTTED)
    return _with_year(int(found[2]), int(found[1]), found[3], asked) if found else None


def _named(reader: Reader, asked: Asked, _: str) -> _Found | None:
    """A day of a month, and perhaps the year: `11th of December`, `December 11, 2026`."""
    found = month_and_day(reader)
    if not found:
        return None
    begin, year = reader.at, reader.matches(_YEAR)
    if year and not FIRST_YEAR < int(year[0]) < LAST_YEAR:
        reader.at, year = begin, None
    return _with_year(*found, year[0] if year else None, asked)


def month_and_day(reader: Reader) -> tuple[int, int] | None:
    """A month and its day: `5 May`, `December 24`, `24. Dezember`."""
    month = reader.value(words.MONTHS)
    found = reader.matches(_DAY_OF_MONTH, whole=True) or reader.matches(_DAY_OF_MONTH)
    if month is None and found:
        reader.takes({"of"})
        month = reader.value(words.MONTHS)
    if not found or month is None:
        return None
    return (month, int(found[1])) if _date(CENTURY, month, int(found[1])) else None


def _nth(reader: Reader, asked: Asked, before: str) -> _Found | None:
    """`on the 15th`, `am 15.`: the next such day of a month."""
    found = reader.matches(NTH, whole=True) or reader.matches(NTH)
    if not found or not before:
        return None
    first = asked.today.replace(day=1)
    for months in range(YEAR_MONTHS):
        begin = _months_later(first, months)
        day = _date(begin.year, begin.month, int(found[1]))
        if day and day >= asked.today:
            return _Found(day)
    return None


def _with_year(month: int, day: int, year: str | None, asked: Asked) -> _Found | None:
    """A day of a year that is given or, without one, the next such day."""
    if year:
        found = _date(int(year) + (CENTURY if len(year) == 2 else 0), month, day)  # noqa: PLR2004 - digits
        return _Found(found) if found else None
    this = _date(asked.today.year, month, day)
    for each in range(asked.today.year, asked.today.year + LEAP_YEARS + 1):
        found = _date(each, month, day)
        if found and found >= asked.today:
            is_near = this is not None and timedelta(0) < asked.today - this < NEAR
            return _Found(found, told(found) if is_near else "")
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_READERS: tuple[Callable[[Reader, Asked, str], _Found | None], ...] = (
    *(_later, _near, _this_part, _weekday, _period),
    *(_iso, _slashed, _dotted, _named, _nth),
)
