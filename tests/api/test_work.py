"""Work under way through both entries: timers, minutes that are logged, and what is left."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from conftest import codes
from test_planned_blocks import blocks, change, of_task, plan, split_in_two, times
from test_plans import estimated, preview, update

from graphql_api import clock
from graphql_api.api.graphql.context import Context

START = """
  mutation ($input: StartTaskInput!) {
    startTask(input: $input) {
      task { id status version runningSince spentMinutes remainingMinutes }
      stopped { id spentMinutes runningSince }
    }
  }
"""
STOP = """
  mutation ($input: StopTaskInput!) {
    stopTask(input: $input) { task { status version runningSince spentMinutes remainingMinutes } }
  }
"""
NEWEST = "{ changes(first: 100) { nodes { id kind } } }"
UNDO = "mutation ($input: UndoChangeInput!) { undoChange(input: $input) { task { id } } }"
LOG = """
  mutation ($input: LogTimeInput!) {
    logTime(input: $input) { task { version spentMinutes remainingMinutes } }
  }
"""


def start(person, task):
    return person.graphql(START, input={"id": task["id"]})["data"]["startTask"]


def stop(person, task):
    return person.graphql(STOP, input={"id": task["id"]})["data"]["stopTask"]["task"]


def log(person, task, minutes, **more):
    answer = person.graphql(LOG, input={"id": task["id"], "minutes": minutes, **more})
    return answer["data"]["logTime"]["task"]


def minutes(found):
    """The lengths of blocks."""
    spans = [[clock.parse(block[name]) for name in ("start", "end")] for block in found]
    return [(end - start) // timedelta(minutes=1) for start, end in spans]


@pytest.fixture
def wait(monkeypatch):
    """Let minutes pass; less than an hour, after which a token has expired."""
    passed = [timedelta()]
    monkeypatch.setattr(Context, "now", property(lambda _: clock.now() + passed[0]))

    def wait(minutes):
        passed[0] += timedelta(minutes=minutes)

    return wait


def test_a_timer_counts_what_it_runs_and_what_is_left(ann, calls, wait):
    [task] = estimated(ann, 60)
    calls.clear()

    running = start(ann, task)["task"]

    assert calls == ["GetItem", "GetItem", "TransactWriteItems"]  # the pointer, the task
    assert (running["status"], running["version"], running["spentMinutes"]) == ("IN_PROGRESS", 2, 0)
    assert running["runningSince"] is not None
    assert start(ann, task)["task"] == running
    wait(25)
    calls.clear()
    stopped = stop(ann, task)
    assert calls == ["GetItem", "TransactWriteItems"]
    assert stopped == {
        "status": "IN_PROGRESS",
        "version": 3,
        "runningSince": None,
        "spentMinutes": 25,
        "remainingMinutes": 35,
    }
    assert stop(ann, task) == stopped


def test_one_timer_runs_at_a_time(ann, wait):
    one, two = estimated(ann, 60, 60)
    start(ann, one)
    wait(10)

    started = start(ann, two)

    assert started["stopped"] == {"id": one["id"], "spentMinutes": 10, "runningSince": None}
    assert started["task"]["runningSince"] is not None
    ann.rest("DELETE", f"/api/v1/tasks/{two['id']}")
    assert start(ann, one)["stopped"] is None


@pytest.mark.concurrent
def test_of_timers_that_are_started_at_once_one_runs(app, ann):
    tasks = estimated(ann, *[60] * 4)

    def send(task):
        return app.test_client().post(
            f"/api/v1/tasks/{task['id']}/start", headers={"Authorization": f"Bearer {ann.token}"}
        )

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, tasks))

    assert [answer.status_code for answer in answers] == [200] * 4
    running = [ann.rest("GET", f"/api/v1/tasks/{t['id']}").json["running_since"] for t in tasks]
    assert len([since for since in running if since]) == 1


@pytest.mark.engine_is_no_matter
def test_rest_starts_stops_and_logs_the_same(ann, wait):
    one, two = estimated(ann, 60, 60)
    path = f"/api/v1/tasks/{one['id']}"
    ann.rest("POST", f"/api/v1/tasks/{two['id']}/start")

    started = ann.rest("POST", f"{path}/start")
    wait(5)
    stopped = ann.rest("POST", f"{path}/stop", headers={"If-Match": '"2"'})
    logged = ann.rest("POST", f"{path}/time", json={"minutes": 10})
    stale = ann.rest("POST", f"{path}/time", json={"minutes": 10}, headers={"If-Match": '"1"'})

    assert (started.status_code, started.json["status"]) == (200, "in_progress")
    assert started.json["stopped"]["task_id"] == two["id"]
    assert (stopped.json["spent_minutes"], stopped.headers["ETag"]) == (5, '"3"')
    assert (logged.json["spent_minutes"], logged.json["remaining_minutes"]) == (15, 45)
    assert stale.status_code == 412


@pytest.mark.engine_is_no_matter
def test_what_is_planned_again_is_what_remains(ann):
    [task] = estimated(ann, 120)
    plan(ann)
    log(ann, task, 90)

    assert times(preview(ann)["blocks"]) == ["07T09:00-09:30"]
    assert log(ann, task, -60) == {"version": 4, "spentMinutes": 30, "remainingMinutes": 90}
    assert times(preview(ann)["blocks"]) == ["07T09:00-10:30"]
    log(ann, task, 500)
    assert times(preview(ann)["blocks"]) == ["07T00:00-00:00"]  # nothing is left but to tick it off


def test_a_piece_that_is_done_is_not_planned_again(ann):
    task = split_in_two(ann)
    first, second = blocks(ann)

    done = change(ann, first, state="DONE")

    assert (done["state"], done["task"]["version"]) == ("DONE", 3)
    assert done["task"]["plannedStart"] == second["start"]
    assert ann.rest("GET", f"/api/v1/tasks/{task['id']}").json["spent_minutes"] == 60
    assert minutes(preview(ann)["blocks"]) == [60]
    plan(ann, keepCurrent=True)
    assert [block["state"] for block in of_task(ann, task)] == ["DONE", "PLANNED"]
    assert change(ann, first, state="PLANNED")["state"] == "PLANNED"
    assert ann.rest("GET", f"/api/v1/tasks/{task['id']}").json["spent_minutes"] == 0


@pytest.mark.engine_is_no_matter
def test_a_piece_that_was_missed_goes_back_into_the_pool(ann):
    task = split_in_two(ann)
    first, _ = blocks(ann)

    change(ann, first, state="MISSED")
    plan(ann, **{"from": "2030-01-07T13:00:00Z"})

    assert [(b["state"], b["start"][8:16], b["end"][11:16]) for b in of_task(ann, task)] == [
        ("MISSED", "07T09:00", "10:00"),
        ("PLANNED", "07T13:00", "15:00"),
    ]


@pytest.mark.engine_is_no_matter
def test_who_completes_a_task_that_runs_stops_it(ann, wait):
    [task] = estimated(ann, 60)
    start(ann, task)
    wait(20)

    update(ann, task, status="COMPLETED")

    now = ann.rest("GET", f"/api/v1/tasks/{task['id']}").json
    assert (now["spent_minutes"], now["running_since"]) == (20, None)
    assert codes(ann.graphql(START, input={"id": task["id"]})) == ["CONFLICT"]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"minutes": -1}, "minutes"),
        ({"minutes": 600_001}, "minutes"),
        ({"minutes": 5, "at": "2099-01-01T00:00:00Z"}, "at"),
        ({"minutes": 5, "at": "0001-01-01T00:00:00Z"}, "at"),
        ({"minutes": "5"}, "minutes"),
    ],
)
def test_work_that_cannot_have_been_is_refused(ann, fields, field):
    [task] = estimated(ann, 60)

    answer = ann.graphql(LOG, input={"id": task["id"], **fields})

    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert ann.task(task["id"])["version"] == 1


@pytest.mark.engine_is_no_matter
def test_a_task_of_which_no_work_is_left_is_open_until_it_is_completed(ann):
    [task] = estimated(ann, 60)

    assert log(ann, task, 90)["remainingMinutes"] == 0

    assert ann.task(task["id"])["status"] == "PENDING"
    plan(ann)
    assert minutes(of_task(ann, task)) == [0]
    now = ann.graphql("{ whatNow(minutes: 5) { task { id } reasons { code text } } }")
    assert now["data"]["whatNow"]["task"] == {"id": task["id"]}
    assert {
        "code": "FITS",
        "text": "Nothing is left of it but to complete it.",
    } in now["data"]["whatNow"]["reasons"]


@pytest.mark.engine_is_no_matter
def test_undoing_the_end_of_a_task_that_ran_does_not_start_its_timer(ann, wait):
    [task] = estimated(ann, 60)
    start(ann, task)
    wait(20)
    for end in (
        "completeTask(input: {id: $id}) { task { id } }",
        "deleteTask(input: {id: $id}) { deletedTaskId }",
    ):
        ann.graphql(f"mutation ($id: ID!) {{ {end} }}", id=task["id"])
        [last, *_] = ann.graphql(NEWEST)["data"]["changes"]["nodes"][::-1]
        ann.graphql(UNDO, input={"changeId": last["id"]})

    now = ann.rest("GET", f"/api/v1/tasks/{task['id']}").json
    assert (now["status"], now["running_since"], now["spent_minutes"]) == ("in_progress", None, 20)
    assert start(ann, task)["task"]["runningSince"] is not None


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_undoing_the_start_of_a_task_stops_its_timer_and_logs_its_minutes(ann, wait, entry):
    [task] = estimated(ann, 60)
    start(ann, task)
    [last, *_] = ann.graphql(NEWEST)["data"]["changes"]["nodes"][::-1]
    wait(20)

    def reasons():
        suggested = ann.rest("GET", "/api/v1/what-now?minutes=60").json
        return {reason["code"] for reason in suggested["reasons"]}

    assert "running" in reasons()
    if entry == "graphql":
        ann.graphql(UNDO, input={"changeId": last["id"]})
    else:
        ann.rest("POST", f"/api/v1/changes/{last['id']}/undo")

    now = ann.rest("GET", f"/api/v1/tasks/{task['id']}").json
    assert (now["status"], now["running_since"], now["spent_minutes"]) == ("pending", None, 20)
    assert "running" not in reasons()
    assert start(ann, task)["task"]["runningSince"] is not None


@pytest.mark.engine_is_no_matter
def test_nobody_works_on_the_tasks_of_others(ann, neighbour):
    [task] = estimated(ann, 60)

    for query, more in ((START, {}), (STOP, {}), (LOG, {"minutes": 5})):
        answer = neighbour.graphql(query, input={"id": task["id"], **more})
        assert codes(answer) == ["NOT_FOUND"]
    assert ann.task(task["id"])["version"] == 1
