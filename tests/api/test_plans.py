"""Planning tasks through both entries: looking at a plan, applying it, undoing that."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import DELETE, PASSWORD, Api, codes

from graphql_api import bulkheads, clock, create_app
from graphql_api.domain.planner import planner
from graphql_api.domain.plans import service, store
from graphql_api.domain.tasks import related
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import ConditionFailed

MONDAY = "2030-01-07T00:00:00.000Z"
PREVIEW = """
  query ($input: PlanInput!) {
    planPreview(input: $input) {
      inputHash from horizonDays cost stoppedEarly
      blocks { taskId title start end part parts reasons { code text taskIds } }
      unplaced { taskId title code text missingMinutes blockerIds }
      atRisk { taskId title lateMinutes }
      unestimated { taskId title }
      versions { task version }
    }
  }
"""
WITH_TASKS = """
  query ($input: PlanInput!) {
    planPreview(input: $input) {
      blocks { task { id title } }
      unplaced { task { id owner { username } } }
      atRisk { task { id } }
      unestimated { task { id } }
    }
  }
"""
APPLY = """
  mutation ($input: PlanApplyInput!) {
    planApply(input: $input) { planId applied unchanged conflicts }
  }
"""
UNDO = """
  mutation ($input: PlanUndoInput!) { planUndo(input: $input) { restored unchanged skipped } }
"""
SETTINGS = """
  mutation ($input: UpdateSettingsInput!) {
    updateSettings(input: $input) { settings { timezone } }
  }
