"""Small helpers for what Strawberry leaves out."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry
from graphql import GraphQLInputField
from strawberry import UNSET
from strawberry.schema.name_converter import NameConverter

from graphql_api.domain.tasks.receipts import MAX_KEY_LENGTH
from graphql_api.infra.executor.coercion import DEFINITION

camel_case = NameConverter().apply_naming_config
"""The schema's name of a Python name: `dueAt` for `due_at`."""

_BOUNDS, _CONDITION = "bounds", "condition"

CONDITION: dict[str, Any] = {_CONDITION: True}
"""Metadata of an input's field that is compared, not kept: it may be what no kept one can be."""


def bounds_metadata(bounds: tuple[int, int] | None) -> dict[str, Any]:
    """Metadata of an input's field: the bounds of a number, or of the length of a text."""
    return {_BOUNDS: bounds} if bounds else {}


def bounds_of(field: GraphQLInputField) -> tuple[int, int] | None:
    """The declared bounds of an input's field."""
    bounds: tuple[int, int] | None = field.extensions[DEFINITION].metadata.get(_BOUNDS)
    return bounds


def is_condition(field: GraphQLInputField) -> bool:
    """Return whether an input's field is declared as a condition."""
    return bool(field.extensions[DEFINITION].metadata.get(_CONDITION))


SAME_EFFECT = "same key and the same content have one effect, and the same answer"


def idempotency_key(effect: str = SAME_EFFECT) -> Any:
    """The field of an input by which a request that comes again is not carried out again."""
    return strawberry.field(
        default=UNSET,
        description=(
            f"A random text of 1 to {MAX_KEY_LENGTH} characters. For 24 hours, requests with the"
            f" {effect}."
        ),
    )


RangeStart: TypeAlias = Annotated[
    datetime, strawberry.argument(name="from", description="The start of the range.")
]
RangeEnd: TypeAlias = Annotated[datetime, strawberry.argument(description="The end of the range.")]


def describe_enum(enum: type[Enum], description: str, **values: str) -> None:
    """Give a domain enum and each of its values a GraphQL description."""
    strawberry.enum(enum, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set by strawberry.enum
        value.description = values[value.name]


def provided(values: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what the client left out; keep null as None, and make lists tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not UNSET
    }
