"""GET /api/v1/export: all that is the user's, a line each, while others go on."""

import json
from pathlib import Path

import pytest
from conftest import Api, Person
from tokens import access_token, by_token
from werkzeug.test import TestResponse

from graphql_api import create_app
from graphql_api.api.rest import export

EXPORT = "/api/v1/export"
FULL = Path("/dev/full")
PROJECT = 'mutation { createProject(input: {name: "Home"}) { project { id } } }'
BLOCK = "mutation ($input: BlockersInput!) { addBlockers(input: $input) { task { id } } }"


def lines(person: Person) -> list[dict]:
    """What an export has."""
    answer = person.rest("GET", EXPORT)
    assert (answer.status_code, answer.mimetype) == (200, "application/jsonl"), answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return lines_of(answer)


def lines_of(answer: TestResponse) -> list[dict]:
    return list(map(json.loads, answer.text.splitlines()))


def calendars_of(person: Person) -> list[dict]:
    return [each for each in lines(person) if "calendar" in each["type"]]


def test_an_export_has_all_that_is_the_users(ann):
    project = ann.graphql(PROJECT)["data"]["createProject"]["project"]["id"]
    first = ann.create(title="First", projectId=project, tags=["home"], dueOn="2030-01-07")
    second = ann.create(
        title="Second", dueAt="2030-01-07T08:00:00Z", recurrence={"rrule": "FREQ=DAILY"}
    )
    ann.graphql(BLOCK, input={"taskId": first["id"], "blockerIds": [second["id"]]})
    text = access_token(ann, name="cron")
    head, *found, end = lines(ann)

    assert head["user"]["username"] == ann.username
    assert end == {"type": "end", "lines": len(found) + 1}
    kinds = ["settings", "project", "series", "access_token", "task", "task"]
    assert [each["type"] for each in found] == kinds
    settings, _, series, token, *tasks = found
    assert settings["timezone"] == "UTC"
    assert (tasks[0]["title"], tasks[0]["due_on"]) == ("First", "2030-01-07")
    assert tasks[0]["blocked_by"] == [second["id"]]
    assert tasks[1]["series_id"] == series["series_id"]
    assert token["name"] == "cron"
    assert text not in ann.rest("GET", EXPORT).text
    assert "hash" not in ann.rest("GET", EXPORT).text


def test_it_has_the_calendars_without_their_secrets(ann):
    feed = {"name": "Phone", "content": ["due"], "detail": "busy"}
    url = ann.rest("POST", "/api/v1/calendar-feeds", json=feed).json["url"]
    work = {"name": "Work", "ics": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"}
    assert ann.rest("POST", "/api/v1/busy-calendars", json=work).status_code == 201

    phone, busy = calendars = calendars_of(ann)

    assert phone.items() >= {"type": "calendar_feed", **feed}.items()
    assert busy.items() >= {"type": "busy_calendar", "url": None, "all_day": "ignore"}.items()
    assert busy.items() >= work.items()
    assert url.rpartition(".ics")[0].rpartition(".")[2] not in ann.rest("GET", EXPORT).text
    assert calendars_of(by_token(ann, ["TASKS_READ"])) == []
    assert calendars_of(by_token(ann, ["TASKS_READ", "CALENDAR_READ"])) == calendars


def test_changes_after_the_cursor_complete_it(ann):
    ann.create(title="Before")
    cursor = lines(ann)[0]["changes_cursor"]
    later = ann.create(title="Later")
    changes = ann.rest("GET", f"/api/v1/changes?after={cursor}").json["nodes"]

    assert changes[-1]["task_id"] == later["id"]


def test_a_token_gets_what_its_scopes_are_for(ann):
    ann.create(title="x")
    reader = lines(by_token(ann, ["TASKS_READ"]))

    assert [each["type"] for each in reader] == ["export", "task", "end"]
    for token, told in (
        ({"scopes": ["PLAN_READ"]}, {"required_scope": "tasks_read"}),
        ({"tags": ["x"]}, {"confined": True}),
    ):
        refused = by_token(ann, **token).rest("GET", EXPORT)
        assert (refused.status_code, refused.json["code"]) == (403, "FORBIDDEN")
        names = {"required_scope", "confined"} & refused.json.keys()
        assert {name: refused.json[name] for name in names} == told
    assert ann.api.rest("GET", EXPORT).status_code == 401
    assert ann.rest("HEAD", EXPORT).data == b""


def test_what_takes_too_much_of_the_disk_is_refused(ann, monkeypatch):
    monkeypatch.setattr(export, "MAX_BYTES", 100)
    answer = ann.rest("GET", EXPORT)

    assert (answer.status_code, answer.json["code"]) == (400, "QUERY_TOO_COMPLEX")


def reading(person: Person):
    """An answer of which nothing has been read yet."""
    headers = {"Authorization": f"Bearer {person.token}"}
    return person.api.client.get(EXPORT, headers=headers, buffered=False)


def test_a_user_has_two_exports_that_are_not_read_and_others_theirs(ann, bob):
    open_ones = [reading(ann), reading(ann)]
    assert [answer.status_code for answer in open_ones] == [200, 200]

    refused = ann.rest("GET", EXPORT)
    assert (refused.status_code, refused.json["code"]) == (429, "RATE_LIMITED")
    assert refused.headers["Retry-After"] == "60"
    assert bob.rest("GET", EXPORT).status_code == 200

    assert lines_of(open_ones[0])[-1]["type"] == "end"  # is read to its end
    assert ann.rest("GET", EXPORT).status_code == 200
    open_ones[1].close()  # is not
    del open_ones
    assert [reading(ann).status_code, reading(ann).status_code] == [200, 200]


def test_a_process_has_so_many_exports_that_are_not_read(engine, monkeypatch):
    monkeypatch.setattr(export, "MAX_OPEN", 1)
    api = Api(create_app(engine).test_client())
    ann, bob = api.register("ann"), api.register("bob")
    open_one = reading(ann)

    refused = bob.rest("GET", EXPORT)
    assert (refused.status_code, refused.json["code"]) == (503, "SERVICE_UNAVAILABLE")

    assert lines_of(open_one)[-1]["type"] == "end"
    assert bob.rest("GET", EXPORT).status_code == 200


def test_an_export_that_fails_is_not_counted(ann, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(export, "MAX_BYTES", 100)
        assert [ann.rest("GET", EXPORT).status_code for _ in range(3)] == [400] * 3

    assert ann.rest("GET", EXPORT).status_code == 200


@pytest.mark.skipif(not FULL.exists(), reason="a system without a disk that is always full")
def test_a_full_disk_is_told_before_the_answer_begins(ann, monkeypatch):
    monkeypatch.setattr(export.tempfile, "TemporaryFile", lambda **_: FULL.open("r+b", buffering=0))
    answer = ann.rest("GET", EXPORT)

    assert (answer.status_code, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")


def test_nobody_gets_what_is_somebody_elses(ann, bob):
    ann.create(title="Ann's")

    assert "Bob" not in ann.rest("GET", EXPORT).text
    assert "Ann's" not in bob.rest("GET", EXPORT).text
