"""Several tasks by one request of REST, some of which name others by their places."""

import pytest

BULK = "/api/v1/tasks/bulk"
CREATE = """mutation ($input: CreateTasksInput!) {
  createTasks(input: $input) { results { error { message } } } }"""


def test_tasks_are_created_in_one_request_with_what_they_wait_for(ann):
    answer = ann.rest(
        "POST",
        BULK,
        json={
            "tasks": [
                {"title": "Move", "blocked_by_index": [2], "due_at": "2030-06-30T10:00:00Z"},
                {"title": "Books", "parent_index": 2, "priority": "high"},
                {"title": "Pack"},
            ]
        },
    )

    assert answer.status_code == 200
    assert [each["error"] for each in answer.json] == [None] * 3
    move, books, pack = (each["task"] for each in answer.json)
    assert (books["parent_id"], books["priority"]) == (pack["task_id"], "high")
    blockers = ann.rest("GET", f"/api/v1/tasks/{move['task_id']}/blockers").json["blocked_by"]
    assert [each["title"] for each in blockers] == ["Pack"]
    assert ann.rest("GET", f"/api/v1/tasks/{move['task_id']}").json == move


def test_one_that_fails_is_told_in_its_place_as_rest_spells_it(ann):
    tasks = [
        {"title": "x"},
        {"title": "y", "duration_minutes": -1},
        {"title": "z", "parent_id": "none"},
        {"title": "waits for nothing", "parent_index": 1},
    ]
    results = ann.rest("POST", BULK, json={"tasks": tasks}).json

    assert [each["task"] and each["task"]["title"] for each in results] == ["x", None, None, None]
    errors = [each["error"] for each in results[1:]]
    assert [(each["code"], each["field"]) for each in errors] == [
        ("BAD_USER_INPUT", "duration_minutes"),
        ("NOT_FOUND", "parent_id"),
        ("BAD_USER_INPUT", "parent_index"),
    ]
    assert errors[2]["message"] == (
        "parent_index names tasks[1], which was not created: correct that, and create both."
    )
    assert len(ann.rest("GET", "/api/v1/tasks").json) == 1


def test_a_field_of_one_of_them_is_named_as_the_body_has_it_with_its_place(ann):
    tasks = [{"title": "x"}, {"title": "y", "idempotency_key": 3}]
    answer = ann.rest("POST", BULK, json={"tasks": tasks})

    assert (answer.status_code, answer.json["detail"]) == (400, "idempotency_key must be a text.")
    assert (answer.json["field"], answer.json["at"]) == (
        "idempotency_key",
        "tasks[1].idempotency_key",
    )


def test_the_other_field_that_a_message_names_is_spelled_as_the_api_does(ann):
    one, two = {"title": "x"}, {"title": "y"}
    bulk = [one, {**two, "parentIndex": 0, "parentId": "none"}]
    told = ann.graphql(CREATE, input={"tasks": bulk})["data"]["createTasks"]["results"]
    bulk = [one, {**two, "parent_index": 0, "parent_id": "none"}]
    rest = ann.rest("POST", BULK, json={"tasks": bulk}).json

    assert told[1]["error"]["message"] == "parentIndex goes without parentId."
    assert rest[1]["error"]["message"] == "parent_index goes without parent_id."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tasks": []}, "tasks"),
        ({"tasks": [{"title": "x"}] * 101}, "tasks"),
        ({"tasks": [{"titel": "x"}]}, "titel"),
        ({"tasks": "x"}, "tasks"),
        ({}, "tasks"),
    ],
)
def test_what_is_no_list_of_tasks_creates_none(ann, body, field):
    answer = ann.rest("POST", BULK, json=body)

    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert ann.rest("GET", "/api/v1/tasks").json == []


def test_its_path_has_its_own_methods_and_not_those_of_a_task(ann):
    answer = ann.rest("OPTIONS", "/api/v1/tasks/bulk")

    assert {*answer.headers["Allow"].split(", ")} == {"POST", "OPTIONS"}
