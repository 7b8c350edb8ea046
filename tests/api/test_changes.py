"""The change feed, history, undo and merging, through GraphQL."""

import json
from datetime import timedelta

import pytest
from conftest import bearer, codes

from graphql_api import clock, ids
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.changes.live import LiveFeed
from graphql_api.domain.changes.model import Position
from graphql_api.infra.serving.streams import STREAM

FIELDS = "id kind taskId version fields undoes actor { kind name } cursor"
CHANGES = f"""query ($after: String, $first: Int! = 100) {{
  changes(after: $after, first: $first) {{
    nodes {{ {FIELDS} task {{ title }} }} endCursor hasMore }} }}"""
HISTORY = f"""query ($id: ID!, $after: String, $first: Int! = 25) {{ task(id: $id) {{
  history(after: $after, first: $first) {{ nodes {{ {FIELDS} }} endCursor hasMore }} }} }}"""
UNDO = """mutation ($id: ID!) { undoChange(input: {changeId: $id}) { task {
  id title status completedAt version blockedBy { id } blocks { id } } } }"""
UPDATE = """mutation ($input: UpdateTaskInput!) { updateTask(input: $input) {
  merged task { id title description priority version } } }"""
DELETE = "mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId } }"
ADD = """mutation ($id: ID!, $by: [ID!]!) { addBlockers(input: {taskId: $id, blockerIds: $by}) {
  task { id } } }"""


def changes(person, after=None, first=100):
    answer = person.graphql(CHANGES, after=after, first=first)
    assert "errors" not in answer, answer
    return answer["data"]["changes"]


def history(person, task, **window):
    return person.graphql(HISTORY, id=task["id"], **window)["data"]["task"]["history"]


def update(person, task, **fields):
    return person.graphql(UPDATE, input={"id": task["id"], **fields})


def undo(person, change):
    return person.graphql(UNDO, id=change["id"])


def brief(nodes):
    return [(node["kind"], node["version"], node["fields"]) for node in nodes]


def test_every_write_of_a_task_is_in_the_feed_in_order(ann):
    task, other = ann.create(title="Write", priority="HIGH"), ann.create(title="Other")
    update(ann, task, title="Rewrite", description="All of it")
    update(ann, task, title="Rewrite")  # which changes nothing
    ann.graphql(ADD, id=task["id"], by=[other["id"]])
    update(ann, other, status="COMPLETED")
    ann.graphql(DELETE, id=task["id"])

    found = changes(ann)

    assert brief(found["nodes"]) == [
        ("TASK_CREATED", 1, ["title", "priority"]),
        ("TASK_CREATED", 1, ["title"]),
        ("TASK_UPDATED", 2, ["title", "description"]),
        ("TASK_UPDATED", 2, ["blockedBy"]),
        ("TASK_COMPLETED", 2, ["status"]),
        ("TASK_DELETED", 2, []),
    ]
    first, second = task["id"], other["id"]
    assert [node["taskId"] for node in found["nodes"]] == [
        *[first, second, first, first, second, first]
    ]
    assert [node["task"] for node in found["nodes"]] == [
        None if node["taskId"] == first else {"title": "Other"} for node in found["nodes"]
    ]
    assert {node["actor"]["kind"] for node in found["nodes"]} == {"SESSION"}
    assert found["hasMore"] is False


def test_pages_of_changes_go_on_where_the_one_before_has_ended(ann):
    tasks = [ann.create(title=f"{number}") for number in range(5)]

    first = changes(ann, first=2)
    second = changes(ann, first=2, after=first["endCursor"])
    third = changes(ann, first=2, after=second["endCursor"])

    seen = [node["taskId"] for page in (first, second, third) for node in page["nodes"]]
    assert seen == [task["id"] for task in tasks]
    assert [page["hasMore"] for page in (first, second, third)] == [True, True, False]


def test_a_list_and_the_changes_after_it_miss_nothing(ann):
    before = ann.create(title="before")
    cursor = ann.graphql("{ tasks { changesCursor } }")["data"]["tasks"]["changesCursor"]
    after = ann.create(title="after")

    found = [node["taskId"] for node in changes(ann, after=cursor)["nodes"]]

    # What lies within the window comes again.
    assert found == [before["id"], after["id"]]


