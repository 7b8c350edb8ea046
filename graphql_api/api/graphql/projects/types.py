"""GraphQL types of projects."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.tasks.enums import TaskPriority
from graphql_api.api.graphql.tasks.listing import list_tasks
from graphql_api.api.graphql.tasks.types import TaskConnection
from graphql_api.domain.projects import model
from graphql_api.domain.tasks.model import MAX_TAG_LENGTH, MAX_TAGS


@strawberry.type(
    description="Values of new tasks of a project; null where a task has what any new task has."
)
class TaskDefaults:
    priority: TaskPriority | None = strawberry.field(description="The priority.")
    tags: list[str] | None = strawberry.field(
        description="The tags.", metadata=field_cost(size=4 * MAX_TAGS * MAX_TAG_LENGTH)
    )
    duration_minutes: int | None = strawberry.field(description="The estimated minutes of work.")


@strawberry.type(description="A list of a user's tasks, under a name.")
class Project(Node):
    project_id: strawberry.ID = strawberry.field(name="id", description="The project's id.")
    name: str = strawberry.field(
        description=f"The name, of 1 to {model.MAX_NAME_LENGTH} characters.",
        metadata=field_cost(size=4 * model.MAX_NAME_LENGTH),
    )
    color: str | None = strawberry.field(description="A colour, such as `#1e90ff`.")
    position: str = strawberry.field(
        description=(
            "The place among the user's projects, which sort by this text, character by character."
            " Between any two there is room for another one, as in fractional indexing."
        )
    )
    defaults: TaskDefaults = strawberry.field(
        description="Values of its new tasks, for fields that `createTask` is not given."
    )
    archived_at: datetime | None = strawberry.field(
        description="When it was put away; null if it was not."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="1 for a new project, one more after each change.")
    tasks = strawberry.field(
        list_tasks,
        graphql_type=TaskConnection,
        description="The tasks of the project.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )

    @strawberry.field(
        description=(
            "The number of its open tasks. All projects of an operation are counted in one pass."
        ),
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def open_count(project: strawberry.Parent[model.Project], info: Info) -> int:  # noqa: N805 - the parent is the model's project
        return info.context.open_tally(project.user_id).by_project[project.project_id]


@strawberry.type(
    description="A page of projects. https://relay.dev/graphql/connections.htm",
)
class ProjectConnection(Connection[Project]):
    pass


@strawberry.type(description="A project after a change.")
class ProjectPayload:
    project: strawberry.Private[model.Project]

    @strawberry.field(name="project", graphql_type=Project, description="The project.")
    def project_field(self) -> model.Project:
        return self.project


@strawberry.type(description="The result of deleting a project.")
class DeleteProjectPayload:
    deleted_project_id: strawberry.ID = strawberry.field(
        description="The id of the deleted project."
    )
    is_complete: bool = strawberry.field(
        description=(
            "Whether all of its tasks have become what they were to become. Else the service goes"
            " on with them, whatever happens to it meanwhile."
        )
    )
