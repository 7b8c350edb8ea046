"""Times of day in words: `17:00`, `at 5pm`, `um halb neun`, `in 30 minutes`. Pure."""

import re
from datetime import UTC, time, timedelta

from graphql_api.domain.quick_add import words
from graphql_api.domain.quick_add.dates import number_of
from graphql_api.domain.quick_add.model import Asked, Clock, Moment, Phrase, Unread
from graphql_api.domain.quick_add.tokens import Reader

HOURS, MINUTES, NOON = 24, 60, 12

_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))?(a\.?m|p\.?m)?", re.ASCII)
_MERIDIEMS = {"am": 0, "a.m": 0, "pm": NOON, "p.m": NOON}
_HOUR = re.compile(r"\d{1,2}", re.ASCII)
_GLUED = re.compile(r"(\d{1,3})(h|min)", re.ASCII)
_MINUTE = re.compile(r"\d\d", re.ASCII)
_RANGE = re.compile(rf"{_CLOCK.pattern}[-\u2013]{_CLOCK.pattern}", re.ASCII)
_QUARTERS = {"viertel": 15, "quarter": 15, "half": 30}
_NIGHT_HOURS = {"abends": NOON, "nachmittags": NOON, "morgens": 0, "früh": 0}


def time_phrase(reader: Reader, asked: Asked) -> Phrase | None:
    """The time of day, or the moment, that the next words stand for."""
    begin = reader.at
    if moment := _moment(reader, asked):
        return Phrase(reader.at, moment)
    reader.at = begin
    if part := _part(reader):
        return part
    reader.at = begin
    opening = reader.bare
    if not reader.takes(words.BEFORE_A_TIME):
        opening = ""
    if reader.takes(words.NOON):
        return Phrase(reader.at, Clock(time(NOON)))
    if reader.takes({"halb"}):
        return _half(reader)
    begin = reader.at
    if spoken := _spoken(reader, opening):
        return spoken
    reader.at = begin
    return _clock(reader, opening)


def range_phrase(reader: Reader, _: Asked) -> Phrase | None:
    """`9:00-11:00`, `from 9 to 11`, `von 9 bis 11 Uhr`; a `9-11` may as well be pages."""
    opened = reader.takes(words.BEFORE_A_RANGE)
    if found := reader.matches(_RANGE):
        is_clear = any(found[group] for group in (2, 3, 5, 6)) or opened
    else:
        is_clear = opened
        for number in range(2):
            if number and not reader.takes(words.WITHIN_A_RANGE):
                return None
            if not (end := reader.matches(_CLOCK)):
                return None
            is_clear = bool(end[2] or end[3] or reader.value(_MERIDIEMS)) or is_clear
    is_clear = reader.takes({"uhr", "o'clock", "o\u2019clock"}) or is_clear
    if not found and not is_clear:
        return None
    return Phrase(reader.at, Unread("a range of times"), is_shy=not is_clear)


def _moment(reader: Reader, asked: Asked) -> Moment | None:
    """`in 30 minutes`, `in einer Stunde`, `in 2h`."""
    if not reader.takes({"in"}):
        return None
    glued = reader.matches(_GLUED)
    number = int(glued[1]) if glued else number_of(reader)
    unit = words.SHORT_UNITS[glued[2]] if glued else reader.value(words.SHORT_UNITS)
    if number is None or unit is None:
        return None
    size = MINUTES if unit == words.HOUR else 1
    now = asked.now.replace(second=0, microsecond=0)
    at = now.astimezone(UTC) + timedelta(minutes=number * size)  # whatever the clock shows
    return Moment(at.astimezone(now.tzinfo))


def _part(reader: Reader) -> Phrase | None:
    """`in the evening`, `am Abend`."""
    if not (reader.takes_all({"in"}, {"the"}) or reader.takes({"am"})):
        return None
    part = reader.value(words.PARTS_OF_DAY)
    return Phrase(reader.at, Clock(part), f"{part:%H:%M}") if part else None


