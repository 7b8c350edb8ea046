"""The operator's commands: tables, export, import."""

import io
import json
import stat
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest
from commands import Operator
from conftest import TASK_FIELDS
from engines import CONFIG
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from service import ROOT, running

from graphql_api import clock
from graphql_api.domain.accounts.model import User
from graphql_api.domain.archive import export_format
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.due_days.model import FIRST_DAY, LAST_DAY
from graphql_api.domain.tables import TASKS, USERS
from graphql_api.domain.tasks.model import RULES, DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import BadUserInput
from graphql_api.infra.dynamodb.protocol import ServiceError, Transport

pytestmark = [pytest.mark.thorough, pytest.mark.engine_is_no_matter]

WEEKLY = {
    "title": "Water plants",
    "due_at": "2090-03-20T08:00:00Z",
    "recurrence": {"rrule": "FREQ=WEEKLY", "timezone": "Europe/Berlin"},
}
PROJECTS = """{ projects(archived: null) {
  nodes { id name color position archivedAt createdAt updatedAt version
    defaults { priority tags durationMinutes } } } }"""
ALL = f"{{ tasks(first: 100) {{ nodes {{ {TASK_FIELDS} }} }} }}"


@pytest.fixture
def operator(engine):
    return Operator(engine)


@pytest.fixture
def elsewhere(engine):
    """An operator of a deployment that has no tables yet."""
    return Operator(replace(engine, table_prefix=f"{uuid.uuid4().hex}-"))


# Tables


@pytest.mark.concurrent
def test_tables_are_created_once_and_found_as_needed(elsewhere):
    prefix = elsewhere.config.table_prefix

    missing = elsewhere.run("tables", "check")
    created = elsewhere.run("tables", "create")
    again = elsewhere.run("tables", "create")
    found = elsewhere.run("tables", "check")

    assert (missing.exit_code, created.exit_code, again.exit_code, found.exit_code) == (1, 0, 0, 0)
    for name in ("Users", "Tasks"):
        assert f"Table {prefix}{name} is missing: create it with " in missing.output
        assert f"Created table {prefix}{name}.\n" in created.output
        assert f"Table {prefix}{name} is as needed.\n" in found.output
        assert f"Hint: point-in-time recovery of {prefix}{name} is " in found.output
    assert again.output == "All tables exist and are correct.\n"
    assert f"Items of {prefix}Users expire by expires_at.\n" in found.output


@pytest.fixture
def aws():
    with mock_aws():
        operator = Operator(replace(CONFIG, dynamodb="aws", table_prefix="commands-"))
        yield operator
        for name in operator.store.list_tables()["TableNames"]:
            if name.startswith("commands-"):  # moto forgets only when nobody else uses it
                operator.store.delete_table(TableName=name)


def test_on_aws_the_operator_may_create_tables_without_a_secret(aws):
    assert aws.run("tables", "create", JWT_SECRET=None).exit_code == 0
    assert aws.run("tables", "check", JWT_SECRET=None).exit_code == 0


def test_creation_that_stopped_before_items_expire_is_completed(aws):
    aws.store.create_table(**USERS.arguments("commands-"))

    assert "Items of commands-Users do not expire, but must" in aws.run("tables", "check").output
    aws.run("tables", "create")

    assert "Items of commands-Users expire by expires_at.\n" in aws.run("tables", "check").output


def test_point_in_time_recovery_is_told_and_no_matter(aws):
    aws.run("tables", "create")
    aws.store.update_continuous_backups(
        TableName="commands-Tasks",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )

    checked = aws.run("tables", "check")

    assert checked.exit_code == 0
    assert "Hint: point-in-time recovery of commands-Users is off.\n" in checked.output
    assert "Hint: point-in-time recovery of commands-Tasks is on.\n" in checked.output


