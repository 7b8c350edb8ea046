"""Planned blocks and work by the clock: states, what counts, and what stays consistent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.domain.blocks.model import (
    BlockState,
    PlannedBlock,
    block_id,
    decoded,
    encoded,
    parse_id,
)
from graphql_api.domain.tasks.model import MAX_TIMER, Task, TaskStatus

NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PLANNED, STARTED, DONE, MISSED = BlockState


def task(*pieces, **values):
    made = Task.new("ann", {"title": "Write", "duration_minutes": 120, **values}, NINE)
    return made.placed(pieces)


def hourly(*hours, **values):
    return [
        PlannedBlock(n, NINE + hour * HOUR, NINE + (hour + 1) * HOUR, **values)
        for n, hour in enumerate(hours, 1)
    ]


@pytest.mark.parametrize(
    ("status", "minutes", "state"),
    [
        (TaskStatus.PENDING, -1, PLANNED),
        (TaskStatus.PENDING, 30, PLANNED),
        (TaskStatus.PENDING, 60, MISSED),
        (TaskStatus.IN_PROGRESS, -1, PLANNED),
        (TaskStatus.IN_PROGRESS, 0, STARTED),
        (TaskStatus.IN_PROGRESS, 59, STARTED),
        (TaskStatus.IN_PROGRESS, 60, MISSED),
    ],
)
def test_the_clock_tells_what_has_become_of_a_block(status, minutes, state):
    [block] = hourly(0)

    assert task(block, status=status).state_of(block, NINE + minutes * MINUTE) is state


def test_a_block_goes_on_as_long_as_the_timer_that_was_started_in_it():
    [block] = hourly(0)
    running = task(block).started(NINE + 30 * MINUTE)

    assert running.state_of(block, NINE + 2 * HOUR) is STARTED
    late = task(block).started(NINE + 90 * MINUTE)
    assert late.state_of(block, NINE + 2 * HOUR) is MISSED


def test_a_timer_that_was_forgotten_counts_twelve_hours():
    stopped = task().started(NINE).stopped(NINE + timedelta(days=2))

    assert (stopped.spent_minutes, stopped.running_since) == (MAX_TIMER, None)


@pytest.mark.parametrize(("minutes", "state"), [(29, PLANNED), (30, DONE), (60, DONE)])
def test_a_block_is_done_when_work_has_filled_half_of_it(minutes, state):
    first, second = hourly(0, 4)

    after = task(first, second).logged(minutes, NINE + HOUR)

    assert [block.state for block in after.pieces] == [state, PLANNED]
    assert after.spent_minutes == minutes


def test_a_block_that_is_done_counts_no_more_than_what_was_left():
    [block] = hourly(0)
    worked = task(block, duration_minutes=60).logged(15, NINE + 15 * MINUTE)

    assert worked.marked(worked.pieces[0], DONE).spent_minutes == 60


def test_a_task_that_is_closed_keeps_what_was_done_and_ends_what_runs():
    before = task(*hourly(-2, 0, 4), status=TaskStatus.IN_PROGRESS)
    half_past = NINE + 30 * MINUTE

    after = before.edit({"status": TaskStatus.COMPLETED}, half_past)

    assert [(block.start, block.end) for block in after.pieces] == [
        (NINE - 2 * HOUR, NINE - HOUR),
        (NINE, half_past),
    ]
    assert {after.state_of(block, half_past) for block in after.pieces} == {DONE}
    assert (after.planned_start, after.planned_end) == (NINE - 2 * HOUR, half_past)


@given(
    st.lists(st.integers(0, 40), unique=True, max_size=6),
    st.data(),
)
def test_marking_and_unmarking_blocks_leaves_nothing_behind(hours, data):
    before = task(*hourly(*hours), duration_minutes=100)
    after = before
    order = data.draw(st.permutations([block.number for block in before.pieces]))

    for number in order:
        [block] = [each for each in after.pieces if each.number == number]
        after = after.marked(block, DONE)
        assert after.spent_minutes <= 100
    for number in order:
        [block] = [each for each in after.pieces if each.number == number]
        after = after.marked(block, PLANNED)

    assert after == before


@given(st.lists(st.integers(0, 40), unique=True, max_size=6))
def test_blocks_are_read_as_they_were_stored(hours):
    pieces = tuple(sorted(hourly(*hours), key=lambda block: block.start))

    stored = encoded(pieces)

    assert (decoded(stored) if stored else ()) == pieces


def test_an_id_names_the_task_and_the_block():
    assert parse_id(block_id("a_b-c", 12)) == ("a_b-c", 12)
    assert [parse_id(text) for text in ("", "x", "x_", "_1", "x_y", "x_²", "x_" + "9" * 5000)] == [
        None
    ] * 7
