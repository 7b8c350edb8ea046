"""Saved views: kept, shown and used, by GraphQL and by REST."""

import json

import pytest
from conftest import codes

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.domain.views import store

FIELDS = """id name version missingProjectIds orderBy { field direction }
  filter { tags status overdue projectIds dueWithinDays not { tags } and { search or { ids } } }"""
CREATE = (
    f"mutation ($input: CreateViewInput!) {{ createView(input: $input) {{ view {{ {FIELDS} }} }} }}"
)
CHANGE = (
    f"mutation ($input: UpdateViewInput!) {{ updateView(input: $input) {{ view {{ {FIELDS} }} }} }}"
)
DELETE = "mutation ($input: DeleteViewInput!) { deleteView(input: $input) { deletedViewId } }"
VIEWS = f"{{ views {{ {FIELDS} }} }}"
TASKS = """query (
  $viewId: ID, $filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String
) {
  tasks(viewId: $viewId, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { title } totalCount pageInfo { endCursor } } }"""
NODE = "query ($id: ID!) { node(id: $id) { id ... on SavedView { name } } }"
HOOK = """mutation ($input: CreateWebhookInput!) {
  createWebhook(input: $input) { webhook { filter { tags } } } }"""
BY_TITLE = {"field": "TITLE", "direction": "ASC"}


def made(person, name="Errands", **fields):
    """A new view of this person's."""
    return person.graphql(CREATE, input={"name": name, **fields})["data"]["createView"]["view"]


def listed(person, **variables):
    tasks = person.graphql(TASKS, **variables)["data"]["tasks"]
    assert tasks["totalCount"] == len(tasks["nodes"])
    return [task["title"] for task in tasks["nodes"]]


def extensions(answer):
    [error] = answer["errors"]
    return error["extensions"]


def test_a_view_is_kept_and_shown_as_it_was_given(ann, calls):
    given = {
        "tags": ["home"],
        "status": ["PENDING"],
        "dueWithinDays": 7,
        "not": {"tags": ["waiting"]},
        "and": [{"search": "milk", "or": [{"ids": ["1"]}]}],
    }
    view = made(ann, " Errands ", filter=given, orderBy=BY_TITLE)

    assert view == {
        "id": view["id"],
        "name": "Errands",
        "version": 1,
        "missingProjectIds": [],
        "orderBy": BY_TITLE,
        "filter": {**given, "overdue": None, "projectIds": None},
    }
    calls.clear()
    assert ann.graphql(VIEWS)["data"]["views"] == [view]
    assert calls == ["Query"]
    assert ann.graphql(NODE, id=view["id"])["data"]["node"]["name"] == "Errands"
    rest = ann.rest("GET", f"/api/v1/views/{view['id']}")
    assert rest.headers["ETag"] == '"1"'
    assert rest.json["filter"]["and"][0]["or"][0]["ids"] == ["1"]
    assert rest.json["filter"]["status"] == ["pending"]
    assert rest.json["order_by"] == {"field": "title", "direction": "asc"}


def test_every_condition_of_a_filter_is_shown():
    types = SCHEMA._schema.type_map

    assert types["TaskConditions"].fields.keys() == types["TaskFilter"].fields.keys()


def test_tasks_are_listed_by_a_view_in_its_order_and_by_more_conditions(ann):
    for title, tags in (("b", ["home"]), ("c", ["home"]), ("a", ["home"]), ("d", [])):
        ann.create(title=title, tags=tags)
    view = made(ann, filter={"tags": ["home"]}, orderBy=BY_TITLE)["id"]
    reverse = {"field": "TITLE", "direction": "DESC"}

    assert listed(ann, viewId=view) == ["a", "b", "c"]
    assert listed(ann, viewId=view, filter={"search": "b"}) == ["b"]
    assert listed(ann, viewId=view, orderBy=reverse) == ["c", "b", "a"]
    rest = ann.rest("GET", f"/api/v1/tasks?view={view}")
    assert [each["title"] for each in rest.json] == ["a", "b", "c"]
    narrowed = ann.rest("GET", f"/api/v1/tasks?view={view}&search=c&limit=1")
    assert [each["title"] for each in narrowed.json] == ["c"]


def test_a_cursor_of_a_view_holds_until_the_view_is_changed(ann):
    for title in ("a", "b", "c"):
        ann.create(title=title, tags=["home"])
    view = made(ann, filter={"tags": ["home"]}, orderBy=BY_TITLE)["id"]
    page = ann.graphql(TASKS, viewId=view, first=1)["data"]["tasks"]
    after = page["pageInfo"]["endCursor"]

    second = ann.graphql(TASKS, viewId=view, first=1, after=after)["data"]["tasks"]["nodes"]
    ann.graphql(CHANGE, input={"id": view, "filter": None})
    stale = ann.graphql(TASKS, viewId=view, first=1, after=after)

    assert second == [{"title": "b"}]
    assert extensions(stale)["field"] == "after"


def test_a_view_of_a_project_that_is_gone_says_so_where_it_is_shown_and_used(ann):
    gone, kept = (
        ann.rest("POST", "/api/v1/projects", json={"name": name}).json["project_id"]
        for name in ("gone", "kept")
    )
    view = made(ann, filter={"projectIds": [gone, kept]})
    ann.rest("DELETE", f"/api/v1/projects/{gone}", json={"tasks": "keep"})

    [shown] = ann.graphql(VIEWS)["data"]["views"]
    used = extensions(ann.graphql(TASKS, viewId=view["id"]))
    rest = ann.rest("GET", f"/api/v1/tasks?view={view['id']}")

    assert (view["missingProjectIds"], shown["missingProjectIds"]) == ([], [gone])
    assert (used["code"], used["field"]) == ("NOT_FOUND", "viewId")
    assert used["missingProjectIds"] == [gone]
    assert (rest.status_code, rest.json["missing_project_ids"]) == (404, [gone])
    ann.graphql(CHANGE, input={"id": view["id"], "filter": {"projectIds": [kept]}})
    assert listed(ann, viewId=view["id"]) == []


