"""Every rule is expanded as the text of RFC 5545 says, day by day, by code that shares nothing."""

import re
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
import slow_calendar
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphql_api.domain.recurrence.days import Days
from graphql_api.domain.recurrence.model import MonthEnd, Recurrence, Start
from graphql_api.domain.recurrence.occurrences import Occurrences
from graphql_api.domain.recurrence.rules import parse
from graphql_api.errors import BadUserInput

YEARS = 6
ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "Pacific/Apia", "Africa/Cairo", "Asia/Beirut", "America/Sao_Paulo", "America/Havana",
    "Asia/Tehran", "Asia/Gaza", "Pacific/Norfolk", "America/Asuncion", "UTC", "Asia/Kolkata",
]  # fmt: skip

signed = lambda most: st.integers(1, most) | st.integers(-most, -1)  # noqa: E731
several = lambda numbers: st.lists(numbers, min_size=1, max_size=3, unique=True)  # noqa: E731
names = st.sampled_from(slow_calendar.NAMES)


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]

    def maybe(name, values, chance=2):
        if draw(st.integers(0, chance)) == 0:
            parts.append(f"{name}={','.join(map(str, draw(several(values))))}")

    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    maybe("BYMONTH", st.integers(1, 12))
    if frequency != "WEEKLY":
        maybe("BYMONTHDAY", signed(31) | st.sampled_from([28, 29, 30, 31, -1]))
    if frequency == "YEARLY":
        maybe("BYYEARDAY", signed(366), 4)
        maybe("BYWEEKNO", signed(53), 4)
    days = names
    if frequency in {"MONTHLY", "YEARLY"} and "BYWEEKNO" not in str(parts):
        days = names | st.builds("{}{}".format, signed(5), names)
    maybe("BYDAY", days)
    if draw(st.booleans()):
        parts.append(f"WKST={draw(names)}")
    if re.search("BYMONTHDAY|BYYEARDAY|BYDAY", str(parts)):
        maybe("BYSETPOS", signed(4), 4)
    return ";".join(parts)


def expected(rule, begin, **options):
    last = begin.year + YEARS
    found = slow_calendar.days(rule, begin, until_year=last, **options)
    return list(takewhile(lambda day: day.year < last, found))


@settings(max_examples=100, deadline=None)
@given(rules(), st.dates(date(1995, 1, 1), date(2035, 12, 31)), st.booleans())
def test_days_are_those_of_the_rfc(rule, begin, clamped):
    try:
        parsed = parse(rule)
    except BadUserInput:
        assume(False)  # noqa: FBT003
    wanted = expected(rule, begin, clamped=clamped)
    ours = Days.of(parsed, begin, clamped=clamped).since(begin)
    assert list(takewhile(lambda day: day.year < begin.year + YEARS, ours)) == wanted


@settings(max_examples=50, deadline=None)
@given(rules(), st.dates(date(1995, 1, 1), date(2035, 12, 31)), st.integers(0, 3_000))
def test_days_from_a_later_day_on_are_the_same_days(rule, begin, later):
    try:
        days = Days.of(parse(rule), begin, clamped=True)
    except BadUserInput:
        assume(False)  # noqa: FBT003
    since = begin + timedelta(later)
    end = since + timedelta(800)
    whole = [day for day in takewhile(lambda day: day < end, days.since(begin)) if day >= since]
    assert list(takewhile(lambda day: day < end, days.since(since))) == whole


def transitions(timezone):
    """The days from 2010 to 2030 on which the clocks of a zone are set."""
    zone = ZoneInfo(timezone)
    noon = [datetime(2010, 1, 1, 12, tzinfo=zone) + timedelta(n) for n in range(21 * 365)]
    return [b.date() for a, b in pairwise(noon) if a.utcoffset() != b.utcoffset()]


@pytest.mark.parametrize("timezone", ZONES)
def test_instants_are_those_of_the_clock_around_each_change_of_it(timezone):
    for day in transitions(timezone):
        for at in (time(0), time(0, 30), time(1, 45), time(2), time(2, 30), time(3), time(23, 30)):
            begin = day - timedelta(3)
            days = [begin + timedelta(n) for n in range(6)]
            recurrence = Recurrence.checked("FREQ=DAILY", timezone)
            ours = islice(Occurrences(recurrence, Start(begin, at)).since(), 8)
            wanted = slow_calendar.instants(days, at, timezone)
            assert [(each.on, each.at) for each in ours][: len(wanted)] == wanted


@settings(max_examples=60, deadline=None)
@given(
    rules(),
    st.dates(date(2010, 1, 1), date(2030, 12, 31)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0, fold=0)),
    st.sampled_from(ZONES),
    st.sampled_from(MonthEnd),
)
def test_occurrences_are_those_of_the_rfc_in_any_zone(rule, begin, at, timezone, month_end):
    try:
        recurrence = Recurrence.checked(rule, timezone, month_end=month_end)
        days = expected(rule, begin, clamped=recurrence.is_clamped)
        assume(days)
        Occurrences(recurrence, Start(days[0], at)).check_first("due_at")
    except BadUserInput:
        assume(False)  # noqa: FBT003
    days = expected(rule, days[0], clamped=recurrence.is_clamped)[:50]
    found = islice(Occurrences(recurrence, Start(days[0], at)).since(), 50)
    wanted = slow_calendar.instants(days, at, timezone)
    assert [(each.on, each.at) for each in found][: len(wanted)] == wanted
