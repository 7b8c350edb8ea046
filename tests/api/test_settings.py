"""A user's settings through both entries."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date, timedelta

import pytest
from conftest import PASSWORD, codes

from graphql_api.api.graphql.settings import MEANINGS
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.urgency import DEFAULTS as DEFAULT_COEFFICIENTS
from graphql_api.infra.dynamodb import ConditionFailed

pytestmark = pytest.mark.core

FIELDS = "timezone workingHours { day intervals { start end } } daysOff"
SETTINGS = f"{{ viewer {{ settings {{ {FIELDS} }} }} }}"
UPDATE = f"""
  mutation ($input: UpdateSettingsInput!) {{
    updateSettings(input: $input) {{ settings {{ {FIELDS} }} }}
  }}
"""
PATH = "/api/v1/settings"
OFFICE = [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "17:00"}]
WORKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
DEFAULTS = {
    "timezone": "UTC",
    "workingHours": [{"day": day, "intervals": OFFICE} for day in WORKDAYS],
    "daysOff": [],
}
BUFFERS = {
    "after_block": 0,
    "around_busy": 0,
    "daily_slack_percent": 20,
    "max_minutes_per_day": 480,
    "break_minutes": 15,
}
NIGHT = {"day": "FRIDAY", "intervals": [{"start": "22:00", "end": "06:00"}]}


def shown(person):
    return person.graphql(SETTINGS)["data"]["viewer"]["settings"]


def update(person, **fields):
    return person.graphql(UPDATE, input=fields)


def test_each_coefficient_of_urgency_has_a_meaning():
    assert set(MEANINGS) == set(asdict(DEFAULT_COEFFICIENTS))


def test_nobody_has_to_set_anything(ann, calls):
    calls.clear()
    assert shown(ann) == DEFAULTS
    assert calls == ["GetItem"]
    assert ann.rest("GET", PATH).json == {
        "timezone": "UTC",
        "working_hours": [{"day": day.lower(), "intervals": OFFICE} for day in WORKDAYS],
        "days_off": [],
        "urgency_coefficients": asdict(DEFAULT_COEFFICIENTS),
        "buffers": BUFFERS,
        "schedules": [],
        "date_order": "month_first",
        "first_weekday": "monday",
    }


def test_a_change_leaves_what_is_absent_and_resets_what_is_null(ann, neighbour, calls):
    calls.clear()
    first = update(ann, timezone="Europe/Berlin", daysOff=["2026-12-25", "2026-12-24"])
    moving = ["GetItem", "Query", "BatchWriteItem"]  # due days, of which there are none
    assert calls == ["GetItem", "TransactWriteItems", *moving]
    calls.clear()
    second = update(ann, workingHours=[NIGHT])
    assert calls == ["GetItem", "PutItem"]
    third = update(ann, timezone=None, workingHours=None)

    berlin = {**DEFAULTS, "timezone": "Europe/Berlin", "daysOff": ["2026-12-24", "2026-12-25"]}
    assert first["data"]["updateSettings"]["settings"] == berlin
    assert second["data"]["updateSettings"]["settings"] == {**berlin, "workingHours": [NIGHT]}
    assert third["data"]["updateSettings"]["settings"] == {
        **DEFAULTS,
        "daysOff": ["2026-12-24", "2026-12-25"],
    }
    assert shown(ann) == third["data"]["updateSettings"]["settings"]
    assert shown(neighbour) == DEFAULTS


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rest_changes_the_same_settings(ann, method):
    night = {"day": "friday", "intervals": NIGHT["intervals"]}

    changed = ann.rest(method, PATH, json={"timezone": "Asia/Tokyo", "working_hours": [night]})

    assert (changed.status_code, changed.json) == (
        200,
        {
            "timezone": "Asia/Tokyo",
            "working_hours": [night],
            "days_off": [],
            "urgency_coefficients": asdict(DEFAULT_COEFFICIENTS),
            "buffers": BUFFERS,
            "schedules": [],
            "date_order": "month_first",
            "first_weekday": "monday",
        },
    )
    assert ann.rest("GET", PATH).json == changed.json
    assert shown(ann) == {**DEFAULTS, "timezone": "Asia/Tokyo", "workingHours": [NIGHT]}


def test_what_settings_show_can_be_sent_back(ann, calls):
    update(ann, timezone="Asia/Tokyo", workingHours=[NIGHT], daysOff=["2026-12-24"])
    settings = ann.rest("GET", PATH).json
    calls.clear()

    assert ann.rest("PUT", PATH, json=settings).json == settings
    assert calls == ["GetItem"]


def day(*pairs, name="MONDAY"):
    intervals = [{"start": start, "end": end} for start, end in pairs]
    return [{"day": name, "intervals": intervals}]


BAD = [
    ("timezone", "Mars/Olympus"),
    ("timezone", "localtime"),
    ("timezone", "Factory"),
    ("timezone", 1),
    ("workingHours", day(("09:00", "12:00"), ("11:00", "13:00"))),
    ("workingHours", day(("12:00", "09:00"), ("13:00", "17:00"))),
    ("workingHours", day(("22:00", "06:00")) + day(("05:00", "09:00"), name="TUESDAY")),
    ("workingHours", day(("09:00", "10:00")) + day(("11:00", "12:00"))),
    ("daysOff", ["2026-02-30"]),
    ("daysOff", ["20261224"]),
    ("daysOff", ["2026-W52-4"]),
    ("daysOff", [None]),
    ("daysOff", [str(date(2026, 1, 1) + timedelta(days=number)) for number in range(367)]),
    ("nope", 1),
]


def outermost(error):
    """The field of the settings at fault, or in which the one at fault lies."""
    return error.get("at", error["field"]).split("[")[0]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_settings_cannot_be_is_refused_by_field_and_nothing_is_written(
    ann, calls, field, value
):
    names = {"workingHours": "working_hours", "daysOff": "days_off"}
    calls.clear()

    graphql = update(ann, **{field: value})
    rest = ann.rest("PUT", PATH, json={names.get(field, field): value})

    assert {outermost(error["extensions"]) for error in graphql["errors"]} == {field}
    assert set(codes(graphql)) == {"BAD_USER_INPUT"}
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert outermost(rest.json) == names.get(field, field)
    assert set(calls) <= {"GetItem"}
    assert shown(ann) == DEFAULTS


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("hours", "field", "at"),
    [
        (day(("9:00", "12:00")), "start", "[0].intervals[0].start"),
        (day(("09:00", "10:00"), ("11:00:00", "12:00")), "start", "[0].intervals[1].start"),
        (day(("09:00", "24:00")), "end", "[0].intervals[0].end"),
        (day(("09:00", 12)), "end", "[0].intervals[0].end"),
        (day() + day(name="SOMEDAY"), "day", "[1].day"),
        ([{"day": "MONDAY"}], "intervals", "[0].intervals"),
        ([*day(), "MONDAY"], "workingHours", "[1]"),
    ],
)
def test_what_hours_cannot_be_is_refused_by_its_own_name_and_place(ann, hours, field, at):
    graphql = update(ann, workingHours=hours)
    rest = ann.rest("PUT", PATH, json={"working_hours": hours})

    [error] = graphql["errors"]
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT",
        "field": field,
        "at": f"workingHours{at}",
    }
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert rest.json["field"] == {"workingHours": "working_hours"}.get(field, field)
    assert rest.json["at"] == f"working_hours{at}"
    assert shown(ann) == DEFAULTS


def test_an_unknown_name_within_hours_is_refused(ann):
    hours = [{"day": "MONDAY", "intervals": [], "note": "x"}]

    graphql = update(ann, workingHours=hours)
    rest = ann.rest("PUT", PATH, json={"working_hours": hours})

    [error] = graphql["errors"]
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT",
        "field": "note",
        "at": "workingHours[0].note",
    }
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert rest.json["field"] == "note"
    assert shown(ann) == DEFAULTS


def test_without_a_token_there_are_no_settings(api):
    assert codes(api.graphql(UPDATE, input={"timezone": "UTC"})) == ["UNAUTHENTICATED"]
    assert [api.rest(method, PATH).status_code for method in ("GET", "PUT")] == [401, 401]


@pytest.mark.concurrent
def test_simultaneous_changes_of_different_settings_are_all_made(app, ann):
    changes = [{"timezone": "Asia/Tokyo"}, {"daysOff": ["2026-12-24"]}, {"workingHours": [NIGHT]}]

    def write(change):
        return app.test_client().post(
            "/graphql",
            json={"query": UPDATE, "variables": {"input": change}},
            headers={"Authorization": f"Bearer {ann.token}"},
        )

    with ThreadPoolExecutor(3) as pool:
        answers = [answer.json for answer in pool.map(write, changes)]

    assert all("errors" not in answer for answer in answers)
    assert shown(ann) == {
        "timezone": "Asia/Tokyo",
        "workingHours": [NIGHT],
        "daysOff": ["2026-12-24"],
    }


def test_a_change_whose_answer_was_lost_is_made_once(ann, monkeypatch):
    replace = SettingsStore.replace
    lost = []

    def lose_the_first_answer(store, before, after, *beside):
        replace(store, before, after, *beside)
        if not lost:
            lost.append(after)
            raise ConditionFailed(maybe_applied=True)

    monkeypatch.setattr(SettingsStore, "replace", lose_the_first_answer)
    answer = update(ann, timezone="Asia/Tokyo")

    assert answer["data"]["updateSettings"]["settings"]["timezone"] == "Asia/Tokyo"
    assert [settings.version for settings in lost] == [1]


def test_settings_go_with_the_account(app, ann):
    update(ann, timezone="Asia/Tokyo")
    raw = app.extensions["database"].client
    key = {"user_id": {"S": ann.id}, "item": {"S": "settings"}}
    kept = raw.get_item(TableName="Users", Key=key)

    deleted = ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})

    assert (deleted.status_code, "Item" in kept) == (200, True)
    assert "Item" not in raw.get_item(TableName="Users", Key=key)


def test_a_list_of_tasks_cannot_repeat_the_settings(ann, calls):
    calls.clear()

    answer = ann.graphql("{ tasks { nodes { owner { settings { daysOff } } } } }")

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


def test_buffers_change_one_by_one_and_shape_the_plan(ann):
    change = (
        "mutation ($i: UpdateSettingsInput!) { updateSettings(input: $i) { settings { buffers {"
    )
    change += " afterBlock aroundBusy dailySlackPercent maxMinutesPerDay breakMinutes } } } }"
    for number in range(3):
        ann.create(title=f"Task {number}", durationMinutes=60)

    ann.graphql(change, i={"buffers": {"afterBlock": 30, "dailySlackPercent": 0}})
    second = ann.graphql(
        change, i={"buffers": {"maxMinutesPerDay": 120, "dailySlackPercent": None}}
    )
    shown = ann.rest(
        "POST", "/api/v1/plan/preview", json={"from": "2030-01-07T00:00:00Z", "horizon_days": 3}
    )

    assert second["data"]["updateSettings"]["settings"]["buffers"] == {
        "afterBlock": 30,
        "aroundBusy": 0,
        "dailySlackPercent": 20,
        "maxMinutesPerDay": 120,
        "breakMinutes": 15,
    }
    assert [block["start"][:16] for block in shown.json["blocks"]] == [
        "2030-01-07T09:00",
        "2030-01-08T09:00",
        "2030-01-09T09:00",
    ]


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [("buffers", "daily_slack_percent", 91), ("urgency_coefficients", "due", 101)],
)
def test_numbers_out_of_bounds_change_nothing_and_are_named(ann, group, field, value):
    before = ann.rest("GET", PATH).json
    refused = ann.rest("PATCH", PATH, json={group: {field: value}}).json

    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", field)
    assert refused["at"] == f"{group}.{field}"
    assert ann.rest("GET", PATH).json == before


SCHEDULES = """
    mutation ($i: UpdateSettingsInput!) { updateSettings(input: $i) { settings {
      schedules { name workingHours { day intervals { start end } } }
    } } }
