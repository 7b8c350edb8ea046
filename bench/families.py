"""How much the search gains over one pass of a rule, on families of plans that are hard.

    .venv/bin/python bench/families.py [--sizes 50 200 1000 2000] [--times 20]

For each family and size: the cost of the plan in percent of that of the best single pass by
apparent tardiness cost, the tasks that each leaves out, and the CPU time of the plan. With --times,
also the cost in percent of that of a plan whose search has so many times the steps.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent.parent))

from graphql_api.domain.planner.model import Interval, PlanRequest, PlanTask, WorkingHours
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search import search
from graphql_api.domain.planner.search.priority_rules import LOOK_AHEADS, apparent_tardiness_order
from graphql_api.domain.planner.steps import MAX_STEPS, Steps

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
OFFICE_MINUTES, NIGHT_MINUTES = 300, 400  # of work a day, on average
OFFICE = WorkingHours((((clock(9), clock(12)), (clock(13), clock(17))),) * 5 + ((), ()))
NIGHTS = WorkingHours((((clock(22), clock(6)),),) * 7)
FAMILIES = {}


def family(hours=OFFICE, busy=()):
    """Declare a family: the fields of a task by its number, their count and its mean minutes."""

    def declare(fields):
        FAMILIES[fields.__name__.replace("_", " ")] = fields, hours, busy
        return fields

    return declare


def at(minute):
    return MONDAY + timedelta(minutes=minute)


def minutes(number, mean):
    """Minutes of a task: around the mean, in an order without order."""
    return max(1, mean * (50 + number * 37 % 101) // 100)


def days(count):
    """Length of a plan of so many tasks."""
    return min(60, count // 4)


def scattered(number, count):
    """An instant of a plan, in an order without order."""
    return at(number * 7919 % (days(count) * 1440))


def weighted(number, mean, **fields):
    return {"duration_minutes": minutes(number, mean), "weight": 1 << number * 7 % 4, **fields}


@family()
def equal_deadlines(number, count, mean):
    return weighted(number, mean, deadline=at(days(count) * 720), deadline_is_hard=number % 2 == 0)


@family()
def chains_of_thirty(number, count, mean):
    before = (f"t{number - 1:04}",) if number % 30 else ()
    return weighted(number, mean, deadline=scattered(number, count), blocked_by=before)


@family()
def fans_of_forty(number, count, mean):
    before = (f"t{number - number % 40:04}",) if number % 40 else ()
    return weighted(number, mean, deadline=scattered(number, count), blocked_by=before)


@family()
def tight_splits(number, count, mean):
    long = minutes(number, mean)
    due = at(days(count) * 1440 * (number + 1) // count)
    return weighted(number, mean, min_chunk_minutes=max(1, long // 3), deadline=due)


@family()
def stairs(number, count, mean):
    step = days(count) * 1440 * (count - number) // count
    return weighted(number, mean, not_before=at(step - 1440), deadline=at(step + 1440))


@family(NIGHTS, tuple(Interval(at(n * 172), at(n * 172 + 20)) for n in range(500)))
def busy_nights(number, count, mean):
    return weighted(number, mean, deadline=scattered(number, count), min_chunk_minutes=5)


def request(name, count):
    """A request whose tasks have about as many minutes as there are."""
    fields, hours, busy = FAMILIES[name]
    mean = days(count) * (OFFICE_MINUTES if hours is OFFICE else NIGHT_MINUTES) // count
    tasks = tuple(PlanTask(task_id=f"t{n:04}", **fields(n, count, mean)) for n in range(count))
    return PlanRequest(tasks=tasks, hours=hours, from_=MONDAY, busy=busy, horizon_days=days(count))


def best_pass(asked):
    """Cost of the best list schedule by apparent tardiness cost, and how many it leaves out."""
    problem = Problem.of(asked, Steps())
    passes = (apparent_tardiness_order(problem, ahead) for ahead in LOOK_AHEADS)
    schedules = map(problem.schedule, passes)
    return min((problem.total_cost(found), found.count(None)) for found in schedules)


def plan_longer(asked, times):
    """The plan of a search with so many times the steps and moves."""

    def scaled(usual):
        return lambda jobs: times * usual(jobs)

    bounds = (search.sequence_steps, search.move_count, search.move_steps)
    with patch.multiple(search, **{bound.__name__: scaled(bound) for bound in bounds}):
        return plan(asked, Steps(limit=times * MAX_STEPS))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 1_000, 2_000])
    parser.add_argument("--times", type=int, help="compare with so many times the steps")
    arguments = parser.parse_args()
    print("family            tasks    cost  left out (by a pass)  CPU")
    for name in FAMILIES:
        for count in arguments.sizes:
            asked = request(name, count)
            cost, left_out = best_pass(asked)
            start = time.process_time()
            made = plan(asked)
            cpu = time.process_time() - start
            share = 100 * made.cost / cost if cost else 100.0
            row = f"{name:16}{count:7}{share:7.1f} %{len(made.unplaced):10} ({left_out:10}){cpu:5.1f} s"
            if arguments.times:
                longer = plan_longer(asked, arguments.times).cost
                row += f"{100 * made.cost / longer:7.1f} % of {arguments.times} times the steps"
            print(row, flush=True)


if __name__ == "__main__":
    main()
