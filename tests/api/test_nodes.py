"""Objects by their ids alone, as Relay and its like ask for them again."""

import pytest
from conftest import codes
from graphql import GraphQLObjectType
from test_plans import apply, estimated, preview
from tokens import ALL_SCOPES, by_token

from graphql_api.api.graphql.schema import SCHEMA

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


# Where an object of each type has its id, once somebody has one of each.
PLACES = """
  { viewer { id sessions { id } } tasks { nodes { id plannedBlocks { id } series { id } } }
    projects { nodes { id } } views { id } webhooks { id } calendarFeeds { id } busyCalendars { id }
    accessTokens { id } changes(first: 1) { nodes { id } } }
"""
OF_EACH = """
  mutation {
    createProject(input: {name: "House"}) { project { id } }
    createView(input: {name: "All"}) { view { id } }
    createWebhook(input: {url: "https://example.com/hook"}) { webhook { id } }
    createCalendarFeed(input: {name: "Mine", content: [DUE]}) { feed { id } }
    addBusyCalendar(input: {
      name: "Away", ics: "BEGIN:VCALENDAR\\r\\nVERSION:2.0\\r\\nEND:VCALENDAR\\r\\n"
    }) { busyCalendar { id } }
    createAccessToken(input: {name: "cron", scopes: [TASKS_READ]}) { accessToken { id } }
  }
"""
TEST_EVENT = "mutation ($id: ID!) { sendTestEvent(input: {webhookId: $id}) { delivery { id } } }"
RECURRING = """mutation { createTask(input: {
  title: "Water", dueAt: "2030-01-01T09:00:00Z", recurrence: {rrule: "FREQ=DAILY"}
}) { task { series { id } } } }"""


def one_of_each(person) -> dict[str, str]:
    """The id of an object of each type that is a node."""
    [task] = estimated(person, 30)
    apply(person, preview(person)["inputHash"])
    series = person.graphql(RECURRING)["data"]["createTask"]["task"]["series"]
    made = person.graphql(OF_EACH)["data"]
    hook = made["createWebhook"]["webhook"]["id"]
    delivery = person.graphql(TEST_EVENT, id=hook)["data"]["sendTestEvent"]["delivery"]
    shown = person.graphql(PLACES)["data"]
    return {
        "AccessToken": made["createAccessToken"]["accessToken"]["id"],
        "BusyCalendar": made["addBusyCalendar"]["busyCalendar"]["id"],
        "CalendarFeed": made["createCalendarFeed"]["feed"]["id"],
        "Change": shown["changes"]["nodes"][0]["id"],
        "Delivery": delivery["id"],
        "PlannedBlock": f"{task['id']}_1",
        "Project": made["createProject"]["project"]["id"],
        "SavedView": made["createView"]["view"]["id"],
        "Series": series["id"],
        "Session": shown["viewer"]["sessions"][0]["id"],
        "Task": task["id"],
        "User": person.id,
        "Webhook": hook,
    }


def types_found(person, ids) -> set[str]:
    answer = person.graphql(NODES, ids=list(ids.values()))["data"]["nodes"]
    found = [each and each["__typename"] for each in answer]
    assert all(name in {None, type_} for name, type_ in zip(found, ids, strict=True))
    return {name for name in found if name}


def test_whatever_has_an_id_is_found_by_it_and_by_nobody_else(ann, bob, calls):
    ids = one_of_each(ann)
    types = SCHEMA._schema.type_map.values()

    assert ids.keys() == {
        each.name for each in types if isinstance(each, GraphQLObjectType) and "id" in each.fields
    }
    calls.clear()
    assert types_found(ann, ids) == set(ids)
    many = list(calls)
    for type_, each in ids.items():
        answer = ann.graphql(NODE, id=each)["data"]["node"]
        assert (answer["__typename"], answer["id"]) == (type_, each)
    missing = ann.graphql(NODE, id="none")["errors"]
    for each in ids.values():
        assert bob.graphql(NODE, id=each)["errors"] == missing
    assert types_found(bob, ids) == set()
    # By key: tasks, projects, series, views, changes, deliveries. By lists: the webhooks, feeds,
    # calendars, sessions and tokens.
    assert sorted(many) == ["BatchGetItem"] * 6 + ["Query"] * 5


# What a token finds by its scope, and, in the place of one, what each token finds.
OF_SCOPE = {
    "TASKS_READ": {"Task", "Project", "Series", "SavedView", "Change"},
    "PLAN_READ": {"PlannedBlock"},
    "WEBHOOKS": {"Webhook", "Delivery"},
    "CALENDAR_READ": {"CalendarFeed", "BusyCalendar"},
    "TASKS_WRITE": set(),
    "PLAN_WRITE": set(),
}


def test_a_token_finds_what_its_scopes_are_for_and_no_session_or_token(ann):
    ids = one_of_each(ann)

    assert OF_SCOPE.keys() == set(ALL_SCOPES)
    for scope, types in OF_SCOPE.items():
        assert types_found(by_token(ann, [scope]), ids) == {"User", *types}
    assert types_found(by_token(ann), ids) == ids.keys() - {"Session", "AccessToken"}


def test_a_confined_token_finds_the_tasks_that_it_sees_and_what_is_of_them(ann):
    ids = one_of_each(ann)
    change = (
        'mutation ($id: ID!) { updateTask(input: {id: $id, addTags: ["home"]}) { task { id } } }'
    )
    elsewhere = by_token(ann, ALL_SCOPES, tags=["elsewhere"])
    ann.graphql(change, id=ids["Task"])
    home = by_token(ann, ALL_SCOPES, tags=["home"])
    newest = ann.graphql(PLACES.replace("first: 1", "first: 100"))["data"]["changes"]["nodes"][-1]

    assert types_found(elsewhere, ids) == {"User"}
    assert types_found(home, ids | {"Change": newest["id"]}) == {
        *("User", "Task", "PlannedBlock", "Change"),
    }


def test_an_id_that_no_clock_makes_is_not_found(ann):
    last = "ffffffff-ffff-7fff-bfff-ffffffffffff"
    undo = "mutation ($id: ID!) { undoChange(input: {changeId: $id}) { task { id } } }"
    again = "mutation ($id: ID!) { redeliver(input: {deliveryId: $id}) { delivery { id } } }"
    block = """mutation ($id: ID!) {
      updatePlannedBlock(input: {id: $id, pinned: true}) { block { id } } }"""

    for query, each in (
        *((NODE, last), (NODE, f"{last}_{last}"), (NODE, "x_" + "9" * 5_000)),
        *((undo, last), (again, f"{last}_{last}"), (block, "x_" + "9" * 5_000)),
    ):
        assert codes(ann.graphql(query, id=each)) == ["NOT_FOUND"]


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
