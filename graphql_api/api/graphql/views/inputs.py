"""The input types of the operations on saved views."""

from typing import Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.inputs import TaskFilter, TaskOrder
from graphql_api.domain.tasks import filters
from graphql_api.domain.views.model import MAX_NAME_LENGTH, MAX_VIEWS

_NAME = f"The name, of 1 to {MAX_NAME_LENGTH} characters."
_FILTER = "The conditions on tasks; days in it are counted from the day on which it is used."
_ORDER = "The order of the tasks."


def values_of(given: object) -> dict[str, Any]:
    """The provided fields of an input, with filter and order as the domain has them."""
    fields = provided(vars(given))
    if fields.get("filter") is not None:
        fields["filter"] = fields["filter"].conditions()
    if fields.get("order_by") is not None:
        fields["order_by"] = filters.TaskOrder(**vars(fields["order_by"]))
    return fields


@strawberry.input(description=f"A new view, of which a user may have {MAX_VIEWS}.")
class CreateViewInput:
    name: str = strawberry.field(description=_NAME)
    filter: TaskFilter | None = strawberry.field(
        default=UNSET, description=f"{_FILTER} Default: all tasks."
    )
    order_by: TaskOrder | None = strawberry.field(
        default=UNSET, description=f"{_ORDER} Default: the newest first."
    )


@strawberry.input
class _ViewWrite:
    id: strawberry.ID = strawberry.field(description="The view's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that it must have; it is a CONFLICT if it has another one.",
    )


@strawberry.input(description="A change of a view. Absent fields stay as they are.")
class UpdateViewInput(_ViewWrite):
    name: str | None = strawberry.field(default=UNSET, description=f"{_NAME} Cannot be null.")
    filter: TaskFilter | None = strawberry.field(
        default=UNSET,
        description=f"{_FILTER} It takes the place of all before; null: all tasks.",
    )
    order_by: TaskOrder | None = strawberry.field(
        default=UNSET, description=f"{_ORDER} Null: the newest first."
    )


@strawberry.input(description="The view to delete.")
class DeleteViewInput(_ViewWrite):
    pass
