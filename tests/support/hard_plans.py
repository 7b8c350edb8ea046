"""Legal requests that cost the planner the most work, by name: each at every bound that it meets.

All begin on a Monday at midnight and reach over 60 days of 24 hours, which 499 busy times divide
into 500 intervals of free time.
"""

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate

from graphql_api.domain.planner.model import (
    Buffers,
    Interval,
    PlanRequest,
    PlanTask,
    WorkingHours,
)

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
DAYS = 60
HORIZON = DAYS * 24 * 60  # minutes
TASKS = 2_000
GAPS = 500
ALWAYS = WorkingHours((((time(0), time(0)),),) * 7)
HALF_HOURS = WorkingHours(
    (tuple((time(hour), time(hour, 30)) for hour in range(24)),) * 7, timezone="Australia/Lord_Howe"
)


def minute(number):
    return MONDAY + timedelta(minutes=number)


def busy(every=173, length=1):
    """499 busy times of some minutes, each ending `every` minutes after the one before."""
    return tuple(Interval(minute(n * every - length), minute(n * every)) for n in range(1, GAPS))


def request(tasks, *, count=TASKS, **options):
    """A request of `count` tasks; `tasks` gives the fields of each by its number."""
    planned = tuple(PlanTask(**{"task_id": name(n), **tasks(n)}) for n in range(count))
    return PlanRequest(
        **{
            "tasks": planned,
            "hours": ALWAYS,
            "from_": MONDAY,
            "busy": busy(),
            "horizon_days": DAYS,
            **options,
        }
    )


def name(number):
    return f"t{number:04}"


def spread(number):
    """Minutes of the horizon in an order without order."""
    return number * 7_919 % HORIZON


def tasks_that_almost_fit_in_pieces(count=TASKS):
    return request(lambda _: {"duration_minutes": 14_400, "min_chunk_minutes": 172}, count=count)


def tasks_in_many_pieces():
    return request(
        lambda n: {"duration_minutes": 4_000, "min_chunk_minutes": 30, "weight": 1 + n % 8},
        count=20,
    )


def tasks_in_the_smallest_pieces():
    return request(
        lambda n: {
            "duration_minutes": 860,
            "min_chunk_minutes": 1,
            "weight": 1 + n % 8,
            "deadline": minute(spread(n)),
        },
        count=100,
    )


def pieces_of_many_sizes_before_one_hard_deadline():
    return request(
        lambda n: {
            "duration_minutes": 300 + n % 30,
            "min_chunk_minutes": 30 + n % 100,
            "weight": 1 + n % 8,
            "deadline": minute(80_000),
            "deadline_is_hard": True,
        }
    )


def tasks_longer_than_any_gap():
    return request(lambda n: {"duration_minutes": 173 + n})


def equal_deadlines():
    return request(
        lambda n: {
            "duration_minutes": 43 + n % 30,
            "weight": 1 + n % 8,
            "deadline": minute(40_000),
            "deadline_is_hard": n % 2 == 0,
        }
    )


def stairs():
    """Each task has a window of its own in the middle of a gap, and cuts it in two."""
    return request(
        lambda n: {
            "duration_minutes": 40,
            "min_chunk_minutes": 1,
            "not_before": minute(43 * (TASKS - n)),
            "deadline": minute(43 * (TASKS - n) + 60),
        }
    )


def stairs_and_tasks_that_almost_fit():
    """The stairs cut the gaps of 500 into 1,250, in which the others never fit."""

    def task(n):
        if n < 750:
            return {"duration_minutes": 1, "not_before": minute(115 * n + 50), "weight": 1_000}
        return {"duration_minutes": 14_000 + n % 400, "min_chunk_minutes": 60 + n % 50}

    return request(task)


def one_chain():
    return request(
        lambda n: {
            "duration_minutes": 43,
            "weight": 1 + n * 7 % 8,
            "deadline": minute(30 * n),
            "blocked_by": (name(n - 1),) if n else (),
        }
    )


def chains_of_thirty():
    return request(
        lambda n: {
            "duration_minutes": 43,
            "weight": 1 + n * 7 % 8,
            "deadline": minute(spread(n)),
            "blocked_by": (name(n - 1),) if n % 30 else (),
        }
    )


def fans_out():
    """Forty tasks block all others."""
    return request(
        lambda n: {
            "duration_minutes": 40,
            "weight": 1 + n % 8,
            "deadline": minute(spread(n)),
            "blocked_by": (name(n % 40),) if n >= 40 else (),
        }
    )


def fans_in():
    """Forty tasks are blocked by 49 others each."""

    def task(n):
        first = (n - 1_960) * 49
        blockers = tuple(map(name, range(first, first + 49))) if n >= 1_960 else ()
        return {
            "duration_minutes": 40,
            "weight": 1 + n % 8,
            "deadline": minute(spread(n)),
            "blocked_by": blockers,
        }

    return request(task)


