"""Errors speak GraphQL's words, and suggest nothing where the schema is a secret."""

import re
from enum import Enum
from pathlib import Path
from typing import Any

import graphql
import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_nullable_type,
)
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.api.graphql.schema import COSTS, SCHEMA
from graphql_api.errors import Unauthenticated
from graphql_api.infra.executor.executor import Executor, Request

# Suggestions


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Search:
    name: str | None = None
    colour: Colour | None = None


@strawberry.interface
class Animal:
    name: str


@strawberry.type
class Dog(Animal):
    @strawberry.field
    def bark(self, volume: str = "loud") -> str:
        return volume

    @strawberry.field
    def age(self) -> int:
        return 2**40

    @strawberry.field
    def litter(self) -> list[str]:
        return 2**40


@strawberry.type
class Query:
    animal: Animal
    dog: Dog

    @strawberry.field
    def find(self, by: Search) -> Dog:
        return Dog(name=by.name or "Rex")


ANIMALS = strawberry.Schema(Query, types=[Dog])
TALKATIVE, SECRETIVE = (
    Executor(ANIMALS, costs={}, introspection=introspection) for introspection in (True, False)
)

SUGGESTING = {
    "validation/rules/fields_on_correct_type.py": [
        "{ dgo { name } }",
        "{ dog { nam } }",
        "{ animal { bark } }",
    ],
    "validation/rules/known_type_names.py": [
        "{ animal { ... on Do { name } } }",
        "query ($by: Serch) { find(by: $by) { name } }",
        "{ dog { ...F } } fragment F on Dgo { name }",
    ],
    "validation/rules/known_argument_names.py": [
        "{ dog { bark(volum: 1) } }",
        "{ dog { name @skip(i: true, if: true) } }",
    ],
    "validation/rules/scalar_leafs.py": ["{ dog }", "{ a: dog animal { name } }"],
    "utilities/validate_input_value.py": ['{ find(by: { nam: "Rex" }) { name } }'],
    "type/definition.py": [
        "{ find(by: { colour: RE }) { name } }",
        '{ find(by: { colour: "RED" }) { name } }',
    ],
}
# Where graphql-core suggests what no request can ask for.
OTHERS = {
    "language/lexer.py",  # punctuation, such as ... for ..
    "pyutils/did_you_mean.py",
    "type/validate.py",  # of a schema, at the start
    "validation/rules/possible_type_extensions.py",  # of the language of schemas
}


def errors(executor: Executor, query: str, variables: dict[str, Any] | None = None) -> list[dict]:
    return executor.run(Request(query, variables or {}), Nobody()).body.get("errors", [])


class Nobody:
    """The context of a request without a token, whatever a resolver asks of it."""

    def __getattr__(self, _name: str) -> Any:
        raise Unauthenticated("Log in first.")


@pytest.mark.parametrize("query", [query for queries in SUGGESTING.values() for query in queries])
def test_each_kind_of_suggestion_is_made_only_where_the_schema_is_no_secret(query):
    talkative, secretive = errors(TALKATIVE, query), errors(SECRETIVE, query)

    assert any("Did you mean" in error["message"] for error in talkative)
    assert "Did you mean" not in str(secretive)
    assert all(error["message"].endswith(".") for error in secretive)
    without_messages = [{**error, "message": ""} for error in talkative]
    assert [{**error, "message": ""} for error in secretive] == without_messages


@pytest.mark.parametrize("by", [{"nam": "Rex"}, {"colour": "RE"}, {"colour": 1}, {"nme": 1}])
def test_nothing_is_suggested_for_variables(by):
    query = "query ($by: Search!) { find(by: $by) { name } }"

    for executor in (TALKATIVE, SECRETIVE):
        [error] = errors(executor, query, {"by": by})
        assert "Did you mean" not in error["message"]


def test_every_place_where_graphql_core_suggests_is_known():
    package = Path(graphql.__file__).parent
    suggesting = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"did_you_mean\(|did you mean", path.read_text(), re.IGNORECASE)
    }

    assert suggesting == {*SUGGESTING, *OTHERS}


# Python's words

EXECUTOR = Executor(SCHEMA, costs=COSTS, introspection=False)
PYTHON = re.compile(r"\b(None|True|False|Undefined|dict|NoneType)\b")
SAMPLES = {
    "DateTime": '"2026-11-22T09:30:00Z"',
    "Date": '"2026-11-22"',
    "LocalTime": '"09:30"',
    "Int": "1",
    "Float": "0.5",
    "Boolean": "true",
}


def literal(type_) -> str:
    """A valid value, as short as can be."""
    type_ = get_nullable_type(type_)
    if isinstance(type_, GraphQLList):
        return "[]"
    if isinstance(type_, GraphQLInputObjectType):
        required = [
            f"{name}: {literal(field.type)}"
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        ]
        return f"{{{', '.join(required)}}}"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    return SAMPLES.get(type_.name, '"x"')


