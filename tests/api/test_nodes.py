"""Objects by their ids alone, as Relay and its like ask for them again."""

import pytest
from conftest import codes

NODE = """
  query ($id: ID!) {
    node(id: $id) {
      __typename id
      ... on Task { title owner { username } }
      ... on User { username }
      ... on Webhook { url }
      ... on Project { name }
    }
  }
"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Task { title } } }"
CREATE_WEBHOOK = """
  mutation ($url: String!) { createWebhook(input: {url: $url}) { webhook { id } } }
"""
URL = "https://example.com/hook"


def house(person):
    answer = person.graphql('mutation { createProject(input: {name: "House"}) { project { id } } }')
    return answer["data"]["createProject"]["project"]["id"]


def webhook(person):
    answer = person.graphql(CREATE_WEBHOOK, url=URL)
    return answer["data"]["createWebhook"]["webhook"]["id"]


def test_each_object_is_found_by_its_id(ann, calls):
    task, hook = ann.create(title="Sow")["id"], webhook(ann)
    project = house(ann)
    calls.clear()

    for _ in range(3):  # also once what can be compiled is
        assert ann.graphql(NODE, id=task)["data"]["node"] == {
            "__typename": "Task",
            "id": task,
            "title": "Sow",
            "owner": {"username": ann.username},
        }
    assert calls == ["GetItem"] * 3
    assert ann.graphql(NODE, id=ann.id)["data"]["node"] == {
        "__typename": "User",
        "id": ann.id,
        "username": ann.username,
    }
    assert ann.graphql(NODE, id=project)["data"]["node"] == {
        "__typename": "Project",
        "id": project,
        "name": "House",
    }
    assert ann.graphql(NODE, id=hook)["data"]["node"] == {
        "__typename": "Webhook",
        "id": hook,
        "url": URL,
    }


def test_what_is_nobody_s_and_what_is_somebody_else_s_is_not_found(ann, bob):
    others = [
        bob.id,
        bob.create(title="other")["id"],
        webhook(bob),
        house(bob),
        "x" * 200,
        "nothing",
        "",
    ]

    answers = [ann.graphql(NODE, id=each) for each in others]

    for answer in answers:
        assert answer["data"] == {"node": None}
        assert codes(answer) == ["NOT_FOUND"]
        assert answer["errors"] == answers[0]["errors"]
    assert ann.graphql(NODES, ids=others) == {"data": {"nodes": [None] * len(others)}}


def test_many_objects_take_one_read_and_keep_their_order(ann, calls):
    ids = [ann.create(title=title)["id"] for title in "abc"]
    calls.clear()

    answer = ann.graphql(NODES, ids=[ids[2], ann.id, ids[0], ids[2]])

    assert answer["data"]["nodes"] == [
        {"__typename": "Task", "id": ids[2], "title": "c"},
        {"__typename": "User", "id": ann.id},
        {"__typename": "Task", "id": ids[0], "title": "a"},
        {"__typename": "Task", "id": ids[2], "title": "c"},
    ]
    assert calls == ["BatchGetItem"]


def test_siblings_are_read_together(ann, calls):
    ids = [ann.create(title=title)["id"] for title in "ab"]
    calls.clear()

    ann.graphql(
        "query ($a: ID!, $b: ID!) { a: node(id: $a) { id } b: node(id: $b) { id } }",
        a=ids[0],
        b=ids[1],
    )

    assert calls == ["BatchGetItem"]


def test_nobody_who_is_not_logged_in_finds_anything(api, ann):
    task = ann.create(title="Sow")["id"]

    assert codes(api.graphql(NODE, id=task)) == ["UNAUTHENTICATED"]
    assert codes(api.graphql(NODES, ids=[task])) == ["UNAUTHENTICATED"]


def test_a_hundred_ids_are_the_most(ann, calls):
    calls.clear()
    answer = ann.graphql(NODES, ids=["x"] * 101)

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["message"] == "ids must have at most 100 items."
    assert calls == []


@pytest.mark.parametrize(
    ("selection", "shown"),
    [
        ("... on Node { id ... on Task { title } ... on User { username } }", {"title": "Sow"}),
        ("... on Node { id ...theirs } ...mine", {"title": "Sow"}),
        ("... { ...mine }", {"title": "Sow"}),
    ],
)
def test_a_fragment_on_another_type_of_node_shows_nothing_of_a_task(ann, selection, shown):
    task = ann.create(title="Sow")["id"]
    query = f"""
      query ($id: ID!) {{ task(id: $id) {{ {selection} }} }}
      fragment mine on Task {{ title }}
      fragment theirs on User {{ username }}
    """.replace("fragment theirs", "fragment theirs" if "theirs" in selection else "#")
    query = query if "...mine" in selection else query.replace("fragment mine", "#")

    for _ in range(3):  # by graphql-core, and compiled
        found = ann.graphql(query, id=task)["data"]["task"]
        found.pop("id", None)
        assert found == shown


def test_a_list_below_one_of_many_nodes_is_refused(ann):
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User { tasks { totalCount } } } }"

    assert codes(ann.graphql(query, ids=[ann.id])) == ["QUERY_TOO_COMPLEX"]
