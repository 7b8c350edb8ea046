import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CREATE, DELETE, TASK, TASKS, UPDATE, codes

from graphql_api.domain.accounts.session_cache import SessionCache

pytestmark = pytest.mark.core

OWNERS = "{ tasks { nodes { id owner { username } } } }"


def test_a_new_task_has_the_defaults(ann):
    task = ann.create(title="  Water the plants ")

    assert task == {
        "id": task["id"],
        "ownerId": ann.id,
        "title": "Water the plants",
        "description": "",
        "status": "PENDING",
        "priority": "MEDIUM",
        "dueAt": None,
        "tags": [],
        "createdAt": task["createdAt"],
        "updatedAt": task["createdAt"],
        "completedAt": None,
        "version": 1,
        "durationMinutes": None,
        "notBefore": None,
        "deadlineType": "SOFT",
        "minChunkMinutes": 0,
        "maxChunkMinutes": None,
        "schedule": None,
        "plannedStart": None,
        "plannedEnd": None,
        "reminders": [],
        "projectId": None,
        "parentId": None,
        "position": task["position"],
        "dueOn": None,
        "runningSince": None,
        "spentMinutes": 0,
    }
    assert uuid.UUID(task["id"]).version == 7
    assert ann.task(task["id"]) == task


def test_a_new_task_in_rest_has_the_same_in_snake_case(ann):
    created = ann.rest("POST", "/api/v1/tasks", json={"title": "Water the plants"})

    task = created.json
    assert (created.status_code, created.headers["ETag"]) == (201, '"1"')
    assert task == {
        "task_id": task["task_id"],
        "user_id": ann.id,
        "title": "Water the plants",
        "description": "",
        "status": "pending",
        "priority": "medium",
        "due_at": None,
        "tags": [],
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
        "completed_at": None,
        "version": 1,
        "duration_minutes": None,
        "not_before": None,
        "deadline_type": "soft",
        "min_chunk_minutes": 0,
        "max_chunk_minutes": None,
        "schedule": None,
        "planned_start": None,
        "planned_end": None,
        "reminders": [],
        "project_id": None,
        "parent_id": None,
        "position": task["position"],
        "inherited": [],
        "due_on": None,
        "running_since": None,
        "spent_minutes": 0,
        "remaining_minutes": None,
    }
    assert ann.rest("GET", f"/api/v1/tasks/{task['task_id']}").json == task


def test_every_field_can_be_given_and_comes_back(ann):
    fields = {
        "title": 'A 👩‍👩‍👧 title \u202b with \\ " and \u0000 in it',
        "description": "long " * 6000,
        "status": "IN_PROGRESS",
        "priority": "URGENT",
        "dueAt": "2030-06-01T12:00:00.123Z",
        "tags": ["home", "garden"],
        "durationMinutes": 4500,
        "notBefore": "2030-05-01T00:00:00.000Z",
        "deadlineType": "HARD",
        "minChunkMinutes": 25,
        "maxChunkMinutes": 90,
        "plannedStart": "2030-05-02T08:00:00.000Z",
        "plannedEnd": "2030-05-30T17:00:00.000Z",
    }

    task = ann.create(**fields)

    assert {name: task[name] for name in fields} == fields


def test_rest_takes_the_same_fields(ann):
    fields = {
        "title": "x",
        "description": "y",
        "status": "in_progress",
        "priority": "urgent",
        "due_at": "2030-06-01T12:00:00.123Z",
        "tags": ["home", "garden"],
        "duration_minutes": 30,
        "not_before": "2030-05-01T00:00:00.000Z",
        "deadline_type": "hard",
        "min_chunk_minutes": 15,
        "max_chunk_minutes": 30,
        "planned_start": "2030-05-02T08:00:00.000Z",
        "planned_end": "2030-05-02T08:00:00.000Z",
    }

    task = ann.rest("POST", "/api/v1/tasks", json=fields).json

    assert {name: task[name] for name in fields} == fields


def test_a_due_date_of_any_offset_is_shown_in_utc(ann):
    task = ann.create(title="x", dueAt="2030-06-01T14:00:00+02:00")

    assert task["dueAt"] == "2030-06-01T12:00:00.000Z"


