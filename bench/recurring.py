"""Completing tasks that recur beside completing plain ones, and what a rule costs by itself.

    .venv/bin/python bench/recurring.py [tasks of each kind [rounds]]     # 300 and 5

Runs on the embedded engine, in one process, through GraphQL; both kinds take turns.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent.parent),
    str(Path(__file__).parent.parent / "tests"),
    str(Path(__file__).parent.parent / "tests" / "support"),
]

from conftest import Api
from engines import ENGINES

from graphql_api import create_app
from graphql_api.domain.accounts import session_cache
from graphql_api.domain.recurrence.days import _expansion
from graphql_api.domain.recurrence.model import Recurrence, Start
from graphql_api.domain.recurrence.occurrences import Occurrences

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 300
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
DUE = "2090-03-20T08:00:00Z"
RULE = {"rrule": "FREQ=WEEKLY", "timezone": "Europe/Berlin"}
CREATE = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
COMPLETE = """mutation ($i: CompleteTaskInput!) {
  completeTask(input: $i) { task { id status } next { id } } }"""


def created(person, **more):
    given = {"title": "Water the plants", "dueAt": DUE, **more}
    return person.graphql(CREATE, i=given)["data"]["createTask"]["task"]["id"]


def completing(person, ids):
    """Seconds that it takes to complete tasks."""
    begun = time.perf_counter()
    for task_id in ids:
        assert "errors" not in person.graphql(COMPLETE, i={"id": task_id})
    return time.perf_counter() - begun


def rates():
    with tempfile.TemporaryDirectory() as directory, ENGINES["embedded"](Path(directory)) as config:
        session_cache.TTL_SECONDS = 3600
        ann = Api(create_app(config).test_client()).register("ann")
        ratios = []
        for number in range(ROUNDS):
            kinds = {
                "plain": [created(ann) for _ in range(TASKS)],
                "recurring": [created(ann, recurrence=RULE) for _ in range(TASKS)],
            }
            order = list(kinds) if number % 2 else list(kinds)[::-1]
            rate = {kind: TASKS / completing(ann, kinds[kind]) for kind in order}
            ratios.append(rate["recurring"] / rate["plain"])
            shown = ", ".join(f"{kind} {rate[kind]:,.0f}/s" for kind in kinds)
            print(f"{shown}: {ratios[-1]:.2f}", flush=True)
        print(f"recurring by plain, median: {statistics.median(ratios):.2f}")


def rules():
    day = date(2036, 6, 1)
    for rrule in ("FREQ=DAILY", "FREQ=DAILY;COUNT=1000", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=1000"):
        rule = Recurrence.checked(rrule, "Europe/Berlin")
        start = Start.of(datetime(2026, 6, 1, 8, tzinfo=UTC), rule.timezone)
        if rrule.startswith("FREQ=MONTHLY"):
            start = Start.of(datetime(2026, 6, 26, 8, tzinfo=UTC), rule.timezone)
        after = day if rule.rule.count is None else date(2028, 6, 1)
        for warmth in ("cold", "warm"):
            took = []
            for _ in range(20):
                if warmth == "cold":
                    _expansion.cache_clear()
                begun = time.process_time()
                assert len(list(islice(Occurrences(rule, start).after(after), 5))) == 5
                took.append(time.process_time() - begun)
            print(f"{rrule}, five after {after}, {warmth}: {1000 * statistics.median(took):.2f} ms")


rules()
rates()
