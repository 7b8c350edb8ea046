"""Idempotency keys and bulk writes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from conftest import CREATE, TASKS, codes

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Database

BULK = """
  results { task { id title version } error { code message field currentVersion } }
"""
CREATE_MANY = f"mutation ($input: CreateTasksInput!) {{ createTasks(input: $input) {{ {BULK} }} }}"
UPDATE_MANY = f"mutation ($input: UpdateTasksInput!) {{ updateTasks(input: $input) {{ {BULK} }} }}"
DELETE_MANY = """
  mutation ($input: DeleteTasksInput!) {
    deleteTasks(input: $input) { results { deletedTaskId error { code } } }
  }
"""


def titles(person):
    return [task["title"] for task in person.graphql(TASKS)["data"]["tasks"]["nodes"]]


def test_a_key_makes_one_task_however_often_it_is_sent(ann, calls):
    calls.clear()
    answers = [
        ann.graphql(CREATE, input={"title": " once ", "tags": ["a"], "idempotencyKey": "k1"}),
        ann.graphql(CREATE, input={"title": "once", "tags": ["a"], "idempotencyKey": "k1"}),
    ]

    first, second = (answer["data"]["createTask"]["task"] for answer in answers)
    assert first == second
    assert calls == ["TransactWriteItems", *["TransactWriteItems", "GetItem", "GetItem"]]
    assert titles(ann) == ["once"]


def test_a_key_in_the_header_does_the_same_in_rest(ann):
    def create(**headers):
        return ann.rest("POST", "/api/v1/tasks", json={"title": "once"}, headers=headers)

    first, second = create(**{"Idempotency-Key": "k1"}), create(**{"Idempotency-Key": '"k1"'})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert titles(ann) == ["once"]


def test_a_key_with_other_content_is_refused(ann):
    ann.create(title="one", idempotencyKey="k1")

    graphql = ann.graphql(CREATE, input={"title": "two", "idempotencyKey": "k1"})
    rest = ann.rest(
        "POST", "/api/v1/tasks", json={"title": "two"}, headers={"Idempotency-Key": "k1"}
    )

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "CONFLICT", "field": "idempotencyKey"}
    ]
    assert (rest.status_code, rest.json["field"]) == (409, "Idempotency-Key")
    assert titles(ann) == ["one"]


def test_the_same_key_of_two_people_makes_two_tasks(ann, neighbour):
    mine = ann.create(title="x", idempotencyKey="shared")
    theirs = neighbour.create(title="x", idempotencyKey="shared")

    assert mine["id"] != theirs["id"]
    assert titles(ann) == ["x"]


def test_a_repeated_key_shows_the_task_as_it_is_now(ann):
    task = ann.create(title="x", idempotencyKey="k1")
    ann.rest("PUT", f"/api/v1/tasks/{task['id']}", json={"status": "completed"})

    assert ann.create(title="x", idempotencyKey="k1")["status"] == "COMPLETED"


def test_a_key_whose_task_was_deleted_makes_no_other(ann):
    task = ann.create(title="x", idempotencyKey="k1")
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")

    assert codes(ann.graphql(CREATE, input={"title": "x", "idempotencyKey": "k1"})) == ["CONFLICT"]
    assert titles(ann) == []


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 300])
def test_a_key_of_impossible_length_is_refused(ann, calls, key):
    graphql = ann.graphql(CREATE, input={"title": "x", "idempotencyKey": key})
    rest = ann.rest("POST", "/api/v1/tasks", json={"title": "x"}, headers={"Idempotency-Key": key})

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "idempotencyKey"}
    ]
    assert (rest.status_code, rest.json["field"]) == (400, "Idempotency-Key")
    assert calls == []


def test_a_key_is_forgotten_after_a_day_whether_or_not_the_store_has_removed_it(app, ann):
    database = app.extensions["database"]
    changes = ChangeStore(database, timedelta(days=30))
    tasks = Tasks.of(database, TaskStore(database, changes), Feed(changes))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields = {"title": "x", "idempotency_key": "k1"}

    def create(after):
        return tasks.create(ann.id, fields, SYSTEM, now + after).task_id

    first = create(timedelta())

    assert create(timedelta(hours=23, minutes=59)) == first
    assert create(timedelta(hours=24, seconds=2)) != first


@pytest.mark.concurrent
def test_one_key_sent_twenty_times_at_once_makes_one_task(app, ann):
    def create(_):
        return app.test_client().post(
            "/api/v1/tasks",
            json={"title": "once"},
            headers={"Authorization": ann.token, "Idempotency-Key": "k1"},
        )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["task_id"] for answer in answers}) == 1
    assert titles(ann) == ["once"]


COMPLETE = """mutation ($input: CompleteTaskInput!) {
  completeTask(input: $input) { task { id status version } next { id dueAt } } }"""
SKIP = COMPLETE.replace("CompleteTaskInput", "SkipOccurrenceInput").replace(
    "completeTask", "skipOccurrence"
)
UNDO = """mutation ($input: UndoChangeInput!) {
  undoChange(input: $input) { task { id title version } } }"""
CHANGED = """mutation ($input: UpdateTaskInput!) {
  updateTask(input: $input) { merged task { id title version dueAt } } }"""
HISTORY = "{ changes { nodes { id kind taskId } } }"
SERIES = {"title": "Daily", "dueAt": "2030-01-07T08:00:00Z", "recurrence": {"rrule": "FREQ=DAILY"}}


def last_change(person) -> str:
    return person.graphql(HISTORY)["data"]["changes"]["nodes"][-1]["id"]


@pytest.mark.parametrize("query", [COMPLETE, SKIP])
def test_an_occurrence_is_closed_once_for_one_key(ann, query):
    task = ann.create(**SERIES)
    given = {"id": task["id"], "expectedVersion": 1, "idempotencyKey": "k1"}

    first, before = ann.graphql(query, input=given), ann.graphql(HISTORY)
    second = ann.graphql(query, input=given)

    assert first["data"]["completeTask" if query is COMPLETE else "skipOccurrence"]["next"]
    assert (second, ann.graphql(HISTORY)) == (first, before)


def test_subtasks_that_were_renewed_and_deleted_stay_so_when_a_request_comes_again(ann):
    task = ann.create(**SERIES)
    ann.create(title="Below", parentId=task["id"])
    given = {"id": task["id"], "children": "COMPLETE", "idempotencyKey": "k1"}
    following = ann.graphql(COMPLETE, input=given)["data"]["completeTask"]["next"]["id"]
    [renewed] = ann.rest("GET", f"/api/v1/tasks/{following}/subtasks").json["subtasks"]
    ann.rest("DELETE", f"/api/v1/tasks/{renewed['task_id']}")

    again = ann.graphql(COMPLETE, input=given)["data"]["completeTask"]

    assert (again["task"]["status"], again["next"]["id"]) == ("COMPLETED", following)
    assert ann.rest("GET", f"/api/v1/tasks/{following}/subtasks").json["subtasks"] == []


def test_a_change_is_made_once_for_one_key_whatever_has_happened_since(ann, calls):
    task = ann.create(title="x")
    given = {
        "id": task["id"],
        "title": "y",
        "expectedVersion": 1,
        "idempotencyKey": "k1",
        "dueAt": "2030-01-07T08:00:00Z",
        "reminders": [{"minutesBefore": 5}],
    }
    calls.clear()
    first = ann.graphql(CHANGED, input=given)["data"]["updateTask"]
    counted = list(calls)
    ann.graphql(CHANGED, input={"id": task["id"], "title": "z"})

    again = ann.graphql(CHANGED, input=given)["data"]["updateTask"]
    other = ann.graphql(CHANGED, input={**given, "dueAt": None})

    assert counted == ["GetItem", "GetItem", "TransactWriteItems"]
    assert (first["task"]["title"], again["task"]["title"]) == ("y", "z")
    assert (again["task"]["version"], again["merged"]) == (3, False)
    assert [error["extensions"] for error in other["errors"]] == [
        {"code": "CONFLICT", "field": "idempotencyKey"}
    ]


def test_what_changed_nothing_changes_nothing_when_it_comes_again(ann):
    task = ann.create(title="x")
    given = {"id": task["id"], "title": "x", "idempotencyKey": "k1"}
    ann.graphql(CHANGED, input=given)
    ann.graphql(CHANGED, input={"id": task["id"], "title": "y"})

    assert ann.graphql(CHANGED, input=given)["data"]["updateTask"]["task"]["title"] == "y"


def test_an_undo_is_done_once_for_one_key_and_only_of_the_version_that_is_expected(ann):
    task = ann.create(title="x")
    ann.graphql(CHANGED, input={"id": task["id"], "title": "y"})
    given = {"changeId": last_change(ann), "expectedVersion": 2, "idempotencyKey": "k1"}
    stale = ann.graphql(UNDO, input={**given, "expectedVersion": 1})

    first = ann.graphql(UNDO, input=given)

    assert stale["errors"][0]["extensions"]["currentVersion"] == 2
    assert first["data"]["undoChange"]["task"] == {"id": task["id"], "title": "x", "version": 3}
    assert ann.graphql(UNDO, input=given) == first
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")
    deletion = {"changeId": last_change(ann), "idempotencyKey": "k2"}
    assert codes(ann.graphql(UNDO, input={**deletion, "expectedVersion": 2})) == ["CONFLICT"]
    back = ann.graphql(UNDO, input={**deletion, "expectedVersion": 3})
    assert back["data"]["undoChange"]["task"]["version"] == 4
    assert ann.graphql(UNDO, input={**deletion, "expectedVersion": 3}) == back


def test_an_undo_that_comes_again_after_its_task_is_gone_names_the_change(ann):
    task = ann.create(title="x")
    ann.graphql(CHANGED, input={"id": task["id"], "title": "y"})
    given = {"changeId": last_change(ann), "idempotencyKey": "k1"}
    ann.graphql(UNDO, input=given)
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")

    [error] = ann.graphql(UNDO, input=given)["errors"]

    assert error["extensions"] == {"code": "NOT_FOUND", "field": "changeId"}


def test_the_header_does_the_same_for_all_of_these_in_rest(ann):
    task = ann.create(**SERIES)
    path = f"/api/v1/tasks/{task['id']}"
    key = {"Idempotency-Key": "k1"}
    done = [ann.rest("POST", f"{path}/complete", headers=key) for _ in range(2)]
    plan = {"from": "2030-01-07T08:00:00Z"}
    ann.create(title="x", durationMinutes=30)
    plan["input_hash"] = ann.rest("POST", "/api/v1/plan/preview", json=plan).json["input_hash"]
    applied = [
        ann.rest("POST", "/api/v1/plan", json=plan, headers={"Idempotency-Key": "k2"})
        for _ in range(2)
    ]
    other = ann.rest("PUT", path, json={"title": "x"}, headers=key)

    assert [each.status_code for each in (*done, *applied)] == [200] * 4
    assert done[0].json == done[1].json
    assert (applied[0].json == applied[1].json, len(applied[0].json["applied"])) == (True, 1)
    assert (other.status_code, other.json["field"]) == (409, "Idempotency-Key")


@pytest.mark.concurrent
def test_one_key_that_closes_an_occurrence_ten_times_at_once_is_answered_the_same(app, ann):
    task = ann.create(**SERIES)

    def complete(_):
        return app.test_client().post(
            f"/api/v1/tasks/{task['id']}/complete",
            headers={"Authorization": ann.token, "Idempotency-Key": "k1"},
        )

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(complete, range(10)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["next"]["task_id"] for answer in answers}) == 1
    assert ann.graphql("{ tasks { totalCount } }")["data"]["tasks"]["totalCount"] == 2


# Bulk


def test_several_tasks_are_created_in_their_order(ann):
    new = [{"title": title} for title in ("a", "b", "c")]

    results = ann.graphql(CREATE_MANY, input={"tasks": new})["data"]["createTasks"]["results"]

    assert [result["task"]["title"] for result in results] == ["a", "b", "c"]
    assert [result["error"] for result in results] == [None] * 3
    assert titles(ann) == ["c", "b", "a"]


def test_an_item_of_another_type_is_named_by_its_place_and_nothing_is_written(ann, calls):
    new = [{"title": "a"}, {"title": "b", "dueAt": "2030-01-01"}, {"title": "c"}]
    calls.clear()

    answer = ann.graphql(CREATE_MANY, input={"tasks": new})

    [error] = answer["errors"]
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT",
        "field": "dueAt",
        "at": "tasks[1].dueAt",
    }
    assert calls == []
    assert titles(ann) == []


def test_one_failing_item_does_not_undo_the_others(ann, neighbour):
    mine, other = ann.create(title="a"), ann.create(title="b")
    foreign = neighbour.create(title="not yours")
    changes = [
        {"id": mine["id"], "title": "A"},
        {"id": foreign["id"], "title": "mine"},
        {"id": other["id"], "title": " "},
        {"id": other["id"], "title": "B", "expectedVersion": 7},
        {"id": other["id"], "title": "B", "expectedVersion": 1},
    ]

    results = ann.graphql(UPDATE_MANY, input={"tasks": changes})["data"]["updateTasks"]["results"]

    assert [result["task"] and result["task"]["title"] for result in results] == [
        "A",
        None,
        None,
        None,
        "B",
    ]
    assert [
        result["error"] and (result["error"]["code"], result["error"]["field"])
        for result in results
    ] == [
        None,
        ("NOT_FOUND", "id"),
        ("BAD_USER_INPUT", "title"),
        ("CONFLICT", "expectedVersion"),
        None,
    ]
    assert results[3]["error"]["currentVersion"] == 1
    assert titles(ann) == ["B", "A"]
    assert neighbour.task(foreign["id"]) == foreign


def test_several_tasks_are_deleted(ann, neighbour):
    mine = ann.create(title="a")
    foreign = neighbour.create(title="not yours")
    which = [{"id": mine["id"]}, {"id": foreign["id"]}, {"id": mine["id"]}]

    answer = ann.graphql(DELETE_MANY, input={"tasks": which})

    assert answer["data"]["deleteTasks"]["results"] == [
        {"deletedTaskId": mine["id"], "error": None},
        {"deletedTaskId": None, "error": {"code": "NOT_FOUND"}},
        {"deletedTaskId": None, "error": {"code": "NOT_FOUND"}},
    ]
    assert titles(ann) == []
    assert neighbour.task(foreign["id"]) == foreign


def test_a_bulk_creation_takes_idempotency_keys_item_by_item(ann):
    new = [{"title": "a", "idempotencyKey": "k"}] * 2 + [{"title": "b"}]

    results = ann.graphql(CREATE_MANY, input={"tasks": new})["data"]["createTasks"]["results"]

    assert results[0] == results[1]
    assert titles(ann) == ["b", "a"]


@pytest.mark.parametrize("count", [0, 101])
@pytest.mark.parametrize(
    ("query", "item"),
    [(CREATE_MANY, {"title": "x"}), (UPDATE_MANY, {"id": "x"}), (DELETE_MANY, {"id": "x"})],
)
def test_too_many_items_or_none_are_refused(ann, calls, query, item, count):
    answer = ann.graphql(query, input={"tasks": [item] * count})

    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "tasks"}
    ]
    assert calls == []


def test_once_the_store_is_away_the_rest_is_not_tried(ann, monkeypatch):
    attempts = []

    def away(_, operation, **__):
        attempts.append(operation)
        raise ServiceUnavailable

    monkeypatch.setattr(Database, "call", away)
    answer = ann.graphql(CREATE_MANY, input={"tasks": [{"title": "x"}] * 100})

    results = answer["data"]["createTasks"]["results"]
    assert [result["error"]["code"] for result in results] == ["SERVICE_UNAVAILABLE"] * 100
    assert attempts == ["TransactWriteItems"]
