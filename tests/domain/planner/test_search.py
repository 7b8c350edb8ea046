"""The parts of the search that a plan as a whole does not show."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_planner import MONDAY, WEEKDAYS, crowd, random_from

from graphql_api.domain.planner.free_time import FreeTime
from graphql_api.domain.planner.model import PlanRequest, PlanTask
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search import schedule_search
from graphql_api.domain.planner.search.priority_rules import list_orders
from graphql_api.domain.planner.search.schedule_search import ScheduleSearch
from graphql_api.domain.planner.search.search import move_count
from graphql_api.domain.planner.steps import Steps


def earliest_end(free, minutes, chunk, release, limit):
    """The earliest end, by trying all: what is left to do and the length of the piece, by minute.

    `free` is a set of minutes; None if the task cannot end by the limit.
    """
    states = {(minutes, 0)}
    for now in range(release, limit):
        after = set()
        for left, run in states:
            if run == 0 or (run >= chunk and left >= chunk):
                after.add((left, 0))  # a pause
            if now in free:
                after.add((left - 1, run + 1))
        if any(left == 0 and (run >= chunk or run == minutes) for left, run in after):
            return now + 1
        states = {(left, run) for left, run in after if left > 0}
    return None


GAPS = st.lists(st.tuples(st.integers(1, 2), st.integers(1, 9)), min_size=3, max_size=8)


@settings(deadline=None, max_examples=500)
@given(GAPS, st.integers(1, 30), st.integers(1, 6), st.integers(0, 9), st.integers(20, 90))
def test_a_task_takes_the_pieces_that_end_the_earliest(gaps, minutes, chunk, release, limit):
    intervals, at = [], 0
    for pause, length in gaps:
        intervals.append((at + pause, at + pause + length))
        at = intervals[-1][1]
    free = {minute for start, end in intervals for minute in range(start, end)}
    free_time = FreeTime.of(intervals, Steps())
    chunk = min(chunk, minutes)

    pieces = free_time.allocate(minutes, chunk, release, limit)

    left = {m for s, e in zip(free_time.starts, free_time.ends, strict=True) for m in range(s, e)}
    if pieces is None:
        assert earliest_end(free, minutes, chunk, release, limit) is None
        assert left == free
    else:
        assert pieces[-1][1] == earliest_end(free, minutes, chunk, release, limit)
        taken = [minute for start, end in pieces for minute in range(start, end)]
        assert len(taken) == len(set(taken)) == minutes
        assert all(end - start >= chunk for start, end in pieces)
        assert pieces[0][0] >= release
        assert (left, free) == (free - set(taken), left | set(taken))


@pytest.mark.parametrize(
    ("max_snapshots", "window"), [(250, 100), (7, 100), (1, 100), (250, 0), (7, 5)]
)
def test_after_many_changes_an_order_costs_what_it_costs_from_the_start(
    monkeypatch, max_snapshots, window
):
    monkeypatch.setattr(schedule_search, "MAX_SNAPSHOTS", max_snapshots)
    monkeypatch.setattr(schedule_search, "WINDOW", window)
    for seed in range(6):
        tasks = tuple(crowd(30, random_from(seed)))
        problem = Problem.of(PlanRequest(tasks=tasks, hours=WEEKDAYS, from_=MONDAY), Steps())
        for order in list_orders(problem):
            found = ScheduleSearch(problem, order)
            before = found.cost

            best = ScheduleSearch(problem, found.improve(300))

            assert found.cost == ScheduleSearch(problem, found.order[:]).cost
            assert found.cost == problem.total_cost(problem.schedule(found.order))
            assert best.cost <= min(before, found.cost)


def test_an_order_has_every_task_after_its_blockers_however_it_is_changed():
    tasks = tuple(crowd(30, random_from(1)))
    problem = Problem.of(PlanRequest(tasks=tasks, hours=WEEKDAYS, from_=MONDAY), Steps())
    for order in list_orders(problem):
        for found in (order, ScheduleSearch(problem, order[:]).improve(300)):
            seen = set()
            for at in found:
                assert seen.issuperset(problem.jobs[at].blockers)
                seen.add(at)
            assert seen == set(range(30))


def test_larger_problems_have_no_more_time_and_small_ones_no_more_than_they_need():
    assert [move_count(jobs) for jobs in (0, 1, 5, 20, 200, 2_000)] == [
        0,
        40,
        1_000,
        7_500,
        1_500,
        1_500,
    ]


def test_moves_end_where_they_have_taken_the_steps_that_they_have():
    tasks = tuple(crowd(30, random_from(1)))
    steps = Steps()
    problem = Problem.of(PlanRequest(tasks=tasks, hours=WEEKDAYS, from_=MONDAY), steps)
    found = ScheduleSearch(problem, list_orders(problem)[0])
    begun = steps.used

    found.improve(1_000_000, limit=20_000)

    assert 20_000 <= steps.used - begun < 22_000
    assert not found.stopped_early


def test_free_time_that_is_too_short_for_any_task_is_forgotten():
    free = FreeTime.of([(0, 4), (10, 30), (40, 60)], Steps()).without(5)

    assert (free.starts, free.ends, free.minutes) == ([10, 40], [30, 60], 40)
    assert free.allocate(16, 16, 10, 60) == [(10, 26)]
    assert (free.starts, free.ends, free.minutes) == ([40], [60], 20)
    assert free.reserve([(44, 50)])
    assert (free.starts, free.ends, free.minutes) == ([50], [60], 10)
    assert free.copy().reserve([(52, 54)])
    assert free.reserve([(50, 55)])
    assert (free.starts, free.ends, free.minutes) == ([55], [60], 5)


def test_a_plan_may_cost_more_than_a_machine_word_holds():
    tasks = tuple(
        PlanTask(
            task_id=f"{number}",
            duration_minutes=14_400,
            weight=8,
            deadline=MONDAY + timedelta(days=9),
            deadline_is_hard=True,
        )
        for number in range(30)
    )

    made = plan(PlanRequest(tasks=tasks, hours=WEEKDAYS, from_=MONDAY))

    assert len(made.unplaced) == 30
    assert made.cost > 2**63