BAD_FIELDS = [
    ("title", ""),
    ("title", "   "),
    ("title", "x" * 201),
    ("title", None),
    ("title", 5),
    ("title", {"a": 1}),
    ("title", "\u200b"),
    ("title", "\ufeff\0"),
    ("description", "x" * (32 * 1024 + 1)),
    ("description", "é" * (16 * 1024 + 1)),
    ("description", ["x"]),
    ("status", "DONE"),
    ("status", 1),
    ("status", ["PENDING"]),
    ("status", {}),
    ("priority", "HIGHEST"),
    ("tags", [""]),
    ("tags", ["x" * 51]),
    ("tags", [f"{number}" for number in range(21)]),
    ("tags", ["\u200b"]),
    ("tags", [None]),
    ("tags", [1]),
    ("dueAt", "tomorrow"),
    ("dueAt", "2030-06-01"),
    ("dueAt", "2030-06-01T12:00:00"),
    ("dueAt", "2030-13-01T12:00:00Z"),
    ("dueAt", 1_700_000_000),
    ("durationMinutes", -1),
    ("durationMinutes", 14_401),
    ("durationMinutes", 2**31),
    ("durationMinutes", 1.5),
    ("durationMinutes", "90"),
    ("minChunkMinutes", -1),
    ("minChunkMinutes", 14_401),
    ("minChunkMinutes", True),
    ("maxChunkMinutes", 14),
    ("maxChunkMinutes", 14_401),
    ("notBefore", "tomorrow"),
    ("deadlineType", "MAYBE"),
    ("plannedStart", "soon"),
    ("plannedEnd", 5),
    ("nope", 1),
]


NOT_NULL = [(n, None) for n in ("status", "priority", "deadlineType", "minChunkMinutes")]


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_what_a_task_cannot_have_is_refused_by_field_at_creation(ann, calls, field, value):
    graphql = ann.graphql(CREATE, input={"title": "x", field: value})
    rest = ann.rest("POST", "/api/v1/tasks", json={"title": "x", snake(field): value})

    assert {error["extensions"]["field"] for error in graphql["errors"]} == {field}
    assert set(codes(graphql)) == {"BAD_USER_INPUT"}
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert rest.json["field"] == snake(field)
    assert calls == []


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(("field", "value"), [*BAD_FIELDS, *NOT_NULL])
def test_what_a_task_cannot_have_is_refused_by_field_at_a_change(ann, field, value):
    task = ann.create(title="x", description="y", tags=["z"])

    graphql = ann.graphql(UPDATE, input={"id": task["id"], field: value})
    rest = ann.rest("PUT", f"/api/v1/tasks/{task['id']}", json={snake(field): value})

    assert {error["extensions"]["field"] for error in graphql["errors"]} == {field}
    assert set(codes(graphql)) == {"BAD_USER_INPUT"}
    assert (rest.status_code, rest.json["field"]) == (400, snake(field))
    assert ann.task(task["id"]) == task


def test_a_missing_title_is_named(ann):
    graphql = ann.graphql(CREATE, input={})
    rest = ann.rest("POST", "/api/v1/tasks", json={})

    assert graphql["errors"][0]["message"] == "Missing required field: title"
    assert rest.json["error"] == "Missing required field: title"


def test_rest_tells_of_fields_by_its_own_names(ann):
    missing = ann.rest("POST", "/auth/refresh", json={})
    half = ann.rest(
        "POST", "/api/v1/tasks", json={"title": "x", "planned_start": "2030-01-01T00:00:00Z"}
    )

    assert missing.json["error"] == "Missing required field: refresh_token"
    assert half.json["error"] == "planned_end is required: planned times are a start and an end."


def test_a_change_leaves_what_is_absent_and_clears_what_is_null(ann):
    task = ann.create(
        title="x", description="y", priority="LOW", dueAt="2030-01-01T00:00:00Z", tags=["z"]
    )

    def change(**fields):
        return ann.graphql(UPDATE, input={"id": task["id"], **fields})["data"]["updateTask"]["task"]

    renamed = change(title=" renamed ")
    cleared = change(description=None, dueAt=None, tags=None)

    assert renamed == {
        **task,
        "title": "renamed",
        "updatedAt": renamed["updatedAt"],
        "version": 2,
    }
    assert cleared == {
        **renamed,
        "description": "",
        "dueAt": None,
        "tags": [],
        "updatedAt": cleared["updatedAt"],
        "version": 3,
    }
    assert ann.task(task["id"]) == cleared