def test_nobody_sees_the_changes_of_others_or_reads_on_from_their_cursors(api, ann):
    eve = api.register("eve")
    task = ann.create(title="x")
    theirs = changes(ann)

    assert changes(eve)["nodes"] == []
    answer = eve.graphql(CHANGES, after=theirs["endCursor"])
    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "after"
    assert codes(undo(eve, theirs["nodes"][0])) == ["NOT_FOUND"]
    assert ann.task(task["id"])["version"] == 1


def test_a_cursor_that_is_older_than_what_is_kept_has_expired(engine, ann):
    old = Position(ids.first_id(clock.now() - timedelta(days=31)))
    cursor = Cursors([engine.jwt_secret]).seal(str(old), f"changes of {ann.id}")

    answer = ann.graphql(CHANGES, after=cursor)

    assert codes(answer) == ["CURSOR_EXPIRED"]
    assert answer["errors"][0]["extensions"]["field"] == "after"


@pytest.mark.parametrize("first", [0, 101, -1])
def test_a_page_has_from_1_to_100_changes(ann, first):
    answer = ann.graphql(CHANGES, first=first)

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "first"


def test_a_history_is_read_newest_first_by_one_call_a_change(ann, calls):
    task = ann.create(title="1")
    for title in "2345":
        update(ann, task, title=title)

    first = history(ann, task, first=2)
    calls.clear()
    second = history(ann, task, first=3, after=first["endCursor"])

    versions = [[node["version"] for node in page["nodes"]] for page in (first, second)]
    assert versions == [[5, 4], [3, 2, 1]]
    assert [page["hasMore"] for page in (first, second)] == [True, False]
    assert calls == ["GetItem"] * 4


# Undo


def test_an_update_is_taken_back(ann):
    task = ann.create(title="Before", description="x")
    update(ann, task, title="After", description="y")
    change = changes(ann)["nodes"][-1]

    undone = undo(ann, change)["data"]["undoChange"]["task"]

    assert (undone["title"], undone["version"]) == ("Before", 3)
    last = changes(ann)["nodes"][-1]
    assert (last["undoes"], last["fields"]) == (change["id"], ["title", "description"])


def test_a_completion_is_taken_back_and_so_is_a_reopening(ann):
    task = ann.create(title="x")
    update(ann, task, status="COMPLETED")
    at = ann.task(task["id"])["completedAt"]
    update(ann, task, status="PENDING")
    reopened = changes(ann)["nodes"][-1]

    undone = undo(ann, reopened)["data"]["undoChange"]["task"]

    assert (undone["status"], undone["completedAt"]) == ("COMPLETED", at)


def test_a_change_is_not_taken_back_if_its_field_has_changed_since(ann):
    task = ann.create(title="1", description="a")
    update(ann, task, title="2", description="b")
    change = changes(ann)["nodes"][-1]
    update(ann, task, priority="HIGH")
    update(ann, task, title="3")

    answer = undo(ann, change)

    assert codes(answer) == ["CONFLICT"]
    assert answer["errors"][0]["extensions"]["fields"] == ["title"]
    assert ann.task(task["id"])["version"] == 4


def test_other_fields_that_changed_since_stay_when_a_change_is_taken_back(ann):
    task = ann.create(title="1")
    update(ann, task, title="2")
    change = changes(ann)["nodes"][-1]
    update(ann, task, priority="HIGH")

    undo(ann, change)

    after = ann.task(task["id"])
    assert (after["title"], after["priority"]) == ("1", "HIGH")


def test_a_deletion_is_taken_back_with_all_that_was_around_the_task(ann):
    task, blocker, blocked = (ann.create(title=title) for title in "abc")
    ann.graphql(ADD, id=task["id"], by=[blocker["id"]])
    ann.graphql(ADD, id=blocked["id"], by=[task["id"]])
    ann.graphql(DELETE, id=task["id"])
    deletion = changes(ann)["nodes"][-1]

    back = undo(ann, deletion)["data"]["undoChange"]["task"]

    assert (back["id"], back["title"], back["version"]) == (task["id"], "a", 2)
    assert back["blockedBy"] == [{"id": blocker["id"]}]
    assert back["blocks"] == [{"id": blocked["id"]}]
    assert brief(history(ann, task)["nodes"])[:2] == [
        ("TASK_CREATED", 2, []),
        ("TASK_DELETED", 1, []),
    ]
    assert codes(undo(ann, deletion)) == ["CONFLICT"]


