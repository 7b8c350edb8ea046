"""What is wrong with the variables of a request, by field and in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

from graphql_api.errors import BadUserInput

KINDS = {
    "String": "a text",
    "ID": "an id",
    "Int": "a whole number of 32 bits",
    "Float": "a number",
    "Boolean": "true or false",
}


def problems(name: str, kind: GraphQLInputType, value: Any, at: str = "") -> Iterator[BadUserInput]:
    """Each reason why a value (of the variable or field `name`) is not of this type.

    Within a list or an object of an object, it is `at` some place, such as `tasks[3].dueAt`.
    """
    if is_non_null_type(kind):
        if value is None:
            yield _problem(f"{name} cannot be null.", name, at)
            return
        kind = kind.of_type
    if value is None:
        return
    if is_list_type(kind):
        yield from _list_problems(name, kind.of_type, value, at or name)
    elif isinstance(kind, GraphQLInputObjectType):
        yield from _object_problems(name, kind, value, at)
    elif isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str) or value not in kind.values:
            yield _problem(f"{name} must be one of {', '.join(kind.values)}.", name, at)
    elif isinstance(kind, GraphQLScalarType):
        yield from _scalar_problems(name, kind, value, at)


def _list_problems(
    name: str, kind: GraphQLInputType, value: Any, at: str
) -> Iterator[BadUserInput]:
    if not isinstance(value, list):  # which stands for a list of one
        yield from problems(name, kind, value, at)
        return
    for number, element in enumerate(value):
        place = f"{at}[{number}]"
        if element is None and is_non_null_type(kind):
            yield _problem(f"{name} cannot have null in it.", name, place)
        else:
            yield from problems(name, kind, element, place)


def _object_problems(
    name: str, kind: GraphQLInputObjectType, value: Any, at: str
) -> Iterator[BadUserInput]:
    if not isinstance(value, Mapping):
        yield _problem(f"{name} must be an object.", name, at)
        return
    within = f"{at}." if at else ""
    for field in value:
        if field not in kind.fields:
            yield _problem(f"Unknown field: {field}", str(field), f"{within}{field}")
    for field, declared in kind.fields.items():
        place = f"{within}{field}"
        if field in value:
            yield from problems(field, declared.type, value[field], place)
        elif is_required_input_field(declared):
            yield _problem(f"Missing required field: {field}", field, place)


def _scalar_problems(
    name: str, kind: GraphQLScalarType, value: Any, at: str
) -> Iterator[BadUserInput]:
    try:
        kind.coerce_input_value(value)
    except GraphQLError as error:
        known = f"{name} must be {KINDS[kind.name]}." if kind.name in KINDS else ""
        yield _problem(known or f"{name}: {error.original_error or error.message}", name, at)
    except ValueError as error:
        yield _problem(f"{name}: {error}", name, at)


def _problem(message: str, field: str, at: str) -> BadUserInput:
    """The problem, with its place where the field's name alone does not tell it."""
    return BadUserInput(message, field, **({"at": at} if at not in {"", field} else {}))
