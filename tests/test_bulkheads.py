"""Costly work has bulkheads: a few run at once, others wait a little or are rejected."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from conftest import Api, codes

from graphql_api import bulkheads, create_app
from graphql_api.api.graphql import context
from graphql_api.bulkheads import Bulkheads
from graphql_api.config import Config
from graphql_api.infra.concurrency import bulkhead
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.executor import executor
from graphql_api.infra.executor.executor import SHORT_DOCUMENT, validate

pytestmark = pytest.mark.engine_is_no_matter

SOON = 10  # seconds
LONG = f"{{ viewer {{ {'id ' * SHORT_DOCUMENT} }} }}"
SHORT = f"{{ viewer {{ {'id ' * (SHORT_DOCUMENT - 7)} }} }}"
BY_URGENCY = "{ tasks(orderBy: {field: URGENCY, direction: DESC}) { nodes { id } } }"
PLAN = '{ planPreview(input: {from: "2030-01-01T00:00:00Z"}) { inputHash } }'
KINDS = {
    "a list by urgency": BY_URGENCY,
    "a plan's input": PLAN,
    "a long document": LONG,
    "the schema": "{ __schema { queryType { name } } }",
    "a type, and what reads the store": '{ viewer { id } __type(name: "X") { name } }',
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_beyond_the_bulkhead_is_rejected_in_time_and_the_next_one_served(
    engine, monkeypatch, kind
):
    query = KINDS[kind]
    monkeypatch.setattr(bulkheads, "QUEUE_SECONDS", 0.05)
    monkeypatch.setattr(bulkheads, "PLAN_QUEUE_SECONDS", 0.05)
    app = create_app(replace(engine, threads=1))
    ann = Api(app.test_client()).register("ann")
    begun, go = Event(), Event()

    def run_in_thread(work):
        begun.set()
        assert go.wait(SOON)
        return work()

    monkeypatch.setattr(bulkhead, "run_in_thread", run_in_thread)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(Api(app.test_client()).graphql, query, ann.token)
        assert begun.wait(SOON)
        refused = Api(app.test_client()).graphql(query, ann.token)
        go.set()

    assert codes(refused) == ["SERVICE_UNAVAILABLE"]
    assert refused["errors"][0]["message"].endswith(", try again.")
    assert "errors" not in first.result()
    assert "errors" not in ann.graphql(query)


@pytest.mark.parametrize(
    ("threads", "slots"), [(1, 1 + 2 * 1 + 6), (4, 3 + 2 * 2 + 6), (256, 3 + 2 * 128 + 6)]
)
def test_work_that_has_a_slot_has_a_thread(engine, monkeypatch, threads, slots):
    config = replace(engine, threads=threads, max_hashes=3)
    sizes, create = [], Bulkhead.__init__

    def noted(self, size, *given, **more):
        sizes.append(size)
        create(self, size, *given, **more)

    monkeypatch.setattr(Bulkhead, "__init__", noted)
    create_app(config)  # whoever makes a bulkhead of its own here is counted, too

    assert sum(sizes) == Bulkheads.of(config).size == slots


@pytest.mark.parametrize(("threads", "slots"), [(1, 1), (2, 1), (3, 2), (4, 3), (256, 3)])
def test_one_thread_is_left_for_requests_that_check_no_password(threads, slots):
    assert Bulkheads.of(Config.from_env({"THREADS": str(threads)})).passwords.size == slots


@pytest.mark.parametrize(("threads", "slots"), [(1, 1), (2, 1), (3, 1), (4, 2), (256, 128)])
def test_half_of_the_threads_are_for_each_kind_of_list(threads, slots):
    bulkheads = Bulkheads.of(Config.from_env({"THREADS": str(threads)}))

    assert [bulkheads.rankings.size, bulkheads.lists.size] == [slots] * 2


def test_one_at_a_time_may_hold_as_much_as_an_answer_may_have():
    bulkheads = Bulkheads.of(Config.from_env({"THREADS": "256"}))

    assert [bulkheads.long_lists.size, bulkheads.long_operations.size] == [1, 1]


def test_of_requests_that_wait_for_the_same_document_one_validates_it(engine, monkeypatch):
    app = create_app(engine)
    ann = Api(app.test_client()).register("ann")
    begun, go, checked = Event(), Event(), []

    def run_in_thread(work):
        begun.set()
        assert go.wait(SOON)
        return work()

    monkeypatch.setattr(bulkhead, "run_in_thread", run_in_thread)
    monkeypatch.setattr(
        executor, "validate", lambda *given, **more: checked.append(1) or validate(*given, **more)
    )
    with ThreadPoolExecutor() as threads:
        first = threads.submit(Api(app.test_client()).graphql, LONG, ann.token)
        assert begun.wait(SOON)
        second = threads.submit(Api(app.test_client()).graphql, LONG, ann.token)
        while not app.extensions["executor"]._long_documents._queue:
            time.sleep(0.001)
        go.set()
    assert first.result() == second.result()
    assert "errors" not in first.result()
    assert len(checked) == 1


def test_the_documents_of_rest_need_no_slot(engine, monkeypatch):
    monkeypatch.setattr(bulkhead, "run_in_thread", None)
    ann = Api(create_app(engine).test_client()).register("ann")

    assert ann.rest("GET", "/api/v1/tasks").json == []


def test_only_a_long_document_is_validated_in_a_thread_and_only_the_first_time(engine, monkeypatch):
    ann = Api(create_app(engine).test_client()).register("ann")
    threaded = []
    monkeypatch.setattr(bulkhead, "run_in_thread", lambda work: threaded.append(work) or work())

    for _ in range(2):
        assert "errors" not in ann.graphql(SHORT)
    assert len(threaded) == 0
    for _ in range(2):
        assert "errors" not in ann.graphql(LONG)
    assert len(threaded) == 1


@pytest.mark.parametrize(
    ("tasks", "queries", "times"), [(100, 1, 0), (101, 2, 1), (110, 2, 1), (111, 3, 2)]
)
def test_a_whole_list_takes_a_slot_and_one_beyond_the_first_page_another(
    ann, calls, monkeypatch, tasks, queries, times
):
    monkeypatch.setattr(context, "WHOLE_LIST_PAGE", 10)
    threaded = []
    monkeypatch.setattr(bulkhead, "run_in_thread", lambda work: threaded.append(work) or work())
    ids = [ann.create(title="x")["id"] for _ in range(tasks)]
    calls.clear()

    found = ann.rest("GET", "/api/v1/tasks").json
    assert [task["task_id"] for task in found] == ids[::-1]
    assert calls.count("Query") == queries
    assert len(threaded) == times
