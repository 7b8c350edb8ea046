"""Due days: when they begin and end, and that moving to another zone tells nothing twice."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.due_days.model import DueDay
from graphql_api.domain.reminders.model import Reminder
from graphql_api.domain.reminders.timers import Relocation, alarms
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import BadUserInput

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY, HOUR = date(2030, 6, 3), timedelta(hours=1)
ZONES = ("Pacific/Kiritimati", "Europe/Berlin", "UTC", "America/New_York", "Pacific/Pago_Pago")


def made(timezone="UTC", **fields):
    return Task.new("ann", {"title": "x", "due_on": DAY, **fields}, NOW, timezone=timezone)


@pytest.mark.parametrize(
    ("day", "zone", "begin", "hours"),
    [
        (date(2030, 6, 3), "Europe/Berlin", "2030-06-02T22:00+00:00", 24),
        (date(2030, 3, 31), "Europe/Berlin", "2030-03-30T23:00+00:00", 23),
        (date(2030, 10, 27), "Europe/Berlin", "2030-10-26T22:00+00:00", 25),
        (date(2024, 4, 26), "Africa/Cairo", "2024-04-25T22:00+00:00", 23),  # without 00:00
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00+00:00", 0),  # left out altogether
    ],
)
def test_a_day_begins_and_ends_where_its_user_lives(day, zone, begin, hours):
    found = DueDay.of(day, zone)

    assert (found.begin.isoformat(timespec="minutes"), (found.end - found.begin) / HOUR) == (
        begin,
        hours,
    )


def test_a_day_is_sorted_by_its_end_between_the_times_of_that_day_and_those_of_the_next():
    tasks = [
        made(due_on=None, due_at=datetime(2030, 6, 3, 21, 59, 59, tzinfo=UTC)),
        made("Europe/Berlin"),
        made(due_on=None, due_at=datetime(2030, 6, 3, 22, tzinfo=UTC)),
        made(),
    ]

    assert sorted(tasks, key=lambda task: task.due_order) == tasks


def test_one_due_replaces_the_other_and_both_are_refused():
    at = datetime(2030, 6, 3, 9, tzinfo=UTC)
    timed = made().edit({"due_at": at}, NOW)
    back = timed.edit({"due_on": DAY}, NOW, timezone="UTC")

    assert (timed.due_at, timed.due_on, timed.due_day) == (at, None, None)
    assert (back.due_at, back.due_on, back.deadline) == (
        None,
        DAY,
        datetime(2030, 6, 4, tzinfo=UTC),
    )
    with pytest.raises(BadUserInput) as refused:
        back.edit({"due_at": at, "due_on": DAY}, NOW)
    assert refused.value.field == "due_on"


def test_a_day_whose_zone_was_forgotten_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="needs the time zone"):
        made(None)


@given(
    start=st.sampled_from(ZONES),
    moves=st.lists(
        st.tuples(
            st.sampled_from(ZONES),
            st.timedeltas(timedelta(), timedelta(hours=20)),
            st.booleans(),  # the dispatcher has looked before
        ),
        max_size=6,
    ),
)
def test_whoever_moves_anywhere_at_any_time_is_told_each_thing_once(start, moves):
    task = made(start, reminders=[Reminder(minutes_before=600), Reminder(at=NOW + 155 * 24 * HOUR)])
    now = datetime(2030, 6, 1, 12, tzinfo=UTC)
    timers, told = set(alarms(task)), Counter()

    def dispatch():
        for at in sorted(at for at in timers if at <= now):
            timers.remove(at)
            told.update(alarms(task).get(at, ()))

    for zone, passed, looked in moves:
        now += passed
        if looked:
            dispatch()
        after = task.located(zone)
        effects = Relocation.of(task, after, timers, now)
        assert all(at <= now for at, _ in effects.told)
        told.update(kind for _, kind in effects.told)
        timers = (timers - effects.gone) | effects.new
        task = after
    now += timedelta(days=9)
    dispatch()

    assert told == {ChangeKind.REMINDER: 2, ChangeKind.TASK_DUE: 1, ChangeKind.TASK_OVERDUE: 1}
    assert task.due_day.end == datetime(2030, 6, 4, tzinfo=ZoneInfo(task.due_day.timezone))
