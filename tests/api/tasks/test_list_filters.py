"""Filters as both APIs have them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import TASKS, codes

from graphql_api import clock
from graphql_api.domain.tasks.filters import MAX_FILTER_TAGS, MAX_LEAVES, MAX_LEVELS

SETTINGS = "mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) { __typename }}"
HOUR = timedelta(hours=1)
OLD = "2020-01-01T00:00:00Z"


def listed(person, **only):
    answer = person.graphql(TASKS, filter=only)
    assert "errors" not in answer, answer
    page = answer["data"]["tasks"]
    assert page["totalCount"] == len(page["nodes"])
    return [task["title"] for task in page["nodes"]]


def by_rest(person, query):
    return [task["title"] for task in person.rest("GET", f"/api/v1/tasks?{query}").json]


@pytest.fixture
def home(ann):
    """Some tasks of a life, the newest first."""
    past, soon = (clock.text(clock.now() + hours * HOUR) for hours in (-2, 1))
    ann.create(title="wash", tags=["home"])
    ann.create(title="post", tags=["errands"], dueAt=past)
    ann.create(title="parts", tags=["errands", "waiting"], notBefore=soon)
    ann.create(title="taxes", status="COMPLETED", dueAt=past)
    ann.create(title="sleep", plannedStart=soon, plannedEnd=soon)
    return ann


@pytest.mark.parametrize(
    ("only", "query", "titles"),
    [
        ({"overdue": True}, "overdue=true", ["post"]),
        ({"overdue": False}, "overdue=false", ["sleep", "taxes", "parts", "wash"]),
        ({"noDue": True}, "no_due=true", ["sleep", "parts", "wash"]),
        ({"noTags": True}, "no_tags=true", ["sleep", "taxes"]),
        ({"noTags": False}, "no_tags=false", ["parts", "post", "wash"]),
        (
            {"tagsAll": ["waiting", "errands"]},
            "tags_all=waiting&tags_all=errands",
            ["parts"],
        ),
        ({"tagsAll": []}, "", ["sleep", "taxes", "parts", "post", "wash"]),
        ({"ready": True}, "ready=true", ["sleep", "post", "wash"]),
        ({"completedAfter": OLD}, f"completed_after={OLD}", ["taxes"]),
        ({"plannedAfter": OLD}, f"planned_after={OLD}", ["sleep"]),
        ({"createdBefore": OLD}, f"created_before={OLD}", []),
        ({"updatedBefore": OLD}, f"updated_before={OLD}", []),
    ],
)
def test_flat_conditions_are_the_same_in_both_apis(home, only, query, titles):
    assert listed(home, **only) == titles
    assert by_rest(home, query) == titles


@pytest.mark.parametrize(
    ("only", "titles"),
    [
        ({"tags": ["home", "errands"], "not": {"tags": ["waiting"]}}, ["post", "wash"]),
        ({"or": [{"overdue": True}, {"noTags": True}]}, ["sleep", "taxes", "post"]),
        ({"and": [{"tags": ["errands"]}, {"noDue": True}]}, ["parts"]),
        ({"not": {"or": [{"noTags": True}, {"not": {"search": "P"}}]}}, ["parts", "post"]),
        ({"or": []}, []),
        ({"and": [], "or": None, "not": {}}, []),
        ({"and": None, "not": None}, ["sleep", "taxes", "parts", "post", "wash"]),
    ],
)
def test_filters_stand_within_filters(home, only, titles):
    assert listed(home, **only) == titles


def test_tasks_of_ids_take_one_read_and_are_nobody_elses(home, bob, calls):
    mine, other = home.create(title="mine")["id"], bob.create(title="other")["id"]
    calls.clear()

    answer = home.graphql(
        "query ($ids: [ID!]) { tasks(filter: {ids: $ids}) { nodes { title } } }",
        ids=[mine, other, "x" * 200, ""],
    )

    assert answer["data"]["tasks"]["nodes"] == [{"title": "mine"}]
    assert calls == ["BatchGetItem"]
    assert by_rest(home, f"ids={mine},{other}") == ["mine"]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_days_are_those_of_the_user_s_time_zone(ann, zone):
    ann.graphql(SETTINGS, input={"timezone": zone})
    local = datetime.now(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for days in (0, 1, 2):
        last = midnight + timedelta(days=days, milliseconds=-1)
        ann.create(title=f"last of {days}", dueAt=last.isoformat(timespec="milliseconds"))
        first = midnight + timedelta(days=days)
        ann.create(title=f"first after {days}", dueAt=first.isoformat(timespec="milliseconds"))

    assert listed(ann, dueWithinDays=0) == ["last of 0"]
    assert listed(ann, dueWithinDays=1) == ["last of 1", "first after 0", "last of 0"]
    assert by_rest(ann, "due_within_days=0&sort=due_at") == ["last of 0"]


@pytest.mark.parametrize(
    ("only", "field", "message"),
    [
        (
            {"not": {"not": {"not": {"not": {}}}}},
            "filter",
            f"A filter must have at most {MAX_LEVELS} levels of and, or, not.",
        ),
        (
            {"or": [{"noDue": True}] * (MAX_LEAVES + 1)},
            "filter",
            f"A filter must have at most {MAX_LEAVES} conditions, with those within it.",
        ),
        (
            {"or": [{"tags": [str(n) for n in range(20)]}] * 3},
            "filter",
            f"A filter must have at most {MAX_FILTER_TAGS} tags, with those within it.",
        ),
        ({"ids": [str(n) for n in range(101)]}, "ids", "ids must have at most 100 items."),
        ({"dueWithinDays": -1}, "dueWithinDays", "dueWithinDays must be from 0 to 3660."),
    ],
)
def test_a_filter_that_is_too_large_is_refused_with_the_limit(ann, calls, only, field, message):
    calls.clear()
    answer = ann.graphql(TASKS, filter=only)

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["message"] == message
    assert answer["errors"][0]["extensions"]["field"] == field
    assert calls == []


def test_a_cursor_of_one_filter_is_not_one_of_another(home):
    page = home.graphql(TASKS, first=1, filter={"or": [{"noTags": True}]})["data"]["tasks"]
    cursor = page["pageInfo"]["endCursor"]

    again = home.graphql(TASKS, first=1, after=cursor, filter={"or": [{"noTags": True}]})
    other = home.graphql(TASKS, first=1, after=cursor, filter={"or": [{"noTags": False}]})

    assert [task["title"] for task in again["data"]["tasks"]["nodes"]] == ["taxes"]
    assert codes(other) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("only", [{"not": {}}, {"and": [{"ready": True}]}, {"dueWithinDays": 1}])
def test_the_filter_of_a_webhook_is_flat_and_asks_for_no_day(ann, only):
    answer = ann.graphql(
        "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { __typename } }",
        input={"url": "https://example.com", "filter": only},
    )

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "filter"
