"""Days that are not there, hours that come twice, months that are short, and rules that end."""

from datetime import UTC, date, datetime, time
from itertools import islice

import pytest

from graphql_api.domain.recurrence.model import (
    Adjustment,
    MonthEnd,
    Recurrence,
    RecurrenceAnchor,
    Start,
)
from graphql_api.domain.recurrence.occurrences import Occurrences
from graphql_api.errors import BadUserInput

GAP, OVERLAP, MONTH_END = Adjustment.GAP, Adjustment.OVERLAP, Adjustment.MONTH_END
COMPLETION = RecurrenceAnchor.COMPLETION
BERLIN = "Europe/Berlin"


def occurrences(rrule, begin, at=None, timezone=BERLIN, **options):
    recurrence = Recurrence.checked(rrule, timezone, **options)
    start = Start(date.fromisoformat(begin), at and time.fromisoformat(at))
    found = Occurrences(recurrence, start)
    found.check_first("due_at")
    return found


def listed(*args, n=20, **options):
    """Each day, its instant, and why it is not where the rule says."""
    found = islice(occurrences(*args, **options).since(), n)
    return [
        (str(each.on), each.at and each.at.strftime("%dT%H:%MZ"), each.adjusted_for)
        for each in found
    ]


def days(*args, n=20, **options):
    return [on for on, _, _ in listed(*args, n=n, **options)]


@pytest.mark.parametrize(
    ("timezone", "begin", "at", "expected"),
    [
        (
            BERLIN, "2026-03-28", "02:30",
            [("2026-03-28", "28T01:30Z", None), ("2026-03-29", "29T01:30Z", GAP),
             ("2026-03-30", "30T00:30Z", None)],
        ),
        (
            BERLIN, "2026-10-24", "02:30",
            [("2026-10-24", "24T00:30Z", None), ("2026-10-25", "25T00:30Z", OVERLAP),
             ("2026-10-26", "26T01:30Z", None)],
        ),
        (  # half an hour: 02:15 becomes 02:45
            "Australia/Lord_Howe", "2026-10-03", "02:15",
            [("2026-10-03", "02T15:45Z", None), ("2026-10-04", "03T15:45Z", GAP),
             ("2026-10-05", "04T15:15Z", None)],
        ),
        (  # Morocco leaves summer time for Ramadan: 02:30 comes twice
            "Africa/Casablanca", "2026-02-14", "02:30",
            [("2026-02-14", "14T01:30Z", None), ("2026-02-15", "15T01:30Z", OVERLAP),
             ("2026-02-16", "16T02:30Z", None)],
        ),
        (  # Samoa had no 30 December: that day's is the next day's
            "Pacific/Apia", "2011-12-28", "09:00",
            [("2011-12-28", "28T19:00Z", None), ("2011-12-29", "29T19:00Z", None),
             ("2011-12-31", "30T19:00Z", None)],
        ),
        (  # Cairo's clocks leave out midnight
            "Africa/Cairo", "2026-04-23", "00:00",
            [("2026-04-23", "22T22:00Z", None), ("2026-04-24", "23T22:00Z", GAP),
             ("2026-04-25", "24T21:00Z", None)],
        ),
    ],
)  # fmt: skip
def test_wall_time_is_kept_where_clocks_are_set(timezone, begin, at, expected):
    assert listed("FREQ=DAILY", begin, at, timezone=timezone, n=3) == expected


def test_a_weekly_day_that_a_zone_left_out_is_the_next_one():
    found = listed("FREQ=WEEKLY", "2011-12-23", "09:00", timezone="Pacific/Apia", n=3)
    assert [(on, why) for on, _, why in found] == [
        ("2011-12-23", None), ("2011-12-31", GAP), ("2012-01-06", None)
    ]  # fmt: skip


def test_count_counts_a_lost_day_and_the_next_one_as_one():
    found = days("FREQ=DAILY;COUNT=4", "2011-12-29", "09:00", timezone="Pacific/Apia")
    assert found == ["2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02"]


def test_a_series_that_begins_in_the_second_of_two_hours_has_its_other_times_as_any():
    recurrence = Recurrence.checked("FREQ=MONTHLY;BYMONTH=3,10;BYDAY=-1SU", BERLIN)
    start = Start.of(datetime(2025, 10, 26, 1, 30, tzinfo=UTC), BERLIN)  # 02:30, again
    found = list(islice(Occurrences(recurrence, start).since(), 3))
    assert [(each.at, each.adjusted_for) for each in found] == [
        (datetime(2025, 10, 26, 1, 30, tzinfo=UTC), None),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), GAP),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), OVERLAP),
    ]


def test_whole_days_have_no_instant():
    assert listed("FREQ=DAILY;COUNT=2", "2026-03-28") == [
        ("2026-03-28", None, None), ("2026-03-29", None, None)
    ]  # fmt: skip


