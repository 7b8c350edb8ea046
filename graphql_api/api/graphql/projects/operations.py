"""The project queries and mutations."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.connection import Listing
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.projects.inputs import (
    ArchiveProjectInput,
    CreateProjectInput,
    DeleteProjectInput,
    UnarchiveProjectInput,
    UpdateProjectInput,
    values_of,
)
from graphql_api.api.graphql.projects.types import (
    DeleteProjectPayload,
    Project,
    ProjectConnection,
    ProjectPayload,
)
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Window
from graphql_api.domain.projects import model


@strawberry.type
class ProjectQuery:
    @strawberry.field(
        graphql_type=ProjectConnection,
        description="The viewer's projects, in the order of their `position`.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )
    def projects(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"The number of projects: 1 to {MAX_PAGE_SIZE}."),
        ] = DEFAULT_PAGE_SIZE,
        after: Annotated[
            str | None, strawberry.argument(description="The `endCursor` of the previous page.")
        ] = UNSET,
        last: Annotated[
            int | None,
            strawberry.argument(
                description=f"The number from the end: 1 to {MAX_PAGE_SIZE}. Overrides `first`."
            ),
        ] = UNSET,
        before: Annotated[
            str | None, strawberry.argument(description="The `startCursor` of the next page.")
        ] = UNSET,
        *,
        archived: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether they are archived: those that are, or are not; null: all."
            ),
        ] = False,
    ) -> Listing[model.Project]:
        context = info.context
        paging = provided({"first": first, "after": after or None, "last": last, "before": before})
        window = Window.of(**paging, max_size=context.max_page_size)
        return _listing(context, window, archived=archived)

    @strawberry.field(
        graphql_type=Project | None,
        description="One of the viewer's projects. If there is none of this id: null, NOT_FOUND.",
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def project(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The project's id.")],
    ) -> model.Project:
        return info.context.projects.get(info.context.viewer_id, id)


def _listing(context: Context, window: Window, *, archived: bool | None) -> Listing[model.Project]:
    """A page of the viewer's projects, with cursors that hold for this list only."""
    viewer_id = context.viewer_id
    scope = f"projects of {viewer_id} {archived}"
    position = context.cursors.open_window(window, scope)
    page, total = context.projects.page(viewer_id, window, position, archived=archived)
    context.spend_rows(len(page.items))
    return Listing(page, context.cursors, scope, lambda: total)


@strawberry.type
class ProjectMutation:
    @strawberry.mutation(
        description="Create a project, behind the others.", metadata=needs(Scope.TASKS_WRITE)
    )
    def create_project(
        self,
        info: Info,
        input: Annotated[CreateProjectInput, strawberry.argument(description="The new project.")],
    ) -> ProjectPayload:
        context, values = info.context.for_write(), values_of(input)
        return ProjectPayload(
            project=context.projects.create(context.viewer_id, values, context.now)
        )

    @strawberry.mutation(
        description="Change a project: its name, its colour, its place.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def update_project(
        self,
        info: Info,
        input: Annotated[UpdateProjectInput, strawberry.argument(description="The change.")],
    ) -> ProjectPayload:
        context, changes = info.context.for_write(), values_of(input)
        return ProjectPayload(
            project=context.projects.update(context.viewer_id, changes, context.now)
        )

    @strawberry.mutation(
        description="Put a project away. Its tasks stay as they are, and in their lists.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def archive_project(
        self,
        info: Info,
        input: Annotated[ArchiveProjectInput, strawberry.argument(description="The project.")],
    ) -> ProjectPayload:
        return _archive(info, input, archived=True)

    @strawberry.mutation(
        description="Take a project out again that was archived.", metadata=needs(Scope.TASKS_WRITE)
    )
    def unarchive_project(
        self,
        info: Info,
        input: Annotated[UnarchiveProjectInput, strawberry.argument(description="The project.")],
    ) -> ProjectPayload:
        return _archive(info, input, archived=False)

    @strawberry.mutation(
        description=(
            "Delete a project, once its tasks are moved or deleted, or in no project any more. It"
            " is gone at once; many tasks may take a while."
        ),
        metadata=field_cost(expensive=True) | needs(Scope.TASKS_WRITE),
    )
    def delete_project(
        self,
        info: Info,
        input: Annotated[DeleteProjectInput, strawberry.argument(description="The project.")],
    ) -> DeleteProjectPayload:
        context, fields = info.context.for_write(), provided(vars(input))
        is_complete = context.projects.delete(
            context.viewer_id, **fields, actor=context.actor, now=context.now
        )
        return DeleteProjectPayload(deleted_project_id=input.id, is_complete=is_complete)


def _archive(
    info: Info, input: ArchiveProjectInput | UnarchiveProjectInput, *, archived: bool
) -> ProjectPayload:
    context, fields = info.context.for_write(), provided(vars(input))
    return ProjectPayload(
        project=context.projects.archive(
            context.viewer_id, **fields, now=context.now, archived=archived
        )
    )
