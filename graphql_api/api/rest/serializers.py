"""Serializers: the result of an operation becomes the body of a REST response.

The operation has given the fields their names. A serializer spells the values of enums in lower
case, wherever the schema has an enum, and names of fields as they are in REST.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, get_nullable_type, is_list_type

from graphql_api.api.rest.operations import Selection, snake_case

NAMES = {("Change", "fields"), ("Task", "inherited")}
"""The fields whose values are names of fields."""

Serializer: TypeAlias = Callable[[Any], Any]  # changes objects in place: nobody else needs them


def serializer(selection: Selection) -> Serializer:
    """Return the serializer of objects with these fields."""
    return _object_serializer(selection) or _unchanged


def _object_serializer(selection: Selection) -> Serializer | None:
    enums: list[tuple[str, dict[str | None, str | None]]] = []
    others: list[tuple[str, Serializer]] = []
    for key, field in selection.fields.items():
        if isinstance(type_ := get_nullable_type(field.type), GraphQLEnumType):
            enums.append((key, _lower_case(type_)))  # no call for each: half of the time
        elif (selection.type.name, field.name) in NAMES:
            others.append((key, _spell))
        elif serialize := _serializer(field.type, field.selection):
            others.append((key, serialize))
    if not enums and not others:
        return None

    def serialize_object(value: Any) -> Any:
        if value is not None:
            for key, names in enums:
                value[key] = names[value[key]]
            for key, serialize in others:
                value[key] = serialize(value[key])
        return value

    return serialize_object


def _serializer(type_: Any, selection: Selection | None) -> Serializer | None:
    """Return the serializer of a field, None if its value stays as it is."""
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        element = _serializer(type_.of_type, selection)
        return element and _list_serializer(element)
    if isinstance(type_, GraphQLEnumType):
        return _lower_case(type_).__getitem__
    return _object_serializer(selection) if selection else None


def _list_serializer(element: Serializer) -> Serializer:
    return lambda values: values and [element(value) for value in values]


def _lower_case(enum: GraphQLEnumType) -> dict[str | None, str | None]:
    return {None: None, **{name: name.lower() for name in enum.values}}


def _spell(names: list[str]) -> list[str]:
    return list(map(snake_case, names)) if names else names


def _unchanged(value: Any) -> Any:
    return value