def test_what_is_planned_can_be_moved_and_cleared(ann):
    planned = {"plannedStart": "2030-01-01T08:00:00.000Z", "plannedEnd": "2030-01-01T09:00:00.000Z"}
    task = ann.create(title="x", **planned)
    path = f"/api/v1/tasks/{task['id']}"

    half = ann.graphql(UPDATE, input={"id": task["id"], "plannedStart": None})
    upside_down = ann.rest("PATCH", path, json={"planned_end": "2029-12-31T00:00:00Z"})
    unchanged = ann.task(task["id"])
    moved = ann.rest("PATCH", path, json={"planned_end": "2030-01-01T10:00:00Z"})
    cleared = ann.rest("PUT", path, json={"planned_start": None, "planned_end": None})

    assert [error["extensions"] for error in half["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "plannedStart"}
    ]
    assert (upside_down.status_code, upside_down.json["field"]) == (400, "planned_end")
    assert unchanged == task
    assert (moved.status_code, moved.json["planned_end"]) == (200, "2030-01-01T10:00:00.000Z")
    assert (cleared.json["planned_start"], cleared.json["planned_end"]) == (None, None)


def test_a_task_kept_by_the_first_release_has_the_defaults_of_what_came_later(app, ann):
    task = ann.create(title="x")
    raw = app.extensions["database"].client
    key = {"user_id": {"S": ann.id}, "task_id": {"S": task["id"]}}
    raw.update_item(
        TableName="Tasks", Key=key, UpdateExpression="REMOVE deadline_type, min_chunk_minutes"
    )

    assert ann.task(task["id"]) == task
    assert ann.graphql(TASKS)["data"]["tasks"]["nodes"] == [task]


IMPOSSIBLE = [  # what the task has, and the one field whose change makes it impossible
    (
        {"dueAt": "2030-01-07T09:00:00Z", "deadlineType": "HARD"},
        "notBefore",
        "2030-01-07T09:01:00Z",
    ),
    (
        {"notBefore": "2030-01-07T09:01:00Z", "deadlineType": "HARD"},
        "dueAt",
        "2030-01-07T09:00:00Z",
    ),
    (
        {"dueAt": "2030-01-07T09:00:00Z", "notBefore": "2030-01-07T09:01:00Z"},
        "deadlineType",
        "HARD",
    ),
    ({"durationMinutes": 30}, "minChunkMinutes", 31),
    ({"minChunkMinutes": 31}, "durationMinutes", 30),
    ({"minChunkMinutes": 31}, "maxChunkMinutes", 61),
    ({"maxChunkMinutes": 61}, "minChunkMinutes", 31),
    ({"durationMinutes": 61}, "maxChunkMinutes", 60),
    ({"minChunkMinutes": 10, "maxChunkMinutes": 20}, "durationMinutes", 1_001),
]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(("task", "field", "value"), IMPOSSIBLE)
def test_a_field_that_contradicts_another_one_is_refused(ann, task, field, value):
    task = ann.create(title="x", **task)

    graphql = ann.graphql(UPDATE, input={"id": task["id"], field: value})
    rest = ann.rest("PATCH", f"/api/v1/tasks/{task['id']}", json={snake(field): value})

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": field}
    ]
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert rest.json["field"] == snake(field)
    assert ann.task(task["id"]) == task


@pytest.mark.engine_is_no_matter
def test_a_task_that_needs_a_shortest_piece_is_told_the_field_to_set(ann):
    text = "A task that is longer than its longest piece needs {}, too."
    fields = {"title": "x", "durationMinutes": 100, "maxChunkMinutes": 45}

    graphql = ann.graphql(CREATE, input=fields)
    body = {snake(name): value for name, value in fields.items()}
    rest = ann.rest("POST", "/api/v1/tasks", json=body)

    assert graphql["errors"][0]["message"] == text.format("minChunkMinutes")
    assert rest.json["message"] == text.format("min_chunk_minutes")


