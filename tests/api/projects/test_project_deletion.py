"""Deleting a project: its tasks are moved, deleted or kept, whatever happens meanwhile."""

import itertools
from datetime import timedelta

import pytest
from conftest import PASSWORD, UPDATE, codes
from test_projects import MISSING, REMOVE, found, made, names
from whole_tables import scanned

from graphql_api import clock
from graphql_api.dispatcher import _project_duty
from graphql_api.domain import jobs as jobs_
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.jobs import HEAD_START, LEASE, Jobs
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable

CHANGES = "{ changes { nodes { kind fields actor { kind } } } }"


@pytest.fixture
def duty(app):
    """The dispatcher's duty."""
    database = app.extensions["database"]
    changes = ChangeStore(database, timedelta(days=30))
    return _project_duty(database, changes, TaskStore(database, changes), 7)


@pytest.fixture
def no_time(monkeypatch):
    """Requests leave all of the work to the dispatcher."""
    monkeypatch.setattr(jobs_, "REQUEST_SECONDS", -1)


@pytest.fixture
def later():
    return clock.now() + HEAD_START + timedelta(seconds=1)


def filled(person, count=3):
    """A project with so many tasks."""
    home = made(person)
    for number in range(count):
        person.create(title=f"Task {number}", projectId=home["id"])
    return home


def jobs(app):
    return Jobs(app.extensions["database"], "project").pending()


TITLES = {"Task 0", "Task 1", "Task 2"}


@pytest.mark.parametrize("fate", ["MOVE", "DELETE", "KEEP"])
@pytest.mark.parametrize("by", ["the request", "the dispatcher"])
def test_its_tasks_become_what_was_asked(app, ann, duty, later, monkeypatch, fate, by):
    home, work = filled(ann), made(ann, "Work")
    ann.create(title="Other", projectId=work["id"])
    if by == "the dispatcher":
        monkeypatch.setattr(jobs_, "REQUEST_SECONDS", -1)
    move = {"moveTo": work["id"]} if fate == "MOVE" else {}

    answer = ann.graphql(REMOVE, input={"id": home["id"], "tasks": fate, **move})
    hidden = names(ann)
    looked = duty.run(later)

    assert answer["data"]["deleteProject"] == {
        "deletedProjectId": home["id"],
        "isComplete": by == "the request",
    }
    assert hidden == names(ann) == ["Work"]
    assert looked == 7
    assert found(ann, projectIds=[home["id"]]) == set()
    assert found(ann, projectIds=[work["id"]]) == {"Other", *(TITLES if fate == "MOVE" else ())}
    assert found(ann, noProject=True) == (TITLES if fate == "KEEP" else set())
    changes = ann.graphql(CHANGES)["data"]["changes"]["nodes"][4:]
    kind, fields = ("TASK_DELETED", []) if fate == "DELETE" else ("TASK_UPDATED", ["projectId"])
    session = {"kind": "SESSION"}
    assert changes == [{"kind": kind, "fields": fields, "actor": session}] * 3
    assert jobs(app) == []


@pytest.mark.usefixtures("no_time")
def test_a_task_of_a_project_that_is_being_deleted_shows_none_and_none_comes_in(ann, duty, later):
    home = filled(ann, 1)
    task = ann.create(title="Late")
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "KEEP"})

    refused = ann.graphql(UPDATE, input={"id": task["id"], "projectId": home["id"]})
    moved = ann.graphql(
        REMOVE, input={"id": made(ann)["id"], "tasks": "MOVE", "moveTo": home["id"]}
    )
    shown = ann.graphql("{ tasks { nodes { project { name } } } }")["data"]["tasks"]["nodes"]
    duty.run(later)

    assert codes(refused) == codes(moved) == ["NOT_FOUND"]
    assert moved["errors"][0]["extensions"]["field"] == "moveTo"
    assert shown == [{"project": None}] * 2
    assert found(ann, noProject=True) == {"Task 0", "Late"}


@pytest.mark.usefixtures("no_time")
def test_what_a_process_leaves_that_is_killed_another_one_completes(
    app, ann, duty, later, monkeypatch
):
    home = filled(ann)
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "DELETE"})
    settle, left = duty._settle, [True]

    def dying(task, wish):
        if left:
            left.pop()
            return settle(task, wish)
        raise ServiceUnavailable

    monkeypatch.setattr(duty, "_settle", dying)
    with pytest.raises(ServiceUnavailable):
        duty.run(later)
    monkeypatch.undo()
    still = found(ann, projectIds=[home["id"]])
    leased = duty.run(later)
    duty.run(later + LEASE)

    assert len(still) == 2
    assert (leased, found(ann)) == (7, set())
    assert jobs(app) == []


@pytest.mark.usefixtures("no_time")
def test_a_dispatcher_that_has_no_more_time_goes_on_in_its_next_turn(
    app, ann, duty, later, monkeypatch
):
    home = filled(ann)
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "DELETE"})

    with monkeypatch.context() as patch:
        patch.setattr(jobs_, "RUN_SECONDS", -1)
        assert duty.run(later) == 0
    assert duty.run(later) == 7

    assert found(ann) == set()
    assert jobs(app) == []


@pytest.mark.usefixtures("no_time")
def test_a_task_that_was_moved_meanwhile_stays_where_it_is(ann, duty, later):
    home, work = filled(ann), made(ann, "Work")
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "DELETE"})
    [task] = [
        each["id"]
        for each in ann.graphql("{ tasks { nodes { id title } } }")["data"]["tasks"]["nodes"]
        if each["title"] == "Task 1"
    ]
    ann.graphql(UPDATE, input={"id": task, "projectId": work["id"]})

    duty.run(later)

    assert found(ann) == found(ann, projectIds=[work["id"]]) == {"Task 1"}


