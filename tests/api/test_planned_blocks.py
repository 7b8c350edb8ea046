"""Planned blocks through both entries: kept, seen again, moved, pinned, done, missed."""

import json

import pytest
from conftest import codes
from test_plans import MONDAY, apply, estimated, preview, undo, update

from graphql_api.domain.accounts.model import User
from graphql_api.domain.archive import export_format
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.tasks.store import TaskStore

BLOCKS = """
  query ($from: DateTime!, $to: DateTime!) {
    plannedBlocks(from: $from, to: $to) {
      id start end part parts state pinned reasons { code text taskIds } task { id title }
    }
  }
"""
OF_TASK = "query ($id: ID!) { task(id: $id) { plannedBlocks { id start end part parts state } } }"
CHANGE = """
  mutation ($input: UpdatePlannedBlockInput!) {
    updatePlannedBlock(input: $input) {
      block { id start end pinned state reasons { code } task { version plannedStart plannedEnd } }
    }
  }
"""
NEXT_MONDAY = "2030-01-14T00:00:00.000Z"
TEN_TO_NOON = [{"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T12:00:00Z"}]


def blocks(person, start=MONDAY, end=NEXT_MONDAY):
    return person.graphql(BLOCKS, **{"from": start, "to": end})["data"]["plannedBlocks"]


def times(found):
    """The days and hours of blocks, as `07T09:00-10:00`."""
    return [f"{block['start'][8:16]}-{block['end'][11:16]}" for block in found]


def of_task(person, task):
    return person.graphql(OF_TASK, id=task["id"])["data"]["task"]["plannedBlocks"]


def change(person, block, **fields):
    answer = person.graphql(CHANGE, input={"id": block["id"], **fields})
    return answer["data"]["updatePlannedBlock"]["block"]


def plan(person, **options):
    """Apply a plan at once."""
    return apply(person, preview(person, **options)["inputHash"], **options)


def split_in_two(person):
    """A task in two pieces, at 9 and at 13, around what is in the calendar."""
    [task] = estimated(person, 120, minChunkMinutes=60)
    plan(person, busy=TEN_TO_NOON)
    return task


def test_a_task_with_a_longest_piece_keeps_its_pieces_until_that_changes(ann):
    [task] = estimated(ann, 180, minChunkMinutes=30, maxChunkMinutes=90)
    plan(ann)

    same = preview(ann)
    update(ann, task, maxChunkMinutes=60)
    shorter = preview(ann)

    pieces = ["07T09:00-10:30", "07T10:45-11:45", "07T13:00-13:30"]
    assert times(blocks(ann)) == times(same["blocks"]) == pieces
    assert times(shorter["blocks"]) == [
        *("07T09:00-10:00", "07T10:15-11:15", "07T11:30-12:00", "07T13:00-13:30"),
    ]
    assert same["inputHash"] != shorter["inputHash"]


def test_an_applied_plan_can_be_seen_again_with_its_reasons(ann, calls):
    task = split_in_two(ann)
    draft = preview(ann, busy=TEN_TO_NOON)["blocks"]
    calls.clear()

    found = blocks(ann)

    assert [dict(block, id=None) for block in found] == [
        {
            "id": None,
            "start": f"2030-01-07T{start}:00.000Z",
            "end": f"2030-01-07T{end}:00.000Z",
            "part": part,
            "parts": 2,
            "state": "PLANNED",
            "pinned": False,
            "reasons": draft[part - 1]["reasons"],
            "task": {"id": task["id"], "title": "Task 0"},
        }
        for part, (start, end) in enumerate([("09:00", "10:00"), ("13:00", "14:00")], 1)
    ]
    assert calls == ["Query", "Query", "GetItem"]  # open tasks, closed ones, and those found
    assert of_task(ann, task) == [
        {name: block[name] for name in ("id", "start", "end", "part", "parts", "state")}
        for block in found
    ]
    now = ann.task(task["id"])
    assert (now["plannedStart"][11:16], now["plannedEnd"][11:16]) == ("09:00", "14:00")


