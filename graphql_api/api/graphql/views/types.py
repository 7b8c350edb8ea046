"""GraphQL types of saved views."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.tasks.conditions import TaskConditions
from graphql_api.api.graphql.tasks.enums import OrderDirection, TaskOrderField
from graphql_api.domain.tasks import filters
from graphql_api.domain.tasks.filters import MAX_PROJECT_IDS
from graphql_api.domain.tasks.store import MAX_ID_LENGTH
from graphql_api.domain.views import model


@strawberry.type(description="The order of a view.")
class ViewOrder:
    field: TaskOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(description="The direction.")


def _filter(view: strawberry.Parent[model.SavedView]) -> filters.TaskFilter | None:
    return None if view.filter == filters.TaskFilter() else view.filter


def _missing(view: strawberry.Parent[model.SavedView], info: Info) -> list[strawberry.ID]:
    return list(map(strawberry.ID, info.context.missing_projects(view)))


@strawberry.type(description="A filter and an order of tasks, under a name.")
class SavedView(Node):
    view_id: strawberry.ID = strawberry.field(name="id", description="The view's id.")
    name: str = strawberry.field(
        description=f"The name, of 1 to {model.MAX_NAME_LENGTH} characters.",
        metadata=field_cost(size=4 * model.MAX_NAME_LENGTH),
    )
    filter: filters.TaskFilter | None = strawberry.field(
        resolver=_filter,
        graphql_type=TaskConditions | None,
        description="The conditions on tasks; null: all tasks.",
    )
    order_by: filters.TaskOrder = strawberry.field(
        graphql_type=ViewOrder, description="The order of the tasks."
    )
    missing_project_ids: list[strawberry.ID] = strawberry.field(
        resolver=_missing,
        description=(
            "The ids of projects that the filter names and that are gone. While there are any,"
            " `tasks(viewId:)` is NOT_FOUND."
        ),
        metadata=field_cost(size=MAX_PROJECT_IDS * MAX_ID_LENGTH),
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="1 for a new view, one more after each change.")


@strawberry.type(description="A view after a change.")
class ViewPayload:
    view: strawberry.Private[model.SavedView]

    @strawberry.field(name="view", graphql_type=SavedView, description="The view.")
    def view_field(self) -> model.SavedView:
        return self.view


@strawberry.type(description="The result of deleting a view.")
class DeleteViewPayload:
    deleted_view_id: strawberry.ID = strawberry.field(description="The id of the deleted view.")
