"""The change feed, history, undo and merging, through REST."""

from datetime import timedelta

import pytest

from graphql_api import clock, ids
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.changes.model import Position

CHANGES = "/api/v1/changes"
TASK_CHANGES = "{ changes { nodes { id cursor } endCursor hasMore } }"


def changes(person, query=""):
    answer = person.rest("GET", CHANGES + query)
    assert answer.status_code == 200, answer.text
    return answer.json


def patch(person, task_id, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.rest("PATCH", f"/api/v1/tasks/{task_id}", json=body, headers=named)


def undo(person, change_id):
    return person.rest("POST", f"{CHANGES}/{change_id}/undo")


@pytest.fixture
def task(ann):
    """A task that was changed twice since it was created, read by REST."""
    task_id = ann.create(title="1", dueAt="2030-01-01T00:00:00Z")["id"]
    patch(ann, task_id, {"title": "2", "duration_minutes": 30})
    return patch(ann, task_id, {"status": "completed"}).json


def test_a_change_is_told_with_the_names_of_rest_and_the_task_as_rest_shows_it(ann, task):
    found = changes(ann)

    names = ("kind", "task_id", "version", "fields", "undoes")
    assert [{name: node[name] for name in names} for node in found["nodes"]] == [
        {"kind": kind, "task_id": task["task_id"], "version": n, "fields": fields, "undoes": None}
        for n, kind, fields in [
            (1, "task_created", ["title", "due_at"]),
            (2, "task_updated", ["title", "duration_minutes"]),
            (3, "task_completed", ["status"]),
        ]
    ]
    assert [node["task"] for node in found["nodes"]] == [task] * 3
    assert {node["actor"]["kind"] for node in found["nodes"]} == {"session"}
    assert found["has_more"] is False


@pytest.mark.usefixtures("task")
def test_rest_and_graphql_have_the_same_changes_and_go_on_from_the_same_cursors(ann):
    by_graphql = ann.graphql(TASK_CHANGES)["data"]["changes"]["nodes"]
    by_rest = changes(ann)["nodes"]
    last = changes(ann, f"?after={by_graphql[1]['cursor']}&limit=100")

    assert [node["id"] for node in by_rest] == [node["id"] for node in by_graphql]
    # What lies within the window comes again.
    assert last["nodes"][-1]["id"] == by_rest[-1]["id"]


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("size", ["limit", "first"])
def test_pages_of_changes_are_followed_by_their_link_or_their_cursor(ann, size):
    first = ann.rest("GET", f"{CHANGES}?{size}=2")
    url = first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    second = ann.rest("GET", url)

    assert url == f"{CHANGES}?limit=2&after={first.json['end_cursor']}"
    # Some may come again.
    versions = dict.fromkeys(n["version"] for page in (first, second) for n in page.json["nodes"])
    assert list(versions) == [1, 2, 3]
    assert [page.json["has_more"] for page in (first, second)] == [True, False]
    assert "Link" not in second.headers


@pytest.mark.parametrize("query", ["", "?limit=1", "?status=pending"])
def test_a_list_and_the_changes_after_it_miss_nothing(ann, query):
    ann.create(title="before")
    answer = ann.rest("GET", "/api/v1/tasks" + query)
    after = ann.create(title="after")

    found = changes(ann, f"?after={answer.headers['X-Changes-Cursor']}")

    assert found["nodes"][-1]["task_id"] == after["id"]


def test_a_task_has_its_history_newest_first(ann, task):
    path = f"/api/v1/tasks/{task['task_id']}/history"
    first = ann.rest("GET", f"{path}?limit=2").json
    second = ann.rest("GET", f"{path}?first=2&after={first['end_cursor']}").json

    assert [node["version"] for page in (first, second) for node in page["nodes"]] == [3, 2, 1]
    assert [node["fields"] for node in second["nodes"]] == [["title", "due_at"]]
    assert [page["has_more"] for page in (first, second)] == [True, False]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?first=0", "limit"),
        ("?limit=1&first=2", "limit"),
        ("?limit=some", "limit"),
        ("?after=x", "after"),
        ("?before=x", "before"),
    ],
)
def test_what_is_wrong_with_a_page_is_named(ann, task, query, field):
    for path in (CHANGES, f"/api/v1/tasks/{task['task_id']}/history"):
        answer = ann.rest("GET", path + query)

        assert (answer.status_code, answer.json["code"]) == (400, "BAD_USER_INPUT")
        assert answer.json["field"] == field


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHANGES),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/tasks/x/history"),
        ("POST", f"{CHANGES}/x/undo"),
    ],
)
def test_nobody_reads_or_undoes_changes_without_a_token(api, method, path):
    answer = api.rest(method, path)

    assert (answer.status_code, answer.json["code"]) == (401, "UNAUTHENTICATED")


