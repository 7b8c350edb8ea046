"""Reminders by GraphQL and REST: the same rules, the same values."""

from datetime import timedelta

import pytest
from conftest import CREATE, UPDATE, codes

from graphql_api import clock

DUE = "2030-01-01T12:00:00.000Z"
HOUR = {"at": None, "minutesBefore": 60, "from": "DUE"}
NEW_YEAR = {"at": "2029-12-31T12:00:00.000Z", "minutesBefore": None, "from": None}
BULK = """mutation ($tasks: [CreateTaskInput!]!) { createTasks(input: {tasks: $tasks}) {
  results { task { id } error { code field } } } }"""


def in_rest(reminders):
    """Reminders as REST spells them."""
    return [
        {"at": each["at"], "minutes_before": each["minutesBefore"], "from": each["from"] and "due"}
        for each in reminders
    ]


def soon(**delta):
    return clock.text(clock.now() + timedelta(**delta))


@pytest.mark.parametrize("nothing", [None, []])
def test_reminders_are_set_changed_and_cleared(ann, nothing):
    task = ann.create(title="x", dueAt=DUE, reminders=[{"minutesBefore": 60}, NEW_YEAR])
    assert task["reminders"] == [HOUR, NEW_YEAR]

    path = f"/api/v1/tasks/{task['id']}"
    assert ann.rest("GET", path).json["reminders"] == in_rest([HOUR, NEW_YEAR])

    changed = ann.graphql(UPDATE, input={"id": task["id"], "reminders": [NEW_YEAR]})
    assert changed["data"]["updateTask"]["task"]["reminders"] == [NEW_YEAR]
    cleared = ann.graphql(UPDATE, input={"id": task["id"], "reminders": nothing})
    assert cleared["data"]["updateTask"]["task"]["reminders"] == []
    assert ann.task(task["id"])["version"] == 3


@pytest.mark.parametrize("nothing", [None, []])
def test_reminders_are_set_changed_and_cleared_by_rest(ann, nothing):
    body = {"title": "x", "due_at": DUE, "reminders": [{"minutes_before": 60, "from": "due"}]}
    task = ann.rest("POST", "/api/v1/tasks", json=body).json
    assert task["reminders"] == in_rest([HOUR])

    path = f"/api/v1/tasks/{task['task_id']}"
    as_it_came = ann.rest("PUT", path, json=task)
    assert as_it_came.json["version"] == 1
    changed = ann.rest("PUT", path, json={"reminders": [{"at": NEW_YEAR["at"]}]})
    assert changed.json["reminders"] == in_rest([NEW_YEAR])
    assert ann.rest("PUT", path, json={"reminders": nothing}).json["reminders"] == []


WRONG = {
    "eleven": ([{"minutesBefore": n} for n in range(11)], "reminders", "reminders"),
    "past": ([{"at": "2020-01-01T00:00:00Z"}], "at", "reminders[0].at"),
    "past by minutes": (
        [{"minutesBefore": 0}, {"minutesBefore": 527_040}],
        "minutesBefore",
        "reminders[1].minutesBefore",
    ),
    "no planned start": (
        [{"minutesBefore": 5, "from": "PLANNED_START"}],
        "minutesBefore",
        "reminders[0].minutesBefore",
    ),
    "neither": ([{}], "at", "reminders[0].at"),
    "both": (
        [{"at": NEW_YEAR["at"], "minutesBefore": 5}],
        "minutesBefore",
        "reminders[0].minutesBefore",
    ),
    "after the due date": ([{"minutesBefore": -1}], "minutesBefore", "reminders[0].minutesBefore"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_reminder_is_named_and_nothing_is_written(ann, case):
    reminders, field, at = WRONG[case]
    due = soon(hours=1) if case == "past by minutes" else DUE
    task = ann.create(title="x", dueAt=due)

    created = ann.graphql(CREATE, input={"title": "y", "dueAt": due, "reminders": reminders})
    updated = ann.graphql(UPDATE, input={"id": task["id"], "title": "y", "reminders": reminders})
    tasks = [{"title": "y", "dueAt": due, "reminders": reminders}]
    [in_bulk] = ann.graphql(BULK, tasks=tasks)["data"]["createTasks"]["results"]
    body = [
        {name.replace("minutesBefore", "minutes_before"): value for name, value in each.items()}
        for each in reminders
    ]
    by_rest = ann.rest("PUT", f"/api/v1/tasks/{task['id']}", json={"title": "y", "reminders": body})

    for answer in (created, updated):
        assert codes(answer) == ["BAD_USER_INPUT"]
        extensions = answer["errors"][0]["extensions"]
        assert (extensions["field"], extensions.get("at", field)) == (field, at)
    assert (in_bulk["error"]["code"], in_bulk["error"]["field"]) == ("BAD_USER_INPUT", field)
    snake = field.replace("minutesBefore", "minutes_before")
    assert (by_rest.status_code, by_rest.json["field"]) == (400, snake)
    assert ann.task(task["id"]) == task
    assert len(ann.rest("GET", "/api/v1/tasks").json) == 1


def test_a_due_date_may_move_so_that_a_reminder_is_past_or_has_nothing_to_be_before(ann):
    task = ann.create(title="x", dueAt=DUE, reminders=[{"minutesBefore": 60}])

    for due in (soon(minutes=30), None, DUE):
        moved = ann.graphql(UPDATE, input={"id": task["id"], "dueAt": due})
        assert moved["data"]["updateTask"]["task"]["reminders"] == [HOUR]


def test_a_task_from_before_there_were_reminders_has_none(app, ann):
    task = ann.create(title="x")
    table = app.extensions["database"].table("Tasks")
    key = {"user_id": {"S": ann.id}, "task_id": {"S": task["id"]}}
    table.database.client.update_item(
        TableName=table.name, Key=key, UpdateExpression="REMOVE reminders"
    )

    assert ann.task(task["id"]) == task
    changed = ann.graphql(UPDATE, input={"id": task["id"], "title": "y"})
    assert changed["data"]["updateTask"]["task"]["reminders"] == []