def test_every_difference_is_told_and_creation_refuses_it(aws):
    definition = TASKS.arguments("commands-")
    definition["KeySchema"][1]["AttributeName"] = "due_order"
    definition["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": "S"} for name in ("user_id", "due_order")
    ]
    definition["GlobalSecondaryIndexes"][0]["IndexName"] = "by_date"
    aws.store.create_table(**definition)

    checked, created = aws.run("tables", "check"), aws.run("tables", "create")

    assert checked.exit_code == 1
    assert "Table commands-Tasks has the key user_id (HASH, S), due_order" in checked.output
    assert "Table commands-Tasks has the indexes {'by_date': " in checked.output
    assert "Table commands-Users is missing" in checked.output
    assert created.exit_code == 1
    assert created.output.startswith("Error: Table commands-Tasks has the key ")
    assert aws.store.list_tables()["TableNames"].count("commands-Users") == 0


# Export and import


def exported(operator, username):
    result = operator.run("export", username)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def saved(tmp_path, document):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(document))
    return path


def tasks_of(person):
    return person.graphql(ALL)["data"]["tasks"]["nodes"]


def fill(person):
    person.create(title="Plain")
    done = person.create(title="Δone “quoted”", description="two\nlines", tags=["b", "ä"])
    person.rest("PUT", f"/api/v1/tasks/{done['id']}", json={"status": "completed"})
    person.create(title="Due", dueAt="2030-01-01T00:00:00Z", priority="URGENT")


def test_an_export_has_the_user_and_all_tasks_and_no_secret(operator, ann):
    fill(ann)

    document = exported(operator, ann.username.upper())  # a name is found as the login finds it

    assert document["format"] == "smart-task-scheduler"
    assert document["version"] == 3
    assert document["user"].keys() == {"user_id", "username", "created_at"}
    assert (document["user"]["user_id"], document["user"]["username"]) == (ann.id, ann.username)
    shown = {task["task_id"]: task for task in ann.rest("GET", "/api/v1/tasks").json}
    assert len(document["tasks"]) == len(shown) == 3
    for task in document["tasks"]:
        own = {**task, "user_id": ann.id, "inherited": [], "remaining_minutes": None}
        assert {**own, "position": shown[task["task_id"]]["position"]} == shown[task["task_id"]]
    assert "argon2" not in json.dumps(document)


