"""Enums of the models as GraphQL shows them."""

from enum import Enum

import strawberry


def show(kind: type[Enum], description: str, **values: str) -> None:
    """Show an enum, each value with what it means."""
    strawberry.enum(kind, description=description)
    for value in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set by strawberry.enum
        value.description = values[value.name]