def test_nobody_sees_or_undoes_the_changes_of_others_or_goes_on_from_their_cursors(api, ann, task):
    eve = api.register("eve")
    theirs = changes(ann)
    history = f"/api/v1/tasks/{task['task_id']}/history"
    cursors = [theirs["end_cursor"], theirs["nodes"][0]["cursor"]]
    cursors.append(ann.rest("GET", history).json["end_cursor"])

    for cursor in cursors:
        for path in (CHANGES, "/api/v1/events"):
            answer = eve.rest("GET", f"{path}?after={cursor}")
            assert (answer.status_code, answer.json["field"]) == (400, "after")
    by_header = eve.rest("GET", "/api/v1/events", headers={"Last-Event-ID": cursors[0]})
    assert (by_header.status_code, by_header.json["field"]) == (400, "after")
    assert eve.rest("GET", history).status_code == 404
    for node in theirs["nodes"]:
        answer = undo(eve, node["id"])
        assert (answer.status_code, answer.json["field"]) == (404, "change_id")
    assert changes(eve)["nodes"] == []
    assert ann.task(task["task_id"])["version"] == 3


def test_a_cursor_that_is_older_than_what_is_kept_has_expired(engine, ann):
    old = Position(ids.first_id(clock.now() - timedelta(days=31)))
    cursor = Cursors([engine.jwt_secret]).seal(str(old), f"changes of {ann.id}")

    for path in (CHANGES, "/api/v1/events"):
        answer = ann.rest("GET", f"{path}?after={cursor}")

        assert (answer.status_code, answer.json["code"]) == (410, "CURSOR_EXPIRED")
        assert answer.json["field"] == "after"


def test_a_server_that_cannot_stream_says_to_poll(ann):
    answer = ann.rest("GET", "/api/v1/events")

    assert (answer.status_code, answer.json["detail"]) == (
        400,
        "This server cannot stream: poll `changes` instead.",
    )


# Undo


def test_a_change_is_taken_back_and_the_task_is_the_answer(ann, task):
    completion = changes(ann)["nodes"][-1]

    answer = undo(ann, completion["id"])

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"4"')
    assert answer.json == {
        **task,
        "status": "pending",
        "completed_at": None,
        "version": 4,
        "updated_at": answer.json["updated_at"],
    }
    assert changes(ann)["nodes"][-1]["undoes"] == completion["id"]


def test_a_change_is_not_taken_back_if_its_field_has_changed_since(ann, task):
    patch(ann, task["task_id"], {"title": "3", "duration_minutes": 60})
    update = changes(ann)["nodes"][1]

    answer = undo(ann, update["id"])

    assert (answer.status_code, answer.json["code"]) == (409, "CONFLICT")
    assert answer.json["fields"] == ["duration_minutes", "title"]
    assert ann.task(task["task_id"])["version"] == 4


def test_neither_a_creation_nor_an_undo_nor_nothing_is_taken_back(ann, task):
    created, _, completed = changes(ann)["nodes"]
    undo(ann, completed["id"])
    undone = changes(ann)["nodes"][-1]

    statuses = [
        undo(ann, change_id).status_code for change_id in (created["id"], undone["id"], "x")
    ]

    assert statuses == [400, 400, 404]
    assert ann.task(task["task_id"])["version"] == 4


# Merging

MERGES = ["merge", "return=representation, Merge", 'merge, wait="3"']


@pytest.mark.parametrize("prefer", MERGES)
def test_a_change_of_other_fields_is_merged_and_says_so(ann, task, prefer):
    answer = patch(ann, task["task_id"], {"description": "x"}, If_Match='"1"', Prefer=prefer)

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"4"')
    assert answer.headers["Preference-Applied"] == "merge"
    assert answer.json["merged"] is True
    assert (answer.json["title"], answer.json["description"]) == ("2", "x")
    # What was sent back as it came changes nothing.
    again = ann.rest("PUT", f"/api/v1/tasks/{task['task_id']}", json=answer.json)
    assert (again.status_code, again.headers["ETag"]) == (200, '"4"')


def test_a_change_of_the_same_field_is_refused_with_its_name(ann, task):
    body = {"description": "x", "duration_minutes": 45}
    answer = patch(ann, task["task_id"], body, If_Match='"1"', Prefer="merge")

    assert (answer.status_code, answer.json["code"]) == (412, "CONFLICT")
    assert (answer.json["field"], answer.json["fields"]) == ("If-Match", ["duration_minutes"])
    assert answer.json["current_version"] == 3
    assert ann.task(task["task_id"])["version"] == 3


def test_nothing_is_merged_that_did_not_have_to_be_or_without_being_asked_for(ann, task):
    current = patch(ann, task["task_id"], {"description": "x"}, If_Match='"3"', Prefer="merge")
    refused = patch(ann, task["task_id"], {"priority": "low"}, If_Match='"3"')
    other = patch(ann, task["task_id"], {"priority": "low"}, If_Match='"3"', Prefer="emerge")

    assert (current.status_code, "merged" in current.json) == (200, False)
    assert (refused.status_code, other.status_code) == (412, 412)
    assert "Preference-Applied" not in other.headers
