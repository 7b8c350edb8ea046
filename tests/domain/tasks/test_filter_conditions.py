"""A filter is the same as DynamoDB's condition and as a predicate, whatever is in it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

from graphql_api.bulkheads import list_shares
from graphql_api.domain.open_tasks.store import OpenTaskStore
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.tasks.filters import (
    MAX_LEAVES,
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
    Viewpoint,
)
from graphql_api.domain.tasks.list_reader import MAX_READ, TaskListReader
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus
from graphql_api.domain.tasks.store import _item
from graphql_api.errors import BadUserInput
from graphql_api.infra.dynamodb import Database, Put, connect

NOW = datetime(2030, 5, 1, 10, 0, tzinfo=UTC)
USER = "somebody-with-filters"


def at(hours):
    return None if hours is None else NOW + timedelta(hours=hours)


def some_task(number):
    """One of many tasks, that differ in everything that a filter asks for."""
    statuses, priorities = list(TaskStatus), list(TaskPriority)
    start = at((None, -30, 5)[number % 3])
    due = at((None, -48, -1, 0, 8, 20, 40, 400)[number % 8])
    is_on_a_day = due is not None and number % 3 == 0
    made = Task.new(
        USER,
        {
            "title": ("Sow", "water the garden", "call")[number % 3],
            "description": ("", "in the garden")[number % 2],
            "status": statuses[number // 2 % 4],
            "priority": priorities[number // 3 % 4],
            "due_at": None if is_on_a_day else due,
            "due_on": due.date() if is_on_a_day else None,
            "not_before": at((None, -3, 0, 3)[number // 5 % 4]),
            "planned_start": start,
            "planned_end": start,
            "tags": [
                tag for tag, nth in (("a", 2), ("B", 3), ("b", 5), ("c", 7)) if number % nth == 0
            ],
        },
        NOW - timedelta(hours=number),
        timezone="Pacific/Auckland",
    )
    return made.edit({"title": made.title + "!"}, NOW - timedelta(minutes=number))


TASKS = [some_task(number) for number in range(48)]
VIEWPOINT = Viewpoint(NOW, "Pacific/Auckland", {task.task_id for task in TASKS[::5]})


def stored(task):
    """An item of a task; every third is as in a release without keys of tags."""
    item = _item(task)
    if TASKS.index(task) % 3 == 0:
        item.pop("tag_keys", None)
    return item


@pytest.fixture(scope="module")
def lists(engine):
    database = Database(connect(engine), engine.table_prefix)
    table = database.table("Tasks")
    items = OpenTaskStore(database)
    for start in range(0, len(TASKS), 24):
        some = TASKS[start : start + 24]
        beside = [action for task in some for action in items.following(None, task)]
        database.transact(*(Put(table, stored(task)) for task in some), *beside)
    return TaskListReader(database, list_shares(engine))


INSTANTS = st.sampled_from([at(hours) for hours in (-60, -40, -20, -1, 0, 8, 8.5, 50)])
LEAVES = {
    "status": st.lists(st.sampled_from(TaskStatus), max_size=3).map(tuple),
    "priority": st.lists(st.sampled_from(TaskPriority), max_size=3).map(tuple),
    "tags": st.lists(st.sampled_from("abAx"), max_size=3).map(tuple),
    "tags_all": st.lists(st.sampled_from("abAx"), max_size=2).map(tuple),
    "search": st.sampled_from(["", "GARDEN", "sow!", "nothing"]),
    "ids": st.lists(st.sampled_from([task.task_id for task in TASKS] + ["x", ""])).map(tuple),
    "due_within_days": st.integers(0, 3),
    **dict.fromkeys(("ready", "no_tags", "overdue", "no_due"), st.booleans()),
    **{
        f"{prefix}_{side}": INSTANTS
        for prefix in ("due", "created", "updated", "completed", "planned")
        for side in ("before", "after")
    },
}


def combined(inner):
    """Filters that have these filters within them."""
    several = st.lists(inner, max_size=2).map(tuple)
    return st.builds(
        lambda flat, nested: {**flat, **nested},
        flat,
        st.fixed_dictionaries({}, optional={"and_": several, "or_": several, "not_": inner}),
    ).map(built)


def built(given):
    try:
        return TaskFilter(**given)
    except BadUserInput:  # it has too many conditions, or too many levels
        reject()


flat = st.fixed_dictionaries({}, optional=LEAVES).flatmap(
    lambda found: st.sets(st.sampled_from(sorted(found) or ["-"]), max_size=2).map(
        lambda names: {name: value for name, value in found.items() if name in names}
    )
)
FILTERS = combined(combined(flat.map(built)))
ORDERS = st.builds(
    TaskOrder,
    st.sampled_from([TaskOrderField.CREATED_AT, TaskOrderField.DUE_AT]),
    st.sampled_from(OrderDirection),
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(only=FILTERS, order=ORDERS)
@example(only=TaskFilter(not_=TaskFilter(due_before=NOW)), order=TaskOrder())
@example(only=TaskFilter(not_=TaskFilter(ready=True, search="garden")), order=TaskOrder())
@example(only=TaskFilter(due_after=NOW, due_before=NOW), order=TaskOrder(TaskOrderField.DUE_AT))
def test_dynamodb_finds_what_the_predicate_accepts(lists, only, order):
    accepted = {task.task_id for task in TASKS if only.matches(task, VIEWPOINT)}

    page = lists.page(USER, order, only, Window(48), None, Budget(MAX_READ), VIEWPOINT)
    ids = [task.task_id for task in page.items]

    assert set(ids) == accepted
    assert len(ids) == len(accepted)
    assert page.complete
    assert lists.count(USER, only, Budget(MAX_READ), VIEWPOINT) == len(accepted)


@pytest.mark.parametrize("direction", OrderDirection)
@pytest.mark.parametrize("field", [TaskOrderField.CREATED_AT, TaskOrderField.DUE_AT])
def test_tasks_of_ids_are_sorted_and_paged_as_all_others(lists, field, direction):
    only = TaskFilter(ids=tuple(task.task_id for task in TASKS))
    order = TaskOrder(field, direction)

    def pages(only, *, backward):
        seen, cursor = [], None
        while True:
            window = Window(7, cursor, backward)
            page = lists.page(USER, order, only, window, cursor, Budget(MAX_READ), VIEWPOINT)
            ids = [task.task_id for task in page.items]
            seen = ids + seen if backward else seen + ids
            cursor = page.start if backward else page.end
            if not (page.has_previous if backward else page.has_next):
                return seen

    plain = pages(TaskFilter(), backward=False)
    assert len(plain) == len(TASKS)
    assert pages(only, backward=False) == plain
    assert pages(only, backward=True) == plain


def test_the_largest_filter_is_one_that_dynamodb_takes(lists):
    leaf = TaskFilter(tags=("x", "y", "z"), tags_all=("x", "y"))
    only = TaskFilter(or_=(leaf,) * 9, tags=("c",), tags_all=("not", "there"))
    assert len(only.inner) * 2 + 2 == MAX_LEAVES

    assert lists.count(USER, only, Budget(MAX_READ), VIEWPOINT) == 0