def values_with_a_hole(type_, within=()):
    """Valid values that have `*` in the place of one that cannot be null, and the type of that."""
    if isinstance(type_, GraphQLNonNull):
        yield "*", type_
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        for inner, hole in values_with_a_hole(type_.of_type, within):
            yield f"[{inner}]", hole
    elif isinstance(type_, GraphQLInputObjectType) and type_ not in within:
        for name, field in type_.fields.items():
            others = [
                f"{other}: {literal(declared.type)}"
                for other, declared in type_.fields.items()
                if other != name and isinstance(declared.type, GraphQLNonNull)
            ]
            for inner, hole in values_with_a_hole(field.type, (*within, type_)):
                yield f"{{{', '.join([*others, f'{name}: {inner}'])}}}", hole


def places():
    """Each place for a value that cannot be null: its operation, and the value's type there."""
    core = SCHEMA._schema
    for kind, root in (("query", core.query_type), ("mutation", core.mutation_type)):
        for field, definition in root.fields.items():
            for name, argument in definition.args.items():
                others = [
                    f"{other}: {literal(declared.type)}"
                    for other, declared in definition.args.items()
                    if other != name and isinstance(declared.type, GraphQLNonNull)
                ]
                for value, hole in values_with_a_hole(argument.type):
                    arguments = ", ".join([*others, f"{name}: {value}"])
                    yield f"{kind} * {{ {field}({arguments}) {{ __typename }} }}", hole


PLACES = list(places())


def filled(operation: str, signature: str, value: str) -> str:
    before, after, end = operation.split("*")
    return before + signature + after + value + end


def test_there_are_places_of_every_kind():
    core = SCHEMA._schema
    kinds = {str(get_nullable_type(hole)) for _, hole in PLACES}

    inputs = {
        name for name, type_ in core.type_map.items() if isinstance(type_, GraphQLInputObjectType)
    }
    optional = {
        *("BuffersInput", "TaskDefaultsInput", "TaskFilter", "TaskOrder"),
        "UrgencyCoefficientsInput",
    }
    assert kinds >= inputs - optional
    assert kinds >= {"ID", "String", "TaskStatus", "DateTime", "Date", "LocalTime", "[ID!]"}
    assert len(PLACES) > 60


@pytest.mark.parametrize(("operation", "hole"), PLACES, ids=str)
def test_null_where_it_cannot_be_is_called_null(operation, hole):
    default = literal(hole)

    [in_document] = errors(EXECUTOR, filled(operation, "", "null"))
    assert in_document["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert in_document["message"] == f"Expected value of non-null type '{hole}' not to be null."

    [of_default] = errors(EXECUTOR, filled(operation, f"($v: {hole} = null)", "$v"))
    assert of_default == {**in_document, "locations": of_default["locations"]}

    [in_variable] = errors(EXECUTOR, filled(operation, f"($v: {hole})", "$v"), {"v": None})
    assert in_variable["message"] == "v cannot be null."
    assert in_variable["extensions"] == {"code": "BAD_USER_INPUT", "field": "v"}

    [missing] = errors(EXECUTOR, filled(operation, f"($v: {hole})", "$v"))
    assert missing == {**in_variable, "message": "Missing required field: v"}

    signature = f"($v: {get_nullable_type(hole)} = {default})"
    for _ in range(3):  # by graphql-core, and compiled
        [despite_default] = errors(EXECUTOR, filled(operation, signature, "$v"), {"v": None})
        assert despite_default["message"] == "v cannot be null."
        assert despite_default["extensions"] == {"code": "BAD_USER_INPUT", "field": "v"}
        assert despite_default["path"] == [re.search(r"{ (\w+)", operation)[1]]


@pytest.mark.parametrize(
    "selection",
    [
        "find(by: {}) { name @include(if: $v) }",
        "find(by: {}) @include(if: $v) { name }",
        "... @skip(if: $v) { find(by: {}) { name } }",
    ],
)
def test_null_in_a_directive_is_called_null(selection):
    query = f"query ($v: Boolean = true) {{ {selection} }}"

    [error] = errors(SECRETIVE, query, {"v": None})

    assert error["message"] == "v cannot be null."
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "v"}


@pytest.mark.parametrize("field", ["age", "litter"])
def test_a_value_of_ours_that_does_not_fit_is_no_fault_of_the_clients(field, caplog):
    for _ in range(3):  # by graphql-core, and compiled
        [error] = errors(SECRETIVE, f"{{ find(by: {{}}) {{ {field} }} }}")

        assert error["message"] == "Internal server error."
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert error["path"] == ["find", field]
    assert caplog.text.count(f"crashed at ['find', '{field}']") == 3


SIMPLE = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("ab\u00e9", max_size=3)
JSON = st.recursive(
    SIMPLE | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


@given(st.sampled_from(PLACES), JSON)
def test_no_message_about_a_value_has_words_of_python(place, value):
    operation, hole = place
    in_variable = filled(operation, f"($v: {hole})", "$v")

    for error in errors(EXECUTOR, in_variable, {"v": value}):
        assert not PYTHON.search(error["message"]), error
        assert error["extensions"]["code"] in {"BAD_USER_INPUT", "UNAUTHENTICATED"}
    for error in errors(EXECUTOR, filled(operation, "", as_literal(value))):
        assert not PYTHON.search(error["message"]), error
        assert error["extensions"]["code"] in {"GRAPHQL_VALIDATION_FAILED", "UNAUTHENTICATED"}


def as_literal(value: Any) -> str:
    """The value as GraphQL writes it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {as_literal(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_literal, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)
