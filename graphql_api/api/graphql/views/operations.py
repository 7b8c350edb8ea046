"""The queries for saved views, and their mutations."""

from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.views.inputs import (
    CreateViewInput,
    DeleteViewInput,
    UpdateViewInput,
    values_of,
)
from graphql_api.api.graphql.views.types import DeleteViewPayload, SavedView, ViewPayload
from graphql_api.domain.views import model


@strawberry.type
class ViewQuery:
    @strawberry.field(
        graphql_type=list[SavedView],
        description="The viewer's saved views, the oldest first.",
        metadata=field_cost(LIST, items=model.MAX_VIEWS) | needs(Scope.TASKS_READ),
    )
    def views(self, info: Info) -> list[model.SavedView]:
        views = info.context.views.all(info.context.viewer_id)
        info.context.track_views(views)
        return views

    @strawberry.field(
        graphql_type=SavedView | None,
        description="One of the viewer's views. If there is none of this id: null, NOT_FOUND.",
        metadata=needs(Scope.TASKS_READ),
    )
    def view(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The view's id.")],
    ) -> model.SavedView:
        return info.context.views.get(info.context.viewer_id, id)


@strawberry.type
class ViewMutation:
    @strawberry.mutation(
        description="Save a filter and an order of tasks, under a name.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def create_view(
        self,
        info: Info,
        input: Annotated[CreateViewInput, strawberry.argument(description="The new view.")],
    ) -> ViewPayload:
        context = info.context
        view = context.views.create(context.viewer_id, values_of(input), context.now)
        return ViewPayload(view=view)

    @strawberry.mutation(
        description="Change a view: its name, its filter, its order.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def update_view(
        self,
        info: Info,
        input: Annotated[UpdateViewInput, strawberry.argument(description="The change.")],
    ) -> ViewPayload:
        context = info.context
        view = context.views.update(context.viewer_id, values_of(input), context.now)
        return ViewPayload(view=view)

    @strawberry.mutation(
        description="Delete a view; its tasks stay as they are.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def delete_view(
        self,
        info: Info,
        input: Annotated[DeleteViewInput, strawberry.argument(description="The view.")],
    ) -> DeleteViewPayload:
        info.context.views.delete(info.context.viewer_id, **provided(vars(input)))
        return DeleteViewPayload(deleted_view_id=input.id)