@pytest.mark.engine_is_no_matter
def test_a_new_task_whose_fields_contradict_one_another_is_refused(ann, calls):
    late = {"dueAt": "2030-01-07T09:00:00Z", "deadlineType": "HARD"}
    contradictions = [
        ("notBefore", {**late, "notBefore": "2030-01-07T09:01:00Z"}),
        ("minChunkMinutes", {"durationMinutes": 30, "minChunkMinutes": 31}),
        ("maxChunkMinutes", {"minChunkMinutes": 31, "maxChunkMinutes": 61}),
    ]

    for field, fields in contradictions:
        body = {"title": "x", **{snake(name): value for name, value in fields.items()}}
        graphql = ann.graphql(CREATE, input={"title": "x", **fields})
        rest = ann.rest("POST", "/api/v1/tasks", json=body)

        assert [error["extensions"] for error in graphql["errors"]] == [
            {"code": "BAD_USER_INPUT", "field": field}
        ]
        assert (rest.status_code, rest.json["field"]) == (400, snake(field))
    assert calls == []


def test_a_stored_task_that_would_be_refused_now_is_read_completed_and_mended(app, ann):
    task = ann.create(title="x", durationMinutes=60)
    app.extensions["database"].client.update_item(
        TableName="Tasks",
        Key={"user_id": {"S": ann.id}, "task_id": {"S": task["id"]}},
        UpdateExpression="SET title = :title, min_chunk_minutes = :minutes",
        ExpressionAttributeValues={":title": {"S": "\u200b"}, ":minutes": {"N": "90"}},
    )

    read = ann.task(task["id"])
    completed = ann.graphql(UPDATE, input={"id": task["id"], "status": "COMPLETED"})
    mended = ann.graphql(UPDATE, input={"id": task["id"], "title": "y", "minChunkMinutes": 30})

    assert read == {**task, "title": "\u200b", "minChunkMinutes": 90}
    assert completed["data"]["updateTask"]["task"]["status"] == "COMPLETED"
    shown = mended["data"]["updateTask"]["task"]
    assert (shown["title"], shown["minChunkMinutes"], shown["version"]) == ("y", 30, 3)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rest_changes_partially_by_put_and_by_patch(ann, method):
    task = ann.rest("POST", "/api/v1/tasks", json={"title": "x", "description": "y"}).json

    changed = ann.rest(method, f"/api/v1/tasks/{task['task_id']}", json={"status": "completed"})

    assert changed.json == {
        **task,
        "status": "completed",
        "completed_at": changed.json["completed_at"],
        "updated_at": changed.json["updated_at"],
        "version": 2,
    }
    assert changed.json["completed_at"] == changed.json["updated_at"]


def test_an_old_client_may_send_a_task_back_as_it_got_it(ann):
    task = ann.rest("POST", "/api/v1/tasks", json={"title": "x"}).json

    sent_back = {**task, "title": "y", "user_id": "somebody else", "version": 77}
    changed = ann.rest("PUT", f"/api/v1/tasks/{task['task_id']}", json=sent_back)

    assert changed.status_code == 200
    assert changed.json == {
        **task,
        "title": "y",
        "updated_at": changed.json["updated_at"],
        "version": 2,
    }


def test_the_status_sets_and_clears_the_time_of_completion(ann):
    done_at_once = ann.create(title="x", status="COMPLETED")
    task = ann.create(title="x")

    def change(**fields):
        return ann.graphql(UPDATE, input={"id": task["id"], **fields})["data"]["updateTask"]["task"]

    completed = change(status="COMPLETED")
    renamed = change(title="y")
    reopened = change(status="PENDING")

    assert done_at_once["completedAt"] == done_at_once["createdAt"]
    assert completed["completedAt"] == completed["updatedAt"]
    assert renamed["completedAt"] == completed["completedAt"]
    assert reopened["completedAt"] is None


def test_a_change_that_changes_nothing_writes_nothing(ann, calls):
    task = ann.create(title="x", tags=["a"])
    calls.clear()

    answer = ann.graphql(UPDATE, input={"id": task["id"], "title": "x ", "tags": ["a", "a"]})

    assert answer["data"]["updateTask"]["task"] == task
    assert calls == ["GetItem"]