def test_an_export_is_read_as_it_is_written(operator, ann, app, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.tasks.store.MAX_QUERY", 2)
    for number in range(5):
        ann.create(title=f"{number}")

    database = app.extensions["database"]
    store = TaskStore(database, ChangeStore(database, timedelta(days=1)))
    looks = []
    query = type(store._table).query
    monkeypatch.setattr(
        type(store._table), "query", lambda *a, **k: looks.append(1) or query(*a, **k)
    )
    tasks = store.all(ann.id)

    assert [next(tasks).title, len(looks)] == ["0", 1]
    assert [task.title for task in tasks] == ["1", "2", "3", "4"]
    assert [task["title"] for task in exported(operator, ann.username)["tasks"]] == list("01234")


def test_an_exported_file_is_the_owners_only_and_there_is_no_other(operator, ann, tmp_path):
    path = tmp_path / "ann.json"
    ann.create(title="Once")

    assert operator.run("export", ann.username, "-o", path).exit_code == 0

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == exported(operator, ann.username)
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_that_fails_leaves_the_earlier_file_as_it_was(
    operator, ann, tmp_path, monkeypatch
):
    path = tmp_path / "ann.json"
    path.write_text("earlier")

    def fail(*_):
        raise BadUserInput("The disk is full")

    monkeypatch.setattr(export_format, "chunks", fail)
    failed = operator.run("export", ann.username, "-o", path)

    assert (failed.exit_code, failed.output) == (1, "Error: The disk is full\n")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_an_import_makes_the_tasks_as_they_were_and_once_only(operator, api, ann, tmp_path):
    fill(ann)
    other = api.register("other")
    own = other.create(title="Own")
    path = saved(tmp_path, exported(operator, ann.username))

    first = operator.run("import", path, "--username", other.username)
    second = operator.run("import", path, "--username", other.username)

    assert (first.exit_code, first.stdout) == (0, "Tasks: 3 added, 0 existing.\n")
    assert (second.exit_code, second.stdout) == (0, "Tasks: 0 added, 3 existing.\n")
    theirs = exported(operator, other.username)
    assert theirs["user"]["user_id"] == other.id
    assert [t for t in theirs["tasks"] if t["task_id"] != own["id"]] == json.loads(
        path.read_text()
    )["tasks"]
    assert {task["ownerId"] for task in tasks_of(other)} == {other.id}
    assert len(tasks_of(other)) == 4
    [due] = other.graphql(
        'query { tasks(filter: {dueAfter: "2029-01-01T00:00:00Z"}) { nodes { title } } }'
    )["data"]["tasks"]["nodes"]
    assert due == {"title": "Due"}


def test_an_import_brings_back_what_was_deleted_and_keeps_what_was_changed(operator, ann, tmp_path):
    gone, kept = ann.create(title="Gone"), ann.create(title="Kept")
    path = saved(tmp_path, exported(operator, ann.username))
    ann.rest("DELETE", f"/api/v1/tasks/{gone['id']}")
    ann.rest("PUT", f"/api/v1/tasks/{kept['id']}", json={"title": "Changed"})

    result = operator.run("import", path)

    assert result.stdout == "Tasks: 1 added, 1 existing.\n"
    assert ann.task(gone["id"]) == gone
    assert ann.task(kept["id"])["title"] == "Changed"


def test_an_import_brings_back_projects_and_what_is_in_them(operator, api, ann, tmp_path):
    home, work = (
        ann.rest("POST", "/api/v1/projects", json={"name": name, "defaults": defaults}).json
        for name, defaults in (("Home", {"priority": "low", "tags": ["a"]}), ("Work", None))
    )
    ann.rest("POST", f"/api/v1/projects/{work['project_id']}/archive")
    ann.create(title="Sweep", projectId=home["project_id"])
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    shown = ann.graphql(PROJECTS)
    bob = api.register("bob")

    imported = operator.run("import", str(file), "--username", bob.username)
    again = operator.run("import", str(file), "--username", bob.username)

    assert imported.stdout == ("Projects: 2 added, 0 existing.\nTasks: 1 added, 0 existing.\n")
    assert again.stdout == "Projects: 0 added, 2 existing.\nTasks: 0 added, 1 existing.\n"
    assert bob.graphql(PROJECTS) == shown
    [task] = bob.graphql(ALL)["data"]["tasks"]["nodes"]
    assert task["projectId"] == home["project_id"]


TREE = """{ tasks(filter: { noParent: true }) {
  nodes { title subtasks { title position inherited dueAt subtasks { title } } } } }"""


def test_an_import_brings_back_what_lies_below_what(operator, api, ann, tmp_path):
    top = ann.create(title="Move", dueAt="2090-01-01T00:00:00Z")["id"]
    ann.create(title="Pack", parentId=top)
    early = ann.create(title="Plan", parentId=top, position="a")["id"]
    ann.create(title="List", parentId=early)
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    shown = ann.graphql(TREE)
    bob = api.register("bob")

    for _ in range(2):
        operator.run("import", str(file), "--username", bob.username)

    [root] = shown["data"]["tasks"]["nodes"]
    assert [each["title"] for each in root["subtasks"]] == ["Plan", "Pack"]
    assert bob.graphql(TREE) == shown


SAVE = "mutation ($input: CreateViewInput!) { createView(input: $input) { view { id } } }"


SETTINGS = {
    "timezone": "Europe/Berlin",
    "working_hours": [{"day": "monday", "intervals": [{"start": "08:30", "end": "12:00"}]}],
    "days_off": ["2030-12-24"],
    "urgency_coefficients": {"due": 9.5},
    "buffers": {"after_block": 5, "max_minutes_per_day": 300, "break_minutes": 20},
    "date_order": "day_first",
    "first_weekday": "sunday",
    "schedules": [
        {
            "name": "Evenings",
            "working_hours": [{"day": "friday", "intervals": [{"start": "18:00", "end": "22:00"}]}],
        }
    ],
}


def test_an_import_brings_back_settings_where_none_were_changed(operator, api, ann, tmp_path):
    bob, eve = api.register("bob"), api.register("eve")
    for person, own in ((ann, SETTINGS), (eve, {"timezone": "Asia/Tokyo"})):
        assert person.rest("PUT", "/api/v1/settings", json=own).status_code == 200
    ann.create(title="x", dueOn="2030-01-07", schedule="Evenings", durationMinutes=30)
    document = exported(operator, ann.username)
    path = saved(tmp_path, document)

    first = operator.run("import", path, "--username", bob.username)
    again = operator.run("import", path, "--username", bob.username)
    other = operator.run("import", path, "--username", eve.username)

    mine, theirs = (each.rest("GET", "/api/v1/settings").json for each in (ann, bob))
    assert theirs == mine
    assert exported(operator, bob.username)["settings"] == document["settings"]
    [task] = bob.rest("GET", "/api/v1/tasks").json
    assert (task["schedule"], task["due_on"]) == ("Evenings", "2030-01-07")
    assert first.stdout == "Settings: restored.\nTasks: 1 added, 0 existing.\n"
    assert again.stdout == "Settings: existing.\nTasks: 0 added, 1 existing.\n"
    assert other.stdout.startswith("Settings: existing.\n")
    assert eve.rest("GET", "/api/v1/settings").json["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Nowhere"},
        {"colour": "red"},
        {"days_off": ["x"]},
        {"working_hours": 3},
        {"first_weekday": "someday"},
        {"buffers": {"x": 1}},
        {"buffers": {"break_minutes": 1.5}},
        {"buffers": {"after_block": True}},
        {"urgency_coefficients": {"due": "much"}},
        [1],
    ],
)
def test_settings_that_are_none_are_refused_and_nothing_is_written(
    operator, api, ann, tmp_path, wrong
):
    ann.create(title="x")
    bob = api.register("bob")
    path = saved(tmp_path, {**exported(operator, ann.username), "settings": wrong})

    refused = operator.run("import", path, "--username", bob.username)

    assert refused.exit_code == 1
    assert bob.rest("GET", "/api/v1/tasks").json == []


