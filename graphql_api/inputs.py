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


def problems(name: str, kind: GraphQLInputType, value: Any) -> Iterator[BadUserInput]:
    """Each reason why a value (of the variable or field `name`) is not of this type."""
    if is_non_null_type(kind):
        if value is None:
            yield BadUserInput(f"{name} cannot be null.", name)
            return
        kind = kind.of_type
    if value is None:
        return
    if is_list_type(kind):
        yield from _list_problems(name, kind.of_type, value)
    elif isinstance(kind, GraphQLInputObjectType):
        yield from _object_problems(name, kind, value)
    elif isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str) or value not in kind.values:
            yield BadUserInput(f"{name} must be one of {', '.join(kind.values)}.", name)
    elif isinstance(kind, GraphQLScalarType):
        yield from _scalar_problems(name, kind, value)


def _list_problems(name: str, kind: GraphQLInputType, value: Any) -> Iterator[BadUserInput]:
    for element in value if isinstance(value, list) else [value]:
        if element is None and is_non_null_type(kind):
            yield BadUserInput(f"{name} cannot have null in it.", name)
        else:
            yield from problems(name, kind, element)


def _object_problems(name: str, kind: GraphQLInputObjectType, value: Any) -> Iterator[BadUserInput]:
    if not isinstance(value, Mapping):
        yield BadUserInput(f"{name} must be an object.", name)
        return
    for field in value:
        if field not in kind.fields:
            yield BadUserInput(f"Unknown field: {field}", str(field))
    for field, declared in kind.fields.items():
        if field in value:
            yield from problems(field, declared.type, value[field])
        elif is_required_input_field(declared):
            yield BadUserInput(f"Missing required field: {field}", field)


def _scalar_problems(name: str, kind: GraphQLScalarType, value: Any) -> Iterator[BadUserInput]:
    try:
        kind.coerce_input_value(value)
    except GraphQLError as error:
        known = f"{name} must be {KINDS[kind.name]}." if kind.name in KINDS else ""
        yield BadUserInput(known or f"{name}: {error.original_error or error.message}", name)
    except ValueError as error:
        yield BadUserInput(f"{name}: {error}", name)
