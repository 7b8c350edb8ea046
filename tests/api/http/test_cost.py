"""The cost of an operation, told to those who ask for it by a header."""

import pytest
from conftest import bearer, codes

pytestmark = pytest.mark.engine_is_no_matter

FIVE_FIELDS = """{ __schema { queryType { name } } tasks { nodes { ...Short id } } }
fragment Short on Task { id title }"""


def ask(person, query, **headers):
    return person.api.client.post(
        "/graphql", json={"query": query}, headers={**bearer(person.token), **headers}
    ).json


def test_an_answer_tells_the_fields_of_its_operation(ann):
    """Fragments are expanded; questions about the schema cost nothing."""
    answer = ask(ann, FIVE_FIELDS, **{"X-GraphQL-Cost": "1"})
    assert answer["data"]["tasks"] == {"nodes": []}
    assert answer["extensions"] == {"cost": {"requested": 5, "limit": 500}}


@pytest.mark.parametrize("headers", [{}, {"X-GraphQL-Cost": "0"}])
def test_nobody_is_told_who_does_not_ask(ann, headers):
    assert "extensions" not in ask(ann, FIVE_FIELDS, **headers)


def test_an_error_is_told_with_the_cost(ann):
    answer = ask(ann, '{ task(id: "") { id } node(id: "x?") { id } }', **{"X-GraphQL-Cost": "1"})
    assert answer["extensions"] == {"cost": {"requested": 4, "limit": 500}}


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{ " + "viewer { id } " * 251 + "}", "QUERY_TOO_COMPLEX")],
)
def test_a_refused_document_has_a_limit_only(ann, query, code):
    answer = ask(ann, query, **{"X-GraphQL-Cost": "1"})
    assert codes(answer) == [code]
    assert answer["extensions"] == {"cost": {"requested": None, "limit": 500}}