@pytest.mark.usefixtures("no_time")
def test_tasks_stay_in_no_project_if_that_which_takes_them_is_gone_too(ann, duty, later):
    home, work = filled(ann), made(ann, "Work")
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "MOVE", "moveTo": work["id"]})
    ann.graphql(REMOVE, input={"id": work["id"], "tasks": "KEEP"})

    duty.run(later)

    assert found(ann, noProject=True) == TITLES


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"tasks": "MOVE"}, "BAD_USER_INPUT", "moveTo"),
        ({"tasks": "KEEP", "moveTo": MISSING}, "BAD_USER_INPUT", "moveTo"),
        ({"tasks": "MOVE", "moveTo": MISSING}, "NOT_FOUND", "moveTo"),
        ({"tasks": "MOVE", "moveTo": "itself"}, "BAD_USER_INPUT", "moveTo"),
        ({"tasks": "DELETE", "expectedVersion": 2}, "CONFLICT", "expectedVersion"),
    ],
)
def test_what_is_refused_deletes_nothing(app, ann, options, code, field):
    home = filled(ann)
    if options.get("moveTo") == "itself":
        options = {**options, "moveTo": home["id"]}

    refused = ann.graphql(REMOVE, input={"id": home["id"], **options})

    assert codes(refused) == [code]
    assert refused["errors"][0]["extensions"]["field"] == field
    assert names(ann) == ["Home"]
    assert found(ann, projectIds=[home["id"]]) == TITLES
    assert jobs(app) == []


@pytest.mark.usefixtures("no_time")
def test_a_job_of_an_account_that_is_gone_is_completed(app, ann, duty, later):
    home = filled(ann)
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "KEEP"})
    deleted = ann.graphql(
        "mutation ($password: String!) {"
        " deleteAccount(input: {password: $password}) { deletedUserId } }",
        password=PASSWORD,
    )
    assert duty.run(later) == 7
    assert jobs(app) == []
    assert "data" in deleted


class Crash(BaseException):
    """The end of a process, which nothing in it catches."""


@pytest.mark.thorough
@pytest.mark.usefixtures("no_time")
@pytest.mark.parametrize("fate", ["MOVE", "DELETE", "KEEP"])
def test_whatever_call_a_dispatcher_crashes_before_the_next_one_loses_nothing(app, ann, duty, fate):
    events = app.extensions["database"].client.meta.events
    work = made(ann, "Work")
    move = {"moveTo": work["id"]} if fate == "MOVE" else {}
    calls, crashing_at, crashed = itertools.count(), 0, True

    def crash(**_):
        if next(calls) == crashing_at:
            raise Crash

    while crashed:
        home = filled(ann)
        ann.graphql(REMOVE, input={"id": home["id"], "tasks": fate, **move})
        calls, later = itertools.count(), clock.now() + timedelta(minutes=1)
        events.register_first("before-send.dynamodb", crash)
        try:
            duty.run(later)
            crashed = False
        except Crash:
            pass
        finally:
            events.unregister("before-send.dynamodb", crash)

        duty.run(later + LEASE)

        crashing_at += 1
        made_so_far = 3 * crashing_at
        assert counted(ann, projectIds=[home["id"]]) == 0
        assert counted(ann, projectIds=[work["id"]]) == (made_so_far if fate == "MOVE" else 0)
        assert counted(ann, noProject=True) == (made_so_far if fate == "KEEP" else 0)
        assert jobs(app) == []
    assert crashing_at > 10
    changes = ann.graphql("{ changes(first: 100) { nodes { kind } } }")["data"]["changes"]["nodes"]
    assert len(changes) == min(100, 2 * 3 * crashing_at)  # each task was made and settled, once


def counted(person, **filter):
    query = "query ($filter: TaskFilter!) { tasks(first: 1, filter: $filter) { totalCount } }"
    return person.graphql(query, filter=filter)["data"]["tasks"]["totalCount"]


def test_a_deleted_account_leaves_no_project(app, ann):
    filled(ann)

    ann.graphql(
        "mutation ($password: String!) {"
        " deleteAccount(input: {password: $password}) { deletedUserId } }",
        password=PASSWORD,
    )

    found = scanned(app.extensions["database"].client, "Users")
    items = [item["item"]["S"] for item in found if item["user_id"]["S"] == ann.id]
    assert items == []


@pytest.mark.parametrize("fate", ["MOVE", "DELETE", "KEEP"])
def test_a_task_that_recurs_recurs_where_it_was_put_or_no_more(ann, fate):
    home, work = made(ann), made(ann, "Work")
    values = {"dueAt": "2040-01-01T09:00:00Z", "recurrence": {"rrule": "FREQ=DAILY"}}
    first = ann.create(title="Water", projectId=home["id"], **values)
    done = {"status": "COMPLETED"}
    ann.graphql(UPDATE, input={"id": first["id"], **done})
    assert counted(ann, projectIds=[home["id"]], status=["PENDING"]) == 1
    move = {"moveTo": work["id"]} if fate == "MOVE" else {}

    ann.graphql(REMOVE, input={"id": home["id"], "tasks": fate, **move})
    pending = ann.graphql(PENDING)["data"]["tasks"]["nodes"]
    for task in pending:
        ann.graphql(UPDATE, input={"id": task["id"], **done})
    left = ann.graphql(PENDING)["data"]["tasks"]["nodes"]

    project_id = work["id"] if fate == "MOVE" else None
    count = 0 if fate == "DELETE" else 1
    assert [task["projectId"] for task in pending] == [project_id] * count
    assert [task["projectId"] for task in left] == [project_id] * count


PENDING = "{ tasks(filter: {status: [PENDING]}) { nodes { id projectId } } }"
