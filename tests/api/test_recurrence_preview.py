"""A recurrence is seen before anything is saved, by GraphQL and by REST."""

import pytest
from conftest import codes

pytestmark = pytest.mark.core

PREVIEW = """
  query ($input: RecurrenceInput!, $dueAt: DateTime, $dueOn: Date, $first: Int) {
    recurrencePreview(input: $input, dueAt: $dueAt, dueOn: $dueOn, first: $first) {
      on at status adjustedFor
    }
  }
"""
PATH = "/api/v1/recurrence-preview"
RULE = "FREQ=MONTHLY;BYMONTHDAY=31"


def preview(person, rrule, *, first=None, dueAt=None, dueOn=None, **options):  # noqa: N803 - GraphQL's names
    given = {"input": {"rrule": rrule, **options}, "dueAt": dueAt, "dueOn": dueOn, "first": first}
    return person.graphql(PREVIEW, **given)


def test_graphql_and_rest_show_the_same_without_a_write(ann, calls):
    ann.graphql(
        'mutation { updateSettings(input: {timezone: "Europe/Berlin"}) { settings { timezone } } }'
    )
    calls.clear()
    body = preview(ann, RULE, dueAt="2026-01-31T01:30:00Z", first=3)
    assert calls == ["GetItem"]
    found = body["data"]["recurrencePreview"]
    assert [tuple(each.values()) for each in found] == [
        ("2026-01-31", "2026-01-31T01:30:00.000Z", "UPCOMING", None),
        ("2026-02-28", "2026-02-28T01:30:00.000Z", "UPCOMING", "MONTH_END"),
        ("2026-03-31", "2026-03-31T00:30:00.000Z", "UPCOMING", None),
    ]
    query = f"rrule={RULE}&due_at=2026-01-31T01:30:00Z&limit=2".replace(";", "%3B")
    days = ann.rest("GET", f"{PATH}?{query}").json
    assert days[1] == {
        "on": "2026-02-28",
        "at": "2026-02-28T01:30:00.000Z",
        "status": "upcoming",
        "adjusted_for": "month_end",
    }
    assert len(days) == 2


def test_whole_days_need_no_time_of_day(ann):
    body = preview(ann, "FREQ=WEEKLY", dueOn="2026-12-24", first=2, exDates=["2026-12-31"])
    assert [(each["on"], each["at"]) for each in body["data"]["recurrencePreview"]] == [
        ("2026-12-24", None), ("2027-01-07", None)
    ]  # fmt: skip


def test_ten_come_unless_said_otherwise(ann):
    body = ann.graphql(
        '{ recurrencePreview(input: {rrule: "FREQ=DAILY"}, dueOn: "2026-12-24") { on } }'
    )
    assert len(body["data"]["recurrencePreview"]) == 10


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"rrule": "FREQ=HOURLY", "dueOn": "2026-12-24"}, "rrule"),
        ({"rrule": "FREQ=DAILY", "dueOn": "2026-12-24", "timezone": "Mars/Olympus"}, "timezone"),
        ({"rrule": "FREQ=DAILY", "dueOn": "2026-12-24", "exDates": ["2026-12-24"]}, "exDates"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO", "dueOn": "2026-12-24"}, "dueOn"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO", "dueAt": "2026-12-24T09:00:00Z"}, "dueAt"),
        ({"rrule": "FREQ=DAILY", "dueOn": "2026-12-24", "dueAt": "2026-12-24T09:00:00Z"}, "dueOn"),
        ({"rrule": "FREQ=DAILY"}, "dueAt"),
        ({"rrule": "FREQ=DAILY", "dueOn": "0001-01-01"}, "dueOn"),
        ({"rrule": "FREQ=DAILY", "dueAt": "9999-12-31T23:59:59Z"}, "dueAt"),
        (
            {"rrule": "FREQ=DAILY", "dueAt": "9999-12-31T23:59:59Z", "timezone": "Asia/Tokyo"},
            "dueAt",
        ),
        ({"rrule": "FREQ=DAILY", "dueOn": "2026-12-24", "first": 101}, "first"),
    ],
)
def test_what_cannot_be_names_its_field(ann, given, field):
    body = preview(ann, **given)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert body["errors"][0]["extensions"]["field"] == field


def test_rest_names_the_parameter(ann):
    response = ann.rest("GET", f"{PATH}?rrule=FREQ=HOURLY&due_on=2026-12-24")
    assert (response.status_code, response.json["field"]) == (400, "rrule")


def test_a_preview_needs_a_login(api):
    assert codes(preview(api, "FREQ=DAILY", dueOn="2026-12-24")) == ["UNAUTHENTICATED"]
