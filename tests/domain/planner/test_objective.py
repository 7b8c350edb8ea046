"""A plan for each clause of what is minded, as `docs/planning.md` lists them, and some weeks."""

from datetime import time, timedelta

from test_planner import at, left_out, planned, task, times

from graphql_api.domain.planner.model import AtRisk, UnplacedCode, WorkingHours
from graphql_api.domain.planner.objective import MARGIN

LOW, MEDIUM, HIGH, URGENT = 1, 2, 4, 8
ONE_LONG_DAY = {"hours": WorkingHours((((time(9), time(18)),),) * 7), "horizon_days": 1}


def errands(count, minutes=60, **given):
    return [task(f"errand{number}", minutes, **given) for number in range(count)]


def hard(hour, minute=0, day=0):
    return {"deadline": at(hour, minute, day), "deadline_is_hard": True}


def test_what_is_heavy_is_not_left_out_for_many_that_are_light():
    made = planned(
        task("report", 540, weight=URGENT, **hard(18)),
        *errands(9, weight=LOW, **hard(18)),
        **ONE_LONG_DAY,
    )

    assert times(made) == ["report Mon 09:00-18:00"]


def test_a_long_task_counts_by_its_minutes():
    made = planned(
        task("report", 300, weight=HIGH),
        *errands(5, weight=LOW),
        hours=WorkingHours((((time(9), time(14)),),) * 7),
        horizon_days=1,
    )

    assert times(made) == ["report Mon 09:00-14:00"]


def test_a_hard_deadline_counts_as_the_next_higher_priority():
    one = task("one", 240, weight=MEDIUM, **hard(13))
    made = planned(one, task("other", 300, weight=MEDIUM), hours=HALF_DAY, horizon_days=1)

    assert list(left_out(made)) == ["other"]


HALF_DAY = WorkingHours((((time(9), time(14)),),) * 7)


def test_nobody_is_late_who_need_not_be():
    made = planned(task("report", 480, deadline=at(17, 10)), task("errand", 30), **ONE_LONG_DAY)

    assert times(made) == ["report Mon 09:00-17:00", "errand Mon 17:00-17:30"]
    assert made.at_risk == ()


def test_what_is_overdue_anyway_does_not_come_before_all_that_is_urgent():
    made = planned(
        task("post", 30, weight=LOW, deadline=at(8, day=-1)),
        task("tax", 30, weight=URGENT),
        task("call", 30, weight=LOW),
    )

    assert times(made) == ["tax Mon 09:00-09:30", "post Mon 09:30-10:00", "call Mon 10:00-10:30"]


def test_lateness_counts_by_weight():
    made = planned(
        task("light", 60, weight=LOW, deadline=at(10)),
        task("heavy", 60, weight=HIGH, deadline=at(10)),
        **ONE_LONG_DAY,
    )

    assert made.at_risk == (AtRisk("light", 60),)


def test_a_task_is_rather_late_than_left_out():
    made = planned(
        task("a", 540, deadline=at(9)),
        task("b", 60, deadline=at(9)),
        horizon_days=2,
        hours=ONE_LONG_DAY["hours"],
    )

    assert left_out(made) == {}


def test_what_is_urgent_keeps_a_distance_from_its_deadline():
    made = planned(
        task("report", 480, weight=URGENT, **hard(17, 30)),
        task("errand", 30, weight=LOW),
        **ONE_LONG_DAY,
    )

    assert times(made) == ["report Mon 09:00-17:00", "errand Mon 17:00-17:30"]


def test_the_distance_is_a_day_and_what_is_light_has_it_too():
    report = task("report", 480, weight=LOW, **hard(17, 30, day=1))
    busy_days = {**ONE_LONG_DAY, "horizon_days": 2}

    made = planned(report, task("call", 60, weight=HIGH), *errands(2, 30), **busy_days)

    assert timedelta(minutes=MARGIN) == timedelta(days=1)
    assert times(made)[:2] == ["report Mon 09:00-17:00", "call Mon 17:00-18:00"]


def test_what_is_urgent_is_not_left_to_the_last_minute_while_cleaning_comes_first():
    made = planned(
        task("release", 420, weight=URGENT, min_chunk_minutes=60, **hard(15, day=4)),
        *errands(25, 45, weight=LOW),
    )

    assert times(made)[:2] == ["release Mon 09:00-12:00", "release Mon 13:00-17:00"]


def test_what_is_more_valuable_comes_earlier_though_it_takes_longer():
    made = planned(task("report", 180, weight=HIGH), *errands(4, 30, weight=LOW))

    assert times(made)[0] == "report Mon 09:00-12:00"


def test_of_equals_the_shorter_comes_first():
    made = planned(task("long", 120), task("short", 30))

    assert times(made) == ["short Mon 09:00-09:30", "long Mon 09:30-11:30"]


def test_a_task_has_the_fewest_pieces_with_which_it_ends_then():
    made = planned(task("a", 240, min_chunk_minutes=30, weight=HIGH), task("b", 30, weight=URGENT))

    assert times(made) == ["b Mon 09:00-09:30", "a Mon 09:30-12:00", "a Mon 13:00-14:30"]


def test_what_cannot_be_done_takes_nobody_s_time():
    made = planned(task("tight", 61, weight=URGENT, **hard(10)), task("b", 60), **ONE_LONG_DAY)

    assert times(made) == ["b Mon 09:00-10:00"]
    assert left_out(made) == {"tight": (UnplacedCode.DEADLINE_TOO_SOON, 1)}
