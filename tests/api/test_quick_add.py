"""Quick add by GraphQL and by REST: what a text is read as, and the task that it becomes."""

import pytest
from conftest import codes

pytestmark = pytest.mark.core

PREVIEW = """
  query ($text: String!, $timezone: String, $now: DateTime) {
    quickAddPreview(text: $text, timezone: $timezone, now: $now) {
      title dueAt dueOn recurrence { rrule timezone anchor monthEnd missed exDates }
      tags priority projectId durationMinutes
      spans { start end kind text } ambiguities
    }
  }
"""
PATH = "/api/v1/quick-add/preview"
NOW = "2026-11-25T09:00:00Z"
TEXT = "Pay rent tomorrow 17:00 every month #home !high ~30m @flat"


def preview(person, text, **options):
    return person.graphql(PREVIEW, text=text, **{"now": NOW, **options})


def project(person, name="Flat"):
    asked = "mutation ($name: String!) { createProject(input: {name: $name}) { project { id } } }"
    return person.graphql(asked, name=name)["data"]["createProject"]["project"]["id"]


def test_a_text_is_read_as_a_task_without_a_write(ann, calls):
    flat = project(ann)
    calls.clear()
    body = preview(ann, TEXT, timezone="Europe/Berlin")
    assert calls == ["GetItem", "Query"]  # the settings, and the projects for @
    assert body["data"]["quickAddPreview"] == {
        "title": "Pay rent",
        "dueAt": "2026-11-26T16:00:00.000Z",
        "dueOn": None,
        "recurrence": {
            "rrule": "FREQ=MONTHLY",
            "timezone": "Europe/Berlin",
            "anchor": "SCHEDULED",
            "monthEnd": "LAST_VALID_DAY",
            "missed": "KEEP_ONE",
            "exDates": [],
        },
        "tags": ["home"],
        "priority": "HIGH",
        "projectId": flat,
        "durationMinutes": 30,
        "spans": [
            {"start": 9, "end": 17, "kind": "DATE", "text": "tomorrow"},
            {"start": 18, "end": 23, "kind": "TIME", "text": "17:00"},
            {"start": 24, "end": 35, "kind": "RECURRENCE", "text": "every month"},
            {"start": 36, "end": 41, "kind": "TAG", "text": "#home"},
            {"start": 42, "end": 47, "kind": "PRIORITY", "text": "!high"},
            {"start": 48, "end": 52, "kind": "DURATION", "text": "~30m"},
            {"start": 53, "end": 58, "kind": "PROJECT", "text": "@flat"},
        ],
        "ambiguities": [],
    }


def test_rest_shows_the_same(ann):
    shown = ann.rest("GET", f"{PATH}?text=Buy%20%F0%9F%A5%9B%2012/11%20!low&now={NOW}").json
    assert shown == {
        "title": "Buy 🥛",
        "due_at": None,
        "due_on": "2026-12-11",
        "recurrence": None,
        "tags": [],
        "priority": "low",
        "project_id": None,
        "duration_minutes": None,
        "spans": [
            {"start": 6, "end": 11, "kind": "date", "text": "12/11"},
            {"start": 12, "end": 16, "kind": "priority", "text": "!low"},
        ],
        "ambiguities": ["“12/11” read as Friday, 11 December 2026."],
    }


def test_the_settings_say_how_dates_are_read(ann):
    changed = ann.graphql(
        "mutation { updateSettings(input: {dateOrder: DAY_FIRST, firstWeekday: SUNDAY,"
        ' timezone: "Asia/Tokyo"}) { settings { dateOrder firstWeekday } } }'
    )
    assert changed["data"]["updateSettings"]["settings"] == {
        "dateOrder": "DAY_FIRST",
        "firstWeekday": "SUNDAY",
    }
    texts = ["Pay 12/11", "Plan next week", "Call 17:00"]
    found = [preview(ann, text)["data"]["quickAddPreview"] for text in texts]
    assert [each["dueOn"] or each["dueAt"] for each in found] == [
        "2027-11-12",
        "2026-11-29",
        "2026-11-26T08:00:00.000Z",  # in Tokyo it is six in the evening
    ]


def test_settings_of_rest_have_both_too(ann):
    path = "/api/v1/settings"
    changed = {"date_order": "day_first", "first_weekday": "saturday"}
    assert ann.rest("PATCH", path, json=changed).json.items() >= changed.items()
    cleared = ann.rest("PATCH", path, json=dict.fromkeys(changed)).json
    assert (cleared["date_order"], cleared["first_weekday"]) == ("month_first", "monday")


