"""Explanations of invalid variables, by field and in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

from graphql_api.errors import FIELD, VALUES, BadUserInput, Path

MISSING = f"Missing required field: {FIELD}"
DESCRIPTIONS = {
    "String": "a text",
    "ID": "an id",
    "Int": "a whole number of 32 bits",
    "Float": "a number",
    "Boolean": "true or false",
}


def problems(
    name: str, type_: GraphQLInputType, variables: Mapping[str, Any]
) -> Iterator[BadUserInput]:
    """Yield an error for each part of a variable's value that does not fit its type.

    The errors name fields as the schema does; paths within an input object leave out the name of
    the variable.
    """
    if name not in variables and is_non_null_type(type_):
        yield BadUserInput(MISSING, (name,))
        return
    value, nullable = variables.get(name), get_nullable_type(type_)
    if isinstance(nullable, GraphQLInputObjectType) and isinstance(value, Mapping):
        yield from _field_problems((), nullable, value)
    else:
        yield from _problems((name,), type_, value)


def _problems(path: Path, type_: GraphQLInputType, value: Any) -> Iterator[BadUserInput]:
    if is_non_null_type(type_):
        if value is None:
            yield BadUserInput(f"{FIELD} cannot be null.", path)
            return
        type_ = type_.of_type
    if value is None:
        return
    if is_list_type(type_):
        yield from _list_problems(path, type_.of_type, value)
    elif isinstance(type_, GraphQLInputObjectType):
        if isinstance(value, Mapping):
            yield from _field_problems(path, type_, value)
        else:
            yield BadUserInput(f"{FIELD} must be an object.", path)
    elif isinstance(type_, GraphQLEnumType):
        if not isinstance(value, str) or value not in type_.values:
            yield BadUserInput(f"{FIELD} must be one of {VALUES}.", path, values=list(type_.values))
    elif isinstance(type_, GraphQLScalarType):
        yield from _scalar_problems(path, type_, value)


def _list_problems(path: Path, type_: GraphQLInputType, value: Any) -> Iterator[BadUserInput]:
    if not isinstance(value, list):  # which stands for a list of one
        yield from _problems(path, type_, value)
        return
    for index, element in enumerate(value):
        if element is None and is_non_null_type(type_):
            yield BadUserInput(f"{FIELD} cannot have null in it.", (*path, index))
        else:
            yield from _problems((*path, index), type_, element)


def _field_problems(
    path: Path, type_: GraphQLInputObjectType, value: Mapping[Any, Any]
) -> Iterator[BadUserInput]:
    for field in value:
        if field not in type_.fields:
            yield BadUserInput(f"There is no field {field}.", (*path, str(field)))
    for field, declared in type_.fields.items():
        if field in value:
            yield from _problems((*path, field), declared.type, value[field])
        elif is_required_input_field(declared):
            yield BadUserInput(MISSING, (*path, field))


def _scalar_problems(path: Path, type_: GraphQLScalarType, value: Any) -> Iterator[BadUserInput]:
    description = DESCRIPTIONS.get(type_.name)
    try:
        type_.coerce_input_value(value)
    except GraphQLError as error:
        reason = error.original_error or error.message
        problem = f"{FIELD} must be {description}." if description else f"{FIELD}: {reason}"
        yield BadUserInput(problem, path)
    except ValueError as error:
        yield BadUserInput(f"{FIELD}: {error}", path)
