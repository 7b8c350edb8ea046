"""Recurrences say in English when they come."""

from datetime import date, time

import pytest

from graphql_api.domain.recurrence.model import MonthEnd, Recurrence, RecurrenceAnchor, Start
from graphql_api.domain.recurrence.words import text


def words(rrule, begin=date(2026, 1, 30), at=time(17), **options):
    return text(Recurrence.checked(rrule, "Europe/Berlin", **options), Start(begin, at))


@pytest.mark.parametrize(
    ("rrule", "expected"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=SA", "every 2 days, if it is a Saturday"),
        ("FREQ=DAILY;BYMONTHDAY=15", "every day that is the 15th of a month"),
        ("FREQ=WEEKLY", "every Friday"),
        ("FREQ=WEEKLY;BYDAY=WE,MO", "every Monday and Wednesday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU",
         "every 2 weeks on Monday and Friday, weeks beginning on Sunday"),
        ("FREQ=WEEKLY;BYDAY=MO;BYMONTH=6,7", "every Monday in June and July"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every last Friday of the month"),
        ("FREQ=MONTHLY;BYDAY=1MO,-2TU",
         "every first Monday and second to last Tuesday of the month"),
        ("FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU", "every 3 months on the second Tuesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,22,-1", "every month on the 1st, 22nd and last day"),
        ("FREQ=MONTHLY", "every month on the 30th, or else the last day of the month"),
        ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "every month on the 13th, if it is the Friday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
         "every month on the last of the days from Monday to Friday"),
        ("FREQ=YEARLY", "every year on 30 January, or else the last day of the month"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "every year on 24 December"),
        ("FREQ=YEARLY;BYMONTH=9;BYDAY=1MO", "every year on the first Monday of September"),
        ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday of the year"),
        ("FREQ=YEARLY;BYWEEKNO=20", "every year on every Friday of week 20"),
        ("FREQ=YEARLY;BYYEARDAY=100,-1", "every year on day 100 and 1 from the end of the year"),
    ],
)  # fmt: skip
def test_a_rule_in_words(rrule, expected):
    assert words(rrule) == f"{expected} at 17:00, Berlin time"


@pytest.mark.parametrize(
    ("rrule", "options", "expected"),
    [
        ("FREQ=DAILY", {"at": None}, "every day, Berlin time"),
        ("FREQ=DAILY;COUNT=3", {}, "every day at 17:00, Berlin time, 3 times"),
        ("FREQ=DAILY;COUNT=1", {}, "every day at 17:00, Berlin time, once"),
        ("FREQ=DAILY;UNTIL=20261224", {},
         "every day at 17:00, Berlin time, until 24 December 2026"),
        ("FREQ=DAILY;UNTIL=20261224T160000Z", {},
         "every day at 17:00, Berlin time, until 24 December 2026 at 17:00"),
        ("FREQ=WEEKLY;INTERVAL=2", {"anchor": RecurrenceAnchor.COMPLETION},
         "every 2 weeks after it is done at 17:00, Berlin time"),
        ("FREQ=MONTHLY", {"month_end": MonthEnd.SKIP},
         "every month on the 30th, where the month has it at 17:00, Berlin time"),
        ("FREQ=DAILY", {"ex_dates": [date(2026, 12, 24)]},
         "every day at 17:00, Berlin time, but not on 24 December 2026"),
        ("FREQ=DAILY", {"ex_dates": [date(2026, 12, 24), date(2026, 12, 25)]},
         "every day at 17:00, Berlin time, but not on 2 days"),
    ],
)  # fmt: skip
def test_what_goes_with_a_rule_in_words(rrule, options, expected):
    assert words(rrule, **options) == expected
