"""How good plans are: their cost beside earliest-deadline-first's and OR-Tools CP-SAT's.

    make .venv/planning
    .venv/planning/bin/python bench/plans.py [--seconds 60] [--workers 2] [--seeds 3] [--sizes 20 50]

CP-SAT gets the same jobs, free time and constraints, in units of 15 minutes (every figure of these
instances is a multiple of them), the cost of what is left out, late and waiting, and the
earliest-deadline-first schedule as its hint. Lower is better; 100 % is CP-SAT's cost.
"""

import argparse
import os
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from math import exp, log
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from ortools.sat.python import cp_model

from graphql_api.domain.planner.model import (
    Interval,
    PlanRequest,
    PlanTask,
    WorkingHours,
)
from graphql_api.domain.planner.objective import LATE
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.steps import Steps

SLOT = 15  # minutes
MAIN = 10**4  # of a slot late, in slots of waiting: what CP-SAT's numbers have room for
FROM = datetime(2026, 3, 23, 7, tzinfo=UTC)  # a Monday; the clocks change on the Sunday after
DAY = ((clock(9), clock(12)), (clock(13), clock(17)))
HOURS = WorkingHours((DAY,) * 5 + ((), ()), timezone="Europe/Berlin")
HORIZON = {20: 7, 50: 14, 100: 28, 200: 56}  # days