def test_the_31st_is_the_last_day_of_shorter_months():
    found = listed("FREQ=MONTHLY", "2026-01-31", n=5)
    assert [(on, why) for on, _, why in found] == [
        ("2026-01-31", None), ("2026-02-28", MONTH_END), ("2026-03-31", None),
        ("2026-04-30", MONTH_END), ("2026-05-31", None),
    ]  # fmt: skip


def test_the_31st_is_left_out_of_shorter_months_on_request():
    found = days("FREQ=MONTHLY", "2026-01-31", n=3, month_end=MonthEnd.SKIP)
    assert found == ["2026-01-31", "2026-03-31", "2026-05-31"]


def test_29_february_is_the_28th_of_other_years_or_waits():
    assert days("FREQ=YEARLY", "2024-02-29", n=5)[1:] == [
        "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"
    ]  # fmt: skip
    skipped = days("FREQ=YEARLY", "2096-02-29", n=3, month_end=MonthEnd.SKIP)
    assert skipped == ["2096-02-29", "2104-02-29", "2108-02-29"]


def test_two_days_that_a_month_lacks_are_one_in_it():
    found = days("FREQ=MONTHLY;BYMONTHDAY=30,31", "2026-01-30", n=4)
    assert found == ["2026-01-30", "2026-01-31", "2026-02-28", "2026-03-30"]


def test_positions_count_days_after_missing_ones_were_filled_in():
    found = days("FREQ=YEARLY;BYMONTHDAY=31;BYSETPOS=2", "2026-02-28", n=2)
    assert found == ["2026-02-28", "2027-02-28"]


def test_a_week_of_the_year_has_the_weekday_of_the_first_day():
    assert days("FREQ=YEARLY;BYWEEKNO=20;COUNT=3", "2026-05-14") == [
        "2026-05-14", "2027-05-20", "2028-05-18"
    ]  # fmt: skip


def test_week_53_comes_in_the_years_that_have_it():
    assert days("FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH", "2026-12-31", n=3) == [
        "2026-12-31", "2032-12-30", "2037-12-31"
    ]  # fmt: skip


def test_a_day_of_january_may_be_in_the_last_week_of_a_year_that_begins_on_a_thursday():
    rule = "FREQ=YEARLY;BYYEARDAY=1;BYWEEKNO=52;WKST=TH"
    assert days(rule, "2002-01-01", n=2) == ["2002-01-01", "2003-01-01"]


def test_week_1_may_begin_in_december():
    assert days("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2024-01-01", n=3) == [
        "2024-01-01", "2024-12-30", "2025-12-29"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "until", ["20260329", "20260329T060000Z", "20260329T080000", "20260329T070000Z"]
)
def test_until_includes_what_is_on_it(until):
    found = days(f"FREQ=DAILY;UNTIL={until}", "2026-03-28", "08:00")
    assert found == ["2026-03-28", "2026-03-29"]


def test_until_is_an_instant_and_not_a_wall_time_posing_as_utc():
    assert days("FREQ=DAILY;UNTIL=20260329T055959Z", "2026-03-28", "08:00") == ["2026-03-28"]


def test_a_count_of_one_comes_once():
    assert days("FREQ=DAILY;COUNT=1", "2026-03-28") == ["2026-03-28"]


def test_days_left_out_are_local_days_and_are_counted():
    found = days("FREQ=DAILY;COUNT=3", "2026-10-24", "02:30", ex_dates=[date(2026, 10, 25)])
    assert found == ["2026-10-24", "2026-10-26"]


def test_a_plain_weekday_beside_a_numbered_one_means_every_one():
    found = days("FREQ=MONTHLY;BYDAY=1MO,WE", "2026-06-01", n=6)
    assert found[:5] == ["2026-06-01", "2026-06-03", "2026-06-10", "2026-06-17", "2026-06-24"]


@pytest.mark.parametrize(
    ("rrule", "begin", "done", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2026-03-01", "2026-03-10", ["2026-03-13", "2026-03-16"]),
        ("FREQ=WEEKLY", "2026-03-01", "2026-03-10", ["2026-03-17", "2026-03-24"]),
        ("FREQ=MONTHLY", "2026-01-01", "2026-01-31", ["2026-02-28", "2026-03-28"]),
        ("FREQ=YEARLY", "2024-02-29", "2024-02-29", ["2025-02-28", "2026-02-28"]),
    ],
)
def test_what_counts_from_completion_comes_so_long_after_it(rrule, begin, done, expected):
    by_completion = occurrences(rrule, begin, "09:00", anchor=COMPLETION)
    found = islice(by_completion.from_completion(date.fromisoformat(done)), 2)
    assert [str(each.on) for each in found] == expected


