"""What a plan says is true: each reason is checked against a plan without what it names."""

from dataclasses import replace
from datetime import time

from hypothesis import given, settings
from test_objective import HIGH, hard
from test_planner import EXAMPLES, at, codes, left_out, planned, requests, task, times

from graphql_api.domain.planner.model import (
    Placement,
    PlanRequest,
    ReasonCode,
    UnplacedCode,
    WorkingHours,
)
from graphql_api.domain.planner.planner import plan

TWO_HOURS = {"hours": WorkingHours((((time(9), time(11)),),) * 7), "horizon_days": 1}
ALONE = {
    UnplacedCode.DEADLINE_PASSED,
    UnplacedCode.DEADLINE_TOO_SOON,
    UnplacedCode.HORIZON_TOO_SHORT,
    UnplacedCode.NO_WINDOW_LONG_ENOUGH,
    UnplacedCode.STARTS_AFTER_HORIZON,
}


def test_who_waits_for_a_task_that_others_have_crowded_out_is_told_of_the_others():
    made = planned(
        task("big", 120, weight=HIGH, title="Big", **hard(11)),
        task("draft", 60),
        task("send", 30, blocked_by=("draft",), **hard(11)),
        hours=TWO_HOURS["hours"],
        horizon_days=2,
    )

    assert times(made) == ["big Mon 09:00-11:00", "draft Tue 09:00-10:00"]
    assert left_out(made) == {"send": (UnplacedCode.NO_TIME_LEFT, 30)}
    assert made.unplaced[0].text == (
        "Other tasks take the free time that it needs, “Big” among them."
    )


def test_a_task_is_told_that_pieces_of_it_would_fit():
    made = planned(
        task("a", 100, title="A", not_before=at(9, 10), weight=HIGH, **hard(10, 50)),
        task("b", 20),
        **TWO_HOURS,
    )

    assert left_out(made) == {"b": (UnplacedCode.NO_TIME_LEFT, 10)}
    assert made.unplaced[0].text == (
        "Other tasks take the free time that it needs, “A” among them; in pieces it would fit."
    )


def needed(request: PlanRequest, task_id: str) -> PlanRequest:
    """The request with a task and what it waits for, and nothing else."""
    by_id, ids, todo = {each.task_id: each for each in request.tasks}, set(), [task_id]
    while todo:
        found = todo.pop()
        if found in by_id and found not in ids:
            ids.add(found)
            todo += by_id[found].blocked_by
    relaxed = tuple(
        replace(by_id[i], deadline=None) if i != task_id else by_id[i] for i in sorted(ids)
    )
    return replace(request, tasks=relaxed, keep_current=False)


@settings(deadline=None, max_examples=EXAMPLES)
@given(requests())
def test_why_a_task_has_no_place_is_true(request_):
    request = replace(request_, fixed=())
    made = plan(request)
    for left in made.unplaced:
        alone = {block.task_id for block in plan(needed(request, left.task_id)).blocks}
        if left.code in ALONE:
            assert left.task_id not in alone
        if "in pieces it would fit" in left.text:
            task = next(each for each in request.tasks if each.task_id == left.task_id)
            others = tuple(Placement(b.task_id, b.start, b.end) for b in made.blocks)
            one = replace(request, tasks=(replace(task, min_chunk_minutes=1),), fixed=others)
            assert not plan(one).unplaced


NAMED = {"AFTER_BLOCKER", "NOT_BEFORE", "OTHERS_FIRST"}


@settings(deadline=None, max_examples=EXAMPLES // 3)
@given(requests())
def test_without_what_is_named_a_task_ends_no_later(request_):
    request = replace(request_, fixed=(), keep_current=False)
    made = plan(request)
    for block in made.blocks:
        if block.part == block.parts and not NAMED.isdisjoint(codes(made, block.task_id)):
            task = next(each for each in request.tasks if each.task_id == block.task_id)
            alone = replace(task, blocked_by=(), not_before=None)
            assert plan(replace(request, tasks=(alone,))).blocks[-1].end <= block.end


def test_a_light_task_says_why_it_goes_before_a_heavy_one():
    def why(heavy):
        made = planned(task("light"), heavy)
        reasons = [r for r in made.blocks[0].reasons if r.code is ReasonCode.LIGHTER_FIRST]
        assert made.blocks[0].task_id == "light"
        return [(reason.text, reason.task_ids) for reason in reasons]

    def because(cause):
        return [(f"It goes before “Heavy”, which weighs more but {cause}.", ("h",))]

    def heavy(minutes=60, **fields):
        return task("h", minutes, weight=HIGH, title="Heavy", **fields)

    assert why(heavy(blocked_by=("light",))) == because("waits for it")
    assert why(heavy(not_before=at(10))) == because("cannot begin by then")
    assert why(heavy(210)) == because("does not fit there")


def test_a_light_task_that_is_due_goes_before_a_heavy_one():
    made = planned(task("light", deadline=at(10)), task("h", weight=HIGH), **TWO_HOURS)

    assert codes(made, "light") == ["FIRST_FREE_TIME", "LIGHTER_FIRST", "DEADLINE"]
    assert made.blocks[0].reasons[1].text.endswith("“h”, which weighs more but has no deadline.")
