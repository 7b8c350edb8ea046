"""Recurrence rules: that part of RFC 5545's RRULE which is daily or slower. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NoReturn

from graphql_api.errors import BadUserInput

MAX_RULE_LENGTH = 500  # characters of a rule
MAX_COUNT = 1_000  # occurrences of a rule that counts them
MAX_INTERVAL = 400  # days, weeks, months or years
MONTH_WEEKS, YEAR_WEEKS = 5, 53  # the most times that a weekday can come in them
RRULE = "rrule"

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Frequency(Enum):
    """The unit in which a rule counts."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule; what it does not say is None or empty."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None  # a local day or, with an offset or without, an instant
    week_start: int = 0  # 0 is Monday
    days: tuple[tuple[int, int], ...] = ()  # ordinal, or 0, and weekday
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    @property
    def has_by_parts(self) -> bool:
        """Tell whether the rule names days, weeks or months."""
        return any((self.days, self.month_days, self.year_days, self.weeks, self.months))


@lru_cache(maxsize=1_024)
def parse(text: str) -> Rule:
    """Parse a rule, such as `FREQ=MONTHLY;BYDAY=-1FR`. Raises BadUserInput."""
    parts = _parts(text)
    name = parts.pop("FREQ", "") or _refuse("A rule needs FREQ, such as FREQ=WEEKLY.")
    if name not in Frequency.__members__:
        _refuse("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")
    values: dict[str, Any] = {_NAMES[n]: _READ[n](n, text) for n, text in parts.items()}
    rule = Rule(Frequency(name), **values)
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > MAX_RULE_LENGTH:
        _refuse(f"A rule must have at most {MAX_RULE_LENGTH} characters.")
    if fast := re.search("FREQ=(SECONDLY|MINUTELY|HOURLY)", canonical(text)):
        _refuse(f"{fast[0]} is not supported: use DAILY, WEEKLY, MONTHLY or YEARLY.")
    found: dict[str, str] = {}
    for part in canonical(text).split(";"):
        name, _, value = part.partition("=")
        if name in found:
            _refuse(f"A rule must have {name} only once.")
        if name in {"BYHOUR", "BYMINUTE", "BYSECOND"}:
            _refuse(f"{name} is not supported: the time of day is that of the due date.")
        if name != "FREQ" and name not in _READ:
            known = ", ".join(["FREQ", *_READ])
            _refuse(f"{name[:20]!r} is no part of a rule that is supported. Parts are {known}.")
        if not value:
            _refuse(f"{name} needs a value, such as FREQ=WEEKLY;BYDAY=MO.")
        found[name] = value
    return found


def canonical(text: str) -> str:
    """The rule as it is kept: upper case, without the name of the property."""
    return text.strip().upper().removeprefix("RRULE:").removesuffix(";")


def _refuse(message: str) -> NoReturn:
    raise BadUserInput(message, RRULE)


