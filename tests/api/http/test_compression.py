"""Answers to reads are compressed where a client asks for it; what holds a secret never is."""

import gzip
import json

import pytest
from conftest import LOGIN, PASSWORD
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.api.http.compression import PIECE, accepts_gzip, compress

LIST = "{ tasks { nodes { id title description } } }"


def post(person, query, encoding="gzip, br", **variables):
    return person.api.client.post(
        "/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {person.token}", "Accept-Encoding": encoding},
    )


@pytest.fixture
def ann(ann):
    for number in range(20):
        ann.create(title=f"Task {number}", description="the same words " * 10)
    return ann


def test_a_list_is_compressed_where_it_is_asked_for(ann):
    plain, packed = post(ann, LIST, encoding=""), post(ann, LIST)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) // 3
    assert packed.headers["Content-Length"] == str(len(packed.data))
    for answer in (plain, packed):
        assert answer.headers["Vary"] == "Accept-Encoding, Accept"


def test_a_list_of_rest_is_compressed_too(ann):
    answer = ann.rest("GET", "/api/v1/tasks", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.data))) == 20


def test_what_is_short_is_not_compressed(ann):
    assert "Content-Encoding" not in post(ann, "{ viewer { username } }").headers


@pytest.mark.parametrize("padding", ["a", "x: __typename " * 15])
def test_an_answer_with_tokens_is_never_compressed(ann, padding):
    aliases = " ".join(f"a{n}: user {{ id username createdAt }}" for n in range(14))
    query = LOGIN.replace("{ token", f"{{ {aliases} token") if padding != "a" else LOGIN

    answer = post(ann, query, input={"username": ann.username, "password": PASSWORD})

    assert "token" in answer.text
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=1.0", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity, *", False),
    ],
)
def test_gzip_has_to_be_named(header, accepts):
    assert accepts_gzip(header) is accepts


@given(st.binary(max_size=100), st.integers(0, 3 * PIECE // 100))
def test_what_was_compressed_is_what_it_was(text, times):
    assert gzip.decompress(compress(text * times)) == text * times


def test_a_batch_is_told_that_there_are_none(ann):
    answer = ann.api.client.post("/graphql", json=[{"query": "{ __typename }"}])

    assert answer.status_code == 400
    assert answer.json["errors"][0]["message"] == (
        "Batching is not offered: send one operation in each request."
    )


@pytest.mark.parametrize("path", ["/graphql/", "/api/v1/tasks/", "/auth/verify/", "/healthz/"])
def test_a_slash_at_the_end_changes_nothing(ann, path):
    query = {"query": "{ __typename }"} if "graphql" in path else {}

    found = [ann.rest("GET", each, query_string=query) for each in (path, path[:-1])]

    assert [answer.status_code for answer in found] == [200, 200]
    assert found[0].data == found[1].data
