"""What a task owes to time, from its state alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.reminders.model import (
    MAX_MINUTES_BEFORE,
    MAX_REMINDERS,
    Reminder,
    ReminderBase,
)
from graphql_api.domain.reminders.timers import alarms, moved, timers
from graphql_api.domain.tasks.model import OPEN, Task, TaskStatus
from graphql_api.errors import BadUserInput

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE, OVERDUE, REMINDER = ChangeKind.TASK_DUE, ChangeKind.TASK_OVERDUE, ChangeKind.REMINDER

INSTANTS = st.integers(-90, 90).map(lambda minutes: NOW + timedelta(minutes=minutes))
REMINDERS = st.lists(
    st.builds(Reminder, at=INSTANTS)
    | st.builds(Reminder, minutes_before=st.integers(0, 60), base=st.sampled_from(ReminderBase)),
    max_size=MAX_REMINDERS,
    unique=True,
).map(tuple)
STATES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(TaskStatus),
        "due_at": st.none() | INSTANTS,
        "planned_start": st.none() | INSTANTS,
        "reminders": REMINDERS,
    }
)


def task(**state):
    start = state.get("planned_start")
    long_ago = NOW - timedelta(days=1)
    new = Task.new("u", {"title": "x"}, long_ago)
    return new.edit({**state, "planned_end": start}, long_ago, undoing=True)


@given(STATES)
def test_an_open_task_owes_its_due_date_and_its_reminders_and_a_closed_one_nothing(state):
    found = alarms(task(**state))

    if state["status"] not in OPEN:
        assert found == {}
        return
    bases = {ReminderBase.DUE: state["due_at"], ReminderBase.PLANNED_START: state["planned_start"]}
    reminded = {reminder.instant(bases) for reminder in state["reminders"]} - {None}
    assert {at for at, kinds in found.items() if REMINDER in kinds} == reminded
    assert {at for at, kinds in found.items() if DUE in kinds} == {state["due_at"]} - {None}
    assert set(found.values()) <= {(REMINDER,), (DUE, OVERDUE), (REMINDER, DUE, OVERDUE)}
    assert len(found) <= MAX_REMINDERS + 1


@given(st.lists(st.tuples(st.integers(0, 30), st.none() | STATES), max_size=8))
def test_after_any_writes_the_timers_to_come_are_those_that_the_task_owes(steps):
    kept, now, before = set(), NOW, None
    for minutes, state in steps:
        now += timedelta(minutes=minutes)
        after = state and task(**state)
        gone, new = moved(before, after, now)
        assert {timer.at for timer in gone} <= kept  # none is deleted that is not there
        assert {timer.at for timer in new}.isdisjoint(kept)
        kept = (kept - {timer.at for timer in gone}) | {timer.at for timer in new}
        assert {at for at in kept if at > now} == {at for at in alarms(after) if at > now}
        before = after


@given(STATES)
def test_a_write_of_other_fields_leaves_all_timers_as_they_are(state):
    before = task(**state)

    assert moved(before, before.edit({"title": "y"}, NOW), NOW) == (set(), set())
    assert {timer.at for timer in timers(before)} == set(alarms(before))


def refusal(**values):
    """What is wrong with a new task of these fields, and in which place."""
    with pytest.raises(BadUserInput) as caught:
        Task.new("u", {"title": "x", **values}, NOW)
    return caught.value.path


def test_a_reminder_is_an_instant_or_minutes_and_nothing_else():
    assert refusal(reminders=[Reminder()]) == ("reminders", 0, "at")
    both = Reminder(at=NOW + timedelta(hours=1), minutes_before=1)
    assert refusal(reminders=[both]) == ("reminders", 0, "minutes_before")
    for minutes in (-1, MAX_MINUTES_BEFORE + 1):
        path = refusal(due_at=NOW, reminders=[Reminder(minutes_before=minutes)])
        assert path == ("reminders", 0, "minutes_before")


def test_a_task_has_ten_reminders_of_which_each_counts_once():
    def at(minutes):
        return Reminder(at=NOW + timedelta(minutes=minutes))

    assert refusal(reminders=[at(minute) for minute in range(1, 12)]) == ("reminders",)
    ten = [at(minute) for minute in range(1, 11)]
    assert Task.new("u", {"title": "x", "reminders": ten * 2}, NOW).reminders == tuple(ten)


def test_a_new_reminder_is_in_the_future_and_before_an_instant_that_the_task_has():
    soon = NOW + timedelta(minutes=10)
    minutes = Reminder(minutes_before=10)
    start = Reminder(minutes_before=10, base=ReminderBase.PLANNED_START)

    assert refusal(reminders=[Reminder(at=NOW)]) == ("reminders", 0, "at")
    assert refusal(reminders=[minutes]) == ("reminders", 0, "minutes_before")
    assert refusal(due_at=soon, reminders=[minutes]) == ("reminders", 0, "minutes_before")
    assert refusal(due_at=soon, reminders=[start]) == ("reminders", 0, "minutes_before")
    later = soon + timedelta(milliseconds=1)
    made = Task.new("u", {"title": "x", "due_at": later, "reminders": [minutes]}, NOW)
    assert list(alarms(made)) == [NOW + timedelta(milliseconds=1), later]


def test_reminders_that_are_there_never_stand_in_the_way_of_other_changes():
    due = NOW + timedelta(hours=1)
    reminders = [Reminder(minutes_before=30), Reminder(at=NOW + timedelta(minutes=1))]
    made = Task.new("u", {"title": "x", "due_at": due, "reminders": reminders}, NOW)

    later = NOW + timedelta(minutes=40)
    earlier_due = made.edit({"due_at": later + timedelta(minutes=5)}, later)
    without = earlier_due.edit({"due_at": None, "reminders": earlier_due.reminders}, later)

    assert without.reminders == made.reminders
    assert list(alarms(without)) == [NOW + timedelta(minutes=1)]
    assert without.edit({"reminders": None}, later).reminders == ()


def test_a_reminder_before_the_first_year_never_reminds():
    due = datetime(1, 1, 1, tzinfo=UTC)
    old = task(due_at=due, reminders=(Reminder(minutes_before=1, base=ReminderBase.DUE),))

    assert list(alarms(old)) == [due]
