"""How near plans come to the published optima of weighted tardiness: OR-Library's wt40, wt50, wt100.

    WT_DATA=/path/to/the/files make bench-plans
    .venv/bin/python bench/tardiness.py --data DIRECTORY [--every 5]
    .venv/planning/bin/python bench/tardiness.py --data DIRECTORY --cp-sat SECONDS

A person is one machine: 125 instances each of 40, 50 and 100 jobs (Crauwels, Potts and Van
Wassenhove 1998), to download from J. E. Beasley's OR-Library: wt40.txt, wt50.txt, wt100.txt, and the
best known values wtopt40.txt, wtopt50.txt, wtbest100b.txt. A gap is the share by which the weighted
tardiness is above the best known; instances whose best is 0 are counted apart.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parent.parent))

from graphql_api.domain.planner.model import PlanRequest, PlanTask, WorkingHours
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.problem import Problem
from graphql_api.domain.planner.search.priority_rules import LOOK_AHEADS, apparent_tardiness_order
from graphql_api.domain.planner.steps import Steps

FROM = datetime(2030, 1, 7, tzinfo=UTC)
ALWAYS = WorkingHours((((clock(0), clock(0)),),) * 7)
BEST = {40: "wtopt40.txt", 50: "wtopt50.txt", 100: "wtbest100b.txt"}
DAY = 24 * 60


def instances(data, size):
    """Durations, weights, due dates and the best known value of each instance."""
    numbers = [int(word) for word in (data / f"wt{size}.txt").read_text().split()]
    best = [int(word) for word in (data / BEST[size]).read_text().split()]
    rows = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    return list(zip(rows[::3], rows[1::3], rows[2::3], best, strict=True))


def request(durations, weights, due):
    return PlanRequest(
        tasks=tuple(
            PlanTask(
                task_id=f"{number:03}",
                duration_minutes=minutes,
                weight=weight,
                deadline=FROM + timedelta(minutes=until),
            )
            for number, (minutes, weight, until) in enumerate(zip(durations, weights, due))
        ),
        hours=ALWAYS,
        from_=FROM,
        horizon_days=sum(durations) // DAY + 1,
    )


def tardiness(ends, weights, due):
    return sum(w * max(0, ends[n] - d) for n, (w, d) in enumerate(zip(weights, due)))


def by_plan(durations, weights, due):
    made = plan(request(durations, weights, due))
    assert not made.unplaced
    return sum(weights[int(late.task_id)] * late.late_minutes for late in made.at_risk)


def by_atc(durations, weights, due):
    """The best of one pass with each look-ahead."""
    asked = request(durations, weights, due)
    problem = Problem.of(asked, Steps())
    found = []
    for look_ahead in LOOK_AHEADS:
        schedule = problem.schedule(apparent_tardiness_order(problem, look_ahead))
        ends = {
            int(task.task_id): pieces[-1][1] - problem.start
            for task, pieces in zip(asked.ordered, schedule, strict=True)
        }
        found.append(tardiness(ends, weights, due))
    return min(found)


def by_cp_sat(seconds):
    from ortools.sat.python import cp_model

    def solve(durations, weights, due):
        model, span = cp_model.CpModel(), sum(durations)
        ends = [model.new_int_var(minutes, span, "") for minutes in durations]
        model.add_no_overlap(
            model.new_interval_var(end - minutes, minutes, end, "")
            for end, minutes in zip(ends, durations)
        )
        late = [model.new_int_var(0, span, "") for _ in due]
        for each, end, until in zip(late, ends, due):
            model.add(each >= end - until)
        model.minimize(sum(weight * each for weight, each in zip(weights, late)))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = seconds
        solver.solve(model)
        return round(solver.objective_value)

    return solve


def measure(name, solve, chosen):
    gaps, on_time, none_late, begun = [], 0, 0, time.process_time()
    for durations, weights, due, best in chosen:
        found = solve(durations, weights, due)
        if best:
            gaps.append(100 * (found - best) / best)
        else:
            none_late, on_time = none_late + 1, on_time + (found == 0)
    took = (time.process_time() - begun) / len(chosen)
    print(
        f"{len(chosen[0][0]):4}  {name:8} {mean(gaps):8.3f} % {median(gaps):8.3f} %"
        f" {max(gaps):8.2f} %  {on_time:3} of {none_late:3} {took:8.3f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the files")
    parser.add_argument("--every", type=int, default=1, help="take every so-manieth instance")
    parser.add_argument("--cp-sat", type=float, default=0, help="CP-SAT's deterministic seconds")
    arguments = parser.parse_args()
    solvers = {"ATC": by_atc, "plan": by_plan}
    if arguments.cp_sat:
        solvers["CP-SAT"] = by_cp_sat(arguments.cp_sat)
    print("jobs  by         mean gap     median      worst   none late   CPU each")
    for size in BEST:
        chosen = instances(arguments.data, size)[:: arguments.every]
        for name, solve in solvers.items():
            measure(name, solve, chosen)


if __name__ == "__main__":
    main()
