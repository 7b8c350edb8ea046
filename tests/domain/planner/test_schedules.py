"""Named hours, in which tasks are done that name them, beside the working hours."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from test_objective import URGENT, hard
from test_planner import (
    MONDAY,
    WEEKDAYS,
    at,
    codes,
    crowd,
    left_out,
    piece,
    planned,
    random_from,
    task,
    times,
)

from graphql_api.domain.planner.model import (
    Buffers,
    Interval,
    ReasonCode,
    Schedule,
    UnplacedCode,
    WorkingHours,
)


def daily(name, opens, closes, zone="UTC"):
    return Schedule(name, WorkingHours((((opens, closes),),) * 7, timezone=zone))


DEEP = daily("deep", time(9), time(11))
EVENING = daily("evening", time(18), time(20))
NIGHT = daily("night", time(23), time(1))
ALL = {"schedules": (DEEP, EVENING, NIGHT)}


def test_a_task_is_done_in_the_hours_of_its_schedule_inside_the_working_hours_or_outside():
    made = planned(
        task("a", weight=URGENT),
        task("dishes", schedule="evening"),
        task("essay", 90, schedule="deep"),
        **ALL,
    )

    assert times(made) == [
        "a Mon 09:00-10:00",
        "dishes Mon 18:00-19:00",
        "essay Tue 09:00-10:30",
    ]
    assert "SCHEDULE" in codes(made, "essay")


def test_what_is_taken_in_one_schedule_is_taken_in_all_that_overlap_it():
    made = planned(
        task("essay", 120, schedule="deep", weight=URGENT),
        task("mail", 30),
        buffers=Buffers(after_block=15),
        **ALL,
    )

    assert times(made) == ["essay Mon 09:00-11:00", "mail Mon 11:15-11:45"]


def test_only_others_in_the_same_hours_have_taken_earlier_time():
    made = planned(
        task("work", 420, weight=URGENT, min_chunk_minutes=60),
        task("dishes", 100, schedule="evening", weight=2),
        task("floor", 100, schedule="evening"),
        **ALL,
    )

    block = next(block for block in made.blocks if block.task_id == "floor")
    [others] = [r for r in block.reasons if r.code is ReasonCode.OTHERS_FIRST]
    assert others.task_ids == ("dishes",)


def test_pieces_of_a_night_are_in_the_night_whatever_day_it_is_then():
    made = planned(task("watch", 180, schedule="night", min_chunk_minutes=30), **ALL)

    assert times(made) == ["watch Mon 00:00-01:00", "watch Mon 23:00-01:00"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),  # skipped
        (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)),  # twice
    ],
    ids=["spring", "autumn"],
)
def test_a_schedule_has_its_hours_when_the_clocks_change(start, end):
    zone = "Europe/Berlin"
    minutes = (end - start) // timedelta(minutes=1)
    early = daily("early", time(0), time(3), zone)

    made = planned(
        task("a", minutes, schedule="early"),
        hours=WorkingHours(((),) * 7, timezone=zone),
        from_=start,
        horizon_days=1,
        schedules=(early,),
    )

    assert [(block.start, block.end) for block in made.blocks] == [(start, end)]


def test_a_schedule_that_is_gone_is_said_and_the_working_hours_count():
    made = planned(task("a", schedule="gone"), **ALL)

    assert times(made) == ["a Mon 09:00-10:00"]
    assert "NO_SCHEDULE" in codes(made, "a")


def test_what_does_not_fit_into_a_schedule_says_so_though_other_hours_are_free():
    made = planned(
        task("long", 130, schedule="evening"),
        task("due", 60, schedule="evening", **hard(18, 30)),
        **ALL,
    )

    assert left_out(made) == {
        "due": (UnplacedCode.DEADLINE_TOO_SOON, 30),
        "long": (UnplacedCode.NO_WINDOW_LONG_ENOUGH, 10),
    }


def test_limits_of_a_day_hold_for_each_schedule_on_its_own():
    made = planned(
        task("work", 400, min_chunk_minutes=30),
        task("dishes", 210, min_chunk_minutes=30, schedule="evening"),
        buffers=Buffers(daily_slack_percent=50),
        **ALL,
    )

    assert [line for line in times(made) if "dishes" in line] == [
        "dishes Mon 18:00-19:00",
        "dishes Tue 18:00-19:00",
        "dishes Wed 18:00-19:00",
        "dishes Thu 18:00-18:30",
    ]


@pytest.mark.parametrize("apart", [0, 5])
def test_a_piece_that_is_fixed_takes_no_more_of_the_hours_of_others_than_it_has(apart):
    chapter = task("chapter", 210, schedule="morning")
    given = {
        "schedules": (daily("morning", time(8), time(12)),),
        "buffers": Buffers(after_block=apart, daily_slack_percent=10),
    }
    before = planned(chapter, task("call", 20, not_before=at(11, 40)), **given)
    call = piece("call", 11, 40, 20)

    after = planned(
        chapter, task("call", 0), fixed=(call,), previous=(piece("chapter", 8, 0, 210),), **given
    )

    assert times(before) == ["chapter Mon 08:00-11:30", "call Mon 11:40-12:00"]
    assert (times(after), after.moved) == (times(before), ())


def test_a_kept_task_stays_in_its_schedule_alone():
    made = planned(
        task("stays", schedule="evening", planned=(Interval(at(19), at(20)),)),
        task("moves", schedule="evening", planned=(Interval(at(9), at(10)),)),
        keep_current=True,
        **ALL,
    )

    assert times(made) == ["moves Mon 18:00-19:00", "stays Mon 19:00-20:00"]


@pytest.mark.parametrize("seed", range(3))
def test_schedules_keep_every_rule_whatever_is_planned(seed):
    rng = random_from(seed)
    names = ["", "deep", "evening", "night", "gone"]
    tasks = [replace(one, schedule=rng.choice(names)) for one in crowd(40, rng)]

    made = planned(*tasks, hours=WEEKDAYS, from_=MONDAY, **ALL)

    assert len(made.blocks) > 10