def test_an_import_brings_back_what_schedules_are_for(operator, api, ann, tmp_path):
    bob = api.register("bob")
    kept, gone = (
        ann.rest("POST", "/api/v1/projects", json={"name": name}).json["project_id"]
        for name in ("Kept", "Gone")
    )
    [evenings] = SETTINGS["schedules"]
    named = {**evenings, "tags": ["home"], "project_ids": [kept, gone]}
    body = {"schedules": [named]}
    assert ann.rest("PUT", "/api/v1/settings", json=body).status_code == 200
    ann.create(title="x", projectId=kept)
    assert ann.rest("DELETE", f"/api/v1/projects/{gone}", json={"tasks": "keep"}).status_code == 200
    path = saved(tmp_path, exported(operator, ann.username))

    imported = operator.run("import", path, "--username", bob.username)

    assert imported.stdout.splitlines()[1:] == [
        "Settings: restored.",
        "Tasks: 1 added, 0 existing.",
    ]
    [schedule] = bob.rest("GET", "/api/v1/settings").json["schedules"]
    assert schedule["tags"] == ["home"]
    [project] = bob.rest("GET", "/api/v1/projects").json
    assert schedule["project_ids"] == [project["project_id"]]


def test_an_older_export_is_still_read(operator, api, ann, tmp_path):
    ann.create(title="x")
    bob = api.register("bob")
    document = {**exported(operator, ann.username), "version": 2}
    assert "settings" not in document

    imported = operator.run("import", saved(tmp_path, document), "--username", bob.username)

    assert imported.stdout == "Tasks: 1 added, 0 existing.\n"


def test_an_import_brings_back_views(operator, api, ann, tmp_path):
    conditions = {"status": ["PENDING"], "dueBefore": "2090-01-01T00:00:00.000Z", "noTags": True}
    filter_ = {**conditions, "not": {"tags": ["waiting"]}, "or": [{"overdue": True}]}
    order = {"field": "TITLE", "direction": "ASC"}
    ann.graphql(SAVE, input={"name": "Errands", "filter": filter_, "orderBy": order})
    made = ann.rest("GET", "/api/v1/views").json
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    bob = api.register("bob")

    imported = [operator.run("import", str(file), "--username", bob.username) for _ in range(2)]
    file.write_text(file.read_text().replace('"overdue"', '"unknown"'))
    refused = operator.run("import", str(file), "--username", bob.username)

    assert [each.stdout for each in imported] == [
        "Views: 1 added, 0 existing.\nTasks: 0 added, 0 existing.\n",
        "Views: 0 added, 1 existing.\nTasks: 0 added, 0 existing.\n",
    ]
    assert len(made) == 1
    assert bob.rest("GET", "/api/v1/views").json == made
    assert "views[0]: This is no view" in refused.stderr


