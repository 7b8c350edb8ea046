"""The edges of rules, and what is refused, through GraphQL and REST alike."""

import pytest
from conftest import CREATE, codes

PREVIEW = """query ($input: RecurrenceInput!, $at: DateTime, $on: Date) {
  recurrencePreview(input: $input, dueAt: $at, dueOn: $on, first: 3) { on } }"""
SKIP = {"monthEnd": "SKIP"}
WEEK_53 = "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH"
AT, ON = "2090-03-20T08:00:00Z", "2090-03-20"  # a Monday


@pytest.mark.parametrize(
    ("rrule", "due", "options", "days"),
    [
        ("FREQ=YEARLY", "2088-02-29", {}, ["2088-02-29", "2089-02-28", "2090-02-28"]),
        ("FREQ=YEARLY", "2092-02-29", SKIP, ["2092-02-29", "2096-02-29", "2104-02-29"]),
        ("FREQ=MONTHLY", "2090-01-31", {}, ["2090-01-31", "2090-02-28", "2090-03-31"]),
        ("FREQ=MONTHLY", "2090-01-31", SKIP, ["2090-01-31", "2090-03-31", "2090-05-31"]),
        (WEEK_53, "2026-12-31", {}, ["2026-12-31", "2032-12-30", "2037-12-31"]),
        ("FREQ=DAILY;UNTIL=20900321", ON, {}, [ON, "2090-03-21"]),
        ("FREQ=DAILY;UNTIL=20900321T080000Z", AT, {}, [ON, "2090-03-21"]),
        ("FREQ=DAILY;UNTIL=20900321T075959Z", AT, {}, [ON]),
        ("FREQ=DAILY;COUNT=1", ON, {}, [ON]),
    ],
)  # fmt: skip
def test_a_rule_goes_to_its_edges_and_no_further(ann, rrule, due, options, days):
    first = {"at": due} if "T" in due else {"on": due}
    given = {"rrule": rrule, "timezone": "UTC", **options}
    shown = ann.graphql(PREVIEW, input=given, **first)["data"]["recurrencePreview"]

    assert [each["on"] for each in shown] == days


@pytest.mark.parametrize(
    ("rule", "due", "field"),
    [
        ({"rrule": "FREQ=SECONDLY"}, {"dueAt": AT}, "rrule"),
        ({"rrule": "FREQ=MINUTELY"}, {"dueAt": AT}, "rrule"),
        ({"rrule": "FREQ=HOURLY"}, {"dueAt": AT}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=1001"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20910101"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "RSCALE=GREGORIAN;FREQ=DAILY"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=MONTHLY;SKIP=BACKWARD"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", **SKIP}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20900319"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYDAY=MO", "anchor": "COMPLETION"}, {"dueOn": ON}, "rrule"),
        ({"rrule": "FREQ=DAILY", "timezone": "Europe/Atlantis"}, {"dueOn": ON}, "timezone"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=TU"}, {"dueOn": ON}, "dueOn"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=TU"}, {"dueAt": AT}, "dueAt"),
        ({"rrule": "FREQ=DAILY"}, {"dueAt": AT, "dueOn": ON}, "dueOn"),
        ({"rrule": "FREQ=DAILY"}, {}, "dueAt"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_by_both_and_nothing_is_written(ann, rule, due, field):
    by_graphql = ann.graphql(CREATE, input={"title": "x", **due, "recurrence": rule})
    names = {"dueAt": "due_at", "dueOn": "due_on", "monthEnd": "month_end"}
    body = {names[name]: value for name, value in due.items()}
    given = {
        names.get(n, n): v.lower() if n in {"monthEnd", "anchor"} else v for n, v in rule.items()
    }
    by_rest = ann.rest("POST", "/api/v1/tasks", json={"title": "x", **body, "recurrence": given})

    assert codes(by_graphql) == ["BAD_USER_INPUT"]
    assert by_graphql["errors"][0]["extensions"]["field"] == field
    assert (by_rest.status_code, by_rest.json["field"]) == (400, names.get(field, field))
    assert ann.rest("GET", "/api/v1/tasks").json == []
    assert ann.rest("GET", "/api/v1/changes").json["nodes"] == []


def test_what_cannot_be_skipped_or_completed_again_is_told_by_rest_too(ann):
    task = ann.rest("POST", "/api/v1/tasks", json={"title": "x"}).json
    path = f"/api/v1/tasks/{task['task_id']}"
    skipped = ann.rest("POST", f"{path}/skip")
    ann.rest("POST", f"{path}/complete")
    again = ann.rest("POST", f"{path}/complete")

    assert (skipped.status_code, skipped.json["field"]) == (400, "task_id")
    assert (again.status_code, again.json["code"]) == (409, "CONFLICT")
    assert again.json["field"] == "task_id"
    assert ann.rest("GET", path).json["version"] == 2
