"""Saved views where they are followed: in calendar feeds and in the change feed."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest
from conftest import UPDATE
from test_views import CHANGE, DELETE, extensions, made

FEED = """mutation ($input: CreateCalendarFeedInput!) {
  createCalendarFeed(input: $input) { feed { id viewId } url } }"""
CHANGES = """query ($viewId: ID, $after: String) {
  changes(viewId: $viewId, after: $after) { nodes { kind taskId } endCursor hasMore } }"""
TOMORROW = (datetime.now(UTC) + timedelta(1)).isoformat().replace("+00:00", "Z")
LATER = (datetime.now(UTC) + timedelta(1, hours=1)).isoformat().replace("+00:00", "Z")
HOME = {"filter": {"or": [{"tags": ["home"]}, {"search": "everywhere"}]}}


def feed(person, view_id, **more):
    fields = {"name": "Mine", "content": ["BLOCKS", "DUE"], "viewId": view_id, **more}
    return person.graphql(FEED, input=fields)


def titles(api, path):
    answer = api.rest("GET", path)
    assert answer.status_code == 200
    events = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    return sorted(str(event["SUMMARY"]) for event in events)


def without_project(person) -> tuple[str, str]:
    """A view that names a project which is gone, and that project."""
    project = person.rest("POST", "/api/v1/projects", json={"name": "x"}).json["project_id"]
    view = made(person, filter={"projectIds": [project]})["id"]
    person.rest("DELETE", f"/api/v1/projects/{project}", json={"tasks": "keep"})
    return view, project


def test_a_calendar_has_what_its_view_has_whenever_it_is_read(ann, api):
    planned = {"plannedStart": TOMORROW, "plannedEnd": LATER}
    ann.create(title="Block", tags=["home"], **planned)
    ann.create(title="Due", tags=["Home"], dueAt=TOMORROW)
    ann.create(title="Due everywhere", dueAt=TOMORROW)
    ann.create(title="Other block", **planned)
    ann.create(title="Other due", dueAt=TOMORROW)
    view = made(ann, **HOME)["id"]

    made_feed = feed(ann, view)["data"]["createCalendarFeed"]
    path = urlsplit(made_feed["url"]).path
    before = titles(api, path)
    ann.graphql(CHANGE, input={"id": view, "filter": {"not": HOME["filter"]}})
    after = titles(api, path)
    ann.graphql(DELETE, input={"id": view})
    gone = api.rest("GET", path)

    assert made_feed["feed"]["viewId"] == view
    assert before == ["Block", "Due", "Due everywhere"]
    assert after == ["Other block", "Other due"]
    assert (gone.status_code, gone.json["detail"]) == (404, "View not found or access denied")


def test_a_feed_of_a_view_that_cannot_be_used_is_not_made(ann, bob):
    view, project = without_project(ann)
    foreign = made(bob)["id"]

    for each, more in ((view, {"missingProjectIds": [project]}), (foreign, {}), ("none", {})):
        refused = extensions(feed(ann, each))
        rest = ann.rest(
            "POST",
            "/api/v1/calendar-feeds",
            json={"name": "x", "content": ["due"], "view_id": each},
        )
        assert refused == {"code": "NOT_FOUND", "field": "viewId", **more}
        assert (rest.status_code, rest.json["field"]) == (404, "view_id")
    assert ann.rest("GET", "/api/v1/calendar-feeds").json == []


def test_changes_of_a_view_are_those_of_what_matches_or_has_matched(ann, calls):
    other, home = ann.create(title="other"), ann.create(title="home", tags=["home"])
    leaves = ann.create(title="leaves", tags=["home"])
    before = ann.graphql(CHANGES)["data"]["changes"]
    view = made(ann, filter={"tags": ["home"]})["id"]
    ann.graphql(UPDATE, input={"id": leaves["id"], "tags": []})
    ann.graphql(UPDATE, input={"id": other["id"], "title": "still other"})
    gone = ann.create(title="gone")
    ann.rest("DELETE", f"/api/v1/tasks/{gone['id']}")
    calls.clear()

    found = ann.graphql(CHANGES, viewId=view)["data"]["changes"]
    used = list(calls)
    rest = ann.rest("GET", f"/api/v1/changes?view={view}").json
    again = ann.graphql(CHANGES, viewId=view, after=before["endCursor"])["data"]["changes"]

    told = [(each["kind"], each["taskId"]) for each in found["nodes"]]
    assert told == [
        ("TASK_CREATED", home["id"]),
        ("TASK_UPDATED", leaves["id"]),  # which has matched before
        ("TASK_CREATED", gone["id"]),  # of which nobody knows any more whether it has
    ]
    assert [(each["kind"].upper(), each["task_id"]) for each in rest["nodes"]] == told
    assert [(each["kind"], each["taskId"]) for each in again["nodes"]] == told
    assert used.count("BatchGetItem") == 1  # all tasks of the page at once


@pytest.mark.parametrize("first", [100, 1])
def test_changes_tell_what_has_left_a_view_by_several_of_them(ann, first):
    task = ann.create(title="x", tags=["home"], priority="URGENT")["id"]
    other = ann.create(title="y", tags=["home"])["id"]
    view = made(ann, filter={"tags": ["home"], "priority": ["URGENT"]})["id"]
    after = ann.graphql(CHANGES)["data"]["changes"]["endCursor"]
    for fields in ({"tags": []}, {"priority": "LOW"}, {"title": "x, but later"}):
        ann.graphql(UPDATE, input={"id": task, **fields})
    ann.graphql(UPDATE, input={"id": other, "title": "still other"})

    told, more = [], True
    while more:
        page = ann.rest("GET", f"/api/v1/changes?view={view}&after={after}&limit={first}").json
        told += [(each["task_id"], each["fields"]) for each in page["nodes"]]
        after, more = page["end_cursor"], page["has_more"]

    assert (task, ["tags"]) in told
    assert {each for each, _ in told} == {task}


def test_changes_of_a_view_that_cannot_be_used_say_so(ann, bob):
    view, project = without_project(ann)
    foreign = made(bob)["id"]

    for each, more in ((view, {"missingProjectIds": [project]}), (foreign, {})):
        assert extensions(ann.graphql(CHANGES, viewId=each)) == {
            "code": "NOT_FOUND",
            "field": "viewId",
            **more,
        }
        for path in ("/api/v1/changes", "/api/v1/events"):
            rest = ann.rest("GET", f"{path}?view={each}")
            assert (rest.status_code, rest.json["field"]) == (404, "view")


@pytest.mark.parametrize(
    ("filter", "asked"),
    [({"ready": True}, 1), ({"dueWithinDays": 3}, 1), ({}, 0)],
)
def test_a_feed_reads_only_what_its_filter_has_to_know(ann, api, calls, filter, asked):
    plain = urlsplit(feed(ann, made(ann)["id"])["data"]["createCalendarFeed"]["url"]).path
    asks = feed(ann, made(ann, filter=filter)["id"])["data"]["createCalendarFeed"]["url"]
    calls.clear()
    titles(api, plain)
    least = len(calls)
    titles(api, urlsplit(asks).path)

    assert len(calls) - 2 * least == asked