"""
UPDATE = "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { version } } }"


BLOCK = "mutation ($input: BlockersInput!) { addBlockers(input: $input) { task { id } } }"


def preview(person, **options):
    return person.graphql(PREVIEW, input={"from": MONDAY, **options})["data"]["planPreview"]


def apply(person, input_hash, **options):
    answer = person.graphql(APPLY, input={"from": MONDAY, "inputHash": input_hash, **options})
    return answer["data"]["planApply"]


def undo(person, plan_id):
    return person.graphql(UNDO, input={"planId": plan_id})["data"]["planUndo"]


def update(person, task, **fields):
    return person.graphql(UPDATE, input={"id": task["id"], **fields})["data"]["updateTask"]["task"]


def estimated(person, *minutes, **fields):
    return [
        person.create(title=f"Task {number}", durationMinutes=each, **fields)
        for number, each in enumerate(minutes)
    ]


def planned(person, *tasks):
    """When the tasks are planned now, from the hour to the minute."""
    now = [person.task(task["id"]) for task in tasks]
    return [(t["plannedStart"] and t["plannedStart"][5:16], t["plannedEnd"]) for t in now]


def test_a_plan_says_when_to_do_what_and_why(ann):
    urgent = ann.create(title="Tax", durationMinutes=20, priority="URGENT")
    soft = {"dueAt": "2030-01-07T08:00:00Z", "priority": "LOW"}
    late = ann.create(title="Post", durationMinutes=30, **soft)
    hard = {"dueAt": "2030-01-07T09:30:00Z", "deadlineType": "HARD"}
    never = ann.create(title="Train", durationMinutes=60, **hard)
    unknown = ann.create(title="Dream")
    ann.create(title="Done", durationMinutes=60, status="COMPLETED")

    plan = preview(ann, horizonDays=1)

    assert len(plan.pop("inputHash")) == 64
    assert plan.pop("cost") > 0
    assert plan == {
        "from": MONDAY,
        "horizonDays": 1,
        "stoppedEarly": False,
        "blocks": [
            {
                "taskId": urgent["id"],
                "title": "Tax",
                "start": "2030-01-07T09:00:00.000Z",
                "end": "2030-01-07T09:20:00.000Z",
                "part": 1,
                "parts": 1,
                "reasons": [
                    {
                        "code": "FIRST_FREE_TIME",
                        "text": "It has the free time in which it ends the earliest.",
                        "taskIds": [],
                    },
                    {
                        "code": "URGENCY",
                        "text": "It weighs more than a task planned later.",
                        "taskIds": [],
                    },
                ],
            },
            {
                "taskId": late["id"],
                "title": "Post",
                "start": "2030-01-07T09:20:00.000Z",
                "end": "2030-01-07T09:50:00.000Z",
                "part": 1,
                "parts": 1,
                "reasons": [
                    {
                        "code": "OTHERS_FIRST",
                        "text": "Earlier free time goes to “Tax”.",
                        "taskIds": [urgent["id"]],
                    },
                    {
                        "code": "LATE",
                        "text": "It ends 1 h 50 min after its deadline.",
                        "taskIds": [],
                    },
                ],
            },
        ],
        "unplaced": [
            {
                "taskId": never["id"],
                "title": "Train",
                "code": "DEADLINE_TOO_SOON",
                "text": "There is not enough free time before its hard deadline.",
                "missingMinutes": 30,
                "blockerIds": [],
            }
        ],
        "atRisk": [{"taskId": late["id"], "title": "Post", "lateMinutes": 110}],
        "unestimated": [{"taskId": unknown["id"], "title": "Dream"}],
        "versions": [{"task": task["id"], "version": 1} for task in (urgent, late, never)],
    }


def test_rest_plans_applies_and_undoes_the_same(ann, calls):
    [one, two] = estimated(ann, 60, 30)
    unknown = ann.create(title="Dream")
    graphql = preview(ann, horizonDays=2, busy=[{"start": MONDAY, "end": "2030-01-07T10:00:00Z"}])
    body = {
        "from": MONDAY,
        "horizon_days": 2,
        "busy": [{"start": MONDAY, "end": "2030-01-07T10:00:00Z"}],
    }

    shown = ann.rest("POST", "/api/v1/plan/preview", json=body)
    calls.clear()
    applied = ann.rest("POST", "/api/v1/plan", json={**body, "input_hash": graphql["inputHash"]})

    assert shown.status_code == 200
    assert shown.json["input_hash"] == graphql["inputHash"]
    assert shown.json["unestimated"] == [{"task_id": unknown["id"], "title": "Dream"}]
    assert [block["reasons"][0]["code"] for block in shown.json["blocks"]] == [
        block["reasons"][0]["code"].lower() for block in graphql["blocks"]
    ]
    assert (applied.status_code, applied.json) == (
        200,
        {
            "plan_id": graphql["inputHash"],
            "applied": [one["id"], two["id"]],
            "unchanged": [],
            "conflicts": [],
        },
    )
    assert min(planned(ann, one, two))[0] == "01-07T10:00"
    undone = ann.rest("POST", "/api/v1/plan/undo", json={"plan_id": graphql["inputHash"]})
    assert undone.json == {"restored": [one["id"], two["id"]], "unchanged": [], "skipped": []}
    assert planned(ann, one, two) == [(None, None)] * 2


def test_the_same_input_gives_the_byte_same_plan_whatever_the_order_of_busy_times(ann):
    estimated(ann, 60, 90, 45, 240, minChunkMinutes=30)
    busy = [
        {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T10:30:00Z"},
        {"start": "2030-01-07T11:15:00+00:00", "end": "2030-01-07T14:00:00Z"},
    ]

    answers = {
        ann.api.post(PREVIEW, ann.token, input={"from": MONDAY, "busy": each}).data
        for each in (busy, busy, busy[::-1])
    }

    assert len(answers) == 1


def test_a_plan_keeps_to_the_settings(ann):
    estimated(ann, 60)
    night = [{"day": "TUESDAY", "intervals": [{"start": "22:00", "end": "02:00"}]}]
    ann.graphql(
        SETTINGS,
        input={"timezone": "Asia/Tokyo", "workingHours": night, "daysOff": ["2030-01-08"]},
    )

    [block] = preview(ann)["blocks"]

    assert block["start"] == "2030-01-15T13:00:00.000Z"


def test_a_preview_reads_the_settings_and_the_open_tasks_and_no_task_twice(ann, calls):
    estimated(ann, 60, 30, 20 * 60)
    ann.create(title="Dream")
    calls.clear()

    answer = ann.graphql(WITH_TASKS, input={"from": MONDAY, "horizonDays": 1})["data"]

    shown = answer["planPreview"]
    assert [len(shown[name]) for name in ("blocks", "unplaced", "unestimated")] == [2, 1, 1]
    assert shown["unplaced"][0]["task"]["owner"]["username"] == ann.username
    # Settings, blockers; the items of open tasks, and the tasks; busy times.
    assert sorted(calls) == ["BatchGetItem", *["GetItem"] * 2, *["Query"] * 2]


def test_applying_writes_once_and_undoing_takes_it_back(ann, calls):
    kept, moved, left_out, done = (
        ann.create(
            title=title,
            durationMinutes=minutes,
            plannedStart=MONDAY,
            plannedEnd="2030-01-07T01:00:00Z",
            **more,
        )
        for title, minutes, more in (
            ("new", 60, {"priority": "HIGH"}),
            ("moved", 30, {}),
            ("left out", 20 * 60, {}),
            ("done", 60, {"status": "COMPLETED"}),
        )
    )
    plan = preview(ann, horizonDays=1)
    calls.clear()

    first = apply(ann, plan["inputHash"], horizonDays=1)
    assert sorted(calls) == [
        *("BatchGetItem", "GetItem", "GetItem", "Query", "Query"),
        *["TransactWriteItems"] * 2,
    ]
    calls.clear()
    second = apply(ann, plan["inputHash"], horizonDays=1)
    assert sorted(calls) == [*["BatchGetItem"] * 2, *["GetItem"] * 2, *["Query"] * 3]

    ids = [kept["id"], moved["id"], left_out["id"]]
    nothing = {"planId": plan["inputHash"], "applied": [], "unchanged": [], "conflicts": []}
    assert first == {**nothing, "applied": ids}
    assert second == {**nothing, "unchanged": ids}
    assert planned(ann, kept, moved, left_out, done) == [
        ("01-07T09:00", "2030-01-07T10:00:00.000Z"),
        ("01-07T10:00", "2030-01-07T10:30:00.000Z"),
        (None, None),
        ("01-07T00:00", "2030-01-07T01:00:00.000Z"),
    ]
    assert [ann.task(task_id)["version"] for task_id in ids] == [2, 2, 2]
    calls.clear()
    assert undo(ann, plan["inputHash"]) == {"restored": ids, "unchanged": [], "skipped": []}
    assert calls == ["Query", "UpdateItem", "BatchGetItem", "TransactWriteItems"]
    assert undo(ann, plan["inputHash"]) == {"restored": [], "unchanged": ids, "skipped": []}
    assert planned(ann, kept, moved, left_out) == [("01-07T00:00", "2030-01-07T01:00:00.000Z")] * 3
    again = ann.graphql(
        APPLY, input={"from": MONDAY, "horizonDays": 1, "inputHash": plan["inputHash"]}
    )
    assert codes(again) == ["CONFLICT"]


def test_a_plan_moves_more_reminders_than_one_transaction_takes(ann, calls):
    start = {"plannedStart": "2030-01-01T08:00:00Z", "plannedEnd": "2030-01-01T09:00:00Z"}
    ten = [{"minutesBefore": minutes, "from": "PLANNED_START"} for minutes in range(10)]
    tasks = estimated(ann, *[30] * 6, **start, reminders=ten)
    wanted = sorted(task["id"] for task in tasks)
    plan_id = preview(ann)["inputHash"]
    calls.clear()

    applied = apply(ann, plan_id)

    # A task, its change, ten instants that go and ten that come: four tasks in a transaction,
    # after that of the plan itself.
    assert calls.count("TransactWriteItems") == 3
    assert (sorted(applied["applied"]), applied["conflicts"]) == (wanted, [])
    assert sorted(undo(ann, plan_id)["restored"]) == wanted
    assert planned(ann, *tasks) == [("01-01T08:00", "2030-01-01T09:00:00.000Z")] * 6


def test_what_is_planned_so_already_is_not_written(ann, calls):
    [task] = estimated(ann, 60)
    apply(ann, preview(ann)["inputHash"])
    plan = preview(ann, keepCurrent=True)
    calls.clear()

    assert apply(ann, plan["inputHash"], keepCurrent=True) == {
        "planId": plan["inputHash"],
        "applied": [],
        "unchanged": [task["id"]],
        "conflicts": [],
    }
    # The only task, by its key; the record.
    assert sorted(calls) == [*["GetItem"] * 3, *["Query"] * 2, "TransactWriteItems"]
    assert ann.task(task["id"])["version"] == 2
    assert [r["code"] for r in plan["blocks"][0]["reasons"]] == ["KEPT"]
    assert undo(ann, plan["inputHash"])["unchanged"] == [task["id"]]


def test_a_plan_that_is_stale_is_a_conflict_that_names_what_changed_and_writes_nothing(ann, calls):
    [same, changed, gone] = estimated(ann, 60, 30, 15)
    plan = preview(ann)
    update(ann, changed, durationMinutes=45)
    update(ann, gone, status="COMPLETED")
    added = ann.create(title="New", durationMinutes=10)
    options = {"from": MONDAY, "inputHash": plan["inputHash"]}
    calls.clear()

    bare = ann.graphql(APPLY, input=options)
    answer = ann.graphql(APPLY, input={**options, "versions": plan["versions"]})
    rest = ann.rest(
        "POST",
        "/api/v1/plan",
        json={"from": MONDAY, "input_hash": plan["inputHash"], "versions": plan["versions"]},
    )

    now = preview(ann)["inputHash"]
    differences = {"added": [added["id"]], "removed": [gone["id"]], "changed": [changed["id"]]}
    known = {"code": "CONFLICT", "field": "inputHash", "inputHash": now}
    assert bare["errors"][0]["extensions"] == known
    assert answer["errors"][0]["extensions"] == {**known, **differences}
    assert rest.status_code == 409
    assert {n: rest.json[n] for n in ("input_hash", *differences)} == {
        "input_hash": now,
        **differences,
    }
    assert set(calls) == {"BatchGetItem", "GetItem", "Query"}
    assert planned(ann, same, changed, gone, added) == [(None, None)] * 4


def test_a_task_that_changes_while_a_plan_is_written_stays_as_it_is(ann, monkeypatch):
    tasks = estimated(ann, 60, 30, 15)
    plan = preview(ann)
    write = TaskStore.write

    def be_overtaken(self, *writes, **beside):
        monkeypatch.setattr(TaskStore, "write", write)
        update(ann, tasks[1], title="Mine")
        write(self, *writes, **beside)

    monkeypatch.setattr(TaskStore, "write", be_overtaken)

    assert apply(ann, plan["inputHash"]) == {
        "planId": plan["inputHash"],
        "applied": [tasks[0]["id"], tasks[2]["id"]],
        "unchanged": [],
        "conflicts": [tasks[1]["id"]],
    }
    overtaken = ann.task(tasks[1]["id"])
    assert (overtaken["title"], overtaken["plannedStart"]) == ("Mine", None)


def test_what_was_changed_or_deleted_since_is_not_undone(ann):
    tasks = estimated(ann, 60, 30, 15)
    plan = preview(ann)
    apply(ann, plan["inputHash"])
    update(ann, tasks[0], title="Mine")
    ann.rest("DELETE", f"/api/v1/tasks/{tasks[1]['id']}")

    assert undo(ann, plan["inputHash"]) == {
        "restored": [tasks[2]["id"]],
        "unchanged": [],
        "skipped": [tasks[0]["id"], tasks[1]["id"]],
    }
    assert ann.task(tasks[0]["id"])["plannedStart"] is not None


def interrupted_after(monkeypatch, chunks):
    """Let the store be away after so many chunks; what brings it back."""
    write, done = TaskStore.write, []

    def be_interrupted(self, *writes, **beside):
        if len(done) == chunks:
            raise ServiceUnavailable
        write(self, *writes, **beside)
        done.append(writes)

    monkeypatch.setattr(service, "BATCH_SIZE", 2)
    monkeypatch.setattr(TaskStore, "write", be_interrupted)
    return lambda: monkeypatch.setattr(TaskStore, "write", write)


def test_an_application_that_was_interrupted_is_completed_by_the_same_request(ann, monkeypatch):
    tasks = estimated(ann, *[30] * 5)
    plan = preview(ann)
    monkeypatch.setattr(store, "PART_BYTES", 1)  # so that the record has several parts …
    monkeypatch.setattr(store, "PARTS_PER_TRANSACTION", 2)  # … and several transactions
    back = interrupted_after(monkeypatch, chunks=1)
    answer = ann.graphql(APPLY, input={"from": MONDAY, "inputHash": plan["inputHash"]})
    assert codes(answer) == ["SERVICE_UNAVAILABLE"]
    assert [start is None for start, _ in planned(ann, *tasks)] == [False] * 2 + [True] * 3

    back()
    completed = apply(ann, plan["inputHash"])

    ids = [task["id"] for task in tasks]
    assert completed == {
        "planId": plan["inputHash"],
        "applied": ids[2:],
        "unchanged": ids[:2],
        "conflicts": [],
    }
    blocks = {block["taskId"]: block for block in plan["blocks"]}
    for task_id in ids:
        task = ann.task(task_id)
        assert task["version"] == 2
        assert (task["plannedStart"], task["plannedEnd"]) == (
            blocks[task_id]["start"],
            blocks[task_id]["end"],
        )
    assert undo(ann, plan["inputHash"])["restored"] == ids


def test_a_plan_whose_record_is_incomplete_is_not_there(app, ann, monkeypatch):
    estimated(ann, *[30] * 3)
    plan_id = preview(ann)["inputHash"]
    monkeypatch.setattr(store, "PART_BYTES", 1)
    monkeypatch.setattr(store, "PARTS_PER_TRANSACTION", 2)
    database, transact = app.extensions["database"], app.extensions["database"].transact
    done = []

    def be_interrupted(*actions):
        if done:
            raise ServiceUnavailable
        transact(*actions)
        done.append(actions)

    monkeypatch.setattr(database, "transact", be_interrupted)
    answer = ann.graphql(APPLY, input={"from": MONDAY, "inputHash": plan_id})
    assert codes(answer) == ["SERVICE_UNAVAILABLE"]
    monkeypatch.undo()

    assert store.PlanStore(database).find(ann.id, plan_id, clock.now()) is None
    assert len(apply(ann, plan_id)["applied"]) == 3
    assert len(undo(ann, plan_id)["restored"]) == 3


def test_what_was_interrupted_can_be_undone_and_an_undoing_too(ann, monkeypatch):
    tasks = estimated(ann, *[30] * 5)
    ids = [task["id"] for task in tasks]
    plan = preview(ann)
    back = interrupted_after(monkeypatch, chunks=2)
    ann.graphql(APPLY, input={"from": MONDAY, "inputHash": plan["inputHash"]})
    back()
    back = interrupted_after(monkeypatch, chunks=1)
    answer = ann.graphql(UNDO, input={"planId": plan["inputHash"]})
    assert codes(answer) == ["SERVICE_UNAVAILABLE"]
    back()

    assert undo(ann, plan["inputHash"]) == {
        "restored": ids[2:4],
        "unchanged": [*ids[:2], ids[4]],
        "skipped": [],
    }
    assert planned(ann, *tasks) == [(None, None)] * 5


def test_an_application_whose_answer_was_lost_is_made_once(ann, monkeypatch):
    [task] = estimated(ann, 30)
    plan = preview(ann)
    write = TaskStore.write
    lost = []

    def lose_the_first_answer(self, *writes, **beside):
        write(self, *writes, **beside)
        if not lost:
            lost.append(writes)
            raise ConditionFailed(maybe_applied=True)

    monkeypatch.setattr(TaskStore, "write", lose_the_first_answer)

    assert apply(ann, plan["inputHash"])["applied"] == [task["id"]]
    assert ann.task(task["id"])["version"] == 2


def test_a_part_of_the_tasks_is_planned_around_the_others(ann):
    [one, two, three] = estimated(ann, 60, 60, 60)
    fixed = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    update(ann, one, **fixed)
    meeting = {"plannedStart": "2030-01-07T10:00:00Z", "plannedEnd": "2030-01-07T11:00:00Z"}
    ann.create(title="Meeting of unknown length", **meeting)

    plan = preview(ann, taskIds=[two["id"]])

    assert [(block["taskId"], block["start"]) for block in plan["blocks"]] == [
        (two["id"], "2030-01-07T11:00:00.000Z")
    ]
    assert plan["unestimated"] == []
    assert apply(ann, plan["inputHash"], taskIds=[two["id"]])["applied"] == [two["id"]]
    assert planned(ann, one, three) == [("01-07T09:00", "2030-01-07T10:00:00.000Z"), (None, None)]


@pytest.mark.engine_is_no_matter
def test_a_plan_waits_for_what_is_open_and_not_for_what_is_done_or_gone(ann):
    first, second, third, fourth = (task["id"] for task in estimated(ann, 60, 60, 60, 60))
    done, gone = (ann.create(title=title)["id"] for title in ("Done", "Gone"))
    unknown = ann.create(title="Dream")["id"]
    waits_for = {first: [second, done, gone], third: [unknown], fourth: [third]}
    for task_id, blocker_ids in waits_for.items():
        answer = ann.graphql(BLOCK, input={"taskId": task_id, "blockerIds": blocker_ids})
        assert "errors" not in answer
    ann.graphql(UPDATE, input={"id": done, "status": "COMPLETED"})
    ann.graphql(DELETE, input={"id": gone})

    plan = preview(ann)

    assert [block["taskId"] for block in plan["blocks"]] == [second, first]
    assert [reason["code"] for reason in plan["blocks"][1]["reasons"]] == [
        "FIRST_FREE_TIME",
        "AFTER_BLOCKER",
    ]
    assert [(task["taskId"], task["code"]) for task in plan["unplaced"]] == [
        (third, "BLOCKER_UNPLACED"),
        (fourth, "BLOCKER_UNPLACED"),
    ]


@pytest.mark.engine_is_no_matter
def test_only_open_tasks_of_ones_own_can_be_named(ann, neighbour):
    done = ann.create(title="Done", durationMinutes=60, status="COMPLETED")
    theirs = neighbour.create(title="Theirs", durationMinutes=60)

    for task_id in (done["id"], theirs["id"], "no-such"):
        answer = ann.graphql(PREVIEW, input={"from": MONDAY, "taskIds": [task_id]})
        rest = ann.rest("POST", "/api/v1/plan/preview", json={"from": MONDAY, "task_ids": task_id})
        assert answer["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "taskIds"}
        assert (rest.status_code, rest.json["field"]) == (404, "task_ids")


UPSIDE_DOWN = {"start": "2030-01-07T11:00:00Z", "end": "2030-01-07T10:00:00Z"}


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizonDays", 0),
        ("horizonDays", 61),
        ("horizonDays", "7"),
        ("busy", [UPSIDE_DOWN]),
        ("busy", [{"start": MONDAY, "end": MONDAY}] * 501),
        ("from", "2030-01-07"),
        ("from", "9500-01-01T00:00:00Z"),
        ("from", None),
        ("keepCurrent", "yes"),
        ("nope", 1),
    ],
)
def test_what_cannot_be_planned_is_refused_by_field_and_nothing_is_written(
    ann, calls, field, value
):
    names = {"horizonDays": "horizon_days", "keepCurrent": "keep_current"}
    [task] = estimated(ann, 60)
    inputs = {"from": MONDAY, field: value}
    rest_input = {"from": MONDAY, names.get(field, field): value}
    calls.clear()

    answers = [
        ann.graphql(PREVIEW, input=inputs),
        ann.graphql(APPLY, input={**inputs, "inputHash": "x"}),
    ]
    rest = [
        ann.rest("POST", "/api/v1/plan/preview", json=rest_input),
        ann.rest("POST", "/api/v1/plan", json={**rest_input, "input_hash": "x"}),
    ]

    for answer in answers:
        assert set(codes(answer)) == {"BAD_USER_INPUT"}
        assert {error["extensions"]["field"] for error in answer["errors"]} == {field}
    for answer in rest:
        assert (answer.status_code, answer.json["code"]) == (400, "BAD_USER_INPUT")
        assert answer.json["field"] == names.get(field, field)
    assert set(calls) <= {"GetItem", "Query"}
    assert planned(ann, task) == [(None, None)]


@pytest.mark.engine_is_no_matter
def test_dates_at_the_ends_of_time_hinder_no_plan(ann):
    estimated(ann, 60, dueAt="9999-12-31T23:59:59Z", notBefore="0001-01-01T00:00:00Z")
    never = {"plannedStart": "9998-01-01T00:00:00Z", "plannedEnd": "9999-01-01T00:00:00Z"}
    ann.create(title="Some day", durationMinutes=60, notBefore="9999-01-01T00:00:00Z", **never)

    plan = preview(ann, keepCurrent=True)

    assert [block["start"] for block in plan["blocks"]] == ["2030-01-07T09:00:00.000Z"]
    assert [task["code"] for task in plan["unplaced"]] == ["STARTS_AFTER_HORIZON"]


@pytest.mark.engine_is_no_matter
def test_free_time_in_too_many_pieces_is_refused_before_it_costs_anything(ann, monkeypatch):
    estimated(ann, 20)
    half_hours = [{"start": f"{hour:02}:00", "end": f"{hour:02}:30"} for hour in range(24)]
    days = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
    hours = [{"day": day, "intervals": half_hours} for day in days]
    ann.graphql(SETTINGS, input={"workingHours": hours})
    assert len(preview(ann, horizonDays=20)["blocks"]) == 1
    monkeypatch.delattr(planner, "find_schedule")

    answer = ann.graphql(PREVIEW, input={"from": MONDAY, "horizonDays": 21})

    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "horizonDays"}


@pytest.mark.engine_is_no_matter
def test_more_open_tasks_than_a_plan_can_have_are_refused(ann, monkeypatch):
    monkeypatch.setattr(service, "MAX_TASKS", 2)
    tasks = estimated(ann, 20, 20, 20)

    answer = ann.graphql(PREVIEW, input={"from": MONDAY})
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "tasks"}

    update(ann, tasks[0], status="COMPLETED")
    assert len(preview(ann)["blocks"]) == 2


@pytest.mark.concurrent
def test_a_plan_that_is_applied_by_several_at_once_is_applied_once(app, ann, monkeypatch):
    monkeypatch.setattr(service, "BATCH_SIZE", 3)
    ids = [task["id"] for task in estimated(ann, *[30] * 8)]
    plan_id = preview(ann)["inputHash"]

    def send(_):
        return app.test_client().post(
            "/graphql",
            json={"query": APPLY, "variables": {"input": {"from": MONDAY, "inputHash": plan_id}}},
            headers={"Authorization": f"Bearer {ann.token}"},
        )

    with ThreadPoolExecutor(4) as pool:
        answers = [answer.json["data"]["planApply"] for answer in pool.map(send, range(4))]

    assert [answer["conflicts"] for answer in answers] == [[]] * 4
    assert {i for answer in answers for i in answer["applied"]} == set(ids)
    assert [ann.task(task_id)["version"] for task_id in ids] == [2] * 8
    assert undo(ann, plan_id)["restored"] == ids


@pytest.mark.engine_is_no_matter
def test_a_plan_of_nothing_is_empty(ann):
    plan = preview(ann)

    assert (plan["blocks"], plan["cost"]) == ([], 0)
    assert apply(ann, plan["inputHash"])["applied"] == []


def test_nobody_can_undo_what_is_not_theirs_or_was_not(ann, neighbour):
    [task] = estimated(ann, 60)
    plan_id = apply(ann, preview(ann)["inputHash"])["planId"]

    for person, missing in ((neighbour, plan_id), (ann, "x" * 64), (ann, plan_id[:8]), (ann, "")):
        answer = person.graphql(UNDO, input={"planId": missing})
        assert answer["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "planId"}
    rest = ann.rest("POST", "/api/v1/plan/undo", json={"plan_id": "#"})
    assert (rest.status_code, rest.json["field"]) == (404, "plan_id")
    assert planned(ann, task) != [(None, None)]


def test_what_was_applied_is_forgotten_after_its_time_and_with_the_account(app, ann):
    estimated(ann, 60)
    plan_id = apply(ann, preview(ann)["inputHash"])["planId"]
    plans = store.PlanStore(app.extensions["database"])
    now = clock.now()
    assert plans.find(ann.id, plan_id, now)
    assert plans.find(ann.id, plan_id, now + store.KEPT_FOR) is None

    ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})

    assert plans.find(ann.id, plan_id, now) is None


def test_what_is_around_the_tasks_of_a_plan_is_read_together(ann, calls):
    estimated(ann, *[30] * 5)
    calls.clear()

    query = WITH_TASKS.replace("id title }", "id isReady urgency { score } }")
    answer = ann.graphql(query, input={"from": MONDAY})["data"]["planPreview"]

    assert [block["task"]["isReady"] for block in answer["blocks"]] == [True] * 5
    # Settings, open tasks, what waits for what, busy times, and once more what waits for what.
    assert calls == ["GetItem", "Query", "BatchGetItem", "GetItem", "Query", "GetItem"]


@pytest.mark.engine_is_no_matter
def test_a_request_plans_once_and_lists_nothing_within_a_plan(ann, calls):
    calls.clear()
    plan = f'planPreview(input: {{ from: "{MONDAY}" }})'

    for query in (
        f"{{ a: {plan} {{ cost }} b: {plan} {{ cost }} }}",
        f"{{ {plan} {{ blocks {{ task {{ owner {{ tasks {{ totalCount }} }} }} }} }} }}",
    ):
        assert codes(ann.graphql(query)) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


@pytest.mark.engine_is_no_matter
def test_a_plan_shows_no_more_tasks_than_a_list_of_them(ann, monkeypatch):
    monkeypatch.setattr("graphql_api.api.graphql.context.MAX_LISTED", 3)
    estimated(ann, 10, 10, 10)
    assert (
        len(ann.graphql(WITH_TASKS, input={"from": MONDAY})["data"]["planPreview"]["blocks"]) == 3
    )
    estimated(ann, 10)

    answer = ann.graphql(WITH_TASKS, input={"from": MONDAY})

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert answer["data"] is None
    assert len(preview(ann)["blocks"]) == 4


@pytest.mark.engine_is_no_matter
def test_a_task_that_cannot_be_read_leaves_the_rest_of_the_plan(ann, monkeypatch):
    one, two = estimated(ann, 30, 60)
    is_ready = related.RelatedTasks.is_ready

    def fail_for_the_first(self, task):
        if task.task_id == one["id"]:
            raise ServiceUnavailable("The store does not answer.")
        return is_ready(self, task)

    monkeypatch.setattr(related.RelatedTasks, "is_ready", fail_for_the_first)
    query = f"""{{ planPreview(input: {{ from: "{MONDAY}" }}) {{
      blocks {{ taskId task {{ isReady }} }} versions {{ task }}
    }} }}"""

    answer = ann.graphql(query)

    assert answer["data"]["planPreview"] == {
        "blocks": [
            {"taskId": one["id"], "task": None},
            {"taskId": two["id"], "task": {"isReady": True}},
        ],
        "versions": [{"task": one["id"]}, {"task": two["id"]}],
    }
    assert codes(answer) == ["SERVICE_UNAVAILABLE"]
    assert answer["errors"][0]["path"] == ["planPreview", "blocks", 0, "task", "isReady"]


@pytest.mark.engine_is_no_matter
def test_each_alias_of_a_plans_tasks_counts(ann, monkeypatch):
    monkeypatch.setattr("graphql_api.api.graphql.context.MAX_LISTED", 5)
    estimated(ann, 10, 10)
    query = """query ($input: PlanInput!) { planPreview(input: $input) {
      blocks { task { id } task { title } ...More } %s
    } }
    fragment More on PlanBlock { again: task { title } }"""

    within = ann.graphql(query % "", input={"from": MONDAY})
    beyond = ann.graphql(query % "more: blocks { task { id } }", input={"from": MONDAY})

    assert len(within["data"]["planPreview"]["blocks"]) == 2
    assert (codes(beyond), beyond["data"]) == (["QUERY_TOO_COMPLEX"], None)


@pytest.mark.engine_is_no_matter
def test_one_process_makes_one_plan_at_a_time_and_nobody_waits_for_long(engine, monkeypatch):
    monkeypatch.setattr(bulkheads, "PLAN_QUEUE_SECONDS", 0.05)
    monkeypatch.setattr(bulkheads, "QUEUE_SECONDS", 0.05)
    ann = Api(create_app(engine).test_client()).register("ann")
    estimated(ann, 60)
    begun, go_on = threading.Event(), threading.Event()
    make = service.plan
    answers = []

    def take_long(request, steps):
        begun.set()
        go_on.wait(60)
        return make(request, steps)

    monkeypatch.setattr(service, "plan", take_long)
    other = threading.Thread(target=lambda: answers.append(preview(ann)))
    other.start()
    assert begun.wait(60)
    refused = ann.graphql(PREVIEW, input={"from": MONDAY})
    go_on.set()
    other.join(60)

    assert refused["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE", "retryAfter": 1}
    assert preview(ann) == answers[0]


def test_subtasks_with_an_estimate_are_planned_in_the_place_of_their_parent(ann):
    [parent, later] = estimated(ann, 600, 30)
    update(ann, parent, dueAt="2030-01-07T12:00:00.000Z")
    first, second = (
        ann.create(title=title, parentId=parent["id"], durationMinutes=60)
        for title in ("first", "second")
    )
    ann.graphql(BLOCK, input={"taskId": later["id"], "blockerIds": [parent["id"]]})

    plan = preview(ann)
    alone = preview(ann, taskIds=[parent["id"]])

    ends = {block["title"]: block["end"] for block in plan["blocks"]}
    assert set(ends) == {"first", "second", "Task 1"}
    assert max(ends.values()) == ends["Task 1"]
    assert {block["title"] for block in alone["blocks"]} == {"first", "second"}
    assert plan["unestimated"] == []
    applied = apply(ann, plan["inputHash"])
    assert set(applied["applied"]) == {first["id"], second["id"], later["id"]}
    shown = ann.graphql("query ($id: ID!) { task(id: $id) { inherited } }", id=second["id"])
    assert shown["data"]["task"] == {"inherited": ["dueAt"]}


MOVES = """
  query ($input: PlanInput!) {
    planPreview(input: $input) {
      inputHash
      moved { taskId title from { start end } to { start } reason { code text taskIds } }
      overload { day minutes taskIds }
      unplaced { taskId missingMinutes }
    }
  }