def _half(reader: Reader) -> Phrase | None:
    """`halb 9` and `halb neun`, which is half past eight."""
    number = number_of(reader)
    if number is None or not 1 <= number <= NOON:
        return None
    reader.takes({"uhr"})
    at = time((number - 1) or NOON, MINUTES // 2)
    return Phrase(reader.at, Clock(at), f"{at:%H:%M}")


def _spoken(reader: Reader, opening: str) -> Phrase | None:
    """`half past eight`, `a quarter to 9`, `Viertel nach acht`, and `at ten to nine`."""
    if reader.takes({"dreiviertel"}):
        return _spoken_hour(reader, -15)
    reader.takes({"a"})
    quarter = reader.bare
    minutes = reader.value(_QUARTERS)
    if minutes is None and opening in {"at", "um"}:
        minutes = number_of(reader)
        reader.takes(words.SHORT_UNITS)
    if minutes is None or minutes > MINUTES // 2:
        return None
    if reader.takes({"past", "after", "nach"}):
        return _spoken_hour(reader, minutes)
    if reader.takes({"to", "before", "vor"}):
        return _spoken_hour(reader, -minutes)
    # `Viertel neun` is a quarter of the hour that ends at nine.
    return _spoken_hour(reader, minutes - MINUTES) if quarter == "viertel" else None


def _spoken_hour(reader: Reader, minutes: int) -> Phrase | None:
    """An hour, and the minutes after it; those before it are less than 0."""
    hour = number_of(reader)
    if hour is None or not 1 <= hour < HOURS:
        return None
    reader.takes({"uhr", "o'clock", "o\u2019clock"})
    shift = reader.value({**_MERIDIEMS, **_NIGHT_HOURS})
    begun, minute = divmod(hour * MINUTES + minutes, MINUTES)
    hour = begun or NOON
    if shift is not None:
        return _of_day(reader.at, hour % NOON + shift, minute)
    return _of_day(reader.at, hour, minute, is_open=hour <= NOON)


def _clock(reader: Reader, opening: str) -> Phrase | None:
    """`17:00`, `9am`, `9 a.m.`, `17 Uhr 30`, and with `at` before it also `9` alone."""
    dotted = "." in reader.bare.removesuffix(".m")
    found = reader.matches(_CLOCK)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    meridiem = _MERIDIEMS.get(found[3] or "")
    if meridiem is None and not found[3]:
        meridiem = reader.value(_MERIDIEMS)
    if meridiem is not None:
        return _twelve_hours(reader.at, hour, minute, meridiem)
    if reader.takes({"uhr", "o'clock", "o\u2019clock"}):
        return _on_the_hour(reader, hour, minute)
    if opening and (shift := reader.value(_NIGHT_HOURS)) is not None:
        return _of_day(reader.at, hour + (shift if hour < NOON else 0), minute)
    if dotted or (not found[2] and opening not in {"at", "um"}):
        return None
    is_open = not found[2] and opening == "at" and 1 <= hour <= NOON
    return _of_day(reader.at, hour, minute, is_open=is_open)


def _on_the_hour(reader: Reader, hour: int, minute: int) -> Phrase | None:
    """The rest of `17 Uhr 30` and of `8 Uhr abends`."""
    begin, after = reader.at, reader.matches(_MINUTE)
    if after and not minute and int(after[0]) < MINUTES:
        return _of_day(reader.at, hour, int(after[0]))
    reader.at = begin
    shift = reader.value(_NIGHT_HOURS) or 0
    return _of_day(reader.at, hour + (shift if hour < NOON else 0), minute)


def _twelve_hours(end: int, hour: int, minute: int, meridiem: int) -> Phrase | None:
    if not 1 <= hour <= NOON:
        return None
    return _of_day(end, hour % NOON + meridiem, minute)


def _of_day(end: int, hour: int, minute: int, *, is_open: bool = False) -> Phrase | None:
    """A time of day; an hour without morning or evening is the one of the clock of 24 hours."""
    if hour >= HOURS or minute >= MINUTES:
        return None
    at = time(hour, minute)
    return Phrase(end, Clock(at), f"{at:%H:%M}" if is_open else "")
