"""What urgency was made of before some changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.domain.changes.model import SYSTEM, ChangeKind
from graphql_api.domain.changes.past import Past
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus
from graphql_api.errors import Conflict

START = datetime(2030, 1, 7, 9, tzinfo=UTC)
ZONE = "Europe/Berlin"
EDITS = [
    {"status": TaskStatus.COMPLETED},
    {"status": TaskStatus.PENDING},
    {"priority": TaskPriority.URGENT, "tags": ("next",)},
    {"tags": ()},
    {"due_at": START},
    {"due_on": date(2030, 3, 31)},
    {"due_on": None, "due_at": None, "not_before": START},
    {"planned_start": START, "planned_end": START + timedelta(hours=1)},
]


class Life:
    """Somebody's tasks and dependencies, and what was done to them."""

    def __init__(self):
        self.now = START
        self.tasks: dict[str, Task] = {}
        self.links = Dependencies.none("ann")
        self.changes = []
        for number in range(4):
            self.create(number)

    def do(self, what, number, other):
        self.now += timedelta(seconds=1)
        there = sorted(self.tasks)
        if what == "create" or not there:
            self.create(len(self.changes))
        elif what == "restore":
            self.restore()
        else:
            act = {"edit": self.edit, "delete": self.delete, "link": self.link, "free": self.free}
            act[what](self.tasks[there[number % len(there)]], other, there)

    def write(self, write):
        self.changes.append(write.change)
        if write.after is None:
            del self.tasks[write.change.task_id]
        else:
            self.tasks[write.change.task_id] = write.after

    def create(self, number):
        task = replace(Task.new("ann", {"title": "x"}, self.now), task_id=f"task-{number}")
        self.write(writes.creation(task, ["title"], SYSTEM, self.now))

    def edit(self, task, other, _):
        after = task.edit(EDITS[other % len(EDITS)], self.now, timezone=ZONE)
        if after is not task:
            self.links = self.links.mark(task.task_id, closed=not after.open)
            self.write(writes.edit(task, after, SYSTEM, self.now))

    def delete(self, task, *_):
        write = writes.deletion(task, self.links, SYSTEM, self.now)
        self.links = self.links.without(task.task_id)
        self.write(write)

    def restore(self):
        gone = [
            change
            for change in self.changes
            if change.kind is ChangeKind.TASK_DELETED and change.task_id not in self.tasks
        ]
        if gone:
            deleted = Past(gone[-1:], self.links, ZONE).deleted(gone[-1].task_id)
            self.write(writes.restoration(deleted.touched(self.now), gone[-1], SYSTEM, self.now))

    def link(self, task, other, there):
        blocker = there[other % len(there)]
        closed = [each for each in (task.task_id, blocker) if not self.tasks[each].open]
        before = self.links
        try:
            self.links = before.add(task.task_id, [blocker], closed)
        except Conflict:
            return
        self.write(writes.linking(task, before, SYSTEM, self.now))

    def free(self, task, *_):
        before = self.links
        self.links = before.remove(task.task_id, before.blockers_of(task.task_id))
        self.write(writes.linking(task, before, SYSTEM, self.now))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "link", "link", "free", "delete", "restore", "create"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=25,
)


def rated(task):
    """What of an open task its urgency is made of; of a closed one, that it is closed."""
    short = OpenTask.of(task)
    return task.open and (
        *(short.status, short.priority, short.tags, short.deadline),
        *(short.not_before, short.planned_start, short.created_at),
    )


@settings(max_examples=60)
@given(before=STEPS, after=STEPS)
def test_all_that_was_changed_since_an_instant_is_taken_back(before, after):
    life = Life()
    for step in before:
        life.do(*step)
    tasks, links, told = dict(life.tasks), life.links, len(life.changes)
    for step in after:
        life.do(*step)

    past = Past(life.changes[told:], life.links, ZONE)

    for task_id, task in tasks.items():
        now = life.tasks.get(task_id)
        was = past.state(now) if now else past.deleted(task_id)
        assert rated(was) == rated(task)
        assert past.is_changed(task_id) or rated(now) == rated(task)
    then = past.dependencies([each for each, task in life.tasks.items() if task.open])
    assert {each: set(ids) for each, ids in then.blockers.items()} == {
        each: set(ids) for each, ids in links.blockers.items()
    }
    assert then.closed == links.closed


def test_a_task_that_is_new_is_as_it_was_created_without_dependencies():
    life = Life()
    told = len(life.changes)
    life.do("create", 0, 0)
    new = life.tasks[f"task-{told}"]
    life.link(new, 0, sorted(life.tasks))
    life.edit(life.tasks[new.task_id], 2, None)

    past = Past(life.changes[told:], life.links, ZONE)

    assert rated(past.state(life.tasks[new.task_id])) == rated(new)
    assert past.dependencies(life.tasks).blockers == {}
