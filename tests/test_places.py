"""What takes long is done by a few at a time; the others wait a little, and are told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from conftest import Api, codes

from graphql_api import context, create_app, execution, rest
from graphql_api.execution import BRIEF
from graphql_api.paging import LARGEST

pytestmark = pytest.mark.engine_is_no_matter

SOON = 10  # seconds
LONG = f"{{ viewer {{ {'id ' * BRIEF} }} }}"
BRIEF_ONE = f"{{ viewer {{ {'id ' * (BRIEF - 7)} }} }}"
BY_URGENCY = "{ tasks(orderBy: {field: URGENCY, direction: DESC}) { nodes { id } } }"
KINDS = {
    "a list by urgency": (context, BY_URGENCY),
    "a long document": (execution, LONG),
    "the schema": (execution, "{ __schema { queryType { name } } }"),
    "a type, and what reads the store": (execution, '{ viewer { id } __type(name: "X") { name } }'),
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

    monkeypatch.setattr(module, "apart", apart)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(Api(app.test_client()).graphql, query, ann.token)
        assert begun.wait(SOON)
        refused = Api(app.test_client()).graphql(query, ann.token)
        go.set()

    assert codes(refused) == ["SERVICE_UNAVAILABLE"]
    assert refused["errors"][0]["message"].startswith(("Too many l", "Too many are asking"))
    assert "errors" not in first.result()
    assert "errors" not in ann.graphql(query)


def test_only_a_long_document_is_checked_apart_and_only_until_it_is_known(engine, monkeypatch):
    ann = Api(create_app(engine).test_client()).register("ann")
    apart = []
    monkeypatch.setattr(execution, "apart", lambda work: apart.append(work) or work())

    for _ in range(2):
        assert "errors" not in ann.graphql(BRIEF_ONE)
    assert len(apart) == 0
    for _ in range(2):
        assert "errors" not in ann.graphql(LONG)
    assert len(apart) == 1


@pytest.mark.parametrize(("tasks", "times"), [(LARGEST, 0), (LARGEST + 1, 1)])
def test_a_list_of_more_than_a_page_is_read_apart(ann, calls, monkeypatch, tasks, times):
    apart = []
    monkeypatch.setattr(rest, "apart", lambda work: apart.append(work) or work())
    for _ in range(tasks):
        ann.create(title="x")
    calls.clear()

    assert len(ann.rest("GET", "/api/v1/tasks").json) == tasks
    assert calls.count("Query") == 1 + times
    assert len(apart) == times