def test_from_completion_wall_time_is_kept():
    by_completion = occurrences("FREQ=DAILY", "2026-03-27", "09:00", anchor=COMPLETION)
    first = next(by_completion.from_completion(date(2026, 3, 28)))
    assert first.at == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_a_preview_by_completion_begins_with_the_start_and_ends_by_its_count():
    by_completion = occurrences("FREQ=DAILY;COUNT=2", "2026-03-27", anchor=COMPLETION)
    assert [str(each.on) for each in by_completion.preview()] == ["2026-03-27", "2026-03-28"]


def test_a_rule_from_ten_years_ago_looks_at_the_present_year_only(monkeypatch):
    from graphql_api.domain.recurrence import days as module  # noqa: PLC0415

    years = []
    expand = module._expansion
    monkeypatch.setattr(
        module, "_expansion", lambda rule, year: years.append(year) or expand(rule, year)
    )
    old = occurrences("FREQ=DAILY", "2016-03-28", "09:00")
    found = [str(each.on) for each in islice(old.after(date(2026, 3, 28)), 5)]
    assert found[0] == "2026-03-29"
    assert years == [2016, 2026]  # the first for the check of its first day


@pytest.mark.parametrize(
    ("rrule", "field"),
    [
        ("", "rrule"), ("DAILY", "rrule"), ("FREQ=SECONDLY", "rrule"), ("FREQ=HOURLY", "rrule"),
        ("FREQ=FORTNIGHTLY", "rrule"), ("FREQ=DAILY;COUNT=1001", "rrule"),
        ("FREQ=DAILY;COUNT=0", "rrule"), ("FREQ=DAILY;COUNT=2;UNTIL=20300101", "rrule"),
        ("FREQ=DAILY;INTERVAL=0", "rrule"), ("FREQ=DAILY;INTERVAL=9999", "rrule"),
        ("FREQ=DAILY;FREQ=DAILY", "rrule"), ("FREQ=DAILY;X=1", "rrule"),
        ("FREQ=MONTHLY;RSCALE=HEBREW", "rrule"), ("FREQ=MONTHLY;SKIP=OMIT", "rrule"),
        ("FREQ=DAILY;BYHOUR=9", "rrule"), ("FREQ=DAILY;UNTIL=2030", "rrule"),
        ("FREQ=DAILY;UNTIL=20300230", "rrule"), ("FREQ=WEEKLY;BYDAY=1MO", "rrule"),
        ("FREQ=WEEKLY;BYDAY=XX", "rrule"), ("FREQ=WEEKLY;BYMONTHDAY=1", "rrule"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "rrule"), ("FREQ=MONTHLY;BYWEEKNO=1", "rrule"),
        ("FREQ=MONTHLY;BYDAY=6MO", "rrule"), ("FREQ=MONTHLY;BYMONTHDAY=0", "rrule"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "rrule"), ("FREQ=DAILY;BYSETPOS=1", "rrule"),
        ("FREQ=MONTHLY;BYDAY=", "rrule"), ("FREQ=DAILY;COUNT=\u0661", "rrule"),
        ("FREQ=YEARLY;BYDAY=1MO;BYWEEKNO=1", "rrule"),
        ("FREQ=DAILY;UNTIL=20260101", "rrule"),
        ("FREQ=DAILY;" + "BYMONTH=1," * 99 + "1", "rrule"),
        ("FREQ=WEEKLY;BYDAY=MO", "due_at"),
        ("FREQ=YEARLY;BYYEARDAY=366;BYMONTH=11", "rrule"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_with_the_field(rrule, field):
    with pytest.raises(BadUserInput) as refused:
        occurrences(rrule, "2026-03-28", "09:00")
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"ex_dates": [date(2026, 3, 28)]}, "ex_dates"),
        ({"ex_dates": [date.fromordinal(n) for n in range(1, 400)]}, "ex_dates"),
    ],
)
def test_what_goes_with_a_rule_is_refused_with_the_field(options, field):
    with pytest.raises(BadUserInput) as refused:
        occurrences("FREQ=DAILY", "2026-03-28", "09:00", **options)
    assert refused.value.field == field


def test_a_day_that_no_month_has_never_comes():
    with pytest.raises(BadUserInput, match="never comes"):
        occurrences("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-02-28", month_end=MonthEnd.SKIP)


def test_by_parts_contradict_completion():
    with pytest.raises(BadUserInput) as refused:
        occurrences("FREQ=WEEKLY;BYDAY=SA", "2026-03-28", anchor=COMPLETION)
    assert refused.value.field == "rrule"


def test_the_message_tells_the_first_day_that_would_do():
    with pytest.raises(BadUserInput, match=r"Saturday, 2026-03-28.*Monday, 2026-03-30"):
        occurrences("FREQ=WEEKLY;BYDAY=MO", "2026-03-28")
