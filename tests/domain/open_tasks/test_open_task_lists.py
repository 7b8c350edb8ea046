"""Lists of open tasks: read by their items, they are what they are read through all tasks."""

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from engines import CONFIG
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.bulkheads import list_shares
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.open_tasks import lists
from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.filters import (
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
    Viewpoint,
)
from graphql_api.domain.tasks.list_reader import Sieve, TaskListReader
from graphql_api.domain.tasks.model import OPEN, Task, TaskPriority, TaskStatus
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import creation
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.tables import Tables

pytestmark = pytest.mark.engine_is_no_matter

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
ORDERS = [field for field in TaskOrderField if field is not TaskOrderField.URGENCY]
BY_DUE_DATE = TaskOrder(TaskOrderField.DUE_AT, OrderDirection.ASC)
STATUSES = list(TaskStatus)
PRIORITIES = list(TaskPriority)


def day(number):
    return NOW + timedelta(days=number)


def made(user, number):
    """One of many different tasks; every second one is closed."""
    values = {
        "title": ("Käse" if number % 5 == 0 else "Task") + f" {number % 4}",
        "description": "somewhere" if number % 3 == 0 else "",
        "status": STATUSES[number % 4],
        "priority": PRIORITIES[number % 3],
        "due_at": None if number % 3 == 0 else day(number % 7 - 3),
        "tags": [tag for tag, every in (("a", 2), ("b", 3)) if number % every == 0],
        "not_before": day(number % 5 - 2) if number % 6 == 0 else None,
        "project_id": "p" if number % 4 == 1 else None,
        "parent_id": "t" if number % 7 == 1 else None,
        "position": f"a{number % 3}" if number % 8 < 3 else "",
    }
    if number % 6 == 3:
        values["due_on"] = day(number % 4 - 2).date()
    if number % 5 == 1:
        values |= {"planned_start": day(number % 3), "planned_end": day(number % 3 + 1)}
    task = Task.new(user, values, NOW + timedelta(seconds=number), timezone="Asia/Tokyo")
    return replace(task, updated_at=NOW + timedelta(seconds=number * 7 % 50))


class World:
    """Somebody's tasks in a deployment, whose lists can be read in both ways."""

    def __init__(self, config):
        self.database = Database(connect(config), config.table_prefix)
        Tables(self.database.client, config, TABLES).create_missing()
        OpenTaskUpgrade.of(self.database).complete()
        self.store = TaskStore(self.database, ChangeStore(self.database, timedelta(days=1)))
        self.user = uuid.uuid4().hex
        self.by_items = TaskListReader(self.database, list_shares(CONFIG))
        assert self.by_items._open._store.is_complete()  # which is looked up once
        self.through_all = TaskListReader(self.database, list_shares(CONFIG))
        self.through_all._open._store.is_complete = lambda: False
        self.tasks = [made(self.user, number) for number in range(40)]
        for task in self.tasks:
            self.add(task)
        blocked = {task.task_id for task in self.tasks[::3]}
        self.at = Viewpoint(NOW, blocked_ids=blocked)

    def add(self, task):
        self.store.write(creation(task, (), SYSTEM, NOW))

    def pages(self, readers, wanted, order, size, *, backward=False, units=10_000):
        """The pages of a list to its end, read by one reader after the other."""
        position = None
        for reader in readers:
            window = Window(size, position, backward)
            one_of_two = reader.page if order.field in INDEXED else reader.sorted
            page = one_of_two(self.user, order, wanted, window, position, Budget(units), self.at)
            yield page
            if not (page.has_previous if backward else page.has_next):
                return
            position = page.start if backward else page.end

    def ids(self, readers, wanted, order, size, *, backward=False, units=10_000):
        """The ids in a list, as its pages have them together."""
        found = []
        for page in self.pages(readers, wanted, order, size, backward=backward, units=units):
            ids = [task.task_id for task in page.items]
            found = ids + found if backward else found + ids
        return found


INDEXED = (TaskOrderField.CREATED_AT, TaskOrderField.DUE_AT)


@pytest.fixture(scope="module")
def world(engine):
    return World(replace(engine, table_prefix=f"{uuid.uuid4().hex}."))


def in_order(tasks, order):
    """Tasks as a list has them, in plain Python."""
    name = order.field.value
    values = {
        TaskOrderField.PRIORITY: lambda task: PRIORITIES.index(task.priority),
        TaskOrderField.TITLE: lambda task: task.title.casefold(),
        TaskOrderField.DUE_AT: lambda task: task.due_day.last if task.due_day else task.due_at,
        TaskOrderField.POSITION: lambda task: task.place,
    }
    value = values.get(order.field, lambda task: getattr(task, name))
    having = [task for task in tasks if value(task) is not None]
    lacking = [task for task in tasks if value(task) is None]
    key = {TaskOrderField.CREATED_AT: lambda task: task.task_id}.get(
        order.field, lambda task: (value(task), task.task_id)
    )
    down = order.direction is OrderDirection.DESC
    having.sort(key=key, reverse=down)
    lacking.sort(key=lambda task: task.task_id, reverse=down)
    return [task.task_id for task in [*having, *lacking]]


