"""RFC 5545's own examples, section 3.8.5.3: all of them, with the dates that it gives."""

from datetime import date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from graphql_api.domain.recurrence.model import MonthEnd, Recurrence, Start
from graphql_api.domain.recurrence.occurrences import Occurrences
from graphql_api.errors import BadUserInput

NEW_YORK = "America/New_York"


def at_nine(rrule, begin, *, n=None, **options):
    """The days of the first occurrences, each of which is at nine o'clock in New York."""
    options.setdefault("month_end", MonthEnd.SKIP)
    recurrence = Recurrence.checked(rrule, NEW_YORK, **options)
    occurrences = Occurrences(recurrence, Start(begin, time(9)))
    occurrences.check_first("due_at")
    found = list(islice(occurrences.since(), n))
    zone = ZoneInfo(NEW_YORK)
    assert [each.at.astimezone(zone) for each in found] == [
        datetime.combine(each.on, time(9), zone) for each in found
    ]
    return [each.on for each in found]


def days(text):
    """Days by `1997-09 2 3; 1997-10 1`."""
    found = []
    for part in text.split(";"):
        month, *numbers = part.split()
        found += [date.fromisoformat(f"{month}-{int(number):02}") for number in numbers]
    return found


SEPT_2 = date(1997, 9, 2)
ENDING = [  # first day, rule, all of its days
    (SEPT_2, "FREQ=DAILY;COUNT=10", "1997-09 2 3 4 5 6 7 8 9 10 11"),
    (SEPT_2, "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09 2 12 22; 1997-10 2 12"),
    (
        SEPT_2,
        "FREQ=WEEKLY;COUNT=10",
        "1997-09 2 9 16 23 30; 1997-10 7 14 21 28; 1997-11 4",
    ),
    (
        SEPT_2,
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997-09 2 9 16 23 30; 1997-10 7 14 21 28; 1997-11 4 11 18 25; 1997-12 2 9 16 23",
    ),
    (
        SEPT_2,
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997-09 2 4 9 11 16 18 23 25 30; 1997-10 2",
    ),
    (
        SEPT_2,
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09 2 4 9 11 16 18 23 25 30; 1997-10 2",
    ),
    (
        date(1997, 9, 1),
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        (
            "1997-09 1 3 5 15 17 19 29; 1997-10 1 3 13 15 17 27 29 31; 1997-11 10 12 14 24 26 28;"
            "1997-12 8 10 12 22"
        ),
    ),
    (
        SEPT_2,
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09 2 4 16 18 30; 1997-10 2 14 16",
    ),
    (
        date(1997, 9, 5),
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        (
            "1997-09 5; 1997-10 3; 1997-11 7; 1997-12 5; 1998-01 2; 1998-02 6; 1998-03 6;"
            "1998-04 3; 1998-05 1; 1998-06 5"
        ),
    ),
    (
        date(1997, 9, 5),
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09 5; 1997-10 3; 1997-11 7; 1997-12 5",
    ),
    (
        date(1997, 9, 7),
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09 7 28; 1997-11 2 30; 1998-01 4 25; 1998-03 1 29; 1998-05 3 31",
    ),
    (
        date(1997, 9, 22),
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09 22; 1997-10 20; 1997-11 17; 1997-12 22; 1998-01 19; 1998-02 16",
    ),
    (
        SEPT_2,
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09 2 15; 1997-10 2 15; 1997-11 2 15; 1997-12 2 15; 1998-01 2 15",
    ),
    (
        date(1997, 9, 30),
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09 30; 1997-10 1 31; 1997-11 1 30; 1997-12 1 31; 1998-01 1 31; 1998-02 1",
    ),
    (
        date(1997, 9, 10),
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09 10 11 12 13 14 15; 1999-03 10 11 12 13",
    ),
    (
        date(1997, 6, 10),
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        (
            "1997-06 10; 1997-07 10; 1998-06 10; 1998-07 10; 1999-06 10; 1999-07 10; 2000-06 10;"
            "2000-07 10; 2001-06 10; 2001-07 10"
        ),
    ),
    (
        date(1997, 3, 10),
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        (
            "1997-03 10; 1999-01 10; 1999-02 10; 1999-03 10; 2001-01 10; 2001-02 10; 2001-03 10;"
            "2003-01 10; 2003-02 10; 2003-03 10"
        ),
    ),
    (
        date(1997, 1, 1),
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        (
            "1997-01 1; 1997-04 10; 1997-07 19; 2000-01 1; 2000-04 9; 2000-07 18; 2003-01 1;"
            "2003-04 10; 2003-07 19; 2006-01 1"
        ),
    ),
    (
        date(1997, 9, 4),
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09 4; 1997-10 7; 1997-11 6",
    ),
    (
        date(1997, 8, 5),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08 5 10 19 24",
    ),
    (
        date(1997, 8, 5),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08 5 17 19 31",
    ),
    (
        date(2007, 1, 15),
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01 15 30; 2007-02 15; 2007-03 15 30",
    ),
]
ENDLESS = [  # first day, rule, the first of its days
    (SEPT_2, "FREQ=DAILY;INTERVAL=2", "1997-09 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30"),
    (SEPT_2, "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09 2 16 30; 1997-10 14 28; 1997-11 11 25"),
    (
        date(1997, 9, 28),
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09 28; 1997-10 29; 1997-11 28; 1997-12 29; 1998-01 29; 1998-02 26",
    ),
    (
        SEPT_2,
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09 2 9 16 23 30; 1997-11 4 11 18 25; 1998-01 6 13 20 27; 1998-03 3 10 17 24 31",
    ),
    (date(1997, 5, 19), "FREQ=YEARLY;BYDAY=20MO", "1997-05 19; 1998-05 18; 1999-05 17"),
    (
        date(1997, 5, 12),
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05 12; 1998-05 11; 1999-05 17",
    ),
    (
        date(1997, 3, 13),
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03 13 20 27; 1998-03 5 12 19 26; 1999-03 4 11 18 25",
    ),
    (
        date(1997, 6, 5),
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06 5 12 19 26; 1997-07 3 10 17 24 31; 1997-08 7 14 21 28; 1998-06 4 11 18 25",
    ),
    (  # the RFC begins it on a day that the rule lacks, and leaves that day out
        date(1998, 2, 13),
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1998-02 13; 1998-03 13; 1998-11 13; 1999-08 13; 2000-10 13",
    ),
    (
        date(1997, 9, 13),
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09 13; 1997-10 11; 1997-11 8; 1997-12 13; 1998-01 10; 1998-02 7; 1998-03 7",
    ),
    (
        date(1996, 11, 5),
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11 5; 2000-11 7; 2004-11 2",
    ),
    (
        date(1997, 9, 29),
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09 29; 1997-10 30; 1997-11 27; 1997-12 30; 1998-01 29; 1998-02 26; 1998-03 30",
    ),
]


