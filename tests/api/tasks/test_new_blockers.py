"""Blockers that are given with a new task, and tasks that are completed with their blockers."""

import pytest
from conftest import CREATE, codes

from graphql_api.domain.dependencies import model

CREATE_TASKS = """
  mutation ($tasks: [CreateTaskInput!]!) {
    createTasks(input: {tasks: $tasks}) {
      results { task { id title isReady blockedBy { title } } error { code field message } }
    }
  }
"""
UPDATE_TASKS = """
  mutation ($tasks: [UpdateTaskInput!]!) {
    updateTasks(input: {tasks: $tasks}) { results { task { status } error { code blockers } } }
  }
"""
BLOCKERS = "query ($id: ID!) { task(id: $id) { isReady blockedBy { id } } }"


def created(person, *tasks):
    return person.graphql(CREATE_TASKS, tasks=list(tasks))["data"]["createTasks"]["results"]


def blocked(result):
    return [each["title"] for each in result["task"]["blockedBy"]]


def test_a_new_task_is_blocked_from_its_first_moment(ann, calls):
    first, second = (ann.create(title=title)["id"] for title in "ab")
    calls.clear()

    task = ann.create(title="c", blockedBy=[first, second, first])

    assert calls == ["BatchGetItem", "GetItem", "TransactWriteItems"]
    assert ann.graphql(BLOCKERS, id=task["id"])["data"]["task"] == {
        "isReady": False,
        "blockedBy": [{"id": first}, {"id": second}],
    }
    [change] = ann.graphql(
        "query ($id: ID!) { task(id: $id) { history { nodes { kind fields } } } }", id=task["id"]
    )["data"]["task"]["history"]["nodes"]
    assert change == {"kind": "TASK_CREATED", "fields": ["title", "blockedBy"]}


def test_rest_creates_a_blocked_task_too(ann):
    blocker = ann.create(title="a")["id"]

    made = ann.rest("POST", "/api/v1/tasks", json={"title": "b", "blocked_by": [blocker]})

    assert made.status_code == 201
    shown = ann.graphql(BLOCKERS, id=made.json["task_id"])["data"]["task"]
    assert shown["blockedBy"] == [{"id": blocker}]


def test_a_task_of_blockers_that_are_not_there_is_not_created(ann, bob):
    others = bob.create(title="other")["id"]
    many = [f"id-{number}" for number in range(model.MAX_BLOCKERS + 1)]

    for ids, code in (
        (["nothing"], "NOT_FOUND"),
        ([others], "NOT_FOUND"),
        (many, "BAD_USER_INPUT"),
    ):
        answer = ann.graphql(CREATE, input={"title": "x", "blockedBy": ids})
        assert codes(answer) == [code]
        assert answer["errors"][0]["extensions"]["field"] == "blockedBy"
    closed = ann.graphql(
        CREATE,
        input={"title": "x", "status": "COMPLETED", "blockedBy": [ann.create(title="a")["id"]]},
    )
    assert codes(closed) == ["CONFLICT"]
    alone = ann.graphql(CREATE, input={"title": "x", "blockedByIndex": [0]})
    assert alone["errors"][0]["extensions"]["field"] == "blockedByIndex"
    tasks = ann.graphql("{ tasks { nodes { title } } }")["data"]["tasks"]["nodes"]
    assert tasks == [{"title": "a"}]


def test_the_key_of_a_creation_stands_for_its_blockers_too(ann):
    first, second = (ann.create(title=title)["id"] for title in "ab")
    values = {"title": "x", "idempotencyKey": "k", "blockedBy": [first]}

    made, again = (ann.create(**values) for _ in range(2))
    other = ann.graphql(CREATE, input={**values, "blockedBy": [second]})

    assert made == again
    assert codes(other) == ["CONFLICT"]


def test_tasks_of_one_call_block_one_another_by_their_places(ann):
    before = ann.create(title="before")["id"]

    results = created(
        ann,
        {"title": "last", "blockedByIndex": [2, 1]},
        {"title": "middle", "blockedBy": [before], "blockedByIndex": [2]},
        {"title": "first"},
    )

    assert [result["error"] for result in results] == [None] * 3
    assert [result["task"]["title"] for result in results] == ["last", "middle", "first"]
    assert [sorted(blocked(result)) for result in results] == [
        ["first", "middle"],
        ["before", "first"],
        [],
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"blockedByIndex": [4]}, "blockedByIndex names tasks[4]: there are tasks[0] to tasks[3]."),
        ({"parentIndex": -1}, "parentIndex names tasks[-1]: there are tasks[0] to tasks[3]."),
        (
            {"blockedByIndex": [0, 1]},
            "blockedByIndex names tasks[1], the task itself: name another one.",
        ),
        (
            {"parentIndex": 2},
            "parentIndex names tasks[2], which names this one, directly or not: break the circle.",
        ),
        (
            {"blockedByIndex": [3]},
            "blockedByIndex names tasks[3], which was not created: correct that, and create both.",
        ),
    ],
    ids=["too high", "negative", "itself", "circle", "failed"],
)
def test_it_is_told_which_task_cannot_be_named_and_what_would_do(ann, wrong, told):
    results = created(
        ann,
        {"title": "fine"},
        {"title": "wrong", **wrong},
        {"title": "around", "blockedByIndex": [1]},
        {"title": ""},
    )

    assert results[1]["error"]["message"] == told


@pytest.mark.parametrize("places", [[1], [2], [9], [-1], [3]])
def test_a_task_of_a_place_that_was_not_created_is_not_created(ann, places):
    results = created(
        ann,
        {"title": "fine"},
        {"title": "wrong", "blockedByIndex": places},
        {"title": "around", "blockedByIndex": [1]},
        {"title": ""},
    )

    assert results[0]["task"]["title"] == "fine"
    assert [each["error"]["field"] for each in results[1:]] == [
        "blockedByIndex",
        "blockedByIndex",
        "title",
    ]
    tasks = ann.graphql("{ tasks { nodes { title } } }")["data"]["tasks"]["nodes"]
    assert tasks == [{"title": "fine"}]


@pytest.mark.parametrize("turned", [False, True])
def test_a_chain_is_completed_in_whatever_order_it_is_given(ann, turned):
    results = created(
        ann,
        {"title": "a"},
        {"title": "b", "blockedByIndex": [0]},
        {"title": "c", "blockedByIndex": [1]},
    )
    changes = [{"id": each["task"]["id"], "status": "COMPLETED"} for each in results]

    answer = ann.graphql(UPDATE_TASKS, tasks=changes[::-1] if turned else changes)

    done = {"task": {"status": "COMPLETED"}, "error": None}
    assert answer["data"]["updateTasks"]["results"] == [done] * 3


def test_a_task_of_a_blocker_that_stays_open_stays_open(ann):
    results = created(ann, {"title": "a"}, {"title": "b", "blockedByIndex": [0]})
    first, second = (each["task"]["id"] for each in results)
    changes = [{"id": second, "status": "COMPLETED"}, {"id": first, "status": "IN_PROGRESS"}]

    answer = ann.graphql(UPDATE_TASKS, tasks=changes)["data"]["updateTasks"]["results"]

    assert answer == [
        {"task": None, "error": {"code": "CONFLICT", "blockers": [first]}},
        {"task": {"status": "IN_PROGRESS"}, "error": None},
    ]