def _number(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            _refuse(f"{name} must be a number from {low} to {high:,}.")
        return int(text)

    return read


def _numbers(high: int, *, signed: bool = True) -> Callable[[str, str], tuple[int, ...]]:
    def read(name: str, text: str) -> tuple[int, ...]:
        low = -high if signed else 1
        negative = f" or -{high} to -1" if signed else ""
        for each in text.split(","):
            if not _NUMBER.fullmatch(each) or not low <= int(each) <= high or int(each) == 0:
                _refuse(f"{name} must have numbers from 1 to {high}{negative}.")
        return tuple(dict.fromkeys(map(int, text.split(","))))

    return read


def _week_start(name: str, text: str) -> int:
    if text not in DAYS:
        _refuse(f"{name} must be one of {', '.join(DAYS)}.")
    return DAYS.index(text)


def _days(name: str, text: str) -> tuple[tuple[int, int], ...]:
    found: dict[tuple[int, int], None] = {}
    for each in text.split(","):
        match = _BY_DAY.fullmatch(each)
        ordinal = int(match[1] or 0) if match else 0
        if not match or abs(ordinal) > YEAR_WEEKS or (match[1] and not ordinal):
            _refuse(f"{name} must have weekdays, such as MO or, in a month or year, -1FR.")
        found[ordinal, DAYS.index(match[2])] = None
    return tuple(found)


def _until(name: str, text: str) -> date | datetime:
    match = _UNTIL.fullmatch(text)
    if not match:
        _refuse(f"{name} must be a day or an instant: 20301231 or 20301231T170000Z.")
    try:
        if not match[2]:
            return datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a day
        at = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - see below
    except ValueError:
        _refuse(f"{name} is a day or an instant that does not exist.")
    return at.replace(tzinfo=UTC) if match[3] else at


_READ: Mapping[str, Callable[[str, str], object]] = {
    "INTERVAL": _number(1, MAX_INTERVAL),
    "COUNT": _number(1, MAX_COUNT),
    "UNTIL": _until,
    "BYDAY": _days,
    "BYMONTHDAY": _numbers(31),
    "BYYEARDAY": _numbers(366),
    "BYWEEKNO": _numbers(53),
    "BYMONTH": _numbers(12, signed=False),
    "BYSETPOS": _numbers(366),
    "WKST": _week_start,
}
_NAMES = {
    "INTERVAL": "interval",
    "COUNT": "count",
    "UNTIL": "until",
    "BYDAY": "days",
    "BYMONTHDAY": "month_days",
    "BYYEARDAY": "year_days",
    "BYWEEKNO": "weeks",
    "BYMONTH": "months",
    "BYSETPOS": "positions",
    "WKST": "week_start",
}


def _check(rule: Rule) -> None:
    """Raise BadUserInput for parts that RFC 5545 does not allow together."""
    if rule.count is not None and rule.until is not None:
        _refuse("A rule ends by COUNT or by UNTIL, not by both.")
    if rule.month_days and rule.frequency is Frequency.WEEKLY:
        _refuse("BYMONTHDAY does not go with FREQ=WEEKLY.")
    if rule.year_days and rule.frequency is not Frequency.YEARLY:
        _refuse("BYYEARDAY needs FREQ=YEARLY.")
    if rule.weeks and rule.frequency is not Frequency.YEARLY:
        _refuse("BYWEEKNO needs FREQ=YEARLY.")
    if rule.positions and not rule.has_by_parts:
        _refuse("BYSETPOS needs another BY part whose days it counts.")
    _check_ordinals(rule)


def _check_ordinals(rule: Rule) -> None:
    """Raise BadUserInput for weekdays with a number that do not go with the other parts."""
    most = max((abs(ordinal) for ordinal, _ in rule.days), default=0)
    if not most:
        return
    if rule.frequency not in {Frequency.MONTHLY, Frequency.YEARLY}:
        _refuse("A number before a weekday in BYDAY needs FREQ=MONTHLY or FREQ=YEARLY.")
    if rule.weeks:
        _refuse("A number before a weekday in BYDAY does not go with BYWEEKNO.")
    if most > MONTH_WEEKS and (rule.frequency is Frequency.MONTHLY or rule.months):
        _refuse(f"A month has a weekday at most {MONTH_WEEKS} times: BYDAY has a larger number.")
    if rule.month_days and rule.frequency is Frequency.YEARLY and not rule.months:
        _refuse("A number before a weekday in BYDAY goes with BYMONTHDAY in a BYMONTH only.")


def may_come(rule: Rule, *, clamped: bool) -> bool:
    """Tell whether a month of the rule has a day of the rule; `clamped` as `MonthEnd` says."""
    if not rule.month_days:
        return True
    longest = [_LONGEST_MONTHS[month - 1] for month in rule.months or range(1, 13)]
    return any(abs(day) <= max(longest) or (clamped and day > 0) for day in rule.month_days)