VALUES = {
    "priority": st.sampled_from([(), (TaskPriority.LOW,), (TaskPriority.HIGH,)]),
    "tags": st.sampled_from([("a",), ("A", "b")]),
    "tags_all": st.just(("a", "b")),
    "no_tags": st.booleans(),
    "due_before": st.integers(-3, 3).map(day),
    "due_after": st.integers(-3, 3).map(day),
    "overdue": st.booleans(),
    "ready": st.booleans(),
    "no_due": st.booleans(),
    "search": st.sampled_from(["kase", "somewhere", "task 1", "nowhere"]),
    "created_after": st.just(NOW + timedelta(seconds=15)),
    "updated_before": st.just(NOW + timedelta(seconds=30)),
    "completed_after": st.just(NOW),
    "planned_after": st.just(day(1)),
    "project_ids": st.just(("p", "q")),
    "no_project": st.booleans(),
    "parent_id": st.just("t"),
    "no_parent": st.booleans(),
}
CONDITION = st.sampled_from(list(VALUES)).flatmap(
    lambda name: VALUES[name].map(lambda value: TaskFilter(**{name: value}))
)
ONLY_OPEN = st.one_of(
    st.sampled_from([OPEN, OPEN[:1], OPEN[1:]]).map(lambda status: TaskFilter(status=status)),
    st.just(TaskFilter(overdue=True)),
    st.just(TaskFilter(ready=True)),
    st.just(TaskFilter(not_=TaskFilter(status=tuple(STATUSES[2:])))),
    st.just(TaskFilter(or_=(TaskFilter(overdue=True), TaskFilter(status=OPEN[1:])))),
)
FILTERS = st.builds(
    lambda only, given, some: TaskFilter(and_=(only, *given), or_=some or None),
    ONLY_OPEN,
    st.lists(CONDITION, max_size=2),
    st.lists(CONDITION, max_size=2).map(tuple),
)
TASK_ORDERS = st.builds(TaskOrder, st.sampled_from(ORDERS), st.sampled_from(OrderDirection))
INDEXED_ORDERS = st.builds(TaskOrder, st.sampled_from(INDEXED), st.sampled_from(OrderDirection))


@settings(max_examples=40, deadline=None)
@given(wanted=FILTERS, order=TASK_ORDERS, size=st.integers(4, 30), backward=st.booleans())
def test_both_ways_of_reading_agree_page_by_page_and_with_plain_python(
    world, wanted, order, size, backward
):
    plain = in_order([task for task in world.tasks if wanted.matches(task, world.at)], order)
    turns = itertools.cycle([world.by_items, world.through_all])

    assert world.ids(turns, wanted, order, size, backward=backward) == plain
    assert world.by_items.count(world.user, wanted, Budget(10_000), world.at) == len(plain)


@settings(max_examples=15, deadline=None)
@given(wanted=FILTERS, order=INDEXED_ORDERS, backward=st.booleans())
def test_what_a_budget_ends_is_read_on_in_both_ways(world, wanted, order, backward):
    plain = in_order([task for task in world.tasks if wanted.matches(task, world.at)], order)
    turns = itertools.cycle([world.by_items, world.through_all])

    assert world.ids(turns, wanted, order, 3, backward=backward, units=4) == plain


@pytest.mark.parametrize(
    ("wanted", "opens"),
    [
        (TaskFilter(status=OPEN), True),
        (TaskFilter(overdue=True), True),
        (TaskFilter(ready=True), True),
        (TaskFilter(not_=TaskFilter(status=tuple(STATUSES[2:]))), True),
        (TaskFilter(and_=(TaskFilter(search="x"), TaskFilter(overdue=True))), True),
        (TaskFilter(or_=(TaskFilter(overdue=True), TaskFilter(ready=True))), True),
        (TaskFilter(not_=TaskFilter(overdue=False)), True),
        (TaskFilter(), False),
        (TaskFilter(status=(*OPEN, TaskStatus.COMPLETED)), False),
        (TaskFilter(overdue=False), False),
        (TaskFilter(ready=False), False),
        (TaskFilter(or_=(TaskFilter(overdue=True), TaskFilter(search="x"))), False),
        (TaskFilter(not_=TaskFilter(and_=(TaskFilter(ready=True),))), False),
        (TaskFilter(completed_after=NOW), False),
        (TaskFilter(status=()), False),
    ],
    ids=str,
)
def test_a_filter_that_only_open_tasks_can_match_is_recognised(wanted, opens):
    assert Sieve(wanted, Viewpoint(NOW)).only_open is opens


@pytest.fixture
def calls(world):
    """The calls that are made meanwhile, with the table of each."""
    found = []
    world.database.on_call = lambda call: found.append((call.operation, call.tables[0][33:]))
    yield found
    world.database.on_call = None


