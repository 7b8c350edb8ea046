"""Time that stays free: between blocks, around what is busy, and on each day."""

from datetime import timedelta
from itertools import pairwise

import pytest
from test_objective import ONE_LONG_DAY, URGENT, hard
from test_planner import at, crowd, left_out, piece, planned, random_from, task, times

from graphql_api.domain.planner.model import Buffers, Interval
from graphql_api.errors import BadUserInput


def minutes_a_day(made):
    days = {}
    for block in made.blocks:
        day = f"{block.start:%a %d}"
        days[day] = days.get(day, 0) + (block.end - block.start) // timedelta(minutes=1)
    return days


def test_an_essay_that_is_due_in_weeks_does_not_fill_the_next_days():
    essay = task("essay", 900, min_chunk_minutes=30, deadline=at(17, day=35))

    made = planned(essay, buffers=Buffers(daily_slack_percent=20), horizon_days=40)

    assert minutes_a_day(made) == {"Mon 23": 335, "Tue 24": 335, "Wed 25": 230}
    made = planned(essay, buffers=Buffers(max_minutes_per_day=180), horizon_days=40)
    assert set(minutes_a_day(made).values()) == {180}


def test_a_limit_is_given_up_where_somebody_would_be_late_and_only_there():
    made = planned(
        task("report", 420, min_chunk_minutes=30, deadline=at(17)),
        task("other", 400, min_chunk_minutes=30),
        buffers=Buffers(daily_slack_percent=20),
    )

    assert minutes_a_day(made) == {"Mon 23": 420, "Tue 24": 335, "Wed 25": 65}
    assert made.at_risk == ()


def test_a_limit_leaves_nobody_out():
    made = planned(
        task("long", 240),
        task("due", 400, min_chunk_minutes=60, **hard(17)),
        buffers=Buffers(max_minutes_per_day=100),
        horizon_days=2,
    )

    assert left_out(made) == {}


def test_what_is_fixed_counts_as_work_of_its_day():
    made = planned(
        task("a", 120, min_chunk_minutes=30),
        fixed=(piece("x", 9, 0, 60),),
        buffers=Buffers(max_minutes_per_day=120),
    )

    assert times(made) == ["a Mon 10:00-11:00", "a Tue 09:00-10:00"]


def test_the_limit_of_a_day_is_the_same_whether_a_block_is_fixed_or_planned():
    essay = task("essay", 135, min_chunk_minutes=15)
    buffers = Buffers(after_block=30, daily_slack_percent=50)

    before = planned(task("call", weight=URGENT), essay, buffers=buffers)
    after = planned(essay, fixed=(piece("call", 9, 0, 60),), buffers=buffers)

    assert times(before) == [
        "call Mon 09:00-10:00",
        *("essay Mon 10:30-12:00", "essay Mon 13:00-13:30", "essay Tue 09:00-09:15"),
    ]
    assert times(after) == times(before)[1:]


def test_blocks_and_busy_times_have_their_distance_but_not_the_end_of_the_hours():
    made = planned(
        task("a", 60, weight=URGENT),
        task("b", 60),
        task("c", 100),
        buffers=Buffers(after_block=10, around_busy=15),
        busy=(Interval(at(13), at(14)),),
        **ONE_LONG_DAY,
    )

    assert times(made) == ["a Mon 09:00-10:00", "b Mon 10:10-11:10", "c Mon 14:15-15:55"]


@pytest.mark.parametrize("seed", range(3))
def test_blocks_are_apart_and_days_within_their_limits_whatever_is_planned(seed):
    buffers = Buffers(after_block=7, daily_slack_percent=30)
    tasks = [one for one in crowd(30, random_from(seed)) if not one.deadline]

    made = planned(*tasks, buffers=buffers)

    blocks = [block for block in made.blocks if block.start < block.end]
    for one, other in pairwise(blocks):
        assert other.start - one.end >= timedelta(minutes=7)
    assert made.unplaced or max(minutes_a_day(made).values()) <= 294


@pytest.mark.parametrize(
    "fields",
    [{"after_block": -1}, {"daily_slack_percent": 91}, {"max_minutes_per_day": 0}],
    ids=str,
)
def test_buffers_have_bounds(fields):
    with pytest.raises(BadUserInput, match="must be from"):
        Buffers(**fields)
