"""Tasks with a longest piece: how they are cut, and the pauses between their pieces."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_objective import URGENT, hard
from test_planner import MONDAY, WEEKDAYS, at, piece, planned, task, times

from graphql_api.domain.planner.chunks import Chunks
from graphql_api.domain.planner.free_time import FreeTime
from graphql_api.domain.planner.model import Buffers, Interval, Placement, PlanRequest
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.steps import Steps
from graphql_api.errors import BadUserInput


def essay(minutes=240, shortest=30, longest=90, **fields):
    return task("a", minutes, min_chunk_minutes=shortest, max_chunk_minutes=longest, **fields)


def test_no_piece_is_longer_than_the_longest_and_pauses_are_between_them():
    made = planned(essay())

    assert times(made) == ["a Mon 09:00-10:30", "a Mon 10:45-12:00", "a Mon 13:00-14:15"]
    text = "It is split into 3 pieces of at most 1 h 30 min, the shortest of 1 h 15 min."
    assert made.blocks[0].reasons[-1].text == text


def test_a_piece_that_was_put_there_may_be_longer_and_then_none_is_said_to_be_shorter():
    made = planned(essay(120, longest=60), fixed=(piece("a", 13, 0, 120),))

    assert times(made) == [
        *("a Mon 09:00-10:00", "a Mon 10:15-11:15"),
        "a Mon 13:00-15:00",
    ]
    text = "It is split into 3 pieces, the shortest of 1 h."
    assert made.blocks[0].reasons[-1].text == text


def test_pauses_are_as_long_as_the_settings_say_and_nights_are_pauses():
    made = planned(essay(300, longest=60), buffers=Buffers(break_minutes=60))

    assert times(made) == [
        *("a Mon 09:00-10:00", "a Mon 11:00-12:00", "a Mon 13:00-14:00"),
        *("a Mon 15:00-16:00", "a Tue 09:00-10:00"),
    ]


def test_a_pause_is_no_shorter_than_the_time_between_any_two_blocks():
    made = planned(essay(120, longest=60), buffers=Buffers(after_block=40))

    assert times(made) == ["a Mon 09:00-10:00", "a Mon 10:40-11:40"]


def test_others_have_the_time_of_a_pause():
    made = planned(essay(165, weight=URGENT), task("errand", 15))

    assert times(made) == ["a Mon 09:00-10:30", "errand Mon 10:30-10:45", "a Mon 10:45-12:00"]


def test_what_is_left_for_the_last_piece_is_no_shorter_than_the_shortest():
    assert times(planned(essay(100))) == ["a Mon 09:00-10:10", "a Mon 10:25-10:55"]


def test_what_is_no_longer_than_the_longest_piece_is_in_one():
    assert times(planned(essay(90))) == ["a Mon 09:00-10:30"]


def test_a_task_that_is_never_split_has_no_longest_piece():
    assert times(planned(essay(150, shortest=0))) == ["a Mon 09:00-11:30"]
    made = planned(essay(60, shortest=0), fixed=(piece("a", 9, 30, 60),))
    assert times(made) == ["a Mon 09:30-10:30", "a Mon 10:30-11:30"]


def test_a_short_busy_time_is_no_pause():
    busy = (Interval(at(10), at(10, 5)),)

    made = planned(essay(120), busy=busy)

    assert times(made) == ["a Mon 09:00-10:00", "a Mon 10:15-11:15"]


def test_pieces_keep_apart_from_those_that_are_fixed():
    made = planned(essay(60), fixed=(piece("a", 9, 30, 60),))

    assert times(made) == ["a Mon 09:30-10:30", "a Mon 10:45-11:45"]


def test_a_plan_that_is_made_again_moves_nothing_until_the_longest_piece_changes():
    tasks = (essay(), task("b", 45))
    before = planned(*tasks)
    previous = tuple(Placement(b.task_id, b.start, b.end) for b in before.blocks)

    again = planned(*tasks, previous=previous)
    shorter = planned(essay(longest=60), tasks[1], previous=previous)

    assert (again.pieces, again.moved) == (before.pieces, ())
    assert {move.reason.code.name for move in shorter.moved} == {"CHANGED"}


def test_what_has_no_place_for_its_longest_piece_alone_says_so():
    made = planned(essay(180, **hard(12)))

    (left,) = made.unplaced
    assert left.code.name == "DEADLINE_TOO_SOON"
    assert left.missing_minutes == 15
    text = "There is not enough free time before its hard deadline; in longer pieces it would fit."
    assert left.text == text


def test_in_part_a_task_has_the_minutes_between_its_pauses():
    one = essay(180, **hard(12))

    made = plan(PlanRequest(tasks=(one,), hours=WEEKDAYS, from_=MONDAY, partial=True))

    assert times(made) == ["a Mon 09:00-10:30", "a Mon 10:45-12:00"]
    assert [left.missing_minutes for left in made.unplaced] == [15]


def test_a_longest_piece_is_at_least_two_shortest_ones():
    with pytest.raises(BadUserInput, match="from 60 to"):
        essay(longest=59)


def test_the_hash_minds_longest_pieces_and_breaks_only_where_there_are_some():
    def hashed(one, minutes=15):
        return planned(one, buffers=Buffers(break_minutes=minutes)).input_hash

    whole = essay(longest=None)
    assert len({hashed(essay()), hashed(essay(), 20), hashed(essay(longest=80))}) == 3
    assert hashed(whole) == hashed(whole, 20)


def earliest_end(free, minutes, shortest, chunks, limit):
    """The earliest end, by trying all: what is left, the length of the piece, the pause."""
    states = {(minutes, 0, chunks.pause)}
    for now in range(limit):
        after = set()
        for left, run, rested in states:
            if run == 0 or (run >= shortest and left >= shortest):
                after.add((left, 0, min(chunks.pause, rested + 1 if run == 0 else 1)))
            if now in free and run < chunks.longest and (run or rested >= chunks.pause):
                after.add((left - 1, run + 1, 0))
        if any(left == 0 and run >= shortest for left, run, _ in after):
            return now + 1
        states = {state for state in after if state[0] > 0}
    return None


@st.composite
def searches(draw):
    """Intervals that are at least a pause apart, and what is looked for in them."""
    pause, shortest = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    gaps = draw(st.lists(st.tuples(st.integers(pause, 5), st.integers(1, 15)), max_size=6))
    starts = accumulate((before + length for before, length in gaps), initial=0)
    intervals = [
        (start + before, start + before + length)
        for start, (before, length) in zip(starts, gaps, strict=False)
    ]
    chunks = Chunks(draw(st.integers(2 * shortest, 10)), pause)
    return intervals, draw(st.integers(shortest, 30)), shortest, chunks, draw(st.integers(5, 60))


@settings(deadline=None, max_examples=300)
@given(searches())
def test_a_task_takes_the_pieces_that_end_the_earliest(search):
    intervals, minutes, shortest, chunks, limit = search
    free = {minute for start, end in intervals for minute in range(start, end)}

    pieces = FreeTime.of(intervals, Steps()).find(minutes, shortest, 0, limit, chunks)

    end = earliest_end(free, minutes, shortest, chunks, limit)
    assert (pieces and pieces[-1][1]) == end
    if pieces:
        assert chunks.suit(pieces)
        assert sum(end - start for start, end in pieces) == minutes
        assert min(end - start for start, end in pieces) >= shortest
        assert free.issuperset(minute for piece in pieces for minute in range(*piece))