def test_a_file_in_which_a_task_lies_below_itself_is_refused(operator, api, ann, tmp_path):
    top = ann.create(title="Move")["id"]
    child = ann.create(title="Pack", parentId=top)["id"]
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    document = json.loads(file.read_text())
    document["tasks"][0]["parent_id"] = child
    file.write_text(json.dumps(document))
    bob = api.register("bob")

    refused = operator.run("import", str(file), "--username", bob.username)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "lies below itself" in refused.stderr
    assert bob.graphql(ALL)["data"]["tasks"]["nodes"] == []


def test_an_import_brings_back_series_with_what_has_been(operator, api, ann, tmp_path):
    task = ann.rest("POST", "/api/v1/tasks", json=WEEKLY).json
    following = ann.rest("POST", f"/api/v1/tasks/{task['task_id']}/complete", json={}).json["next"]
    shown = ann.rest("GET", f"/api/v1/tasks/{following['task_id']}/series").json["series"]
    past = ann.rest("GET", f"/api/v1/series/{shown['series_id']}/occurrences").json
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    bob = api.register("bob")

    imported = operator.run("import", str(file), "--username", bob.username)
    again = operator.run("import", str(file), "--username", bob.username)

    assert imported.stdout == "Series: 1 added, 0 existing.\nTasks: 2 added, 0 existing.\n"
    assert again.stdout == "Series: 0 added, 1 existing.\nTasks: 0 added, 2 existing.\n"
    path = f"/api/v1/tasks/{following['task_id']}"
    assert bob.rest("GET", f"{path}/series").json["series"] == shown
    assert bob.rest("GET", f"/api/v1/series/{shown['series_id']}/occurrences").json == past
    later = bob.rest("POST", f"{path}/complete", json={}).json["next"]
    assert later["due_at"] == "2090-04-03T07:00:00.000Z"


@pytest.mark.parametrize("change", [{"rrule": "FREQ=HOURLY"}, {"current": None}, {"number": "x"}])
def test_a_wrong_series_in_a_file_is_named_and_nothing_is_written(
    operator, api, ann, tmp_path, change
):
    ann.rest("POST", "/api/v1/tasks", json=WEEKLY)
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    document = json.loads(file.read_text())
    document["series"][0] |= change
    file.write_text(json.dumps(document))
    bob = api.register("bob")

    refused = operator.run("import", str(file), "--username", bob.username)

    assert "series[0]: " in refused.stderr
    assert "1 of 1 series are invalid; nothing was written" in refused.stderr
    assert bob.graphql(ALL)["data"]["tasks"]["nodes"] == []


def test_a_wrong_project_in_a_file_is_named_and_nothing_is_written(operator, ann, tmp_path):
    ann.rest("POST", "/api/v1/projects", json={"name": "Home"})
    file = tmp_path / "ann.json"
    operator.run("export", ann.username, "-o", str(file))
    file.write_text(file.read_text().replace('"Home"', '" "'))
    shown = ann.graphql(PROJECTS)

    refused = operator.run("import", str(file))

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "projects[0]: A name must have 1 to 100 characters." in refused.stderr
    assert "1 of 1 projects are invalid; nothing was written" in refused.stderr
    assert ann.graphql(PROJECTS) == shown


def test_an_import_brings_back_what_waits_for_what(operator, api, ann, tmp_path):
    first, second, third = (ann.create(title=title)["id"] for title in ("1st", "2nd", "3rd"))
    for task, blockers in ((second, [first]), (third, [first, second])):
        path = f"/api/v1/tasks/{task}/blockers"
        assert ann.rest("POST", path, json={"blocker_ids": blockers}).status_code == 200
    ann.rest("PUT", f"/api/v1/tasks/{first}", json={"status": "completed"})
    other = api.register("other")
    document = exported(operator, ann.username)
    path = saved(tmp_path, document)

    for _ in range(2):
        assert operator.run("import", path, "--username", other.username).exit_code == 0

    waits = [task.get("blocked_by") for task in document["tasks"]]
    assert waits == [None, [first], [first, second]]
    assert exported(operator, other.username)["tasks"] == document["tasks"]
    for task in (second, third):
        path = f"/api/v1/tasks/{task}/blockers"
        assert other.rest("GET", path).json == ann.rest("GET", path).json
    assert other.rest("GET", f"/api/v1/tasks/{second}/blockers").json["is_ready"]