def test_a_view_is_changed_and_deleted_at_its_expected_version(ann):
    view = made(ann, filter={"tags": ["home"]})
    change = {"id": view["id"], "name": "In town"}

    late = ann.graphql(CHANGE, input={**change, "expectedVersion": 2})
    changed = ann.graphql(CHANGE, input={**change, "expectedVersion": 1})
    same = ann.graphql(CHANGE, input=change)["data"]["updateView"]["view"]
    refused = ann.rest("DELETE", f"/api/v1/views/{view['id']}", headers={"If-Match": '"1"'})
    deleted = ann.rest("DELETE", f"/api/v1/views/{view['id']}")

    assert codes(late) == ["CONFLICT"]
    assert changed["data"]["updateView"]["view"] == {**view, "name": "In town", "version": 2}
    assert same["version"] == 2
    assert (refused.status_code, deleted.status_code) == (412, 200)
    assert deleted.json == {"message": "View deleted successfully", "view_id": view["id"]}
    assert ann.graphql(VIEWS)["data"]["views"] == []
    assert codes(ann.graphql(DELETE, input={"id": view["id"]})) == ["NOT_FOUND"]
    assert codes(ann.graphql(TASKS, viewId=view["id"])) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "x", "filter": {"tags": ["x"] * 10, "search": "y" * 201}}, "search"),
    ],
)
def test_what_a_view_cannot_be_is_refused_by_the_name_of_its_field(ann, values, field):
    graphql = extensions(ann.graphql(CREATE, input=values))
    rest = ann.rest("POST", "/api/v1/views", json=values)

    assert (graphql["code"], graphql["field"]) == ("BAD_USER_INPUT", field)
    assert (rest.status_code, rest.json["field"]) == (400, field)
    assert ann.graphql(VIEWS)["data"]["views"] == []


@pytest.mark.parametrize(
    ("values", "field", "at"),
    [
        ({"order_by": {"field": "size", "direction": "asc"}}, "field", "order_by.field"),
        ({"order_by": {"field": "title"}}, "direction", "order_by.direction"),
        ({"order_by": {"field": "title", "way": "asc"}}, "way", "order_by.way"),
        ({"order_by": "title"}, "order_by", None),
        ({"filter": {"status": ["late"]}}, "status", "filter.status[0]"),
        ({"filter": {"tag": "home"}}, "tag", "filter.tag"),
        ({"filter": {"ids": [1]}}, "ids", "filter.ids[0]"),
    ],
)
def test_rest_names_what_is_wrong_with_a_view_as_its_body_has_it(ann, values, field, at):
    refused = ann.rest("POST", "/api/v1/views", json={"name": "Errands", **values})

    assert (refused.status_code, refused.json["field"], refused.json.get("at")) == (400, field, at)
    assert field in refused.json["detail"]
    assert ann.rest("GET", "/api/v1/views").json == []


def test_a_user_has_a_bounded_number_of_views_and_nobody_else_s(ann, bob, monkeypatch):
    monkeypatch.setattr(store, "MAX_VIEWS", 2)
    first, second = (made(ann, name) for name in ("a", "b"))

    many = ann.rest("POST", "/api/v1/views", json={"name": "c"})
    ann.graphql(DELETE, input={"id": first["id"]})
    again = ann.rest("POST", "/api/v1/views", json={"name": "c"})

    assert (many.status_code, again.status_code) == (409, 201)
    assert again.headers["Location"] == f"/api/v1/views/{again.json['view_id']}"
    assert codes(bob.graphql(TASKS, viewId=second["id"])) == ["NOT_FOUND"]
    assert codes(bob.graphql(DELETE, input={"id": second["id"]})) == ["NOT_FOUND"]
    assert bob.rest("GET", f"/api/v1/views/{second['id']}").status_code == 404
    assert bob.rest("GET", "/api/v1/views").json == []


def test_a_webhook_takes_the_filter_of_a_view(ann):
    view = made(ann, filter={"tags": ["home"]})["id"]
    days = made(ann, filter={"dueWithinDays": 1})["id"]
    url = "https://example.com/hook"

    hook = ann.graphql(HOOK, input={"url": url, "viewId": view})
    lasting = extensions(ann.graphql(HOOK, input={"url": url, "viewId": days}))
    both = extensions(ann.graphql(HOOK, input={"url": url, "viewId": view, "filter": {}}))

    assert hook["data"]["createWebhook"]["webhook"]["filter"] == {"tags": ["home"]}
    assert (lasting["code"], lasting["field"]) == ("BAD_USER_INPUT", "filter")
    assert (both["code"], both["field"]) == ("BAD_USER_INPUT", "viewId")


def test_views_are_read_whole_whatever_is_in_them(ann):
    name = json.loads('"\\ud83d\\udc69 \\u202b"')
    view = made(ann, name, filter={"or": []})

    assert listed(ann, viewId=view["id"]) == []
    assert ann.rest("GET", "/api/v1/views").json[0]["filter"]["or"] == []


def test_a_number_is_no_id_in_rest(ann):
    answer = ann.rest("POST", "/api/v1/views", json={"name": "x", "filter": {"parent_id": 0}})

    assert (answer.status_code, answer.json["field"]) == (400, "parent_id")
    assert ann.rest("GET", "/api/v1/views").json == []