def test_blockers_are_given_back_that_a_task_had(ann):
    task, blocker = ann.create(title="a"), ann.create(title="b")
    ann.graphql(ADD, id=task["id"], by=[blocker["id"]])
    change = changes(ann)["nodes"][-1]

    undone = undo(ann, change)["data"]["undoChange"]["task"]

    assert undone["blockedBy"] == []


def test_a_deletion_that_was_taken_back_is_not_taken_back_again(ann):
    task = ann.create(title="1")
    ann.graphql(DELETE, id=task["id"])
    first = changes(ann)["nodes"][-1]
    undo(ann, first)
    update(ann, task, title="2")
    ann.graphql(DELETE, id=task["id"])
    second = changes(ann)["nodes"][-1]

    assert codes(undo(ann, first)) == ["CONFLICT"]
    back = undo(ann, second)["data"]["undoChange"]["task"]
    assert (back["title"], back["version"]) == ("2", 4)


def test_neither_a_creation_nor_an_undo_is_taken_back(ann):
    task = ann.create(title="1")
    update(ann, task, title="2")
    created, updated = changes(ann)["nodes"]
    undo(ann, updated)
    undone = changes(ann)["nodes"][-1]

    for change in (created, undone):
        answer = undo(ann, change)
        assert codes(answer) == ["BAD_USER_INPUT"]
        assert answer["errors"][0]["extensions"]["field"] == "changeId"
    assert ann.task(task["id"])["version"] == 3


# Merging


def test_a_change_of_other_fields_is_merged_and_says_so(ann):
    task = ann.create(title="1")
    update(ann, task, description="theirs")

    answer = update(ann, task, title="mine", expectedVersion=1, mergeDisjoint=True)

    assert answer["data"]["updateTask"]["merged"] is True
    merged = ann.task(task["id"])
    assert (merged["title"], merged["description"], merged["version"]) == ("mine", "theirs", 3)


def test_a_change_of_the_same_field_is_a_conflict_that_names_it(ann):
    task = ann.create(title="1")
    update(ann, task, title="theirs", description="theirs")

    answer = update(ann, task, title="mine", priority="LOW", expectedVersion=1, mergeDisjoint=True)

    assert codes(answer) == ["CONFLICT"]
    extensions = answer["errors"][0]["extensions"]
    assert (extensions["fields"], extensions["currentVersion"]) == (["title"], 2)
    assert ann.task(task["id"])["version"] == 2


def test_nothing_is_merged_without_being_asked_for_or_with_a_version_to_come(ann):
    task = ann.create(title="1")
    update(ann, task, description="theirs")

    assert codes(update(ann, task, title="mine", expectedVersion=1)) == ["CONFLICT"]
    ahead = update(ann, task, title="mine", expectedVersion=3, mergeDisjoint=True)
    assert codes(ahead) == ["CONFLICT"]
    in_time = update(ann, task, title="mine", expectedVersion=2, mergeDisjoint=True)
    assert in_time["data"]["updateTask"]["merged"] is False


def test_a_subscription_too_many_says_when_to_come_back_as_graphql_spells_it(ann, monkeypatch):
    opened = []
    subscribe = LiveFeed.subscribe

    def noted(live, subscription):
        subscribe(live, subscription)
        opened.append(subscription)

    def follow():
        return ann.api.client.post(
            "/graphql",
            json={"query": "subscription { changes { kind } }"},
            headers={**bearer(ann.token), "Accept": "text/event-stream"},
            environ_overrides={STREAM: True},
        ).text

    monkeypatch.setattr(LiveFeed, "subscribe", noted)
    try:
        assert [follow() for _ in range(20)] == [""] * 20
        [data, end] = follow().split("\n\n")[:2]
    finally:
        for subscription in opened:
            subscription.receiver.close()

    assert end == "event: complete\ndata: "
    assert json.loads(data.removeprefix("event: next\ndata: ")) == {
        "errors": [
            {
                "message": "A user may have 20 subscriptions at a time.",
                "extensions": {"code": "RATE_LIMITED", "retryAfter": 30},
            }
        ]
    }
