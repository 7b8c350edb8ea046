"""What a plan says is true: each reason is checked against a plan without what it names."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from test_objective import HIGH, hard
from test_planner import (
    EXAMPLES,
    MONDAY,
    WEEKDAYS,
    at,
    codes,
    crowd,
    left_out,
    planned,
    random_from,
    requests,
    task,
    times,
)

from graphql_api.domain.planner.model import (
    Buffers,
    Interval,
    Placement,
    PlanRequest,
    ReasonCode,
    Schedule,
    UnplacedCode,
    WorkingHours,
)
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.steps import Steps

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


def test_a_task_that_may_be_split_is_told_that_shorter_pieces_of_it_would_fit():
    made = planned(
        task("a", 80, title="A", not_before=at(9, 20), weight=HIGH, **hard(10, 40)),
        task("b", 35, min_chunk_minutes=25),
        task("c", 60, min_chunk_minutes=30),
        **TWO_HOURS,
    )

    assert left_out(made) == {
        "b": (UnplacedCode.NO_TIME_LEFT, 15),
        "c": (UnplacedCode.NO_TIME_LEFT, 60),
    }
    others = "Other tasks take the free time that it needs, “A” among them"
    assert [left.text for left in made.unplaced] == [
        f"{others}; in shorter pieces it would fit.",
        f"{others}.",
    ]


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
        if left.code is UnplacedCode.BLOCKER_UNPLACED:
            placed = {block.task_id for block in made.blocks}
            assert left.task_ids
            assert placed.isdisjoint(left.task_ids)
        else:  # alone it would have a place, unless it is said otherwise
            assert (left.task_id in alone) is (left.code not in ALONE)
        task = next(each for each in request.tasks if each.task_id == left.task_id)
        assert not (task.min_chunk_minutes and "in pieces" in left.text)
        if "pieces it would fit" in left.text and "longer" not in left.text:
            beside = beside_others(request, made.blocks, task, min_chunk_minutes=1)
            assert not plan(beside).unplaced
        if "in longer pieces it would fit" in left.text:
            others = made.blocks if left.code is UnplacedCode.NO_TIME_LEFT else ()
            beside = beside_others(request, others, task, max_chunk_minutes=None)
            assert not plan(beside).unplaced


def beside_others(request, blocks, task, **fields):
    """The request for another task alone beside some blocks, after those that block it."""
    ends = [block.end for block in blocks if block.task_id in task.blocked_by]
    begin = max([*ends, task.not_before or request.from_])
    work = (block for block in blocks if block.start < block.end)
    return replace(
        request,
        tasks=(replace(task, blocked_by=(), not_before=begin, **fields),),
        fixed=tuple(Placement(block.task_id, block.start, block.end) for block in work),
    )


NAMED = {"AFTER_BLOCKER", "NOT_BEFORE", "OTHERS_FIRST"}


@settings(deadline=None, max_examples=EXAMPLES // 3)
@given(requests())
def test_without_what_is_named_a_task_ends_no_later(request_):
    whole_days = replace(request_.buffers, daily_slack_percent=0, max_minutes_per_day=None)
    request = replace(request_, fixed=(), keep_current=False, buffers=whole_days)
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


def causes(made, task_id):
    """What is told of the heavier task after each piece of a task."""
    return [
        [reason.text for reason in block.reasons if reason.code is ReasonCode.LIGHTER_FIRST]
        for block in made.blocks
        if block.task_id == task_id
    ]


def test_a_piece_goes_before_a_heavier_task_only_if_that_one_begins_later():
    made = planned(
        task("light", 240, min_chunk_minutes=60),
        task("h", 60, weight=HIGH, title="Heavy", not_before=at(10)),
    )

    assert times(made) == [
        "light Mon 09:00-10:00",
        "h Mon 10:00-11:00",
        "light Mon 11:00-12:00",
        "light Mon 13:00-15:00",
    ]
    assert causes(made, "light") == [
        ["It goes before “Heavy”, which weighs more but cannot begin by then."],
        [],
        [],
    ]


def test_each_piece_names_the_next_heavier_task_and_what_is_so_at_its_own_start():
    made = planned(
        task("light", 360, min_chunk_minutes=60),
        task("a", 60, weight=HIGH, title="A", not_before=at(10)),
        task("b", 60, weight=HIGH, title="B", not_before=at(14)),
    )

    assert times(made) == [
        "light Mon 09:00-10:00",
        "a Mon 10:00-11:00",
        "light Mon 11:00-12:00",
        "light Mon 13:00-14:00",
        "b Mon 14:00-15:00",
        "light Mon 15:00-17:00",
        "light Tue 09:00-10:00",
    ]
    before_b = ["It goes before “B”, which weighs more but cannot begin by then."]
    assert causes(made, "light") == [
        ["It goes before “A”, which weighs more but cannot begin by then."],
        before_b,
        before_b,
        [],
        [],
    ]


def test_a_heavy_task_in_other_hours_has_other_hours():
    afternoons = WorkingHours((((time(13), time(15)),),) * 7)
    made = planned(
        task("light", 30),
        task("h", 60, weight=HIGH, title="Heavy", schedule="later"),
        schedules=(Schedule("later", afternoons),),
    )

    assert times(made) == ["light Mon 09:00-09:30", "h Mon 13:00-14:00"]
    assert causes(made, "light") == [
        ["It goes before “Heavy”, which weighs more but has other hours."]
    ]


def test_a_heavy_task_too_short_for_two_pieces_does_not_fit_where_one_would():
    made = planned(
        task("light", 90),
        task("h", 150, weight=HIGH, title="Heavy", min_chunk_minutes=80),
        busy=(Interval(at(11), at(12)),),
    )

    assert times(made) == ["light Mon 09:00-10:30", "h Mon 13:00-15:30"]
    assert causes(made, "light") == [
        ["It goes before “Heavy”, which weighs more but does not fit there."]
    ]


def test_a_heavy_task_that_was_put_where_it_is_is_not_there_for_being_due_later():
    due = task("light", deadline=at(10))
    heavy = task("h", 60, weight=HIGH, title="Heavy")
    there = (Placement("h", at(10), at(11)),)

    free = planned(due, heavy)
    pinned = planned(due, replace(heavy, duration_minutes=0), fixed=there)

    assert times(free) == times(pinned) == ["light Mon 09:00-10:00", "h Mon 10:00-11:00"]
    assert causes(free, "light") == [
        ["It goes before “Heavy”, which weighs more but has no deadline."]
    ]
    assert causes(pinned, "light") == [[]]


def test_a_piece_weighs_more_than_the_tasks_that_begin_after_it():
    made = planned(
        task("h", 120, weight=HIGH, min_chunk_minutes=60),
        task("a", 60, not_before=at(10), **hard(11)),
        task("z", 60),
    )

    texts = [
        [reason.text for reason in block.reasons if reason.code is ReasonCode.URGENCY]
        for block in made.blocks
    ]
    assert times(made) == [
        "h Mon 09:00-10:00",
        "a Mon 10:00-11:00",
        "h Mon 11:00-12:00",
        "z Mon 13:00-14:00",
    ]
    assert texts == [
        ["It weighs more than 2 tasks planned later."],
        [],
        ["It weighs more than a task planned later."],
        [],
    ]


def lacking(request, ids):
    """The request without some tasks."""
    return replace(
        request,
        tasks=tuple(
            replace(each, blocked_by=tuple(b for b in each.blocked_by if b not in ids))
            for each in request.tasks
            if each.task_id not in ids
        ),
        fixed=tuple(p for p in request.fixed if p.task_id not in ids),
    )


def with_fields(**fields):
    """What gives a request another task in the place of one."""

    def changed(request, task, _):
        others = [each for each in request.tasks if each != task]
        return replace(request, tasks=(*others, replace(task, **fields)))

    return changed


def without_named(request, _, reason):
    return lacking(request, set(reason.task_ids))


def without_lighter(request, task, _):
    return lacking(request, {t.task_id for t in request.tasks if t.weight < task.weight})


def without_fixed(request, task, _):
    return replace(request, fixed=tuple(p for p in request.fixed if p.task_id != task.task_id))


def without_others(request, task, _):
    return lacking(request, {t.task_id for t in request.tasks if t != task})


def whole(request, task, reason):
    return with_fields(min_chunk_minutes=0)(without_fixed(request, task, reason), task, reason)


def had(request, task):
    """The pieces that a task had before."""
    return [p for p in request.previous if p.task_id == task.task_id]


def as_long_as_before(request, task, reason):
    minutes = sum((p.end - p.start) // timedelta(minutes=1) for p in had(request, task))
    return with_fields(duration_minutes=minutes)(request, task, reason)


# What a reason names, taken away: then the reason is not given any more. Of two codes it is told
# otherwise that they are true, since they name nothing.
WITHOUT = {
    ReasonCode.FIXED: without_fixed,
    ReasonCode.KEPT: lambda request, *_: replace(request, keep_current=False),
    ReasonCode.AFTER_BLOCKER: without_named,
    ReasonCode.NOT_BEFORE: with_fields(not_before=None),
    ReasonCode.OTHERS_FIRST: without_named,
    ReasonCode.LIGHTER_FIRST: without_named,
    ReasonCode.URGENCY: without_lighter,
    ReasonCode.DEADLINE: with_fields(deadline=None),
    ReasonCode.LATE: with_fields(deadline=None),
    ReasonCode.SPLIT: whole,
    ReasonCode.MILESTONE: with_fields(duration_minutes=60),
    ReasonCode.SCHEDULE: with_fields(schedule=""),
    ReasonCode.NO_SCHEDULE: with_fields(schedule=""),
    ReasonCode.CHANGED: as_long_as_before,
    ReasonCode.FRESH: lambda request, *_: replace(request, fresh=False),
    ReasonCode.FIRST_FREE_TIME: None,
    ReasonCode.NOT_FREE: None,
}


def test_each_reason_is_put_to_the_test():
    assert set(WITHOUT) == set(ReasonCode)


def quick(request):
    """A plan without a search, whose reasons have to be as true."""
    return plan(request, Steps(limit=0))


@settings(deadline=None, max_examples=EXAMPLES // 2)
@given(requests())
def test_without_what_it_names_no_reason_of_a_block_is_given(request_):
    by_id = {each.task_id: each for each in request_.tasks}
    made = quick(request_)
    found = {
        (reason.code, block.task_id): reason for block in made.blocks for reason in block.reasons
    }
    for (code, task_id), reason in found.items():
        if taken_away := WITHOUT[code]:
            after = quick(taken_away(request_, by_id[task_id], reason))
            blocks = [block for block in after.blocks if block.task_id == task_id]
            again = [each for block in blocks for each in block.reasons if each.code is code]
            named = set(reason.task_ids)
            assert all(named and named.isdisjoint(each.task_ids) for each in again), reason


@settings(deadline=None, max_examples=EXAMPLES // 2)
@given(requests())
def test_alone_a_task_would_not_end_before_the_first_free_time_that_it_has(request_):
    request = replace(request_, fixed=(), keep_current=False, buffers=Buffers())
    made = quick(request)
    ends = {block.task_id: block.end for block in made.blocks}
    for each in request.tasks:
        blocks = [block for block in made.blocks if block.task_id == each.task_id]
        if blocks and all(block.reasons[0].code is ReasonCode.FIRST_FREE_TIME for block in blocks):
            begin = max([each.not_before or request.from_, *(ends[b] for b in each.blocked_by)])
            alone = replace(each, blocked_by=(), not_before=begin)
            assert quick(replace(request, tasks=(alone,))).blocks[-1].end == blocks[-1].end


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fresh", [False, True])
def test_without_what_it_names_no_reason_of_a_move_is_given(seed, fresh):
    chance = random_from(seed)
    tasks = [task for task in crowd(25, chance) if task.duration_minutes]
    request = PlanRequest(tasks=tuple(tasks), hours=WEEKDAYS, from_=MONDAY)
    longer = [
        replace(t, duration_minutes=t.duration_minutes + chance.choice([0, 0, 5])) for t in tasks
    ]
    previous = [Placement(b.task_id, b.start, b.end) for b in quick(request).blocks]
    later = replace(
        request, tasks=tuple(longer), from_=at(10, 7), previous=tuple(previous), fresh=fresh
    )
    by_id = {each.task_id: each for each in later.tasks}

    moves = quick(later).moved

    assert moves
    for move in moves:
        task, reason = by_id[move.task_id], move.reason
        if taken_away := WITHOUT[reason.code]:
            after = quick(taken_away(later, task, reason)).moved
            again = [m.reason for m in after if m.task_id == task.task_id and m.from_ == move.from_]
            named = set(reason.task_ids)
            assert all(
                each.code is not reason.code or (named.isdisjoint(each.task_ids) and named)
                for each in again
            ), reason
        else:  # it is not free, whoever else there is
            alone = quick(without_others(later, task, reason))
            assert move.from_ not in [Interval(b.start, b.end) for b in alone.blocks]
