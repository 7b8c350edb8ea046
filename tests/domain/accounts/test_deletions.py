"""Deletion of an account: complete in two passes, whatever crashes between them."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import CREATE, PASSWORD, Api, codes
from engines import upgrade
from whole_tables import scanned

from graphql_api import clock, create_app
from graphql_api.config import Config
from graphql_api.domain.accounts import deletions as module
from graphql_api.domain.jobs import LEASE
from graphql_api.domain.tables import TABLES
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables

pytestmark = pytest.mark.core

DELETE_ACCOUNT = """
  mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }
"""


class Crash(BaseException):
    """The process ends here, as by kill -9."""


@pytest.fixture
def deletions(app):
    return app.extensions["deletions"]


@pytest.fixture
def alarms(deletions, monkeypatch) -> list[float]:
    """The seconds after which a sweep was scheduled, in the place of a timer."""
    seconds: list[float] = []
    monkeypatch.setattr(deletions._alarm, "set", seconds.append)
    return seconds


@pytest.fixture
def later(monkeypatch):
    """Let the clock of an application's deletions be ahead."""

    def later(app, delay: timedelta = module.SECOND_PASS_DELAY + timedelta(seconds=1)):
        monkeypatch.setattr(app.extensions["deletions"], "_now", lambda: clock.now() + delay)
        return app.extensions["deletions"]

    return later


def delete(person, entry: str) -> None:
    if entry == "graphql":
        answer = person.graphql(DELETE_ACCOUNT, input={"password": PASSWORD})
        assert answer == {"data": {"deleteAccount": {"deletedUserId": person.id}}}
    else:
        answer = person.rest("DELETE", "/auth/account", json={"password": PASSWORD})
        assert answer.json == {"message": "Account deleted successfully", "user_id": person.id}


@pytest.fixture
def few(engine, request) -> Config:
    """Tables with nothing else in them, for a test that reads them as a whole again and again."""
    if engine.endpoint is None:
        return engine  # moto's are new for this module
    config = replace(engine, table_prefix=f"few-{request.node.callspec.params['entry']}-")
    Tables(connect(config), config, TABLES).prepare()
    upgrade(config)
    return config


def traces(app, person, prefix: str = "") -> list[tuple[str, str]]:
    """The keys of all items that tell of a person."""
    raw = app.extensions["database"].client
    names = {f"{prefix}Users": "item", f"{prefix}Tasks": "task_id"}
    return [
        (item["user_id"]["S"], item[range_key]["S"])
        for table, range_key in names.items()
        for item in scanned(raw, table)
        if person.id in str(item) or person.username in str(item)
    ]


def job(person) -> tuple[str, str]:
    return ("job#deletion", person.id)


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_a_deletion_is_durable_before_anything_is_deleted(app, ann, alarms, calls, entry):
    ann.create(title="x")
    calls.clear()

    delete(ann, entry)

    # The account, the attempt at the password, the job with the end of all sessions; then the pass.
    assert calls[:3] == ["GetItem", "UpdateItem", "TransactWriteItems"]
    assert {*calls[3:-1]} == {"Query", "BatchWriteItem"}
    assert calls[-1] == "TransactWriteItems"
    assert traces(app, ann) == [job(ann)]
    assert alarms == [module.SECOND_PASS_DELAY.total_seconds()]


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_the_second_pass_deletes_what_other_processes_have_written_meanwhile(
    app, engine, ann, later, entry
):
    elsewhere = Api(create_app(engine).test_client())
    assert elsewhere.rest("GET", "/auth/verify", ann.token).status_code == 200  # cached from now on
    delete(ann, entry)
    late = {"title": "late", "idempotencyKey": "late", "dueAt": "2030-01-01T00:00:00Z"}
    assert "errors" not in elsewhere.graphql(CREATE, ann.token, input=late)
    writes = [
        elsewhere.rest("POST", "/api/v1/tasks", ann.token, json={"title": "late"}),
        elsewhere.rest("PUT", "/api/v1/settings", ann.token, json={"timezone": "Europe/Berlin"}),
    ]
    assert [answer.status_code for answer in writes] == [201, 200]
    assert len(traces(app, ann)) >= 5  # two tasks, a receipt, the settings, the job

    later(app).sweep()

    assert traces(app, ann) == []


def test_a_job_is_left_alone_until_it_is_due(app, ann, deletions, alarms, calls):
    delete(ann, "rest")
    mine = next(item for item in deletions._jobs.pending() if item.item == ann.id)
    deletions._jobs.pending = lambda: [mine]
    alarms.clear()
    calls.clear()

    try:
        deletions.sweep()
    finally:
        del deletions._jobs.pending

    assert calls == []
    [seconds] = alarms
    assert 0 < seconds <= module.SECOND_PASS_DELAY.total_seconds()
    assert traces(app, ann) == [job(ann)]