def instance(size, seed):
    """Tasks for nine tenths of the working hours, some of which are busy; a fifth is split."""
    random = Random(f"{size}/{seed}")
    days = HORIZON.get(size, min(60, max(1, size // 3)))
    slots = days * 96

    def at(low, high):
        return FROM + timedelta(minutes=SLOT * random.randrange(low, high))

    mean = 0.9 * days * 5 / 7 * 7 * 60 / size
    tasks = []
    for number in range(size):
        minutes = max(SLOT, round(random.uniform(0.3, 1.7) * mean / SLOT) * SLOT)
        start = at(0, slots // 2) if random.random() < 0.25 else None
        deadline = at(24, slots) if random.random() < 0.7 else None
        hard = random.random() < 0.35
        split = minutes >= 120 and random.random() < 0.5
        quarter = -(-minutes // 4 // SLOT) * SLOT  # four pieces at the most
        before = range(max(0, number - 15), number)
        blockers = random.sample(before, min(number, random.choice([1, 1, 2])))
        tasks.append(
            PlanTask(
                task_id=f"t{number:03}",
                duration_minutes=minutes,
                not_before=start if not (start and deadline) or start < deadline else None,
                deadline=deadline,
                deadline_is_hard=hard,
                min_chunk_minutes=max(quarter, random.choice([30, 45, 60])) if split else 0,
                weight=random.choice([1, 2, 4, 8]),
                blocked_by=tuple(f"t{b:03}" for b in blockers) if random.random() < 0.4 else (),
            )
        )
    starts = [at(0, slots) for _ in range(days)]
    busy = [Interval(s, s + timedelta(minutes=SLOT * random.randrange(1, 9))) for s in starts]
    return PlanRequest(
        tasks=tuple(tasks), hours=HOURS, from_=FROM, busy=tuple(busy), horizon_days=days
    )


def ends(schedule):
    return [pieces and pieces[-1][1] for pieces in schedule]


def total(problem, schedule):
    return sum(problem.cost(at, end) for at, end in enumerate(ends(schedule)))


def earliest_deadline_first(problem):
    """Of the tasks whose blockers are placed, always the one with the earliest deadline next."""
    order, left = [], set(range(len(problem.jobs)))
    while left:
        ready = [at for at in left if left.isdisjoint(problem.jobs[at].blockers)]
        order.append(min(ready, key=lambda at: (problem.jobs[at].due, at)))
        left.remove(order[-1])
    return problem.schedule(order)


@contextmanager
def cpu_limit(solver, seconds):
    """Stop a solver after so many seconds of CPU time: others may be using the machine."""
    begun, done = time.process_time(), threading.Event()

    def watch():
        while not done.wait(0.1):
            if time.process_time() - begun >= seconds:
                solver.stop_search()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def cp_sat(problem, hint, seconds, workers):
    """The cost of the best schedule found, and whether it is proven to be the best."""
    model = cp_model.CpModel()
    horizon = (problem.end - problem.start) // SLOT

    def slots(minute):
        assert minute % SLOT == 0
        return (minute - problem.start) // SLOT

    edges = [0, *(slots(m) for pair in zip(problem.free.starts, problem.free.ends) for m in pair)]
    edges.append(horizon)
    taken = [
        model.new_fixed_size_interval_var(start, end - start, "")
        for start, end in zip(edges[::2], edges[1::2])
        if end > start
    ]
    starts, finishes, placed, costs = [], [], [], []
    for at, job in enumerate(problem.jobs):
        size, chunk = job.duration // SLOT, job.min_piece // SLOT
        low, high = slots(job.release), slots(job.deadline)
        here = model.new_bool_var("")
        start = model.new_int_var(0, horizon, "")
        finish = model.new_int_var(0, horizon, "")
        known = hint[at]
        model.add_hint(here, known is not None)
        if known:
            model.add_hint(start, slots(known[0][0]))
            model.add_hint(finish, slots(known[-1][1]))
        if high - low < size:
            model.add(here == 0)
        elif size < 2 * chunk:
            model.add(start >= low).only_enforce_if(here)
            model.add(finish <= high).only_enforce_if(here)
            taken.append(model.new_optional_fixed_size_interval_var(start, size, here, ""))
            model.add(finish == start + size).only_enforce_if(here)
        else:
            pieces, lengths, previous = [], [], None
            for number in range(size // chunk):
                used = model.new_bool_var("")
                begins = model.new_int_var(low, high, "")
                length = model.new_int_var(0, size, "")
                ends_ = model.new_int_var(low, high, "")
                model.add(length >= chunk).only_enforce_if(used)
                model.add(length == 0).only_enforce_if(~used)
                taken.append(model.new_optional_interval_var(begins, length, ends_, used, ""))
                model.add(start <= begins).only_enforce_if(used)
                model.add(finish >= ends_).only_enforce_if(used)
                if previous is None:
                    model.add(used == here)
                else:
                    model.add_implication(used, previous[0])
                    model.add(begins >= previous[1]).only_enforce_if(used)
                if known:
                    first, last = known[number] if number < len(known) else (known[-1][1],) * 2
                    model.add_hint(used, number < len(known))
                    model.add_hint(begins, slots(first))
                    model.add_hint(ends_, slots(last))
                    model.add_hint(length, slots(last) - slots(first))
                lengths.append(length)
                previous = used, ends_
            model.add(sum(lengths) == size).only_enforce_if(here)
            model.add(start >= low).only_enforce_if(here)
        for blocker in job.blockers:
            model.add_implication(here, placed[blocker])
            model.add(start >= finishes[blocker]).only_enforce_if(here)
        late = model.new_int_var(0, horizon, "")
        if job.due < problem.end:
            model.add(late >= finish - slots(job.due)).only_enforce_if(here)
        starts.append(start), finishes.append(finish), placed.append(here)
        stakes = job.stakes
        costs.append(MAIN * (stakes.late // LATE) * late + stakes.wait * finish)
        costs.append(MAIN * (stakes.left_out // LATE // SLOT) * (1 - here))
    model.add_no_overlap(taken)
    model.minimize(sum(costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = 1
    with cpu_limit(solver, seconds):
        status = solver.solve(model)
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN), model.validate()
    if status == cp_model.UNKNOWN:  # nothing found in the time
        return None, False
    found = [
        problem.start + SLOT * solver.value(finish) if solver.value(here) else None
        for finish, here in zip(finishes, placed)
    ]
    cost = sum(problem.cost(at, end) for at, end in enumerate(found))
    return cost, status == cp_model.OPTIMAL


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of CPU time, for CP-SAT")
    parser.add_argument("--workers", type=int, default=2, help="of CP-SAT")
    parser.add_argument("--seeds", type=int, default=3, help="instances of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 50, 100, 200])
    arguments = parser.parse_args()
    print(f"CP-SAT: {arguments.seconds:g} s of CPU, {arguments.workers} worker(s). ", end="")
    print("A plan's seconds, of CPU too, are for all of it with its reasons.")
    print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n")
    print("tasks  seed  unplaced  late       plan  seconds        EDF     CP-SAT  plan/CP-SAT")
    for size in arguments.sizes:
        rates, rates_edf = [], []
        for seed in range(1, arguments.seeds + 1):
            request = instance(size, seed)
            begun = time.process_time()
            ours = plan(request)
            took = time.process_time() - begun
            problem = Problem.of(request, Steps())
            hint = earliest_deadline_first(problem)
            edf = total(problem, hint)
            cost, proven = cp_sat(problem, hint, arguments.seconds, arguments.workers)
            cost = cost or edf  # it found nothing: then the hint is what it knows
            rates.append(ours.cost / cost)
            rates_edf.append(ours.cost / edf)
            print(
                f"{size:5} {seed:5} {len(ours.unplaced):9} {len(ours.at_risk):5} {ours.cost:10.3e}"
                f" {took:8.2f} {edf:10.3e} {cost:10.3e} {ours.cost / cost:12.1%}"
                + (" (CP-SAT's is optimal)" if proven else ""),
                flush=True,
            )
        mean, mean_edf = (exp(sum(map(log, r)) / len(r)) for r in (rates, rates_edf))
        print(f"{size:5}  mean: {mean:.1%} of CP-SAT's cost, {mean_edf:.1%} of EDF's\n", flush=True)


if __name__ == "__main__":
    main()