@pytest.mark.parametrize(
    ("waits", "told"),
    [
        (
            [["b"], ["a"]],
            "tasks[1]: A task cannot block itself: in this cycle, each is blocked by the next.",
        ),
        (["b", None], "tasks[0]: blocked_by: A list of texts is required."),
        ([[1], []], "tasks[0]: blocked_by: A text is required."),
    ],
)
def test_tasks_that_cannot_wait_so_are_told_and_nothing_is_written(
    operator, ann, tmp_path, waits, told
):
    entries = [{**ENTRY, "task_id": "a"}, {**ENTRY, "task_id": "b"}]
    for entry, blockers in zip(entries, waits, strict=True):
        entry["blocked_by"] = [] if blockers is None else blockers
    document = {**exported(operator, ann.username), "tasks": entries}

    result = operator.run("import", saved(tmp_path, document))

    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert tasks_of(ann) == []


def test_what_is_not_in_the_file_blocks_nothing(operator, ann, tmp_path):
    entry = {**ENTRY, "task_id": "a", "blocked_by": ["gone"]}
    document = {**exported(operator, ann.username), "tasks": [entry]}

    assert operator.run("import", saved(tmp_path, document)).exit_code == 0

    assert "blocked_by" not in exported(operator, ann.username)["tasks"][0]


ENTRY = {
    "task_id": "11111111-1111-4111-8111-111111111111",
    "title": "Imported",
    "description": "",
    "status": "completed",
    "priority": "low",
    "due_at": None,
    "tags": [],
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
    "completed_at": "2026-01-01T00:00:00.000Z",
    "version": 3,
}


def without(name):
    return {key: value for key, value in ENTRY.items() if key != name}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("text", "A task must be an object."),
        (without("status"), "Missing fields: status"),
        ({"task_id": "x", "title": "y"}, "Missing fields: completed_at, created_at, "),
        ({**ENTRY, "user_id": "bob"}, "Unknown fields: user_id"),
        ({**ENTRY, "title": " "}, "A title must have 1 to 200 characters."),
        ({**ENTRY, "title": None}, "title: A text is required."),
        ({**ENTRY, "title": "\ud800"}, "title: The text is not valid Unicode."),
        ({**ENTRY, "description": "é" * 16_385}, "A description must have at most 32768 bytes."),
        ({**ENTRY, "status": "COMPLETED"}, "status: 'COMPLETED' is not a valid TaskStatus"),
        ({**ENTRY, "status": []}, "status: [] is not a valid TaskStatus"),
        ({**ENTRY, "priority": None}, "priority: None is not a valid TaskPriority"),
        ({**ENTRY, "due_at": "tomorrow"}, "due_at: Use RFC 3339 with an offset, for example"),
        ({**ENTRY, "due_at": 1}, "due_at: A text is required."),
        ({**ENTRY, "created_at": None}, "created_at: A text is required."),
        ({**ENTRY, "tags": "home"}, "tags: A list of texts is required."),
        ({**ENTRY, "tags": [1]}, "tags: A text is required."),
        ({**ENTRY, "tags": ["x"] * 2 + [""]}, "A tag must have 1 to 50 characters."),
        (
            {**ENTRY, "completed_at": None},
            "completed_at must be set for completed tasks only.",
        ),
        (
            {**ENTRY, "status": "pending"},
            "completed_at must be set for completed tasks only.",
        ),
        ({**ENTRY, "version": 0}, "version must be from 1 to 2147483647."),
        ({**ENTRY, "version": 2**31}, "version must be from 1 to 2147483647."),
        ({**ENTRY, "version": True}, "version: A whole number is required."),
        ({**ENTRY, "version": 1.0}, "version: A whole number is required."),
        ({**ENTRY, "duration_minutes": -1}, "duration_minutes must be from 0 to 14400."),
        ({**ENTRY, "min_chunk_minutes": None}, "min_chunk_minutes: A whole number is required."),
        ({**ENTRY, "deadline_type": "HARD"}, "deadline_type: 'HARD' is not a valid DeadlineType"),
        (
            {**ENTRY, "planned_start": "2030-01-01T00:00:00Z"},
            "planned_end is required: planned times are a start and an end.",
        ),
        ({**ENTRY, "task_id": "a/b"}, "An id must have 1 to 128 letters, digits, '_' or '-'."),
        ({**ENTRY, "task_id": ""}, "An id must have 1 to 128 letters, digits, '_' or '-'."),
        ({**ENTRY, "task_id": "x" * 129}, "An id must have 1 to 128 letters, digits, '_' or '-'."),
    ],
)
def test_an_entry_that_can_be_no_task_is_told_by_what_is_wrong(entry, told):
    with pytest.raises(BadUserInput) as caught:
        export_format.task("ann", entry)

    assert caught.value.message.startswith(told)