def everything_is_kept():
    return request(
        lambda n: {
            "duration_minutes": 43,
            "min_chunk_minutes": 1,
            "planned": (Interval(minute(n * 43), minute(n * 43 + 600)),),
        },
        keep_current=True,
    )


def nothing_can_be_kept():
    return request(
        lambda n: {
            "duration_minutes": 14_000 + n % 400,
            "min_chunk_minutes": 120 + n % 50,
            "planned": (Interval(minute(0), minute(HORIZON)),),
        },
        keep_current=True,
    )


def half_hours_while_clocks_change():
    return request(
        lambda n: {
            "duration_minutes": 7,
            "min_chunk_minutes": 1,
            "weight": 1 + n % 8,
            "deadline": minute(spread(n) // 3),
        },
        hours=HALF_HOURS,
        busy=(),
        horizon_days=20,
    )


def all_kinds():
    chance = random.Random(1)

    def task(n):
        return {
            "duration_minutes": chance.choice([0, 1, 5, 15, 40, 60, 90, 200, 2_000]),
            "min_chunk_minutes": chance.choice([0, 0, 1, 7, 30, 85]),
            "not_before": chance.choice([None, minute(chance.randrange(HORIZON))]),
            "deadline": chance.choice([None, minute(chance.randrange(HORIZON))]),
            "deadline_is_hard": chance.random() < 0.4,
            "weight": chance.choice([1, 2, 4, 8]),
            "blocked_by": (name(chance.randrange(max(0, n - 30), n)),) if n % 2 else (),
        }

    return request(task)


def parts_that_leave_shards():
    """Most tasks have no place among what pauses leave of free time."""
    return request(
        lambda n: {
            "duration_minutes": 300 + n % 7,
            "min_chunk_minutes": 15,
            "max_chunk_minutes": 44,
            "weight": 1 + n % 8,
        }
    )


def as_many_parts_as_can_be():
    return request(
        lambda n: {
            "duration_minutes": 750,
            "min_chunk_minutes": 7,
            "max_chunk_minutes": 15,
            "weight": 1 + n % 8,
        },
        busy=(),
    )


def long_parts_of_which_few_fit():
    return request(
        lambda n: {
            "duration_minutes": 14_400 - n,
            "min_chunk_minutes": 144,
            "max_chunk_minutes": 288 + n % 9,
        }
    )


def parts_nearer_than_their_pauses():
    return request(
        lambda n: {
            "duration_minutes": 750 - n % 40,
            "min_chunk_minutes": 1 + n % 5,
            "max_chunk_minutes": 30,
            "weight": 1 + n % 8,
        },
        busy=busy(15),
        horizon_days=5,
        buffers=Buffers(break_minutes=240),
    )


def parts_in_ever_longer_gaps():
    ends = accumulate(range(20, 400))
    return request(
        lambda n: {
            "duration_minutes": 3_000 - n % 40,
            "min_chunk_minutes": 20 + n % 5,
            "max_chunk_minutes": 60,
            "weight": 1 + n % 8,
        },
        busy=tuple(Interval(minute(end - 1), minute(end)) for end in ends),
        buffers=Buffers(break_minutes=240),
    )


def parts_of_limited_days():
    limits = Buffers(daily_slack_percent=20, max_minutes_per_day=480)
    return replace(long_parts_of_which_few_fit(), buffers=limits)


def parts_that_might_stay_for_others_that_wait():
    parts = parts_in_ever_longer_gaps()
    whole = (Interval(minute(0), minute(HORIZON)),)
    tasks = [replace(task, planned=whole) for task in parts.tasks]
    tasks[1959] = PlanTask(task_id=name(1959), duration_minutes=14_400)
    for n in range(1960, 2000):
        first = (n - 1960) * 49
        tasks[n] = replace(tasks[n], blocked_by=tuple(map(name, range(first, first + 49))))
    return replace(
        parts,
        tasks=tuple(tasks),
        keep_current=True,
        buffers=Buffers(daily_slack_percent=20, max_minutes_per_day=480, break_minutes=240),
    )


HARD_PLANS = {
    make.__name__: make
    for make in (
        tasks_that_almost_fit_in_pieces,
        tasks_in_many_pieces,
        tasks_in_the_smallest_pieces,
        pieces_of_many_sizes_before_one_hard_deadline,
        tasks_longer_than_any_gap,
        equal_deadlines,
        stairs,
        stairs_and_tasks_that_almost_fit,
        one_chain,
        chains_of_thirty,
        fans_out,
        fans_in,
        everything_is_kept,
        nothing_can_be_kept,
        half_hours_while_clocks_change,
        all_kinds,
        parts_that_leave_shards,
        as_many_parts_as_can_be,
        long_parts_of_which_few_fit,
        parts_nearer_than_their_pauses,
        parts_in_ever_longer_gaps,
        parts_of_limited_days,
        parts_that_might_stay_for_others_that_wait,
    )
}
