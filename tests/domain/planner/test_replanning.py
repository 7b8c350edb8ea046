"""A plan that is made again moves little, and says what."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_objective import HIGH, LOW, ONE_LONG_DAY, URGENT, hard
from test_planner import (
    EXAMPLES,
    MONDAY,
    WEEKDAYS,
    at,
    left_out,
    piece,
    planned,
    random_from,
    requests,
    task,
    times,
)

from graphql_api.domain.planner.model import (
    Interval,
    Overload,
    Placement,
    PlanRequest,
    ReasonCode,
    UnplacedCode,
)
from graphql_api.domain.planner.planner import plan
from graphql_api.errors import BadUserInput


def pieces_of(made):
    return tuple(Placement(b.task_id, b.start, b.end) for b in made.blocks)


def moved(made):
    """Who moves where, and why."""

    def when(interval):
        return interval and f"{interval.start:%a %H:%M}"

    return [
        f"{m.task_id} {when(m.from_)} to {when(m.to)}: {m.reason.code.name}" for m in made.moved
    ]


def busy_weeks(count, chance):
    for number in range(count):
        yield task(
            f"t{number:02}",
            chance.choice([15, 30, 45, 60, 90]),
            weight=chance.choice([1, 2, 4, 8]),
            deadline=chance.choice([None, at(17, day=chance.randrange(14))]),
            min_chunk_minutes=chance.choice([0, 15]),
        )


@pytest.mark.parametrize("seed", range(4))
def test_an_errand_that_is_added_to_forty_tasks_moves_none(seed):
    tasks = list(busy_weeks(40, random_from(seed)))
    before = planned(*tasks)

    after = planned(*tasks, task("errand", 15, weight=LOW), previous=pieces_of(before))

    assert after.moved == ()
    assert set(pieces_of(before)) < set(pieces_of(after))


def test_what_has_no_place_there_any_more_moves_and_says_why():
    tasks = [task("a"), task("b", deadline=at(17)), task("c", 60)]
    before = planned(*tasks, from_=at(9))

    after = planned(
        *tasks[:2],
        task("c", 90),
        task("fire", 60, weight=URGENT, **hard(10)),
        previous=pieces_of(before),
        busy=(Interval(at(10), at(11)),),
        from_=at(9),
    )

    assert times(before) == ["b Mon 09:00-10:00", "a Mon 10:00-11:00", "c Mon 11:00-12:00"]
    assert times(after)[:2] == ["fire Mon 09:00-10:00", "b Mon 11:00-12:00"]
    assert moved(after) == [
        "b Mon 09:00 to Mon 11:00: OTHERS_FIRST",
        "a Mon 10:00 to Mon 13:00: NOT_FREE",
        "c Mon 11:00 to Mon 14:00: OTHERS_FIRST",
    ]
    assert after.moved[0].reason.text == "Its time goes to “fire”."


def test_what_would_be_late_moves_and_what_is_only_waiting_does_not():
    late = task("late", deadline=at(12))
    previous = (piece("late", 14, 0, 60), piece("idle", 15, 0, 60))

    made = planned(late, task("idle"), previous=previous)

    assert times(made) == ["late Mon 09:00-10:00", "idle Mon 15:00-16:00"]
    assert moved(made) == ["late Mon 14:00 to Mon 09:00: LATE"]


def test_what_begins_before_it_is_frozen_stays_whatever_it_costs():
    previous = (piece("a", 9, 0, 60), piece("a", 13, 0, 60), piece("b", 10, 0, 60))
    given = {"previous": previous, "busy": (Interval(at(13), at(17)),)}
    tasks = (
        task("a", 120, min_chunk_minutes=30),
        task("b"),
        task("fire", weight=URGENT, **hard(10)),
    )

    made = plan(
        PlanRequest(tasks=tasks, hours=WEEKDAYS, from_=MONDAY, freeze_until=at(9, 30), **given)
    )

    assert times(made) == ["a Mon 09:00-10:00", "b Mon 10:00-11:00", "a Mon 11:00-12:00"]
    assert moved(made) == ["a Mon 13:00 to Mon 11:00: NOT_FREE"]
    assert list(left_out(made)) == ["fire"]
    assert made.blocks[0].reasons[0].code is ReasonCode.FIXED


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_tasks_move_than_may(most):
    previous = (piece("a", 9, 0, 60), piece("b", 10, 0, 60), piece("c", 11, 0, 60))
    soon = {**hard(12), "weight": URGENT}

    made = planned(
        *(task(name, weight=HIGH) for name in "abc"),
        *(task(f"fire{number}", **soon) for number in range(3)),
        previous=previous,
        max_moves=most,
    )

    assert len(made.moved) <= most


def test_what_cannot_have_all_its_time_gets_what_there_is_if_that_is_wanted():
    long = task("long", 600, min_chunk_minutes=60, **hard(18))

    request = PlanRequest(
        tasks=(long, task("b", 60)), hours=ONE_LONG_DAY["hours"], from_=MONDAY, horizon_days=2
    )

    whole, part = plan(request), plan(replace(request, partial=True))

    assert left_out(whole) == {"long": (UnplacedCode.DEADLINE_TOO_SOON, 60)}
    assert times(part) == ["long Mon 09:00-18:00", "b Tue 09:00-10:00"]
    assert left_out(part) == {"long": (UnplacedCode.DEADLINE_TOO_SOON, 60)}


def behind_a_long_one(*others):
    """A plan in which a task has nine of its ten hours, and of others."""
    long = task("long", 600, min_chunk_minutes=60, **hard(18))
    hours = ONE_LONG_DAY["hours"]
    return plan(
        PlanRequest(tasks=(long, *others), hours=hours, from_=MONDAY, horizon_days=2, partial=True)
    )


def test_what_waits_for_a_task_that_is_planned_only_in_part_has_no_place():
    made = behind_a_long_one(
        task("next", 30, blocked_by=("long",)),
        task("last", 0, blocked_by=("next",)),
    )

    assert times(made) == ["long Mon 09:00-18:00"]
    assert left_out(made) == {
        "long": (UnplacedCode.DEADLINE_TOO_SOON, 60),
        "next": (UnplacedCode.BLOCKER_UNPLACED, 30),
        "last": (UnplacedCode.BLOCKER_UNPLACED, 0),
    }
    assert {left.task_id: (left.text, left.task_ids) for left in made.unplaced} == {
        "last": ("It is blocked by a task that could not be planned.", ("next",)),
        "long": ("There is not enough free time for all of it: it has what there is.", ()),
        "next": ("It is blocked by a task that could be planned only in part.", ("long",)),
    }


def test_what_waits_for_a_task_in_part_lacks_all_its_own_minutes():
    made = behind_a_long_one(
        task("next", 600, min_chunk_minutes=60, blocked_by=("long",), **hard(18)),
    )

    assert times(made) == ["long Mon 09:00-18:00"]
    assert left_out(made) == {
        "long": (UnplacedCode.DEADLINE_TOO_SOON, 60),
        "next": (UnplacedCode.BLOCKER_UNPLACED, 600),
    }


def test_overload_names_the_days_the_minutes_and_whose_they_are():
    made = planned(
        task("a", 240, deadline=at(17)),
        task("b", 240, deadline=at(17), min_chunk_minutes=30),
        task("c", 900, min_chunk_minutes=30, **hard(17, day=1)),
    )

    assert made.overload == (
        Overload(date(2026, 11, 23), 60, ("b",)),
        Overload(date(2026, 11, 24), 60, ("c",)),
    )
    assert planned(task("a")).overload == ()


REPORT = task("a", 210, min_chunk_minutes=15, max_chunk_minutes=60)
PIECES = (
    *(piece("a", 9, 0, 60), piece("a", 10, 15, 60)),
    *(piece("a", 11, 30, 30), piece("a", 13, 0, 60)),
)


@pytest.mark.parametrize("options", [{}, {"keep_current": True}, {"max_moves": 0}], ids=str)
@pytest.mark.parametrize("number", range(4))
def test_a_piece_that_is_fixed_where_it_is_moves_no_other(number, options):
    rest = tuple(each for each in PIECES if each is not PIECES[number])
    left = 210 - (PIECES[number].end - PIECES[number].start) // timedelta(minutes=1)
    report = replace(REPORT, duration_minutes=left, planned=tuple(each.interval for each in rest))

    made = planned(report, previous=rest, fixed=(PIECES[number],), **options)

    assert (pieces_of(made), made.moved) == (PIECES, ())


def test_of_a_task_in_pieces_only_those_move_that_are_elsewhere():
    busy = (Interval(at(10), at(11)), Interval(at(13), at(13, 30)))

    made = planned(REPORT, previous=PIECES, busy=busy)

    assert times(made) == [
        *("a Mon 09:00-10:00", "a Mon 11:00-12:00", "a Mon 13:30-14:30", "a Mon 14:45-15:15"),
    ]
    assert moved(made) == [
        "a Mon 10:15 to Mon 11:00: NOT_FREE",
        "a Mon 11:30 to Mon 13:30: NOT_FREE",
        "a Mon 13:00 to Mon 14:45: NOT_FREE",
    ]


def test_a_piece_more_than_before_has_not_moved():
    missed = (PIECES[0], *PIECES[2:])

    made = planned(REPORT, previous=missed)

    assert (pieces_of(made), made.moved) == (PIECES, ())


def test_a_piece_less_than_before_is_the_last_one_that_has_gone():
    made = planned(replace(REPORT, duration_minutes=150), previous=PIECES)

    assert pieces_of(made) == PIECES[:3]
    assert moved(made) == ["a Mon 13:00 to None: CHANGED"]


def test_pieces_that_are_frozen_are_no_reason_for_others_to_move():
    busy = (Interval(at(13), at(14)),)

    made = plan(
        PlanRequest(
            tasks=(REPORT,),
            hours=WEEKDAYS,
            from_=MONDAY,
            previous=PIECES,
            freeze_until=at(12),
            busy=busy,
        )
    )

    assert moved(made) == ["a Mon 13:00 to Mon 14:00: NOT_FREE"]


@settings(deadline=None, max_examples=EXAMPLES)
@given(requests(), st.randoms(use_true_random=False))
def test_what_moves_was_there_and_goes_where_it_was_not(request_, chance):
    before = [each for each in pieces_of(plan(request_)) if each not in request_.fixed]
    previous = [
        replace(each, start=each.start + by, end=each.end + by)
        for each in before
        for by in [timedelta(minutes=chance.choice([0, 0, 0, 15, 600]))]
        if chance.random() < 0.9
    ]
    later = replace(request_, previous=tuple(previous), freeze_until=None)

    made = plan(later)

    now = {*pieces_of(made)}
    was, stood = {*later.previous}, {*later.previous, *later.fixed}
    ids = {each.task_id for each in later.tasks}
    went = [Placement(m.task_id, m.from_.start, m.from_.end) for m in made.moved]
    came = [Placement(m.task_id, m.to.start, m.to.end) for m in made.moved if m.to]
    assert sorted(went) == sorted(each for each in was - now if each.task_id in ids)
    assert now - stood >= {*came}
    assert len({*came}) == len(came)


def test_nothing_of_the_previous_plan_is_lost_that_fits():
    tasks = list(busy_weeks(30, random_from(9)))
    before = planned(*tasks)

    later = planned(*tasks, previous=pieces_of(before), from_=MONDAY + timedelta(hours=8))

    assert pieces_of(later) == pieces_of(before)
    assert planned(*map(replace, tasks), previous=pieces_of(before)).cost <= before.cost


def test_a_fresh_plan_forgets_where_tasks_were_and_says_what_moves():
    tasks = (task("light", 60), task("heavy", 60, weight=URGENT))
    previous = (piece("light", 9, 0, 60), piece("heavy", 14, 0, 60))

    near = planned(*tasks, previous=previous)
    fresh = planned(*tasks, previous=previous, fresh=True)

    assert times(near) == ["light Mon 09:00-10:00", "heavy Mon 14:00-15:00"]
    assert times(fresh) == ["heavy Mon 09:00-10:00", "light Mon 10:00-11:00"]
    assert moved(fresh) == [
        "light Mon 09:00 to Mon 10:00: OTHERS_FIRST",
        "heavy Mon 14:00 to Mon 09:00: FRESH",
    ]


@pytest.mark.parametrize("options", [{"keep_current": True}, {"max_moves": 1}], ids=str)
def test_a_fresh_plan_cannot_keep_what_is_planned(options):
    with pytest.raises(BadUserInput, match="goes without") as refused:
        planned(task("a"), fresh=True, **options)

    assert refused.value.field == "fresh"
