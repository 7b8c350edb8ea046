"""Dependencies through both entries: what waits, what is refused, what it costs."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import DELETE, PASSWORD, TASKS, UPDATE, bearer, codes

from graphql_api.api.graphql import context
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.tasks.filters import TaskFilter, TaskOrder
from graphql_api.infra.dynamodb import ConditionFailed, Database

AROUND = "id isReady blockedBy { id } blocks { id }"
LOOK = f"query ($id: ID!) {{ task(id: $id) {{ {AROUND} }} }}"
ADD = (
    f"mutation ($input: BlockersInput!) {{ addBlockers(input: $input) {{ task {{ {AROUND} }} }} }}"
)
REMOVE = ADD.replace("addBlockers", "removeBlockers")
RELEASING = """
  mutation ($input: DeleteTaskInput!) {
    deleteTask(input: $input) { deletedTaskId releasedTaskIds }
  }
"""


def tasks(person, count):
    return [person.create(title=f"{number}")["id"] for number in range(count)]


def add(person, task, *blockers):
    return person.graphql(ADD, input={"taskId": task, "blockerIds": list(blockers)})


def remove(person, task, *blockers):
    return person.graphql(REMOVE, input={"taskId": task, "blockerIds": list(blockers)})


def around(person, task):
    """What a task waits for, what waits for it, and whether it is ready."""
    return plain(person.graphql(LOOK, id=task)["data"]["task"])


def plain(shown):
    ids = [[other["id"] for other in shown[name]] for name in ("blockedBy", "blocks")]
    return (*ids, shown["isReady"])


def change(person, task, **fields):
    return person.graphql(UPDATE, input={"id": task, **fields})


def extensions(answer):
    return [error["extensions"] for error in answer["errors"]]


def test_a_task_waits_for_others_until_they_are_done_or_given_up(ann, calls):
    task, first, second = tasks(ann, 3)
    calls.clear()

    added = add(ann, task, first, second, first)
    assert calls == ["BatchGetItem", "GetItem", "TransactWriteItems", "BatchGetItem"]
    waiting = around(ann, task), around(ann, first)
    change(ann, first, status="COMPLETED")
    half = around(ann, task)
    change(ann, second, status="CANCELLED")

    assert plain(added["data"]["addBlockers"]["task"]) == ([first, second], [], False)
    assert waiting == (([first, second], [], False), ([], [task], True))
    assert half == ([first, second], [], False)
    assert around(ann, task) == ([first, second], [], True)
    assert around(ann, first) == ([], [task], False)
    assert ann.task(task)["version"] == 1


def test_a_blocker_that_is_opened_again_blocks_again(ann):
    task, blocker = tasks(ann, 2)
    change(ann, blocker, status="COMPLETED")
    add(ann, task, blocker)

    assert around(ann, task) == ([blocker], [], True)
    change(ann, blocker, status="PENDING")
    assert around(ann, task) == ([blocker], [], False)


def test_blockers_can_be_taken_away(ann, calls):
    task, first, second = tasks(ann, 3)
    add(ann, task, first, second)
    calls.clear()

    removed = remove(ann, task, first, "nothing")
    again = remove(ann, task, first)

    assert plain(removed["data"]["removeBlockers"]["task"]) == ([second], [], False)
    assert again == removed
    write, look = ["TransactWriteItems"], ["GetItem"]
    assert calls == ["GetItem", "GetItem", *write, *look, "GetItem", "GetItem", *look]


def test_rest_does_the_same(ann):
    task, first, second = tasks(ann, 3)
    path = f"/api/v1/tasks/{task}/blockers"
    change(ann, first, status="IN_PROGRESS")

    added = ann.rest("POST", path, json={"blocker_ids": [first, second]})
    read = ann.rest("GET", path)
    removed = ann.rest("DELETE", path, json={"blocker_ids": [second]})

    blockers = [
        {"task_id": first, "title": "1", "status": "in_progress"},
        {"task_id": second, "title": "2", "status": "pending"},
    ]
    shown = {"task_id": task, "is_ready": False, "blocked_by": blockers, "blocks": []}
    assert (added.status_code, added.json) == (200, shown)
    assert read.json == shown
    assert (removed.status_code, removed.json) == (200, {**shown, "blocked_by": blockers[:1]})
    assert ann.rest("GET", f"/api/v1/tasks/{first}/blockers").json == {
        "task_id": first,
        "is_ready": True,
        "blocked_by": [],
        "blocks": [{"task_id": task, "title": "0", "status": "pending"}],
    }


# What is refused


def test_a_circle_is_refused_with_its_path_and_nothing_is_written(ann):
    a, b, c = tasks(ann, 3)
    add(ann, a, b)
    add(ann, b, c)

    graphql = add(ann, c, a)
    rest = ann.rest("POST", f"/api/v1/tasks/{c}/blockers", json={"blocker_ids": [a]})

    assert extensions(graphql) == [
        {"code": "CONFLICT", "field": "blockerIds", "cycle": [c, a, b, c]}
    ]
    assert (rest.status_code, rest.json["code"], rest.json["field"], rest.json["cycle"]) == (
        409,
        "CONFLICT",
        "blocker_ids",
        [c, a, b, c],
    )
    assert around(ann, c) == ([], [b], True)


@pytest.mark.parametrize(
    "blockers",
    [
        lambda task: [task],
        lambda _: [],
        lambda _: [str(uuid.uuid4()) for _ in range(51)],
        lambda _: [None],
        lambda _: [{"id": "x"}],
        lambda _: None,
    ],
    ids=["itself", "none", "51", "null", "object", "nothing"],
)
def test_what_blockers_cannot_be_is_refused_by_field_before_anything_is_read(ann, calls, blockers):
    [task] = tasks(ann, 1)
    given = blockers(task)
    calls.clear()

    graphql = ann.graphql(ADD, input={"taskId": task, "blockerIds": given})
    gone = ann.graphql(REMOVE, input={"taskId": task, "blockerIds": given})
    rest = ann.rest("POST", f"/api/v1/tasks/{task}/blockers", json={"blocker_ids": given})

    for answer in (graphql, gone):
        assert {error["field"] for error in extensions(answer)} == {"blockerIds"}
        assert set(codes(answer)) == {"BAD_USER_INPUT"}
    assert (rest.status_code, rest.json["field"]) == (400, "blocker_ids")
    assert calls == []


def test_the_51st_blocker_is_refused(ann):
    task, *blockers = tasks(ann, 52)
    add(ann, task, *blockers[:50])

    refused = add(ann, task, blockers[50])

    assert extensions(refused) == [{"code": "BAD_USER_INPUT", "field": "blockerIds"}]
    assert around(ann, task) == (blockers[:50], [], False)


def test_a_foreign_blocker_is_a_missing_one(ann, neighbour):
    mine, other = tasks(ann, 2)
    theirs = neighbour.create(title="Not yours")["id"]
    missing = ["", "x", "x" * 3000, str(uuid.uuid4())]

    def graphql(query, task, *blockers):
        given = {"taskId": task, "blockerIds": list(blockers)}
        return ann.api.post(query, ann.token, input=given).data

    def rest(method, task, *blockers):
        path = f"/api/v1/tasks/{task}/blockers"
        answer = ann.rest(method, path, json={"blocker_ids": list(blockers)})
        return answer.status_code, answer.data

    blockers = {
        graphql(ADD, mine, *given, id_) for id_ in (theirs, *missing) for given in ((), (other,))
    }
    waiting = {graphql(ADD, id_, mine) for id_ in (theirs, *missing)}
    freed = {graphql(REMOVE, id_, mine) for id_ in (theirs, *missing)}
    rest_blockers = {rest("POST", mine, id_) for id_ in (theirs, *missing)}
    rest_waiting = {
        rest(m, id_, mine) for id_ in (theirs, *missing[1:]) for m in ("POST", "DELETE")
    }

    [blocker], [_], [_] = blockers, waiting, freed
    [in_rest], [_] = rest_blockers, rest_waiting
    assert b'{"code":"NOT_FOUND","field":"blockerIds"}' in blocker
    assert (in_rest[0], b'"field":"blocker_ids"' in in_rest[1]) == (404, True)
    assert around(ann, mine) == around(ann, other) == ([], [], True)
    assert around(neighbour, theirs) == ([], [], True)


# Completing what is blocked

BULK = """
  mutation ($input: UpdateTasksInput!) {
    updateTasks(input: $input) { results { task { status } error { code field blockers } } }
  }