def test_a_deleted_task_is_gone(ann):
    task, other = ann.create(title="x"), ann.create(title="y")

    answer = ann.graphql(DELETE, input={"id": task["id"]})
    again = ann.graphql(DELETE, input={"id": task["id"]})

    assert answer == {"data": {"deleteTask": {"deletedTaskId": task["id"]}}}
    assert codes(again) == ["NOT_FOUND"]
    assert [left["id"] for left in ann.graphql(TASKS)["data"]["tasks"]["nodes"]] == [other["id"]]


def test_a_task_deleted_by_rest_is_gone(ann):
    task = ann.create(title="x")

    first, second = (ann.rest("DELETE", f"/api/v1/tasks/{task['id']}") for _ in range(2))

    assert (first.status_code, first.json) == (200, {"message": "Task deleted successfully"})
    assert (second.status_code, second.json["error"]) == (404, "Task not found or access denied")
    assert ann.task(task["id"]) is None


# Who may see what


@pytest.fixture
def foreign(neighbour):
    """A task of somebody else's."""
    return neighbour.create(title="Not yours", description="secret")


MISSING = ["", " ", "x", "0", "../x", "a#b", "é" * 64, "x" * 3000, str(uuid.uuid4())]


@pytest.mark.parametrize("operation", ["task", "update", "delete"])
def test_a_foreign_task_is_a_missing_one_in_graphql(ann, neighbour, foreign, operation):
    def attempt(task_id):
        match operation:
            case "task":
                return ann.api.post(TASK, ann.token, id=task_id).data
            case "update":
                change = {"id": task_id, "title": "mine"}
                return ann.api.post(UPDATE, ann.token, input=change).data
            case "delete":
                return ann.api.post(DELETE, ann.token, input={"id": task_id}).data

    answers = {attempt(task_id) for task_id in (foreign["id"], *MISSING)}

    [answer] = answers
    assert b'"NOT_FOUND"' in answer
    assert neighbour.task(foreign["id"]) == foreign


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_foreign_task_is_a_missing_one_in_rest(ann, neighbour, foreign, method):
    body = {"json": {"title": "mine"}} if method.startswith("P") else {}

    answers = {
        (answer.status_code, answer.data)
        for task_id in (foreign["id"], "x", "x" * 3000, str(uuid.uuid4()))
        for answer in [ann.rest(method, f"/api/v1/tasks/{task_id}", **body)]
    }

    [(status, _)] = answers
    assert status == 404
    assert neighbour.task(foreign["id"]) == foreign


@pytest.mark.usefixtures("foreign")
def test_a_list_has_the_viewers_own_tasks_only(ann):
    mine = [ann.create(title=title, dueAt="2030-01-01T00:00:00Z") for title in "ab"]

    everything = [
        ann.graphql(TASKS)["data"]["tasks"],
        ann.graphql(TASKS, orderBy={"field": "DUE_AT", "direction": "DESC"})["data"]["tasks"],
        ann.graphql(TASKS, filter={"search": "a"})["data"]["tasks"],
    ]

    assert [tasks["totalCount"] for tasks in everything] == [2, 2, 1]
    assert [[task["title"] for task in tasks["nodes"]] for tasks in everything] == [
        ["b", "a"],
        ["b", "a"],
        ["a"],
    ]
    assert {task["task_id"] for task in ann.rest("GET", "/api/v1/tasks").json} == {
        task["id"] for task in mine
    }


def test_aliases_show_ones_own_and_hide_the_foreign(ann, foreign):
    mine = ann.create(title="x")

    answer = ann.graphql(
        "query ($a: ID!, $b: ID!) { a: task(id: $a) { title } b: task(id: $b) { title } }",
        a=mine["id"],
        b=foreign["id"],
    )

    assert answer["data"] == {"a": {"title": "x"}, "b": None}
    assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [
        (["b"], {"code": "NOT_FOUND", "field": "id"})
    ]


# How much it costs


