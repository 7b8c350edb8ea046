"""The planner's work is counted in steps, and bounded, whatever is asked of it."""

from dataclasses import replace

import pytest
from hard_plans import HARD_PLANS, tasks_that_almost_fit_in_pieces
from hypothesis import given, settings
from hypothesis import strategies as st
from test_planner import EXAMPLES, MONDAY, WEEKDAYS, crowd, random_from, requests
from verifier import verify

from graphql_api.domain.planner.model import PlanRequest
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.steps import MAX_STEPS, STEPS_PER_REPORT, Steps

MOST = MAX_STEPS * 3 // 2  # what must be done whatever it takes is at most half as much again


def week(tasks=30):
    return PlanRequest(
        tasks=tuple(crowd(tasks, random_from(1))), hours=WEEKDAYS, from_=MONDAY, horizon_days=60
    )


@pytest.mark.thorough
@pytest.mark.parametrize("make", HARD_PLANS.values(), ids=HARD_PLANS)
def test_no_request_takes_more_steps_than_the_bound(make):
    steps = Steps()

    made = plan(make(), steps)

    assert steps.used <= MOST
    assert {b.task_id for b in made.blocks} | {t.task_id for t in made.unplaced}


def test_work_without_end_is_stopped_and_the_plan_says_so():
    request, steps = tasks_that_almost_fit_in_pieces(count=20), Steps()

    made = plan(request, steps)

    assert made.stopped_early
    assert MAX_STEPS * 0.99 < steps.used <= MOST
    assert len(made.unplaced) == 20


@pytest.mark.parametrize("tasks", [0, 1, 30, 200])
def test_ordinary_plans_are_never_stopped(tasks):
    steps = Steps()

    made = plan(week(tasks), steps)

    assert not made.stopped_early
    assert steps.used < MAX_STEPS


@settings(deadline=None, max_examples=EXAMPLES)
@given(requests(), st.integers(0, 200_000))
def test_a_plan_that_is_stopped_anywhere_keeps_every_rule_and_is_the_same_again(request, limit):
    steps, again = Steps(limit=limit), Steps(limit=limit)

    made = plan(request, steps)

    verify(request, made)
    assert repr(plan(replace(request), again)) == repr(made)
    assert steps.used == again.used


def test_more_work_makes_no_worse_plans():
    request = week(60)

    made = [plan(request, Steps(limit=limit)) for limit in (0, 100_000, 300_000, MAX_STEPS)]

    costs = [each.cost for each in made]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]
    assert [each.stopped_early for each in made] == [True, True, True, False]


def test_progress_is_reported_again_and_again_while_a_plan_is_made():
    reports = []
    steps = Steps(on_progress=lambda: reports.append(steps.used))

    plan(tasks_that_almost_fit_in_pieces(), steps)

    since = [later - earlier for earlier, later in zip([0, *reports], reports, strict=False)]
    assert len(reports) > 50
    assert max(since) < 2 * STEPS_PER_REPORT