"""


def test_a_blocked_task_is_not_completed_through_any_entry(ann, calls):
    task, first, second = tasks(ann, 3)
    add(ann, task, first, second)
    change(ann, first, status="COMPLETED")
    calls.clear()

    graphql = change(ann, task, status="COMPLETED", title="x")
    bulk = ann.graphql(BULK, input={"tasks": [{"id": task, "status": "COMPLETED"}]})
    rest = [
        ann.rest(method, f"/api/v1/tasks/{task}{query}", json={"status": "completed", **body})
        for method in ("PUT", "PATCH")
        for query, body in [("", {}), ("?force=false", {}), ("", {"force": None})]
    ]

    conflict = {"code": "CONFLICT", "field": "status", "blockers": [second]}
    assert extensions(graphql) == [conflict]
    assert bulk["data"]["updateTasks"]["results"] == [{"task": None, "error": conflict}]
    assert [(answer.status_code, answer.json["blockers"]) for answer in rest] == [
        (409, [second])
    ] * 6
    assert set(calls) == {"GetItem"}
    assert ann.task(task)["status"] == "PENDING"


@pytest.mark.parametrize("way", ["graphql", "bulk", "query", "body"])
def test_force_completes_it_all_the_same(ann, way):
    task, blocker = tasks(ann, 2)
    add(ann, task, blocker)
    path, body = f"/api/v1/tasks/{task}", {"status": "completed"}

    match way:
        case "graphql":
            change(ann, task, status="COMPLETED", force=True)
        case "bulk":
            ann.graphql(BULK, input={"tasks": [{"id": task, "status": "COMPLETED", "force": True}]})
        case "query":
            ann.rest("PUT", f"{path}?force=true", json=body)
        case "body":
            ann.rest("PATCH", path, json={**body, "force": True})

    assert ann.task(task)["status"] == "COMPLETED"
    assert around(ann, blocker) == ([], [task], True)


def test_force_is_true_or_false_in_rest(ann):
    [task] = tasks(ann, 1)

    answer = ann.rest("PUT", f"/api/v1/tasks/{task}?force=1", json={"status": "completed"})

    assert (answer.status_code, answer.json["field"]) == (400, "force")
    assert ann.task(task)["status"] == "PENDING"


def test_a_blocked_task_can_be_begun_changed_and_given_up(ann):
    task, blocker = tasks(ann, 2)
    add(ann, task, blocker)

    for status in ("IN_PROGRESS", "PENDING", "CANCELLED"):
        answer = change(ann, task, status=status, title=status)
        assert answer["data"]["updateTask"]["task"]["status"] == status
    assert codes(change(ann, task, status="COMPLETED")) == ["CONFLICT"]


def test_each_write_makes_the_calls_that_it_needs(ann, calls):
    def made_by(task, **fields):
        calls.clear()
        assert "errors" not in change(ann, task, **fields)
        return list(calls)

    task, blocker = tasks(ann, 2)
    add(ann, task, blocker)

    assert made_by(task, title="x") == ["GetItem", "TransactWriteItems"]
    assert made_by(task, status="IN_PROGRESS") == ["GetItem", "TransactWriteItems"]
    assert made_by(blocker, status="COMPLETED") == ["GetItem", "GetItem", "TransactWriteItems"]
    assert made_by(task, status="COMPLETED") == ["GetItem", "GetItem", "TransactWriteItems"]


# Deleting what blocks


def test_a_deleted_blocker_releases_what_it_blocked_and_says_so(ann):
    first, second, blocker, below = tasks(ann, 4)
    add(ann, first, blocker)
    add(ann, second, blocker)
    add(ann, blocker, below)

    deleted = ann.graphql(RELEASING, input={"id": blocker})

    assert deleted["data"]["deleteTask"] == {
        "deletedTaskId": blocker,
        "releasedTaskIds": [first, second],
    }
    assert around(ann, first) == around(ann, second) == around(ann, below) == ([], [], True)
    assert ann.graphql(RELEASING, input={"id": first})["data"]["deleteTask"] == {
        "deletedTaskId": first,
        "releasedTaskIds": [],
    }


def test_rest_and_bulk_say_what_was_released_too(ann):
    task, one, two = tasks(ann, 3)
    add(ann, task, one, two)
    many = """
      mutation ($input: DeleteTasksInput!) {
        deleteTasks(input: $input) { results { deletedTaskId releasedTaskIds error { code } } }
      }
    """

    rest = ann.rest("DELETE", f"/api/v1/tasks/{one}")
    bulk = ann.graphql(many, input={"tasks": [{"id": two}, {"id": one}]})

    assert rest.json == {"message": "Task deleted successfully", "released_task_ids": [task]}
    assert bulk["data"]["deleteTasks"]["results"] == [
        {"deletedTaskId": two, "releasedTaskIds": [task], "error": None},
        {"deletedTaskId": None, "releasedTaskIds": [], "error": {"code": "NOT_FOUND"}},
    ]


def test_a_task_of_another_version_releases_nothing(ann):
    task, blocker = tasks(ann, 2)
    add(ann, task, blocker)

    refused = ann.graphql(DELETE, input={"id": blocker, "expectedVersion": 2})

    assert extensions(refused) == [
        {"code": "CONFLICT", "field": "expectedVersion", "currentVersion": 1}
    ]
    assert around(ann, task) == ([blocker], [], False)


def test_dependencies_go_with_the_account(app, ann):
    task, blocker = tasks(ann, 2)
    add(ann, task, blocker)
    store = DependencyStore(app.extensions["database"])
    assert store.get(ann.id).version == 1

    ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})

    assert store.get(ann.id).version == 0


# Many at once


def at_once(app, person, requests):
    """The answers to operations (query, input) that are sent together."""

    def send(request):
        query, given = request
        return app.test_client().post(
            "/graphql",
            json={"query": query, "variables": {"input": given}},
            headers=bearer(person.token),
        )

    with ThreadPoolExecutor(len(requests)) as pool:
        return [answer.json for answer in pool.map(send, requests)]


def link(task, *blockers):
    return ADD, {"taskId": task, "blockerIds": list(blockers)}


@pytest.mark.concurrent
def test_of_the_two_halves_of_a_circle_one_is_refused(app, ann):
    for _ in range(10):
        a, b = tasks(ann, 2)

        answers = at_once(app, ann, [link(a, b), link(b, a)])

        [refused] = [answer for answer in answers if "errors" in answer]
        assert extensions(refused)[0]["code"] == "CONFLICT"
        assert sorted(extensions(refused)[0]["cycle"]) in ([a, a, b], [a, b, b])
        assert sorted([around(ann, a)[0], around(ann, b)[0]]) in ([[], [a]], [[], [b]])


@pytest.mark.concurrent
def test_a_long_circle_added_all_at_once_stays_open(app, ann):
    ring = tasks(ann, 6)
    edges = list(zip(ring, [*ring[1:], ring[0]], strict=True))

    answers = at_once(app, ann, [link(a, b) for a, b in edges])

    [refused] = [answer for answer in answers if "errors" in answer]
    cycle = extensions(refused)[0]["cycle"]
    assert set(pairwise(cycle)) == set(edges)


@pytest.mark.concurrent
def test_dependencies_added_at_once_are_all_kept(app, ann):
    task, *blockers = tasks(ann, 13)

    answers = at_once(app, ann, [link(task, blocker) for blocker in blockers])

    assert all("errors" not in answer for answer in answers)
    assert sorted(around(ann, task)[0]) == blockers


@pytest.mark.concurrent
def test_a_blocker_completed_or_deleted_while_it_is_added_blocks_nobody(app, ann):
    for _ in range(5):
        task, other, done, gone = tasks(ann, 4)

        at_once(
            app,
            ann,
            [
                link(task, done),
                (UPDATE, {"id": done, "status": "COMPLETED"}),
                link(other, gone),
                (DELETE, {"id": gone}),
            ],
        )

        assert around(ann, task) == ([done], [], True)
        assert around(ann, other) == ([], [], True)


@pytest.mark.parametrize("write", ["add", "complete", "delete"])
def test_a_write_whose_answer_was_lost_is_made_once(app, ann, monkeypatch, write):
    task, blocker, other = tasks(ann, 3)
    add(ann, task, blocker)
    carry_out = Database.transact
    lost = []

    def lose_the_first_answer(database, *actions):
        carry_out(database, *actions)
        if not lost:
            lost.append(actions)
            raise ConditionFailed(maybe_applied=True)

    monkeypatch.setattr(Database, "transact", lose_the_first_answer)
    match write:
        case "add":
            answer = add(ann, other, blocker)
        case "complete":
            answer = change(ann, blocker, status="COMPLETED")
        case "delete":
            answer = ann.graphql(RELEASING, input={"id": blocker})

    assert (len(lost), "errors" in answer) == (1, False)
    assert DependencyStore(app.extensions["database"]).get(ann.id).version == 2
    assert around(ann, task)[0] == ([] if write == "delete" else [blocker])
    if write == "complete":
        assert ann.task(blocker)["version"] == 2


# What it costs, and what it cannot be made to cost

PAGE = "{ tasks(first: 100) { nodes { %s } } }"


def test_a_page_of_a_hundred_tasks_with_blockers_costs_two_more_calls(app, ann, calls):
    blockers = tasks(ann, 20)
    waiting = tasks(ann, 100)
    store = DependencyStore(app.extensions["database"])
    none = linked = store.get(ann.id)
    for number, task in enumerate(waiting):
        linked = linked.add(task, [blockers[number % 20], *waiting[number + 1 : number + 3]], [])
    app.extensions["database"].transact(store.action(none, replace(linked, version=1)))

    def cost(fields):
        calls.clear()
        nodes = ann.graphql(PAGE % fields)["data"]["tasks"]["nodes"]
        assert len(nodes) == 100
        return nodes, list(calls)

    _, without = cost("id")
    nodes, with_blockers = cost("id blockedBy { id title status }")
    _, with_blocked = cost("id blocks { title }")
    _, with_readiness = cost("id isReady")

    assert without == ["Query"]
    assert with_blockers == ["Query", "GetItem", "BatchGetItem"]
    assert with_blocked == with_readiness == ["Query", "GetItem"]
    assert [
        (node["id"], sorted(blocker["id"] for blocker in node["blockedBy"])) for node in nodes
    ] == [
        (task, sorted([blockers[number % 20], *waiting[number + 1 : number + 3]]))
        for number, task in reversed(list(enumerate(waiting)))
    ]


def test_a_request_shows_a_bounded_number_of_neighbours(ann, calls, monkeypatch):
    monkeypatch.setattr(context, "MAX_RELATED", 5)
    task, *blockers = tasks(ann, 7)
    add(ann, task, *blockers[:3])
    add(ann, blockers[0], *blockers[3:5])
    calls.clear()

    within = ann.graphql(PAGE % "blockedBy { title }")
    assert calls == ["Query", "GetItem"]
    twice = ann.graphql(PAGE % "a: blockedBy { title } b: blockedBy { title }")
    add(ann, task, blockers[5])
    calls.clear()
    beyond = ann.graphql(PAGE % "blockedBy { title }")

    assert "errors" not in within
    assert set(codes(twice)) == set(codes(beyond)) == {"QUERY_TOO_COMPLEX"}
    assert calls == ["Query", "GetItem"]


@pytest.mark.parametrize(
    "fields",
    [
        "blockedBy { blockedBy { id } }",
        "blocks { blockedBy { id } }",
        "blockedBy { owner { tasks { totalCount } } }",
        "blocks { owner { sessions { id } } }",
        "blocks { ...F }",
    ],
)
def test_neighbours_of_neighbours_and_their_lists_are_refused(ann, calls, fields):
    calls.clear()
    answer = ann.graphql(
        f"query ($id: ID!) {{ task(id: $id) {{ {fields} ...G }} }}"
        " fragment F on Task { blocks { id } } fragment G on Task { id ...F }",
        id="x",
    )

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


# What is ready


def test_a_list_of_what_is_ready_leaves_out_what_waits_and_what_is_closed(ann):
    task, blocker, done, free = tasks(ann, 4)
    add(ann, task, blocker)
    change(ann, done, status="COMPLETED")

    def listed(**only):
        return [node["id"] for node in ann.graphql(TASKS, filter=only)["data"]["tasks"]["nodes"]]

    assert listed(ready=True) == [free, blocker]
    assert listed(ready=False) == [done, task]
    assert listed(ready=None) == [free, done, blocker, task]
    assert listed(ready=True, search="3") == [free]
    assert [t["task_id"] for t in ann.rest("GET", "/api/v1/tasks?ready=true").json] == [
        free,
        blocker,
    ]
    assert [t["task_id"] for t in ann.rest("GET", "/api/v1/tasks?ready=false").json] == [done, task]
    wrong = ann.rest("GET", "/api/v1/tasks?ready=yes")
    assert (wrong.status_code, wrong.json["field"]) == (400, "ready")


@pytest.mark.parametrize("field", ["CREATED_AT", "DUE_AT"])
def test_pages_of_what_is_ready_are_full_and_counted(ann, calls, field):
    made = [
        ann.create(title=f"{number}", dueAt=f"2030-01-{number + 1:02}T00:00:00Z")["id"]
        for number in range(20)
    ]
    for number in range(0, 20, 2):
        add(ann, made[number], made[19])
    ready = made[1::2]
    order = {"field": field, "direction": "ASC"}
    seen, cursor = [], None
    calls.clear()

    for size in (4, 4, 2):
        page = ann.graphql(TASKS, first=4, after=cursor, filter={"ready": True}, orderBy=order)[
            "data"
        ]["tasks"]
        assert len(page["nodes"]) == size
        assert page["totalCount"] == 10
        seen += [node["id"] for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]

    assert seen == ready
    assert page["pageInfo"]["hasNextPage"] is False
    assert calls.count("GetItem") == 3


def test_a_cursor_of_what_is_ready_is_not_one_of_everything(ann):
    tasks(ann, 3)
    page = ann.graphql(TASKS, first=1, filter={"ready": True})["data"]["tasks"]
    cursor = page["pageInfo"]["endCursor"]

    assert codes(ann.graphql(TASKS, after=cursor)) == ["BAD_USER_INPUT"]
    assert codes(ann.graphql(TASKS, after=cursor, filter={"ready": False})) == ["BAD_USER_INPUT"]


def test_cursors_from_before_there_was_readiness_stay_good():
    first_release = (
        "('ann', TaskFilter(status=None, priority=None, tags=None, due_before=None,"
        " due_after=None, search=None), TaskOrder(field=<TaskOrderField.CREATED_AT:"
        " 'created_at'>, direction=<OrderDirection.DESC: 'desc'>))"
    )

    assert repr(("ann", TaskFilter(), TaskOrder())) == first_release