def test_rest_shows_and_changes_the_same(ann):
    task = split_in_two(ann)
    first, second = blocks(ann)
    listed = ann.rest("GET", f"/api/v1/plan/blocks?from={MONDAY}&to={NEXT_MONDAY}")

    assert listed.status_code == 200
    assert [block["block_id"] for block in listed.json] == [first["id"], second["id"]]
    assert listed.json[0]["task"] == {
        "task_id": task["id"],
        "title": "Task 0",
        "status": "pending",
    }
    assert listed.json[0]["reasons"][0]["code"] == first["reasons"][0]["code"].lower()
    assert ann.rest("GET", f"/api/v1/tasks/{task['id']}/planned-blocks").json == listed.json
    changed = ann.rest("PATCH", f"/api/v1/plan/blocks/{first['id']}", json={"pinned": True})
    assert (changed.status_code, changed.json["pinned"]) == (200, True)
    assert [block["pinned"] for block in blocks(ann)] == [True, False]


@pytest.mark.engine_is_no_matter
def test_time_between_two_pieces_is_free_for_others(ann):
    split_in_two(ann)
    other = ann.create(title="Other", durationMinutes=60)

    found = preview(ann, taskIds=[other["id"]])["blocks"]

    assert [(block["taskId"], block["start"][11:16]) for block in found] == [(other["id"], "10:00")]


@pytest.mark.engine_is_no_matter
def test_a_range_has_what_is_in_it_at_least_in_part(ann):
    split_in_two(ann)
    nine, ten, two = (f"2030-01-07T{hour}:00:00Z" for hour in ("09", "10", "14"))
    half_past = "2030-01-07T09:30:00Z"

    assert times(blocks(ann, MONDAY, nine)) == []
    assert times(blocks(ann, half_past, half_past)) == ["07T09:00-10:00"]
    assert times(blocks(ann, ten, two)) == ["07T13:00-14:00"]
    assert times(blocks(ann, two, NEXT_MONDAY)) == []


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("2030-01-06T00:00:00Z", "A range must not end before it starts."),
        ("2030-03-11T00:00:00Z", "A range must have at most 62 days."),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(ann, end, message):
    answer = ann.graphql(BLOCKS, **{"from": MONDAY, "to": end})

    assert answer["errors"][0]["message"] == message
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "to"}
    rest = ann.rest("GET", f"/api/v1/plan/blocks?from={MONDAY}&to={end}")
    assert (rest.status_code, rest.json["field"]) == (400, "to")


def test_undoing_a_plan_brings_the_blocks_back_that_were_there(ann):
    split_in_two(ann)
    before = blocks(ann)
    later = plan(ann, busy=[{"start": "2030-01-07T09:00:00Z", "end": "2030-01-07T17:00:00Z"}])
    assert times(blocks(ann)) == ["08T09:00-11:00"]

    undo(ann, later["planId"])

    assert blocks(ann) == before


@pytest.mark.engine_is_no_matter
def test_a_moved_block_is_pinned_and_stays_outside_the_hours_in_every_plan(ann):
    [task] = estimated(ann, 60)
    plan(ann)
    [block] = blocks(ann)

    moved = change(ann, block, start="2030-01-12T10:00:00Z")

    assert moved == {
        "id": block["id"],
        "start": "2030-01-12T10:00:00.000Z",
        "end": "2030-01-12T11:00:00.000Z",
        "pinned": True,
        "state": "PLANNED",
        "reasons": [],
        "task": {
            "version": 3,
            "plannedStart": "2030-01-12T10:00:00.000Z",
            "plannedEnd": "2030-01-12T11:00:00.000Z",
        },
    }
    again = preview(ann)
    assert times(again["blocks"]) == ["12T10:00-11:00"]
    assert again["blocks"][0]["reasons"][0]["code"] == "FIXED"
    assert plan(ann)["unchanged"] == [task["id"]]
    assert change(ann, block, pinned=False)["pinned"] is False
    assert times(preview(ann)["blocks"]) == ["07T09:00-10:00"]


