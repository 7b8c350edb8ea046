"""What to do now, through both entries."""

import pytest
from conftest import codes
from test_plans import BLOCK, estimated
from test_work import start

NOW = """
  query ($minutes: Int, $now: DateTime) {
    whatNow(minutes: $minutes, now: $now) {
      asOf task { id title } block { id state } reasons { code text }
      alternatives { task { id } block { id } reasons { code text } }
    }
  }
"""
HALF_PAST = "2030-01-07T09:30:00.000Z"


def ask(person, **variables):
    return person.graphql(NOW, **{"now": HALF_PAST, **variables})["data"]["whatNow"]


def reasons(suggestion):
    return [reason["text"] for reason in suggestion["reasons"]]


def test_the_most_urgent_ready_task_is_named_with_two_others(ann, calls):
    urgent = ann.create(title="Tax", durationMinutes=20, priority="URGENT")
    high = ann.create(
        title="Call", durationMinutes=30, priority="HIGH", dueAt="2030-01-07T11:00:00Z"
    )
    low = ann.create(title="Post", priority="LOW")
    ann.create(title="Later", priority="URGENT", notBefore="2030-01-08T09:00:00Z")
    waiting = ann.create(title="Waits", priority="URGENT")
    ann.graphql(BLOCK, input={"taskId": waiting["id"], "blockerIds": [high["id"]]})
    calls.clear()

    found = ask(ann)

    # Settings, blockers; the items of open tasks, and the tasks.
    assert sorted(calls) == ["BatchGetItem", "GetItem", "GetItem", "Query"]
    assert (found["asOf"], found["task"]["title"], found["block"]) == (HALF_PAST, "Call", None)
    assert reasons(found) == [
        "It is the most urgent of 3 tasks that are ready.",
        "What is left of it takes 30 min.",
        "It is due in 1 h 30 min.",
        "Another task waits for it.",
    ]
    assert [each["task"]["id"] for each in found["alternatives"]] == [urgent["id"], low["id"]]
    assert reasons(found["alternatives"][1]) == ["It comes next by urgency.", "It has no estimate."]


@pytest.mark.engine_is_no_matter
def test_what_does_not_fit_into_the_minutes_is_left_out(ann):
    estimated(ann, 60, priority="URGENT")
    part = ann.create(title="Report", durationMinutes=300, minChunkMinutes=15, priority="HIGH")
    small = ann.create(title="Post", durationMinutes=10, priority="LOW")
    unknown = ann.create(title="Dream", priority="URGENT")

    found = ask(ann, minutes=15)

    shown = [found["task"], *(each["task"] for each in found["alternatives"])]
    assert [task["id"] for task in shown] == [part["id"], small["id"], unknown["id"]]
    assert reasons(found) == [
        "It is the most urgent of 3 tasks that are ready and fit 15 min.",
        "A part of its 5 h can be done.",
    ]


@pytest.mark.engine_is_no_matter
def test_what_is_under_way_comes_first_whatever_else_is_urgent(ann):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    estimated(ann, 5, priority="URGENT")
    [running] = estimated(ann, 60, status="IN_PROGRESS", priority="LOW", **nine)

    found = ask(ann, minutes=10)

    assert found["task"]["id"] == running["id"]
    assert (found["block"]["state"], found["reasons"][0]["code"]) == ("STARTED", "RUNNING")
    assert len(found["alternatives"]) == 1
    [other] = estimated(ann, 60)
    start(ann, other)
    assert ask(ann)["task"]["id"] == other["id"]


@pytest.mark.engine_is_no_matter
def test_what_is_planned_for_now_says_so(ann):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    [task] = estimated(ann, 60, **nine)

    found = ask(ann)

    assert found["block"] == {"id": f"{task['id']}_0", "state": "PLANNED"}
    assert reasons(found)[:2] == [
        "It is the only one of the tasks that are ready.",
        "It is planned for now.",
    ]


@pytest.mark.engine_is_no_matter
def test_where_nothing_can_be_done_it_says_why(ann):
    assert ask(ann) == {
        "asOf": HALF_PAST,
        "task": None,
        "block": None,
        "reasons": [{"code": "NOTHING_READY", "text": "No task can be begun now."}],
        "alternatives": [],
    }
    estimated(ann, 60)
    assert reasons(ask(ann, minutes=30)) == ["No ready task fits 30 min."]


@pytest.mark.engine_is_no_matter
def test_rest_answers_the_same(ann):
    [task] = estimated(ann, 60)

    answer = ann.rest("GET", f"/api/v1/what-now?minutes=90&now={HALF_PAST}")

    assert answer.status_code == 200
    assert (answer.json["task"]["task_id"], answer.json["as_of"]) == (task["id"], HALF_PAST)
    assert [reason["code"] for reason in answer.json["reasons"]] == ["most_urgent", "fits"]
    assert ann.rest("GET", "/api/v1/what-now").json["task"]["task_id"] == task["id"]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("minutes", [0, -5, 14_401])
def test_minutes_that_nobody_has_are_refused(ann, minutes):
    answer = ann.graphql(NOW, minutes=minutes)

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "minutes"
    rest = ann.rest("GET", f"/api/v1/what-now?minutes={minutes}")
    assert (rest.status_code, rest.json["field"]) == (400, "minutes")
