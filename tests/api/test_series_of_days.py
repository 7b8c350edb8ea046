"""Tasks that come again on whole days."""

from datetime import timedelta

import pytest
from conftest import UPDATE, codes
from test_due_days import move_to
from test_series import CHANGE, complete, data, last_change, open_tasks, past, recurring

from graphql_api import clock

UNDO = "mutation ($id: ID!) { undoChange(input: {changeId: $id}) { task { dueOn } } }"
DAYS = "query ($id: ID!) { task(id: $id) { dueOn dueAt series { text upcoming { on at } } } }"


def on_day(person, rrule, day, **options):
    task = options.pop("task", {})
    return recurring(person, rrule, None, task={"dueOn": day, **task}, **options)


def due(person, task_id):
    task = data(person.graphql(DAYS, id=task_id))
    return task["dueOn"] or task["dueAt"]


def following(person, task_id):
    return data(complete(person, task_id))["next"]


def test_a_due_day_comes_again_as_a_day(ann):
    move_to(ann, "Asia/Tokyo")
    task = on_day(ann, "FREQ=MONTHLY;BYMONTHDAY=-1", "2090-01-31")

    shown = data(ann.graphql(DAYS, id=task["id"]))
    second = following(ann, task["id"])

    assert shown["series"]["text"] == "every month on the last day, Berlin time"
    assert shown["series"]["upcoming"][:2] == [
        {"on": "2090-02-28", "at": None},
        {"on": "2090-03-31", "at": None},
    ]
    assert due(ann, second["id"]) == "2090-02-28"
    assert past(ann, task["series"]["id"]) == [("2090-01-31", "DONE")]
    data(ann.graphql(UNDO, id=last_change(ann, task["id"])["id"]))
    assert [each["id"] for each in open_tasks(ann)] == [task["id"]]


def test_rest_begins_a_series_of_days(ann):
    rule = {"rrule": "FREQ=WEEKLY", "timezone": "UTC"}
    body = {"title": "x", "due_on": "2090-03-20", "recurrence": rule}
    task = ann.rest("POST", "/api/v1/tasks", json=body).json
    answer = ann.rest("POST", f"/api/v1/tasks/{task['task_id']}/complete").json

    assert (answer["next"]["due_on"], answer["next"]["due_at"]) == ("2090-03-27", None)


def test_what_goes_along_moves_by_as_many_days(ann):
    more = {"notBefore": "2090-03-18T23:00:00Z", "reminders": [{"at": "2090-03-19T17:00:00Z"}]}
    task = on_day(ann, "FREQ=WEEKLY", "2090-03-20", task=more)
    shown = ann.rest("GET", f"/api/v1/tasks/{following(ann, task['id'])['id']}").json

    assert shown["not_before"] == "2090-03-25T23:00:00.000Z"  # midnight there, in summer
    assert [each["at"] for each in shown["reminders"]] == ["2090-03-26T16:00:00.000Z"]


@pytest.mark.parametrize("moved", [{"dueOn": "2090-03-22"}, {"dueAt": "2090-03-22T12:00:00Z"}])
def test_moving_the_current_day_leaves_the_rule(ann, moved):
    task = on_day(ann, "FREQ=WEEKLY", "2090-03-20")
    data(ann.graphql(UPDATE, input={"id": task["id"], **moved}))

    assert due(ann, following(ann, task["id"])["id"]) == "2090-03-27"


@pytest.mark.parametrize(
    ("policy", "next_on", "missed"),
    [
        ("KEEP_ALL", -2, []),
        ("KEEP_ONE", 0, [-1, -2]),  # today has begun: it is the one to keep
        ("SKIP", 0, [-1, -2]),  # and has not ended: it is not missed
    ],
)
def test_days_that_have_gone_by_follow_the_policy(ann, policy, next_on, missed):
    today = clock.now().date()

    def day(number):
        return (today + timedelta(days=number)).isoformat()

    task = on_day(ann, "FREQ=DAILY", day(-3), zone="UTC", missed=policy)
    second = following(ann, task["id"])

    assert due(ann, second["id"]) == day(next_on)
    assert past(ann, task["series"]["id"]) == [
        *((day(each), "MISSED") for each in missed),
        (day(-3), "DONE"),
    ]


def test_a_rule_is_changed_from_the_current_day_on(ann):
    task = on_day(ann, "FREQ=WEEKLY", "2090-03-20")
    rule = {"rrule": "FREQ=MONTHLY;COUNT=2", "timezone": "Europe/Berlin"}
    data(ann.graphql(CHANGE, input={"id": task["series"]["id"], "recurrence": rule}))
    second = following(ann, task["id"])

    assert due(ann, second["id"]) == "2090-04-20"
    assert following(ann, second["id"]) is None


def test_a_day_that_the_rule_does_not_have_is_refused_by_its_name(ann):
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=TU"}
    create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }"
    body = ann.graphql(create, input={"title": "x", "dueOn": "2090-03-20", "recurrence": rule})

    assert codes(body) == ["BAD_USER_INPUT"]
    assert body["errors"][0]["extensions"]["field"] == "dueOn"
    assert open_tasks(ann) == []