@pytest.mark.engine_is_no_matter
def test_what_was_placed_by_hand_outside_the_hours_stays_if_what_is_planned_is_kept(ann):
    saturday = {"plannedStart": "2030-01-12T10:00:00Z", "plannedEnd": "2030-01-12T11:00:00Z"}
    estimated(ann, 60, **saturday)

    assert times(preview(ann, keepCurrent=True)["blocks"]) == ["12T10:00-11:00"]
    assert times(preview(ann)["blocks"]) == ["07T09:00-10:00"]


@pytest.mark.engine_is_no_matter
def test_what_runs_when_a_plan_begins_stays_where_it_is(ann):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    estimated(ann, 60, status="IN_PROGRESS", **nine)
    at = {"from": "2030-01-07T09:30:00Z"}

    for keep in (True, False):
        assert times(preview(ann, keepCurrent=keep, **at)["blocks"]) == ["07T09:00-10:00"]


@pytest.mark.engine_is_no_matter
def test_what_lies_behind_the_end_of_a_plan_stays_unless_it_is_asked_for(ann):
    later = {"plannedStart": "2030-01-15T09:00:00Z", "plannedEnd": "2030-01-15T10:00:00Z"}
    [task] = estimated(ann, 60, **later)

    stays = preview(ann, horizonDays=1, keepCurrent=True)["blocks"]
    asked = preview(ann, horizonDays=1, taskIds=[task["id"]])["blocks"]

    assert (times(stays), times(asked)) == (["15T09:00-10:00"], ["07T09:00-10:00"])


@pytest.mark.engine_is_no_matter
def test_a_blocker_outside_of_a_plan_counts_with_its_place(ann):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    [first] = estimated(ann, 60, **nine)
    second = ann.create(title="Then", durationMinutes=60, blockedBy=[first["id"]])

    assert times(preview(ann, taskIds=[second["id"]])["blocks"]) == ["07T10:00-11:00"]


@pytest.mark.engine_is_no_matter
def test_planned_times_that_are_set_by_hand_are_one_block_in_the_place_of_all(ann):
    task = split_in_two(ann)
    first, _ = blocks(ann)
    change(ann, first, state="DONE")

    update(ann, task, plannedStart="2030-01-08T09:00:00Z", plannedEnd="2030-01-08T10:00:00Z")

    assert [(b["state"], b["start"][8:16]) for b in of_task(ann, task)] == [
        ("DONE", "07T09:00"),
        ("PLANNED", "08T09:00"),
    ]
    update(ann, task, plannedStart=None, plannedEnd=None)
    assert [block["state"] for block in of_task(ann, task)] == ["DONE"]
    assert ann.task(task["id"])["plannedStart"] is None


