"""The busy times that calendars of other programs stand for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.domain.busy_calendars.model import AllDay, decoded, encoded, merged
from graphql_api.domain.busy_calendars.reading import Frame, read
from graphql_api.domain.planner.model import Interval
from graphql_api.errors import BadUserInput

START = datetime(2026, 3, 20, tzinfo=UTC)
ZONE = """BEGIN:VTIMEZONE
TZID:Custom
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE"""
WINDOWS = "W. Europe Standard Time"
DAILY = "DTSTART;TZID=Europe/Berlin:20260327T090000\nDTEND;TZID=Europe/Berlin:20260327T100000"


def calendar(*events: str, before: str = "") -> bytes:
    inner = "".join(f"BEGIN:VEVENT\nUID:1\n{event}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{before}\n{inner}END:VCALENDAR\n"
    return text.replace("\n\n", "\n").replace("\n", "\r\n").encode()


def frame(all_day=AllDay.IGNORE, days=60, zone="Europe/Berlin") -> Frame:
    return Frame(START, START + timedelta(days), ZoneInfo(zone), all_day)


def times(*events: str, before: str = "", **options) -> list[str]:
    """The merged times, in UTC: `03-27 08:00/09:00`."""
    reading = read(calendar(*events, before=before), frame(**options))
    assert reading.skipped == 0
    found = merged(reading.times, START, frame(**options).end)
    return [f"{each.start:%m-%d %H:%M}/{each.end:%H:%M}" for each in found]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("DTSTART:20260401T090000Z\nDTEND:20260401T100000Z", ["04-01 09:00/10:00"]),
        ("DTSTART:20260401T090000Z\nDURATION:PT90M", ["04-01 09:00/10:30"]),
        ("DTSTART:20260401T090000\nDURATION:PT1H", ["04-01 07:00/08:00"]),  # where the user lives
        (f"DTSTART;TZID={WINDOWS}:20260401T090000\nDURATION:PT1H", ["04-01 07:00/08:00"]),
        ("DTSTART;TZID=Custom:20260401T090000\nDURATION:PT1H", ["04-01 00:00/01:00"]),
        ("DTSTART:20260401T090000Z", []),  # it takes no time
        ("DTSTART:20260401T090000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT", []),
        ("DTSTART:20260401T090000Z\nDURATION:PT1H\nSTATUS:CANCELLED", []),
        ("DTSTART:20260401T090000Z\nDURATION:PT1H\nX-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        ("DTSTART:20260401T090000Z\nDURATION:PT1H\nSTATUS:TENTATIVE", ["04-01 09:00/10:00"]),
        ("DTSTART:20250101T090000Z\nDURATION:PT1H", []),
        ("DTSTART;VALUE=DATE:20260401", []),
    ],
)  # fmt: skip
def test_an_event_takes_its_time(event, found):
    assert times(event, before=ZONE) == found


def test_whole_days_are_those_of_the_user_if_they_count():
    events = [
        "DTSTART;VALUE=DATE:20260401",
        "DTSTART;VALUE=DATE:20260404\nDTEND;VALUE=DATE:20260406",
    ]
    assert times(*events, all_day=AllDay.BUSY) == ["03-31 22:00/22:00", "04-03 22:00/22:00"]
    reading = read(calendar(events[1]), frame(AllDay.BUSY))
    assert reading.times[0].end - reading.times[0].start == timedelta(days=2)


def test_what_recurs_keeps_its_wall_clock():
    assert times(f"{DAILY}\nRRULE:FREQ=DAILY;COUNT=4") == [
        *("03-27 08:00/09:00", "03-28 08:00/09:00", "03-29 07:00/08:00", "03-30 07:00/08:00")
    ]


def test_an_exact_length_stays_exact_over_a_change_of_the_clock():
    night = (
        "DTSTART;TZID=Europe/Berlin:20260327T220000\nDTEND;TZID=Europe/Berlin:20260328T060000\n"
        "RRULE:FREQ=DAILY;COUNT=2"
    )
    assert times(night) == ["03-27 21:00/05:00", "03-28 21:00/05:00"]  # RFC 5545, 3.8.5.3


def test_left_out_added_and_moved_occurrences_are_honoured():
    series = (
        f"{DAILY}\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=5\nEXDATE;TZID=Europe/Berlin:20260403T090000\n"
        "EXDATE:20260424T070000Z\nRDATE;TZID=Europe/Berlin:20260501T120000"
    )
    moved = "RECURRENCE-ID:20260410T070000Z\nDTSTART:20260411T100000Z\nDTEND:20260411T103000Z"
    gone = "RECURRENCE-ID:20260417T070000Z\nDTSTART:20260417T070000Z\nSTATUS:CANCELLED"
    assert times(series, moved, gone) == [
        *("03-27 08:00/09:00", "04-11 10:00/10:30", "05-01 10:00/11:00")
    ]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("FREQ=DAILY;UNTIL=20260329T070000Z", 3),
        ("FREQ=DAILY;UNTIL=20260328", 2),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,MO", 8),
        ("FREQ=MONTHLY;BYDAY=-1FR", 2),
        ("FREQ=YEARLY", 1),
    ],
)
def test_rules_are_those_of_recurring_tasks(rule, count):
    assert len(times(f"{DAILY}\nRRULE:{rule}")) == count


def test_old_rules_cost_no_more_than_young_ones():
    old = "DTSTART:19700101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"
    assert len(times(*[old] * 3)) == 60


def test_our_own_blocks_are_no_echo():
    event = "DTSTART:20260401T090000Z\nDURATION:PT1H"
    echo = calendar(event).replace(b"UID:1", b"UID:1@smart-task-scheduler")
    assert read(echo, frame()).times == []


def test_what_cannot_be_read_is_skipped_and_counted():
    broken = [
        "DTSTART:soon",
        "SUMMARY:no start",
        f"{DAILY}\nRRULE:FREQ=HOURLY",
        f"{DAILY}\nRRULE:FREQ=NEVER",
        f"{DAILY}\nRRULE:FREQ=DAILY;BYHOUR=9,17",
        "DTSTART:20260401T090000Z\nDTEND:20260401T080000Z",
        "DTSTART:20260401T090000Z\nDTEND;VALUE=DATE:20260402",
    ]
    reading = read(calendar(*broken, "DTSTART:20260401T090000Z\nDURATION:PT1H"), frame())
    assert (reading.skipped, len(reading.times)) == (len(broken), 1)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"x", b"\xff\xfe", b"BEGIN:VCALENDAR\r\n", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"),
        *(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 2_000, b"<html></html>", b"x" * 1_048_577),
        calendar(*[""] * 5_001),
        calendar(before="X:\n" * 50_001),
        calendar(*[f"{DAILY}\nRRULE:FREQ=DAILY"] * 1_001),
    ],
    ids=range(11),
)
def test_what_is_no_calendar_or_too_large_a_one_is_refused(data):
    with pytest.raises(BadUserInput) as refused:
        read(data, frame())
    assert refused.value.field == "ics"


def own_zone(offset: str = "+0900", rule: str = "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", n: int = 1):
    """A zone that nobody else knows, of `n` parts with a rule."""
    part = f"""BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