def test_a_page_with_owners_is_one_call_and_one_more_if_the_session_is_looked_at(
    ann, calls, monkeypatch
):
    for number in range(25):
        ann.create(title=f"{number}")

    for is_remembered, made in ((True, ["Query"]), (False, ["BatchGetItem", "Query"])):
        if not is_remembered:
            monkeypatch.setattr(SessionCache, "get", lambda *_: None)
        calls.clear()

        nodes = ann.graphql(OWNERS)["data"]["tasks"]["nodes"]

        assert [node["owner"]["username"] for node in nodes] == [ann.username] * 25
        assert calls == made


def test_each_operation_makes_the_calls_that_it_needs(ann, calls):
    def made_by(query, **variables):
        calls.clear()
        assert "errors" not in ann.graphql(query, **variables)
        return list(calls)

    key = ann.create(title="x")["id"]
    with_owner = "query ($id: ID!) { task(id: $id) { owner { username } } }"

    assert made_by(with_owner, id=key) == ["GetItem"]
    assert made_by(CREATE, input={"title": "y"}) == ["TransactWriteItems"]
    assert made_by(UPDATE, input={"id": key, "title": "z"}) == ["GetItem", "TransactWriteItems"]
    assert made_by(DELETE, input={"id": key}) == ["GetItem", "GetItem", "TransactWriteItems"]
    assert made_by("{ viewer { username } }") == []
    assert made_by("{ viewer { username tasks { nodes { owner { id } } } } }") == ["Query"]
    assert made_by("{ tasks { nodes { id } totalCount } }") == ["Query"]
    assert made_by("{ __typename }") == []


def test_the_rest_routes_make_the_same_calls(ann, calls):
    def made_by(method, path, **options):
        calls.clear()
        assert ann.rest(method, path, **options).status_code < 300
        return list(calls)

    path = f"/api/v1/tasks/{ann.create(title='x')['id']}"

    assert made_by("GET", path) == ["GetItem"]
    assert made_by("GET", "/api/v1/tasks") == ["Query"]
    assert made_by("POST", "/api/v1/tasks", json={"title": "y"}) == ["TransactWriteItems"]
    assert made_by("PUT", path, json={"title": "z"}) == ["GetItem", "TransactWriteItems"]
    assert made_by("DELETE", path) == ["GetItem", "GetItem", "TransactWriteItems"]


def test_counting_costs_a_call_only_if_the_page_is_not_all_there_is(ann, calls):
    for title in "abc":
        ann.create(title=title)
    calls.clear()

    whole = ann.graphql("{ tasks(first: 3) { totalCount } }")
    assert calls == ["Query"]
    part = ann.graphql("{ tasks(first: 2) { totalCount } }")

    assert whole["data"]["tasks"] == part["data"]["tasks"] == {"totalCount": 3}
    assert calls == ["Query"] * 3


@pytest.mark.parametrize("spelling", ["literals", "variables", "fragments"])
def test_ten_aliases_of_task_are_one_batch(ann, calls, spelling):
    ids = [ann.create(title=f"{number}")["id"] for number in range(10)]
    calls.clear()

    if spelling == "literals":
        fields = "".join(f'a{n}: task(id: "{key}") {{ id }} ' for n, key in enumerate(ids))
        answer = ann.graphql(f"{{ {fields} }}")
    else:
        fields = "".join(f"a{n}: task(id: $a{n}) {{ id }} " for n in range(10))
        if spelling == "fragments":
            fields = f"...F }} fragment F on Query {{ ... on Query {{ {fields} }}"
        declared = ", ".join(f"$a{n}: ID!" for n in range(10))
        variables = {f"a{n}": key for n, key in enumerate(ids)}
        answer = ann.graphql(f"query ({declared}) {{ {fields} }}", **variables)

    assert answer["data"] == {f"a{n}": {"id": key} for n, key in enumerate(ids)}
    assert calls == ["BatchGetItem"]


# Safe writes


def test_a_change_of_an_expected_version_is_made_once(ann):
    task = ann.create(title="x")
    change = {"id": task["id"], "expectedVersion": 1, "title": "y"}

    first, second = (ann.graphql(UPDATE, input=change) for _ in range(2))

    assert first["data"]["updateTask"]["task"]["version"] == 2
    assert [error["extensions"] for error in second["errors"]] == [
        {"code": "CONFLICT", "field": "expectedVersion", "currentVersion": 2}
    ]