@pytest.mark.parametrize(("begin", "rrule", "expected"), ENDING)
def test_an_example_that_ends_has_these_days(begin, rrule, expected):
    assert at_nine(rrule, begin) == days(expected)


@pytest.mark.parametrize(("begin", "rrule", "expected"), ENDLESS)
def test_an_example_without_end_begins_with_these_days(begin, rrule, expected):
    wanted = days(expected)
    assert at_nine(rrule, begin, n=len(wanted)) == wanted


def test_daily_until_an_instant_ends_on_the_day_before_it():
    found = at_nine("FREQ=DAILY;UNTIL=19971224T000000Z", SEPT_2)
    assert (len(found), found[-1]) == (113, date(1997, 12, 23))


def test_every_day_of_january_is_the_same_by_two_rules():
    yearly = "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA"
    daily = "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1"
    begin = date(1998, 1, 1)
    expected = [date(year, 1, day) for year in (1998, 1999, 2000) for day in range(1, 32)]
    assert at_nine(yearly, begin) == at_nine(daily, begin) == expected


@pytest.mark.parametrize(
    ("rrule", "part"),
    [
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", "HOURLY"),
        ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", "MINUTELY"),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", "MINUTELY"),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", "BYHOUR"),
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", "MINUTELY"),
    ],
)
def test_an_example_that_comes_several_times_a_day_is_refused_with_its_reason(rrule, part):
    with pytest.raises(BadUserInput, match=part) as refused:
        at_nine(rrule, SEPT_2)
    assert refused.value.field == "rrule"