@pytest.mark.parametrize(
    ("text", "options", "field"),
    [
        ("x" * 501, {}, "text"),
        ("", {}, "text"),
        ("Call", {"timezone": "Mars/Olympus"}, "timezone"),
        ("Call", {"now": "1900-01-01T00:00:00Z"}, "now"),
    ],
)
def test_what_cannot_be_read_names_the_field(ann, text, options, field):
    body = preview(ann, text, **options)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert body["errors"][0]["extensions"]["field"] == field


def test_archived_projects_and_those_of_others_are_not_found(ann, bob):
    project(bob)
    own = project(ann, "Garden")
    ann.graphql(
        "mutation ($id: ID!) { archiveProject(input: {id: $id}) { project { id } } }", id=own
    )
    for name in ("flat", "garden"):
        found = preview(ann, f"Dig @{name}")["data"]["quickAddPreview"]
        assert (found["title"], found["projectId"]) == (f"Dig @{name}", None)


def test_nobody_reads_without_a_token(api):
    assert api.rest("GET", f"{PATH}?text=x").status_code == 401
    assert codes(api.graphql(PREVIEW, text="x")) == ["UNAUTHENTICATED"]


ADD = """
  mutation ($input: QuickAddInput!) {
    quickAdd(input: $input) {
      task {
        id title dueAt dueOn tags priority projectId durationMinutes
        series { rrule timezone }
      }
      quickAdd {
        title dueAt dueOn tags priority projectId durationMinutes
        recurrence { rrule timezone }
      }
    }
  }
"""
TEXTS = (
    TEXT,
    "Miete zahlen am 15. jedes Monats ~2std",
    "Water plants every day until 24 December 7:00",
    "sprint 42 monday 9am review",
    "Report every last friday #work",
    "Call Bob next friday",
)  # fmt: skip


def add(person, text, **options):
    return person.graphql(ADD, input={"text": text, "now": NOW, **options})


@pytest.mark.parametrize("text", TEXTS)
def test_the_task_is_what_the_preview_has_shown(ann, text):
    project(ann)
    shown = preview(ann, text, timezone="Europe/Berlin")["data"]["quickAddPreview"]
    found = add(ann, text, timezone="Europe/Berlin")["data"]["quickAdd"]
    task = found["task"]
    recurrence, series = shown.pop("recurrence"), task.pop("series")
    assert series == (recurrence and {n: recurrence[n] for n in ("rrule", "timezone")})
    task["priority"] = task["priority"] if shown["priority"] else None  # its default
    kept = {name: shown[name] for name in found["quickAdd"] if name != "recurrence"}
    assert kept == {name: value for name, value in task.items() if name != "id"}
    assert kept == {name: found["quickAdd"][name] for name in kept}


def test_rest_creates_it_too(ann):
    created = ann.rest("POST", "/api/v1/quick-add", json={"text": "Pay 12/11 #home", "now": NOW})
    assert created.status_code == 201
    task = created.json["task"]
    assert (task["title"], task["due_on"], task["tags"]) == ("Pay", "2026-12-11", ["home"])
    assert created.json["quick_add"]["spans"][0]["text"] == "12/11"
    assert ann.rest("GET", created.headers["Location"]).json == task


def test_a_key_goes_with_the_text_whatever_day_it_is(ann):
    first = add(ann, "Call tomorrow", idempotencyKey="k")["data"]["quickAdd"]["task"]
    again = add(ann, "Call tomorrow", idempotencyKey="k", now="2026-11-26T09:00:00Z")
    assert again["data"]["quickAdd"]["task"] == first
    assert codes(add(ann, "Call today", idempotencyKey="k")) == ["CONFLICT"]
    assert codes(add(ann, "Call tomorrow", idempotencyKey="k", timezone="Asia/Tokyo")) == [
        "CONFLICT"
    ]


def test_a_refused_text_creates_nothing(ann):
    before = ann.rest("GET", "/api/v1/tasks").json
    for text in ("x" * 501, "", "x" * 201 + " tomorrow"):
        refused = add(ann, text)
        assert (codes(refused), refused["errors"][0]["extensions"]["field"]) == (
            ["BAD_USER_INPUT"],
            "text",
        )
    assert codes(add(ann, "Call", idempotencyKey="")) == ["BAD_USER_INPUT"]
    assert ann.rest("GET", "/api/v1/tasks").json == before
