"""Everything wants a token, but what is named here: a new route or field is asked at once."""

import re

import pytest
from conftest import codes
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from graphql_api.api.graphql.schema import SCHEMA

pytestmark = pytest.mark.engine_is_no_matter

PUBLIC_FIELDS = {"register", "login", "refreshToken"}
PUBLIC_ROUTES = {
    *("/", "/graphql", "/graphiql/<name>", "/plan", "/plan/<name>"),
    *("/openapi.json", "/healthz", "/readyz"),
    *("/auth/register", "/auth/login", "/auth/refresh"),
    "/calendars/<token>.ics",  # which is a secret itself
}
CORE = build_schema(SCHEMA.as_str())


def value(kind):
    """A literal that this type accepts."""
    if is_non_null_type(kind):
        kind = kind.of_type
    if is_list_type(kind):
        return f"[{value(kind.of_type)}]"
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        given = {n: f for n, f in named.fields.items() if is_required_input_field(f)}
        return "{" + ", ".join(f"{n}: {value(f.type)}" for n, f in given.items()) + "}"
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    return {"Int": "1", "Boolean": "true"}.get(named.name, '"2030-01-01T00:00:00Z"')


def selection(kind):
    """The least that can be selected of this type."""
    named = get_named_type(kind)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    for name, field in named.fields.items():
        if not isinstance(get_named_type(field.type), GraphQLObjectType):
            return f"{{ {name} }}"
    name, field = next(iter(named.fields.items()))
    return f"{{ {name} {selection(field.type)} }}"


def operations():
    for operation, root in (("query", CORE.query_type), ("mutation", CORE.mutation_type)):
        for name, field in root.fields.items():
            required = {n: a for n, a in field.args.items() if is_required_argument(a)}
            given = ", ".join(f"{n}: {value(a.type)}" for n, a in required.items())
            arguments = f"({given})" if given else ""
            yield name, f"{operation} {{ {name}{arguments} {selection(field.type)} }}"


@pytest.mark.parametrize(("name", "operation"), list(operations()))
def test_every_root_field_but_the_ways_in_wants_a_token(api, calls, name, operation):
    calls.clear()

    answer = api.graphql(operation)

    if name in PUBLIC_FIELDS:
        assert "Authentication is required." not in str(answer)
    else:
        assert codes(answer) == ["UNAUTHENTICATED"]
        assert not answer["data"] or answer["data"][name] is None
        assert calls == []


def test_every_route_but_the_public_ones_wants_a_token(app, api, calls):
    calls.clear()
    answers = {
        (rule.rule, method): api.rest(method, re.sub(r"<\w+>", "x", rule.rule)).status_code
        for rule in app.url_map.iter_rules()
        if rule.rule not in PUBLIC_ROUTES
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert len(answers) >= 9
    assert set(answers.values()) == {401}
    assert calls == []
