from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from graphql_api.domain.planner.calendar import free_intervals, moment
from graphql_api.domain.planner.minutes import ceil, floor, instant
from graphql_api.domain.planner.model import Interval, PlanRequest, WorkingHours

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def free(hours, from_, days=1, busy=(), zone="UTC", days_off=()):
    """Free time as texts in UTC, when every day has these hours."""
    request = PlanRequest(
        tasks=(),
        hours=WorkingHours((tuple(hours),) * 7, days_off, zone),
        from_=from_,
        busy=busy,
        horizon_days=days,
    )
    return [
        f"{instant(a):%d %H:%M}-{instant(b):%d %H:%M}"
        for a, b in free_intervals(request, request.hours)
    ]


def hours(*texts):
    """`09:00-12:00` and so on as pairs of times."""
    return [tuple(map(time.fromisoformat, text.split("-"))) for text in texts]


NIGHT = hours("22:00-06:00")


def test_free_time_is_the_hours_of_each_day_in_utc():
    found = free(hours("09:00-12:00", "13:00-17:00"), MONDAY, 2, zone="Asia/Kathmandu")

    assert found == [
        "23 03:15-23 06:15",
        "23 07:15-23 11:15",
        "24 03:15-24 06:15",
        "24 07:15-24 11:15",
    ]


def test_free_time_begins_and_ends_with_the_plan():
    from_ = datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC)

    assert free(hours("09:00-17:00"), from_) == ["23 10:01-23 17:00", "24 09:00-24 10:01"]


def test_hours_that_touch_are_one_free_time():
    assert free(hours("08:00-12:00", "12:00-16:00"), MONDAY) == ["23 08:00-23 16:00"]
    assert free(hours("00:00-00:00"), MONDAY, 3) == ["23 00:00-26 00:00"]


def test_hours_may_end_on_the_next_day():
    assert free(NIGHT, MONDAY) == ["23 00:00-23 06:00", "23 22:00-24 00:00"]
    assert free(hours("18:00-00:00"), MONDAY) == ["23 18:00-24 00:00"]


def test_a_day_off_takes_the_hours_that_start_on_it():
    off = (date(2026, 11, 24),)

    assert free(NIGHT, MONDAY, 3, days_off=off) == [
        "23 00:00-23 06:00",
        "23 22:00-24 06:00",
        "25 22:00-26 00:00",
    ]


@pytest.mark.parametrize(
    ("busy", "left"),
    [
        ([(9, 10)], ["23 10:00-23 17:00"]),
        ([(0, 10), (16, 30)], ["23 10:00-23 16:00"]),
        ([(10, 11), (12, 13)], ["23 09:00-23 10:00", "23 11:00-23 12:00", "23 13:00-23 17:00"]),
        ([(12, 15), (10, 13), (11, 12)], ["23 09:00-23 10:00", "23 15:00-23 17:00"]),
        ([(10, 10)], ["23 09:00-23 17:00"]),
        ([(-50, 50)], []),
        ([(-50, -40), (40, 50)], ["23 09:00-23 17:00"]),
    ],
)
def test_busy_time_is_not_free(busy, left):
    given = tuple(
        Interval(MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end))
        for start, end in busy
    )

    assert free(hours("09:00-17:00"), MONDAY, busy=given) == left


def test_a_minute_that_is_busy_in_part_is_not_free():
    second = timedelta(seconds=1)
    busy = Interval(MONDAY.replace(hour=10) + second, MONDAY.replace(hour=11) + second)

    assert free(hours("09:00-17:00"), MONDAY, busy=(busy,)) == [
        "23 09:00-23 10:00",
        "23 11:01-23 17:00",
    ]


# Nights on which the clocks change

# What each clock does, and when, is beside the noon before.
BERLIN_SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)  # 29 March: 02:00 CET is 03:00 CEST, 01:00Z
BERLIN_AUTUMN = datetime(
    2026, 10, 24, 12, tzinfo=UTC
)  # 25 October: 03:00 CEST is 02:00 CET, 01:00Z