def test_one_wrong_task_is_told_by_its_place_and_nothing_is_written(operator, ann, tmp_path):
    document = {**exported(operator, ann.username), "tasks": [ENTRY, {**ENTRY, "version": 0}, 7]}
    before = operator.everything()

    refused = operator.run("import", saved(tmp_path, document))

    assert refused.exit_code == 1
    assert refused.output == (
        "tasks[1]: version must be from 1 to 2147483647.\n"
        "tasks[2]: A task must be an object.\n"
        "Error: 2 of 3 tasks are invalid; nothing was written.\n"
    )
    assert operator.everything() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file is not JSON: "),
        (b'{"format": "smart-task-scheduler", "version": 1, "us', "The file is not JSON: "),
        (b"\xff", "The file is not JSON: "),
        (b"[" * 100_000, "The file is not JSON: "),
        (b'{"format": NaN}', "The file is not JSON: NaN is not a JSON number"),
        (b"[]", "The file is not in the format smart-task-scheduler"),
        (b'{"format": "other", "version": 1}', "The file is not in the format"),
        (
            b'{"format": "smart-task-scheduler", "version": 4}',
            "The file is not in version 1 or 2 or 3",
        ),
        (b'{"format": "smart-task-scheduler", "version": 1}', "The file has no user or no tasks"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(content, told):
    with pytest.raises(BadUserInput) as caught:
        export_format.read(io.BytesIO(content))

    assert caught.value.message.startswith(told)
    assert "\n" not in caught.value.message


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("name", ["nobody-has-this", "x", "", "a\tb"])
def test_a_name_that_nobody_has_ends_a_command_in_one_line(operator, tmp_path, name):
    path = saved(tmp_path, {**DOCUMENT, "user": {"username": name}})
    before = operator.everything()

    for result in (operator.run("export", name), operator.run("import", path)):
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.output == f"Error: User {name!r} does not exist.\n"
    assert operator.everything() == before


DOCUMENT = {"format": "smart-task-scheduler", "version": 1, "user": {}, "tasks": [ENTRY]}


@pytest.mark.engine_is_no_matter
def test_a_store_without_tables_is_told_and_left_without(elsewhere, tmp_path):
    path = saved(tmp_path, DOCUMENT)

    for result in (elsewhere.run("export", "ann"), elsewhere.run("import", path)):
        assert result.exit_code == 1
        assert result.output.startswith("Error: DynamoDB has no table ")
        assert result.output.endswith("create it with `python -m graphql_api tables create`.\n")
    assert elsewhere.run("tables", "check").exit_code == 1


def test_a_store_that_refuses_is_told_in_one_line(operator, ann, monkeypatch):
    ann.create(title="Out of reach")
    call = Transport.call

    def refuse(self, operation, arguments):
        if operation == "Query":
            raise ServiceError("AccessDeniedException", {"message": "not you"}, maybe_applied=False)
        return call(self, operation, arguments)

    monkeypatch.setattr(Transport, "call", refuse)

    result = operator.run("export", ann.username)

    assert result.exit_code == 1
    assert result.stderr == "Error: AccessDeniedException: not you\n"


times = st.datetimes(timezones=st.just(UTC)).map(clock.milliseconds)
titles = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
tasks = st.builds(
    lambda done, due, **given: Task(
        **given,
        due_at=due if isinstance(due, datetime) else None,
        due_on=None if isinstance(due, datetime) else due,
        status=TaskStatus.COMPLETED if done else TaskStatus.PENDING,
        completed_at=done,
        user_id="ann",
    ),
    done=st.none() | times,
    task_id=st.uuids().map(str),
    title=titles.map(str.strip).filter(bool),
    description=st.text(st.characters(exclude_categories=["Cs"])),
    priority=st.sampled_from(TaskPriority),
    due=st.none() | times | st.dates(FIRST_DAY, LAST_DAY),
    tags=st.just(()) | st.just(("ä", "b")),
    created_at=times,
    updated_at=times,
    version=st.integers(1, 2**31 - 1),
    duration_minutes=st.none() | st.integers(0, 14_400),
    not_before=st.none() | times,
    deadline_type=st.sampled_from(DeadlineType),
    min_chunk_minutes=st.integers(0, 14_400),
)


@given(st.lists(tasks, max_size=5))
def test_what_was_written_is_read_as_it_was(written):
    user = User(user_id="ann", username="Ann", password="$argon2id$", created_at=NOW)

    text = "".join(export_format.chunks(user, written, Dependencies.none("ann")))
    read = export_format.read(io.BytesIO(text.encode()))

    assert read.username == "Ann"
    assert [export_format.task("ann", entry) for entry in read.tasks] == written
    assert "argon2" not in json.dumps(json.loads(text)["user"])


NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_format_has_every_field_of_a_task_but_whose_it_is():
    seen = {name for name, rules in RULES.items() if not rules.is_internal}

    assert seen - {"user_id"} == export_format._READERS.keys()


# On the embedded engine, as its users start it


def run(data, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "graphql_api", *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": "", "DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.whole
def test_commands_run_on_the_embedded_engine_unless_a_service_does(tmp_path):
    data = tmp_path / "data"

    before = run(data, "export", "ann")
    made = not data.exists(), run(data, "tables", "create").returncode
    with running(data, WORKERS="1") as url:
        meanwhile = run(data, "tables", "check")
        account = json.dumps({"username": "ann", "password": "correct horse battery"}).encode()
        headers = {"Content-Type": "application/json"}
        urlopen(Request(f"{url}/auth/register", account, headers)).close()
        beside = run(data, "export", "ann")
        token = run(data, "token", "create", "ann", "--name", "x", "--scope", "tasks_read")
        given = {"Authorization": f"Bearer {token.stdout.strip()}"}
        with urlopen(Request(f"{url}/auth/verify", headers=given)) as answer:
            assert answer.status == 200
    after = run(data, "export", "ann")

    assert (before.returncode, before.stdout) == (1, "")
    assert f"Error: DATA_DIR {data} does not exist: create it with " in before.stderr
    assert made == (True, 0)
    assert (meanwhile.returncode, meanwhile.stdout) == (1, "")
    assert meanwhile.stderr == f"Error: DATA_DIR {data} is in use by another running service.\n"
    assert json.loads(beside.stdout)["user"]["username"] == "ann"
    assert after.stdout == beside.stdout


# Access tokens


def test_an_operator_makes_lists_and_revokes_a_users_tokens(operator, ann, api):
    made = operator.run(
        *("token", "create", ann.username, "--name", "cron", "--scope", "tasks_read"),
        *("--tag", "home", "--days", "7"),
    )
    text = made.stdout.strip()
    assert api.rest("GET", "/api/v1/tasks", text).status_code == 200
    assert api.rest("POST", "/api/v1/tasks", text, json={"title": "x"}).status_code == 403

    [line] = operator.run("token", "list", ann.username).stdout.splitlines()
    token_id, end, *_, scopes, name = line.split()
    assert (scopes, name) == ("tasks_read", "cron")
    assert timedelta(days=6) < clock.parse(end) - clock.now() <= timedelta(days=7)
    assert operator.run("token", "revoke", ann.username, token_id).stdout == (
        f"Revoked {token_id}.\n"
    )
    assert operator.run("token", "list", ann.username).stdout == ""
