"""Subtasks through both entries: where they lie, what they inherit, what goes with their parent."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from conftest import DELETE, TASKS, UPDATE, Api, Person, codes

from graphql_api import clock, ids
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.jobs import Jobs
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.subtasks.renewal import Renewals
from graphql_api.domain.tasks import history, store
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import ConditionFailed

SHOWN = """id parentId position inherited dueAt projectId project { name }
  parent { id } subtasks { id title status } progress { done total doneMinutes totalMinutes }"""
LOOK = f"query ($id: ID!) {{ task(id: $id) {{ {SHOWN} }} }}"
COMPLETE = """mutation ($input: CompleteTaskInput!) {
  completeTask(input: $input) {
    task { status } next { id dueAt subtasks { id title status dueAt subtasks { title } } } } }"""
UNDO = "mutation ($input: UndoChangeInput!) { undoChange(input: $input) { task { id version } } }"
LAST = "{ changes { nodes { id kind taskId fields } } }"
ADD = "mutation ($input: BlockersInput!) { addBlockers(input: $input) { task { id } } }"
SERIES = {"rrule": "FREQ=WEEKLY", "timezone": "UTC"}


def look(person, task_id):
    return person.graphql(LOOK, id=task_id)["data"]["task"]


def titles(person, task_id):
    return [each["title"] for each in look(person, task_id)["subtasks"]]


def change(person, task_id, **fields):
    return person.graphql(UPDATE, input={"id": task_id, **fields})


def extensions(answer):
    [error] = answer["errors"]
    return error["extensions"]


def line_of(person, length, **fields):
    """The ids of tasks each of which lies below the one before."""
    ids = [person.create(title="0", **fields)["id"]]
    for number in range(1, length):
        ids.append(person.create(title=str(number), parentId=ids[-1])["id"])
    return ids


def change_of(person, kind, task_id):
    """The id of the change of this kind of a task."""
    query = LAST.replace("changes", "changes(first: 100)")
    changes = person.graphql(query)["data"]["changes"]["nodes"]
    [found] = [each["id"] for each in changes if (each["kind"], each["taskId"]) == (kind, task_id)]
    return found


def refused(person, field, **fields):
    """Whether a task with these fields is refused by both entries, by the name of its field."""
    graphql = extensions(change(person, fields.pop("id"), **fields))
    return (graphql["code"], graphql["field"]) == ("BAD_USER_INPUT", field)


def test_subtasks_lie_below_their_parent_in_their_order(ann):
    parent = ann.create(title="Move")["id"]
    first, second, third = (ann.create(title=t, parentId=parent) for t in ("a", "b", "c"))

    between = first["position"] + "V"
    change(ann, third["id"], position=between)

    assert titles(ann, parent) == ["a", "c", "b"]
    assert first["position"] < between < second["position"]
    assert look(ann, second["id"])["parent"] == {"id": parent}
    assert ann.task(parent)["version"] == 1
    rest = ann.rest("GET", f"/api/v1/tasks/{parent}/subtasks").json
    assert [each["title"] for each in rest["subtasks"]] == ["a", "c", "b"]
    assert rest["progress"] == {"done": 0, "total": 3, "done_minutes": 0, "total_minutes": 0}


def test_a_task_has_what_its_parents_have_until_it_has_its_own(ann):
    project = ann.rest("POST", "/api/v1/projects", json={"name": "Home"}).json["project_id"]
    top, child, leaf = line_of(ann, 3, projectId=project, dueAt="2030-01-01T00:00:00Z")

    heir = look(ann, leaf)
    change(ann, child, dueAt="2030-02-02T00:00:00Z")
    nearer = look(ann, leaf)
    change(ann, leaf, dueAt="2030-03-03T00:00:00Z")
    own = look(ann, leaf)
    rest = ann.rest("GET", f"/api/v1/tasks/{leaf}").json

    assert (heir["dueAt"], heir["project"], heir["inherited"]) == (
        *("2030-01-01T00:00:00.000Z", {"name": "Home"}, ["dueAt", "project"]),
    )
    assert heir["projectId"] == project
    assert (nearer["dueAt"], own["dueAt"]) == (
        *("2030-02-02T00:00:00.000Z", "2030-03-03T00:00:00.000Z"),
    )
    assert own["inherited"] == ["project"]
    assert ann.rest("PUT", f"/api/v1/tasks/{leaf}", json=rest).json == rest
    assert rest["inherited"] == ["project"]
    assert look(ann, top)["inherited"] == []


def test_a_task_and_three_below_it_are_the_deepest_tree(ann):
    *_, deepest = tree = line_of(ann, 4)
    other = line_of(ann, 2)

    fifth = ann.graphql(
        "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }",
        i={"title": "5", "parentId": deepest},
    )
    by_rest = ann.rest("POST", "/api/v1/tasks", json={"title": "5", "parent_id": deepest})

    assert (extensions(fifth)["code"], extensions(fifth)["field"]) == ("BAD_USER_INPUT", "parentId")
    assert (by_rest.status_code, by_rest.json["field"]) == (400, "parent_id")
    assert refused(ann, "parentId", id=other[0], parentId=tree[2])
    assert look(ann, other[0])["parent"] is None
    assert change(ann, other[0], parentId=tree[1])["data"]["updateTask"]["task"]["version"] == 2


def test_a_task_cannot_lie_below_itself_or_wait_for_itself(ann):
    top, child, leaf = line_of(ann, 3)
    other = ann.create(title="other")["id"]

    below_itself = extensions(change(ann, top, parentId=leaf))
    ann.graphql(ADD, input={"taskId": leaf, "blockerIds": [other]})
    parent_blocks = extensions(ann.graphql(ADD, input={"taskId": other, "blockerIds": [top]}))
    direct = extensions(ann.graphql(ADD, input={"taskId": child, "blockerIds": [top]}))
    ann.graphql(ADD, input={"taskId": other, "blockerIds": [ann.create(title="x")["id"]]})
    blocked = ann.create(title="y", blockedBy=[other])["id"]
    waiting = extensions(change(ann, blocked, parentId=other))

    assert (below_itself["code"], below_itself["cycle"]) == ("CONFLICT", [top, child, leaf, top])
    assert parent_blocks["cycle"] == [other, top, child, leaf, other]
    assert direct["cycle"] == [child, top, child]
    assert (waiting["field"], waiting["cycle"]) == ("parentId", [other, blocked, other])
    assert codes(change(ann, top, parentId=top)) == ["CONFLICT"]
    assert codes(change(ann, top, parentId="missing")) == ["NOT_FOUND"]


@pytest.mark.parametrize("levels", [2, 3])
def test_a_task_that_waits_for_one_below_it_cannot_block_that(ann, levels):
    top, *_, low = line_of(ann, levels)
    assert "errors" not in ann.graphql(ADD, input={"taskId": top, "blockerIds": [low]})

    graphql = extensions(ann.graphql(ADD, input={"taskId": low, "blockerIds": [top]}))
    rest = ann.rest("POST", f"/api/v1/tasks/{low}/blockers", json={"blocker_ids": [top]})

    circle = [low, top, low]
    assert graphql == {"code": "CONFLICT", "field": "blockerIds", "cycle": circle}
    assert (rest.status_code, rest.json["code"], rest.json["cycle"]) == (409, "CONFLICT", circle)
    assert ann.rest("GET", f"/api/v1/tasks/{low}/blockers").json["blocked_by"] == []


def test_a_task_is_done_after_its_subtasks(ann):
    top, child, leaf = line_of(ann, 3)
    change(ann, leaf, durationMinutes=30)

    by_complete = extensions(ann.graphql(COMPLETE, input={"id": top}))
    by_update = extensions(change(ann, top, status="COMPLETED"))
    by_rest = ann.rest("POST", f"/api/v1/tasks/{top}/complete")
    kept = ann.graphql(COMPLETE, input={"id": child, "children": "KEEP"})
    done = ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})

    assert (by_complete["code"], by_complete["subtasks"]) == ("CONFLICT", [child])
    fields = [by_complete["field"], by_update["field"], by_rest.json["field"]]
    assert fields == ["id", "status", "task_id"]
    assert by_update["subtasks"] == by_rest.json["subtasks"] == [child]
    assert kept["data"]["completeTask"]["task"] == {"status": "COMPLETED"}
    assert done["data"]["completeTask"]["task"] == {"status": "COMPLETED"}
    assert ann.task(leaf)["status"] == "COMPLETED"
    assert list(look(ann, child)["progress"].values()) == [1, 1, 30, 30]


def test_who_is_kept_from_completing_a_task_is_told_what_would_do(ann):
    top, _ = line_of(ann, 2)
    blocked = ann.create(title="blocked", blockedBy=[top])["id"]

    def told(task_id):
        graphql = ann.graphql(COMPLETE, input={"id": task_id})["errors"][0]["message"]
        rest = ann.rest("POST", f"/api/v1/tasks/{task_id}/complete").json
        return graphql, rest["detail"]

    subtasks = "This task has open subtasks: complete it with children ({}), or with force."
    blockers = "This task is blocked by open tasks: complete them first, or this one with force."
    assert told(top) == (subtasks.format("COMPLETE, KEEP"), subtasks.format("complete, keep"))
    assert told(blocked) == (blockers, blockers)
    body = {"children": "complete"}
    assert ann.rest("POST", f"/api/v1/tasks/{top}/complete", json=body).status_code == 200


def test_subtasks_that_others_block_keep_all_from_being_completed(ann):
    top, child = line_of(ann, 2)
    other = ann.create(title="other")["id"]
    ann.graphql(ADD, input={"taskId": child, "blockerIds": [other]})

    refused = extensions(ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"}))

    assert refused["blockers"] == [other]
    assert ann.task(child)["version"] == 1
    forced = {"id": top, "children": "COMPLETE", "force": True}
    assert "errors" not in ann.graphql(COMPLETE, input=forced)


def test_deleting_a_task_deletes_all_below_it_and_is_undone_as_a_whole(ann):
    above, top, child, leaf = line_of(ann, 4)
    other = ann.create(title="other", blockedBy=[leaf])["id"]
    change(ann, leaf, dueAt="2030-01-01T00:00:00Z")

    deleted = ann.rest("DELETE", f"/api/v1/tasks/{top}").json
    gone = [ann.task(each) for each in (top, child, leaf)]
    change_id = change_of(ann, "TASK_DELETED", top)
    left = look(ann, above)["subtasks"]
    undone = ann.graphql(UNDO, input={"changeId": change_id})

    assert deleted == {
        "message": "Task deleted successfully",
        "deleted_subtask_ids": [child, leaf],
        "released_task_ids": [other],
    }
    assert gone == [None, None, None]
    assert left == []
    assert undone["data"]["undoChange"]["task"] == {"id": top, "version": 2}
    assert look(ann, leaf)["dueAt"] == "2030-01-01T00:00:00.000Z"
    assert [look(ann, each)["parent"]["id"] for each in (top, child, leaf)] == [above, top, child]
    assert titles(ann, above) == ["1"]
    assert codes(ann.graphql(UNDO, input={"changeId": change_id})) == ["CONFLICT"]
    assert codes(change(ann, other, status="COMPLETED")) == ["CONFLICT"]


def completed_with_all_below(person, task_id):
    """The id of the change by which a task was completed, after all tasks below it."""
    answer = person.graphql(COMPLETE, input={"id": task_id, "children": "COMPLETE"})
    assert "errors" not in answer
    return change_of(person, "TASK_COMPLETED", task_id)


def statuses(person, *ids):
    return [person.task(each)["status"] for each in ids]


def test_undoing_a_completion_takes_that_of_all_below_back_in_one_transaction(ann, calls):
    top, child, leaf = line_of(ann, 3)
    before, deleted = (ann.create(title=title, parentId=top)["id"] for title in "xy")
    waiting = ann.create(title="waiting", blockedBy=[leaf])["id"]
    change(ann, before, status="COMPLETED")
    completed = completed_with_all_below(ann, top)
    ann.graphql(DELETE, input={"id": deleted})
    calls.clear()

    undone = ann.graphql(UNDO, input={"changeId": completed})

    assert "errors" not in undone
    assert calls.count("TransactWriteItems") == 1
    assert statuses(ann, top, child, leaf) == ["PENDING"] * 3
    assert (statuses(ann, before), ann.task(deleted)) == (["COMPLETED"], None)
    assert codes(change(ann, waiting, status="COMPLETED")) == ["CONFLICT"]
    assert extensions(ann.graphql(UNDO, input={"changeId": completed}))["fields"] == ["status"]


def test_a_completion_is_not_undone_once_a_subtask_has_another_status(ann):
    top, child, leaf = line_of(ann, 3)
    completed = completed_with_all_below(ann, top)
    change(ann, child, title="renamed")
    change(ann, leaf, status="IN_PROGRESS")

    refused = extensions(ann.graphql(UNDO, input={"changeId": completed}))

    assert refused == {"code": "CONFLICT", "field": "changeId", "changedTaskIds": [leaf]}
    assert statuses(ann, top, child, leaf) == ["COMPLETED", "COMPLETED", "IN_PROGRESS"]


def test_a_completion_is_not_undone_once_a_change_of_a_subtask_is_no_longer_kept(ann, app):
    top, child = line_of(ann, 2)
    completed = completed_with_all_below(ann, top)
    closing = change_of(ann, "TASK_COMPLETED", child)
    day = ids.instant(closing).date().isoformat()
    expired = {"user_id": f"changes#{ann.id}#{day}", "item": closing}
    app.extensions["database"].table("Users").delete_many([expired])

    refused = ann.graphql(UNDO, input={"changeId": completed})

    assert codes(refused) == ["CONFLICT"]
    assert refused["errors"][0]["message"] == "Changes of its subtasks are no longer kept."
    assert statuses(ann, top, child) == ["COMPLETED"] * 2


def test_a_subtask_whose_own_completion_was_undone_stays_as_it_is(ann):
    top, child, leaf = line_of(ann, 3)
    completed = completed_with_all_below(ann, top)
    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_COMPLETED", leaf)})
    version = ann.task(leaf)["version"]

    assert "errors" not in ann.graphql(UNDO, input={"changeId": completed})

    assert statuses(ann, top, child, leaf) == ["PENDING"] * 3
    assert ann.task(leaf)["version"] == version


@pytest.mark.parametrize(("repeated", "then"), [("k", "PENDING"), ("other", "COMPLETED")])
def test_a_completion_that_its_key_repeats_is_undone_as_a_whole(ann, monkeypatch, repeated, then):
    top, child, leaf = line_of(ann, 3)
    write, groups = TaskStore.write, []

    def interrupted(self, *some, beside=()):
        groups.append(len(some))
        if len(groups) == 2:
            raise ServiceUnavailable
        write(self, *some, beside=beside)

    given = {"id": top, "children": "COMPLETE"}
    with monkeypatch.context() as patches:
        patches.setattr(TaskStore, "write", interrupted)
        broken = ann.graphql(COMPLETE, input={**given, "idempotencyKey": "k"})
    done = statuses(ann, top, child, leaf)
    ann.graphql(COMPLETE, input={**given, "idempotencyKey": repeated})
    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_COMPLETED", top)})

    assert codes(broken) == ["SERVICE_UNAVAILABLE"]
    assert done == ["PENDING", "COMPLETED", "COMPLETED"]
    assert statuses(ann, top, child, leaf) == ["PENDING", then, then]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("times", [0, 2])
def test_a_large_completion_is_undone_without_a_read_for_each_subtask(ann, calls, times):
    top, child = line_of(ann, 2)
    ids = [ann.create(title=str(n), parentId=at)["id"] for at in (top, child) for n in range(30)]
    ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})
    completed = ann.rest("GET", f"/api/v1/tasks/{top}/history").json["nodes"][0]["id"]
    for number in range(times):
        for each in ids:
            change(ann, each, title=f"renamed {number}")
    calls.clear()

    undone = ann.graphql(UNDO, input={"changeId": completed})

    assert "errors" not in undone
    assert Counter(calls) == {
        "GetItem": 10,
        "BatchGetItem": 2 + times,
        "TransactWriteItems": 4,
    }
    assert statuses(ann, top, child, *ids) == ["PENDING"] * 62


@pytest.mark.parametrize("recurs", [False, True])
def test_a_large_completion_that_others_disturb_is_undone_as_a_whole(ann, monkeypatch, recurs):
    more = {"dueAt": "2030-01-01T08:00:00Z", "recurrence": SERIES} if recurs else {}
    top = ann.create(title="top", **more)["id"]
    ids = [ann.create(title=title, parentId=top)["id"] for title in "abcdef"]
    write, groups = TaskStore.write, []

    def disturbed(self, *some, beside=()):
        groups.append(len(some))
        if len(groups) in {2, 6}:
            raise ConditionFailed
        write(self, *some, beside=beside)

    with monkeypatch.context() as patches:
        patches.setattr(history, "MAX_OWN", 88)
        patches.setattr(TaskStore, "write", disturbed)
        with monkeypatch.context() as small:
            small.setattr(store, "MAX_ACTIONS", 12)
            completed = completed_with_all_below(ann, top)
        groups[:] = [0] * 4
        undone = ann.graphql(UNDO, input={"changeId": completed})

    assert "errors" not in undone
    assert groups[4] < len(ids)
    assert statuses(ann, top, *ids) == ["PENDING"] * 7


def test_a_move_is_undone(ann):
    one, two = (ann.create(title=t)["id"] for t in ("one", "two"))
    child = ann.create(title="child", parentId=one)["id"]
    change(ann, child, parentId=two, position="V")
    last = ann.graphql(LAST)["data"]["changes"]["nodes"][-1]

    ann.graphql(UNDO, input={"changeId": last["id"]})

    assert last["fields"] == ["parentId", "position"]
    assert (titles(ann, one), titles(ann, two)) == (["child"], [])


def test_a_move_is_not_undone_once_the_parent_before_is_gone(ann):
    one, two = (ann.create(title=t)["id"] for t in ("one", "two"))
    child = ann.create(title="child", parentId=one)["id"]
    change(ann, child, parentId=two)
    last = ann.graphql(LAST)["data"]["changes"]["nodes"][-1]
    ann.graphql(DELETE, input={"id": one})

    refused = extensions(ann.graphql(UNDO, input={"changeId": last["id"]}))

    assert (refused["code"], refused["field"]) == ("CONFLICT", "changeId")
    assert titles(ann, two) == ["child"]


def test_who_came_back_alone_is_not_put_below_its_parent_again(ann):
    top, child, leaf = line_of(ann, 3)
    ann.graphql(DELETE, input={"id": top})
    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_DELETED", leaf)})

    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_DELETED", top)})

    assert look(ann, leaf)["parentId"] is None
    assert (titles(ann, top), titles(ann, child)) == (["1"], [])


def test_a_deletion_that_others_disturb_is_still_undone_as_a_whole(ann, monkeypatch):
    top = ann.create(title="top")["id"]
    ids = [ann.create(title=title, parentId=top)["id"] for title in "abcdef"]
    write, groups = TaskStore.write, []

    def disturbed(self, *some, beside=()):
        groups.append(len(some))
        if len(groups) == 2:
            raise ConditionFailed
        write(self, *some, beside=beside)

    with monkeypatch.context() as patches:
        patches.setattr(store, "MAX_ACTIONS", 12)
        patches.setattr(TaskStore, "write", disturbed)
        deleted = ann.rest("DELETE", f"/api/v1/tasks/{top}").json
    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_DELETED", top)})

    assert groups[0] < len(ids)
    assert sorted(deleted["deleted_subtask_ids"]) == sorted(ids)
    assert titles(ann, top) == list("abcdef")


def test_subtasks_come_anew_with_their_parent(ann):
    top = ann.create(title="Clean", dueAt="2030-01-01T08:00:00Z", recurrence=SERIES)["id"]
    child = ann.create(title="Kitchen", parentId=top, dueAt="2029-12-31T08:00:00Z")["id"]
    ann.create(title="Oven", parentId=child)
    ann.create(title="Bath", parentId=top)

    answer = ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})
    following = answer["data"]["completeTask"]["next"]
    assert [(e["title"], e["status"], e["dueAt"]) for e in following["subtasks"]] == [
        ("Kitchen", "PENDING", "2030-01-07T08:00:00.000Z"),
        ("Bath", "PENDING", "2030-01-08T08:00:00.000Z"),
    ]
    assert following["subtasks"][0]["subtasks"] == [{"title": "Oven"}]
    assert titles(ann, top) == ["Kitchen", "Bath"]

    closing = change_of(ann, "TASK_COMPLETED", top)
    ann.graphql(UNDO, input={"changeId": closing})
    assert ann.task(following["id"]) is None
    assert ann.task(following["subtasks"][0]["id"]) is None


def test_subtasks_come_anew_though_the_process_dies_and_no_more_than_once(ann, app, monkeypatch):
    top = ann.create(title="Clean", dueAt="2030-01-01T08:00:00Z", recurrence=SERIES)["id"]
    for title in ("a", "b"):
        ann.create(title=title, parentId=top)
    with monkeypatch.context() as dying:
        dying.setattr(Renewals, "complete", lambda *given: given[2])
        answer = ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})
    following = answer["data"]["completeTask"]["next"]["id"]
    database = app.extensions["database"]
    duty = Renewals.of(database, TaskStore(database, ChangeStore(database, timedelta(days=30))))
    pending = Jobs(database, "renewal").pending()

    before = titles(ann, following)
    duty.run(clock.now())
    early = titles(ann, following)
    duty.run(clock.now() + timedelta(minutes=1))
    for job in pending:  # as if it was not known to be done
        duty._resume(job, clock.now())

    assert (before, early) == ([], [])
    assert titles(ann, following) == ["a", "b"]
    assert Jobs(database, "renewal").pending() == []


def test_new_subtasks_wait_for_each_other_as_those_before_them_did(ann):
    blockers = "query ($id: ID!) { task(id: $id) { subtasks { title blockedBy { id title } } } }"
    top = ann.create(title="Clean", dueAt="2030-01-01T08:00:00Z", recurrence=SERIES)["id"]
    outside = ann.create(title="Buy soap")["id"]
    first = ann.create(title="Dust", parentId=top)["id"]
    ann.create(title="Mop", parentId=top, blockedBy=[first, outside])

    answer = ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE", "force": True})
    following = answer["data"]["completeTask"]["next"]
    dust, _ = following["subtasks"]
    shown = ann.graphql(blockers, id=following["id"])["data"]["task"]["subtasks"]
    ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_COMPLETED", top)})

    assert shown == [
        {"title": "Dust", "blockedBy": []},
        {"title": "Mop", "blockedBy": [{"id": dust["id"], "title": "Dust"}]},
    ]
    assert ann.task(following["id"]) is None
    assert ann.task(dust["id"]) is None


@pytest.mark.parametrize("levels", [1, 2])
def test_a_subtask_is_put_below_one_beside_it(ann, levels):
    top = ann.create(title="top")["id"]
    moved, at = ann.create(title="moved", parentId=top)["id"], top
    for level in range(levels):
        at = ann.create(title=f"{level}", parentId=at)["id"]

    down = change(ann, moved, parentId=at)
    below = (look(ann, moved)["parentId"], titles(ann, top), titles(ann, at))
    up = ann.rest("PUT", f"/api/v1/tasks/{moved}", json={"parent_id": top})

    assert "errors" not in down
    assert below == (at, ["0"], ["moved"])
    assert (up.status_code, titles(ann, at)) == (200, [])
    assert sorted(titles(ann, top)) == ["0", "moved"]


@pytest.mark.parametrize("done", ["blocked the other way round", "put below what it waited for"])
def test_new_subtasks_do_not_wait_in_a_cycle_with_what_was_done_to_them(
    ann, app, monkeypatch, done
):
    top = ann.create(title="Clean", dueAt="2030-01-01T08:00:00Z", recurrence=SERIES)["id"]
    first = ann.create(title="Dust", parentId=top)["id"]
    ann.create(title="Mop", parentId=top, blockedBy=[first])
    with monkeypatch.context() as dying:  # once the subtasks are there
        dying.setattr(Renewals, "_tie", lambda *_: None)
        dying.setattr(Jobs, "complete", lambda *_: None)
        answer = ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})
    dust, mop = (each["id"] for each in answer["data"]["completeTask"]["next"]["subtasks"])
    if done == "blocked the other way round":
        ann.rest("POST", f"/api/v1/tasks/{dust}/blockers", json={"blocker_ids": [mop]})
    else:
        change(ann, mop, parentId=dust)
    database = app.extensions["database"]
    duty = Renewals.of(database, TaskStore(database, ChangeStore(database, timedelta(days=30))))

    duty.run(clock.now() + timedelta(minutes=1))

    assert ann.rest("GET", f"/api/v1/tasks/{mop}/blockers").json["blocked_by"] == []
    assert Jobs(database, "renewal").pending() == []


@pytest.mark.parametrize("levels", [1, 2])
def test_a_subtask_comes_back_though_those_above_it_wait_for_it(ann, levels):
    top, *_, leaf = line_of(ann, levels + 1)
    block = "mutation ($input: BlockersInput!) { addBlockers(input: $input) { task { id } } }"
    ann.graphql(block, input={"taskId": top, "blockerIds": [leaf]})
    ann.graphql(DELETE, input={"id": leaf})

    answer = ann.graphql(UNDO, input={"changeId": change_of(ann, "TASK_DELETED", leaf)})

    assert "errors" not in answer
    assert look(ann, leaf)["parentId"] is not None
    blockers = ann.rest("GET", f"/api/v1/tasks/{top}/blockers").json["blocked_by"]
    assert [each["task_id"] for each in blockers] == [leaf]


def test_no_subtask_that_comes_meanwhile_makes_a_moved_tree_too_deep(ann, monkeypatch):
    *_, third = line_of(ann, 3)
    moved, leaf = line_of(ann, 2)
    below, created = Placement.below, []

    def read(placement, task):
        """Read the tree; before the move is written, another request adds to it."""
        found = below(placement, task)
        if task.task_id == moved and not created:
            created.append(None)
            created[0] = ann.create(title="meanwhile", parentId=leaf)["id"]
        return found

    monkeypatch.setattr(Placement, "below", read)
    second = look(ann, third)["parentId"]
    answer = change(ann, moved, parentId=second)

    assert (extensions(answer)["code"], extensions(answer)["field"]) == (
        *("BAD_USER_INPUT", "parentId"),
    )
    assert look(ann, created[0])["parentId"] == leaf
    assert look(ann, moved)["parentId"] is None


def test_a_subtask_does_not_recur_by_itself(ann):
    top = ann.create(title="top")["id"]
    fields = {"title": "x", "dueAt": "2030-01-01T00:00:00Z", "recurrence": SERIES}
    recurring = ann.create(**fields)["id"]
    child = ann.create(title="child", parentId=top, dueAt="2030-01-01T00:00:00Z")["id"]

    assert refused(ann, "parentId", id=recurring, parentId=top)
    assert refused(ann, "recurrence", id=child, recurrence=SERIES)


def test_one_call_makes_a_tree(ann):
    made = ann.graphql(
        """mutation ($input: CreateTasksInput!) { createTasks(input: $input) {
          results { task { title parent { title } } error { code field } } } }""",
        input={
            "tasks": [
                {"title": "leaf", "parentIndex": 2},
                {"title": "top"},
                {"title": "child", "parentIndex": 1},
                {"title": "lost", "parentIndex": 7},
            ]
        },
    )["data"]["createTasks"]["results"]

    assert made == [
        {"task": {"title": "leaf", "parent": {"title": "child"}}, "error": None},
        {"task": {"title": "top", "parent": None}, "error": None},
        {"task": {"title": "child", "parent": {"title": "top"}}, "error": None},
        {"task": None, "error": {"code": "BAD_USER_INPUT", "field": "parentIndex"}},
    ]


def test_the_subtasks_of_a_task_are_found_by_their_ids_in_their_order(ann, calls):
    top, _, _ = line_of(ann, 3)
    second = ann.create(title="second", parentId=top)
    order = {"field": "POSITION", "direction": "ASC"}
    calls.clear()

    found = ann.graphql(TASKS, filter={"parentId": top}, orderBy=order)["data"]["tasks"]
    counted = list(calls)
    rest = ann.rest("GET", f"/api/v1/tasks?parent_id={top}&sort=-position").json

    assert [each["title"] for each in found["nodes"]] == ["1", "second"]
    assert [each["title"] for each in rest] == ["second", "1"]
    assert counted == ["GetItem", "BatchGetItem"]
    assert found["nodes"][1]["parentId"] == top == second["parentId"]
    roots = ann.graphql(TASKS, filter={"noParent": True})["data"]["tasks"]["nodes"]
    assert [each["id"] for each in roots] == [top]


def test_parents_and_subtasks_of_a_page_take_one_call_each(ann, calls):
    for _ in range(3):
        line_of(ann, 3, dueAt="2030-01-01T00:00:00Z")
    page = "{ tasks { nodes { %s } } }"

    def counted(fields):
        calls.clear()
        ann.graphql(page % fields)
        return calls.copy()

    assert counted("title") == ["Query"]
    assert counted("dueAt inherited project { name }") == ["Query"]  # the page has all parents
    assert counted("subtasks { title }") == ["Query"]
    assert counted("parent { title }") == ["Query"]


def test_a_page_without_subtasks_needs_no_call_for_them(ann, calls):
    ann.create(title="alone")
    calls.clear()

    ann.graphql(
        "{ tasks { nodes { dueAt inherited subtasks { id } parent { id } progress { done } } } }"
    )

    assert calls == ["Query"]


@pytest.mark.parametrize("text", ["ä", "a-b", "x" * 65])
def test_a_position_that_is_none_is_refused(ann, text):
    task = ann.create(title="x")["id"]

    assert refused(ann, "position", id=task, position=text)
    assert codes(ann.graphql(DELETE, input={"id": "missing"})) == ["NOT_FOUND"]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_moved_the_tree_stays_one(ann, seed):
    chance = random.Random(seed)
    ids = [ann.create(title=str(number))["id"] for number in range(8)]
    for _ in range(30):
        answer = change(ann, chance.choice(ids), parentId=chance.choice([None, *ids]))
        assert "errors" not in answer or codes(answer)[0] in {"CONFLICT", "BAD_USER_INPUT"}
    nodes = ann.graphql("{ tasks { nodes { id parentId subtasks { id } } } }")["data"]["tasks"][
        "nodes"
    ]
    parents = {node["id"]: node["parentId"] for node in nodes}

    for node in nodes:
        listed = {child["id"] for child in node["subtasks"]}
        assert listed == {child for child, parent in parents.items() if parent == node["id"]}
        line = [node["id"]]
        while parents[line[-1]]:
            line.append(parents[line[-1]])
            assert len(line) <= 4


@pytest.mark.concurrent
def test_two_moves_at_once_close_no_cycle(app):
    ann = Api(app.test_client()).register("ann")
    for _ in range(5):
        one, two = (ann.create(title=title)["id"] for title in ("one", "two"))
        below = [ann.create(title="below", parentId=each)["id"] for each in (one, two)]

        def move(pair):
            return Person(Api(app.test_client()), ann.username, ann.id, ann.token).graphql(
                UPDATE, input={"id": pair[0], "parentId": pair[1]}
            )

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(move, [(one, below[1]), (two, below[0])]))

        assert sorted("errors" in answer for answer in answers) == [False, True]