NEW_YORK_SPRING = datetime(2026, 3, 7, 20, tzinfo=UTC)  # 8 March: 02:00 EST is 03:00 EDT, 07:00Z
NEW_YORK_AUTUMN = datetime(2026, 10, 31, 20, tzinfo=UTC)  # 1 November: 02:00 EDT is 01:00, 06:00Z
LORD_HOWE_SPRING = datetime(2026, 10, 3, tzinfo=UTC)  # 4 October: 02:00 is 02:30, 15:30Z on the 3rd
LORD_HOWE_AUTUMN = datetime(2026, 4, 4, tzinfo=UTC)  # 5 April: 02:00 is 01:30, 15:00Z on the 4th


@pytest.mark.parametrize(
    ("zone", "from_", "window", "found"),
    [
        ("Europe/Berlin", BERLIN_SPRING, "22:00-06:00", "28 21:00-29 04:00"),
        ("Europe/Berlin", BERLIN_SPRING, "01:00-02:30", "29 00:00-29 01:00"),
        ("Europe/Berlin", BERLIN_SPRING, "02:30-04:00", "29 01:00-29 02:00"),
        ("Europe/Berlin", BERLIN_SPRING, "02:00-03:00", None),
        ("Europe/Berlin", BERLIN_SPRING, "02:15-02:45", None),
        ("Europe/Berlin", BERLIN_AUTUMN, "22:00-06:00", "24 20:00-25 05:00"),
        ("Europe/Berlin", BERLIN_AUTUMN, "01:00-02:30", "24 23:00-25 00:30"),
        ("Europe/Berlin", BERLIN_AUTUMN, "02:30-04:00", "25 00:30-25 03:00"),
        ("Europe/Berlin", BERLIN_AUTUMN, "02:00-03:00", "25 00:00-25 02:00"),
        ("America/New_York", NEW_YORK_SPRING, "01:30-03:30", "08 06:30-08 07:30"),
        ("America/New_York", NEW_YORK_AUTUMN, "00:30-02:30", "01 04:30-01 07:30"),
        ("Australia/Lord_Howe", LORD_HOWE_SPRING, "01:00-03:00", "03 14:30-03 16:00"),
        ("Australia/Lord_Howe", LORD_HOWE_SPRING, "02:10-03:00", "03 15:30-03 16:00"),
        ("Australia/Lord_Howe", LORD_HOWE_AUTUMN, "01:00-03:00", "04 14:00-04 16:30"),
    ],
)
def test_on_the_night_of_a_change_the_hours_are_what_the_clock_shows(zone, from_, window, found):
    assert free(hours(window), from_, zone=zone) == ([found] if found else [])


@pytest.mark.parametrize("from_", [BERLIN_SPRING, BERLIN_AUTUMN])
@pytest.mark.parametrize("seam", ["01:59", "02:00", "02:30", "02:59", "03:00"])
def test_whatever_the_clocks_do_two_windows_that_meet_leave_no_gap(from_, seam):
    whole = free(hours("00:00-06:00"), from_, zone="Europe/Berlin")

    assert free(hours(f"00:00-{seam}", f"{seam}-06:00"), from_, zone="Europe/Berlin") == whole


def test_a_day_that_a_zone_skips_has_no_hours():
    from_ = datetime(2011, 12, 29, 20, tzinfo=UTC)  # Samoa skipped 30 December

    found = free(hours("09:00-17:00"), from_, 2, zone="Pacific/Apia")

    assert found == ["29 20:00-30 03:00", "30 19:00-31 03:00", "31 19:00-31 20:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
def test_a_moment_is_the_first_minute_at_which_the_clock_shows_a_time_or_a_later_one(zone):
    samoa = datetime(2011, 12, 29, tzinfo=UTC)
    for start in (BERLIN_SPRING, BERLIN_AUTUMN, datetime(2026, 4, 4, tzinfo=UTC), samoa):
        for quarter in range(4 * 48):
            local = start.replace(tzinfo=None) + timedelta(minutes=15 * quarter)
            at = moment(local, ZoneInfo(zone))
            shown, before = (
                instant(minute).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                for minute in (at, at - 1)
            )
            assert before < local <= shown


def test_minutes_are_rounded_down_or_up():
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    later = at + timedelta(microseconds=1)

    assert (floor(at), ceil(at)) == (floor(later), ceil(later) - 1)
    assert instant(floor(later)) == at