"""


def moves(person, **options):
    return person.graphql(MOVES, input={"from": MONDAY, **options})["data"]["planPreview"]


def test_a_plan_that_is_made_again_says_what_moves_and_moves_no_more_than_it_may(ann):
    [tax] = estimated(ann, 60)
    apply(ann, preview(ann)["inputHash"])
    hard = {"dueAt": "2030-01-07T10:00:00Z", "deadlineType": "HARD", "priority": "URGENT"}
    call = ann.create(title="Call", durationMinutes=60, **hard)

    free, still = moves(ann, horizonDays=1), moves(ann, horizonDays=1, maxMoves=0)
    frozen = moves(ann, horizonDays=1, freezeUntil="2030-01-07T09:01:00Z")

    assert free["moved"] == [
        {
            "taskId": tax["id"],
            "title": "Task 0",
            "from": {"start": "2030-01-07T09:00:00.000Z", "end": "2030-01-07T10:00:00.000Z"},
            "to": {"start": "2030-01-07T10:00:00.000Z"},
            "reason": {
                "code": "OTHERS_FIRST",
                "text": "Its time goes to “Call”.",
                "taskIds": [call["id"]],
            },
        }
    ]
    assert free["overload"] == []
    for kept in (still, frozen):
        assert kept["moved"] == []
        assert kept["overload"] == [{"day": "2030-01-07", "minutes": 60, "taskIds": [call["id"]]}]
    rest = ann.rest("POST", "/api/v1/plan/preview", json={"from": MONDAY, "horizon_days": 1})
    assert rest.json["moved"][0]["from"]["start"] == "2030-01-07T09:00:00.000Z"
    assert len({free["inputHash"], still["inputHash"], frozen["inputHash"]}) == 3


def test_a_task_gets_what_time_there_is_if_that_is_asked_for(ann):
    fields = {"minChunkMinutes": 60, "dueAt": "2030-01-07T17:00:00Z", "deadlineType": "HARD"}
    [long] = estimated(ann, 480, **fields)

    part = moves(ann, horizonDays=2, partial=True)

    assert part["unplaced"] == [{"taskId": long["id"], "missingMinutes": 60}]
    assert len(preview(ann, horizonDays=2, partial=True)["blocks"]) == 2
    assert preview(ann, horizonDays=2)["blocks"] == []


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"from": "9999-12-31T00:00:00Z"}, "from"),
        ({"from": MONDAY, "horizonDays": 1_000_000_000}, "horizonDays"),
    ],
)
def test_a_plan_beyond_all_calendars_is_refused(ann, options, field, keep):
    answer = ann.graphql(PREVIEW, input={**options, "keepCurrent": keep})

    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


def test_a_fresh_plan_forgets_where_tasks_were(ann):
    [tax] = estimated(ann, 60)
    apply(ann, preview(ann)["inputHash"])
    ann.create(title="Call", durationMinutes=60, priority="URGENT")
    body = {"from": MONDAY, "fresh": True}

    near, fresh = moves(ann), moves(ann, fresh=True)
    rest = ann.rest("POST", "/api/v1/plan/preview", json=body)
    refused = ann.rest("POST", "/api/v1/plan/preview", json={**body, "keep_current": True})

    assert near["moved"] == []
    assert [move["taskId"] for move in fresh["moved"]] == [tax["id"]]
    assert rest.json["input_hash"] == fresh["inputHash"] != near["inputHash"]
    assert (refused.status_code, refused.json["field"]) == (400, "fresh")
