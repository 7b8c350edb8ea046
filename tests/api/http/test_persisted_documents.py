"""Documents that are named by their hash, and the statuses of the newer draft."""

import hashlib
import json
from dataclasses import replace

import pytest
from conftest import Api, codes

from graphql_api import create_app
from graphql_api.errors import BadUserInput, PersistedQueryNotFound, StartError
from graphql_api.infra.executor import persisted_documents as documents_module
from graphql_api.infra.executor.persisted_documents import PersistedDocuments

pytestmark = pytest.mark.engine_is_no_matter

HELLO = "{ __typename }"
GRAPHQL = "application/graphql-response+json"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def by_hash(text):
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}


@pytest.fixture
def fresh(engine):
    """A process that knows no documents yet."""
    return Api(create_app(engine).test_client())


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_hash_is_taught_once_and_then_suffices(fresh, method):
    def ask(**members):
        if method == "POST":
            return fresh.rest("POST", "/graphql", json=members)
        members["extensions"] = json.dumps(members["extensions"])
        return fresh.rest("GET", "/graphql", query_string=members)

    extensions = by_hash(HELLO)

    unknown = ask(extensions=extensions)
    taught = ask(extensions=extensions, query=HELLO)
    known = ask(extensions=extensions)

    assert unknown.json == {
        "errors": [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ]
    }
    assert unknown.status_code == 200
    assert taught.json == known.json == {"data": {"__typename": "Query"}}


def test_a_miss_is_a_400_where_the_media_type_says_that_it_is_graphqls(fresh):
    answer = fresh.rest(
        "POST", "/graphql", json={"extensions": by_hash(HELLO)}, headers={"Accept": GRAPHQL}
    )

    assert (answer.status_code, codes(answer.json)) == (400, ["PERSISTED_QUERY_NOT_FOUND"])


@pytest.mark.parametrize(
    "persisted",
    [
        1,
        [],
        {},
        {"version": 2, "sha256Hash": sha256(HELLO)},
        {"version": 1},
        {"version": 1, "sha256Hash": 5},
        {"version": 1, "sha256Hash": sha256("another")},
    ],
)
def test_a_hash_that_is_none_is_refused(fresh, persisted):
    body = {"query": HELLO, "extensions": {"persistedQuery": persisted}}

    answer = fresh.rest("POST", "/graphql", json=body)

    assert (answer.status_code, codes(answer.json)) == (400, ["BAD_USER_INPUT"])


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(documents_module, "MAX_CHARACTERS", 100)
    documents = PersistedDocuments()
    texts = [f"{{ a{number} {'#' * 30} }}" for number in range(10)]

    for text in texts:
        documents.register(documents.resolve(text, by_hash(text)), by_hash(text))

    assert documents.resolve(None, by_hash(texts[-1])) == texts[-1]
    with pytest.raises(PersistedQueryNotFound):
        documents.resolve(None, by_hash(texts[0]))
    assert documents._characters <= 100


def test_what_cannot_be_executed_is_not_remembered(fresh):
    body = {"query": "{ nope }", "extensions": by_hash("{ nope }")}

    fresh.rest("POST", "/graphql", json=body)
    answer = fresh.rest("POST", "/graphql", json={"extensions": by_hash("{ nope }")})

    assert codes(answer.json) == ["PERSISTED_QUERY_NOT_FOUND"]


# Trusted documents


def manifest(tmp_path, content):
    path = tmp_path / "trusted.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        {sha256(HELLO): HELLO},
        {"format": "apollo-persisted-query-manifest", "operations": [{"id": "x", "body": HELLO}]},
    ],
    ids=["graphql-codegen", "Apollo"],
)
def test_only_trusted_documents_are_executed(engine, tmp_path, content):
    config = replace(engine, trusted_documents=manifest(tmp_path, content))
    api = Api(create_app(config).test_client())
    other = "{ viewer { id } }"

    answers = [
        api.rest("POST", "/graphql", json=body).json
        for body in (
            {"query": HELLO},
            {"extensions": by_hash(HELLO)},
            {"query": other},
            {"query": other, "extensions": by_hash(other)},
            {"extensions": by_hash(other)},
        )
    ]

    assert answers[:2] == [{"data": {"__typename": "Query"}}] * 2
    assert [codes(answer) for answer in answers[2:]] == [
        ["FORBIDDEN"],
        ["FORBIDDEN"],
        ["PERSISTED_QUERY_NOT_FOUND"],
    ]


def test_a_trusted_document_can_be_named_by_the_id_of_its_manifest(engine, tmp_path):
    config = replace(engine, trusted_documents=manifest(tmp_path, {"An-Id": HELLO}))
    api = Api(create_app(config).test_client())
    named = {"persistedQuery": {"version": 1, "sha256Hash": "An-Id"}}

    answer = api.rest("POST", "/graphql", json={"extensions": named})

    assert answer.json == {"data": {"__typename": "Query"}}


def test_rest_works_beside_trusted_documents(engine, tmp_path):
    config = replace(engine, trusted_documents=manifest(tmp_path, {"x": HELLO}))
    api = Api(create_app(config).test_client())

    answer = api.rest("POST", "/auth/login", json={"username": "nobody", "password": "no such"})

    assert answer.status_code == 401


@pytest.mark.parametrize("content", [{}, [], 3, {"a": 1}, {"operations": [{}]}, {"operations": []}])
def test_a_file_that_is_no_manifest_stops_the_start(tmp_path, content):
    with pytest.raises(StartError, match="TRUSTED_DOCUMENTS"):
        PersistedDocuments(manifest(tmp_path, content))


def test_a_file_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(StartError, match="TRUSTED_DOCUMENTS"):
        PersistedDocuments(tmp_path / "nowhere.json")


def test_a_request_with_neither_text_nor_hash_is_refused(tmp_path):
    for documents in (PersistedDocuments(), PersistedDocuments(manifest(tmp_path, {"x": HELLO}))):
        with pytest.raises(BadUserInput):
            documents.resolve(None, {})


# The draft of 2026


def test_the_newer_draft_has_other_statuses(engine):
    api = Api(create_app(replace(engine, graphql_http="2026")).test_client())

    def status(accept, body):
        return api.rest("POST", "/graphql", json=body, headers={"Accept": accept}).status_code

    bodies = {
        "no JSON object": [],
        "another type": {"query": 3},
        "no GraphQL": {"query": "{"},
        "not of the schema": {"query": "{ nope }"},
        "bad variables": {"query": "query ($n: Int!) { tasks(first: $n) { totalCount } }"},
        "only errors": {"query": "{ viewer { id } }"},
        "data and errors": {"query": '{ __typename task(id: "x") { id } }'},
        "data": {"query": HELLO},
    }
    assert {name: status(GRAPHQL, body) for name, body in bodies.items()} == {
        "no JSON object": 400,
        "another type": 422,
        "no GraphQL": 400,
        "not of the schema": 422,
        "bad variables": 422,
        "only errors": 200,
        "data and errors": 294,
        "data": 200,
    }
    assert status("application/json", bodies["data and errors"]) == 200
