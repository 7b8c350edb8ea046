"""Single tags, added, removed and counted."""

import pytest
from conftest import UPDATE, codes

from graphql_api.api.graphql.tasks import operations

UPDATE_TASKS = """
  mutation ($tasks: [UpdateTaskInput!]!) {
    updateTasks(input: {tasks: $tasks}) { results { task { tags } error { code field } } }
  }
"""
RENAME = """
  mutation ($from: String!, $to: String!) {
    renameTag(input: {from: $from, to: $to}) { changed isComplete }
  }
"""
TAGS = "{ viewer { tags { name count } } }"


@pytest.mark.parametrize(
    ("change", "tags"),
    [
        ({"addTags": ["b", "HOME", " c "]}, ["Home", "a", "b", "c"]),
        ({"removeTags": ["home", "nope"]}, ["a"]),
        ({"addTags": ["b"], "removeTags": ["A"]}, ["Home", "b"]),
        ({"addTags": None, "removeTags": []}, ["Home", "a"]),
    ],
)
def test_single_tags_are_added_and_removed_in_any_case(ann, change, tags):
    task = ann.create(title="x", tags=["Home", "a"])

    changed = ann.graphql(UPDATE, input={"id": task["id"], **change})["data"]["updateTask"]["task"]

    assert changed["tags"] == tags
    assert changed["version"] == 1 + (tags != task["tags"])


def test_rest_adds_and_removes_tags_too(ann):
    task = ann.create(title="x", tags=["a"])["id"]

    changed = ann.rest(
        "PATCH", f"/api/v1/tasks/{task}", json={"add_tags": ["b"], "remove_tags": ["A"]}
    )

    assert changed.json["tags"] == ["b"]


def test_tags_change_in_bulk_whatever_each_task_has(ann):
    ids = [ann.create(title=tag, tags=[tag])["id"] for tag in "ab"]
    many = [str(number) for number in range(20)]

    changes = [{"id": ids[0], "addTags": ["x"]}, {"id": ids[1], "addTags": many}]
    results = ann.graphql(UPDATE_TASKS, tasks=changes)["data"]["updateTasks"]["results"]

    assert results == [
        {"task": {"tags": ["a", "x"]}, "error": None},
        {"task": None, "error": {"code": "BAD_USER_INPUT", "field": "addTags"}},
    ]
    assert ann.task(ids[1])["tags"] == ["b"]


def test_all_tags_and_single_ones_do_not_go_together(ann):
    task = ann.create(title="x", tags=["a"])

    answer = ann.graphql(UPDATE, input={"id": task["id"], "tags": ["b"], "addTags": ["c"]})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert ann.task(task["id"]) == task


def test_a_merge_lets_others_change_tags_beside_added_ones(ann):
    task = ann.create(title="x", tags=["a"])["id"]
    ann.graphql(UPDATE, input={"id": task, "addTags": ["b"]})

    change = {"id": task, "addTags": ["c"], "expectedVersion": 1, "mergeDisjoint": True}
    merged = ann.graphql(UPDATE, input=change)["data"]["updateTask"]["task"]

    assert merged["tags"] == ["a", "b", "c"]


def test_tags_are_counted_as_the_oldest_task_shows_them(ann, calls):
    for tags in (["Home"], ["home", "b"], [], ["HOME", "Ä"]):
        ann.create(title="x", tags=tags, status="COMPLETED")
    calls.clear()

    assert ann.graphql(TAGS)["data"]["viewer"]["tags"] == [
        {"name": "Home", "count": 3},
        {"name": "b", "count": 1},
        {"name": "Ä", "count": 1},
    ]
    assert calls == ["Query"]


def rename(person, old, new):
    return person.graphql(RENAME, **{"from": old, "to": new})["data"]["renameTag"]


def test_a_tag_is_renamed_everywhere_and_once(ann, bob):
    ids = [ann.create(title="x", tags=tags)["id"] for tags in (["a", "Home"], ["home", "b"], ["b"])]

    assert rename(ann, "HOME", "House") == {"changed": 2, "isComplete": True}
    assert [ann.task(each)["tags"] for each in ids] == [["a", "House"], ["House", "b"], ["b"]]
    assert rename(ann, "HOME", "House") == {"changed": 0, "isComplete": True}
    assert rename(ann, "house", "b") == {"changed": 2, "isComplete": True}
    assert [ann.task(each)["tags"] for each in ids] == [["a", "b"], ["b"], ["b"]]
    assert bob.graphql(TAGS)["data"]["viewer"]["tags"] == [{"name": "home", "count": 2}]


def test_a_tag_gets_another_case(ann):
    task = ann.create(title="x", tags=["home"])["id"]

    assert rename(ann, "home", "Home") == {"changed": 1, "isComplete": True}
    assert rename(ann, "home", "Home") == {"changed": 0, "isComplete": True}
    assert ann.task(task)["tags"] == ["Home"]


def test_what_is_left_of_a_rename_is_told(ann, monkeypatch):
    monkeypatch.setattr(operations, "MAX_ITEMS", 2)
    for _ in range(3):
        ann.create(title="x", tags=["a"])

    assert rename(ann, "a", "b") == {"changed": 2, "isComplete": False}
    assert rename(ann, "a", "b") == {"changed": 1, "isComplete": True}


@pytest.mark.parametrize(("old", "new", "field"), [("", "b", "from"), ("a", "\u200b", "to")])
def test_names_that_no_tag_can_have_are_refused(ann, old, new, field):
    ann.create(title="x", tags=["a"])

    answer = ann.graphql(RENAME, **{"from": old, "to": new})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == field
