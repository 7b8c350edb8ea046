"""Tasks that are due on a day, through GraphQL and REST."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import CREATE, UPDATE

from graphql_api import clock
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.due_days import relocation
from graphql_api.domain.jobs import HEAD_START, Jobs
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable

SETTINGS = """mutation ($zone: String) {
  updateSettings(input: {timezone: $zone}) { settings { timezone } }
}"""
LIST = """query ($filter: TaskFilter, $order: TaskOrder) {
  tasks(first: 100, filter: $filter, orderBy: $order) { nodes { title } }
}"""
DUE_ORDER = {"field": "DUE_AT", "direction": "ASC"}


def move_to(person, zone):
    person.graphql(SETTINGS, zone=zone)


def titles(person, order=None, **filter):
    answer = person.graphql(LIST, filter=filter, order=order)
    return [task["title"] for task in answer["data"]["tasks"]["nodes"]]


def refusal(answer):
    [error] = answer["errors"]
    return error["extensions"]["code"], error["extensions"].get("field")


def test_a_due_day_is_written_and_read_and_replaces_a_due_date(ann):
    by_rest = ann.rest("POST", "/api/v1/tasks", json={"title": "x", "due_on": "2030-06-03"}).json
    changed = ann.rest(
        "PUT", f"/api/v1/tasks/{by_rest['task_id']}", json={"due_at": "2030-06-03T09:00:00Z"}
    ).json
    created = ann.create(title="y", dueAt="2030-06-03T09:00:00Z")
    updated = ann.graphql(UPDATE, input={"id": created["id"], "dueOn": "2030-06-04"})
    cleared = ann.graphql(UPDATE, input={"id": created["id"], "dueOn": None})

    assert (by_rest["due_at"], by_rest["due_on"]) == (None, "2030-06-03")
    assert (changed["due_at"], changed["due_on"]) == ("2030-06-03T09:00:00.000Z", None)
    task = updated["data"]["updateTask"]["task"]
    assert (task["dueAt"], task["dueOn"]) == (None, "2030-06-04")
    task = cleared["data"]["updateTask"]["task"]
    assert (task["dueAt"], task["dueOn"]) == (None, None)


def test_a_due_date_and_a_due_day_together_are_refused_and_nothing_is_written(ann):
    both = {"dueAt": "2030-06-03T09:00:00Z", "dueOn": "2030-06-03"}
    task = ann.create(title="x")

    created = ann.graphql(CREATE, input={"title": "y", **both})
    updated = ann.graphql(UPDATE, input={"id": task["id"], **both})
    by_rest = ann.rest(
        "POST",
        "/api/v1/tasks",
        json={"title": "y", "due_at": both["dueAt"], "due_on": both["dueOn"]},
    )
    far = ann.graphql(CREATE, input={"title": "y", "dueOn": "9999-12-31"})

    assert refusal(created) == refusal(updated) == ("BAD_USER_INPUT", "dueOn")
    assert (by_rest.status_code, by_rest.json["field"]) == (400, "due_on")
    assert refusal(far) == ("BAD_USER_INPUT", "dueOn")
    assert titles(ann) == ["x"]
    assert ann.task(task["id"])["version"] == 1


def test_lists_take_days_and_times_together(ann):
    move_to(ann, "Europe/Berlin")  # where 3 June 2030 ends at 22:00 UTC
    ann.create(title="day", dueOn="2030-06-03")
    ann.create(title="late", dueAt="2030-06-03T22:00:00Z")
    ann.create(title="early", dueAt="2030-06-03T21:59:00Z")
    ann.create(title="none")

    end = "2030-06-03T22:00:00Z"
    assert titles(ann, DUE_ORDER) == ["early", "day", "late", "none"]
    assert titles(ann, DUE_ORDER, dueBefore=end) == ["early", "day"]
    assert titles(ann, DUE_ORDER, dueAfter=end) == ["late"]
    assert titles(ann, DUE_ORDER, noDue=False) == ["early", "day", "late"]
    assert titles(ann, noDue=True) == ["none"]
    either = {"or": [{"dueBefore": "2030-06-03T22:00:00Z"}, {"noDue": True}]}
    assert titles(ann, DUE_ORDER, **either) == ["early", "day", "none"]


def test_a_day_is_overdue_when_it_has_ended_and_moves_with_its_user(ann):
    today = clock.now()
    move_to(ann, "Pacific/Kiritimati")  # the first to begin a day: UTC+14
    here = (today + timedelta(hours=14)).date()
    there = (today - timedelta(hours=11)).date()
    task = ann.create(title="there", dueOn=there.isoformat())
    ann.create(title="here", dueOn=here.isoformat())

    assert titles(ann, overdue=True) == ["there"]
    assert titles(ann, dueWithinDays=0) == ["here"]
    count = "{ viewer { overdueCount } }"
    assert ann.graphql(count)["data"] == {"viewer": {"overdueCount": 1}}
    move_to(ann, "Pacific/Pago_Pago")  # the last one: UTC-11
    assert titles(ann, overdue=True) == []
    assert titles(ann, dueWithinDays=0) == ["there"]
    assert ann.graphql(count)["data"] == {"viewer": {"overdueCount": 0}}
    assert ann.task(task["id"])["version"] == 1


def test_the_order_of_a_list_follows_its_user(ann):
    ann.create(title="timed", dueAt="2030-06-03T23:00:00Z")
    ann.create(title="day", dueOn="2030-06-03")
    before = titles(ann, DUE_ORDER)
    move_to(ann, "Europe/Berlin")

    assert (before, titles(ann, DUE_ORDER)) == (["timed", "day"], ["day", "timed"])


def test_undo_brings_a_day_back_to_where_its_user_is_now(ann):
    timed = ann.create(title="timed", dueAt="2030-06-03T23:00:00Z")["id"]
    task = ann.create(title="day", dueOn="2030-06-03")["id"]
    gone = ann.create(title="gone", dueOn="2030-06-03")["id"]
    ann.graphql(UPDATE, input={"id": task, "dueAt": "2030-06-05T00:00:00Z"})
    ann.rest("DELETE", f"/api/v1/tasks/{gone}")
    move_to(ann, "Europe/Berlin")
    nodes = ann.graphql("{ changes { nodes { id kind fields } } }")["data"]["changes"]["nodes"]
    edited, deleted = nodes[-2:]
    for change in (edited, deleted):
        ann.rest("POST", f"/api/v1/changes/{change['id']}/undo")

    assert (edited["fields"], deleted["kind"]) == (["dueAt", "dueOn"], "TASK_DELETED")
    assert ann.task(task)["dueOn"] == ann.task(gone)["dueOn"] == "2030-06-03"
    assert titles(ann, DUE_ORDER, ids=[timed, task, gone]) == ["day", "gone", "timed"]
    assert titles(ann, DUE_ORDER) == ["day", "gone", "timed"]


def test_a_reminder_counts_from_the_beginning_of_the_day(ann):
    move_to(ann, "Europe/Berlin")
    day = (clock.now() + timedelta(days=2)).date().isoformat()
    late = {"title": "x", "dueOn": day, "reminders": [{"minutesBefore": 5_000}]}

    refused = ann.graphql(CREATE, input=late)
    made = ann.create(title="x", dueOn=day, reminders=[{"minutesBefore": 600}])

    assert refusal(refused) == ("BAD_USER_INPUT", "minutesBefore")
    assert made["reminders"] == [{"at": None, "minutesBefore": 600, "from": "DUE"}]


def test_an_idempotency_key_stands_for_the_day_too(ann):
    given = {"title": "x", "dueOn": "2030-06-03", "idempotencyKey": "k"}
    first, again = (ann.graphql(CREATE, input=given) for _ in range(2))
    other = ann.graphql(CREATE, input={**given, "dueOn": "2030-06-04"})

    assert first == again
    assert refusal(other) == ("CONFLICT", "idempotencyKey")


def test_a_plan_has_until_the_end_of_the_day(ann):
    move_to(ann, "Europe/Berlin")
    plan = """{ planPreview(input: {from: "2030-06-03T06:00:00Z", horizonDays: 7}) {
      blocks { title end reasons { text } } } }"""
    ann.create(title="x", dueOn="2030-06-03", durationMinutes=60, deadlineType="HARD")

    [block] = ann.graphql(plan)["data"]["planPreview"]["blocks"]

    assert block["end"] == "2030-06-03T08:00:00.000Z"
    assert block["reasons"][-1] == {"text": "It ends 14 h before its hard deadline."}


class TestMoving:
    """Moving to another time zone, whatever crashes."""

    @pytest.fixture
    def duty(self, app):
        database = app.extensions["database"]
        tasks = TaskStore(database, ChangeStore(database, timedelta(days=30)))
        return relocation.Relocations(database, tasks, clock.now, 7)

    def jobs(self, app, person):
        pending = Jobs(app.extensions["database"], "relocation").pending()
        return [job for job in pending if person.id in job.item]  # others may have left theirs

    def test_what_a_request_has_no_time_for_the_dispatcher_does(self, app, ann, duty, monkeypatch):
        monkeypatch.setattr("graphql_api.domain.jobs.REQUEST_SECONDS", -1)
        ann.create(title="timed", dueAt="2030-06-03T23:00:00Z")
        ann.create(title="day", dueOn="2030-06-03")
        move_to(ann, "Europe/Berlin")

        before, waiting = titles(ann, DUE_ORDER), len(self.jobs(app, ann))
        duty.run(clock.now() + HEAD_START + timedelta(seconds=1))

        assert (before, waiting) == (["timed", "day"], 1)
        assert (titles(ann, DUE_ORDER), self.jobs(app, ann)) == (["day", "timed"], [])

    def test_a_task_that_is_written_meanwhile_is_moved_by_the_next_pass(
        self, ann, duty, monkeypatch
    ):
        task = ann.create(title="x", dueOn="2030-06-03")
        move, edits = TaskStore.move, iter(["y"])

        def edit_first(store, moving):
            for title in edits:
                ann.graphql(UPDATE, input={"id": task["id"], "title": title})
            move(store, moving)

        monkeypatch.setattr(TaskStore, "move", edit_first)
        move_to(ann, "Europe/Berlin")

        stored = duty._tasks.get(ann.id, task["id"])
        assert (stored.title, stored.due_day.timezone) == ("y", "Europe/Berlin")
        assert stored.deadline == datetime(2030, 6, 3, 22, tzinfo=UTC)

    def test_a_write_that_has_read_the_zone_before_is_made_again(self, ann, duty, monkeypatch):
        task = ann.create(title="x")
        write, moves = TaskStore.write, iter(["Europe/Berlin"])

        def move_first(store, *args, **options):
            for zone in moves:
                move_to(ann, zone)
            write(store, *args, **options)

        monkeypatch.setattr(TaskStore, "write", move_first)
        ann.graphql(UPDATE, input={"id": task["id"], "dueOn": "2030-06-03"})

        assert duty._tasks.get(ann.id, task["id"]).due_day.timezone == "Europe/Berlin"

    def test_a_move_that_fails_anywhere_goes_on(self, app, ann, duty, monkeypatch):
        for number in range(3):
            ann.create(title=f"{number}", dueOn="2030-06-03")
        move, calls = TaskStore.move, iter([True, False, True, False, True, True, True])

        def fail_at_times(store, moving):
            if not next(calls):
                raise ServiceUnavailable
            move(store, moving)

        monkeypatch.setattr(TaskStore, "move", fail_at_times)
        move_to(ann, "Europe/Berlin")
        for minutes in (5, 10):
            try:
                duty.run(clock.now() + timedelta(minutes=minutes))
            except ServiceUnavailable:
                continue

        zones = {task.due_day.timezone for task in duty._tasks.due_on_days(ann.id)}
        assert (zones, self.jobs(app, ann)) == ({"Europe/Berlin"}, [])