def test_who_completes_or_deletes_a_task_gets_the_time_back_that_was_ahead(ann):
    done = split_in_two(ann)
    gone = ann.create(title="Gone", durationMinutes=60)
    plan(ann, keepCurrent=True)
    assert len(blocks(ann)) == 3

    update(ann, done, status="COMPLETED")
    ann.rest("DELETE", f"/api/v1/tasks/{gone['id']}")

    assert blocks(ann) == []
    assert ann.task(done["id"])["plannedStart"] is None
    [change_id] = [
        each["id"]
        for each in ann.graphql("{ changes { nodes { id kind } } }")["data"]["changes"]["nodes"]
        if each["kind"] == "TASK_COMPLETED"
    ]
    undone = "mutation ($input: UndoChangeInput!) { undoChange(input: $input) { task { id } } }"
    assert "errors" not in ann.graphql(undone, input={"changeId": change_id})
    assert times(blocks(ann)) == ["07T09:00-10:00", "07T13:00-14:00"]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"end": "2030-01-07T09:00:00Z"}, "end"),
        ({"start": "2030-01-07T09:00:00Z", "end": "2030-01-07T08:00:00Z"}, "end"),
        ({"end": "2030-01-17T09:00:01Z"}, "end"),
        ({"start": "9999-12-31T23:59:59Z"}, "start"),
        ({"state": "STARTED"}, "state"),
        ({"state": "GONE"}, "state"),
        ({"pinned": "yes"}, "pinned"),
        ({"id": "nope"}, "id"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_nothing_is_written(ann, fields, field):
    estimated(ann, 60)
    plan(ann)
    [block] = before = blocks(ann)

    answer = ann.graphql(CHANGE, input={"id": block["id"], **fields})

    assert answer["errors"][0]["extensions"].get("field") == field
    assert blocks(ann) == before


@pytest.mark.engine_is_no_matter
def test_nobody_sees_or_changes_the_blocks_of_others(ann, neighbour):
    estimated(ann, 60)
    plan(ann)
    [block] = blocks(ann)

    assert blocks(neighbour) == []
    answer = neighbour.graphql(CHANGE, input={"id": block["id"], "pinned": True})
    assert codes(answer) == ["NOT_FOUND"]
    missing = ann.graphql(CHANGE, input={"id": f"{block['task']['id']}_9", "pinned": True})
    assert missing["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "id"}
    stale = ann.graphql(CHANGE, input={"id": block["id"], "pinned": True, "expectedVersion": 1})
    assert stale["errors"][0]["extensions"]["currentVersion"] == 2
    assert blocks(ann) == [block]


@pytest.mark.engine_is_no_matter
def test_a_week_reads_no_task_that_was_finished_in_another(ann, calls):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    before = {"plannedStart": "2029-12-03T09:00:00Z", "plannedEnd": "2029-12-03T10:00:00Z"}
    closed = {"status": "COMPLETED"}
    [open_one, closed_one] = estimated(ann, 60, 60, **nine)
    done = ann.create(title="Done in it", **nine, **closed)
    for _ in range(3):
        ann.create(title="Done before it", **before, **closed)
    ann.create(title="Never planned", **closed)
    update(ann, closed_one, status="CANCELLED")
    calls.clear()

    found = blocks(ann)

    assert calls == ["Query", "Query", "BatchGetItem"]
    assert {block["task"]["id"] for block in found} == {open_one["id"], done["id"]}
    calls.clear()
    assert blocks(ann, "2031-01-01T00:00:00Z", "2031-01-08T00:00:00Z") == []
    assert calls == ["Query", "Query"]
    assert len(blocks(ann, "2029-12-03T00:00:00Z", "2029-12-04T00:00:00Z")) == 3


@pytest.mark.engine_is_no_matter
def test_blocks_of_closed_tasks_follow_what_becomes_of_them(ann):
    nine = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
    task = ann.create(title="Done", status="COMPLETED", **nine)
    [block] = blocks(ann)

    change(ann, block, start="2030-01-15T09:00:00Z")
    assert (blocks(ann), len(blocks(ann, NEXT_MONDAY, "2030-01-21T00:00:00Z"))) == ([], 1)
    update(ann, task, status="PENDING")
    assert len(blocks(ann, NEXT_MONDAY, "2030-01-21T00:00:00Z")) == 1
    update(ann, task, status="COMPLETED", **nine)
    assert times(blocks(ann)) == ["07T09:00-10:00"]
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")
    assert blocks(ann) == []


@pytest.mark.engine_is_no_matter
def test_blocks_are_in_the_archive(app, ann):
    split_in_two(ann)
    tasks = list(TaskStore(app.extensions["database"], None).all(ann.id))
    user = User(user_id=ann.id, username="ann", password="", created_at=tasks[0].created_at)
    none = Dependencies(user_id=ann.id, blockers={}, closed=(), version=0)

    [entry] = json.loads("".join(export_format.chunks(user, tasks, none)))["tasks"]

    assert [block["start"][11:16] for block in entry["planned_blocks"]] == ["09:00", "13:00"]
    assert export_format.task(ann.id, entry).pieces == tasks[0].pieces
