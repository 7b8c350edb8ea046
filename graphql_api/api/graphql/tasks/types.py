"""A task as GraphQL shows it, with its enums."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.api.graphql.changes import ChangeConnection, list_history
from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, LOADED, RELATION, field_cost
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.graphql.tasks.enums import DeadlineType, TaskPriority, TaskStatus
from graphql_api.domain.accounts.model import User
from graphql_api.domain.tasks import dependencies, model, urgency
from graphql_api.domain.tasks.urgency import Urgency as UrgencyModel


def _coefficient_name(term: strawberry.Parent[urgency.Term]) -> str:
    return camel_case(term.name)


@strawberry.type(description="One reason for a task's urgency.")
class UrgencyTerm:
    name: str = strawberry.field(
        resolver=_coefficient_name, description="The name of its coefficient among the settings."
    )
    coefficient: float = strawberry.field(description="How much it counts.")
    value: float = strawberry.field(description="How far it applies: 0 to 1, but for `inherited`.")
    contribution: float = strawberry.field(description="The coefficient times the value.")


@strawberry.type(description="How urgent a task is, and why. https://taskwarrior.org/docs/urgency/")
class Urgency:
    score: float = strawberry.field(
        description="The sum of the contributions; 0 for a task that is not open."
    )
    terms: list[UrgencyTerm] = strawberry.field(
        description="What it is the sum of.", metadata=field_cost(LOADED, items=16)
    )
    as_of: datetime = strawberry.field(description="The instant as of which this is so.")


@strawberry.type(description="Something a user plans to do.")
class Task:
    task_id: strawberry.ID = strawberry.field(
        name="id", description="The task's id; ids sort by the time of creation."
    )
    user_id: strawberry.ID = strawberry.field(
        name="ownerId", description="The id of the user whose task it is."
    )
    title: str = strawberry.field(
        description=f"What is to be done, in 1 to {model.TITLE_LENGTH} characters.",
        metadata=field_cost(size=4 * model.TITLE_LENGTH),
    )
    description: str = strawberry.field(
        description="More about it; may be empty.",
        metadata=field_cost(size=model.DESCRIPTION_BYTES),
    )
    status: TaskStatus = strawberry.field(description="Where the task stands.")
    priority: TaskPriority = strawberry.field(description="How much the task matters.")
    due_at: datetime | None = strawberry.field(description="When it is to be done.")
    tags: list[str] = strawberry.field(
        description="The user's own labels, in the user's order.",
        metadata=field_cost(size=4 * model.TAGS * model.TAG_LENGTH),
    )
    created_at: datetime = strawberry.field(description="When the task was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    completed_at: datetime | None = strawberry.field(
        description="When its status became COMPLETED; null while it is another one."
    )
    version: int = strawberry.field(description="1 for a new task, one more with each change.")
    duration_minutes: int | None = strawberry.field(
        description="How many minutes of work it is; null if nobody knows."
    )
    not_before: datetime | None = strawberry.field(
        description="It cannot be begun before this instant."
    )
    deadline_type: DeadlineType = strawberry.field(
        description="What `dueAt` means; SOFT for a new task."
    )
    min_chunk_minutes: int = strawberry.field(
        description="It may be done in pieces of so many minutes or more; 0: never split."
    )
    planned_start: datetime | None = strawberry.field(
        description="When it is planned to be begun; a plan that is applied sets it."
    )
    planned_end: datetime | None = strawberry.field(
        description="When it is planned to be done; a plan that is applied sets it."
    )

    @strawberry.field(
        graphql_type=list["Task"],
        description=f"What has to be done before it, done or not: at most {dependencies.BLOCKERS}.",
        metadata=field_cost(RELATION),
    )
    def blocked_by(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.neighbours.blockers(task)

    @strawberry.field(
        graphql_type=list["Task"],
        description=f"What waits for it, done or not: at most {dependencies.BLOCKED}.",
        metadata=field_cost(RELATION),
    )
    def blocks(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.neighbours.blocked(task)

    @strawberry.field(description="Whether it can be done now: it is open, and no blocker is.")
    def is_ready(task: strawberry.Parent[model.Task], info: Info) -> bool:  # noqa: N805 - as `owner`
        return info.context.neighbours.ready(task)

    @strawberry.field(
        graphql_type=Urgency,
        description="How urgent it is, and why.",
        metadata=field_cost(work=50),
    )
    def urgency(task: strawberry.Parent[model.Task], info: Info) -> UrgencyModel:  # noqa: N805 - as `owner`
        return info.context.ranking.urgency(task)

    history = strawberry.field(
        list_history,
        graphql_type=ChangeConnection,
        description="What has happened to it, newest first, as long as changes are kept.",
        metadata=field_cost(LIST),
    )

    @strawberry.field(
        graphql_type=Annotated["User", strawberry.lazy("graphql_api.api.graphql.accounts")],
        description="The user whose task it is.",
    )
    def owner(task: strawberry.Parent[model.Task], info: Info) -> User:  # noqa: N805 - the parent is the model's task
        return info.context.user(task.user_id)


@strawberry.type(description="A page of tasks. https://relay.dev/graphql/connections.htm")
class TaskConnection(Connection[Task]):
    changes_cursor: str = strawberry.field(
        description=(
            "Where the change feed goes on after this list: pass it as `after` of `changes`, and"
            " the list and the changes together miss nothing."
        )
    )
