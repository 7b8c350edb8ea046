"""A plan leaves time for what comes again, although there is no task of it yet."""

import pytest
from conftest import UPDATE
from test_due_days import move_to
from test_series import data, recurring

PREVIEW = """query ($input: PlanInput!) { planPreview(input: $input) {
  inputHash blocks { title start reasons { text taskIds } } unplaced { taskId }
  upcoming { taskId seriesId title on start end part parts } versions { task } } }"""
APPLY = """mutation ($input: PlanApplyInput!) {
  planApply(input: $input) { applied unchanged conflicts } }"""
MONDAY = {"from": "2090-03-20T08:00:00Z", "horizonDays": 7}
WORK = {"durationMinutes": 60}


def preview(person, **options):
    return data(person.graphql(PREVIEW, input={**MONDAY, **options}))


@pytest.fixture
def daily(ann):
    """A task of every weekday at noon, for an hour."""
    rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    return recurring(ann, rule, "2090-03-20T12:00:00Z", zone="UTC", task=WORK)


def test_each_occurrence_has_its_time_before_it_is_due(ann, daily):
    plan = preview(ann)

    assert [block["start"] for block in plan["blocks"]] == ["2090-03-20T09:00:00.000Z"]
    assert [(each["on"], each["start"][:13]) for each in plan["upcoming"]] == [
        ("2090-03-21", "2090-03-20T13"),  # as soon as the one before has been due
        ("2090-03-22", "2090-03-21T13"),
        ("2090-03-23", "2090-03-22T13"),
        ("2090-03-24", "2090-03-23T13"),
        ("2090-03-27", "2090-03-24T13"),
    ]
    shown = plan["upcoming"][0]
    assert (shown["taskId"], shown["seriesId"]) == (daily["id"], daily["series"]["id"])
    assert (shown["title"], shown["part"], shown["parts"]) == ("Water plants", 1, 1)
    assert plan["versions"] == [{"task": daily["id"]}]


def test_what_is_due_on_a_day_is_planned_on_it(ann):
    move_to(ann, "Europe/Berlin")
    recurring(ann, "FREQ=DAILY", None, task={**WORK, "dueOn": "2090-03-20"})

    starts = [(each["on"], each["start"]) for each in preview(ann)["upcoming"]]

    assert starts[:2] == [
        ("2090-03-21", "2090-03-21T08:00:00.000Z"),
        ("2090-03-22", "2090-03-22T08:00:00.000Z"),
    ]


def test_others_are_planned_around_them_and_reasons_name_tasks(ann, daily):
    other = {"title": "x", "durationMinutes": 60, "priority": "LOW"}
    ann.create(**other, notBefore="2090-03-20T13:00:00Z", dueAt="2090-03-24T12:00:00Z")

    plan = preview(ann)
    [block] = [each for each in plan["blocks"] if each["title"] == "x"]

    assert block["start"] == "2090-03-20T14:00:00.000Z"
    assert block["reasons"][0] == {
        "text": "Earlier free time goes to “Water plants”.",
        "taskIds": [daily["id"]],
    }


def test_a_plan_is_the_same_again_and_knows_the_rule(ann, daily):
    first, again = preview(ann), preview(ann)
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=MO,TU", "timezone": "UTC"}
    ann.graphql(
        "mutation ($i: UpdateSeriesInput!) { updateSeries(input: $i) { series { id } } }",
        i={"id": daily["series"]["id"], "recurrence": rule},
    )
    changed = preview(ann)

    assert first == again
    assert changed["inputHash"] != first["inputHash"]
    assert [each["on"] for each in changed["upcoming"]] == ["2090-03-21", "2090-03-27"]


def test_applying_a_plan_writes_the_task_alone(ann, daily):
    plan = preview(ann)
    written = data(ann.graphql(APPLY, input={**MONDAY, "inputHash": plan["inputHash"]}))
    by_rest = ann.rest("POST", "/api/v1/plan/preview", json={"from": MONDAY["from"]}).json

    assert written == {"applied": [daily["id"]], "unchanged": [], "conflicts": []}
    assert by_rest["upcoming"][0]["series_id"] == daily["series"]["id"]


@pytest.mark.parametrize("begun", ["2090-03-01T12:00:00Z", "2040-03-01T12:00:00Z"])
def test_what_has_gone_by_is_planned_as_it_will_be_made(ann, begun):
    recurring(ann, "FREQ=DAILY", begun, zone="UTC", task=WORK)

    coming = [each["on"] for each in preview(ann, horizonDays=2)["upcoming"]]

    assert coming == ["2090-03-19", "2090-03-20", "2090-03-21", "2090-03-22"]


@pytest.mark.parametrize("change", [{"durationMinutes": None}, {"recurrence": None}])
def test_what_is_not_planned_or_comes_no_more_takes_no_time(ann, daily, change):
    ann.graphql(UPDATE, input={"id": daily["id"], **change})

    assert preview(ann)["upcoming"] == []


def test_a_plan_of_recurring_tasks_takes_one_call_more(ann, calls):
    ann.create(title="x", **WORK)
    calls.clear()
    preview(ann)
    plain = len(calls)
    for _ in range(2):
        recurring(ann, task=WORK)
    calls.clear()
    preview(ann)

    assert len(calls) == plain + 1
