"""When a person works: what can be meant, and how it is kept."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.domain.settings import model
from graphql_api.domain.settings.model import (
    WEEKDAYS,
    LocalInterval,
    Schedule,
    Settings,
    Weekday,
    WorkingDay,
    weekly,
)
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import BadUserInput
from graphql_api.infra.dynamodb import codec

MONDAY, TUESDAY, *_, SUNDAY = Weekday


def hours(day: Weekday, *texts: str) -> WorkingDay:
    """A day with hours such as 09:00-12:00."""
    pairs = (text.split("-") for text in texts)
    return WorkingDay(day, tuple(LocalInterval(*map(time.fromisoformat, pair)) for pair in pairs))


def edited(**fields) -> Settings:
    return Settings(user_id="ann").edit(fields)


def test_whoever_has_set_nothing_works_from_monday_to_friday_with_a_break_in_utc():
    week = weekly(Settings(user_id="ann").working_hours)

    workday = ((time(9), time(12)), (time(13), time(17)))
    assert week == (workday,) * 5 + ((), ())
    assert Settings(user_id="ann").timezone == "UTC"


def test_a_week_is_kept_in_its_order_without_the_days_that_are_free():
    week = edited(
        working_hours=(
            hours(SUNDAY, "10:00-11:00"),
            hours(TUESDAY),
            hours(MONDAY, "02:30-03:00", "01:00-02:00"),
        )
    )

    assert week.working_hours == (
        hours(MONDAY, "01:00-02:00", "02:30-03:00"),
        hours(SUNDAY, "10:00-11:00"),
    )
    assert weekly(week.working_hours)[1] == ()


@pytest.mark.parametrize(
    ("week", "at"),
    [
        ((hours(MONDAY, "09:00-12:00", "11:59-13:00"),), "[0].intervals[1]"),
        ((hours(MONDAY, "11:59-13:00", "09:00-12:00"),), "[0].intervals[0]"),
        ((hours(MONDAY, "09:00-12:00", "09:00-12:00"),), "[0].intervals[1]"),
        ((hours(MONDAY, "17:00-09:00", "18:00-19:00"),), "[0].intervals[1]"),
        ((hours(MONDAY, "22:00-06:00"), hours(TUESDAY, "05:59-07:00")), "[1].intervals[0]"),
        ((hours(SUNDAY, "22:00-06:00"), hours(MONDAY, "05:59-07:00")), "[1].intervals[0]"),
        ((hours(MONDAY, "08:00-08:00"), hours(TUESDAY, "07:00-09:00")), "[1].intervals[0]"),
        ((hours(MONDAY, "09:00-10:00"), hours(MONDAY, "11:00-12:00")), "[1].day"),
        (
            (
                hours(
                    MONDAY,
                    *(
                        f"{n // 2:02}:{n % 2 * 30:02}-{n // 2:02}:{n % 2 * 30 + 5:02}"
                        for n in range(25)
                    ),
                ),
            ),
            "[0].intervals",
        ),
    ],
    ids=range(9),
)
def test_hours_neither_overlap_nor_come_twice_nor_too_often(week, at):
    with pytest.raises(BadUserInput) as caught:
        edited(working_hours=week)

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "day" if at.endswith("day") else "intervals", "at": f"working_hours{at}"},
    )


@pytest.mark.parametrize(
    "week",
    [
        (hours(MONDAY, "09:00-12:00", "12:00-13:00"),),
        (hours(MONDAY, "22:00-06:00"), hours(TUESDAY, "06:00-07:00", "22:00-06:00")),
        (hours(SUNDAY, "22:00-06:00"), hours(MONDAY, "06:00-07:00")),
        tuple(hours(day, "00:00-00:00") for day in WEEKDAYS),
        (hours(MONDAY, "08:00-08:00"), hours(TUESDAY, "08:00-09:00")),
        (),
    ],
    ids=range(6),
)
def test_hours_may_touch_and_cross_midnight(week):
    assert set(edited(working_hours=week).working_hours) == set(week)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "europe/berlin", "../../etc/passwd", "Europe", "UTC\0", "x" * 9999]
)
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(BadUserInput) as caught:
        edited(timezone=name)

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "timezone"},
    )
    assert len(caught.value.message) < 400


def test_days_off_are_kept_in_order_and_once():
    eve, day = date(2026, 12, 24), date(2026, 12, 25)

    assert edited(days_off=(day, eve, day)).days_off == (eve, day)


def test_there_are_at_most_a_years_days_off():
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(367)]

    assert len(edited(days_off=days[:366]).days_off) == 366
    with pytest.raises(BadUserInput) as caught:
        edited(days_off=days)
    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "days_off"},
    )


def test_none_gives_a_field_its_default_and_the_others_stay():
    before = edited(timezone="Asia/Tokyo", days_off=(date(2026, 1, 1),), working_hours=())

    after = before.edit({"timezone": None, "working_hours": None})

    assert after == Settings(user_id="ann", days_off=before.days_off, version=2)


def test_the_tags_of_schedules_are_compared_once_for_all_tasks(monkeypatch):
    compared = []
    schedules = tuple(Schedule(f"s{n}", (), tags=(f"tag {n}", f"other {n}")) for n in range(10))
    settings = edited(schedules=schedules)
    tasks = [
        Task.new(
            "ann", {"title": "x", "tags": ("TAG 7", "tag 3")}, datetime(2030, 1, 1, tzinfo=UTC)
        )
    ] * 100
    monkeypatch.setattr(model, "comparable", lambda text: compared.append(text) or text.lower())

    schedule_of = settings.finding_schedules()

    assert {schedule_of(task) for task in tasks} == {"s3"}
    assert len(compared) == 20 + 2 * 100


def test_a_change_that_changes_nothing_gives_the_same_settings():
    before = edited(timezone="Asia/Tokyo")

    assert before.edit({"timezone": "Asia/Tokyo", "days_off": ()}) is before


INTERVALS = st.builds(LocalInterval, *[st.builds(time, st.integers(0, 23), st.integers(0, 59))] * 2)
WEEKS = st.lists(
    st.builds(WorkingDay, st.sampled_from(Weekday), st.lists(INTERVALS, max_size=2).map(tuple)),
    max_size=4,
).map(tuple)


@settings(deadline=None)
@given(WEEKS)
def test_a_week_is_refused_exactly_if_a_minute_of_it_would_be_worked_twice(week):
    minutes = [
        (WEEKDAYS.index(day.day) * 1440 + minute) % (7 * 1440)
        for day in week
        for interval in day.intervals
        for minute in range(*interval.minutes)
    ]
    days = [day.day for day in week]
    fit = len(set(minutes)) == len(minutes) and len(set(days)) == len(days)

    try:
        kept = edited(working_hours=week)
    except BadUserInput:
        assert not fit
    else:
        assert fit
        assert codec.decode(Settings, codec.encode(kept)) == kept