@pytest.mark.thorough
@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_whatever_call_a_deletion_crashes_before_another_process_completes_it(few, later, entry):
    brief = replace(few, changes_days=1)  # a pass reads each day's changes: fewer calls
    app, restarted = create_app(brief), create_app(brief)
    api = Api(app.test_client())
    events = app.extensions["database"].client.meta.events
    calls = itertools.count()
    crashing_at = 0

    def crash(**_):
        if next(calls) == crashing_at:
            raise Crash

    while True:
        person = api.register(f"crashing-{entry}")
        person.create(title="x", idempotencyKey="x")
        calls = itertools.count()
        events.register_first("before-send.dynamodb", crash)
        try:
            delete(person, entry)
            break  # it makes no more calls than that
        except Crash:
            pass
        finally:
            events.unregister("before-send.dynamodb", crash)
        owed = job(person) in traces(app, person, few.table_prefix)
        assert owed == (crashing_at > 2)  # from the transaction on

        later(restarted).sweep()

        if owed:
            assert traces(app, person, few.table_prefix) == []
        else:
            assert len(person.rest("GET", "/api/v1/tasks").json) == 1
        crashing_at += 1
    assert crashing_at > 8


def test_of_two_processes_that_sweep_one_runs_the_pass(app, engine, ann, later, alarms):
    delete(ann, "rest")
    here, there = later(app), later(create_app(engine))
    there._alarm.set = alarms.append
    [mine] = [item for item in here._jobs.pending() if item.item == ann.id]
    passes = []
    for deletions in (here, there):
        deletions.run_pass = passes.append

    try:
        delays = [deletions._attempt(mine) for deletions in (here, there)]
    finally:
        for deletions in (here, there):
            del deletions.run_pass

    assert passes == [ann.id]
    assert delays == [0, LEASE.total_seconds()]


def test_a_process_that_fails_leaves_the_job_to_the_next_one(app, ann, later, alarms, monkeypatch):
    delete(ann, "rest")
    deletions = later(app)
    alarms.clear()

    def unavailable(_):
        raise ServiceUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(deletions, "run_pass", unavailable)
        deletions.sweep()
    assert job(ann) in traces(app, ann)
    assert alarms == [LEASE.total_seconds()]

    later(app, module.SECOND_PASS_DELAY + 2 * LEASE).sweep()
    assert traces(app, ann) == []


def test_a_sweep_is_repeated_while_the_store_is_away(deletions, alarms, monkeypatch):
    def unavailable():
        raise ServiceUnavailable

    monkeypatch.setattr(deletions._jobs, "pending", unavailable)

    deletions.sweep()

    assert alarms == [module.RETRY_SECONDS]


def test_a_user_that_was_added_again_meanwhile_is_kept(app, ann, later):
    deletions = app.extensions["deletions"]
    app.extensions["database"].transact(deletions._jobs.addition(ann.id, clock.now()))

    later(app).sweep()

    assert ann.rest("GET", "/auth/verify").status_code == 200
    assert job(ann) not in traces(app, ann)


def test_a_login_looks_for_what_others_have_left_now_and_then(
    app, api, ann, deletions, alarms, calls, monkeypatch
):
    login = {"username": ann.username, "password": PASSWORD}
    app.extensions["database"].transact(deletions._jobs.addition("gone", clock.now()))
    monkeypatch.setattr(deletions, "_next_look", 0)
    calls.clear()

    for _ in range(2):
        assert api.rest("POST", "/auth/login", json=login).status_code == 200

    assert calls.count("Query") == 1
    assert alarms == [0]
    deletions._jobs.complete("gone")


def test_a_login_is_good_though_nobody_can_look(api, ann, deletions, alarms, monkeypatch):
    def unavailable():
        raise ServiceUnavailable

    monkeypatch.setattr(deletions._jobs, "pending", unavailable)
    monkeypatch.setattr(deletions, "_next_look", 0)

    answer = api.rest("POST", "/auth/login", json={"username": ann.username, "password": PASSWORD})

    assert answer.status_code == 200
    assert alarms == []


def test_a_refused_deletion_owes_nothing(app, ann, alarms):
    answer = ann.graphql(DELETE_ACCOUNT, input={"password": "wrong password"})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert job(ann) not in traces(app, ann)
    assert alarms == []
