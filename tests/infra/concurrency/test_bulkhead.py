"""What takes long is done by a few at a time; the others wait a little, and are told."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from conftest import Api, codes
from hubs import SOON, HubRig, reading

from graphql_api import create_app
from graphql_api.api.graphql import context
from graphql_api.api.rest import views as rest
from graphql_api.domain.accounts import passwords
from graphql_api.domain.plans import service
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency import bulkhead
from graphql_api.infra.concurrency.deadline import REQUEST_SECONDS, deadline, set_deadline
from graphql_api.infra.concurrency.waiting import run_in_thread
from graphql_api.infra.executor import executor
from graphql_api.infra.executor.executor import BRIEF, validate

pytestmark = pytest.mark.engine_is_no_matter

LONG = f"{{ viewer {{ {'id ' * BRIEF} }} }}"
BRIEF_ONE = f"{{ viewer {{ {'id ' * (BRIEF - 7)} }} }}"
BY_URGENCY = "{ tasks(orderBy: {field: URGENCY, direction: DESC}) { nodes { id } } }"
PLAN = '{ planPreview(input: {from: "2030-01-01T00:00:00Z"}) { inputHash } }'
KINDS = {
    "a list by urgency": (context, BY_URGENCY),
    "a plan's input": (service, PLAN),
    "a long document": (executor, LONG),
    "the schema": (executor, "{ __schema { queryType { name } } }"),
    "a type, and what reads the store": (executor, '{ viewer { id } __type(name: "X") { name } }'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_one_too_many_hears_so_in_time_and_the_next_one_is_served(
    engine, monkeypatch, kind
):
    module, query = KINDS[kind]
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    app = create_app(replace(engine, threads=1))
    ann = Api(app.test_client()).register("ann")
    begun, go = Event(), Event()

    def apart(work):
        begun.set()
        assert go.wait(SOON)
        return work()

    monkeypatch.setattr(bulkhead, "run_in_thread", apart)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(Api(app.test_client()).graphql, query, ann.token)
        assert begun.wait(SOON)
        refused = Api(app.test_client()).graphql(query, ann.token)
        go.set()

    assert codes(refused) == ["SERVICE_UNAVAILABLE"]
    assert refused["errors"][0]["message"].endswith(", try again.")
    assert "errors" not in first.result()
    assert "errors" not in ann.graphql(query)


@pytest.mark.parametrize("threads", [1, 4, 5])
def test_whoever_has_a_place_has_a_thread(engine, monkeypatch, threads):
    counts = []

    class Counted(bulkhead.Places):
        def __init__(self, count, *given, **more):
            counts.append(count)
            super().__init__(count, *given, **more)

    for module in (context, executor, passwords, rest, service):
        monkeypatch.setattr(module, "Places", Counted)
    config = replace(engine, threads=threads, most_hashes=3)
    create_app(config)

    assert sum(counts) == config.apart


def test_of_those_who_wait_for_the_same_document_one_is_enough(engine, monkeypatch):
    app = create_app(engine)
    ann = Api(app.test_client()).register("ann")
    begun, go, checked = Event(), Event(), []

    def apart(work):
        begun.set()
        assert go.wait(SOON)
        return work()

    monkeypatch.setattr(bulkhead, "run_in_thread", apart)
    monkeypatch.setattr(
        executor, "validate", lambda *given, **more: checked.append(1) or validate(*given, **more)
    )
    with ThreadPoolExecutor() as threads:
        first = threads.submit(Api(app.test_client()).graphql, LONG, ann.token)
        assert begun.wait(SOON)
        second = threads.submit(Api(app.test_client()).graphql, LONG, ann.token)
        while not app.graphql._executor._long_documents._turns:
            time.sleep(0.001)
        go.set()
    assert first.result() == second.result()
    assert "errors" not in first.result()
    assert len(checked) == 1


def test_the_services_own_document_waits_for_no_place(engine, monkeypatch):
    monkeypatch.setattr(bulkhead, "run_in_thread", None)
    ann = Api(create_app(engine).test_client()).register("ann")

    assert ann.rest("GET", "/api/v1/tasks").json == []


def test_who_has_waited_for_a_place_has_as_much_time_as_others():
    only = bulkhead.Places(1, "None is free.", waiting=1, seconds=SOON, in_threads=True)
    left = []

    def wait():
        set_deadline(0)
        with only.take():
            left.append(deadline() - time.monotonic())

    with ThreadPoolExecutor() as threads:
        with only.take():
            waiting = threads.submit(wait)
            while not only._turns:
                time.sleep(0.001)
        waiting.result(SOON)

    assert left[0] > REQUEST_SECONDS - 1


def test_only_a_long_document_is_checked_apart_and_only_until_it_is_known(engine, monkeypatch):
    ann = Api(create_app(engine).test_client()).register("ann")
    apart = []
    monkeypatch.setattr(bulkhead, "run_in_thread", lambda work: apart.append(work) or work())

    for _ in range(2):
        assert "errors" not in ann.graphql(BRIEF_ONE)
    assert len(apart) == 0
    for _ in range(2):
        assert "errors" not in ann.graphql(LONG)
    assert len(apart) == 1


@pytest.mark.parametrize(
    ("tasks", "queries", "times"), [(100, 1, 0), (101, 2, 1), (110, 2, 1), (111, 3, 2)]
)
def test_of_all_tasks_the_first_page_only_is_read_while_others_wait(
    ann, calls, monkeypatch, tasks, queries, times
):
    monkeypatch.setattr(context, "WHOLE_LIST_PAGE", 10)
    apart = []
    monkeypatch.setattr(bulkhead, "run_in_thread", lambda work: apart.append(work) or work())
    ids = [ann.create(title="x")["id"] for _ in range(tasks)]
    calls.clear()

    found = ann.rest("GET", "/api/v1/tasks").json
    assert [task["task_id"] for task in found] == ids[::-1]
    assert calls.count("Query") == queries
    assert len(apart) == times


def holds(places, go):
    """A step that has a place until it may go."""

    def hold():
        with places.take():
            run_in_thread(lambda: go.wait(SOON))
        return "left"

    return hold


def enters(places, name):
    """A step that tells its name once it has a place."""

    def enter():
        try:
            with places.take():
                return name
        except ServiceUnavailable as error:
            return error.message

    return enter


def test_who_waits_for_a_place_gets_it_in_the_order_of_coming():
    rig, go = HubRig(), Event()
    places = bulkhead.Places(1, "None is free.", waiting=2, seconds=SOON)

    rig.run(holds(places, go), *(enters(places, name) for name in ["first", "second", "third"]))

    assert rig.result() == "None is free."  # the third: no more than two may wait
    go.set()
    assert [rig.result() for _ in range(3)] == ["left", "first", "second"]


def test_who_has_waited_long_enough_is_told_and_keeps_no_turn():
    rig, go = HubRig(), Event()
    places = bulkhead.Places(1, "None is free.", waiting=1, seconds=0.02)

    rig.run(holds(places, go), enters(places, "too late"))
    assert rig.result() == "None is free."
    go.set()
    assert rig.result() == "left"
    rig.run(enters(places, "now"))
    assert rig.result() == "now"


def test_who_waits_for_a_place_keeps_nobody_from_work():
    rig, go = HubRig(concurrency=1), Event()
    places = bulkhead.Places(1, "None is free.", waiting=8, seconds=SOON)
    rig.run(holds(places, go), *[enters(places, "waited")] * 8)

    for _ in range(5):
        rig.run(lambda: "answered")
        assert rig.result() == "answered"

    go.set()
    assert sorted(rig.result() for _ in range(9)) == ["left", *["waited"] * 8]
    rig.run(lambda: "answered")
    assert rig.result() == "answered"


def test_after_all_have_waited_no_more_work_at_once_than_before():
    here, there = socket.socketpair()
    rig, go = HubRig(concurrency=1), Event()
    places = bulkhead.Places(1, "None is free.", waiting=8, seconds=SOON)
    rig.run(holds(places, go), *[enters(places, "waited")] * 8)
    go.set()
    assert sorted(rig.result() for _ in range(9)) == ["left", *["waited"] * 8]

    rig.run(reading(here), lambda: "after it")
    assert rig.has_no_result()
    there.send(b"x")
    assert [rig.result(), rig.result()] == [True, "after it"]
    here.close()
    there.close()


def test_a_thread_waits_for_a_place_where_it_may():
    places = bulkhead.Places(1, "None is free.", waiting=1, seconds=SOON, in_threads=True)
    go, taken = Event(), Event()

    def hold():
        with places.take():
            taken.set()
            go.wait(SOON)

    with ThreadPoolExecutor() as pool:
        pool.submit(hold)
        taken.wait(SOON)
        later = pool.submit(enters(places, "waited"))
        go.set()
        assert later.result(SOON) == "waited"


def test_a_thread_is_told_too_that_it_has_waited_long_enough():
    places = bulkhead.Places(1, "None is free.", waiting=1, seconds=0.02, in_threads=True)

    with places.take():
        assert enters(places, "in")() == "None is free."
    assert enters(places, "in")() == "in"


def test_a_thread_that_others_need_waits_for_no_place():
    places = bulkhead.Places(1, "None is free.", waiting=8, seconds=SOON)

    with places.take():
        assert enters(places, "in")() == "None is free."
    assert enters(places, "in")() == "in"
