"""Very many reminders that are due in one minute: how long it takes to tell them, in how many calls.

    .venv/bin/python bench/reminders.py [reminders [processes]]     # 100,000 and 1
    .venv/bin/python bench/reminders.py units                      # capacity units, on DynamoDB Local

The first runs on the embedded engine, with a thousand users whose tasks have a reminder each.
"""

import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent.parent),
    str(Path(__file__).parent.parent / "tests" / "support"),
]

from engines import ENGINES
from units import consumed

from graphql_api import ids
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.model import Reminder
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.tasks import writes
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.infra.dynamodb import Database, connect

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)  # to come: engines delete what has expired
DUE = NOW + timedelta(hours=1)
USERS = 1_000
FIELDS = {
    "title": "Task 000000 with a title of usual length",
    "description": "x" * 200,
    "tags": ["home", "later"],
}


class Deployment:
    """The parts that tell what is due, on one store."""

    def __init__(self, config):
        self.database = Database(connect(config), call_timeout=60, timeout=10)
        self.changes = ChangeStore(self.database, timedelta(days=30))
        self.tasks = TaskStore(self.database, self.changes)
        self.duty = TimerDuty(TimerStore(self.database), self.tasks, 1.0, lambda: DUE)

    def fill(self, count):
        """Give users tasks with reminders within the minute before DUE."""

        def made(number):
            at = DUE - timedelta(seconds=60 * number / count)
            fields = {**FIELDS, "reminders": [Reminder(at=at.replace(microsecond=0))]}
            task = Task.new(f"user-{number % USERS}", fields, NOW)
            return writes.creation(task, fields, SYSTEM, NOW)

        for group in self.tasks.transactions(map(made, range(count))):
            self.tasks.write(*group)

    def told(self):
        """How many reminders the feeds have."""
        day = ids.first_id(DUE)
        feeds = (self.changes.after(f"user-{n}", day, 10_000, DUE) for n in range(USERS))
        return sum(change.late_seconds is not None for feed in feeds for change in feed)


def dispatch(config, results):
    """Tell what is due until there is nothing more; the calls that this took."""
    there, calls = Deployment(config), Counter()
    there.database.on_call = lambda call: calls.update(
        [f"{call.operation}{' refused' * bool(call.failure)}"]
    )
    begun = time.perf_counter()
    while there.duty.run(DUE) == 0:
        pass
    results.put((time.perf_counter() - begun, calls))


def load(count, processes):
    with (
        tempfile.TemporaryDirectory() as directory,
        ENGINES["embedded"](Path(directory) / "data") as config,
    ):
        there = Deployment(config)
        begun = time.perf_counter()
        there.fill(count)
        print(f"{count:,} tasks with a reminder: {time.perf_counter() - begun:.1f} s", flush=True)
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        workers = [
            context.Process(target=dispatch, args=(config, results)) for _ in range(processes)
        ]
        for worker in workers:
            worker.start()
        found = [results.get() for _ in workers]
        took = max(seconds for seconds, _ in found)
        for worker in workers:
            worker.join()
        print(f"told by {processes} in {took:.1f} s, {count / took:,.0f} a second")
        for _, each in found:
            print(f"  {each.total():,} calls: {dict(each)}")
        assert there.told() == count, there.told()


def units():
    with tempfile.TemporaryDirectory() as directory, ENGINES["local"](Path(directory)) as config:
        there = Deployment(config)
        dependencies = DependencyStore(there.database)
        projects = ProjectStore(there.database)
        history = History(there.tasks, dependencies, None, projects)
        tasks = Tasks(there.tasks, dependencies, history, projects)
        print("| write | calls | read units | write units |\n|---|---|---|---|")

        def line(title, act):
            with consumed(there.database) as calls:
                result = act()
            made = ", ".join(f"{n} {c}" for c, n in Counter(c.operation for c in calls).items())
            reads, wrote = sum(call.reads for call in calls), sum(call.writes for call in calls)
            print(f"| {title} | {made} | {reads:g} | {wrote:g} |", flush=True)
            return result

        def create(what, **fields):
            values = {**FIELDS, **fields}
            return line(what, lambda: tasks.create("ann", values, SYSTEM, NOW))

        def update(what, task, **fields):
            values = {"id": task.task_id, **fields}
            return line(what, lambda: tasks.update("ann", values, SYSTEM, NOW))

        dated, reminded = {"due_at": DUE}, {"reminders": [Reminder(minutes_before=5)]}
        plain = create("`createTask`")
        create("`createTask` with a due date", **dated)
        both = create("`createTask` with a due date and a reminder", **dated, **reminded)
        update("`updateTask`", plain, title="Another")
        update("`updateTask` of one with a due date and a reminder", both, title="Another")
        update("`updateTask`: another due date", both, due_at=DUE + timedelta(hours=1))
        update("… that completes it", both, status=TaskStatus.COMPLETED)
        line("a look of the dispatcher, nothing is due", lambda: there.duty.run(NOW))
        line("TASK_DUE and TASK_OVERDUE of one task", lambda: there.duty.run(DUE))
        create("`createTask` with a reminder", reminders=[Reminder(at=DUE)])
        line("REMINDER of one task", lambda: there.duty.run(DUE))
        for number in range(100):
            tasks.create("bob", {**FIELDS, "title": f"{number}", **dated}, SYSTEM, NOW)
        line("TASK_DUE and TASK_OVERDUE of 100 tasks", lambda: there.duty.run(DUE))


if __name__ == "__main__":
    if sys.argv[1:] == ["units"]:
        units()
    else:
        given = [int(each.replace(",", "")) for each in sys.argv[1:]]
        load(*given, *(100_000, 1)[len(given) :])