def test_a_page_is_one_query_of_items_and_one_read_of_its_tasks(world, calls):
    budget = Budget(100)

    page = world.by_items.page(
        world.user, BY_DUE_DATE, TaskFilter(status=OPEN), Window(5), None, budget, world.at
    )

    assert calls == [("Query", "Users"), ("BatchGetItem", "Tasks")]
    assert len(page.items) == 5
    assert page.total == 20
    assert budget.left == 100 - 2 - 5  # ten items are a unit, and so is a task


def test_in_the_order_of_creation_no_other_items_are_read_than_the_page_has(world, calls):
    budget = Budget(100)
    wanted = TaskFilter(status=OPEN)

    page = world.by_items.page(world.user, TaskOrder(), wanted, Window(5), None, budget, world.at)

    assert calls == [("Query", "Users"), ("BatchGetItem", "Tasks")]
    assert [task.task_id for task in page.items] == in_order(
        [task for task in world.tasks if task.open], TaskOrder()
    )[:5]
    assert page.has_next
    assert budget.left == 100 - 1 - 6  # the items, and the tasks with one behind them


def test_a_count_reads_the_items_alone(world, calls):
    wanted = TaskFilter(overdue=True, project_ids=("p",), tags=("b",))

    assert world.by_items.count(world.user, wanted, Budget(100), world.at) == len(
        [task for task in world.tasks if wanted.matches(task, world.at)]
    )
    assert calls == [("Query", "Users")]


def test_a_count_of_all_open_tasks_reads_no_item(world):
    asked = []
    world.database.on_call = lambda call: asked.append(call.arguments.get("Select"))
    both, one = TaskFilter(status=OPEN), TaskFilter(status=OPEN[:1])

    counts = [
        world.by_items.count(world.user, wanted, Budget(100), world.at) for wanted in (both, one)
    ]
    world.database.on_call = None

    assert asked == ["COUNT", None]
    assert counts == [
        len([task for task in world.tasks if wanted.matches(task, world.at)])
        for wanted in (both, one)
    ]


def test_a_count_of_all_open_tasks_ends_with_the_budget(world):
    with pytest.raises(QueryTooComplex):
        world.by_items.count(world.user, TaskFilter(status=OPEN), Budget(1), world.at)


def test_words_are_looked_up_in_the_open_tasks_that_else_match_alone(world, calls):
    wanted = TaskFilter(status=OPEN, project_ids=("p",), search="somewhere")
    read = []
    world.by_items._open._table.get_many = lambda keys: read.append(len(keys)) or []

    try:
        world.by_items.count(world.user, wanted, Budget(1_000), world.at)
    finally:
        del world.by_items._open._table.get_many

    open_there = [task for task in world.tasks if task.open and task.project_id == "p"]
    assert read == [len(open_there)]
    assert calls == [("Query", "Users")]


def test_a_user_with_too_many_open_tasks_for_it_is_read_through_all(world, monkeypatch, calls):
    monkeypatch.setattr(lists, "MAX_OPEN", 19)
    args = world.user, BY_DUE_DATE, TaskFilter(status=OPEN), Window(3), None
    page = world.by_items.page(*args, Budget(100), world.at)

    assert [task.task_id for task in page.items] == in_order(
        [task for task in world.tasks if task.open], BY_DUE_DATE
    )[:3]
    assert calls[:2] == [("Query", "Users"), ("Query", "Tasks")]


@pytest.mark.parametrize("gone", ["deleted", "closed"])
def test_a_task_that_goes_between_the_two_reads_leaves_its_place_to_the_next(
    world, monkeypatch, gone
):
    lacking = in_order([task for task in world.tasks if task.open], BY_DUE_DATE)
    reader = world.by_items._open
    get_many = reader._table.get_many

    def without_the_first(keys):
        items = get_many(keys)
        first = [item for item in items if item["task_id"]["S"] == lacking[0]]
        if gone == "closed":
            return [
                {**item, "status": {"S": "completed"}} if item in first else item for item in items
            ]
        return [item for item in items if item not in first]

    monkeypatch.setattr(reader._table, "get_many", without_the_first)
    args = world.user, BY_DUE_DATE, TaskFilter(status=OPEN), Window(4), None
    page = world.by_items.page(*args, Budget(100), world.at)

    assert [task.task_id for task in page.items] == lacking[1:5]
    assert page.has_next
    assert page.complete


@given(first=st.integers(-3, 5), length=st.integers(0, 4))
@settings(max_examples=20, deadline=None)
def test_what_is_planned_of_a_range_is_the_same_in_both_ways(world, first, length):
    start, end = day(first), day(first + length)
    ways = [
        {task.task_id for task in reader.planned_between(world.user, start, end, Budget(10_000))}
        for reader in (world.by_items, world.through_all)
    ]

    assert ways[0] == ways[1]
    assert ways[0] == {
        task.task_id
        for task in world.tasks
        if task.planned_start and task.planned_start < end and task.planned_end >= start
    }