"""
EVENING = {"start": "18:00", "end": "20:00"}
EVENINGS = {
    "name": "evening",
    "workingHours": [{"day": "MONDAY", "intervals": [EVENING]}],
}
NINE = [{"start": "09:00", "end": "12:00"}]
HOURS = "[0].working_hours[0].intervals[1]"
FIRST_DAY = {"from": "2030-01-07T00:00:00Z", "horizon_days": 1}


def reasons(person):
    """The start of each block of Monday, with the codes of its reasons."""
    shown = person.rest("POST", "/api/v1/plan/preview", json=FIRST_DAY).json
    return [(b["start"][11:16], {r["code"] for r in b["reasons"]}) for b in shown["blocks"]]


def test_tasks_are_planned_in_the_hours_of_the_schedule_that_they_name(ann):
    stored = ann.graphql(SCHEDULES, i={"schedules": [EVENINGS]})
    by_rest = ann.rest("GET", PATH).json["schedules"]
    task = ann.create(title="Dishes", durationMinutes=60, schedule="evening")
    before = reasons(ann)
    ann.graphql(SCHEDULES, i={"schedules": None})

    assert stored["data"]["updateSettings"]["settings"]["schedules"] == [EVENINGS]
    assert by_rest == [
        {
            "name": "evening",
            "working_hours": [{"day": "monday", "intervals": [EVENING]}],
            "tags": [],
            "project_ids": [],
        }
    ]
    assert before == [("18:00", {"first_free_time", "schedule"})]
    assert reasons(ann) == [("09:00", {"first_free_time", "no_schedule"})]
    assert ann.rest("GET", f"/api/v1/tasks/{task['id']}").json["schedule"] == "evening"


def rest_schedule(name, hour, **named):
    intervals = [{"start": f"{hour:02}:00", "end": f"{hour + 2:02}:00"}]
    return {"name": name, "working_hours": [{"day": "monday", "intervals": intervals}], **named}


def test_a_task_has_its_own_schedule_or_that_of_its_project_or_of_a_tag(ann, calls):
    projects = (ann.rest("POST", "/api/v1/projects", json={"name": name}) for name in "hw")
    home, work = (each.json["project_id"] for each in projects)
    schedules = [
        rest_schedule("early", 6, project_ids=[home], tags=["calm"]),
        rest_schedule("late", 20, tags=["Loud", "odd"]),
    ]
    calls.clear()
    stored = ann.rest("PATCH", PATH, json={"schedules": schedules})
    assert calls == ["GetItem", "GetItem", "PutItem"]
    again = ann.rest("PATCH", PATH, json={"schedules": stored.json["schedules"]})
    parent = ann.create(title="Spring", projectId=home)
    titles = {}
    for fields in (
        {"title": "own", "schedule": "late", "projectId": home},
        {"title": "project", "projectId": home, "tags": ["loud"]},
        {"title": "inherited", "parentId": parent["id"]},
        {"title": "tag", "projectId": work, "tags": ["x", "loud"]},
        {"title": "first tag", "tags": ["odd", "calm"]},
        {"title": "none", "projectId": work},
    ):
        titles[ann.create(durationMinutes=15, **fields)["id"]] = fields["title"]

    shown = ann.rest("POST", "/api/v1/plan/preview", json=FIRST_DAY).json["blocks"]
    hours = {}
    for block in shown:
        hours.setdefault(block["start"][11:13], set()).add(titles[block["task_id"]])

    assert again.json == stored.json
    assert hours == {
        "06": {"project", "inherited", "first tag"},
        "09": {"none"},
        "20": {"own", "tag"},
    }


@pytest.mark.parametrize(
    ("named", "at"),
    [
        ([{"tags": ["a"]}, {"tags": ["b", "A "]}], "[1].tags[1]"),
        ([{"tags": [""]}], "[0].tags[0]"),
        ([{"tags": ["x" * 50, "x" * 51]}], "[0].tags[1]"),
        ([{}, {"tags": [f"t{n}" for n in range(51)]}], "[1].tags"),
        ([{}, {"project_ids": ["no id"]}], "[1].project_ids[0]"),
        ([{"project_ids": ["01ARZ3NDEKTSV4RRFFQ69G5FAV"]}], "[0].project_ids[0]"),
        ([{"working_hours": [{"day": "monday", "intervals": NINE * 2}]}], HOURS),
    ],
    ids=["one tag twice", "no tag", "long tag", "many tags", "no id", "no project", "hours"],
)
def test_what_cannot_have_a_schedule_changes_nothing(ann, named, at):
    schedules = [{**rest_schedule(f"s{n}", 6), **fields} for n, fields in enumerate(named)]

    refused = ann.rest("PATCH", PATH, json={"schedules": schedules})

    assert (refused.status_code, refused.json["at"]) == (400, f"schedules{at}")
    assert ann.rest("GET", PATH).json["schedules"] == []


def test_a_schedule_that_is_not_there_is_refused_where_it_is_named(ann, calls):
    ann.graphql(SCHEDULES, i={"schedules": [EVENINGS]})
    task = ann.create(title="Dishes", schedule="evening")

    new = ann.rest("POST", "/api/v1/tasks", json={"title": "x", "schedule": "deep"})
    path = f"/api/v1/tasks/{task['id']}"
    changed = ann.rest("PATCH", path, json={"schedule": "Evening"})
    calls.clear()
    kept = ann.rest("PATCH", path, json={"title": "Plates", "schedule": "evening"})

    assert (new.status_code, changed.status_code, kept.status_code) == (400, 400, 200)
    assert calls == ["GetItem", "TransactWriteItems"]  # no settings, as it is named already
    assert new.json["field"] == changed.json["field"] == "schedule"
    assert new.json["error"] == "There is no schedule 'deep': there are evening."
    assert ann.rest("GET", path).json["schedule"] == "evening"


@pytest.mark.parametrize(
    ("schedules", "message", "at"),
    [
        ([EVENINGS, {**EVENINGS, "name": "Evening "}], "a name of its own", "schedules[1].name"),
        ([{**EVENINGS, "name": " "}], "1 to 50 characters", "schedules[0].name"),
        (
            [{**EVENINGS, "workingHours": EVENINGS["workingHours"] * 2}],
            "evening: List each",
            "schedules[0].workingHours[1].day",
        ),
        ([{**EVENINGS, "name": f"n{number}"} for number in range(11)], "At most 10", None),
    ],
    ids=["twice", "no name", "hours", "too many"],
)
def test_schedules_that_cannot_be_change_nothing(ann, schedules, message, at):
    refused = ann.graphql(SCHEDULES, i={"schedules": schedules})

    assert codes(refused) == ["BAD_USER_INPUT"]
    assert refused["errors"][0]["extensions"].get("at") == at
    assert message in refused["errors"][0]["message"]
    assert ann.rest("GET", PATH).json["schedules"] == []