def test_a_task_of_another_version_is_not_deleted(ann):
    task = ann.create(title="x")

    refused = ann.graphql(DELETE, input={"id": task["id"], "expectedVersion": 2})
    missing = ann.graphql(DELETE, input={"id": "x", "expectedVersion": 2})

    assert [error["extensions"] for error in refused["errors"]] == [
        {"code": "CONFLICT", "field": "expectedVersion", "currentVersion": 1}
    ]
    assert codes(missing) == ["NOT_FOUND"]
    assert ann.task(task["id"]) == task


def test_rest_knows_versions_as_entity_tags(ann):
    task = ann.rest("POST", "/api/v1/tasks", json={"title": "x"}).json
    path = f"/api/v1/tasks/{task['task_id']}"

    unchanged = ann.rest("GET", path, headers={"If-None-Match": '"1"'})
    changed = ann.rest("PUT", path, json={"title": "y"}, headers={"If-Match": '"1"'})
    late = ann.rest("PUT", path, json={"title": "z"}, headers={"If-Match": '"1"'})
    too_late = ann.rest("DELETE", path, headers={"If-Match": '"1"'})
    anyhow = ann.rest("PUT", path, json={"title": "z"}, headers={"If-Match": "*"})

    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (late.status_code, late.json["code"], late.json["current_version"]) == (
        412,
        "CONFLICT",
        2,
    )
    assert too_late.status_code == 412
    assert (anyhow.status_code, anyhow.json["version"]) == (200, 3)


@pytest.mark.parametrize("tag", ["", " ", "3", "W/3", '"1", "2"', '"', "'1'"])
def test_an_entity_tag_of_wrong_syntax_is_refused(ann, tag):
    task = ann.create(title="x")

    answer = ann.rest(
        "PUT", f"/api/v1/tasks/{task['id']}", json={"title": "y"}, headers={"If-Match": tag}
    )

    assert (answer.status_code, answer.json["code"]) == (400, "BAD_USER_INPUT")
    assert ann.task(task["id"]) == task


@pytest.mark.parametrize("tag", ['W/"1"', '"x"', '"99999999999999999999"', '""'])
def test_an_entity_tag_that_is_not_the_tasks_is_a_failed_precondition(ann, tag):
    task = ann.create(title="x")

    answer = ann.rest(
        "PUT", f"/api/v1/tasks/{task['id']}", json={"title": "y"}, headers={"If-Match": tag}
    )

    assert answer.status_code == 412
    assert ann.task(task["id"]) == task


@pytest.mark.concurrent
def test_of_fifty_writers_of_one_version_exactly_one_wins(app, ann):
    task = ann.create(title="x")

    def write(number):
        change = {"id": task["id"], "expectedVersion": 1, "title": f"{number}"}
        return app.test_client().post(
            "/graphql",
            json={"query": UPDATE, "variables": {"input": change}},
            headers={"Authorization": f"Bearer {ann.token}"},
        )

    with ThreadPoolExecutor(16) as pool:
        answers = [answer.json for answer in pool.map(write, range(50))]

    [winner] = [answer for answer in answers if "errors" not in answer]
    losers = [answer for answer in answers if "errors" in answer]
    assert [error["extensions"] for loser in losers for error in loser["errors"]] == [
        {"code": "CONFLICT", "field": "expectedVersion", "currentVersion": 2}
    ] * 49
    assert ann.task(task["id"]) == winner["data"]["updateTask"]["task"]


@pytest.mark.concurrent
def test_simultaneous_changes_of_different_fields_are_all_made(app, ann):
    task = ann.create(title="x")
    changes = [{"title": "y"}, {"description": "z"}, {"priority": "HIGH"}, {"tags": ["t"]}]

    def write(change):
        return app.test_client().post(
            "/graphql",
            json={"query": UPDATE, "variables": {"input": {"id": task["id"], **change}}},
            headers={"Authorization": f"Bearer {ann.token}"},
        )

    with ThreadPoolExecutor(4) as pool:
        answers = [answer.json for answer in pool.map(write, changes)]

    assert all("errors" not in answer for answer in answers)
    after = ann.task(task["id"])
    assert (after["title"], after["description"], after["priority"], after["tags"]) == (
        "y",
        "z",
        "HIGH",
        ["t"],
    )
    assert after["version"] == 5