RRULE:{rule}
END:STANDARD
"""
    return f"BEGIN:VTIMEZONE\nTZID:Own\n{part * n}END:VTIMEZONE"


def test_a_zone_of_a_file_is_none_of_another_file():
    event = "DTSTART;TZID=Own:20260401T090000\nDURATION:PT1H"
    assert times(event, before=own_zone("+0900")) == ["04-01 00:00/01:00"]
    assert times(event, before=own_zone("-0500")) == ["04-01 14:00/15:00"]
    assert times(event) == ["04-01 07:00/08:00"]  # where the user lives


@pytest.mark.parametrize(
    "zone",
    [
        own_zone(rule="FREQ=DAILY"),
        own_zone(rule="FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU"),
        own_zone(rule="FREQ=YEARLY;INTERVAL=2"),
        own_zone(rule="FREQ=YEARLY;BYDAY=MO"),
        own_zone(rule="FREQ=YEARLY\nEXRULE:FREQ=DAILY"),
        own_zone(n=50),
    ],
    ids=range(6),
)
def test_zones_whose_clocks_change_too_often_are_refused(zone):
    with pytest.raises(BadUserInput, match="changes of clocks") as refused:
        read(calendar("DTSTART;TZID=Own:20260401T090000", before=zone), frame())
    assert refused.value.field == "ics"


def test_a_replaced_occurrence_beyond_the_first_year_replaces_nothing():
    assert times(f"{DAILY}\nRECURRENCE-ID;TZID=Europe/Berlin:00010101T000000") == [
        "03-27 08:00/09:00"
    ]


moments = st.integers(0, 60 * 24 * 50).map(lambda minutes: START + timedelta(minutes=minutes))
intervals = st.tuples(moments, st.integers(0, 3_000)).map(
    lambda pair: Interval(pair[0], pair[0] + timedelta(minutes=pair[1]))
)


@given(st.lists(intervals, max_size=20))
def test_merged_times_take_the_same_minutes_and_are_kept_as_they_are(given_times):
    end = START + timedelta(days=40)
    found = merged(given_times, START, end)

    def minutes(times: list[Interval]) -> set[int]:
        return {
            minute
            for each in times
            for minute in range(
                int((max(each.start, START) - START).total_seconds()) // 60,
                int((min(each.end, end) - START).total_seconds()) // 60,
            )
        }

    assert minutes(found) == minutes(given_times)
    assert all(one.end < other.start for one, other in pairwise(found))
    assert decoded(encoded(found)) == found
